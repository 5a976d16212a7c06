//! A folder as a DAG: one node, or a HAMT where the profile asks for one.

use std::fmt;
use std::io;

use super::{BlockSink, Cid, HASH_LENGTH, Link, Profile, Sha256Digest, encode, hamt};

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DirectoryEntry {
    /// The name: not empty, not `.` or `..`, without `/` and NUL.
    pub name: String,
    /// What is below it.
    pub link: Link,
}

/// The DAG of one folder: its own nodes, and where its entries come between them.
#[derive(Debug, Clone)]
pub struct DirectoryDag {
    root: Link,
    sharded: bool,
    /// The root first; a shard's shards come after it.
    nodes: Vec<DirectoryNode>,
}

#[derive(Debug, Clone)]
struct DirectoryNode {
    cid: Cid,
    block: Vec<u8>,
    /// In the order of the node's links.
    children: Vec<Child>,
}

#[derive(Debug, Clone, Copy)]
enum Child {
    /// The entry with this index in the order given to `build`.
    Entry(usize),
    /// The node with this index in `nodes`.
    Shard(usize),
}

/// Why entries make no folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DirectoryError {
    /// A name that a folder cannot have.
    Name(String),
    /// Two entries have one name.
    Duplicate(String),
    /// Two names have one hash, so no depth of a HAMT tells them apart.
    Collision(String, String),
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => {
                write!(formatter, "`{}` is no file name", name.escape_debug())
            }
            Self::Duplicate(name) => write!(
                formatter,
                "a folder has two entries named `{}`",
                name.escape_debug()
            ),
            Self::Collision(one, other) => write!(
                formatter,
                "`{}` and `{}` have the same hash, so that no sharded folder can hold both",
                one.escape_debug(),
                other.escape_debug()
            ),
        }
    }
}

impl std::error::Error for DirectoryError {}

/// Whether a folder's entry can have this name.
pub(super) fn is_entry_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

impl DirectoryDag {
    /// The folder of these entries, given in any order.
    pub fn build(profile: Profile, entries: Vec<DirectoryEntry>) -> Result<Self, DirectoryError> {
        if let Some(entry) = entries.iter().find(|entry| !is_entry_name(&entry.name)) {
            return Err(DirectoryError::Name(entry.name.clone()));
        }
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by(|one, other| entries[*one].name.cmp(&entries[*other].name));
        if let Some(pair) = order
            .windows(2)
            .find(|pair| entries[pair[0]].name == entries[pair[1]].name)
        {
            return Err(DirectoryError::Duplicate(entries[pair[0]].name.clone()));
        }
        let sorted = || {
            order
                .iter()
                .map(|index| (entries[*index].name.as_str(), &entries[*index].link))
        };
        if profile.shards(sorted()) {
            return build_shards(profile, &entries);
        }
        let block = encode::directory_node(sorted());
        let below = entries.iter().map(|entry| entry.link.cumulative_size);
        let root = node_link(profile, &block, below);
        Ok(Self {
            root,
            sharded: false,
            nodes: vec![DirectoryNode {
                cid: root.cid,
                block,
                children: order.into_iter().map(Child::Entry).collect(),
            }],
        })
    }

    /// What an entry for this folder keeps.
    pub fn link(&self) -> Link {
        self.root
    }

    /// The root.
    pub fn cid(&self) -> Cid {
        self.root.cid
    }

    /// Whether it is a HAMT.
    pub fn is_sharded(&self) -> bool {
        self.sharded
    }

    /// Emits every block, depth first, a node before its children. `child` emits the DAG of the
    /// entry with the given index, in the order that was given to [`Self::build`]; it is called
    /// once for each entry.
    pub fn emit(
        &self,
        sink: &mut dyn BlockSink,
        child: &mut dyn FnMut(&mut dyn BlockSink, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        self.emit_node(0, sink, child)
    }

    /// The depth of the recursion is at most `HASH_LENGTH`.
    fn emit_node(
        &self,
        node: usize,
        sink: &mut dyn BlockSink,
        child: &mut dyn FnMut(&mut dyn BlockSink, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let node = &self.nodes[node];
        sink.put(&node.cid, &node.block)?;
        for place in &node.children {
            match place {
                Child::Entry(index) => child(sink, *index)?,
                Child::Shard(index) => self.emit_node(*index, sink, child)?,
            }
        }
        Ok(())
    }
}

fn node_link(profile: Profile, block: &[u8], below: impl Iterator<Item = u64>) -> Link {
    Link {
        cid: profile.node_cid(Sha256Digest::of(block)),
        // Sizes of entries are the caller's word; a sum beyond 2^64 is nobody's file system.
        cumulative_size: below.fold(block.len() as u64, u64::saturating_add),
    }
}

fn build_shards(
    profile: Profile,
    entries: &[DirectoryEntry],
) -> Result<DirectoryDag, DirectoryError> {
    let mut hashed: Vec<([u8; HASH_LENGTH], usize)> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (hamt::name_hash(&entry.name), index))
        .collect();
    // In this order the names of a shard are neighbours, and its slots ascend.
    hashed.sort_unstable();
    if let Some(pair) = hashed.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(DirectoryError::Collision(
            entries[pair[0].1].name.clone(),
            entries[pair[1].1].name.clone(),
        ));
    }
    let mut nodes = Vec::new();
    let root = build_shard(profile, entries, &hashed, 0, &mut nodes);
    Ok(DirectoryDag {
        root,
        sharded: true,
        nodes,
    })
}

/// Hashes differ, so the depth stays below `HASH_LENGTH`.
fn build_shard(
    profile: Profile,
    entries: &[DirectoryEntry],
    hashed: &[([u8; HASH_LENGTH], usize)],
    depth: usize,
    nodes: &mut Vec<DirectoryNode>,
) -> Link {
    let place = nodes.len();
    // Its children's CIDs come first; the place is kept so that the root stays at 0.
    nodes.push(DirectoryNode {
        cid: profile.node_cid(Sha256Digest::of(&[])),
        block: Vec::new(),
        children: Vec::new(),
    });
    let mut links = Vec::new();
    let mut children = Vec::new();
    for group in hashed.chunk_by(|one, other| one.0[depth] == other.0[depth]) {
        let slot = group[0].0[depth];
        if let [(_, index)] = group {
            let entry = &entries[*index];
            links.push((format!("{slot:02X}{}", entry.name), entry.link));
            children.push(Child::Entry(*index));
        } else {
            children.push(Child::Shard(nodes.len()));
            let link = build_shard(profile, entries, group, depth + 1, nodes);
            links.push((format!("{slot:02X}"), link));
        }
    }
    let slots = hashed.iter().map(|(hash, _)| hash[depth]);
    let block = encode::shard_node(&hamt::bitfield(slots), &links);
    let below = links.iter().map(|(_, link)| link.cumulative_size);
    let link = node_link(profile, &block, below);
    nodes[place] = DirectoryNode {
        cid: link.cid,
        block,
        children,
    };
    link
}
