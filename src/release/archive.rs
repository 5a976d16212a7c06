//! A release as an archive: what it has of the release, whether that holds together, and its parts.
//!
//! An archive may have a part of its release only: see [`ArchiveKind`]. [`walk()`] goes over a
//! release as far as its blocks can be had, and [`ReleaseArchive`] says what an archive lacks.

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
    ArchiveOutput, ArchiveOutputFile, archive_failure, may_replace, open_archive, sibling_archive,
    unreadable_archive,
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

/// Blocks for as many readers at once as there are. Whoever has them may wait for them, as for
/// those behind a gateway, and gives each as its CID says it is.
pub type BlockStore = dyn Blocks + Send + Sync;

/// The most nodes of one file, each as often as it is linked to: twice those of the largest wheel
/// in the smallest chunks of a profile.
pub const MAX_FILE_NODES: u64 = 65_536;

/// The most nodes of a release, each as often as it is linked to.
pub const MAX_NODES: u64 = 16_000_000;

/// How many times larger than its archive the files of a release may be, as far as the archive has
/// their blocks, where they come to more than the largest wheel.
pub const MAX_REPETITION: u64 = 1024;
