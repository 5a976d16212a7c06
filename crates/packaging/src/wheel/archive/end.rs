//! The end of an archive: its end record, and the ZIP64 one if present.

use std::io::{self, Read, Seek, SeekFrom};

use super::fields::{Fields, signature_in};
use crate::wheel::problems::Problems;

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END_LENGTH: usize = 22;
const LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_LENGTH: usize = 20;
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const END64_LENGTH: usize = 56;
/// The longest comment, and so the largest distance of the end record from the end of the file.
const LONGEST_COMMENT: u64 = 0xffff;

/// The position and contents of the central directory.
pub(super) struct End {
    pub(super) directory_start: u64,
    pub(super) directory_size: u64,
    pub(super) entries: u64,
}

/// The numbers in an end record.
#[derive(Clone, Copy)]
struct Counts {
    disk: u32,
    directory_disk: u32,
    disk_entries: u64,
    entries: u64,
    directory_size: u64,
    directory_start: u64,
}

/// Finds and reads the end records; `None` if reading cannot continue.
pub(super) fn read_end<R: Read + Seek>(
    reader: &mut R,
    length: u64,
    problems: &mut Problems,
) -> io::Result<Option<End>> {
    let Some(place) = find_end(reader, length, problems)? else {
        return Ok(None);
    };
    let record: [u8; END_LENGTH] = read_at(reader, place)?;
    let Some(narrow) = parse_end(&record) else {
        return Ok(None);
    };
    // A reader that looks for a locator looks exactly here, needed or not, so an existing one must
    // be valid.
    let locator_place = place.checked_sub(LOCATOR_LENGTH as u64);
    let mut counts = narrow;
    let mut directory_end = place;
    if let Some(locator_place) = locator_place {
        let locator: [u8; LOCATOR_LENGTH] = read_at(reader, locator_place)?;
        if locator.starts_with(&LOCATOR_SIGNATURE) {
            match read_end64(reader, &locator, locator_place)? {
                Ok((wide, end64_place)) => {
                    check_agreement(narrow, wide, problems);
                    counts = wide;
                    directory_end = end64_place;
                }
                Err(message) => {
                    problems.archive(message);
                    return Ok(None);
                }
            }
        }
    }
    if counts.disk != 0 || counts.directory_disk != 0 {
        problems.archive(format!(
            "is part of an archive of several disks (disk {}, central directory on {})",
            counts.disk, counts.directory_disk
        ));
        return Ok(None);
    }
    if counts.disk_entries != counts.entries {
        problems.archive(format!(
            "has {} entries on this disk and {} in all by its end record",
            counts.disk_entries, counts.entries
        ));
    }
    match counts.directory_start.checked_add(counts.directory_size) {
        Some(end) if end == directory_end => Ok(Some(End {
            directory_start: counts.directory_start,
            directory_size: counts.directory_size,
            entries: counts.entries,
        })),
        _ => {
            problems.archive(format!(
                "has a central directory of {} bytes at {} by its end record, which does not end \
                 at {directory_end} \
                 where that record begins: there are bytes before, after or between",
                counts.directory_size, counts.directory_start
            ));
            Ok(None)
        }
    }
}

/// The position of the end record.
///
/// Off-spec: an archive comment (APPNOTE 4.3.16) that contains the signature of a record is
/// refused. Readers that search for the end record from the end could find one inside it.
fn find_end<R: Read + Seek>(
    reader: &mut R,
    length: u64,
    problems: &mut Problems,
) -> io::Result<Option<u64>> {
    let Some(last) = length.checked_sub(END_LENGTH as u64) else {
        problems.archive(format!(
            "is {length} bytes long, too short for a ZIP archive"
        ));
        return Ok(None);
    };
    let record: [u8; END_LENGTH] = read_at(reader, last)?;
    if record.starts_with(&END_SIGNATURE) && record.ends_with(&[0, 0]) {
        return Ok(Some(last));
    }
    let tail_start = last.saturating_sub(LONGEST_COMMENT);
    reader.seek(SeekFrom::Start(tail_start))?;
    let mut tail = Vec::new();
    reader
        .by_ref()
        .take(length - tail_start)
        .read_to_end(&mut tail)?;
    // The first record whose comment reaches to the end is used: any later one is inside its
    // comment.
    let records = || {
        (0..tail.len())
            .filter(|index| tail[*index..].starts_with(&END_SIGNATURE))
            .filter_map(|index| Some((index, tail.get(index + 20..)?.split_first_chunk::<2>()?)))
    };
    let is_whole =
        |(length, rest): (&[u8; 2], &[u8])| usize::from(u16::from_le_bytes(*length)) == rest.len();
    let whole = records().find(|(_, after)| is_whole(*after));
    let Some((index, after)) = whole.or_else(|| records().next_back()) else {
        problems.archive("has no end record: it is cut short, or not a ZIP archive");
        return Ok(None);
    };
    let (comment_length, rest) = after;
    let comment_length = usize::from(u16::from_le_bytes(*comment_length));
    if comment_length == rest.len() {
        // A signature may begin in the record itself: its last bytes are the comment's length,
        // which can be any number.
        if let Some(signature) = signature_in(&tail[index + 1..]) {
            problems.archive(format!(
                "has an archive comment of {comment_length} bytes with the signature of a record \
                 in it, {signature}"
            ));
        }
    } else {
        problems.archive(format!(
            "has {} bytes after its end record, which speaks of a comment of {comment_length}",
            rest.len()
        ));
    }
    Ok(Some(tail_start + index as u64))
}

