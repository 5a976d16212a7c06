//! Notes about trust beside a result or a failure.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::foundation::diagnostic::Finding;
use crate::foundation::failure::Failure;
use crate::release::signature::PublicKey;
use crate::set::repository::Repository;

/// A note for the user beside a result.
#[derive(Debug)]
pub enum TrustNote {
    /// A repository's settings contain mistakes.
    Mistakes {
        /// The repository.
        repository: Box<Repository>,
        /// The mistakes.
        findings: Vec<Finding>,
    },
    /// A list of allowed signers has one key under several names.
    SeveralNames {
        /// The list.
        file: PathBuf,
        /// The key.
        key: PublicKey,
        /// Its names.
        names: Vec<String>,
    },
    /// A statement was created in the future, by this machine's clock.
    FromTheFuture {
        /// The statement's name in messages.
        place: String,
        /// Its creation time.
        created: Timestamp,
        /// The present instant.
        now: Timestamp,
    },
    /// No key is trusted, and a valid signature of any key is accepted.
    AnySigner {
        /// The statement's sequence.
        sequence: u64,
        /// The keys that have signed it.
        keys: Vec<PublicKey>,
    },
    /// Statements in between were skipped.
    Skipped(Gap),
}

/// Missing statements between the trusted one and the requested one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The sequence of the trusted one; 0 before the first.
    pub known: u64,
    /// The sequence of the requested one.
    pub sequence: u64,
    /// The place without the next statement.
    pub missing: String,
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            known,
            sequence,
            missing,
        } = self;
        write!(
            formatter,
            "the statements cannot be followed from sequence {known} to {sequence}: "
        )?;
        match (known.saturating_add(1), sequence.saturating_sub(1)) {
            (first, last) if first == last => write!(formatter, "sequence {first} is missing")?,
            (first, last) => write!(
                formatter,
                "some of the sequences {first} to {last} are missing"
            )?,
        }
        write!(formatter, " (no `{missing}`)")
    }
}

/// The reason why trust cannot be determined, or is refused.
#[derive(Debug, thiserror::Error)]
#[error("{failure}")]
pub struct TrustFailure {
    /// The notes before it.
    pub notes: Vec<TrustNote>,
    /// The failure.
    pub failure: Failure,
}

impl From<Failure> for TrustFailure {
    fn from(failure: Failure) -> Self {
        Self {
            notes: Vec::new(),
            failure,
        }
    }
}
