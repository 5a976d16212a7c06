//! Believing an archive as a whole.

use std::collections::HashMap;
use std::io::{Read, Seek};

use rayon::prelude::*;

use super::tree::{check_place, not_a_shard, too_deep};
use super::{CarError, CarReader, CarSummary, MAX_DEPTH};
use crate::dag::{Cid, Codec, FilePart, HASH_LENGTH, Link, Node, ShardEntry, decode};

/// What is known of a DAG that has been walked.
#[derive(Debug, Clone, Copy)]
struct Walked {
    cumulative_size: u64,
    kind: Seen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    File(u64),
    Directory,
    Shard,
}

impl<R: Read + Seek + Send> CarReader<R> {
    /// Holds the archive to everything that `ipfs dag export` of a UnixFS tree promises: each block
    /// is what its CID says, the root leads to all of them and nothing is missing, they come depth
    /// first, and what nodes say about each other (sizes, cumulative sizes, slots of a HAMT) is so.
    ///
    /// Hashing runs on the current rayon pool's threads; each holds one block.
    pub fn verify(&self) -> Result<CarSummary, CarError> {
        let cids = self.cids();
        let hashed: Vec<Result<usize, CarError>> = cids
            .par_iter()
            .map(|cid| self.require(cid).map(|block| block.len()))
            .collect();
        // Of several errors the first in the archive, whatever thread met it.
        for result in hashed {
            result?;
        }
        let mut walk = Walk {
            reader: self,
            order: &cids,
            next: 0,
            walked: HashMap::new(),
            shards: HashMap::new(),
        };
        walk.dag(&self.root(), 0)?;
        match cids.get(walk.next) {
            Some(cid) => Err(CarError::Unreachable(*cid)),
            None => Ok(CarSummary {
                blocks: cids.len() as u64,
                bytes: self.byte_length(),
            }),
        }
    }
}

struct Walk<'a, R> {
    reader: &'a CarReader<R>,
    order: &'a [Cid],
    /// The next place in `order`.
    next: usize,
    walked: HashMap<Cid, Walked>,
    /// Inner shards, with the slots that led to them and their cumulative size: two large folders
    /// that differ in little have most of them in common.
    shards: HashMap<Cid, (Vec<u8>, u64)>,
}

impl<R: Read + Seek> Walk<'_, R> {
    /// Walks a DAG, or remembers that it has.
    fn dag(&mut self, cid: &Cid, depth: usize) -> Result<Walked, CarError> {
        if let Some(walked) = self.walked.get(cid) {
            return Ok(*walked);
        }
        let walked = self.visit(cid, depth, |walk, node, own| {
            let (kind, below) = match node {
                Node::Raw(bytes) => (Seen::File(bytes.len() as u64), 0),
                Node::File { size, parts, .. } => {
                    (Seen::File(size), walk.parts(cid, &parts, depth)?)
                }
                Node::Directory { entries } => {
                    let mut below = 0_u64;
                    for entry in entries {
                        below = below.saturating_add(walk.entry(cid, &entry.link, depth)?);
                    }
                    (Seen::Directory, below)
                }
                Node::Shard { entries } => (
                    Seen::Shard,
                    walk.shard(cid, entries, &mut Vec::new(), depth)?,
                ),
            };
            Ok(Walked {
                cumulative_size: below.saturating_add(own),
                kind,
            })
        })?;
        self.walked.insert(*cid, walked);
        Ok(walked)
    }

    /// Reads one block, which must be the next of the archive, and does the rest with its node.
    fn visit<T>(
        &mut self,
        cid: &Cid,
        depth: usize,
        rest: impl FnOnce(&mut Self, Node<'_>, u64) -> Result<T, CarError>,
    ) -> Result<T, CarError> {
        if depth == MAX_DEPTH {
            return Err(CarError::Tree {
                cid: *cid,
                reason: format!("is nested deeper than {MAX_DEPTH} nodes"),
            });
        }
        let Some(place) = self.reader.place(cid) else {
            return Err(CarError::Missing(*cid));
        };
        if self.order.get(self.next) != Some(cid) {
            return Err(CarError::Order(*cid));
        }
        self.next += 1;
        // A raw leaf has been hashed; of its bytes only the number matters here.
        if cid.codec() == Codec::Raw {
            let empty = Vec::new();
            let node = Node::File {
                size: place.length as u64,
                data: &empty,
                parts: Vec::new(),
            };
            return rest(self, node, place.length as u64);
        }
        let block = self.reader.require(cid)?;
        rest(self, decode(cid, &block)?, block.len() as u64)
    }

    fn entry(&mut self, parent: &Cid, link: &Link, depth: usize) -> Result<u64, CarError> {
        let walked = self.dag(&link.cid, depth + 1)?;
        check_link(parent, link, walked.cumulative_size)?;
        Ok(walked.cumulative_size)
    }

    fn parts(&mut self, parent: &Cid, parts: &[FilePart], depth: usize) -> Result<u64, CarError> {
        let mut below = 0_u64;
        for part in parts {
            let walked = self.dag(&part.link.cid, depth + 1)?;
            check_link(parent, &part.link, walked.cumulative_size)?;
            if walked.kind != Seen::File(part.size) {
                return Err(CarError::Tree {
                    cid: *parent,
                    reason: format!(
                        "says that {} holds {} bytes of a file, which it does not",
                        part.link.cid, part.size
                    ),
                });
            }
            below = below.saturating_add(walked.cumulative_size);
        }
        Ok(below)
    }

    /// `path` holds the slots that lead to this shard.
    fn shard(
        &mut self,
        cid: &Cid,
        entries: Vec<ShardEntry>,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<u64, CarError> {
        if path.len() == HASH_LENGTH {
            return Err(too_deep(*cid));
        }
        let mut below = 0_u64;
        for slot in entries {
            path.push(slot.slot());
            let link = slot.link();
            let size = match slot {
                ShardEntry::Entry { entry, .. } => {
                    check_place(cid, &entry.name, path)?;
                    self.entry(cid, &link, depth)?
                }
                ShardEntry::Shard { .. } => {
                    let size = self.inner_shard(&link.cid, path, depth + 1)?;
                    check_link(cid, &link, size)?;
                    size
                }
            };
            path.pop();
            below = below.saturating_add(size);
        }
        Ok(below)
    }
}

impl<R: Read + Seek> Walk<'_, R> {
    fn inner_shard(
        &mut self,
        cid: &Cid,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<u64, CarError> {
        if let Some((known, size)) = self.shards.get(cid) {
            // Its names' hashes begin with the slots that lead to it, so it has one place only.
            return if known == path {
                Ok(*size)
            } else {
                Err(CarError::Tree {
                    cid: *cid,
                    reason: "is in two places of a sharded folder".to_owned(),
                })
            };
        }
        let size = self.visit(cid, depth, |walk, node, own| match node {
            Node::Shard { entries } if !entries.is_empty() => {
                let below = walk.shard(cid, entries, path, depth)?;
                Ok(below.saturating_add(own))
            }
            _ => Err(not_a_shard(*cid)),
        })?;
        self.shards.insert(*cid, (path.clone(), size));
        Ok(size)
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
