//! The signed data of a record: a map in DAG-CBOR (<https://ipld.io/specs/codecs/dag-cbor/spec/>).

use jiff::Timestamp;

use super::content::{END_OF_LIFE, IpnsContent};

/// The maximum nesting depth of ignored values.
const MAXIMUM_DEPTH: usize = 16;

// Major types, in the upper three bits of an item's first byte.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// The map of a record, its keys in DAG-CBOR's order: shorter ones first, then by their bytes.
pub(super) fn data(content: &IpnsContent, validity: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_head(&mut out, MAP, 5);
    put_key(&mut out, "TTL");
    put_head(&mut out, UNSIGNED, content.ttl);
    put_key(&mut out, "Value");
    put_bytes(&mut out, BYTES, content.value.as_bytes());
    put_key(&mut out, "Sequence");
    put_head(&mut out, UNSIGNED, content.sequence);
    put_key(&mut out, "Validity");
    put_bytes(&mut out, BYTES, validity);
    put_key(&mut out, "ValidityType");
    put_head(&mut out, UNSIGNED, END_OF_LIFE);
    out
}

fn put_key(out: &mut Vec<u8>, key: &str) {
    put_bytes(out, TEXT, key.as_bytes());
}

fn put_bytes(out: &mut Vec<u8>, major: u8, bytes: &[u8]) {
    put_head(out, major, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// An item's head, with the number in its shortest form.
fn put_head(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    let bytes = value.to_be_bytes();
    match value {
        0..=23 => out.push(major | bytes[7]),
        24..=0xff => out.extend([major | 0x18, bytes[7]]),
        0x100..=0xffff => {
            out.push(major | 0x19);
            out.extend(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 0x1a);
            out.extend(&bytes[4..]);
        }
        _ => {
            out.push(major | 0x1b);
            out.extend(bytes);
        }
    }
}

/// Reads a map, and returns its content with the validity as written. Unknown keys are ignored: a
/// record may have more. An error completes the sentence "the IPNS record … ".
pub(super) fn read(data: &[u8]) -> Result<(IpnsContent, &[u8]), String> {
    let mut reader = Reader { rest: data };
    let (MAP, entries) = reader.head()? else {
        return Err("has data that is not a map".to_owned());
    };
    let (mut value, mut validity) = (None, None);
    let (mut sequence, mut ttl, mut validity_type) = (None, None, None);
    let mut previous: Option<&[u8]> = None;
    for _ in 0..entries {
        let key = reader.bytes(TEXT)?;
        if previous.is_some_and(|previous| (previous.len(), previous) >= (key.len(), key)) {
            return Err("has data whose keys are not in DAG-CBOR's order".to_owned());
        }
        previous = Some(key);
        match key {
            b"Value" => value = Some(reader.bytes(BYTES)?),
            b"Validity" => validity = Some(reader.bytes(BYTES)?),
            b"ValidityType" => validity_type = Some(reader.number()?),
            b"Sequence" => sequence = Some(reader.number()?),
            b"TTL" => ttl = Some(reader.number()?),
            _ => reader.skip(0)?,
        }
    }
    if !reader.rest.is_empty() {
        return Err("has bytes after its data".to_owned());
    }
    let lacking = |key: &str| format!("has data without `{key}`");
    match validity_type.ok_or_else(|| lacking("ValidityType"))? {
        END_OF_LIFE => {}
        other => return Err(format!("has the validity type {other}, which is unknown")),
    }
    let value = value.ok_or_else(|| lacking("Value"))?;
    let validity = validity.ok_or_else(|| lacking("Validity"))?;
    let content = IpnsContent {
        value: std::str::from_utf8(value)
            .map_err(|_| "has a value that is not a path".to_owned())?
            .to_owned(),
        sequence: sequence.ok_or_else(|| lacking("Sequence"))?,
        expires: std::str::from_utf8(validity)
            .ok()
            .and_then(|text| text.parse::<Timestamp>().ok())
            .ok_or("has a validity that is not a time")?,
        ttl: ttl.ok_or_else(|| lacking("TTL"))?,
    };
    Ok((content, validity))
}

/// Reads items, and checks each length against the remaining bytes.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// An item's major type and number, in the only allowed form.
    fn head(&mut self) -> Result<(u8, u64), String> {
        let [first] = *self.take::<1>()?;
        let (major, short) = (first >> 5, first & 0x1f);
        let (value, least) = match short {
            0..=23 => (u64::from(short), 0),
            24 => (u64::from(self.take::<1>()?[0]), 24),
            25 => (u64::from(u16::from_be_bytes(*self.take()?)), 0x100),
            26 => (u64::from(u32::from_be_bytes(*self.take()?)), 0x1_0000),
            27 => (u64::from_be_bytes(*self.take()?), 0x1_0000_0000),
            _ => return Err("has data of indefinite length".to_owned()),
        };
        // A float has eight bytes.
        if major <= TAG && value < least {
            return Err("has a number in its data that is not in its shortest form".to_owned());
        }
        Ok((major, value))
    }

    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], String> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(cut)?;
        self.rest = rest;
        Ok(taken)
    }

    fn slice(&mut self, length: u64) -> Result<&'a [u8], String> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(cut)?;
        self.rest = rest;
        Ok(taken)
    }

    fn bytes(&mut self, major: u8) -> Result<&'a [u8], String> {
        match self.head()? {
            (found, length) if found == major => self.slice(length),
            _ => Err("has data of another shape".to_owned()),
        }
    }

    /// A non-negative number that fits into a signed one of 64 bits, as in other readers of
    /// DAG-CBOR.
    fn number(&mut self) -> Result<u64, String> {
        match self.head()? {
            (UNSIGNED, number) if i64::try_from(number).is_ok() => Ok(number),
            (UNSIGNED | NEGATIVE, _) => {
                Err("has a number in its data that is out of range".to_owned())
            }
            _ => Err("has data of another shape".to_owned()),
        }
    }

    /// Skips one item and everything in it.
    fn skip(&mut self, depth: usize) -> Result<(), String> {
        if depth == MAXIMUM_DEPTH {
            return Err(format!("has data nested deeper than {MAXIMUM_DEPTH}"));
        }
        let (major, value) = self.head()?;
        let within = match major {
            BYTES | TEXT => {
                self.slice(value)?;
                0
            }
            LIST => value,
            MAP => value.checked_mul(2).ok_or_else(cut)?,
            TAG => 1,
            _ => 0,
        };
        // Each item has a byte at least, so the end of the data ends this loop.
        for _ in 0..within {
            self.skip(depth + 1)?;
        }
        Ok(())
    }
}

fn cut() -> String {
    "has data that is cut short".to_owned()
}
