//! The central directory.

use super::extra::{Numbers, read_extra};
use super::fields::{Fields, signature_in};
use super::member::{Member, Method};
use crate::wheel::problems::Problems;

const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";

/// APPNOTE 4.4.4: the compression level of deflate, in two bits; irrelevant for readers.
const FLAG_LEVEL: u16 = 0b110;
const FLAG_ENCRYPTED: u16 = 1;
/// CRC and sizes follow the data.
pub(super) const FLAG_DESCRIPTOR: u16 = 1 << 3;
const FLAG_STRONG_ENCRYPTION: u16 = 1 << 6;
const FLAG_UTF8: u16 = 1 << 11;
const FLAG_MASKED: u16 = 1 << 13;
/// APPNOTE 4.4.3.2: the newest version that Python's `zipfile` and uv accept, 6.3.
const NEWEST_VERSION: u16 = 63;
const KNOWN_FLAGS: u16 = FLAG_LEVEL | FLAG_DESCRIPTOR | FLAG_UTF8;

/// The file type in the upper half of the external attributes, as in Unix.
const TYPE_MASK: u32 = 0o170_000;
const TYPE_LINK: u32 = 0o120_000;
const TYPE_FOLDER: u32 = 0o040_000;
const TYPE_FILE: u32 = 0o100_000;

/// All entries in the order of the directory; `None` if it cannot be parsed to its end.
pub(super) fn read_central_directory(
    directory: &[u8],
    entries: u64,
    problems: &mut Problems,
) -> Option<Vec<Member>> {
    let mut members = Vec::new();
    let mut fields = Fields(directory);
    while !fields.is_empty() {
        let Some(entry) = read_entry(&mut fields) else {
            problems.archive(format!(
                "has a central directory of {} bytes that cannot be read after its entry {}",
                directory.len(),
                members.len()
            ));
            return None;
        };
        members.push(entry.check(problems));
        if members.len() as u64 > entries {
            break;
        }
    }
    if members.len() as u64 != entries || !fields.is_empty() {
        problems.archive(format!(
            "has {entries} entries by its end record and {}{} in its central directory",
            if fields.is_empty() { "" } else { "at least " },
            members.len()
        ));
        return None;
    }
    Some(members)
}

/// A header of the central directory (APPNOTE 4.3.12), unchanged.
struct Entry<'a> {
    version_needed: u16,
    flags: u16,
    method: u16,
    crc: u32,
    compressed_size: u32,
    size: u32,
    disk: u16,
    external_attributes: u32,
    offset: u32,
    name: &'a [u8],
    extra: &'a [u8],
    comment: &'a [u8],
}

fn read_entry<'a>(fields: &mut Fields<'a>) -> Option<Entry<'a>> {
    if fields.bytes(4)? != CENTRAL_SIGNATURE {
        return None;
    }
    fields.u16()?; // the version made by
    let version_needed = fields.u16()?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.u32()?; // time and date
    let crc = fields.u32()?;
    let compressed_size = fields.u32()?;
    let size = fields.u32()?;
    let name_length = fields.u16()?;
    let extra_length = fields.u16()?;
    let comment_length = fields.u16()?;
    let disk = fields.u16()?;
    fields.u16()?; // internal attributes
    let external_attributes = fields.u32()?;
    let offset = fields.u32()?;
    let name = fields.bytes(name_length.into())?;
    let extra = fields.bytes(extra_length.into())?;
    let comment = fields.bytes(comment_length.into())?;
    Some(Entry {
        version_needed,
        flags,
        method,
        crc,
        compressed_size,
        size,
        disk,
        external_attributes,
        offset,
        name,
        extra,
        comment,
    })
}

impl Entry<'_> {
    fn check(&self, problems: &mut Problems) -> Member {
        let (name, raw_name) = match str::from_utf8(self.name) {
            Ok(name) => (name.to_owned(), None),
            Err(_) => (
                String::from_utf8_lossy(self.name).into_owned(),
                Some(self.name.to_vec()),
            ),
        };
        let mut member = Member {
            name,
            raw_name,
            flags: self.flags,
            method: match self.method {
                0 => Method::Stored,
                8 => Method::Deflate,
                other => Method::Other(other),
            },
            crc: self.crc,
            compressed_size: self.compressed_size.into(),
            size: self.size.into(),
            start: self.offset.into(),
            end: 0,
            readable: true,
        };
        let shown = member.shown();
        let mut refuse = |clause: String| {
            problems.archive(format!("{shown} {clause}"));
            member.readable = false;
        };
        // Off-spec: without the flag, APPNOTE appendix D specifies CP437. Installers differ there.
        if !self.name.is_ascii() && self.flags & FLAG_UTF8 == 0 {
            refuse("has a name that is not ASCII, without the flag for UTF-8".to_owned());
        } else if member.raw_name.is_some() {
            refuse("has a name that is not UTF-8, though its flag says so".to_owned());
        }
        if self.flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED) != 0 {
            refuse("is encrypted".to_owned());
        } else if self.flags & !KNOWN_FLAGS != 0 {
            refuse(format!(
                "has flags that no wheel needs: {:#06x}",
                self.flags & !KNOWN_FLAGS
            ));
        }
        if let Some(clause) = too_new(self.version_needed) {
            refuse(format!("{clause}, by the central directory"));
        }
        // uv: refuses the wheel. pip: installs it.
        if let Some(signature) = signature_in(self.comment) {
            refuse(format!(
                "has a comment with the signature of a record in it, {signature}"
            ));
        }
        if let Method::Other(method) = member.method {
            refuse(format!(
                "is compressed by method {method}; a wheel has stored (0) and deflate (8) only"
            ));
        }
        match (self.external_attributes >> 16) & TYPE_MASK {
            TYPE_FOLDER if !member.name.ends_with('/') => {
                // uv: makes the file executable. pip: does not.
                refuse("is a file, and a folder by its mode".to_owned());
            }
            0 | TYPE_FILE | TYPE_FOLDER => {}
            TYPE_LINK => refuse("is a symbolic link".to_owned()),
            other => refuse(format!("is a special file, of Unix type {other:#o}")),
        }
        let numbers = Numbers {
            size: member.size,
            compressed_size: member.compressed_size,
            offset: Some(member.start),
            disk: Some(self.disk.into()),
        };
        match read_extra(self.extra, self.name, numbers) {
            Ok(extra) => {
                member.size = extra.numbers.size;
                member.compressed_size = extra.numbers.compressed_size;
                member.start = extra.numbers.offset.unwrap_or(member.start);
                if let Some(disk) = extra.numbers.disk.filter(|disk| *disk != 0) {
                    refuse(format!("begins on disk {disk} of an archive that has one"));
                }
            }
            Err(clause) => refuse(format!("{clause}, in the central directory")),
        }
        if member.method == Method::Stored && member.size != member.compressed_size {
            problems.archive(format!(
                "{shown} is stored, with {} bytes as {}",
                member.size, member.compressed_size
            ));
            member.readable = false;
        }
        if member.is_folder() && member.size != 0 {
            problems.archive(format!(
                "{shown} is a folder, with {} bytes of data",
                member.size
            ));
        }
        member
    }
}

/// The reason why installers do not read an entry that needs this version, as a clause. They ignore
/// the upper byte.
pub(super) fn too_new(version: u16) -> Option<String> {
    let version = version & 0xff;
    (version > NEWEST_VERSION).then(|| {
        format!(
            "needs version {}.{} of ZIP, and installers read up to {}.{}",
            version / 10,
            version % 10,
            NEWEST_VERSION / 10,
            NEWEST_VERSION % 10
        )
    })
}
