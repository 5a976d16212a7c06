//! Content-addressed archives: a writer, an index and a reader that believes no byte that it has not hashed.
//!
//! The format is `CARv1` (<https://ipld.io/specs/transport/car/carv1/>) with one root, each block
//! once, depth first: byte for byte what `ipfs dag export` writes. What a [`BlockSink`] is given in
//! that order a [`CarWriter`] writes in that order; [`CarReader::verify`] holds an archive to it.
//!
//! An archive may have a part of its release only: see [`Extent`]. [`walk()`] goes over a release as far as its
//! blocks can be had, and [`CarReader::survey`] says what an archive lacks.
//!
//! [`BlockSink`]: crate::dag::BlockSink

mod blocks;
mod error;
mod extent;
mod file_dag;
mod incoming;
mod known;
mod part;
mod reach;
mod reader;
mod stream;
mod tree;
mod verify;
mod walk;
mod writer;

use crate::dag::{Cid, Version};

pub use blocks::Blocks;
pub use error::CarError;
pub use extent::Extent;
pub use file_dag::file_dag;
pub use incoming::Incoming;
pub use known::{Known, known};
pub use part::{write_full, write_hollow};
pub use reach::reach;
pub use reader::CarReader;
pub use stream::{FileCursor, FileReader};
pub use tree::{Found, Kind, Tree};
pub use verify::{Lacking, Survey};
pub use walk::{Place, Visitor, walk};
pub use writer::{CarSummary, CarWriter, archive_start, section_start};

pub(crate) use walk::may_be_leaf;

/// The largest block: what every IPFS implementation accepts from a peer.
pub const MAX_BLOCK: usize = 2 * 1024 * 1024;
/// The most blocks of an archive that is opened; their index takes about 100 bytes each.
pub const MAX_BLOCKS: usize = 4_000_000;
/// The deepest nesting of nodes, from the root of an archive to a leaf.
pub const MAX_DEPTH: usize = 256;
/// The largest wheel of a release, in bytes: no larger file is read. Links to one block many times make a file of any size
/// out of a small archive.
pub const LARGEST_WHEEL: u64 = 8 << 30;
/// The largest other file of a release, in bytes: a page, METADATA.
pub const LARGEST_PAGE: u64 = 64 << 20;
/// The largest declaration, in bytes, in a repository and in a release. One that is parsed takes a hundred times as much
/// memory.
pub const LARGEST_DECLARATION: u64 = 1 << 20;
/// The most nodes of one file, each as often as it is linked to: twice those of the largest wheel in the smallest chunks
/// of a profile.
pub const MAX_FILE_NODES: u64 = 65_536;
/// The most nodes of a release, each as often as it is linked to.
pub const MAX_NODES: u64 = 16_000_000;
/// How many times larger than its archive the files of a release may be, as far as the archive has their blocks, where they
/// come to more than the largest wheel.
pub const MAX_REPETITION: u64 = 1024;
/// The name of a declaration in the folder of its project.
pub(crate) const DECLARATION: &str = "declaration.toml";
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
