//! Over the DAG of a release, depth first, as far as its blocks can be had.

use std::collections::HashSet;

use ipwhl_unixfs::car::{CarError, MAX_BLOCKS, MAX_DEPTH};
use ipwhl_unixfs::{Cid, Codec, Link, Node, ShardEntry, decode};

use crate::release::names::WHEEL;

/// How many folders deep the wheels of a release are: below their project's.
pub(super) const WHEEL_LEVEL: usize = 2;

/// The most bytes of a leaf that is a dag-pb node: 256 KiB and its frame. Below an inner node there
/// are more.
const LARGEST_NODE_LEAF: u64 = 256 * 1024 + 32;

/// Where a node of a release's DAG is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub cid: Cid,
    /// The bytes of all blocks from here down, as the link to it says; `None` at the root.
    pub cumulative_size: Option<u64>,
    /// The file or folder that it is of, from the root, as in `project/file`.
    pub path: String,
    /// The root of the wheel that it is of, where its path is that of a wheel.
    pub wheel: Option<Cid>,
}

/// Who is shown the nodes of a DAG.
pub trait Visitor {
    /// The block of a node, which has been hashed; `None` leaves out the node and all below it.
    fn block(&mut self, place: &Place) -> Result<Option<Vec<u8>>, CarError>;

    /// A node whose block was had; a leaf links to nothing and is part of a file.
    fn visit(&mut self, place: &Place, block: &[u8], is_leaf: bool) -> Result<(), CarError>;
}

/// Whether a file of this name, this many folders below the root, is a wheel of the release.
pub(super) fn is_wheel(level: usize, name: &str) -> bool {
    level == WHEEL_LEVEL && name.ends_with(WHEEL)
}

/// Whether a node of a file that is not there can be a leaf, as far as its link tells.
pub fn may_be_leaf(cid: &Cid, cumulative_size: u64) -> bool {
    cid.codec() == Codec::Raw || cumulative_size <= LARGEST_NODE_LEAF
}

/// Shows each node of the DAG once, depth first, a node before those that it links to. A node that
/// is both of a wheel and of something else is shown twice.
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
    /// With the level and whether it was of a wheel.
    seen: HashSet<(Cid, usize, bool)>,
}

impl Walk<'_> {
    /// `level` is how many folders deep the node is, `depth` how many nodes.
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
                // Whatever its name is: a folder is no wheel.
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
