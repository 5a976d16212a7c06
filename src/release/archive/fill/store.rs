//! The blocks of archives, of wheels and of the cache. Each is hashed when it is read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ipwhl_unixfs::car::{Blocks, CarError, CarReader};
use ipwhl_unixfs::{BlockSink, Cid, Codec, FileDag, Node, decode};

use crate::release::archive::{Place, Visitor, walk};
use crate::source::{Cache, CacheError};

/// The largest file that is read into memory, in bytes; the last block may exceed it.
const LARGEST_FILE: usize = 4 * 1024 * 1024;

/// The blocks of archives, of wheels and of the cache.
pub(super) struct Store {
    own: CarReader<File>,
    archives: Vec<(PathBuf, CarReader<File>)>,
    wheels: Vec<(PathBuf, FileDag)>,
    /// The wheel and the leaf that each block belongs to.
    leaves: HashMap<Cid, (usize, usize)>,
    /// Inner nodes of wheels.
    nodes: HashMap<Cid, Vec<u8>>,
    /// The wheel that was read last.
    open: Option<(usize, File)>,
    cache: Cache,
    /// The wheels that were searched for in the cache.
    asked: HashSet<Cid>,
    /// The blocks that came from the cache.
    cached: HashSet<Cid>,
    /// The damaged blocks of archives: the archive's number, or [`OWN`] for the one that is filled.
    damaged: HashSet<(usize, Cid)>,
    /// Damage in archives, a sentence each.
    damage: BTreeSet<String>,
}

/// The number of the archive that is filled.
const OWN: usize = usize::MAX;

/// The origin of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The archive that is filled, or the cache: the next run has it in any case.
    Kept,
    /// A place that may be missing from the command line of the next run.
    Named,
}

struct Nodes<'n>(&'n mut HashMap<Cid, Vec<u8>>);

impl BlockSink for Nodes<'_> {
    fn put(&mut self, cid: &Cid, bytes: &[u8]) -> io::Result<()> {
        self.0.insert(*cid, bytes.to_vec());
        Ok(())
    }
}

impl Store {
    pub(super) fn new(own: CarReader<File>, cache: Cache) -> Self {
        Self {
            own,
            archives: Vec::new(),
            wheels: Vec::new(),
            leaves: HashMap::new(),
            nodes: HashMap::new(),
            open: None,
            cache,
            asked: HashSet::new(),
            cached: HashSet::new(),
            damaged: HashSet::new(),
            damage: BTreeSet::new(),
        }
    }

    /// Damage in archives, a sentence each.
    pub(super) fn damage(&self) -> impl Iterator<Item = &str> {
        self.damage.iter().map(String::as_str)
    }

    pub(super) fn add_archive(&mut self, path: PathBuf, archive: CarReader<File>) {
        self.archives.push((path, archive));
    }

    /// Adds the blocks of a wheel, from its DAG and its file.
    pub(super) fn add_wheel(&mut self, path: &Path, dag: FileDag) {
        let number = self.wheels.len();
        for (index, cid) in dag.leaf_cids().enumerate() {
            self.leaves.entry(cid).or_insert((number, index));
        }
        // Writing to memory does not fail.
        let _ = dag.emit_hollow(&mut Nodes(&mut self.nodes));
        self.wheels.push((path.to_path_buf(), dag));
    }

    /// Adds the wheel with this CID from the cache; true if it was there and had not been added
    /// before.
    pub(super) fn take_cached_wheel(&mut self, cid: &Cid) -> bool {
        if !self.asked.insert(*cid) {
            return false;
        }
        match self.cache.wheel(cid) {
            Some(wheel) => {
                self.add_wheel(&wheel.path, wheel.dag);
                true
            }
            None => false,
        }
    }

    /// Whether the store seems to have a block. Reading may show that it is damaged.
    pub(super) fn has(&self, cid: &Cid) -> bool {
        (self.own.contains(cid) && !self.damaged.contains(&(OWN, *cid)))
            || self.nodes.contains_key(cid)
            || self.leaves.contains_key(cid)
            || self
                .archives
                .iter()
                .enumerate()
                .any(|(number, (_, archive))| {
                    archive.contains(cid) && !self.damaged.contains(&(number, *cid))
                })
            || self.cache.has_block(cid)
    }

