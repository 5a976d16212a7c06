//! Stores of blocks by CID.

use super::CarError;
use crate::Cid;

/// A store of blocks: an archive, a gateway, a cache. Its blocks have been hashed against their
/// CIDs, so a reader need not trust it. [`Tree`](super::Tree) lists and resolves its folders,
/// [`FileReader`](super::FileReader) reads its files.
///
/// A call may wait for a disk or a network.
pub trait Blocks {
    /// The block of a CID; `None` if it is not available here.
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError>;

    /// Whether the block of a CID is listed here; only reading it shows whether it is intact.
    fn contains(&self, cid: &Cid) -> bool;

    /// Announces that these blocks will be requested, so that slow reads can run at the same time.
    /// Nothing is promised.
    fn prefetch(&self, cids: &[Cid]) {
        let _ = cids;
    }

    /// The block of a CID, which must exist.
    fn require(&self, cid: &Cid) -> Result<Vec<u8>, CarError> {
        self.block(cid)?.ok_or(CarError::Missing(*cid))
    }
}
