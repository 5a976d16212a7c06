//! What can be wrong with a source: it lacks the bytes, it has other bytes, or it could not answer.

use std::fmt;

use thiserror::Error;

use super::cache_error::CacheError;

/// Why one place did not give the bytes that were declared. `place` holds no credentials.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceProblem {
    /// The place answered, and has no such file: 404, 410, not in the index, no such path.
    /// A finding about the declaration.
    #[error("{place} is gone: {reason}")]
    Missing {
        /// The place, as it may be shown.
        place: String,
        /// Why, as half a sentence.
        reason: String,
    },
    /// The place has a file, with other bytes than declared. A finding about the declaration.
    #[error("{place} has other bytes: {}", joined(mismatches, ", "))]
    Mismatch {
        /// The place, as it may be shown.
        place: String,
        /// Everything that differs.
        mismatches: Vec<Mismatch>,
    },
    /// The place was not asked, since its address is one that the repository does not allow, as a
    /// finding says.
    #[error("{place} is not secure, and not asked")]
    NotAsked {
        /// The place, as it may be shown.
        place: String,
    },
    /// The place could not answer: a time-out, a refused connection, a server that failed. An
    /// error of the world, which says nothing about the declaration.
    #[error("{place} failed: {reason}")]
    Failed {
        /// The place, as it may be shown.
        place: String,
        /// Why, as half a sentence.
        reason: String,
    },
}

impl SourceProblem {
    /// The place that the problem is about, as it may be shown.
    pub fn place(&self) -> &str {
        match self {
            Self::Missing { place, .. }
            | Self::Mismatch { place, .. }
            | Self::NotAsked { place }
            | Self::Failed { place, .. } => place,
        }
    }

    /// Whether it says something about the declaration, not about the world.
    pub fn is_finding(&self) -> bool {
        !matches!(self, Self::Failed { .. })
    }

    /// The same problem, its place called otherwise.
    pub(super) fn at(mut self, name: String) -> Self {
        match &mut self {
            Self::Missing { place, .. }
            | Self::Mismatch { place, .. }
            | Self::NotAsked { place }
            | Self::Failed { place, .. } => *place = name,
        }
        self
    }

    /// The same problem, seen from a place that led to the one it occurred at.
    pub(super) fn via(self, outer: &str) -> Self {
        let through = |place: String| format!("{outer} ({place})");
        match self {
            Self::Missing { place, reason } => Self::Missing {
                place: through(place),
                reason,
            },
            Self::Mismatch { place, mismatches } => Self::Mismatch {
                place: through(place),
                mismatches,
            },
            Self::NotAsked { place } => Self::NotAsked {
                place: through(place),
            },
            Self::Failed { place, reason } => Self::Failed {
                place: through(place),
                reason,
            },
        }
    }
}

/// One way in which bytes differ from what was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was compared.
    pub kind: MismatchKind,
    /// What the declaration, or the index, says.
    pub declared: String,
    /// What the bytes say.
    pub found: String,
}

/// What was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MismatchKind {
    /// The number of bytes.
    Size,
    /// The SHA-256 of the file.
    Sha256,
    /// The CID of the file.
    ContentId,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            MismatchKind::Size => "size",
            MismatchKind::Sha256 => "sha256",
            MismatchKind::ContentId => "content-id",
        };
        write!(
            formatter,
            "{name} {}, declared {}",
            self.found, self.declared
        )
    }
}

/// Why a wheel could not be had.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Every place failed, each in its own way.
    #[error(
        "no source has the declared bytes of {file_name}: {}",
        joined(problems, "; ")
    )]
    Sources {
        /// The wheel's file name.
        file_name: String,
        /// One problem for each place that was tried, in the order in which they were.
        problems: Vec<SourceProblem>,
    },
    /// The cache could not be written or read.
    #[error("the cache of wheels cannot be used")]
    Cache(#[from] CacheError),
}

impl FetchError {
    /// Whether all that went wrong is about the declaration, and nothing about the world.
    pub fn is_finding(&self) -> bool {
        match self {
            Self::Sources { problems, .. } => problems.iter().all(SourceProblem::is_finding),
            Self::Cache(_) => false,
        }
    }
}

/// The texts of several, one after another.
fn joined(all: &[impl fmt::Display], between: &str) -> String {
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    texts.join(between)
}
