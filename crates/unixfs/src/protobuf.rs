//! The part of protobuf's wire format for dag-pb nodes and IPNS records: numbers and bytes.

/// The fields of a protobuf message.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Wire type 0.
    Number(u64),
    /// Wire type 2.
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    /// The fields of a message that is exactly `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next field's number and value; an error is a reason that completes the sentence "block …
    /// ".
    pub fn next_field(&mut self) -> Result<Option<(u64, Value<'a>)>, String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            2 => {
                let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
                let Some((bytes, rest)) = self.rest.split_at_checked(length) else {
                    return Err("ends within a field".to_owned());
                };
                self.rest = rest;
                Value::Bytes(bytes)
            }
            other => return Err(format!("has a field of wire type {other}")),
        };
        Ok(Some((tag >> 3, value)))
    }

    fn number(&mut self) -> Result<u64, String> {
        let Some((value, rest)) = read_varint(self.rest) else {
            return Err(
                "has a number that is cut, too long or not in its shortest form".to_owned(),
            );
        };
        self.rest = rest;
        Ok(value)
    }
}

/// Reads a varint in its shortest form.
pub fn read_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            // A last byte of zero is redundant: the number has a shorter form.
            let shortest = *byte != 0 || index == 0;
            return shortest.then(|| (value, &bytes[index + 1..]));
        }
    }
    None
}

/// Appends an unsigned LEB128 number, protobuf's and multiformats' varint.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only the low seven bits are needed"
)]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a number under a tag below 128: a field's number, times eight.
pub fn put_number(out: &mut Vec<u8>, tag: u8, value: u64) {
    out.push(tag);
    put_varint(out, value);
}

/// Appends bytes under a tag below 128: a field's number, times eight, and two.
pub fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    put_number(out, tag, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
