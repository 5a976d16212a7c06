//! The need of a project in the set.

use std::collections::BTreeSet;

use ipwhl_packaging::{ExtraName, ProjectName, VersionSpecifiers};

/// The need of a project: the extras, versions and platforms that satisfy all its requirers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectNeed {
    /// The project.
    pub project: ProjectName,
    /// The required extras.
    pub extras: BTreeSet<ExtraName>,
    /// The projects that require it, except itself.
    pub by: BTreeSet<ProjectName>,
    /// The specifiers that its version must satisfy, each with the project that states it.
    pub constraints: Vec<(ProjectName, VersionSpecifiers)>,
    /// The platforms on which it is needed, as indices into the repository's platforms.
    pub platforms: BTreeSet<usize>,
}

/// The need of a project, with its specifiers as text for a command.
pub(in crate::set) struct Demand {
    pub(in crate::set) need: ProjectNeed,
    /// Each specifier that its version must satisfy, once: `<2,>=1`.
    pub(in crate::set) specifiers: String,
}
