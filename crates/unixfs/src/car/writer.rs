//! Writes an archive.

use std::collections::HashSet;
use std::io::{self, Write};

use super::{MAX_BLOCK, header};
use crate::protobuf::put_varint;
use crate::{BlockSink, Cid};

/// Writes an archive, each block once. The blocks must come depth first from the root, as from
/// [`DirectoryDag::emit`](crate::DirectoryDag::emit). Writes are not buffered.
#[derive(Debug)]
pub struct CarWriter<W: Write> {
    out: W,
    root: Cid,
    written: HashSet<Cid>,
    /// Blocks to leave out, except the root.
    left_out: HashSet<Cid>,
    bytes: u64,
}

/// The size of a written archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarSummary {
    /// The number of blocks.
    pub blocks: u64,
    /// The length of the file in bytes, including header and framing.
    pub bytes: u64,
}

/// The first bytes of an archive with this root, for writing one without a [`CarWriter`]: a stream
/// of some blocks.
pub fn archive_start(root: &Cid) -> Vec<u8> {
    let header = header(root);
    let mut framed = Vec::with_capacity(header.len() + 1);
    put_varint(&mut framed, header.len() as u64);
    framed.extend(header);
    framed
}

/// The bytes before a block of this length.
pub fn section_start(cid: &Cid, length: usize) -> Vec<u8> {
    let name = cid.to_bytes();
    let mut frame = Vec::with_capacity(name.len() + 5);
    put_varint(&mut frame, (name.len() + length) as u64);
    frame.extend(name);
    frame
}

impl<W: Write> CarWriter<W> {
    /// Writes the header.
    pub fn new(out: W, root: Cid) -> io::Result<Self> {
        let mut writer = Self {
            out,
            root,
            written: HashSet::new(),
            left_out: HashSet::new(),
            bytes: 0,
        };
        writer.write(&archive_start(&root))?;
        Ok(writer)
    }

    /// The same writer without these blocks: those that the reader has already, each with all of
    /// the DAG below it. The root is always written, so that every archive begins with it.
    #[must_use]
    pub fn without(mut self, known: HashSet<Cid>) -> Self {
        self.left_out = known;
        self.left_out.remove(&self.root);
        self
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Flushes, and returns the inner writer.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the root was never put.
    pub fn finish(mut self) -> io::Result<(W, CarSummary)> {
        if !self.written.contains(&self.root) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the archive's root {} is not among its blocks", self.root),
            ));
        }
        self.out.flush()?;
        let summary = CarSummary {
            blocks: self.written.len() as u64,
            bytes: self.bytes,
        };
        Ok((self.out, summary))
    }
}

impl<W: Write> BlockSink for CarWriter<W> {
    fn put(&mut self, cid: &Cid, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > MAX_BLOCK {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "block {cid} has {} bytes, more than {MAX_BLOCK}",
                    bytes.len()
                ),
            ));
        }
        if self.left_out.contains(cid) || !self.written.insert(*cid) {
            return Ok(());
        }
        self.write(&section_start(cid, bytes.len()))?;
        self.write(bytes)
    }

    fn contains(&self, cid: &Cid) -> bool {
        self.left_out.contains(cid) || self.written.contains(cid)
    }
}
