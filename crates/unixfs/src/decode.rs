//! Decodes blocks into nodes. Nothing is trusted: nodes that Kubo would not write in these profiles
//! are errors, and no input causes a panic or an allocation beyond a small multiple of the block.

use thiserror::Error;

use super::directory::is_entry_name;
use super::hamt::{self, FANOUT, HASH_TYPE};
use super::protobuf::{Fields, Value};
use super::{Cid, Codec, DirectoryEntry, Link};

/// The most links of one node; at 40 bytes or more a link, a block of 2 MiB cannot have many more.
pub const MAX_LINKS: usize = 65_536;

/// One child of a file's inner node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePart {
    /// The child.
    pub link: Link,
    /// The number of the file's bytes below it, according to its parent.
    pub size: u64,
}

/// One slot of a HAMT shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardEntry {
    /// The slot holds one entry.
    Entry {
        /// The slot.
        slot: u8,
        /// The entry.
        entry: DirectoryEntry,
    },
    /// The slot holds another shard, a level deeper.
    Shard {
        /// The slot.
        slot: u8,
        /// The shard.
        link: Link,
    },
}

impl ShardEntry {
    /// The slot.
    pub fn slot(&self) -> u8 {
        match self {
            Self::Entry { slot, .. } | Self::Shard { slot, .. } => *slot,
        }
    }

    /// The target of the slot.
    pub fn link(&self) -> Link {
        match self {
            Self::Entry { entry, .. } => entry.link,
            Self::Shard { link, .. } => *link,
        }
    }
}

/// A decoded block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node<'a> {
    /// A raw leaf: bytes of a file.
    Raw(&'a [u8]),
    /// A node of a file: either with its own bytes, or with parts.
    File {
        /// The bytes of the file from here down; the sum of the bytes and the parts.
        size: u64,
        /// Its own bytes; empty if it has parts.
        data: &'a [u8],
        /// The parts, in the file's order.
        parts: Vec<FilePart>,
    },
    /// A whole folder, in the order of its names' bytes, no name twice.
    Directory {
        /// The entries.
        entries: Vec<DirectoryEntry>,
    },
    /// A part of a folder, in the order of its slots, no slot twice.
    Shard {
        /// The used slots.
        entries: Vec<ShardEntry>,
    },
}

impl Node<'_> {
    /// Every link, in the block's order.
    pub fn links(&self) -> Vec<Link> {
        match self {
            Self::Raw(_) => Vec::new(),
            Self::File { parts, .. } => parts.iter().map(|part| part.link).collect(),
            Self::Directory { entries } => entries.iter().map(|entry| entry.link).collect(),
            Self::Shard { entries } => entries.iter().map(ShardEntry::link).collect(),
        }
    }
}

/// The reason why a block is not a supported node.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("block {cid} {reason}")]
pub struct DecodeError {
    cid: Cid,
    reason: String,
}

/// Decodes the block of `cid`. The caller must have verified that it *is* the block of `cid`:
/// [`Cid::matches`].
pub fn decode<'a>(cid: &Cid, block: &'a [u8]) -> Result<Node<'a>, DecodeError> {
    match cid.codec() {
        Codec::Raw => Ok(Node::Raw(block)),
        Codec::DagPb => node(block).map_err(|reason| DecodeError { cid: *cid, reason }),
    }
}

/// The target of a symbolic link, as [`symlink`](super::symlink()) writes it; `None` for any other
/// block. [`decode()`] refuses them, since no release has one.
pub fn symlink_target<'a>(cid: &Cid, block: &'a [u8]) -> Option<&'a [u8]> {
    if cid.codec() != Codec::DagPb {
        return None;
    }
    let (links, data) = parts(block).ok()?;
    let is_link = data.kind == 4 && links.is_empty() && is_bare(&data);
    let is_link = is_link && data.hash_type.is_none() && data.fanout.is_none();
    data.bytes.filter(|_| is_link)
}

/// A reason that completes the sentence "block … ".
type Parsed<T> = Result<T, String>;

