//! A folder as a DAG: one node, or a HAMT if the profile requires one.

use std::io;

use thiserror::Error;

use super::{BlockSink, Cid, HASH_LENGTH, Link, Profile, Sha256Digest, encode, hamt};

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DirectoryEntry {
    /// The name: not empty, not `.` or `..`, without `/` and NUL.
    pub name: String,
    /// The DAG below it.
    pub link: Link,
}

/// The DAG of one folder: its own nodes, and the places of its entries between them.
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
    /// The entry with this index in the argument of `build`.
    Entry(usize),
    /// The node with this index in `nodes`.
    Shard(usize),
}

/// The reason why entries cannot form a folder.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// A name that a folder cannot have.
    #[error("`{}` is not a file name", .0.escape_debug())]
    Name(String),
    /// Two entries have one name.
    #[error("a folder has two entries named `{}`", .0.escape_debug())]
    Duplicate(String),
    /// Two names have one hash, so no depth of a HAMT can distinguish them.
    #[error(
        "`{}` and `{}` have the same hash, so no sharded folder can contain both",
        .0.escape_debug(), .1.escape_debug()
    )]
    Collision(String, String),
}

/// Whether a folder's entry can have this name.
pub(super) fn is_entry_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

impl DirectoryDag {
    /// The folder of these entries, given in any order.
    pub fn build(profile: Profile, entries: Vec<DirectoryEntry>) -> Result<Self, DirectoryError> {
        // Each with its index in the argument.
        let mut sorted: Vec<(usize, DirectoryEntry)> = entries.into_iter().enumerate().collect();
        sorted.sort_by(|(_, one), (_, other)| one.name.cmp(&other.name));
        if let Some((_, entry)) = sorted.iter().find(|(_, entry)| !is_entry_name(&entry.name)) {
            return Err(DirectoryError::Name(entry.name.clone()));
        }
        if let Some(pair) = sorted
            .windows(2)
            .find(|pair| pair[0].1.name == pair[1].1.name)
        {
            return Err(DirectoryError::Duplicate(pair[0].1.name.clone()));
        }
        let named = || {
            sorted
                .iter()
                .map(|(_, entry)| (entry.name.as_str(), &entry.link))
        };
        if profile.shards(named()) {
            return build_shards(profile, &sorted);
        }
        let block = encode::directory_node(named());
        let root = node_link(
            profile,
            &block,
            named().map(|(_, link)| link.cumulative_size),
        );
        Ok(Self {
            root,
            sharded: false,
            nodes: vec![DirectoryNode {
                cid: root.cid,
                block,
                children: sorted
                    .iter()
                    .map(|(index, _)| Child::Entry(*index))
                    .collect(),
            }],
        })
    }

    /// The link to this folder.
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

    /// Emits every block, depth first, parents before children. `child` emits the DAG of the entry
    /// with the given index in the argument of [`Self::build`]; it is called once for each entry,
    /// except for those in a node that the sink has.
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
        // Also where the sink knows this folder only, and not by themselves the blocks below it.
        if sink.contains(&node.cid) {
            return Ok(());
        }
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
        // Sizes of entries come from the caller; a sum beyond 2^64 cannot occur in practice.
        cumulative_size: below.fold(block.len() as u64, u64::saturating_add),
    }
}

/// One entry of a HAMT, with the slots that lead to it.
struct Hashed<'a> {
    slots: [u8; HASH_LENGTH],
    index: usize,
    entry: &'a DirectoryEntry,
}

fn build_shards(
    profile: Profile,
    entries: &[(usize, DirectoryEntry)],
) -> Result<DirectoryDag, DirectoryError> {
    let mut hashed: Vec<Hashed<'_>> = entries
        .iter()
        .map(|(index, entry)| Hashed {
            slots: hamt::name_hash(&entry.name),
            index: *index,
            entry,
        })
        .collect();
    // In this order the names of a shard are adjacent, and its slots ascend.
    hashed.sort_by_key(|one| one.slots);
    if let Some(pair) = hashed
        .windows(2)
        .find(|pair| pair[0].slots == pair[1].slots)
    {
        return Err(DirectoryError::Collision(
            pair[0].entry.name.clone(),
            pair[1].entry.name.clone(),
        ));
    }
    let mut nodes = Vec::new();
    let root = build_shard(profile, &hashed, 0, &mut nodes);
    Ok(DirectoryDag {
        root,
        sharded: true,
        nodes,
    })
}

/// Hashes differ, so the depth stays below `HASH_LENGTH`.
fn build_shard(
    profile: Profile,
    hashed: &[Hashed<'_>],
    depth: usize,
    nodes: &mut Vec<DirectoryNode>,
) -> Link {
    let place = nodes.len();
    // Its children's CIDs come first; the position is reserved so that the root stays at 0.
    nodes.push(DirectoryNode {
        cid: profile.node_cid(Sha256Digest::of(&[])),
        block: Vec::new(),
        children: Vec::new(),
    });
    let mut links = Vec::new();
    let mut children = Vec::new();
    for group in hashed.chunk_by(|one, other| one.slots[depth] == other.slots[depth]) {
        let slot = group[0].slots[depth];
        if let [alone] = group {
            links.push((format!("{slot:02X}{}", alone.entry.name), alone.entry.link));
            children.push(Child::Entry(alone.index));
        } else {
            children.push(Child::Shard(nodes.len()));
            let link = build_shard(profile, group, depth + 1, nodes);
            links.push((format!("{slot:02X}"), link));
        }
    }
    let taken = hashed.iter().map(|one| one.slots[depth]);
    let block = encode::shard_node(&hamt::bitfield(taken), &links);
    let below = links.iter().map(|(_, link)| link.cumulative_size);
    let link = node_link(profile, &block, below);
    nodes[place] = DirectoryNode {
        cid: link.cid,
        block,
        children,
    };
    link
}
