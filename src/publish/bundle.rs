//! A part of a release as one folder, for machines without a network (FORMATS 8).
//!
//! [`BundlePlan`] says which files a bundle has. It follows from the release and what was asked for,
//! so the writer and the verifier share it, and neither believes a list in the folder.

mod description;
mod plan;
mod verify;
mod write;

pub use description::{BundleDescription, DescriptionError};
pub use plan::{BundleError, BundleFile, BundlePlan};
pub use verify::{BundleContradiction, BundleReport, bundle_statement, is_bundle, verify_bundle};
pub use write::{WrittenBundle, bundle_place, write_bundle};

/// The description of a bundle: what was asked for.
pub(super) const DESCRIPTION: &str = "bundle.toml";
/// The folder of the release's files: an index for installers.
pub(super) const SIMPLE: &str = "simple";
/// The page with all wheels.
pub(super) const FIND_LINKS: &str = "find-links.html";
