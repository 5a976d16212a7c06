//! dag-pb nodes with UnixFS data, byte for byte like Kubo's: links before data, every link with
//! `Hash`, `Name` (even if empty) and `Tsize`, in this order.
//!
//! The tags are protobuf's `field number << 3 | wire type`; each is below 128.

use super::Link;
use super::protobuf::{put_bytes, put_number};

// PBNode
const NODE_DATA: u8 = 0x0a;
const NODE_LINK: u8 = 0x12;
// PBLink
const LINK_HASH: u8 = 0x0a;
const LINK_NAME: u8 = 0x12;
const LINK_TSIZE: u8 = 0x18;
// UnixFS Data
const DATA_TYPE: u8 = 0x08;
const DATA_DATA: u8 = 0x12;
const DATA_FILE_SIZE: u8 = 0x18;
const DATA_BLOCK_SIZE: u8 = 0x20;
const DATA_HASH_TYPE: u8 = 0x28;
const DATA_FANOUT: u8 = 0x30;
// UnixFS Data.DataType
const TYPE_DIRECTORY: u8 = 1;
const TYPE_FILE: u8 = 2;
const TYPE_SYMLINK: u8 = 4;
const TYPE_SHARD: u8 = 5;

/// The data field of a plain directory, as encoded in the node.
pub(super) const DIRECTORY_DATA: [u8; 4] = [NODE_DATA, 2, DATA_TYPE, TYPE_DIRECTORY];

/// One child of a file's inner node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) link: Link,
    /// The bytes of the file below it.
    pub(super) size: u64,
}

/// The length of the varint of a number, in bytes.
pub(super) fn varint_length(value: u64) -> usize {
    (value.max(1).ilog2() / 7 + 1) as usize
}

fn link_body_length(name: &str, link: &Link) -> usize {
    let cid = link.cid.byte_length();
    1 + varint_length(cid as u64)
        + cid
        + 1
        + varint_length(name.len() as u64)
        + name.len()
        + 1
        + varint_length(link.cumulative_size)
}

/// The number of bytes that a link adds to its node.
pub(super) fn link_length(name: &str, link: &Link) -> usize {
    let body = link_body_length(name, link);
    1 + varint_length(body as u64) + body
}

fn put_link(out: &mut Vec<u8>, name: &str, link: &Link) {
    put_number(out, NODE_LINK, link_body_length(name, link) as u64);
    put_bytes(out, LINK_HASH, &link.cid.to_bytes());
    put_bytes(out, LINK_NAME, name.as_bytes());
    put_number(out, LINK_TSIZE, link.cumulative_size);
}

/// The bytes before and after the contents of a file in a dag-pb leaf.
pub(super) fn leaf_frame(length: usize) -> (Vec<u8>, Vec<u8>) {
    let mut before = vec![DATA_TYPE, TYPE_FILE];
    if length > 0 {
        put_number(&mut before, DATA_DATA, length as u64);
    }
    let mut after = Vec::new();
    put_number(&mut after, DATA_FILE_SIZE, length as u64);
    let mut frame = Vec::new();
    put_number(
        &mut frame,
        NODE_DATA,
        (before.len() + length + after.len()) as u64,
    );
    frame.append(&mut before);
    (frame, after)
}

/// An inner node of a file.
pub(super) fn file_node(parts: &[Part]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.len() * 56);
    for part in parts {
        put_link(&mut out, "", &part.link);
    }
    let mut data = vec![DATA_TYPE, TYPE_FILE];
    put_number(
        &mut data,
        DATA_FILE_SIZE,
        parts.iter().map(|part| part.size).sum(),
    );
    for part in parts {
        put_number(&mut data, DATA_BLOCK_SIZE, part.size);
    }
    put_bytes(&mut out, NODE_DATA, &data);
    out
}

/// A plain directory; `entries` are in the order of their names' bytes.
pub(super) fn directory_node<'a>(entries: impl Iterator<Item = (&'a str, &'a Link)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, link) in entries {
        put_link(&mut out, name, link);
    }
    out.extend(DIRECTORY_DATA);
    out
}

/// A HAMT shard; `entries` are in the order of their slots, and each name begins with its slot.
pub(super) fn shard_node(bitfield: &[u8], entries: &[(String, Link)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, link) in entries {
        put_link(&mut out, name, link);
    }
    let mut data = vec![DATA_TYPE, TYPE_SHARD];
    put_bytes(&mut data, DATA_DATA, bitfield);
    put_number(&mut data, DATA_HASH_TYPE, super::hamt::HASH_TYPE);
    put_number(&mut data, DATA_FANOUT, super::hamt::FANOUT);
    put_bytes(&mut out, NODE_DATA, &data);
    out
}

/// A symbolic link to `target`.
pub(super) fn symlink_node(target: &str) -> Vec<u8> {
    let mut data = vec![DATA_TYPE, TYPE_SYMLINK];
    put_bytes(&mut data, DATA_DATA, target.as_bytes());
    let mut out = Vec::new();
    put_bytes(&mut out, NODE_DATA, &data);
    out
}
