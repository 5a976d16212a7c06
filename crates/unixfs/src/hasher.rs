//! Hashes a file in one pass: its leaves, and the file itself.

use sha2::{Digest as _, Sha256};

use super::file::frame;
use super::{FileDag, Profile, Sha256Digest};

/// Both hashes process a stretch of this length before the next one, while it is in the processor's
/// cache.
const STRETCH: usize = 64 * 1024;

/// Hashes only the leaves of a file: for a CID alone.
///
/// Raw leaves are hashed as they arrive. For dag-pb leaves, whose length precedes their bytes, one
/// chunk (256 KiB) is buffered.
#[derive(Debug, Clone)]
pub struct LeafHasher {
    profile: Profile,
    size: u64,
    done: Vec<Sha256Digest>,
    /// The bytes of the current leaf.
    filled: usize,
    leaf: Sha256,
    held: Vec<u8>,
}

impl LeafHasher {
    /// Nothing hashed yet.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            size: 0,
            done: Vec::new(),
            filled: 0,
            leaf: Sha256::new(),
            held: Vec::new(),
        }
    }

    /// The next bytes of the file.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // A full leaf is closed only when another byte follows, so that the last one is always
            // open.
            if self.filled == self.profile.chunk_size() {
                self.close();
            }
            let room = self.profile.chunk_size() - self.filled;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if self.profile.raw_leaves() {
                self.leaf.update(now);
            } else {
                self.held.extend_from_slice(now);
            }
            self.filled += now.len();
            self.size += now.len() as u64;
            bytes = later;
        }
    }

    /// The DAG of the file.
    pub fn finish(mut self) -> FileDag {
        self.close();
        dag(self.profile, self.size, self.done)
    }

    /// The digests of the leaves so far, for a stretch of a file that begins at the start of a
    /// leaf.
    pub(super) fn into_leaves(mut self) -> Vec<Sha256Digest> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        let mut leaf = std::mem::replace(&mut self.leaf, Sha256::new());
        if !self.profile.raw_leaves() {
            let (before, after) = frame(self.profile, self.held.len());
            leaf.update(before);
            leaf.update(&self.held);
            leaf.update(after);
            self.held.clear();
        }
        self.done
            .push(Sha256Digest::from(<[u8; 32]>::from(leaf.finalize())));
        self.filled = 0;
    }
}

/// Assembles the DAG; the number of leaves is right by construction.
pub(super) fn dag(profile: Profile, size: u64, leaves: Vec<Sha256Digest>) -> FileDag {
    match FileDag::from_leaves(profile, size, leaves) {
        Ok(dag) => dag,
        Err(error) => unreachable!("leaves are cut at the profile's chunk size: {error}"),
    }
}

/// Hashes a file: its leaves and its SHA-256, over each stretch of bytes while it is in the
/// processor's cache. If one raw leaf is the whole file, it is hashed once, not twice.
#[derive(Debug, Clone)]
pub struct FileHasher {
    leaves: LeafHasher,
    /// `None` while the current leaf's hash is also that of the file.
    whole: Option<Sha256>,
}

impl FileHasher {
    /// Nothing hashed yet.
    pub fn new(profile: Profile) -> Self {
        Self {
            leaves: LeafHasher::new(profile),
            whole: (!profile.raw_leaves()).then(Sha256::new),
        }
    }

    /// The next bytes of the file.
    pub fn update(&mut self, mut bytes: &[u8]) {
        if self.whole.is_none() {
            let room = self.leaves.profile.chunk_size() - self.leaves.filled;
            let (first, rest) = bytes.split_at(room.min(bytes.len()));
            self.leaves.update(first);
            if rest.is_empty() {
                return;
            }
            // The file does not fit into one leaf: from here on the two hashes differ.
            self.whole = Some(self.leaves.leaf.clone());
            bytes = rest;
        }
        if let Some(whole) = &mut self.whole {
            for stretch in bytes.chunks(STRETCH) {
                whole.update(stretch);
                self.leaves.update(stretch);
            }
        }
    }

    /// The bytes seen so far.
    pub fn size(&self) -> u64 {
        self.leaves.size
    }

    /// The DAG of the file, and its SHA-256.
    pub fn finish(self) -> (FileDag, Sha256Digest) {
        let dag = self.leaves.finish();
        let digest = match self.whole {
            Some(whole) => Sha256Digest::from(<[u8; 32]>::from(whole.finalize())),
            None => dag.leaves()[0],
        };
        (dag, digest)
    }
}
