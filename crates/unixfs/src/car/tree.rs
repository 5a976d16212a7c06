//! Folders and paths in a release's DAG.

use super::{Blocks, CarError, MAX_FILE};
use crate::{Cid, DirectoryEntry, HASH_LENGTH, Node, ShardEntry, decode, name_hash};

/// The target of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its root.
    pub cid: Cid,
    /// Its kind.
    pub kind: Kind,
}

/// A file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File {
        /// Its size in bytes, from its root; reading verifies it.
        size: u64,
    },
    /// A folder, sharded or not.
    Directory,
}

/// Reads folders from blocks; implemented for every [`Blocks`].
pub trait Tree: Blocks {
    /// Reads the node of `cid`. A file larger than [`MAX_FILE`] is an error, so that reading it
    /// never starts.
    fn found(&self, cid: &Cid) -> Result<Found, CarError> {
        let block = self.require(cid)?;
        let kind = match decode(cid, &block)? {
            Node::Raw(bytes) => Kind::File {
                size: bytes.len() as u64,
            },
            Node::File { size, .. } => Kind::File { size },
            Node::Directory { .. } | Node::Shard { .. } => Kind::Directory,
        };
        if let Kind::File { size } = kind
            && size > MAX_FILE
        {
            return Err(CarError::large_file(*cid, size, MAX_FILE));
        }
        Ok(Found { cid: *cid, kind })
    }

    /// The target of a path from the folder `root`: `project/file`, with or without a leading or
    /// trailing slash. `None` if a name on the path is missing or not in a folder.
    fn resolve(&self, root: &Cid, path: &str) -> Result<Option<Found>, CarError> {
        let mut cid = *root;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match self.entry(&cid, name)? {
                Some(next) => cid = next,
                None => return Ok(None),
            }
        }
        self.found(&cid).map(Some)
    }

    /// The target of `name` in the folder `directory`; `None` if it has none or is a file.
    fn entry(&self, directory: &Cid, name: &str) -> Result<Option<Cid>, CarError> {
        let hash = name_hash(name);
        let mut cid = *directory;
        for (level, slot) in hash.into_iter().enumerate() {
            let block = self.require(&cid)?;
            let entries = match decode(&cid, &block)? {
                Node::Directory { entries } if level == 0 => {
                    let place = entries.binary_search_by(|entry| entry.name.as_str().cmp(name));
                    return Ok(place.ok().map(|place| entries[place].link.cid));
                }
                Node::Shard { entries } => entries,
                _ if level == 0 => return Ok(None),
                _ => return Err(CarError::not_a_shard(cid)),
            };
            let Ok(place) = entries.binary_search_by_key(&slot, ShardEntry::slot) else {
                return Ok(None);
            };
            match &entries[place] {
                ShardEntry::Entry { entry, .. } => {
                    return Ok((entry.name == name).then_some(entry.link.cid));
                }
                ShardEntry::Shard { link, .. } => cid = link.cid,
            }
        }
        Err(CarError::deep_shard(cid))
    }

    /// Every entry of a folder, sharded or not, in the order of the names' bytes; `None` if it is a
    /// file. An entry of a HAMT in the wrong place for its name's hash is an error.
    fn list(&self, directory: &Cid) -> Result<Option<Vec<DirectoryEntry>>, CarError> {
        let block = self.require(directory)?;
        match decode(directory, &block)? {
            Node::Directory { entries } => Ok(Some(entries)),
            Node::Shard { entries } => {
                let mut found = Vec::new();
                gather(self, directory, entries, &mut Vec::new(), &mut found)?;
                found.sort_by(|one, other| one.name.cmp(&other.name));
                Ok(Some(found))
            }
            Node::Raw(_) | Node::File { .. } => Ok(None),
        }
    }
}

impl<B: Blocks + ?Sized> Tree for B {}

/// `path` is the list of slots that lead to the shard `cid`, and so its depth. No inner shard can
/// be visited twice: it contains a name, whose hash would have to begin in two ways.
fn gather<B: Blocks + ?Sized>(
    blocks: &B,
    cid: &Cid,
    entries: Vec<ShardEntry>,
    path: &mut Vec<u8>,
    found: &mut Vec<DirectoryEntry>,
) -> Result<(), CarError> {
    if path.len() == HASH_LENGTH {
        return Err(CarError::deep_shard(*cid));
    }
    let below = entries.iter().filter_map(|entry| match entry {
        ShardEntry::Shard { link, .. } => Some(link.cid),
        ShardEntry::Entry { .. } => None,
    });
    blocks.prefetch(&below.collect::<Vec<_>>());
    for slot in entries {
        path.push(slot.slot());
        match slot {
            ShardEntry::Entry { entry, .. } => {
                if !name_hash(&entry.name).starts_with(path) {
                    return Err(CarError::misplaced_entry(*cid, &entry.name));
                }
                found.push(entry);
            }
            ShardEntry::Shard { link, .. } => {
                let block = blocks.require(&link.cid)?;
                match decode(&link.cid, &block)? {
                    Node::Shard { entries } if !entries.is_empty() => {
                        gather(blocks, &link.cid, entries, path, found)?;
                    }
                    _ => return Err(CarError::not_a_shard(link.cid)),
                }
            }
        }
        path.pop();
    }
    Ok(())
}