fn refuse<T>(reason: impl Into<String>) -> Parsed<T> {
    Err(reason.into())
}

/// A `PBLink` (dag-pb, "Protobuf Strictness": fields in their order, each at most once).
fn link(bytes: &[u8]) -> Parsed<(&str, Link)> {
    let mut fields = Fields::of(bytes);
    let Some((1, Value::Bytes(cid))) = fields.next_field()? else {
        return refuse("has a link without a CID");
    };
    let cid =
        Cid::from_bytes(cid).map_err(|error| format!("has a link that is refused: {error}"))?;
    let Some((2, Value::Bytes(name))) = fields.next_field()? else {
        return refuse("has a link without a name");
    };
    let Some((3, Value::Number(cumulative_size))) = fields.next_field()? else {
        return refuse("has a link without a size");
    };
    if fields.next_field()?.is_some() {
        return refuse("has a link with an unknown field");
    }
    let Ok(name) = std::str::from_utf8(name) else {
        return refuse("has a link whose name is not UTF-8");
    };
    Ok((
        name,
        Link {
            cid,
            cumulative_size,
        },
    ))
}

/// The UnixFS message of a node.
#[derive(Default)]
struct Data<'a> {
    kind: u64,
    bytes: Option<&'a [u8]>,
    file_size: Option<u64>,
    block_sizes: Vec<u64>,
    hash_type: Option<u64>,
    fanout: Option<u64>,
}

fn data(bytes: &[u8]) -> Parsed<Data<'_>> {
    let mut fields = Fields::of(bytes);
    let mut data = Data::default();
    let Some((1, Value::Number(kind))) = fields.next_field()? else {
        return refuse("has UnixFS data without a type");
    };
    data.kind = kind;
    let mut last = 1;
    while let Some((field, value)) = fields.next_field()? {
        if field < last || (field == last && field != 4) {
            return refuse(format!("has UnixFS field {field} twice or out of order"));
        }
        last = field;
        match (field, value) {
            (2, Value::Bytes(bytes)) => data.bytes = Some(bytes),
            (3, Value::Number(size)) => data.file_size = Some(size),
            (4, Value::Number(size)) => data.block_sizes.push(size),
            (5, Value::Number(kind)) => data.hash_type = Some(kind),
            (6, Value::Number(fanout)) => data.fanout = Some(fanout),
            (7 | 8, _) => return refuse("has a mode or a time, which no profile writes"),
            _ => return refuse(format!("has an unknown UnixFS field {field}")),
        }
    }
    Ok(data)
}

/// The links and the UnixFS message of a node.
fn parts(block: &[u8]) -> Parsed<(Vec<(&str, Link)>, Data<'_>)> {
    let mut fields = Fields::of(block);
    let mut links = Vec::new();
    let mut found = None;
    while let Some((field, value)) = fields.next_field()? {
        match (field, value) {
            (2, Value::Bytes(bytes)) if found.is_none() => {
                if links.len() == MAX_LINKS {
                    return refuse(format!("has more than {MAX_LINKS} links"));
                }
                links.push(link(bytes)?);
            }
            (1, Value::Bytes(bytes)) if found.is_none() => found = Some(data(bytes)?),
            (1 | 2, Value::Bytes(_)) => return refuse("has a field after its data"),
            _ => return refuse(format!("has an unknown field {field}")),
        }
    }
    match found {
        Some(data) => Ok((links, data)),
        None => refuse("has no UnixFS data"),
    }
}

fn node(block: &[u8]) -> Parsed<Node<'_>> {
    let (links, data) = parts(block)?;
    match data.kind {
        0 => refuse("is of the UnixFS type raw, which no profile writes"),
        2 => file(data, &links),
        1 => directory(&data, &links),
        3 => refuse("is UnixFS metadata, which is not supported"),
        4 => refuse("is a symbolic link, which is not supported"),
        5 => shard(&data, &links),
        other => refuse(format!("is of the unknown UnixFS type {other}")),
    }
}

