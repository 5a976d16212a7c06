//! The place of a name in a HAMT: the first 64 bits of `MurmurHash3` x64-128, a byte a level
//! (UnixFS, "HAMT Structure and Parameters").

/// Slots of a shard; one byte of the hash chooses.
pub(super) const FANOUT: u64 = 256;
/// Multicodec `murmur3-x64-64`.
pub(super) const HASH_TYPE: u64 = 0x22;
/// The bytes of a name's hash, and so the most levels of a HAMT.
pub const HASH_LENGTH: usize = 8;

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

/// The slots of a name, from the root down.
pub fn name_hash(name: &str) -> [u8; HASH_LENGTH] {
    let bytes = name.as_bytes();
    let (mut h1, mut h2) = (0_u64, 0_u64);
    let (blocks, tail) = bytes.as_chunks::<16>();
    for block in blocks {
        let (k1, k2) = halves(block);
        h1 ^= mix1(k1);
        h1 = h1.rotate_left(27).wrapping_add(h2);
        h1 = h1.wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix2(k2);
        h2 = h2.rotate_left(31).wrapping_add(h1);
        h2 = h2.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    // The tail is padded with zeros, and mixing a half of zeros gives zero.
    let mut last = [0; 16];
    last[..tail.len()].copy_from_slice(tail);
    let (k1, k2) = halves(&last);
    h2 ^= mix2(k2);
    h1 ^= mix1(k1);

    h1 ^= bytes.len() as u64;
    h2 ^= bytes.len() as u64;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finalise(h1);
    h2 = finalise(h2);
    h1.wrapping_add(h2).to_be_bytes()
}

fn halves(block: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*block);
    #[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
    let low = both as u64;
    (low, (both >> 64) as u64)
}

fn mix1(k1: u64) -> u64 {
    k1.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

fn mix2(k2: u64) -> u64 {
    k2.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

fn finalise(mut k: u64) -> u64 {
    k ^= k >> 33;
    k = k.wrapping_mul(0xff51_afd7_ed55_8ccd);
    k ^= k >> 33;
    k = k.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ (k >> 33)
}

/// The bitfield of a shard, big-endian, without leading zeros; `slots` are the used ones.
pub(super) fn bitfield(slots: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut bits = [0_u8; 32];
    for slot in slots {
        bits[31 - usize::from(slot / 8)] |= 1 << (slot % 8);
    }
    let zeros = bits.iter().take_while(|byte| **byte == 0).count();
    bits[zeros..].to_vec()
}
