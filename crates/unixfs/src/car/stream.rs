//! Reads the bytes of a file in an archive, a block at a time.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::tree::Kind;
use super::tree::Tree;
use super::{Blocks, CarError, MAX_DEPTH};
use crate::{Cid, Node, decode};

/// A position in a range of a file. It borrows nothing, so it can be kept beside a shared reader
/// and moved between threads. It holds the links from the root to its position, but no bytes.
#[derive(Debug, Clone)]
pub struct FileCursor {
    /// The nodes still to be visited, the next one last.
    pending: Vec<Pending>,
    /// The number of bytes to skip before the first requested one.
    skip: u64,
    left: u64,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    cid: Cid,
    size: u64,
    depth: usize,
}

impl FileCursor {
    /// A cursor over `range` of the file `cid`, which has `size` bytes; bytes beyond the end are
    /// left out.
    pub fn new(cid: Cid, size: u64, range: Range<u64>) -> Self {
        let end = range.end.min(size);
        Self {
            pending: vec![Pending {
                cid,
                size,
                depth: 0,
            }],
            skip: range.start,
            left: end.saturating_sub(range.start),
        }
    }

    /// The number of remaining bytes.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The next bytes, at most a block and never empty; `None` at the end.
    pub fn next_chunk<B: Blocks + ?Sized>(
        &mut self,
        blocks: &B,
    ) -> Result<Option<Vec<u8>>, CarError> {
        while self.left > 0 {
            let Some(next) = self.pending.pop() else {
                // Each node's size is the sum of its parts', so there are always enough.
                return Ok(None);
            };
            if self.skip >= next.size {
                self.skip -= next.size;
                continue;
            }
            let mut block = blocks.require(&next.cid)?;
            let bytes = match decode(&next.cid, &block)? {
                Node::Raw(bytes) => bytes,
                Node::File { size, data, parts } => {
                    check_size(&next, size)?;
                    if !parts.is_empty() {
                        self.descend(&next, parts.iter().map(|part| (part.link.cid, part.size)))?;
                        continue;
                    }
                    data
                }
                Node::Directory { .. } | Node::Shard { .. } => {
                    return Err(CarError::Tree {
                        cid: next.cid,
                        reason: "is a folder where a part of a file should be".to_owned(),
                    });
                }
            };
            check_size(&next, bytes.len() as u64)?;
            let range = self.take(bytes.len());
            if bytes.len() == block.len() {
                // A raw leaf: the block's own memory is returned.
                block.truncate(range.end);
                block.drain(..range.start);
                return Ok(Some(block));
            }
            return Ok(Some(bytes[range].to_vec()));
        }
        Ok(None)
    }

    fn descend(
        &mut self,
        node: &Pending,
        parts: impl DoubleEndedIterator<Item = (Cid, u64)>,
    ) -> Result<(), CarError> {
        if node.depth == MAX_DEPTH {
            return Err(CarError::Tree {
                cid: node.cid,
                reason: format!("is nested deeper than {MAX_DEPTH} nodes"),
            });
        }
        self.pending.extend(parts.rev().map(|(cid, size)| Pending {
            cid,
            size,
            depth: node.depth + 1,
        }));
        Ok(())
    }

    /// The requested part of `length` bytes; `skip` is less than `length`.
    fn take(&mut self, length: usize) -> Range<usize> {
        let start = usize::try_from(self.skip).unwrap_or(length);
        let most = length - start;
        let count = usize::try_from(self.left).map_or(most, |left| left.min(most));
        self.skip = 0;
        self.left -= count as u64;
        start..start + count
    }
}

fn check_size(node: &Pending, size: u64) -> Result<(), CarError> {
    if size == node.size {
        Ok(())
    } else {
        Err(CarError::Tree {
            cid: node.cid,
            reason: format!(
                "holds {size} bytes of a file, though its parent says {}",
                node.size
            ),
        })
    }
}

/// A file as a seekable stream. It holds one block.
#[derive(Debug)]
pub struct FileReader<'b, B: ?Sized> {
    blocks: &'b B,
    cid: Cid,
    size: u64,
    /// The position of the caller.
    position: u64,
    cursor: FileCursor,
    chunk: Vec<u8>,
    /// The position of `chunk` in the file.
    chunk_start: u64,
}

impl<'b, B: Blocks + ?Sized> FileReader<'b, B> {
    /// The file `cid`, from its beginning.
    pub fn open(blocks: &'b B, cid: &Cid) -> Result<Self, CarError> {
        let Kind::File { size } = blocks.found(cid)?.kind else {
            return Err(CarError::Tree {
                cid: *cid,
                reason: "is a folder, not a file".to_owned(),
            });
        };
        Ok(Self {
            blocks,
            cid: *cid,
            size,
            position: 0,
            cursor: FileCursor::new(*cid, size, 0..size),
            chunk: Vec::new(),
            chunk_start: 0,
        })
    }

    /// The whole file, of at most `largest` bytes.
    pub fn read_whole(blocks: &'b B, cid: &Cid, largest: u64) -> Result<Vec<u8>, CarError> {
        let mut file = Self::open(blocks, cid)?;
        if file.size > largest {
            return Err(CarError::Tree {
                cid: *cid,
                reason: format!("has {} bytes; at most {largest} are read", file.size),
            });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = file.cursor.next_chunk(blocks)? {
            bytes.extend(chunk);
        }
        Ok(bytes)
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl<B: Blocks + ?Sized> Read for FileReader<'_, B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position >= self.size {
            return Ok(0);
        }
        let chunk_end = self.chunk_start + self.chunk.len() as u64;
        if !(self.chunk_start..chunk_end).contains(&self.position) {
            if self.position != chunk_end {
                self.cursor = FileCursor::new(self.cid, self.size, self.position..self.size);
            }
            let Some(chunk) = self.cursor.next_chunk(self.blocks)? else {
                return Ok(0);
            };
            self.chunk = chunk;
            self.chunk_start = self.position;
        }
        // Within the chunk, so it fits.
        let from = usize::try_from(self.position - self.chunk_start).unwrap_or(usize::MAX);
        let ready = self.chunk.get(from..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl<B: Blocks + ?Sized> Seek for FileReader<'_, B> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "a position before the start of the file",
            )
        })?;
        Ok(self.position)
    }
}
