//! METADATA alone: its place in the archive, and its bytes. Only the end of the archive, the
//! central directory and this one member are read, so a part of the file is enough.

use std::io::{self, Read, Seek};
use std::ops::Range;

use super::Limits;
use super::archive::{Member, check_descriptor, check_local_header, read_members};
use super::content::{Contents, Sink};
use super::input::Source;
use super::inspect::{LONGEST_DESCRIPTOR, find_dist_info};
use super::problems::{Problems, shown};
use super::record::MemberHasher;

/// METADATA in the archive of a wheel, found by [`find_metadata`].
#[derive(Clone, Debug)]
pub struct MetadataMember {
    member: Member,
}

/// Finds METADATA by the central directory, with the same checks of the directory as in
/// [`inspect()`](super::inspect()). The inner error is the reason why it cannot be read, as a
/// clause for use after the wheel's name. An outer error is always one of the reader.
pub fn find_metadata<R: Read + Seek>(
    reader: &mut R,
    limits: &Limits,
) -> io::Result<Result<MetadataMember, String>> {
    let mut problems = Problems::new(1);
    let members = read_members(reader, limits, &mut problems)?.unwrap_or_default();
    let stem = match first(&mut problems) {
        Some(reason) => return Ok(Err(reason)),
        None => find_dist_info(&members, &mut problems),
    };
    let Some(stem) = stem else {
        let reason = first(&mut problems);
        return Ok(Err(reason.unwrap_or_else(|| "is no archive".to_owned())));
    };
    let path = format!("{stem}.dist-info/METADATA");
    let Some(member) = members.into_iter().find(|member| member.name == path) else {
        return Ok(Err(format!("has no {}", shown(&path))));
    };
    if member.size > limits.metadata {
        return Ok(Err(format!(
            "has {} of {} bytes, more than the limit of {}",
            member.shown(),
            member.size,
            limits.metadata
        )));
    }
    Ok(Ok(MetadataMember { member }))
}

impl MetadataMember {
    /// The positions of the bytes that [`MetadataMember::read`] reads: from the local header to the
    /// next member.
    pub fn span(&self) -> Range<u64> {
        self.member.start..self.member.end
    }

    /// Reads it, with the same checks of its header, data and descriptor as in
    /// [`inspect()`](super::inspect()). The errors are those of [`find_metadata`].
    pub fn read<R: Read + Seek>(&self, reader: &mut R) -> io::Result<Result<Vec<u8>, String>> {
        let member = &self.member;
        let mut problems = Problems::new(1);
        let mut source = Source::new(reader)?;
        source.go_to(member.start)?;
        let local = check_local_header(member, &mut problems, |count| source.next_bytes(count))?;
        let Some(local) = local else {
            let reason = first(&mut problems);
            return Ok(Err(reason.unwrap_or_else(|| {
                format!("has {}, which cannot be read", member.shown())
            })));
        };
        source.go_to(local.data_start)?;
        let mut bytes = Vec::new();
        let mut sink = Sink {
            hasher: MemberHasher::None,
            keep: Some(&mut bytes),
            keep_at_most: usize::MAX,
        };
        if let Err(clause) = Contents::new().read(&mut source, member, &mut sink)? {
            return Ok(Err(format!("has {}, which {clause}", member.shown())));
        }
        let gap = (member.end - local.data_end).min(LONGEST_DESCRIPTOR);
        source.go_to(local.data_end)?;
        let between = source.next_bytes(usize::try_from(gap).unwrap_or_default())?;
        check_descriptor(member, &local, &between, &mut problems);
        Ok(match first(&mut problems) {
            Some(reason) => Err(reason),
            None => Ok(bytes),
        })
    }
}

/// The first problem so far.
fn first(problems: &mut Problems) -> Option<String> {
    let found = std::mem::replace(problems, Problems::new(1)).finish();
    found.into_iter().next().map(|problem| problem.message)
}
