//! Core metadata: the fields of METADATA that an index and its checks need.

use std::collections::BTreeSet;

use pep440_rs::{Version, VersionSpecifiers};

use super::name::{ExtraName, ProjectName};
use super::requirement::Requirement;

/// What METADATA says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreMetadata {
    /// Metadata-Version, such as `2.4`.
    pub metadata_version: String,
    /// Name, as it is written.
    pub name: String,
    /// Name, normalised.
    pub project: ProjectName,
    /// Version.
    pub version: Version,
    /// Requires-Python.
    pub requires_python: Option<VersionSpecifiers>,
    /// Each Requires-Dist, in the order of the file.
    pub requires_dist: Vec<Requirement>,
    /// Each Provides-Extra, normalised.
    pub provides_extra: BTreeSet<ExtraName>,
}
