//! Where blocks come from.

use std::io::{Read, Seek};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::car::{CarError, CarReader, FileCursor, Found};
use crate::dag::{Cid, DirectoryEntry};

/// Blocks, and the folders and files that they make up. A call may wait for a disk: the gateway makes
/// them on threads that are there for waiting.
///
/// Whatever a call returns comes out of blocks that this call has hashed against their CIDs: the
/// gateway sends it as it is.
pub trait BlockStore: Send + Sync {
    /// Whether the store lists this CID; whether the block is whole only reading it says.
    fn contains(&self, cid: &Cid) -> bool;

    /// A block that has to be there.
    fn block(&self, cid: &Cid) -> Result<Vec<u8>, CarError>;

    /// What a CID stands for.
    fn found(&self, cid: &Cid) -> Result<Found, CarError>;

    /// What a folder has under a name; `None` also where the CID is no folder's.
    fn entry(&self, folder: &Cid, name: &str) -> Result<Option<Cid>, CarError>;

    /// Every entry of a folder; `None` where the CID is no folder's.
    fn list(&self, folder: &Cid) -> Result<Option<Vec<DirectoryEntry>>, CarError>;

    /// The next bytes of a file, at most a block and never none; `None` at the end.
    fn next_chunk(&self, cursor: &mut FileCursor) -> Result<Option<Vec<u8>>, CarError>;
}

impl<R: Read + Seek + Send> BlockStore for CarReader<R> {
    fn contains(&self, cid: &Cid) -> bool {
        Self::contains(self, cid)
    }

    fn block(&self, cid: &Cid) -> Result<Vec<u8>, CarError> {
        self.require(cid)
    }

    fn found(&self, cid: &Cid) -> Result<Found, CarError> {
        Self::found(self, cid)
    }

    fn entry(&self, folder: &Cid, name: &str) -> Result<Option<Cid>, CarError> {
        Self::entry(self, folder, name)
    }

    fn list(&self, folder: &Cid) -> Result<Option<Vec<DirectoryEntry>>, CarError> {
        Self::list(self, folder)
    }

    fn next_chunk(&self, cursor: &mut FileCursor) -> Result<Option<Vec<u8>>, CarError> {
        cursor.next_chunk(self)
    }
}

/// Bytes of a file in order, and where they come from.
pub(super) struct FileRange {
    store: Arc<dyn BlockStore>,
    cursor: FileCursor,
}

impl FileRange {
    /// These bytes of the file of this CID, which has `size` of them.
    pub(super) fn new(store: Arc<dyn BlockStore>, cid: Cid, size: u64, range: Range<u64>) -> Self {
        Self {
            store,
            cursor: FileCursor::new(cid, size, range),
        }
    }

    /// The next bytes; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, CarError> {
        Ok(self.store.next_chunk(&mut self.cursor)?.map(Bytes::from))
    }
}
