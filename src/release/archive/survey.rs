//! Verifies an archive as a whole.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};

use ipwhl_unixfs::car::{Blocks, CarError, CarReader, CarSummary, MAX_DEPTH};
use ipwhl_unixfs::{
    Cid, Codec, DirectoryEntry, FilePart, HASH_LENGTH, Link, Node, ShardEntry, decode, name_hash,
};
use rayon::prelude::*;

use super::walk::{is_wheel, may_be_leaf};
use super::{ArchiveKind, MAX_FILE_NODES, MAX_NODES, MAX_REPETITION};
use crate::release::names::DECLARATION;
use crate::set::declaration::LARGEST_DECLARATION;
use crate::source::{LARGEST_PAGE, LARGEST_WHEEL};

/// A missing block; blocks below it may be missing, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacking {
    /// The block.
    pub cid: Cid,
    /// The total size of the blocks from it down, from the link to it.
    pub cumulative_size: u64,
    /// Whether it is a leaf of a wheel, which hollow archives leave out.
    pub is_wheel_leaf: bool,
}

/// The verified contents of an archive, and the missing blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// The present blocks.
    pub summary: CarSummary,
    /// The kind of the archive: hollow if exactly the leaves of all wheels are missing.
    pub kind: ArchiveKind,
    /// The missing blocks, depth first.
    pub lacking: Vec<Lacking>,
}

/// The total of a DAG, counting each node as often as it is linked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Weight {
    /// The bytes of all blocks: the cumulative size in a link to it.
    bytes: u64,
    /// The bytes of the present blocks: the cost of reading all of its files.
    present: u64,
    nodes: u64,
}

impl Weight {
    fn of_node(bytes: u64) -> Self {
        Self {
            bytes,
            present: bytes,
            nodes: 1,
        }
    }

    /// The weight of a missing block. It costs no work.
    fn of_lacking(bytes: u64) -> Self {
        Self {
            present: 0,
            ..Self::of_node(bytes)
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            present: self.present.saturating_add(other.present),
            nodes: self.nodes.saturating_add(other.nodes),
        }
    }
}

/// The facts about a walked DAG.
#[derive(Debug, Clone, Copy)]
struct Walked {
    weight: Weight,
    kind: NodeKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NodeKind {
    File(u64),
    Directory,
    Shard,
}

/// Verifies a whole archive; `may_lack` allows missing blocks.
pub(super) fn walked<R: Read + Seek + Send>(
    archive: &CarReader<R>,
    may_lack: bool,
) -> Result<Survey, CarError> {
    let cids = archive.cids();
    let hashed: Vec<Result<usize, CarError>> = cids
        .par_iter()
        .map(|cid| archive.require(cid).map(|block| block.len()))
        .collect();
    // Of several errors the first in the archive, whichever thread found it.
    for result in hashed {
        result?;
    }
    let mut walk = Walk {
        reader: archive,
        order: &cids,
        next: 0,
        walked: HashMap::new(),
        shards: HashMap::new(),
        may_lack,
        lacking: Vec::new(),
        lacked: HashSet::new(),
        has_wheel_leaf: false,
    };
    let top = At {
        depth: 0,
        level: 0,
        is_in_wheel: false,
    };
    let root = archive.root();
    let whole = walk.dag(&root, top)?;
    if let Some(cid) = cids.get(walk.next) {
        return Err(if walk.lacked.contains(cid) {
            CarError::Order(*cid)
        } else {
            CarError::Unreachable(*cid)
        });
    }
    check_repetition(&root, whole.weight.present, archive.byte_length())?;
    let is_hollow = !walk.has_wheel_leaf && walk.lacking.iter().all(|one| one.is_wheel_leaf);
    Ok(Survey {
        summary: CarSummary {
            blocks: cids.len() as u64,
            bytes: archive.byte_length(),
        },
        kind: match walk.lacking.is_empty() {
            true => ArchiveKind::Full,
            false if is_hollow => ArchiveKind::Hollow,
            false => ArchiveKind::Delta,
        },
        lacking: walk.lacking,
    })
}

/// The position of the walk: its depth in nodes, its depth in folders, and whether it is in a
/// wheel.
#[derive(Debug, Clone, Copy)]
struct At {
    depth: usize,
    level: usize,
    is_in_wheel: bool,
}

impl At {
    fn part(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }

    fn entry(self, name: &str) -> Self {
        Self {
            depth: self.depth + 1,
            level: self.level + 1,
            is_in_wheel: is_wheel(self.level + 1, name),
        }
    }
}

struct Walk<'a, R> {
    reader: &'a CarReader<R>,
    order: &'a [Cid],
    /// The next position in `order`.
    next: usize,
    walked: HashMap<Cid, Walked>,
    /// Inner shards, with the slots that lead to them and their weight: two large folders with few
    /// differences share most of them.
    shards: HashMap<Cid, (Vec<u8>, Weight)>,
    may_lack: bool,
    lacking: Vec<Lacking>,
    lacked: HashSet<Cid>,
    has_wheel_leaf: bool,
}

