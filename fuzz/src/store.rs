//! A made-up block store, which counts what is asked of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use ipwhl_unixfs::car::{Blocks, CarError};
use ipwhl_unixfs::{Cid, Codec, Sha256Digest};

/// Blocks by their CIDs. Every block has the CID of its bytes, so whatever a reader returns of it
/// has been hashed.
#[derive(Default)]
pub struct Store {
    blocks: HashMap<Cid, Vec<u8>>,
    /// How many blocks were read.
    reads: AtomicU64,
}

impl Store {
    /// Keeps a block and gives its CID.
    pub fn insert(&mut self, is_version_0: bool, codec: Codec, block: Vec<u8>) -> Cid {
        let digest = Sha256Digest::of(&block);
        let cid = match codec {
            Codec::DagPb if is_version_0 => Cid::v0(digest),
            codec => Cid::v1(codec, digest),
        };
        self.blocks.insert(cid, block);
        cid
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// How many blocks were read since this was called last.
    pub fn reads(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

impl Blocks for Store {
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.blocks.get(cid).cloned())
    }

    fn contains(&self, cid: &Cid) -> bool {
        self.blocks.contains_key(cid)
    }
}
