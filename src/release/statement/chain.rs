//! The order of statements: the newer one of two, and whether one follows the other.

use ipwhl_unixfs::Cid;
use thiserror::Error;

use super::{SignedStatement, Statement};
use crate::set::repository::Withdrawn;

/// The reason why a statement contradicts a known one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainError {
    /// They are of two repositories.
    #[error("the statement is of {name:?}, but the known one is of {known:?}")]
    Name {
        /// The statement's name.
        name: String,
        /// The known one's.
        known: String,
    },
    /// The statement is older than the known one.
    #[error(
        "the statement has the sequence {sequence}, but one with the sequence {known} is known \
         already: it is older"
    )]
    Rollback {
        /// The statement's sequence.
        sequence: u64,
        /// The known one's.
        known: u64,
    },
    /// Both have the same sequence but differ.
    #[error("{}", fork(*sequence, root, known))]
    Fork {
        /// The sequence of both.
        sequence: u64,
        /// The statement's root.
        root: Cid,
        /// The known one's.
        known: Cid,
    },
    /// There are statements between the two.
    #[error(
        "the statement has the sequence {sequence}, but the known one has {known}: {}",
        missing(*sequence, *known)
    )]
    Gap {
        /// The statement's sequence.
        sequence: u64,
        /// The known one's.
        known: u64,
    },
    /// The statement follows another one than the known one.
    #[error(
        "the statement, sequence {sequence}, follows {}, but the known one of sequence {} is of {known}",
        followed(previous.as_ref()), sequence.saturating_sub(1)
    )]
    Detached {
        /// The statement's sequence; the known one has one less.
        sequence: u64,
        /// The root that the statement follows.
        previous: Option<Cid>,
        /// The known one's root.
        known: Cid,
    },
    /// The statement lacks a withdrawal of the known one, which each later statement has.
    #[error(
        "the statement of sequence {sequence} does not withdraw {withdrawn}, but the known one of \
         sequence {known} does"
    )]
    LostWithdrawal {
        /// The statement's sequence.
        sequence: u64,
        /// The known one's.
        known: u64,
        /// What it withdraws.
        withdrawn: Withdrawn,
    },
    /// The known statement names no key that may sign the next one.
    #[error(
        "the statement of sequence {known} names no key in `trusted` that may sign the next one"
    )]
    NoSuccessor {
        /// Its sequence.
        known: u64,
    },
}

fn fork(sequence: u64, root: &Cid, known: &Cid) -> String {
    if root == known {
        format!(
            "the statement differs from the known one of the same sequence {sequence}, though both \
             are of {root}"
        )
    } else {
        format!(
            "two statements have the sequence {sequence}: this one is of {root}, the known one is of {known}"
        )
    }
}

/// The statements between two.
fn missing(sequence: u64, known: u64) -> String {
    match (known.saturating_add(1), sequence.saturating_sub(1)) {
        (first, last) if first == last => format!("the one of sequence {first} is missing"),
        (first, last) => format!("those of sequence {first} to {last} are missing"),
    }
}

fn followed(previous: Option<&Cid>) -> String {
    previous.map_or("no root".to_owned(), |root| format!("the root {root}"))
}

/// The relation of a statement to a known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newness {
    /// It is newer.
    Newer,
    /// It is the same one.
    Same,
}

/// A statement between the trusted one and the requested one.
#[derive(Debug, Clone)]
pub enum Next {
    /// The next one, with its name in messages.
    Statement(String, Box<SignedStatement>),
    /// The next one is missing at this place.
    Missing(String),
    /// There are no more.
    Last,
}

impl Statement {
    /// Whether this statement is newer than the one that a place holds. A place checks this before
    /// it accepts another statement; it may lack some in between.
    ///
    /// # Errors
    /// [`ChainError::Rollback`] and [`ChainError::Fork`] if it is not newer; [`ChainError::Name`]
    /// and [`ChainError::Detached`] if it belongs to another repository or sequence.
    pub fn check_newer_than(&self, held: &Self) -> Result<Newness, ChainError> {
        if self.name != held.name {
            return Err(ChainError::Name {
                name: self.name.clone(),
                known: held.name.clone(),
            });
        }
        if self.sequence < held.sequence {
            return Err(ChainError::Rollback {
                sequence: self.sequence,
                known: held.sequence,
            });
        }
        if self.sequence == held.sequence {
            return if self == held {
                Ok(Newness::Same)
            } else {
                Err(ChainError::Fork {
                    sequence: self.sequence,
                    root: self.root,
                    known: held.root,
                })
            };
        }
        if self.sequence.checked_sub(1) == Some(held.sequence) && self.previous != Some(held.root) {
            return Err(ChainError::Detached {
                sequence: self.sequence,
                previous: self.previous,
                known: held.root,
            });
        }
        let mut lost = held.withdrawn.iter();
        if let Some(lost) = lost.find(|one| !self.withdrawn.contains(one)) {
            return Err(ChainError::LostWithdrawal {
                sequence: self.sequence,
                known: held.sequence,
                withdrawn: lost.subject,
            });
        }
        Ok(Newness::Newer)
    }

    /// Whether this statement directly follows `previous`, by its content. Whether the right keys
    /// have signed it is decided by [`Statement::successor_policy`] of `previous`.
    ///
    /// # Errors
    /// The errors of [`Statement::check_newer_than`], and [`ChainError::Gap`]; the same statement
    /// again is a [`ChainError::Rollback`].
    pub fn check_successor_of(&self, previous: &Self) -> Result<(), ChainError> {
        match self.check_newer_than(previous)? {
            Newness::Newer if self.sequence.checked_sub(1) == Some(previous.sequence) => Ok(()),
            Newness::Newer => Err(ChainError::Gap {
                sequence: self.sequence,
                known: previous.sequence,
            }),
            Newness::Same => Err(ChainError::Rollback {
                sequence: self.sequence,
                known: previous.sequence,
            }),
        }
    }
}