fn parse_end(record: &[u8]) -> Option<Counts> {
    let mut fields = Fields(record);
    fields.u32()?;
    Some(Counts {
        disk: fields.u16()?.into(),
        directory_disk: fields.u16()?.into(),
        disk_entries: fields.u16()?.into(),
        entries: fields.u16()?.into(),
        directory_size: fields.u32()?.into(),
        directory_start: fields.u32()?.into(),
    })
}

/// The ZIP64 end record and its position; the inner error is a problem.
fn read_end64<R: Read + Seek>(
    reader: &mut R,
    locator: &[u8],
    locator_place: u64,
) -> io::Result<Result<(Counts, u64), String>> {
    let mut fields = Fields(locator);
    fields.u32();
    let (Some(disk), Some(place), Some(disks)) = (fields.u32(), fields.u64(), fields.u32()) else {
        return Ok(Err("has a ZIP64 locator that is cut short".to_owned()));
    };
    if disk != 0 || disks > 1 {
        return Ok(Err(format!(
            "is an archive of several disks ({disks}) by its ZIP64 locator"
        )));
    }
    // APPNOTE 4.3.14: the record may be longer. Off-spec: only its fixed part is accepted, because
    // the rest has no meaning for a wheel.
    if place.checked_add(END64_LENGTH as u64) != Some(locator_place) {
        return Ok(Err(format!(
            "has a ZIP64 locator at {locator_place} that points at {place}, not at {END64_LENGTH} \
             bytes before itself"
        )));
    }
    let record: [u8; END64_LENGTH] = read_at(reader, place)?;
    let parsed = parse_end64(&record);
    Ok(parsed
        .map(|counts| (counts, place))
        .ok_or_else(|| format!("has no right ZIP64 end record at {place}")))
}

fn parse_end64(record: &[u8]) -> Option<Counts> {
    let mut fields = Fields(record);
    if fields.bytes(4)? != END64_SIGNATURE || fields.u64()? != END64_LENGTH as u64 - 12 {
        return None;
    }
    fields.u32()?; // the versions made by and needed
    Some(Counts {
        disk: fields.u32()?,
        directory_disk: fields.u32()?,
        disk_entries: fields.u64()?,
        entries: fields.u64()?,
        directory_size: fields.u64()?,
        directory_start: fields.u64()?,
    })
}

/// Each number of the 32-bit record must be all ones, or equal to that in the ZIP64 one.
///
/// Some readers look for the ZIP64 record only if the number of entries, or the size or the offset
/// of the directory is all ones. For them the other numbers count as they stand.
fn check_agreement(narrow: Counts, wide: Counts, problems: &mut Problems) {
    let small = u64::from(u16::MAX);
    let large = u64::from(u32::MAX);
    let is_found = narrow.entries == small
        || narrow.directory_size == large
        || narrow.directory_start == large;
    for (what, told, ones, truth) in [
        ("disk", narrow.disk.into(), small, wide.disk.into()),
        (
            "disk of the central directory",
            narrow.directory_disk.into(),
            small,
            wide.directory_disk.into(),
        ),
        (
            "entries on this disk",
            narrow.disk_entries,
            small,
            wide.disk_entries,
        ),
        ("entries", narrow.entries, small, wide.entries),
        (
            "size of the central directory",
            narrow.directory_size,
            large,
            wide.directory_size,
        ),
        (
            "offset of the central directory",
            narrow.directory_start,
            large,
            wide.directory_start,
        ),
    ] {
        if told != truth && !(told == ones && is_found) {
            problems.archive(format!(
                "has {told} in its end record and {truth} in its ZIP64 end record for: {what}"
            ));
        }
    }
}

fn read_at<R: Read + Seek, const N: usize>(reader: &mut R, place: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.seek(SeekFrom::Start(place))?;
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}
