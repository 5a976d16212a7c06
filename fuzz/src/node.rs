//! dag-pb nodes with UnixFS data, written a second time and plainly: field by field, without
//! looking at whether they make sense.

use ipwhl_unixfs::{Cid, Link, Node, ShardEntry};

/// A link as a node has it.
pub struct RawLink {
    /// What it leads to.
    pub cid: Cid,
    /// Its name.
    pub name: String,
    /// The bytes of all blocks below it, as it says.
    pub cumulative_size: u64,
}

/// The UnixFS message of a node.
#[derive(Default)]
pub struct RawData {
    /// The type.
    pub kind: u64,
    /// Bytes of its own, or the bitfield of a shard.
    pub bytes: Option<Vec<u8>>,
    /// The size of the file.
    pub file_size: Option<u64>,
    /// The sizes of its parts.
    pub block_sizes: Vec<u64>,
    /// The hash function of a HAMT.
    pub hash_type: Option<u64>,
    /// The fanout of a HAMT.
    pub fanout: Option<u64>,
}

/// Appends an unsigned LEB128 number.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a field with a number.
pub fn put_number(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(field << 3);
    put_varint(out, value);
}

/// Appends a field with bytes.
pub fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The block of a node.
pub fn block(links: &[RawLink], data: &RawData) -> Vec<u8> {
    let mut out = Vec::new();
    for link in links {
        let mut body = Vec::new();
        put_bytes(&mut body, 1, &link.cid.to_bytes());
        put_bytes(&mut body, 2, link.name.as_bytes());
        put_number(&mut body, 3, link.cumulative_size);
        put_bytes(&mut out, 2, &body);
    }
    let mut body = Vec::new();
    put_number(&mut body, 1, data.kind);
    if let Some(bytes) = &data.bytes {
        put_bytes(&mut body, 2, bytes);
    }
    let numbers = [(3, data.file_size)].into_iter();
    let sizes = data.block_sizes.iter().map(|size| (4, Some(*size)));
    let rest = [(5, data.hash_type), (6, data.fanout)];
    for (field, number) in numbers.chain(sizes).chain(rest) {
        if let Some(number) = number {
            put_number(&mut body, field, number);
        }
    }
    put_bytes(&mut out, 1, &body);
    out
}

/// The bitfield of a shard whose slots these are: big-endian, without zeros at its start.
pub fn bitfield(slots: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut bits = [0_u8; 32];
    for slot in slots {
        bits[31 - usize::from(slot) / 8] |= 1 << (slot % 8);
    }
    bits.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// A decoded node as links and data again; `None` for a raw leaf.
pub fn encoded(node: &Node<'_>) -> Option<Vec<u8>> {
    let raw_link = |name: String, link: &Link| RawLink {
        cid: link.cid,
        name,
        cumulative_size: link.cumulative_size,
    };
    let mut data = RawData::default();
    let links: Vec<RawLink> = match node {
        Node::Raw(_) => return None,
        Node::File {
            size,
            data: bytes,
            parts,
        } => {
            data.kind = 2;
            data.bytes = (!bytes.is_empty()).then(|| bytes.to_vec());
            data.file_size = Some(*size);
            data.block_sizes = parts.iter().map(|part| part.size).collect();
            let parts = parts.iter();
            parts
                .map(|part| raw_link(String::new(), &part.link))
                .collect()
        }
        Node::Directory { entries } => {
            data.kind = 1;
            let entries = entries.iter();
            entries
                .map(|entry| raw_link(entry.name.clone(), &entry.link))
                .collect()
        }
        Node::Shard { entries } => {
            data.kind = 5;
            data.bytes = Some(bitfield(entries.iter().map(ShardEntry::slot)));
            data.hash_type = Some(0x22);
            data.fanout = Some(256);
            let label = |slot: &ShardEntry| match slot {
                ShardEntry::Entry { slot, entry } => format!("{slot:02X}{}", entry.name),
                ShardEntry::Shard { slot, .. } => format!("{slot:02X}"),
            };
            let entries = entries.iter();
            entries
                .map(|slot| raw_link(label(slot), &slot.link()))
                .collect()
        }
    };
    Some(block(&links, &data))
}
