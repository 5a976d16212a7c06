//! The status of a project (PEP 792).

use std::fmt;

/// The status of a project in an index. A page without one says that the project is active.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectStatus {
    /// The status.
    pub marker: StatusMarker,
    /// The reason, which is a text of the index, and not empty.
    pub reason: Option<String>,
}

/// The status of a project in a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StatusMarker {
    /// Nothing special.
    #[default]
    Active,
    /// No updates are expected.
    Archived,
    /// It is considered unsafe, and the index offers no files of it.
    Quarantined,
    /// It is considered obsolete.
    Deprecated,
    /// A word that PEP 792 does not have.
    Other(String),
}

impl ProjectStatus {
    /// The status that a page states.
    pub(super) fn of(marker: Option<&str>, reason: Option<&str>) -> Self {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        Self {
            marker: match marker.map(str::trim) {
                None | Some("" | "active") => StatusMarker::Active,
                Some("archived") => StatusMarker::Archived,
                Some("quarantined") => StatusMarker::Quarantined,
                Some("deprecated") => StatusMarker::Deprecated,
                Some(other) => StatusMarker::Other(other.to_owned()),
            },
            reason: reason.map(ToOwned::to_owned),
        }
    }
}

impl fmt::Display for StatusMarker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Quarantined => "quarantined",
            Self::Deprecated => "deprecated",
            Self::Other(word) => word,
        })
    }
}
