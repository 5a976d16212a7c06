//! Parts of a release: what a hollow archive keeps of a full one.

use std::io::{self, Read, Seek, Write};

use super::walk::{Place, Visitor, may_be_leaf, walk};
use super::{Blocks, CarError, CarReader, CarSummary, CarWriter, Extent};
use crate::dag::{BlockSink, Codec};

impl<R: Read + Seek> CarReader<R> {
    /// Writes the hollow archive of this release: depth first, without the leaves of wheels. What is
    /// written is hashed, and the leaves of wheels are not read where their CIDs tell them.
    ///
    /// # Errors
    /// [`CarError::Missing`] where this archive lacks another block than a leaf of a wheel.
    pub fn hollow<W: Write>(&self, out: W) -> Result<(W, CarSummary), CarError> {
        let mut hollow = Hollow {
            reader: self,
            writer: CarWriter::new(out, self.root())?,
        };
        walk(self.root(), &mut hollow)?;
        Ok(hollow.writer.finish()?)
    }
}

impl<R: Read + Seek + Send> CarReader<R> {
    /// How much of its release this archive has, as its index, pages and nodes tell: the wheels are not read. One that
    /// lacks anything but the leaves of all wheels counts as a delta.
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

struct Hollow<'r, R, W: Write> {
    reader: &'r CarReader<R>,
    writer: CarWriter<W>,
}

impl<R: Read + Seek, W: Write> Visitor for Hollow<'_, R, W> {
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError> {
        let cid = &place.cid;
        let may_be_leaf = place
            .cumulative_size
            .is_some_and(|size| place.wheel.is_some() && may_be_leaf(cid, size));
        if may_be_leaf && (cid.codec() == Codec::Raw || !self.reader.contains(cid)) {
            return Ok(None);
        }
        self.reader.require(&place.cid).map(Some)
    }

    fn visit(&mut self, place: &Place, block: &[u8], is_leaf: bool) -> Result<(), CarError> {
        if !(place.wheel.is_some() && is_leaf) {
            self.writer.put(&place.cid, block)?;
        }
        Ok(())
    }
}
