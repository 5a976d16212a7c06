//! The contents of a wheel, member by member, for comparing two wheels.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::archive::{Member, check_local_header, read_members};
use super::bytecode::is_bytecode;
use super::content::{Contents, Sink};
use super::entry_points::entry_points;
use super::input::{HEAD, Source};
use super::packages::packages;
use super::problems::Problems;
use super::record::MemberHasher;
use super::{Installed, InstalledNames, Limits, installed};

/// The version of the results of [`members()`]: part of the key under which they are stored.
pub const MEMBERS_VERSION: u32 = 2;

/// The contents of a wheel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelMembers {
    /// Its files, in the archive's order, without folders.
    pub members: Vec<MemberFacts>,
    /// The text of `entry_points.txt` in the only `*.dist-info`; `None` if it is absent.
    pub entry_points: Option<String>,
}

/// A file in a wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberFacts {
    /// Its path.
    pub name: String,
    /// Its size in bytes, inflated.
    pub size: u64,
    /// The SHA-256 of its bytes, inflated. It is computed, because RECORD and a CRC prove nothing.
    #[serde(with = "hex_text")]
    pub sha256: [u8; 32],
    /// Whether it begins like a program or a library of Linux, macOS or Windows.
    pub is_native: bool,
    /// Whether it begins like Python bytecode.
    pub is_bytecode: bool,
}

impl WheelMembers {
    /// The commands that an installer creates from it, by name, each with the value that identifies
    /// its version: the object of an entry point, the digest of a script.
    pub fn commands(&self) -> BTreeMap<String, String> {
        let scripts = self.members.iter().filter_map(|member| {
            Some((
                script_name(&member.name)?.to_owned(),
                HEXLOWER.encode(&member.sha256),
            ))
        });
        let (entry_points, _) = entry_points(self.entry_points.as_deref().unwrap_or_default());
        let entry_points = entry_points.into_iter();
        let entry_points = entry_points.filter(|(entry_point, _)| entry_point.is_script());
        scripts
            .chain(entry_points.map(|(entry_point, object)| (entry_point.name, object)))
            .collect()
    }

    /// Its packages and modules, as in [`InstalledNames`].
    pub fn packages(&self) -> Vec<String> {
        packages(self.members.iter().map(|member| member.name.as_str()))
    }
}

/// The command that an installer creates from a member with this path, which it copies among the
/// programs.
pub(super) fn script_name(path: &str) -> Option<&str> {
    match installed(path) {
        Installed::Scripts(name) if !name.is_empty() && !name.contains('/') => Some(name),
        _ => None,
    }
}

/// Reads every member of a wheel. The inner error is the reason why it is not an unambiguous
/// archive, as a clause for use after the wheel's name.
pub fn members<R: Read + Seek>(
    reader: &mut R,
    limits: &Limits,
) -> io::Result<Result<WheelMembers, String>> {
    let read = read(reader, limits, |_| true)?;
    Ok(read.map(|(read, _)| read))
}

/// The names of a wheel that could conflict with other projects. Only members that are commands are
/// read.
pub fn installed_names<R: Read + Seek>(
    reader: &mut R,
    limits: &Limits,
) -> io::Result<Result<InstalledNames, String>> {
    let is_read = |name: &str| is_entry_points(name) || script_name(name).is_some();
    let read = read(reader, limits, is_read)?;
    Ok(read.map(|(read, members)| {
        let names = members.iter().map(|member| member.name.as_str());
        InstalledNames {
            commands: read.commands().into_keys().collect(),
            packages: packages(names),
        }
    }))
}

/// The members of a wheel without a problem. The inner error is a clause for use after the wheel's
/// name.
pub(super) fn list<R: Read + Seek>(
    reader: &mut R,
    limits: &Limits,
) -> io::Result<Result<Vec<Member>, String>> {
    let mut problems = Problems::new(1);
    let found = read_members(reader, limits, &mut problems)?;
    Ok(match (found, problems.finish().into_iter().next()) {
        (Some(members), None) => Ok(members),
        (_, Some(problem)) => Err(problem.message),
        (None, None) => Err("is no archive".to_owned()),
    })
}

