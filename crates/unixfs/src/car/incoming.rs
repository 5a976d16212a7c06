//! An archive that comes in pieces, from somebody who is not believed.

use super::reader::{check_length, root};
use super::{CarError, MAX_HEADER, MAX_VARINT};
use crate::Cid;
use crate::protobuf::read_varint;

/// Takes an archive apart as its bytes come in. Every block that it gives has been hashed; what
/// they have to do with each other is not looked at. It holds the pieces of one block.
#[derive(Debug, Default)]
pub struct Incoming {
    buffer: Vec<u8>,
    /// Where `buffer` begins in the archive.
    offset: u64,
    has_header: bool,
}

impl Incoming {
    /// The next bytes. [`Self::next_block`] is to be called until it gives nothing before there are
    /// more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next block, as soon as all of it has come.
    pub fn next_block(&mut self) -> Result<Option<(Cid, Vec<u8>)>, CarError> {
        if !self.has_header {
            let Some((length, at)) = self.length()? else {
                return Ok(None);
            };
            if length == 0 || length > MAX_HEADER {
                return Err(CarError::Header("has no header; it is no CAR file"));
            }
            let Some(header) = self.take(length, at) else {
                return Ok(None);
            };
            root(&header).map_err(CarError::Header)?;
            self.has_header = true;
        }
        let Some((length, at)) = self.length()? else {
            return Ok(None);
        };
        let start = self.offset;
        check_length(length, start)?;
        let Some(mut section) = self.take(length, at) else {
            return Ok(None);
        };
        let (cid, rest) = Cid::read(&section).map_err(|error| CarError::Section {
            offset: start,
            reason: format!("is refused: {error}"),
        })?;
        let name = section.len() - rest.len();
        section.drain(..name);
        if cid.matches(&section) {
            Ok(Some((cid, section)))
        } else {
            Err(CarError::Mismatch(cid))
        }
    }

    /// That the archive has ended where a block ends.
    pub fn finish(&self) -> Result<(), CarError> {
        if self.buffer.is_empty() && self.has_header {
            Ok(())
        } else {
            Err(CarError::Truncated {
                offset: self.offset,
            })
        }
    }

    /// The length that the buffer begins with, and where what it is of begins there.
    fn length(&self) -> Result<Option<(u64, usize)>, CarError> {
        let bytes = self.buffer.iter().take(MAX_VARINT);
        let Some(last) = bytes.clone().position(|byte| byte & 0x80 == 0) else {
            return if bytes.len() < MAX_VARINT {
                Ok(None)
            } else {
                Err(CarError::Section {
                    offset: self.offset,
                    reason: format!("has a length of more than {MAX_VARINT} bytes"),
                })
            };
        };
        let value = read_varint(&self.buffer[..=last]).map(|(value, _)| (value, last + 1));
        value.map(Some).ok_or_else(|| CarError::Section {
            offset: self.offset,
            reason: "has a length that is not in its shortest form".to_owned(),
        })
    }

    /// Takes `length` bytes out of the buffer that begin at `at` there, and what is before them.
    fn take(&mut self, length: u64, at: usize) -> Option<Vec<u8>> {
        let end = at.checked_add(usize::try_from(length).ok()?)?;
        if self.buffer.len() < end {
            return None;
        }
        let rest = self.buffer.split_off(end);
        let mut taken = std::mem::replace(&mut self.buffer, rest);
        taken.drain(..at);
        self.offset += end as u64;
        Some(taken)
    }
}
