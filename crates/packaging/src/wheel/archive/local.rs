//! What surrounds the data of a member: the local header, which must agree with the central
//! directory, and the data descriptor.

use super::central::{FLAG_DESCRIPTOR, too_new};
use super::extra::{Numbers, read_extra};
use super::fields::Fields;
use super::member::{Member, Method};
use crate::wheel::problems::{Problems, shown};

const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;
/// Bytes of a local header before the name.
const LOCAL_LENGTH: usize = 30;

/// Where a member's data begins, and what is needed to check what follows it.
#[derive(Debug)]
pub(in crate::wheel) struct Local {
    pub(in crate::wheel) data_start: u64,
    pub(in crate::wheel) data_end: u64,
    has_zip64: bool,
}

/// Compares the local header (APPNOTE 4.3.7) with the central directory. `read` returns the next
/// bytes of the file. `None`, with a problem, where the data cannot be found.
pub(in crate::wheel) fn check_local_header<E>(
    member: &Member,
    problems: &mut Problems,
    mut read: impl FnMut(usize) -> Result<Vec<u8>, E>,
) -> Result<Option<Local>, E> {
    let name = member.shown();
    let room = member.end.saturating_sub(member.start);
    if room < LOCAL_LENGTH as u64 {
        problems.archive(format!("{name} has {room} bytes, too few for its header"));
        return Ok(None);
    }
    let header = read(LOCAL_LENGTH)?;
    let Some(header) = parse(&header) else {
        problems.archive(format!(
            "{name} has no local header at {}, where the central directory places it",
            member.start
        ));
        return Ok(None);
    };
    let variable = u64::from(header.name_length) + u64::from(header.extra_length);
    let data_start = member.start + LOCAL_LENGTH as u64 + variable;
    let data_end = data_start.checked_add(member.compressed_size);
    let Some(data_end) = data_end.filter(|end| *end <= member.end) else {
        problems.archive(format!(
            "{name} has {} bytes of data, which reach into what follows at {}",
            member.compressed_size, member.end
        ));
        return Ok(None);
    };
    let local_name = read(header.name_length.into())?;
    let extra = read(header.extra_length.into())?;
    if local_name != member.name_bytes() {
        problems.archive(format!(
            "{name} is named {} in its local header",
            shown(&String::from_utf8_lossy(&local_name))
        ));
    }
    let has_zip64 = compare(member, &header, &local_name, &extra, problems);
    Ok(Some(Local {
        data_start,
        data_end,
        has_zip64,
    }))
}

struct Header {
    version_needed: u16,
    flags: u16,
    method: u16,
    crc: u32,
    compressed_size: u32,
    size: u32,
    name_length: u16,
    extra_length: u16,
}

fn parse(bytes: &[u8]) -> Option<Header> {
    let mut fields = Fields(bytes);
    if fields.bytes(4)? != LOCAL_SIGNATURE {
        return None;
    }
    let version_needed = fields.u16()?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.u32()?; // time and date
    Some(Header {
        version_needed,
        flags,
        method,
        crc: fields.u32()?,
        compressed_size: fields.u32()?,
        size: fields.u32()?,
        name_length: fields.u16()?,
        extra_length: fields.u16()?,
    })
}

/// Reports each difference; returns whether the local header has a ZIP64 field.
fn compare(
    member: &Member,
    header: &Header,
    local_name: &[u8],
    extra: &[u8],
    problems: &mut Problems,
) -> bool {
    let name = member.shown();
    if let Some(clause) = too_new(header.version_needed) {
        problems.archive(format!("{name} {clause}, by its local header"));
    }
    let method = match member.method {
        Method::Stored => 0,
        Method::Deflate => 8,
        Method::Other(method) => method,
    };
    let mut differ = |what: &str, local: u64, central: u64| {
        problems.archive(format!(
            "{name} has the {what} {local} in its local header and {central} in the central directory"
        ));
    };
    if header.method != method {
        differ("method", header.method.into(), method.into());
    }
    if header.flags != member.flags {
        differ("flags", header.flags.into(), member.flags.into());
    }
    // APPNOTE 4.4.4: with bit 3 the three are zero here; some writers know them all the same.
    let deferred = header.flags & FLAG_DESCRIPTOR != 0;
    let agrees = |local: u64, central: u64| local == central || (deferred && local == 0);
    if !agrees(header.crc.into(), member.crc.into()) {
        differ("CRC", header.crc.into(), member.crc.into());
    }
    let numbers = Numbers {
        size: header.size.into(),
        compressed_size: header.compressed_size.into(),
        offset: None,
        disk: None,
    };
    match read_extra(extra, local_name, numbers) {
        Ok(extra) => {
            let Numbers {
                size,
                compressed_size,
                ..
            } = extra.numbers;
            if !agrees(size, member.size) {
                differ("size", size, member.size);
            }
            if !agrees(compressed_size, member.compressed_size) {
                differ("compressed size", compressed_size, member.compressed_size);
            }
            extra.has_zip64
        }
        Err(clause) => {
            problems.archive(format!("{name} {clause}, in its local header"));
            false
        }
    }
}

/// Checks what is between the data and the next entry: a data descriptor where bit 3 is set, and
/// else nothing. `bytes` is all of it, or its first few where it is too long for a descriptor.
pub(in crate::wheel) fn check_descriptor(
    member: &Member,
    local: &Local,
    bytes: &[u8],
    problems: &mut Problems,
) {
    let name = member.shown();
    let gap = member.end - local.data_end;
    if member.flags & FLAG_DESCRIPTOR == 0 {
        if gap > 0 {
            problems.archive(format!(
                "{name} is followed by {gap} bytes that no entry owns"
            ));
        }
        return;
    }
    // APPNOTE 4.3.9: the signature is optional, and sizes have eight bytes where there is a
    // ZIP64 field. The place of the next entry tells which of the four forms it is.
    let (signed, wide) = match gap {
        12 => (false, false),
        16 => (true, false),
        20 => (false, true),
        24 => (true, true),
        _ => {
            problems.archive(format!(
                "{name} is followed by {gap} bytes, which are not a data descriptor"
            ));
            return;
        }
    };
    if wide != local.has_zip64 {
        problems.archive(format!(
            "{name} has a data descriptor of {gap} bytes, {} a ZIP64 field",
            if wide { "without" } else { "with" }
        ));
        return;
    }
    if !descriptor_agrees(member, bytes, signed, wide) {
        problems.archive(format!(
            "{name} has a data descriptor that contradicts the central directory"
        ));
    }
}

fn descriptor_agrees(member: &Member, bytes: &[u8], signed: bool, wide: bool) -> bool {
    let mut fields = Fields(bytes);
    if signed && fields.u32() != Some(DESCRIPTOR_SIGNATURE) {
        return false;
    }
    let crc = fields.u32();
    let mut size = || {
        if wide {
            fields.u64()
        } else {
            fields.u32().map(u64::from)
        }
    };
    let compressed_size = size();
    let size = size();
    (crc, compressed_size, size)
        == (
            Some(member.crc),
            Some(member.compressed_size),
            Some(member.size),
        )
}
