//! The kinds of archives, by the part of the release that each contains.

use std::fmt;

use crate::release::names::{CAR, DELTA_CAR, HOLLOW_CAR};

/// The part of a release that an archive contains. Every kind has the release's root, and its
/// blocks depth first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArchiveKind {
    /// Every block.
    Full,
    /// The root, and the blocks that the previous release lacks.
    Delta,
    /// Every block except the leaves of wheels: pages, metadata and nodes.
    Hollow,
}

impl ArchiveKind {
    /// Every kind, the usual one first.
    pub const ALL: [Self; 3] = [Self::Full, Self::Delta, Self::Hollow];

    /// The name of the kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Delta => "delta",
            Self::Hollow => "hollow",
        }
    }
}

impl fmt::Display for ArchiveKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The file name of an archive of this kind.
pub fn car_name(kind: ArchiveKind) -> &'static str {
    match kind {
        ArchiveKind::Full => CAR,
        ArchiveKind::Delta => DELTA_CAR,
        ArchiveKind::Hollow => HOLLOW_CAR,
    }
}
