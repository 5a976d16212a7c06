//! A release that a target holds.

use std::fmt;

use ipwhl_unixfs::Cid;

/// A release of this repository that a target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedRelease {
    /// Its root.
    pub root: Cid,
    /// The sequence of its statement; `None` for one that was published without.
    pub sequence: Option<u64>,
}

impl fmt::Display for PublishedRelease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sequence {
            Some(sequence) => write!(formatter, "sequence {sequence}, {}", self.root),
            None => write!(formatter, "{}, without a statement", self.root),
        }
    }
}
