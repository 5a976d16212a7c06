//! Blocks by their CIDs, wherever they are.

use super::CarError;
use crate::Cid;

/// Whoever has blocks: an archive, a gateway, a cache. What it gives has been hashed against its
/// CID, so whoever reads a release through one believes nobody. [`Tree`](super::Tree) lists and
/// resolves its folders, [`FileReader`](super::FileReader) reads its files.
///
/// A call may wait for a disk or a network.
pub trait Blocks {
    /// The block of a CID; `None` where it is not to be had here.
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError>;

    /// Whether the block of a CID is listed here; whether it is whole only reading it says.
    fn contains(&self, cid: &Cid) -> bool;

    /// Says that these blocks are going to be asked for, so that what takes its time for each of
    /// them can be done at once. Nothing is promised.
    fn prefetch(&self, cids: &[Cid]) {
        let _ = cids;
    }

    /// The block of a CID, which must be there.
    fn require(&self, cid: &Cid) -> Result<Vec<u8>, CarError> {
        self.block(cid)?.ok_or(CarError::Missing(*cid))
    }
}
