//! What can be wrong with an archive.

use std::io;

use thiserror::Error;

use super::MAX_BLOCKS;
use crate::{Cid, DecodeError, HASH_LENGTH};

/// Why an archive cannot be read or is not believed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CarError {
    /// Reading failed.
    #[error("the archive could not be read")]
    Io(#[from] io::Error),
    /// The archive ends where this byte should be.
    #[error("the archive is cut short in what begins at byte {offset}")]
    Truncated {
        /// Where the section that is cut begins.
        offset: u64,
    },
    /// The header is not that of version 1 with one root.
    #[error("the archive {0}")]
    Header(&'static str),
    /// A section is not what it should be.
    #[error("the section at byte {offset} {reason}")]
    Section {
        /// Where it begins.
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
    /// A block is needed that is not there.
    #[error("the archive does not have block {0}")]
    Missing(Cid),
    /// A block's bytes are not what its CID says.
    #[error("the bytes of block {0} are not what its CID says")]
    Mismatch(Cid),
    /// A block is no node.
    #[error(transparent)]
    Node(#[from] DecodeError),
    /// A node says something of another one that does not hold.
    #[error("block {cid} {reason}")]
    Tree {
        /// The node.
        cid: Cid,
        /// A reason that completes the sentence "block … ".
        reason: String,
    },
    /// A block is not part of the root's DAG.
    #[error("the archive has block {0}, which its root does not lead to")]
    Unreachable(Cid),
    /// A block is not where a depth-first walk from the root comes to it.
    #[error("the archive has block {0} out of order; blocks come depth first")]
    Order(Cid),
}

impl CarError {
    /// A file, by its root, that is larger than a limit.
    pub fn large_file(cid: Cid, size: u64, largest: u64) -> Self {
        Self::Tree {
            cid,
            reason: format!("is a file of {size} bytes, more than the {largest} that it may have"),
        }
    }

    /// An entry of a shard whose name's hash, [`name_hash`](crate::name_hash), does not begin with
    /// the slots that lead to it.
    pub fn misplaced_entry(shard: Cid, name: &str) -> Self {
        Self::Tree {
            cid: shard,
            reason: format!(
                "has the entry `{}` in a slot that is not its own",
                name.escape_debug()
            ),
        }
    }

    /// A block that a sharded folder links to as its part, and that is none.
    pub fn not_a_shard(cid: Cid) -> Self {
        Self::Tree {
            cid,
            reason: "is no filled part of a sharded folder, though one links to it as such"
                .to_owned(),
        }
    }

    /// A shard that is deeper than a name's hash has levels.
    pub fn deep_shard(cid: Cid) -> Self {
        Self::Tree {
            cid,
            reason: format!("is deeper in a sharded folder than the {HASH_LENGTH} levels of one"),
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
