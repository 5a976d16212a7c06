//! Inspects a whole wheel: visits each member once, RECORD first.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek};

use super::archive::{Member, check_descriptor, check_local_header, read_members};
use super::bytecode::{check_cached, check_sourceless, is_cached};
use super::content::{Contents, Sink};
use super::entry_points::read_entry_points;
use super::input::{HEAD, Source};
use super::layout::check_layout;
use super::members::script_name;
use super::packages::packages;
use super::problems::{Problems, shown};
use super::record::{MemberHasher, Record};
use super::sboms::sbom_paths;
use super::wheel_file::read_wheel_file;
use super::{ArchiveFacts, EntryPoint, Limits};

/// The longest data descriptor.
pub(super) const LONGEST_DESCRIPTOR: u64 = 24;

/// Reads a wheel and returns its facts and problems. All problems are found as far as reading can
/// continue; an error is always one of the reader.
pub fn inspect<R: Read + Seek>(reader: &mut R, limits: &Limits) -> io::Result<ArchiveFacts> {
    let mut problems = Problems::new(limits.problems);
    let mut facts = ArchiveFacts::default();
    if let Some(members) = read_members(reader, limits, &mut problems)? {
        let sizes = members.iter().map(|member| member.size);
        facts.unpacked_size = sizes.fold(0, u64::saturating_add);
        facts.members = members.len() as u64;
        check_sourceless(&members, &mut problems);
        facts.names.packages = packages(members.iter().map(|member| member.name.as_str()));
        let stem = find_dist_info(&members, &mut problems);
        let dist_info = stem.as_deref().map(DistInfo::new);
        if let Some(stem) = &stem {
            facts.sboms = sbom_paths(&members, stem);
            facts.name_conflicts = check_layout(&members, stem, limits, &mut problems);
        }
        facts.dist_info = stem.unwrap_or_default();
        Inspection {
            source: Source::new(reader)?,
            contents: Contents::new(),
            limits,
            problems: &mut problems,
            facts: &mut facts,
        }
        .run(&members, dist_info)?;
    }
    facts.problems = problems.finish();
    Ok(facts)
}

/// The stem of the only `*.dist-info` at the top. Deeper members may have others, in a project that
/// contains copies of other projects.
pub(super) fn find_dist_info(members: &[Member], problems: &mut Problems) -> Option<String> {
    let stems: BTreeSet<&str> = members
        .iter()
        .filter_map(|member| {
            let top = member.name.split('/').next()?;
            top.strip_suffix(".dist-info")
        })
        .collect();
    let mut stems = stems.into_iter();
    match (stems.next(), stems.next()) {
        (Some(""), None) => problems.archive("has a metadata folder without a name, `.dist-info`"),
        (Some(stem), None) => return Some(stem.to_owned()),
        (Some(first), Some(second)) => problems.archive(format!(
            "has more than one metadata folder at its top: {} and {}",
            shown(&format!("{first}.dist-info")),
            shown(&format!("{second}.dist-info"))
        )),
        (None, _) => problems.archive("has no `*.dist-info` folder at its top"),
    }
    None
}

struct Inspection<'a, R> {
    source: Source<'a, R>,
    contents: Contents,
    limits: &'a Limits,
    problems: &'a mut Problems,
    facts: &'a mut ArchiveFacts,
}

/// The positions of the four files that are read, and of the two that RECORD may omit.
struct DistInfo {
    metadata: String,
    wheel: String,
    entry_points: String,
    record: String,
    signatures: [String; 2],
}

/// The role of a member in the inspection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Metadata,
    Wheel,
    EntryPoints,
    /// Bytecode in a `__pycache__`.
    Cached,
    /// A folder, or a signature of RECORD, which is created after it.
    NeedsNoRow,
    Other,
}

impl DistInfo {
    fn new(stem: &str) -> Self {
        let path = |file: &str| format!("{stem}.dist-info/{file}");
        Self {
            metadata: path("METADATA"),
            wheel: path("WHEEL"),
            entry_points: path("entry_points.txt"),
            record: path("RECORD"),
            signatures: [path("RECORD.jws"), path("RECORD.p7s")],
        }
    }

    fn role(&self, member: &Member) -> Role {
        match &member.name {
            name if *name == self.metadata => Role::Metadata,
            name if *name == self.wheel => Role::Wheel,
            // Some file systems ignore case.
            name if name.eq_ignore_ascii_case(&self.entry_points) => Role::EntryPoints,
            name if self.signatures.contains(name) || member.is_folder() => Role::NeedsNoRow,
            name if is_cached(name) => Role::Cached,
            _ => Role::Other,
        }
    }
}

