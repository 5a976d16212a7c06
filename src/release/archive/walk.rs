//! Walks the DAG of a release, depth first, over the available blocks.

use std::collections::HashSet;

use ipwhl_unixfs::car::{CarError, MAX_BLOCKS, MAX_DEPTH};
use ipwhl_unixfs::{Cid, Codec, Link, Node, ShardEntry, decode};

use crate::release::names::WHEEL;

/// The depth of wheels in folders: inside the folder of their project.
pub(super) const WHEEL_LEVEL: usize = 2;

/// The largest leaf that is a dag-pb node, in bytes: 256 KiB and its frame. Inner nodes have more
/// below them.
const LARGEST_NODE_LEAF: u64 = 256 * 1024 + 32;

/// The position of a node in a release's DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub cid: Cid,
    /// The total size of the blocks from it down, from the link to it; `None` at the root.
    pub cumulative_size: Option<u64>,
    /// The path of its file or folder from the root, as in `project/file`.
    pub path: String,
    /// The root of its wheel, if the path is that of a wheel.
    pub wheel: Option<Cid>,
}

/// Visits the nodes of a DAG.
pub trait Visitor {
    /// The block of a node, already hashed; `None` skips the node and all below it.
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError>;

    /// Visits a node with its block; a leaf has no links and is part of a file.
    fn visit(&mut self, place: &Place, block: &[u8], is_leaf: bool) -> Result<(), CarError>;
}

/// Whether a file of this name, this many folders below the root, is a wheel of the release.
pub(super) fn is_wheel(level: usize, name: &str) -> bool {
    level == WHEEL_LEVEL && name.ends_with(WHEEL)
}

/// Whether a missing node of a file can be a leaf, according to its link.
pub fn may_be_leaf(cid: &Cid, cumulative_size: u64) -> bool {
    cid.codec() == Codec::Raw || cumulative_size <= LARGEST_NODE_LEAF
}

/// Visits each node of the DAG once, depth first, parents before children. A node that belongs both
/// to a wheel and to something else is visited twice.
pub fn walk(root: Cid, visitor: &mut dyn Visitor) -> Result<(), CarError> {
    let mut walk = Walk {
        visitor,
        seen: HashSet::new(),
    };
    let place = Place {
        cid: root,
        cumulative_size: None,
        path: String::new(),
        wheel: None,
    };
    walk.node(place, 0, 0)
}

struct Walk<'v> {
    visitor: &'v mut dyn Visitor,
    /// Each with its level, and whether it was in a wheel.
    seen: HashSet<(Cid, usize, bool)>,
}

impl Walk<'_> {
    /// `level` is the depth in folders, `depth` the depth in nodes.
    fn node(&mut self, mut place: Place, level: usize, depth: usize) -> Result<(), CarError> {
        let cid = place.cid;
        let key = (cid, level.min(WHEEL_LEVEL + 1), place.wheel.is_some());
        if !self.seen.insert(key) {
            return Ok(());
        }
        if self.seen.len() > MAX_BLOCKS {
            return Err(CarError::TooManyBlocks);
        }
        if depth == MAX_DEPTH {
            return Err(CarError::Tree {
                cid,
                reason: format!("is nested deeper than {MAX_DEPTH} nodes"),
            });
        }
        let Some(block) = self.visitor.block(&place)? else {
            return Ok(());
        };
        match decode(&cid, &block)? {
            Node::Raw(_) => self.visitor.visit(&place, &block, true),
            Node::File { parts, .. } => {
                self.visitor.visit(&place, &block, parts.is_empty())?;
                for part in parts {
                    let part = Place {
                        cid: part.link.cid,
                        cumulative_size: Some(part.link.cumulative_size),
                        ..place.clone()
                    };
                    self.node(part, level, depth + 1)?;
                }
                Ok(())
            }
            Node::Directory { entries } => {
                // Even with the name of a wheel, a folder is not a wheel.
                place.wheel = None;
                self.visitor.visit(&place, &block, false)?;
                for entry in entries {
                    self.entry(&place, &entry.name, entry.link, level, depth)?;
                }
                Ok(())
            }
            Node::Shard { entries } => {
                place.wheel = None;
                self.visitor.visit(&place, &block, false)?;
                for slot in entries {
                    match slot {
                        ShardEntry::Entry { entry, .. } => {
                            self.entry(&place, &entry.name, entry.link, level, depth)?;
                        }
                        ShardEntry::Shard { link, .. } => {
                            let part = Place {
                                cid: link.cid,
                                cumulative_size: Some(link.cumulative_size),
                                ..place.clone()
                            };
                            self.node(part, level, depth + 1)?;
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn entry(
        &mut self,
        folder: &Place,
        name: &str,
        link: Link,
        level: usize,
        depth: usize,
    ) -> Result<(), CarError> {
        let path = if folder.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", folder.path)
        };
        let entry = Place {
            cid: link.cid,
            cumulative_size: Some(link.cumulative_size),
            path,
            wheel: is_wheel(level + 1, name).then_some(link.cid),
        };
        self.node(entry, level + 1, depth + 1)
    }
}
