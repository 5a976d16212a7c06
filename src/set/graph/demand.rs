//! What the set needs of a project.

use std::collections::BTreeSet;

use ipwhl_packaging::{ExtraName, ProjectName, VersionSpecifiers};

/// What the set needs of a project: what would satisfy all who require it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectNeed {
    /// The project.
    pub project: ProjectName,
    /// The extras that are asked of it.
    pub extras: BTreeSet<ExtraName>,
    /// The projects that require it, itself aside.
    pub by: BTreeSet<ProjectName>,
    /// The specifiers that its version has to satisfy, each with the project that states it.
    pub constraints: Vec<(ProjectName, VersionSpecifiers)>,
    /// The platforms on which it is needed, as indices into the repository's platforms.
    pub platforms: BTreeSet<usize>,
}

/// What the set needs of a project, and that in the words of a command.
pub(in crate::set) struct Demand {
    pub(in crate::set) need: ProjectNeed,
    /// Each specifier that its version has to satisfy, once: `<2,>=1`.
    pub(in crate::set) specifiers: String,
}