impl<R: Read + Seek> Inspection<'_, R> {
    fn run(mut self, members: &[Member], dist_info: Option<DistInfo>) -> io::Result<()> {
        let Some(dist_info) = dist_info else {
            for member in members {
                self.visit(member, MemberHasher::None, None)?;
            }
            return Ok(());
        };
        let record_member = members
            .iter()
            .find(|member| member.name == dist_info.record);
        let mut record = None;
        if let Some(member) = record_member {
            record = self.read_record(member)?;
        } else {
            let path = shown(&dist_info.record);
            self.problems.record(format!("{path} is missing"));
        }
        // Whether it is present, and then whether it was read.
        let mut metadata: Option<Option<Vec<u8>>> = None;
        let mut wheel: Option<Option<Vec<u8>>> = None;
        for member in members {
            if record_member.is_some_and(|record| std::ptr::eq(record, member)) {
                continue;
            }
            let role = dist_info.role(member);
            let wanted = match role {
                Role::Metadata | Role::EntryPoints => self.within(member, self.limits.metadata),
                Role::Wheel => self.within(member, self.limits.wheel_file),
                Role::Cached => true,
                Role::NeedsNoRow | Role::Other => false,
            };
            let hasher = record
                .as_ref()
                .map_or(MemberHasher::None, |record| record.hasher(&member.name));
            let mut kept = Vec::new();
            let most = if role == Role::Cached {
                HEAD
            } else {
                usize::MAX
            };
            let hasher = self.visit(member, hasher, wanted.then_some((&mut kept, most)))?;
            let kept = (wanted && hasher.is_some()).then_some(kept);
            match role {
                Role::Metadata => metadata = Some(kept),
                Role::Wheel => wheel = Some(kept),
                Role::Cached => check_cached(member, kept.as_deref(), self.problems),
                Role::EntryPoints => self.read_entry_points(member, &dist_info, kept),
                Role::NeedsNoRow | Role::Other => {}
            }
            if let Some(record) = &mut record {
                let exempt = role == Role::NeedsNoRow;
                record.compare(&member.name, member.size, exempt, hasher, self.problems);
            }
        }
        if let Some(mut record) = record {
            // Missing files are reported once.
            for (path, is_said) in [
                (&dist_info.record, true),
                (&dist_info.metadata, metadata.is_none()),
                (&dist_info.wheel, wheel.is_none()),
            ] {
                if is_said {
                    record.compare(path, 0, true, None, self.problems);
                }
            }
            record.finish(self.problems);
        }
        self.find_scripts(members);
        if let Some(bytes) = metadata {
            self.facts.metadata = bytes.unwrap_or_default();
        } else {
            let path = shown(&dist_info.metadata);
            self.problems.metadata(format!("{path} is missing"));
        }
        match wheel {
            Some(Some(bytes)) => {
                let limit = self.limits.wheel_tags;
                self.facts.wheel_tags = read_wheel_file(&bytes, limit, self.problems);
            }
            Some(None) => {}
            None => {
                let path = shown(&dist_info.wheel);
                self.problems.metadata(format!("{path} is missing"));
            }
        }
        Ok(())
    }

    /// Adds the scripts to the commands, which are those of entry points so far.
    fn find_scripts(&mut self, members: &[Member]) {
        let mut scripts = Vec::new();
        for member in members {
            let Some(name) = script_name(&member.name) else {
                continue;
            };
            // pip keeps the command that it creates, and uv the file. For a file in a folder below
            // `scripts` both keep the command.
            let is_script = member.name.split('/').nth(1) == Some("scripts");
            if !is_script
                && self
                    .facts
                    .names
                    .commands
                    .iter()
                    .any(|command| command == name)
            {
                self.problems.archive(format!(
                    "{} is also a command of entry_points.txt, and one of both is installed",
                    member.shown()
                ));
            }
            scripts.push(name.to_owned());
        }
        self.facts.names.commands.append(&mut scripts);
        self.facts.names.commands.sort();
        self.facts.names.commands.dedup();
    }

    fn read_entry_points(&mut self, member: &Member, dist_info: &DistInfo, bytes: Option<Vec<u8>>) {
        if member.name != dist_info.entry_points {
            self.problems.metadata(format!(
                "{} is entry_points.txt on some systems only",
                member.shown()
            ));
        }
        let found = read_entry_points(&bytes.unwrap_or_default(), self.problems);
        let scripts = found.into_keys().filter(EntryPoint::is_script);
        self.facts
            .names
            .commands
            .extend(scripts.map(|script| script.name));
    }

    fn read_record(&mut self, member: &Member) -> io::Result<Option<Record>> {
        let mut bytes = Vec::new();
        let keep = self
            .within(member, self.limits.record)
            .then_some((&mut bytes, usize::MAX));
        let wanted = keep.is_some();
        let read = self.visit(member, MemberHasher::None, keep)?;
        if !wanted || read.is_none() {
            return Ok(None);
        }
        Ok(Record::parse(&bytes, self.problems))
    }

    /// Whether a file is small enough to be read into memory.
    fn within(&mut self, member: &Member, limit: u64) -> bool {
        if member.size > limit {
            self.problems.archive(format!(
                "{} has {} bytes, more than the limit of {limit}",
                member.shown(),
                member.size
            ));
        }
        member.size <= limit
    }

    /// Checks one member from its local header to the beginning of the next, and keeps up to `keep`
    /// of its first bytes. Returns the hasher with all its data, or `None` if that could not be
    /// read.
    fn visit(
        &mut self,
        member: &Member,
        hasher: MemberHasher,
        keep: Option<(&mut Vec<u8>, usize)>,
    ) -> io::Result<Option<MemberHasher>> {
        self.source.go_to(member.start)?;
        let source = &mut self.source;
        let local = check_local_header(member, self.problems, |count| source.next_bytes(count))?;
        let Some(local) = local else {
            return Ok(None);
        };
        let keep_at_most = keep.as_ref().map_or(0, |(_, most)| *most);
        let mut sink = Sink {
            hasher,
            keep: keep.map(|(bytes, _)| bytes),
            keep_at_most,
        };
        let mut is_whole = false;
        if member.readable {
            self.source.go_to(local.data_start)?;
            match self.contents.read(&mut self.source, member, &mut sink)? {
                Ok(()) => is_whole = true,
                Err(clause) => self
                    .problems
                    .archive(format!("{} {clause}", member.shown())),
            }
        }
        let gap = (member.end - local.data_end).min(LONGEST_DESCRIPTOR);
        let mut between = Vec::new();
        if gap > 0 {
            self.source.go_to(local.data_end)?;
            between = self.source.next_bytes(gap as usize)?;
        }
        check_descriptor(member, &local, &between, self.problems);
        Ok(is_whole.then_some(sink.hasher))
    }
}
