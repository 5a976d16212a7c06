//! A release as an archive: its kind, its verification, and its parts.
//!
//! An archive may contain only a part of its release: see [`ArchiveKind`]. [`walk()`] visits the
//! available blocks of a release, and [`ReleaseArchive`] lists the missing ones.

mod block_set;
mod file;
pub mod fill;
mod hollow;
mod kind;
mod open;
mod part;
mod reach;
mod reader;
mod survey;
mod walk;

pub use block_set::{BlockSet, block_set};
pub use file::{
    ArchiveOutput, ArchiveOutputFile, archive_failure, archive_problem, may_replace, open_archive,
    sibling_archive, unreadable_archive,
};
pub use hollow::{HollowReport, hollow_archive};
pub use kind::{ArchiveKind, car_name};
pub(in crate::release) use open::block_reason;
pub use open::{OpenRelease, ReleaseLocation, ReleaseName};
pub use part::{write_full, write_hollow};
pub use reach::reach;
pub use reader::ReleaseArchive;
pub use survey::{Lacking, Survey};
pub use walk::{Place, Visitor, may_be_leaf, walk};

use ipwhl_unixfs::car::Blocks;

/// A store of blocks for concurrent readers. A read may wait, as for a gateway, and returns only
/// blocks that match their CID.
pub type BlockStore = dyn Blocks + Send + Sync;

/// The most nodes of one file, counting each as often as it is linked: twice those of the largest
/// wheel in the smallest chunks of a profile.
pub const MAX_FILE_NODES: u64 = 65_536;

/// The most nodes of a release, counting each as often as it is linked.
pub const MAX_NODES: u64 = 16_000_000;

/// The maximum ratio of the size of a release's files to the size of its archive. Only files whose
/// blocks the archive contains count. The limit applies only above the size of the largest wheel.
pub const MAX_REPETITION: u64 = 1024;
