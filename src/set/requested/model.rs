//! The content of a project file, as values.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ExtraName, GroupName, ProjectName, Requirement, Version, VersionSpecifiers};
use ipwhl_unixfs::Sha256Digest;

use super::ignored::Ignored;
use super::place::Place;
use crate::foundation::diagnostic::{Finding, SourceTexts};
use crate::foundation::failure::Failure;

/// The requests of a project file and of the files that it includes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFile {
    /// The requested projects, in the order of the file. A project may occur several times, with
    /// different specifiers and markers.
    pub requested: Vec<(Requirement, Place)>,
    /// Constraints on versions, which request nothing. They have no extras.
    pub constraints: Vec<(Requirement, Place)>,
    /// The locked versions. They request nothing: a resolver takes them if it can.
    pub preferred: BTreeMap<ProjectName, Version>,
    /// The digests of distributions, in the order of the file.
    pub pins: Vec<Pin>,
    /// The entries that have no effect, in the order of the file.
    pub ignored: Vec<Ignored>,
    /// The decoded texts, into which the places point.
    pub texts: SourceTexts,
}

/// The digests that a file permits for a distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The distribution.
    pub pinned: Pinned,
    /// The permitted digests; never empty.
    pub sha256: BTreeSet<Sha256Digest>,
    /// The place of the entry.
    pub place: Place,
}

/// The distributions that digests are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinned {
    /// The file of this name.
    File(String),
    /// All files of these versions of a project.
    Version(ProjectName, VersionSpecifiers),
}

/// The optional parts of a project that are requested, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The extras of the project.
    pub extras: BTreeSet<ExtraName>,
    /// The dependency groups.
    pub groups: BTreeSet<GroupName>,
    /// Whether all extras and groups are selected.
    pub all: bool,
}

impl Selection {
    /// Whether an extra is selected.
    pub fn has_extra(&self, extra: &ExtraName) -> bool {
        self.all || self.extras.contains(extra)
    }

    /// Whether a dependency group is selected.
    pub fn has_group(&self, group: &GroupName) -> bool {
        self.all || self.groups.contains(group)
    }
}

/// The reason why a project file gives no requests.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RequestFileError {
    /// The file cannot be read or is not supported, or the selection does not fit it.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The file or an included one has mistakes.
    #[error("the project file has mistakes")]
    Mistakes(Mistakes),
}

/// The mistakes of a project file and of the files that it includes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mistakes {
    /// The findings; never empty.
    pub findings: Vec<Finding>,
    /// The decoded texts, into which the labels of the findings point.
    pub texts: SourceTexts,
}
