//! The set of a release's blocks, from its pages and nodes.

use std::collections::HashSet;

use ipwhl_unixfs::car::{Blocks, CarError, MAX_BLOCKS, MAX_DEPTH};
use ipwhl_unixfs::{Cid, Codec, Link, Node, ShardEntry, decode};

use super::walk::{WHEEL_LEVEL, may_be_leaf};

/// The number of blocks that are requested together. A block has at most 2 MiB; most have some
/// hundred bytes.
const TOGETHER: usize = 256;

/// The known blocks of a release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockSet {
    /// Every CID known to be reachable from the root, including the root.
    pub cids: HashSet<Cid>,
    /// The nodes that could not be read: blocks below them are not in the set.
    pub lacking: Vec<Cid>,
}

/// Every CID reachable from `root`, level by level. Leaves of files are not read, so a hollow
/// release gives the same result as a full one.
///
/// # Errors
/// When a block cannot be read or is not a node, or there are more than an archive may have.
pub fn block_set(blocks: &(dyn Blocks + Send + Sync), root: &Cid) -> Result<BlockSet, CarError> {
    let mut set = BlockSet::default();
    set.cids.insert(*root);
    let mut level = vec![(*root, 0)];
    let mut seen = HashSet::from([(*root, 0)]);
    for _ in 0..MAX_DEPTH {
        let mut next = Vec::new();
        for nodes in level.chunks(TOGETHER) {
            let cids: Vec<Cid> = nodes.iter().map(|(cid, _)| *cid).collect();
            blocks.prefetch(&cids);
            for (cid, folders) in nodes {
                let Some(block) = blocks.block(cid)? else {
                    set.lacking.push(*cid);
                    continue;
                };
                for (link, folders) in below(cid, &block, *folders)? {
                    set.cids.insert(link.cid);
                    if set.cids.len() > MAX_BLOCKS {
                        return Err(CarError::TooManyBlocks);
                    }
                    // Below the projects there are only files, and leaves have no links.
                    let is_leaf = link.cid.codec() == Codec::Raw
                        || (folders >= WHEEL_LEVEL && may_be_leaf(&link.cid, link.cumulative_size));
                    if !is_leaf && seen.insert((link.cid, folders)) {
                        next.push((link.cid, folders));
                    }
                }
            }
        }
        if next.is_empty() {
            return Ok(set);
        }
        level = next;
    }
    Err(CarError::Tree {
        cid: *root,
        reason: format!("is nested deeper than {MAX_DEPTH} nodes"),
    })
}

/// The links of a node, and the depth of each target in folders. Targets deeper than wheels count
/// as deep as wheels.
fn below(cid: &Cid, block: &[u8], folders: usize) -> Result<Vec<(Link, usize)>, CarError> {
    let deeper = (folders + 1).min(WHEEL_LEVEL);
    Ok(match decode(cid, block)? {
        Node::Raw(_) => Vec::new(),
        Node::File { parts, .. } => parts.iter().map(|part| (part.link, folders)).collect(),
        Node::Directory { entries } => entries.iter().map(|entry| (entry.link, deeper)).collect(),
        Node::Shard { entries } => entries
            .iter()
            .map(|slot| match slot {
                ShardEntry::Entry { entry, .. } => (entry.link, deeper),
                ShardEntry::Shard { link, .. } => (*link, folders),
            })
            .collect(),
    })
}
