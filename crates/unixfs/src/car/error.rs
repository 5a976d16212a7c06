//! What can be wrong with an archive.

use std::fmt;
use std::io;

use crate::{Cid, DecodeError};

/// Why an archive cannot be read or is not believed.
#[derive(Debug)]
#[non_exhaustive]
pub enum CarError {
    /// Reading failed.
    Io(io::Error),
    /// The archive ends where this byte should be.
    Truncated {
        /// Where the section that is cut begins.
        offset: u64,
    },
    /// The header is not that of version 1 with one root.
    Header(&'static str),
    /// A section is not what it should be.
    Section {
        /// Where it begins.
        offset: u64,
        /// A reason that completes the sentence "the section at byte … ".
        reason: String,
    },
    /// A block occurs twice.
    Duplicate(Cid),
    /// There are more blocks than are accepted.
    TooManyBlocks,
    /// A block is needed that is not there.
    Missing(Cid),
    /// A block's bytes are not what its CID says.
    Mismatch(Cid),
    /// A block is no node.
    Node(DecodeError),
    /// A node says something of another one that does not hold.
    Tree {
        /// The node.
        cid: Cid,
        /// A reason that completes the sentence "block … ".
        reason: String,
    },
    /// A block is not part of the root's DAG.
    Unreachable(Cid),
    /// A block is not where a depth-first walk from the root comes to it.
    Order(Cid),
}

impl fmt::Display for CarError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_) => formatter.write_str("the archive could not be read"),
            Self::Truncated { offset } => write!(
                formatter,
                "the archive is cut short in what begins at byte {offset}"
            ),
            Self::Header(reason) => write!(formatter, "the archive {reason}"),
            Self::Section { offset, reason } => {
                write!(formatter, "the section at byte {offset} {reason}")
            }
            Self::Duplicate(cid) => write!(formatter, "the archive has block {cid} twice"),
            Self::TooManyBlocks => write!(
                formatter,
                "the archive has more than {} blocks",
                super::MAX_BLOCKS
            ),
            Self::Missing(cid) => write!(formatter, "the archive does not have block {cid}"),
            Self::Mismatch(cid) => write!(
                formatter,
                "the bytes of block {cid} are not what its CID says"
            ),
            Self::Node(error) => error.fmt(formatter),
            Self::Tree { cid, reason } => write!(formatter, "block {cid} {reason}"),
            Self::Unreachable(cid) => write!(
                formatter,
                "the archive has block {cid}, which its root does not lead to"
            ),
            Self::Order(cid) => write!(
                formatter,
                "the archive has block {cid} out of order; blocks come depth first"
            ),
        }
    }
}

impl std::error::Error for CarError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for CarError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DecodeError> for CarError {
    fn from(error: DecodeError) -> Self {
        Self::Node(error)
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
