//! Errors of archives.

use std::io;

use thiserror::Error;

use super::MAX_BLOCKS;
use crate::{Cid, DecodeError, HASH_LENGTH};

/// The reason why an archive cannot be read or is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CarError {
    /// Reading failed.
    #[error("cannot read the archive")]
    Io(#[from] io::Error),
    /// The archive ends before this byte.
    #[error("the archive ends in the middle of the section at byte {offset}")]
    Truncated {
        /// The position of the incomplete section.
        offset: u64,
    },
    /// The header is not that of version 1 with one root.
    #[error("the archive {0}")]
    Header(&'static str),
    /// A section is invalid.
    #[error("the section at byte {offset} {reason}")]
    Section {
        /// Its position.
        offset: u64,
        /// A reason that completes the sentence "the section at byte … ".
        reason: String,
    },
    /// A block occurs twice.
    #[error("the archive has block {0} twice")]
    Duplicate(Cid),
    /// There are more blocks than are accepted.
    #[error("the archive has more than {MAX_BLOCKS} blocks")]
    TooManyBlocks,
    /// A needed block is missing.
    #[error("the archive does not have block {0}")]
    Missing(Cid),
    /// A block's bytes do not match its CID.
    #[error("the bytes of block {0} do not match its CID")]
    Mismatch(Cid),
    /// A block is not a node.
    #[error(transparent)]
    Node(#[from] DecodeError),
    /// A node contradicts another one.
    #[error("block {cid} {reason}")]
    Tree {
        /// The node.
        cid: Cid,
        /// A reason that completes the sentence "block … ".
        reason: String,
    },
    /// A block is not part of the root's DAG.
    #[error("the archive has block {0}, which is not reachable from its root")]
    Unreachable(Cid),
    /// A block is not at its position in a depth-first walk from the root.
    #[error("the archive has block {0} out of order; blocks come depth first")]
    Order(Cid),
}

impl CarError {
    /// A file, by its root, that exceeds a limit.
    pub fn large_file(cid: Cid, size: u64, largest: u64) -> Self {
        Self::Tree {
            cid,
            reason: format!("is a file of {size} bytes; at most {largest} are allowed"),
        }
    }

    /// An entry of a shard whose name's hash, [`name_hash`](crate::name_hash), does not begin with
    /// the slots that lead to it.
    pub fn misplaced_entry(shard: Cid, name: &str) -> Self {
        Self::Tree {
            cid: shard,
            reason: format!("has the entry `{}` in a wrong slot", name.escape_debug()),
        }
    }

    /// A block that a sharded folder links to as a shard, but that is not one.
    pub fn not_a_shard(cid: Cid) -> Self {
        Self::Tree {
            cid,
            reason: "is not a non-empty part of a sharded folder, though one links to it as such"
                .to_owned(),
        }
    }

    /// A shard that is deeper than the levels of a name's hash.
    pub fn deep_shard(cid: Cid) -> Self {
        Self::Tree {
            cid,
            reason: format!("is deeper in a sharded folder than the possible {HASH_LENGTH} levels"),
        }
    }
}

impl From<CarError> for io::Error {
    fn from(error: CarError) -> Self {
        match error {
            CarError::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}
