//! Reads files from the block store.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, FileCursor};

use crate::release::archive::BlockStore;

/// Bytes of a file in order, and their store.
pub(super) struct FileRange {
    store: Arc<BlockStore>,
    cursor: FileCursor,
}

impl FileRange {
    /// A range of the file with this CID, which has `size` bytes.
    pub(super) fn new(store: Arc<BlockStore>, cid: Cid, size: u64, range: Range<u64>) -> Self {
        Self {
            store,
            cursor: FileCursor::new(cid, size, range),
        }
    }

    /// The next bytes; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, CarError> {
        Ok(self.cursor.next_chunk(&*self.store)?.map(Bytes::from))
    }
}