impl<R: Read + Seek> Walk<'_, R> {
    /// Walks a DAG, or returns the result of an earlier walk.
    fn dag(&mut self, cid: &Cid, at: At) -> Result<Walked, CarError> {
        if let Some(walked) = self.walked.get(cid) {
            return Ok(*walked);
        }
        let walked = self.visit(cid, at, |walk, node, own| {
            let (kind, below) = match node {
                Node::Raw(bytes) => {
                    walk.has_wheel_leaf |= at.is_in_wheel;
                    (NodeKind::File(bytes.len() as u64), Weight::default())
                }
                Node::File { size, parts, .. } => {
                    walk.has_wheel_leaf |= at.is_in_wheel && parts.is_empty();
                    check_file_size(cid, size, LARGEST_WHEEL)?;
                    (NodeKind::File(size), walk.parts(cid, &parts, at)?)
                }
                Node::Directory { entries } => {
                    let mut below = Weight::default();
                    for entry in entries {
                        below = below.and(walk.named_entry(cid, &entry, at)?);
                    }
                    (NodeKind::Directory, below)
                }
                Node::Shard { entries } => (
                    NodeKind::Shard,
                    walk.shard(cid, entries, &mut Vec::new(), at)?,
                ),
            };
            let weight = below.and(Weight::of_node(own));
            let most = match kind {
                NodeKind::File(_) => MAX_FILE_NODES,
                NodeKind::Directory | NodeKind::Shard => MAX_NODES,
            };
            if weight.nodes > most {
                return Err(CarError::Tree {
                    cid: *cid,
                    reason: format!("leads to more than {most} nodes, counting repeated ones"),
                });
            }
            Ok(Walked { weight, kind })
        })?;
        self.walked.insert(*cid, walked);
        Ok(walked)
    }

    /// Reads one block, which must be the next in the archive, and applies a function to its node.
    fn visit<T>(
        &mut self,
        cid: &Cid,
        at: At,
        rest: impl FnOnce(&mut Self, Node<'_>, u64) -> Result<T, CarError>,
    ) -> Result<T, CarError> {
        if at.depth == MAX_DEPTH {
            return Err(CarError::Tree {
                cid: *cid,
                reason: format!("is nested deeper than {MAX_DEPTH} nodes"),
            });
        }
        let Some(length) = self.reader.length_of(cid) else {
            return Err(CarError::Missing(*cid));
        };
        if self.order.get(self.next) != Some(cid) {
            return Err(CarError::Order(*cid));
        }
        self.next += 1;
        // A raw leaf has been hashed; only its length matters here.
        if cid.codec() == Codec::Raw {
            let empty = Vec::new();
            let node = Node::File {
                size: length as u64,
                data: &empty,
                parts: Vec::new(),
            };
            return rest(self, node, length as u64);
        }
        let block = self.reader.require(cid)?;
        rest(self, decode(cid, &block)?, block.len() as u64)
    }

    /// Whether the archive may lack the target of a link; records it as missing then.
    fn lacks(&mut self, link: &Link, at: At) -> Result<bool, CarError> {
        let cid = &link.cid;
        if !self.may_lack || self.walked.contains_key(cid) || self.shards.contains_key(cid) {
            return Ok(false);
        }
        // If a leaf of a wheel is also a page, a hollow archive has it at the place of the page.
        let is_left_out = !self.reader.contains(cid)
            || (at.is_in_wheel && self.order.get(self.next) != Some(cid) && self.is_leaf(cid)?);
        if is_left_out && self.lacked.insert(*cid) {
            self.lacking.push(Lacking {
                cid: *cid,
                cumulative_size: link.cumulative_size,
                is_wheel_leaf: at.is_in_wheel && may_be_leaf(cid, link.cumulative_size),
            });
        }
        Ok(is_left_out)
    }

    fn is_leaf(&self, cid: &Cid) -> Result<bool, CarError> {
        if cid.codec() == Codec::Raw {
            return Ok(true);
        }
        let block = self.reader.require(cid)?;
        let node = decode(cid, &block)?;
        Ok(matches!(node, Node::File { parts, .. } if parts.is_empty()))
    }

    /// An entry of a folder; the name determines the allowed size.
    fn named_entry(
        &mut self,
        folder: &Cid,
        entry: &DirectoryEntry,
        at: At,
    ) -> Result<Weight, CarError> {
        let at = at.entry(&entry.name);
        let largest = match entry.name.as_str() {
            _ if at.is_in_wheel => LARGEST_WHEEL,
            DECLARATION => LARGEST_DECLARATION,
            _ => LARGEST_PAGE,
        };
        let weight = self.entry(folder, &entry.link, at)?;
        let cid = &entry.link.cid;
        match self.walked.get(cid).map(|walked| walked.kind) {
            Some(NodeKind::File(size)) => check_file_size(cid, size, largest)?,
            // A missing file: its cumulative size includes nodes, which are smaller than its bytes.
            None => check_file_size(cid, weight.bytes / 2, largest)?,
            Some(NodeKind::Directory | NodeKind::Shard) => {}
        }
        Ok(weight)
    }

    fn entry(&mut self, parent: &Cid, link: &Link, at: At) -> Result<Weight, CarError> {
        if self.lacks(link, at)? {
            return Ok(Weight::of_lacking(link.cumulative_size));
        }
        let walked = self.dag(&link.cid, at)?;
        check_link(parent, link, walked.weight.bytes)?;
        Ok(walked.weight)
    }

    fn parts(&mut self, parent: &Cid, parts: &[FilePart], at: At) -> Result<Weight, CarError> {
        let mut below = Weight::default();
        for part in parts {
            let weight = self.entry(parent, &part.link, at.part())?;
            let walked = self.walked.get(&part.link.cid);
            if walked.is_some_and(|walked| walked.kind != NodeKind::File(part.size)) {
                return Err(CarError::Tree {
                    cid: *parent,
                    reason: format!(
                        "says that {} is a file of {} bytes, which it is not",
                        part.link.cid, part.size
                    ),
                });
            }
            below = below.and(weight);
        }
        Ok(below)
    }

    /// `path` is the list of slots that lead to this shard.
    fn shard(
        &mut self,
        cid: &Cid,
        entries: Vec<ShardEntry>,
        path: &mut Vec<u8>,
        at: At,
    ) -> Result<Weight, CarError> {
        if path.len() == HASH_LENGTH {
            return Err(CarError::deep_shard(*cid));
        }
        let mut below = Weight::default();
        for slot in entries {
            path.push(slot.slot());
            let link = slot.link();
            let weight = match slot {
                ShardEntry::Entry { entry, .. } => {
                    if !name_hash(&entry.name).starts_with(path) {
                        return Err(CarError::misplaced_entry(*cid, &entry.name));
                    }
                    self.named_entry(cid, &entry, at)?
                }
                ShardEntry::Shard { .. } => self.inner_shard(cid, &link, path, at.part())?,
            };
            path.pop();
            below = below.and(weight);
        }
        Ok(below)
    }

    fn inner_shard(
        &mut self,
        parent: &Cid,
        link: &Link,
        path: &mut Vec<u8>,
        at: At,
    ) -> Result<Weight, CarError> {
        let cid = &link.cid;
        if self.lacks(link, at)? {
            return Ok(Weight::of_lacking(link.cumulative_size));
        }
        if let Some((known, weight)) = self.shards.get(cid) {
            // The hashes of its names begin with the slots that lead to it, so it can be at one
            // place only.
            if known != path {
                return Err(CarError::Tree {
                    cid: *cid,
                    reason: "is in two places of a sharded folder".to_owned(),
                });
            }
            let weight = *weight;
            check_link(parent, link, weight.bytes)?;
            return Ok(weight);
        }
        let weight = self.visit(cid, at, |walk, node, own| match node {
            Node::Shard { entries } if !entries.is_empty() => {
                let below = walk.shard(cid, entries, path, at)?;
                Ok(below.and(Weight::of_node(own)))
            }
            _ => Err(CarError::not_a_shard(*cid)),
        })?;
        self.shards.insert(*cid, (path.clone(), weight));
        check_link(parent, link, weight.bytes)?;
        Ok(weight)
    }
}

fn check_file_size(cid: &Cid, size: u64, largest: u64) -> Result<(), CarError> {
    if size <= largest {
        Ok(())
    } else {
        Err(CarError::large_file(*cid, size, largest))
    }
}

fn check_link(parent: &Cid, link: &Link, cumulative_size: u64) -> Result<(), CarError> {
    if link.cumulative_size == cumulative_size {
        Ok(())
    } else {
        Err(CarError::Tree {
            cid: *parent,
            reason: format!(
                "says that {} has {} bytes in all, but it has {cumulative_size}",
                link.cid, link.cumulative_size
            ),
        })
    }
}

/// Refuses a release whose present files are much larger than its archive.
fn check_repetition(root: &Cid, present: u64, archive: u64) -> Result<(), CarError> {
    let most = archive.saturating_mul(MAX_REPETITION).max(LARGEST_WHEEL);
    if present <= most + most / 64 {
        return Ok(());
    }
    Err(CarError::Tree {
        cid: *root,
        reason: format!(
            "leads to {present} bytes, more than {MAX_REPETITION} times the {archive} of the \
             archive, by repeating blocks"
        ),
    })
}
