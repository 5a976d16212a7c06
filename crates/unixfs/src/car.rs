//! Content-addressed archives: a writer, an index and a reader that hashes every byte.
//!
//! The format is `CARv1` (<https://ipld.io/specs/transport/car/carv1/>) with one root, each block
//! once, depth first: byte for byte like `ipfs dag export`. A [`CarWriter`] writes blocks in the
//! order in which it receives them as a [`BlockSink`].
//!
//! [`BlockSink`]: crate::BlockSink

mod blocks;
mod error;
mod file_dag;
mod incoming;
mod reader;
mod stream;
mod tree;
mod writer;

use crate::{Cid, Version};

pub use blocks::Blocks;
pub use error::CarError;
pub use file_dag::file_dag;
pub use incoming::Incoming;
pub use reader::CarReader;
pub use stream::{FileCursor, FileReader};
pub use tree::{Found, Kind, Tree};
pub use writer::{CarSummary, CarWriter, archive_start, section_start};

/// The largest block: the limit that every IPFS implementation accepts from a peer.
pub const MAX_BLOCK: usize = 2 * 1024 * 1024;
/// The most blocks of a readable archive; their index takes about 100 bytes each.
pub const MAX_BLOCKS: usize = 4_000_000;
/// The deepest nesting of nodes, from the root of an archive to a leaf.
pub const MAX_DEPTH: usize = 256;
/// The largest readable file, in bytes. Repeated links to one block can make a file of any size
/// from a small archive.
pub const MAX_FILE: u64 = 8 << 30;
/// The longest header that is read; one root takes 58 bytes or less.
const MAX_HEADER: u64 = 4096;
/// The longest varint (multiformats `unsigned-varint`).
const MAX_VARINT: usize = 9;

/// `{"roots": [` in DAG-CBOR, up to the tag of a CID.
const HEADER_START: &[u8] = b"\xa2\x65roots\x81";
/// `], "version": 1}`.
const HEADER_END: &[u8] = b"\x67version\x01";

/// The DAG-CBOR header of an archive with this root.
fn header(root: &Cid) -> Vec<u8> {
    let mut out = HEADER_START.to_vec();
    // Tag 42, a byte string with its length in one byte, and the identity multibase's zero.
    let length = match root.version() {
        Version::V0 => 35,
        Version::V1 => 37,
    };
    out.extend([0xd8, 42, 0x58, length, 0]);
    out.extend(root.to_bytes());
    out.extend(HEADER_END);
    out
}
