//! UnixFS, the file system of IPFS: CIDs and archives without a node, byte for byte as `ipfs add`
//! and `ipfs dag export` make them.
//!
//! Pure: no network, no clock and no path. Bytes come from a [`Read`](std::io::Read), and blocks go
//! to a [`BlockSink`].
//!
//! - A file becomes a [`FileDag`], which a [`FileHasher`] computes from its bytes. A folder becomes
//!   a [`DirectoryDag`]. Each has its [`Link`], keeps no byte of a file, and emits its blocks depth
//!   first.
//! - A [`Profile`] is the set of import parameters that makes a CID reproducible.
//! - [`decode()`] is the inverse, from a block to a [`Node`]. It validates everything.
//! - [`car`] writes and reads archives.
//!
//! # The CID of a file
//!
//! ```
//! use ipwhl_unixfs::{FileHasher, Profile};
//!
//! let mut hasher = FileHasher::new(Profile::UnixfsV1_2025);
//! hasher.update(b"hello ");
//! hasher.update(b"world\n");
//! let (file, _sha256) = hasher.finish();
//! assert_eq!(
//!     file.cid().to_string(),
//!     "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
//! );
//! ```
//!
//! [`hash_files()`] hashes many files on several threads.
//!
//! # The CID of a folder, and an archive of it
//!
//! ```
//! use std::io::Cursor;
//!
//! use ipwhl_unixfs::car::{CarReader, CarWriter, FileReader, Tree as _};
//! use ipwhl_unixfs::{DirectoryDag, DirectoryEntry, FileHasher, Profile};
//!
//! let bytes = b"hello world\n";
//! let profile = Profile::UnixfsV0_2015;
//! let mut hasher = FileHasher::new(profile);
//! hasher.update(bytes);
//! let (file, _) = hasher.finish();
//!
//! let entry = DirectoryEntry {
//!     name: "hello.txt".to_owned(),
//!     link: file.link(),
//! };
//! let folder = DirectoryDag::build(profile, vec![entry])?;
//! assert_eq!(
//!     folder.cid().to_string(),
//!     "QmfLiVjH2vujCVP2e75zyzBYmpcjktmDeU1YBz6Ct8BBsc"
//! );
//!
//! // The folder emits its own blocks, and asks for those of each entry where they belong.
//! let mut writer = CarWriter::new(Vec::new(), folder.cid())?;
//! folder.emit(&mut writer, &mut |sink, _index| file.emit(sink, &mut &bytes[..]))?;
//! let (archive, summary) = writer.finish()?;
//! assert_eq!(summary.blocks, 2);
//!
//! // Each block is hashed when it is read.
//! let archive = CarReader::open(Cursor::new(archive))?;
//! let found = archive.resolve(&archive.root(), "hello.txt")?;
//! let cid = found.expect("the file is in the folder").cid;
//! assert_eq!(FileReader::read_whole(&archive, &cid, 1 << 20)?, bytes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a folder's CID covers
//!
//! `ipfs add -r` leaves out every name that begins with a dot, at every depth (`-H` includes them).
//! It stores symbolic links as nodes ([`symlink()`]) instead of following them, and keeps empty
//! folders. Permissions and times are not stored. Code that walks a folder must do the same to get
//! the same CID; this crate reads no folder.
//!
//! # Specifications
//!
//! - UnixFS: <https://specs.ipfs.tech/unixfs/>
//! - dag-pb: <https://ipld.io/specs/codecs/dag-pb/spec/>
//! - Profiles, IPIP-499: <https://specs.ipfs.tech/ipips/ipip-0499/>
//! - `CARv1`: <https://ipld.io/specs/transport/car/carv1/>

// Bottom up: names of blocks, blocks, files, folders, archives.
mod cid;
mod digest;
pub mod protobuf;

mod decode;
mod encode;
mod hamt;
mod profile;

mod directory;
mod file;
mod hasher;
mod parallel;
mod symlink;

pub mod car;

use std::io;

use serde::{Deserialize, Serialize};

pub use cid::{Cid, CidError, Codec, Version};
pub use decode::{DecodeError, FilePart, MAX_LINKS, Node, ShardEntry, decode, symlink_target};
pub use digest::{DigestError, Sha256Digest};
pub use directory::{DirectoryDag, DirectoryEntry, DirectoryError};
pub use file::{FileDag, FileDagError, leaf_content};
pub use hamt::{HASH_LENGTH, name_hash};
pub use hasher::{FileHasher, LeafHasher};
pub use parallel::{HashFilesError, hash_files};
pub use profile::{Profile, UnknownProfile};
pub use symlink::symlink;

/// A link of a directory entry or an inner node to the DAG below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Link {
    /// The root of that DAG.
    pub cid: Cid,
    /// The total size of its blocks, counting a block as often as it occurs: dag-pb's `Tsize`.
    pub cumulative_size: u64,
}

/// Receives blocks.
pub trait BlockSink {
    /// Receives one block; a sink may drop one that it has already.
    fn put(&mut self, cid: &Cid, bytes: &[u8]) -> io::Result<()>;

    /// Whether the block was put before, and with it, because blocks come depth first, all of the
    /// DAG below it. A caller can then skip reading a file that occurs twice.
    fn contains(&self, cid: &Cid) -> bool {
        let _ = cid;
        false
    }
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
