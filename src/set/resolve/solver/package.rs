//! The packages of a search.

use std::fmt;

use ipwhl_packaging::ExtraName;

/// The number of a project in a universe.
pub(super) type ProjectId = u32;

/// A package of the search.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Package {
    /// What the caller and the set ask for.
    Root,
    /// A project.
    Project(ProjectId),
    /// An extra of a project, in the version of the project.
    Extra(ProjectId, ExtraName),
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}