/// The results for a wheel, and all its members.
fn read<R: Read + Seek>(
    reader: &mut R,
    limits: &Limits,
    is_read: fn(&str) -> bool,
) -> io::Result<Result<(WheelMembers, Vec<Member>), String>> {
    let members = match list(reader, limits)? {
        Ok(members) => members,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut source = Source::new(reader)?;
    let mut contents = Contents::new();
    let mut read = WheelMembers::default();
    let files = members.iter().filter(|member| !member.is_folder());
    for member in files.filter(|member| is_read(&member.name)) {
        let is_entry_points = is_entry_points(&member.name);
        if is_entry_points && member.size > limits.metadata {
            return Ok(Err(format!(
                "has {} of {} bytes, more than the limit of {}",
                member.shown(),
                member.size,
                limits.metadata
            )));
        }
        let mut kept = Vec::new();
        let keep_at_most = if is_entry_points { usize::MAX } else { HEAD };
        let sha256 = match digest(&mut source, &mut contents, member, keep_at_most, &mut kept)? {
            Ok(sha256) => sha256,
            Err(reason) => return Ok(Err(reason)),
        };
        read.members.push(MemberFacts {
            name: member.name.clone(),
            size: member.size,
            sha256,
            is_native: is_native(&kept),
            is_bytecode: is_bytecode(&kept),
        });
        if is_entry_points {
            // A second `*.dist-info` is refused by the checks; both are shown here.
            let text = String::from_utf8_lossy(&kept).into_owned();
            let all = read.entry_points.get_or_insert_default();
            all.push_str(&text);
            all.push('\n');
        }
    }
    Ok(Ok((read, members)))
}

/// The digest of a member's bytes.
pub(super) fn digest<R: Read + Seek>(
    source: &mut Source<'_, R>,
    contents: &mut Contents,
    member: &Member,
    keep_at_most: usize,
    kept: &mut Vec<u8>,
) -> io::Result<Result<[u8; 32], String>> {
    let mut problems = Problems::new(1);
    source.go_to(member.start)?;
    let local = check_local_header(member, &mut problems, |count| source.next_bytes(count))?;
    let problem = problems.finish().into_iter().next();
    let (Some(local), None, true) = (local, &problem, member.readable) else {
        let reason = problem.map(|problem| problem.message);
        return Ok(Err(reason.unwrap_or_else(|| {
            format!("has {}, which cannot be read", member.shown())
        })));
    };
    source.go_to(local.data_start)?;
    let mut sink = Sink {
        hasher: MemberHasher::sha256(),
        keep: Some(kept),
        keep_at_most,
    };
    Ok(match contents.read(source, member, &mut sink)? {
        Ok(()) => match <[u8; 32]>::try_from(sink.hasher.finish()) {
            Ok(digest) => Ok(digest),
            Err(_) => Err(format!("has {}, which cannot be hashed", member.shown())),
        },
        Err(clause) => Err(format!("has {}, which {clause}", member.shown())),
    })
}

/// A digest as 64 lower-case hex digits, because members are stored as JSON.
mod hex_text {
    use std::borrow::Cow;

    use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(
        digest: &[u8; 32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&HEXLOWER.encode_display(digest))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 32], D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| de::Error::custom("`sha256` does not have 64 hex digits"))
    }
}

fn is_entry_points(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(folder, file)| folder.ends_with(".dist-info") && file == "entry_points.txt")
}

/// Whether a file begins like ELF, Mach-O or PE files, under any name.
fn is_native(head: &[u8]) -> bool {
    const MAGIC: [&[u8]; 6] = [
        b"\x7fELF",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ];
    // A text may begin with the same two letters.
    MAGIC.iter().any(|magic| head.starts_with(magic))
        || head.starts_with(b"MZ") && head.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::is_native;

    #[test]
    fn native_code_is_known_by_its_first_bytes() {
        assert!(is_native(b"\x7fELF\x02"));
        assert!(is_native(b"MZ\x90\x00\x03"));
        assert!(!is_native(b"MZ is the zone of a meeting\n"));
        assert!(!is_native(b"import os\n"));
        assert!(!is_native(b""));
    }
}