    /// A block, hashed, and its origin. Damaged copies are skipped.
    pub(super) fn block(&mut self, cid: &Cid) -> Option<(Vec<u8>, Origin)> {
        match self.own.block(cid) {
            Ok(Some(block)) => return Some((block, Origin::Kept)),
            Ok(None) => {}
            Err(error) => {
                self.damaged.insert((OWN, *cid));
                self.damage
                    .insert(format!("the archive that is filled is damaged: {error}"));
            }
        }
        if let Some(block) = self.cache.block(cid) {
            self.cached.insert(*cid);
            return Some((block, Origin::Kept));
        }
        if let Some(block) = self.nodes.get(cid) {
            return Some((block.clone(), Origin::Named));
        }
        if let Some(block) = self.leaf(cid) {
            return Some((block, Origin::Named));
        }
        for (number, (path, archive)) in self.archives.iter().enumerate() {
            match archive.block(cid) {
                Ok(Some(block)) => return Some((block, Origin::Named)),
                Ok(None) => {}
                Err(error) => {
                    self.damaged.insert((number, *cid));
                    let path = path.display();
                    self.damage.insert(format!("`{path}` is damaged: {error}"));
                }
            }
        }
        None
    }

    /// The size of the file, from its root node.
    pub(super) fn file_size(&mut self, cid: &Cid) -> Option<u64> {
        if cid.codec() == Codec::Raw {
            return None;
        }
        let (block, _) = self.block(cid)?;
        match decode(cid, &block).ok()? {
            Node::File { size, .. } => Some(size),
            _ => None,
        }
    }

    /// A small file of the release, by its path; `None` if one of its blocks is missing.
    pub(super) fn file(&mut self, path: &str) -> Option<Vec<u8>> {
        let mut reader = FileOnPath {
            path,
            bytes: Vec::new(),
            is_whole: true,
            store: self,
        };
        let root = reader.store.own.root();
        walk(root, &mut reader).ok()?;
        let (is_whole, bytes) = (reader.is_whole, reader.bytes);
        (is_whole && !bytes.is_empty()).then_some(bytes)
    }

    fn leaf(&mut self, cid: &Cid) -> Option<Vec<u8>> {
        let (number, index) = *self.leaves.get(cid)?;
        let (path, dag) = &self.wheels[number];
        let open = self.open.take().filter(|(open, _)| *open == number);
        let file = open.map_or_else(|| File::open(path), |(_, file)| Ok(file));
        let block = file.and_then(|mut file| {
            let block = dag.leaf_block(index, &mut file)?;
            self.open = Some((number, file));
            Ok(block)
        });
        match block {
            Ok(block) => Some(block),
            Err(error) => {
                let path = path.display();
                self.damage
                    .insert(format!("`{path}` has changed since it was hashed: {error}"));
                self.leaves.remove(cid);
                None
            }
        }
    }

    /// Keeps a block for the next run.
    pub(super) fn keep(&self, cid: &Cid, block: &[u8]) -> Result<(), CacheError> {
        self.cache.keep_block(cid, block)
    }

    /// Removes the blocks from the cache that the full archive now has.
    pub(super) fn forget_used_blocks(&self) {
        for cid in &self.cached {
            self.cache.forget_block(cid);
        }
    }
}

/// Finds and reads one file of a release by its path.
struct FileOnPath<'s> {
    path: &'s str,
    bytes: Vec<u8>,
    is_whole: bool,
    store: &'s mut Store,
}

impl Visitor for FileOnPath<'_> {
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError> {
        let is_way = place.path.is_empty()
            || self
                .path
                .strip_prefix(&place.path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !is_way || self.bytes.len() > LARGEST_FILE {
            return Ok(None);
        }
        let block = self.store.block(&place.cid).map(|(block, _)| block);
        self.is_whole &= block.is_some();
        Ok(block)
    }

    fn visit(&mut self, place: &Place, block: &[u8], is_leaf: bool) -> Result<(), CarError> {
        if is_leaf && place.path == self.path {
            match decode(&place.cid, block)? {
                Node::Raw(bytes) | Node::File { data: bytes, .. } => self.bytes.extend(bytes),
                Node::Directory { .. } | Node::Shard { .. } => {}
            }
        }
        Ok(())
    }
}
