//! Extra fields of a header: checks that they are well-formed and agree with it.

use std::collections::BTreeSet;

use super::fields::Fields;

/// APPNOTE 4.5.3.
const ZIP64: u16 = 0x0001;
/// APPNOTE 4.6.9: the name again, in UTF-8.
const UNICODE_PATH: u16 = 0x7075;

/// The numbers of a header that a ZIP64 field can replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) size: u64,
    pub(super) compressed_size: u64,
    /// Only in the central directory.
    pub(super) offset: Option<u64>,
    /// Only in the central directory.
    pub(super) disk: Option<u32>,
}

/// The contents of the extra fields of one header.
pub(super) struct Extra {
    pub(super) numbers: Numbers,
    pub(super) has_zip64: bool,
}

/// Reads the extra fields of a header with this name and these numbers (from its 32-bit fields);
/// the error is a clause for use after the name of the header.
pub(super) fn read_extra(bytes: &[u8], name: &[u8], numbers: Numbers) -> Result<Extra, String> {
    let mut zip64 = None;
    let mut has_unicode_path = false;
    let mut identifiers = BTreeSet::new();
    let mut fields = Fields(bytes);
    while !fields.is_empty() {
        let (identifier, content) = field(&mut fields)
            .ok_or("has extra fields whose lengths do not add up to that of the extra area")?;
        if !identifiers.insert(identifier) && ![ZIP64, UNICODE_PATH].contains(&identifier) {
            // uv: refuses the wheel. pip: installs it.
            return Err(format!(
                "has two extra fields of the kind {identifier:#06x}"
            ));
        }
        match identifier {
            ZIP64 if zip64.is_some() => return Err("has two ZIP64 fields".to_owned()),
            ZIP64 => zip64 = Some(content),
            UNICODE_PATH if has_unicode_path => {
                return Err("has two Unicode path fields".to_owned());
            }
            UNICODE_PATH => {
                has_unicode_path = true;
                check_unicode_path(content, name)?;
            }
            _ => {}
        }
    }
    let resolved = match zip64 {
        Some(content) => resolve(content, numbers)?,
        None if is_wide(numbers.size) || is_wide(numbers.compressed_size) => {
            return Err("leaves its sizes to a ZIP64 field that is not there".to_owned());
        }
        None if numbers.offset.is_some_and(is_wide) => {
            return Err("leaves its offset to a ZIP64 field that is not there".to_owned());
        }
        None => numbers,
    };
    Ok(Extra {
        numbers: resolved,
        has_zip64: zip64.is_some(),
    })
}

fn field<'a>(fields: &mut Fields<'a>) -> Option<(u16, &'a [u8])> {
    let identifier = fields.u16()?;
    let length = fields.u16()?;
    Some((identifier, fields.bytes(length.into())?))
}

/// Readers use either name, so both must be equal. The specification lets a reader ignore a field
/// whose CRC does not match the name; readers differ, so that is refused too.
fn check_unicode_path(content: &[u8], name: &[u8]) -> Result<(), String> {
    let [1, a, b, c, d, other @ ..] = content else {
        return Err("has a Unicode path field of an unknown form".to_owned());
    };
    if u32::from_le_bytes([*a, *b, *c, *d]) != crc32fast::hash(name) || other != name {
        return Err("has a Unicode path field with another name".to_owned());
    }
    Ok(())
}

fn is_wide(value: u64) -> bool {
    value == u64::from(u32::MAX)
}

/// The numbers with those of the ZIP64 field in their place.
///
/// A field contains the numbers whose 32-bit place is all ones, in a fixed order. Some writers
/// always include all of them; then the others must agree with the header.
fn resolve(content: &[u8], numbers: Numbers) -> Result<Numbers, String> {
    let wide_disk = numbers.disk == Some(u32::from(u16::MAX));
    let asked = [
        is_wide(numbers.size),
        is_wide(numbers.compressed_size),
        numbers.offset.is_some_and(is_wide),
    ];
    let expected = 8 * asked.iter().filter(|asked| **asked).count() + if wide_disk { 4 } else { 0 };
    let mut fields = Fields(content);
    let misfit = || {
        format!(
            "has a ZIP64 field of {} bytes where {expected} are asked for",
            content.len()
        )
    };
    let mut resolved = numbers;
    if content.len() == expected {
        if asked[0] {
            resolved.size = fields.u64().ok_or_else(misfit)?;
        }
        if asked[1] {
            resolved.compressed_size = fields.u64().ok_or_else(misfit)?;
        }
        if asked[2] {
            resolved.offset = Some(fields.u64().ok_or_else(misfit)?);
        }
        if wide_disk {
            resolved.disk = Some(fields.u32().ok_or_else(misfit)?);
        }
        return Ok(resolved);
    }
    let allowed = if numbers.offset.is_some() {
        &[16, 24, 28][..]
    } else {
        &[16]
    };
    if !allowed.contains(&content.len()) {
        return Err(misfit());
    }
    let contradiction = "has a ZIP64 field that contradicts its 32-bit fields";
    let mut take = |asked: bool, plain: u64| match fields.u64() {
        Some(value) if asked || value == plain => Ok(value),
        Some(_) => Err(contradiction.to_owned()),
        None if asked => Err(misfit()),
        None => Ok(plain),
    };
    resolved.size = take(asked[0], numbers.size)?;
    resolved.compressed_size = take(asked[1], numbers.compressed_size)?;
    if content.len() >= 24
        && let Some(offset) = numbers.offset
    {
        resolved.offset = Some(take(asked[2], offset)?);
    } else if asked[2] {
        return Err(misfit());
    }
    match fields.u32() {
        Some(disk) if wide_disk || Some(disk) == numbers.disk => resolved.disk = Some(disk),
        Some(_) => return Err(contradiction.to_owned()),
        None if wide_disk => return Err(misfit()),
        None => {}
    }
    Ok(resolved)
}
