//! The ZIP archive as a list of members that lie one after another without a gap.

mod central;
mod end;
mod extra;
mod fields;
mod local;
mod names;

use std::io::{self, Read, Seek, SeekFrom};

use super::Limits;
use super::problems::{Problems, shown};

pub(super) use local::{check_descriptor, check_local_header};

/// How the data of a member is written: what a wheel may use of APPNOTE 4.4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflate,
    /// Any other, which is refused; kept to be compared with the local header.
    Other(u16),
}

/// One entry, as the central directory has it.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The path; where it is not UTF-8, an approximation.
    pub(super) name: String,
    /// The name's own bytes, where they are not those of `name`.
    raw_name: Option<Vec<u8>>,
    flags: u16,
    pub(super) method: Method,
    pub(super) crc: u32,
    pub(super) compressed_size: u64,
    pub(super) size: u64,
    /// Where the local header begins.
    pub(super) start: u64,
    /// Where the next entry begins, or the central directory.
    pub(super) end: u64,
    /// False where a problem forbids to read the data.
    pub(super) readable: bool,
}

impl Member {
    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    pub(super) fn shown(&self) -> String {
        shown(&self.name)
    }

    fn name_bytes(&self) -> &[u8] {
        self.raw_name.as_deref().unwrap_or(self.name.as_bytes())
    }
}

/// The members in the order in which they lie in the file; `None` when the central directory
/// cannot be read to its end.
pub(super) fn read_members<R: Read + Seek>(
    reader: &mut R,
    limits: &Limits,
    problems: &mut Problems,
) -> io::Result<Option<Vec<Member>>> {
    let length = reader.seek(SeekFrom::End(0))?;
    let Some(end) = end::read_end(reader, length, problems)? else {
        return Ok(None);
    };
    if end.entries > limits.members {
        problems.archive(format!(
            "has {} members, more than the limit of {}",
            end.entries, limits.members
        ));
        return Ok(None);
    }
    if end.directory_size > limits.central_directory {
        problems.archive(format!(
            "has a central directory of {} bytes, more than the limit of {}",
            end.directory_size, limits.central_directory
        ));
        return Ok(None);
    }
    let mut directory = Vec::new();
    reader.seek(SeekFrom::Start(end.directory_start))?;
    reader
        .by_ref()
        .take(end.directory_size)
        .read_to_end(&mut directory)?;
    let Some(mut members) = central::read_central_directory(&directory, end.entries, problems)
    else {
        return Ok(None);
    };
    names::check_names(&members, limits, problems);
    check_sizes(&mut members, limits, problems);
    lay_out(&mut members, end.directory_start, problems);
    Ok(Some(members))
}

fn check_sizes(members: &mut [Member], limits: &Limits, problems: &mut Problems) {
    let mut total: u64 = 0;
    for member in members.iter_mut() {
        let Member {
            size,
            compressed_size,
            ..
        } = *member;
        total = total.saturating_add(size);
        if size > limits.member_size {
            problems.archive(format!(
                "{} has {size} bytes, more than the limit of {}",
                member.shown(),
                limits.member_size
            ));
            member.readable = false;
        } else if size > compressed_size.saturating_mul(limits.compression_ratio) {
            problems.archive(format!(
                "{} has {size} bytes in {compressed_size} compressed ones, more than the limit of {} to 1",
                member.shown(),
                limits.compression_ratio
            ));
            member.readable = false;
        }
    }
    if total > limits.unpacked_size {
        problems.archive(format!(
            "unpacks to {total} bytes, more than the limit of {}",
            limits.unpacked_size
        ));
        for member in members {
            member.readable = false;
        }
    }
}

/// Sorts the members by their place and gives each the place where it must end.
fn lay_out(members: &mut [Member], directory_start: u64, problems: &mut Problems) {
    members.sort_by_key(|member| member.start);
    let mut next = directory_start;
    for member in members.iter_mut().rev() {
        member.end = next;
        next = next.min(member.start);
        if member.start >= member.end {
            problems.archive(format!(
                "{} begins at {}, where something else is",
                member.shown(),
                member.start
            ));
            member.readable = false;
        }
    }
    if next > 0 {
        problems.archive(format!("has {next} bytes before its first entry"));
    }
}
