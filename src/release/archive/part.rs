//! Writes the contents of archives from any block store: the whole release, or that of a hollow
//! archive.

use std::io::Write;

use ipwhl_unixfs::car::{Blocks, CarError, CarSummary, CarWriter};
use ipwhl_unixfs::{BlockSink, Cid, Codec};

use super::walk::{Place, Visitor, may_be_leaf, walk};

/// Writes the hollow archive of the release `root`: depth first, without the leaves of wheels.
/// Written blocks are hashed, and leaves of wheels are not read if their CIDs identify them as
/// leaves.
///
/// # Errors
/// [`CarError::Missing`] if a block other than a leaf of a wheel is missing.
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
/// [`CarError::Missing`] if a block is missing.
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
    let mut part = PartWriter {
        blocks,
        is_hollow,
        writer: CarWriter::new(out, root)?,
    };
    walk(root, &mut part)?;
    Ok(part.writer.finish()?)
}

struct PartWriter<'b, B: ?Sized, W: Write> {
    blocks: &'b B,
    is_hollow: bool,
    writer: CarWriter<W>,
}

impl<B: Blocks + ?Sized, W: Write> Visitor for PartWriter<'_, B, W> {
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