fn file<'a>(data: Data<'a>, links: &[(&str, Link)]) -> Parsed<Node<'a>> {
    if data.hash_type.is_some() || data.fanout.is_some() {
        return refuse("is a file with the fields of a sharded folder");
    }
    if links.iter().any(|(name, _)| !name.is_empty()) {
        return refuse("is a file whose links have names");
    }
    if links.len() != data.block_sizes.len() {
        return refuse(format!(
            "is a file with {} links and {} sizes",
            links.len(),
            data.block_sizes.len()
        ));
    }
    if data.bytes.is_some_and(<[u8]>::is_empty) {
        return refuse("is a file with an empty field of bytes");
    }
    let bytes = data.bytes.unwrap_or_default();
    if !bytes.is_empty() && !links.is_empty() {
        return refuse("is a file with both bytes and links");
    }
    let total = data
        .block_sizes
        .iter()
        .try_fold(bytes.len() as u64, |sum, size| sum.checked_add(*size));
    if total.is_none() || total != data.file_size {
        return refuse("is a file whose size is not the sum of its parts");
    }
    let parts = links.iter().zip(data.block_sizes);
    Ok(Node::File {
        size: total.unwrap_or_default(),
        data: bytes,
        parts: parts
            .map(|((_, link), size)| FilePart { link: *link, size })
            .collect(),
    })
}

fn is_bare(data: &Data<'_>) -> bool {
    data.file_size.is_none() && data.block_sizes.is_empty()
}

fn directory<'a>(data: &Data<'a>, links: &[(&str, Link)]) -> Parsed<Node<'a>> {
    if !is_bare(data) || data.bytes.is_some() || data.hash_type.is_some() || data.fanout.is_some() {
        return refuse("is a folder with the fields of something else");
    }
    if let Some(pair) = links.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
        return refuse(format!(
            "is a folder with `{}` twice or out of order",
            pair[1].0.escape_debug()
        ));
    }
    let entries = links
        .iter()
        .map(|(name, link)| entry(name, *link))
        .collect::<Parsed<_>>()?;
    Ok(Node::Directory { entries })
}

fn entry(name: &str, link: Link) -> Parsed<DirectoryEntry> {
    if is_entry_name(name) {
        Ok(DirectoryEntry {
            name: name.to_owned(),
            link,
        })
    } else {
        refuse(format!(
            "is a folder with the name `{}`, which no entry can have",
            name.escape_debug()
        ))
    }
}

fn shard<'a>(data: &Data<'a>, links: &[(&str, Link)]) -> Parsed<Node<'a>> {
    if !is_bare(data) {
        return refuse("is a sharded folder with the fields of a file");
    }
    if data.hash_type != Some(HASH_TYPE) || data.fanout != Some(FANOUT) {
        return refuse("is a sharded folder with another hash function or fanout");
    }
    let entries = links
        .iter()
        .map(|(label, link)| slot(label, *link))
        .collect::<Parsed<Vec<_>>>()?;
    if entries
        .windows(2)
        .any(|pair| pair[0].slot() >= pair[1].slot())
    {
        return refuse("is a sharded folder with a slot twice or out of order");
    }
    let bitfield = hamt::bitfield(entries.iter().map(ShardEntry::slot));
    if data.bytes != Some(&bitfield[..]) {
        return refuse("is a sharded folder whose bitfield is not that of its links");
    }
    Ok(Node::Shard { entries })
}

/// A shard's link: two upper-case hex digits, and the name if it is an entry.
fn slot(label: &str, link: Link) -> Parsed<ShardEntry> {
    let Some((digits, name)) = label.split_at_checked(2) else {
        return refuse("is a sharded folder with a link that names no slot");
    };
    let slot = u8::from_str_radix(digits, 16)
        .ok()
        .filter(|slot| format!("{slot:02X}") == digits);
    let Some(slot) = slot else {
        return refuse("is a sharded folder with a link that names no slot");
    };
    Ok(if name.is_empty() {
        ShardEntry::Shard { slot, link }
    } else {
        ShardEntry::Entry {
            slot,
            entry: entry(name, link)?,
        }
    })
}
