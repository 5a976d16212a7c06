//! The data of a member: read once, inflated, its CRC and size compared, and hashed on the way.

use std::io::{self, Read};
use std::mem;

use flate2::{Decompress, FlushDecompress, Status};
use memchr::memmem;

use super::archive::{Member, Method};
use super::record::MemberHasher;

/// The largest member that is inflated in one piece, in bytes; bigger ones go through a window.
const LARGEST_WHOLE: u64 = 2 << 20;
/// What deflate adds to data that does not shrink, at most: 5 bytes for each 16 KiB, with room.
const LARGEST_WHOLE_PACKED: u64 = LARGEST_WHOLE + LARGEST_WHOLE / 1024 + 64;
/// The pieces in which bigger members are read and inflated.
const PIECE: usize = 128 << 10;

/// A gzip header (RFC 1952) without name or time; what [`Contents::inflate_whole`] puts before
/// the data.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// CRC and size, which gzip has after the data.
const GZIP_FOOTER: usize = 8;

/// Reads the data of members, one after another, with the same buffers.
pub(super) struct Contents {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
    piece: Vec<u8>,
    whole: libdeflater::Decompressor,
    stream: Decompress,
}

/// Where inflated data goes.
pub(super) struct Sink<'a> {
    pub(super) hasher: MemberHasher,
    /// Kept here too, for the few members that are read.
    pub(super) keep: Option<&'a mut Vec<u8>>,
}

impl Sink<'_> {
    fn take(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        if let Some(keep) = &mut self.keep {
            keep.extend_from_slice(bytes);
        }
    }
}

impl Contents {
    pub(super) fn new() -> Self {
        Self {
            packed: Vec::new(),
            unpacked: Vec::new(),
            piece: Vec::new(),
            whole: libdeflater::Decompressor::new(),
            stream: Decompress::new(false),
        }
    }

    /// Reads the data of `member`, which begins where `source` stands. The inner error is a clause
    /// that goes on after the member's name; `source` may then stand anywhere in the data.
    pub(super) fn read<R: Read>(
        &mut self,
        source: &mut R,
        member: &Member,
        sink: &mut Sink<'_>,
    ) -> io::Result<Result<(), String>> {
        let data = source.take(member.compressed_size);
        match member.method {
            Method::Stored => self.copy(data, member, sink),
            Method::Deflate
                if member.size <= LARGEST_WHOLE
                    && member.compressed_size <= LARGEST_WHOLE_PACKED =>
            {
                self.inflate_whole(data, member, sink)
            }
            Method::Deflate => self.inflate_stream(data, member, sink),
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

    /// Inflates a member in one piece, by the library that is fastest at that.
    ///
    /// The library does not tell how much of its input it has used, so that bytes hidden after the
    /// end of the compressed data would pass. Therefore it is given the data as a gzip file,
    /// with the declared CRC and size as footer: it then looks for that footer right after the end
    /// that it has found, and compares. If it found the end too early, the footer stands there,
    /// inside the data; so where the same eight bytes are nowhere in the data, a success says that
    /// the data ends where it should, and CRC and size are right. In every other case
    /// [`Self::inflate_stream`] decides, which counts its input.
    ///
    /// The library reads a little more than zlib does: of random damaged streams, one in 1,500
    /// passes here (before CRC and hash are compared) and not there. What both read is the same,
    /// so that the worst is a wheel that was written to be refused by an installer; its content
    /// cannot be another.
    fn inflate_whole<R: Read>(
        &mut self,
        mut data: R,
        member: &Member,
        sink: &mut Sink<'_>,
    ) -> io::Result<Result<(), String>> {
        // The size of the footer has 32 bits; no member is that big here.
        let (Ok(size), Ok(packed_size), Ok(footer_size)) = (
            usize::try_from(member.size),
            usize::try_from(member.compressed_size),
            u32::try_from(member.size),
        ) else {
            return self.inflate_stream(data, member, sink);
        };
        let data_end = GZIP_HEADER.len() + packed_size;
        let gzip_end = data_end + GZIP_FOOTER;
        grow(&mut self.packed, gzip_end);
        grow(&mut self.unpacked, size);
        let gzip = &mut self.packed[..gzip_end];
        gzip[..GZIP_HEADER.len()].copy_from_slice(&GZIP_HEADER);
        data.read_exact(&mut gzip[GZIP_HEADER.len()..data_end])?;
        gzip[data_end..data_end + 4].copy_from_slice(&member.crc.to_le_bytes());
        gzip[data_end + 4..].copy_from_slice(&footer_size.to_le_bytes());

        let unpacked = &mut self.unpacked[..size];
        let inflated = self.whole.gzip_decompress(gzip, unpacked);
        let (before_last, footer) = (&gzip[GZIP_HEADER.len()..gzip_end - 1], &gzip[data_end..]);
        if inflated == Ok(size) && memmem::find(before_last, footer).is_none() {
            sink.take(unpacked);
            return Ok(Ok(()));
        }
        let packed = mem::take(&mut self.packed);
        let decided = self.inflate_stream(&packed[GZIP_HEADER.len()..data_end], member, sink);
        self.packed = packed;
        decided
    }

    fn inflate_stream<R: Read>(
        &mut self,
        mut data: R,
        member: &Member,
        sink: &mut Sink<'_>,
    ) -> io::Result<Result<(), String>> {
        self.stream.reset(false);
        // One byte more than declared has room, so that a longer member is seen.
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

/// Makes a buffer long enough; it never shrinks, so that it is cleared once and not for each member.
fn grow(buffer: &mut Vec<u8>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
}
