//! An archive that arrives in pieces from an untrusted sender.

use super::reader::{check_length, root};
use super::{CarError, MAX_HEADER, MAX_VARINT};
use crate::Cid;
use crate::protobuf::read_varint;

/// Splits an archive into blocks as its bytes arrive. Every returned block has been hashed; the
/// links between them are not checked. It holds the pieces of one block.
#[derive(Debug, Default)]
pub struct Incoming {
    buffer: Vec<u8>,
    /// The position of `buffer` in the archive.
    offset: u64,
    has_header: bool,
}

impl Incoming {
    /// Adds the next bytes. Call [`Self::next_block`] until it returns nothing before adding more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next block, as soon as it is complete.
    pub fn next_block(&mut self) -> Result<Option<(Cid, Vec<u8>)>, CarError> {
        if !self.has_header {
            let Some((length, at)) = self.length()? else {
                return Ok(None);
            };
            if length == 0 || length > MAX_HEADER {
                return Err(CarError::Header("has no header; it is not a CAR file"));
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

    /// Checks that the archive has ended at the end of a block.
    pub fn finish(&self) -> Result<(), CarError> {
        if self.buffer.is_empty() && self.has_header {
            Ok(())
        } else {
            Err(CarError::Truncated {
                offset: self.offset,
            })
        }
    }

    /// The length at the start of the buffer, and where its contents begin.
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

    /// Takes `length` bytes from position `at` of the buffer, and drops the bytes before them.
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
