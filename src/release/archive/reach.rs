//! Every block of a release with its length, without the wheels' bytes if possible.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use ipwhl_unixfs::car::{Blocks, CarError, MAX_BLOCKS, MAX_DEPTH};
use ipwhl_unixfs::{Cid, Codec, Link, Node, ShardEntry, decode};

use super::walk::{is_wheel, may_be_leaf};

/// A node that is still to be read.
#[derive(Clone, Copy)]
struct Pending {
    cid: Cid,
    /// The total size of the blocks from it down, from the link to it; `None` at the root.
    cumulative_size: Option<u64>,
    /// Its depth in folders.
    level: usize,
    is_of_wheel: bool,
}

/// Every CID reachable from a root, with the length of its block. Raw leaves are not read, and
/// leaves of wheels may be missing: their lengths come from the links to them.
///
/// # Errors
/// [`CarError::Missing`] if a block other than a leaf of a wheel is missing.
pub fn reach(
    blocks: &(dyn Blocks + Send + Sync),
    root: Cid,
) -> Result<HashMap<Cid, u64>, CarError> {
    let mut lengths = HashMap::new();
    let mut pending = vec![Pending {
        cid: root,
        cumulative_size: None,
        level: 0,
        is_of_wheel: false,
    }];
    // Level by level, so that slow reads run at the same time.
    for _ in 0..MAX_DEPTH {
        if pending.is_empty() {
            return Ok(lengths);
        }
        let mut read = Vec::new();
        for node in pending {
            let is_raw = node.cid.codec() == Codec::Raw;
            let leaf = node.cumulative_size.filter(|size| {
                is_raw
                    || node.is_of_wheel
                        && may_be_leaf(&node.cid, *size)
                        && !blocks.contains(&node.cid)
            });
            if lengths.len() == MAX_BLOCKS {
                return Err(CarError::TooManyBlocks);
            }
            if let Entry::Vacant(place) = lengths.entry(node.cid) {
                place.insert(leaf.unwrap_or_default());
                if leaf.is_none() {
                    read.push(node);
                }
            }
        }
        blocks.prefetch(&read.iter().map(|node| node.cid).collect::<Vec<_>>());
        pending = Vec::new();
        for node in read {
            let block = blocks.require(&node.cid)?;
            lengths.insert(node.cid, block.len() as u64);
            let link = |link: Link, level: usize, is_of_wheel: bool| Pending {
                cid: link.cid,
                cumulative_size: Some(link.cumulative_size),
                level,
                is_of_wheel,
            };
            let below = node.level + 1;
            match decode(&node.cid, &block)? {
                Node::Raw(_) => {}
                Node::File { parts, .. } => pending.extend(
                    parts
                        .iter()
                        .map(|part| link(part.link, node.level, node.is_of_wheel)),
                ),
                Node::Directory { entries } => pending.extend(
                    entries
                        .iter()
                        .map(|entry| link(entry.link, below, is_wheel(below, &entry.name))),
                ),
                Node::Shard { entries } => pending.extend(entries.iter().map(|slot| match slot {
                    ShardEntry::Entry { entry, .. } => {
                        link(entry.link, below, is_wheel(below, &entry.name))
                    }
                    ShardEntry::Shard { link: shard, .. } => link(*shard, node.level, false),
                })),
            }
        }
    }
    Err(CarError::Tree {
        cid: root,
        reason: format!("is nested deeper than {MAX_DEPTH} nodes"),
    })
}
