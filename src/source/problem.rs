//! Problems with a source: it lacks the bytes, it has other bytes, or it failed to answer.

use std::fmt;

use thiserror::Error;

use super::cache_error::CacheError;

/// The reason why a source did not send the declared bytes. `place` contains no credentials.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceProblem {
    /// The source answered that it does not have the file: 404, 410, not in the index, or a missing
    /// path. A finding about the declaration.
    #[error("{place} is gone: {reason}")]
    Missing {
        /// The source, in printable form.
        place: String,
        /// The reason, as a clause.
        reason: String,
    },
    /// The source has a file with other bytes than declared. A finding about the declaration.
    #[error("{place} has other bytes: {}", joined(mismatches, ", "))]
    Mismatch {
        /// The source, in printable form.
        place: String,
        /// All differences.
        mismatches: Vec<Mismatch>,
    },
    /// The source has a file that is larger than the limit. Not a finding about the declaration.
    #[error("{place} is too large: {reason}")]
    TooLarge {
        /// The source, in printable form.
        place: String,
        /// The size and the limit, as a clause.
        reason: String,
    },
    /// The source was not used, because the repository does not allow its address; a finding says
    /// so.
    #[error("{place} is not secure, and was not used")]
    NotAsked {
        /// The source, in printable form.
        place: String,
    },
    /// The source failed to answer: a time-out, a refused connection, a failing server. A failure
    /// that does not concern the declaration.
    #[error("{place} failed: {reason}")]
    Failed {
        /// The source, in printable form.
        place: String,
        /// The reason, as a clause.
        reason: String,
    },
}

impl SourceProblem {
    /// The source of the problem, in printable form.
    pub fn place(&self) -> &str {
        match self {
            Self::Missing { place, .. }
            | Self::Mismatch { place, .. }
            | Self::TooLarge { place, .. }
            | Self::NotAsked { place }
            | Self::Failed { place, .. } => place,
        }
    }

    /// Whether it concerns the declaration, and is not a failure.
    pub fn is_finding(&self) -> bool {
        !matches!(self, Self::Failed { .. } | Self::TooLarge { .. })
    }

    /// Whether the file is at fault, and the source has answered as it should.
    pub fn is_defect(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. } | Self::Mismatch { .. } | Self::TooLarge { .. }
        )
    }

    /// The same problem with another name of its source.
    pub(super) fn at(mut self, name: String) -> Self {
        match &mut self {
            Self::Missing { place, .. }
            | Self::Mismatch { place, .. }
            | Self::TooLarge { place, .. }
            | Self::NotAsked { place }
            | Self::Failed { place, .. } => *place = name,
        }
        self
    }

    /// The same problem, seen from a source that referred to the failing one.
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
            Self::TooLarge { place, reason } => Self::TooLarge {
                place: through(place),
                reason,
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

/// A difference between bytes and their declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The compared property.
    pub kind: MismatchKind,
    /// The value in the declaration or the index.
    pub declared: String,
    /// The actual value.
    pub found: String,
}

/// The compared property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MismatchKind {
    /// The number of bytes.
    Size,
    /// The SHA-256 of the file.
    Sha256,
    /// The CID of the file.
    ContentId,
}

impl fmt::Display for MismatchKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Size => "size",
            Self::Sha256 => "sha256",
            Self::ContentId => "content-id",
        })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, found, declared) = (self.kind, &self.found, &self.declared);
        write!(formatter, "{kind} {found}, declared {declared}")
    }
}

/// The reason why a wheel is unavailable.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Every source failed, for its own reason.
    #[error(
        "no source has the declared bytes of {file_name}: {}",
        joined(problems, "; ")
    )]
    Sources {
        /// The wheel's file name.
        file_name: String,
        /// One problem for each source, in the order in which they were tried.
        problems: Vec<SourceProblem>,
    },
    /// The cache could not be written or read.
    #[error("the cache of wheels cannot be used")]
    Cache(#[from] CacheError),
}

impl FetchError {
    /// Whether the file of each source is at fault, and no source or disk.
    pub fn is_defect(&self) -> bool {
        match self {
            Self::Sources { problems, .. } => problems.iter().all(SourceProblem::is_defect),
            Self::Cache(_) => false,
        }
    }

    /// Whether all problems concern the declaration, and none is a failure.
    pub fn is_finding(&self) -> bool {
        match self {
            Self::Sources { problems, .. } => problems.iter().all(SourceProblem::is_finding),
            Self::Cache(_) => false,
        }
    }
}

/// The texts of several items, one after another.
fn joined(all: &[impl fmt::Display], between: &str) -> String {
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    texts.join(between)
}
