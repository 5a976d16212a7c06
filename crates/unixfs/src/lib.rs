//! UnixFS: profiles, chunkers, balanced files, directories, HAMT; emits blocks to a sink. Pure.
//!
//! A file becomes a [`FileDag`] (what a [`FileHasher`] learns from its bytes), a folder a
//! [`DirectoryDag`]; each knows its [`Link`] without any byte being kept, and emits its blocks, in
//! the order in which `ipfs dag export` writes them, to a [`BlockSink`]. [`decode()`] goes the other
//! way and believes nothing.
//!
//! Specifications: UnixFS and dag-pb (<https://specs.ipfs.tech/unixfs/>,
//! <https://ipld.io/specs/codecs/dag-pb/spec/>), profiles as in IPIP-499
//! (<https://specs.ipfs.tech/ipips/ipip-0499/>).
//!
//! # What a folder's CID covers
//!
//! `ipfs add -r` leaves out every name that begins with a dot, at every depth (`-H` takes them in),
//! keeps symbolic links as nodes of their own ([`symlink`]) instead of following them, and keeps
//! empty folders. Permissions and times are not part of it. Whoever walks a folder and wants the
//! same CID does the same; nothing here reads a folder.

pub mod car;
mod cid;
mod decode;
mod digest;
mod directory;
mod encode;
mod file;
mod hamt;
mod hasher;
mod parallel;
mod profile;
pub mod protobuf;

use std::io;

use serde::{Deserialize, Serialize};

pub use cid::{Cid, CidError, Codec, Version};
pub use decode::{DecodeError, FilePart, MAX_LINKS, Node, ShardEntry, decode, symlink_target};
pub use digest::{DigestError, Sha256Digest};
pub use directory::{DirectoryDag, DirectoryEntry, DirectoryError};
pub use encode::symlink;
pub use file::{FileDag, FileDagError, leaf_content};
pub use hamt::{HASH_LENGTH, name_hash};
pub use hasher::{FileHasher, LeafHasher};
pub use parallel::{HashFilesError, hash_files};
pub use profile::{Profile, UnknownProfile};

/// What a directory entry or an inner node keeps of the DAG below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Link {
    /// The root of that DAG.
    pub cid: Cid,
    /// The bytes of all its blocks, a block that occurs twice counted twice: dag-pb's `Tsize`.
    pub cumulative_size: u64,
}

/// Where blocks go.
pub trait BlockSink {
    /// Takes one block; a sink may drop one that it has already.
    fn put(&mut self, cid: &Cid, bytes: &[u8]) -> io::Result<()>;

    /// Whether the block was put before, and with it, as blocks come depth first, all of the DAG
    /// below it. Lets a caller spare itself the bytes of a file that occurs twice.
    fn contains(&self, cid: &Cid) -> bool {
        let _ = cid;
        false
    }
}
