//! What is told of trust besides a result or a failure.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::foundation::diagnostic::Finding;
use crate::foundation::failure::Failure;
use crate::release::signature::PublicKey;
use crate::set::repository::Repository;

/// What a person is told of besides a result.
#[derive(Debug)]
pub enum TrustNote {
    /// A repository's settings have mistakes.
    Mistakes {
        /// The repository.
        repository: Box<Repository>,
        /// What is wrong.
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
    /// A statement was made later than now, by this machine's clock.
    FromTheFuture {
        /// What the statement is called.
        place: String,
        /// When it says that it was made.
        created: Timestamp,
        /// The present instant.
        now: Timestamp,
    },
    /// No key is trusted, and one of anybody is taken for enough.
    AnySigner {
        /// The statement's sequence.
        sequence: u64,
        /// The keys that have signed it.
        keys: Vec<PublicKey>,
    },
    /// Statements on the way were passed over.
    Skipped(Gap),
}

/// Statements that are missing between the one that is believed and the one that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The sequence of the one that is believed; 0 before the first.
    pub known: u64,
    /// The sequence of the one that is asked about.
    pub sequence: u64,
    /// Where the next one was looked for.
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
            "sequence {known} cannot be followed to {sequence}, since "
        )?;
        match (known.saturating_add(1), sequence.saturating_sub(1)) {
            (first, last) if first == last => write!(formatter, "sequence {first} is missing")?,
            (first, last) => write!(
                formatter,
                "of sequences {first} to {last} not all are there"
            )?,
        }
        write!(formatter, ": `{missing}` is not there")
    }
}

/// Why trust cannot be found out, or is not given.
#[derive(Debug, thiserror::Error)]
#[error("{failure}")]
pub struct TrustFailure {
    /// What is told before.
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
