//! A release as files on any web server: their places, their list, and their verification (FORMATS
//! 9).
//!
//! The hollow archive of a release, verified by its root, gives the path, the size and every leaf's
//! hash of each of its files. A tree is compared with it, whether in a folder or at an address.

mod assembled;
mod check;
mod fetch;
mod files;
mod list;
mod verify;

pub use assembled::{AssembledBlocks, FoundWheel};
pub use check::{ALTERED, FileCheck, HollowArchive, HollowError, check_file, read_hollow};
pub use fetch::{
    FetchedArchive, SiteFetch, SiteFetchEvent, begin_archive, forget_wheels, has_release,
};
pub use files::{ReleaseFile, release_files};
pub use list::{FileList, ListError, ListedFile};
pub use verify::{SiteContradiction, SiteReport, verify_site};

/// The largest list that is read, in bytes.
pub(super) const LARGEST_FILE_LIST: u64 = 64 << 20;
/// The largest hollow archive that is read, in bytes.
pub(super) const LARGEST_HOLLOW: u64 = 4 << 30;
