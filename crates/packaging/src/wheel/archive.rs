//! The ZIP archive as a list of members that lie one after another without a gap.

mod central;
mod end;
mod extra;
mod fields;
mod local;
mod member;
mod names;

use std::io::{self, Read, Seek, SeekFrom};

use super::Limits;
use super::problems::Problems;

pub(super) use local::{check_descriptor, check_local_header};
pub(super) use member::{Member, Method};

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
