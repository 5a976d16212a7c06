//! Verifies that a release is consistent: its pages, its declarations, its wheels.

mod archive;
mod bytes;
mod contradiction;
mod count;
mod declared;
mod locks;
mod page;
mod pages;
mod project;

pub use archive::{ArchiveReport, VerifyError, verify_archive};
pub use contradiction::{
    Contradiction, FileContradiction, PageFormat, ProjectFile, ReleaseJsonContradiction, Total,
    WheelFact,
};
pub use count::Count;
pub use pages::check;
