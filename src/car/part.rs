//! Parts of a release, written from wherever its blocks are: all of it, or what a hollow archive
//! keeps.

use std::io::{self, Read, Seek, Write};

use super::walk::{Place, Visitor, may_be_leaf, walk};
use super::{Blocks, CarError, CarReader, CarSummary, CarWriter, Extent};
use crate::dag::{BlockSink, Cid, Codec};

/// Writes the hollow archive of the release `root`: depth first, without the leaves of wheels. What
/// is written is hashed, and the leaves of wheels are not read where their CIDs tell them.
///
/// # Errors
/// [`CarError::Missing`] where another block than a leaf of a wheel cannot be had.
pub fn write_hollow<B: Blocks + ?Sized, W: Write>(
    blocks: &B,
    root: Cid,
    out: W,
) -> Result<(W, CarSummary), CarError> {
    write(blocks, root, true, out)
}

/// Writes the full archive of the release `root`: every block, depth first.
///
/// # Errors
/// [`CarError::Missing`] where a block cannot be had.
pub fn write_full<B: Blocks + ?Sized, W: Write>(
    blocks: &B,
    root: Cid,
    out: W,
) -> Result<(W, CarSummary), CarError> {
    write(blocks, root, false, out)
}

fn write<B: Blocks + ?Sized, W: Write>(
    blocks: &B,
    root: Cid,
    is_hollow: bool,
    out: W,
) -> Result<(W, CarSummary), CarError> {
    let mut part = Part {
        blocks,
        is_hollow,
        writer: CarWriter::new(out, root)?,
    };
    walk(root, &mut part)?;
    Ok(part.writer.finish()?)
}

impl<R: Read + Seek> CarReader<R> {
    /// Writes the hollow archive of this release, as [`write_hollow`] does.
    ///
    /// # Errors
    /// [`CarError::Missing`] where this archive lacks another block than a leaf of a wheel.
    pub fn hollow<W: Write>(&self, out: W) -> Result<(W, CarSummary), CarError> {
        write_hollow(self, self.root(), out)
    }
}

impl<R: Read + Seek + Send> CarReader<R> {
    /// How much of its release this archive has, as its index, pages and nodes tell: the wheels are
    /// not read. One that lacks anything but the leaves of all wheels counts as a delta.
    ///
    /// # Errors
    /// When a page or a node cannot be read, or is not what its CID says.
    pub fn extent(&self) -> Result<Extent, CarError> {
        if self.known()?.iter().all(|cid| self.contains(cid)) {
            return Ok(Extent::Full);
        }
        match self.hollow(io::sink()) {
            Ok((_, summary)) if summary.blocks == self.len() as u64 => Ok(Extent::Hollow),
            Ok(_) | Err(CarError::Missing(_)) => Ok(Extent::Delta),
            Err(error) => Err(error),
        }
    }
}

struct Part<'b, B: ?Sized, W: Write> {
    blocks: &'b B,
    is_hollow: bool,
    writer: CarWriter<W>,
}

impl<B: Blocks + ?Sized, W: Write> Visitor for Part<'_, B, W> {
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError> {
        let cid = &place.cid;
        let may_be_leaf = place
            .cumulative_size
            .is_some_and(|size| place.wheel.is_some() && may_be_leaf(cid, size));
        if self.is_hollow
            && may_be_leaf
            && (cid.codec() == Codec::Raw || !self.blocks.contains(cid))
        {
            return Ok(None);
        }
        self.blocks.require(&place.cid).map(Some)
    }

    fn visit(&mut self, place: &Place, block: &[u8], is_leaf: bool) -> Result<(), CarError> {
        if !(self.is_hollow && place.wheel.is_some() && is_leaf) {
            self.writer.put(&place.cid, block)?;
        }
        Ok(())
    }
}
