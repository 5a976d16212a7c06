//! Reads the data of a member once: inflates it, compares its CRC and size, and hashes it.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::archive::{Member, Method};
use super::record::MemberHasher;

/// The size of the pieces in which larger members are read and inflated.
const PIECE: usize = 128 << 10;

/// Reads the data of members, one after another, with the same buffers.
pub(super) struct Contents {
    unpacked: Vec<u8>,
    piece: Vec<u8>,
    stream: Decompress,
}

/// Receives inflated data.
pub(super) struct Sink<'a> {
    pub(super) hasher: MemberHasher,
    /// Also collects it, for the few members that are read.
    pub(super) keep: Option<&'a mut Vec<u8>>,
    /// The maximum number of bytes of a member to collect.
    pub(super) keep_at_most: usize,
}

impl Sink<'_> {
    fn take(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        if let Some(keep) = &mut self.keep {
            let room = self.keep_at_most.saturating_sub(keep.len());
            keep.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

impl Contents {
    pub(super) fn new() -> Self {
        Self {
            unpacked: Vec::new(),
            piece: Vec::new(),
            stream: Decompress::new(false),
        }
    }

    /// Reads the data of `member`, which begins at the position of `source`. The inner error is a
    /// clause for use after the member's name; `source` may then be anywhere in the data.
    pub(super) fn read<R: Read>(
        &mut self,
        source: &mut R,
        member: &Member,
        sink: &mut Sink<'_>,
    ) -> io::Result<Result<(), String>> {
        let data = source.take(member.compressed_size);
        match member.method {
            Method::Stored => self.copy(data, member, sink),
            Method::Deflate => self.inflate(data, member, sink),
            Method::Other(method) => Ok(Err(format!("is compressed by method {method}"))),
        }
    }

    fn copy<R: Read>(
        &mut self,
        mut data: R,
        member: &Member,
        sink: &mut Sink<'_>,
    ) -> io::Result<Result<(), String>> {
        grow(&mut self.piece, at_most_a_piece(member.size));
        let mut crc = crc32fast::Hasher::new();
        let mut left = member.size;
        while left > 0 {
            let room = at_most_a_piece(left);
            let bytes = &mut self.piece[..room];
            data.read_exact(bytes)?;
            crc.update(bytes);
            sink.take(bytes);
            left -= room as u64;
        }
        Ok(compare_crc(crc.finalize(), member))
    }

    fn inflate<R: Read>(
        &mut self,
        mut data: R,
        member: &Member,
        sink: &mut Sink<'_>,
    ) -> io::Result<Result<(), String>> {
        self.stream.reset(false);
        // One byte more than declared is allowed, so that a longer member is detected.
        let out = at_most_a_piece(member.size.saturating_add(1));
        grow(&mut self.unpacked, out);
        grow(&mut self.piece, at_most_a_piece(member.compressed_size));
        let mut crc = crc32fast::Hasher::new();
        let mut left = member.compressed_size;
        let mut filled = 0..0;
        loop {
            if filled.is_empty() && left > 0 {
                let room = at_most_a_piece(left);
                data.read_exact(&mut self.piece[..room])?;
                left -= room as u64;
                filled = 0..room;
            }
            let (used_before, made_before) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(
                &self.piece[filled.clone()],
                &mut self.unpacked[..out],
                FlushDecompress::None,
            );
            let Ok(status) = status else {
                return Ok(Err("has data that is not valid deflate".to_owned()));
            };
            let made = usize::try_from(self.stream.total_out() - made_before).unwrap_or(PIECE);
            let used = usize::try_from(self.stream.total_in() - used_before).unwrap_or(PIECE);
            filled.start += used;
            if self.stream.total_out() > member.size {
                return Ok(Err(format!(
                    "inflates to more than the {} bytes that it declares",
                    member.size
                )));
            }
            crc.update(&self.unpacked[..made]);
            sink.take(&self.unpacked[..made]);
            if status == Status::StreamEnd {
                break;
            }
            if used == 0 && made == 0 && (left == 0 || !filled.is_empty()) {
                return Ok(Err("has compressed data that is cut short".to_owned()));
            }
        }
        let hidden = left + filled.len() as u64;
        if hidden > 0 {
            return Ok(Err(format!(
                "has {hidden} bytes after the end of its compressed data"
            )));
        }
        if self.stream.total_out() != member.size {
            return Ok(Err(format!(
                "inflates to {} bytes and declares {}",
                self.stream.total_out(),
                member.size
            )));
        }
        Ok(compare_crc(crc.finalize(), member))
    }
}

fn at_most_a_piece(length: u64) -> usize {
    usize::try_from(length).unwrap_or(PIECE).min(PIECE)
}

fn compare_crc(crc: u32, member: &Member) -> Result<(), String> {
    if crc == member.crc {
        Ok(())
    } else {
        Err(format!(
            "has the CRC {crc:08x} and declares {:08x}",
            member.crc
        ))
    }
}

/// Makes a buffer long enough; it never shrinks, so that it is cleared once and not for each
/// member.
fn grow(buffer: &mut Vec<u8>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
}
