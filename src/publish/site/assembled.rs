//! Assembles the blocks of a release from several places: archives with parts of it, and wheels as
//! files.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ipwhl_unixfs::car::{Blocks, CarError};
use ipwhl_unixfs::{Cid, FileDag};

/// A wheel as a file. Its bytes are hashed when its leaves are read.
#[derive(Debug)]
pub struct FoundWheel {
    /// The file.
    pub path: PathBuf,
    /// The DAG that its bytes should have.
    pub dag: FileDag,
}

/// Blocks of archives or other stores, and of wheels. If a copy is damaged, the others are tried.
#[derive(Default)]
pub struct AssembledBlocks {
    archives: Vec<Arc<dyn Blocks + Send + Sync>>,
    wheels: Vec<FoundWheel>,
    /// The leaves of wheels that each block is.
    leaves: HashMap<Cid, Vec<(usize, usize)>>,
    /// The wheel that was read last.
    open: Mutex<Option<(usize, File)>>,
}

impl AssembledBlocks {
    /// Adds the blocks of an archive. Archives are tried after the wheels, in the order in which
    /// they were added.
    pub fn add_archive(&mut self, archive: Arc<dyn Blocks + Send + Sync>) {
        self.archives.push(archive);
    }

    /// Adds the leaves of a wheel; its nodes are in an archive.
    pub fn add_wheel(&mut self, wheel: FoundWheel) {
        let number = self.wheels.len();
        for (index, cid) in wheel.dag.leaf_cids().enumerate() {
            self.leaves.entry(cid).or_default().push((number, index));
        }
        self.wheels.push(wheel);
    }

    fn leaf(&self, cid: &Cid) -> Option<Vec<u8>> {
        let holders = self.leaves.get(cid)?;
        holders.iter().find_map(|(number, index)| {
            let wheel = &self.wheels[*number];
            // A reader that panicked has left only a position, which is set here.
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let mut file = match open.take() {
                Some((opened, file)) if opened == *number => file,
                _ => File::open(&wheel.path).ok()?,
            };
            let block = wheel.dag.leaf_block(*index, &mut file).ok()?;
            *open = Some((*number, file));
            Some(block)
        })
    }
}

impl Blocks for AssembledBlocks {
    fn block(&self, cid: &Cid) -> Result<Option<Vec<u8>>, CarError> {
        if let Some(block) = self.leaf(cid) {
            return Ok(Some(block));
        }
        let archives = self.archives.iter();
        let mut blocks = archives.filter_map(|archive| archive.block(cid).ok().flatten());
        Ok(blocks.next())
    }

    fn contains(&self, cid: &Cid) -> bool {
        self.leaves.contains_key(cid) || self.archives.iter().any(|archive| archive.contains(cid))
    }
}
