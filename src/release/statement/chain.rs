//! One statement after another: which of two is the newer one, and whether the one follows the other.

use std::fmt;

use ipwhl_unixfs::Cid;

use super::{SignedStatement, Statement};

/// Why a statement does not go with one that is known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainError {
    /// They are of two repositories.
    Name {
        /// The statement's name.
        name: String,
        /// The known one's.
        known: String,
    },
    /// The statement is older than the known one.
    Rollback {
        /// The statement's sequence.
        sequence: u64,
        /// The known one's.
        known: u64,
    },
    /// Both have the same place in the sequence and say different things.
    Fork {
        /// The sequence of both.
        sequence: u64,
        /// The statement's root.
        root: Cid,
        /// The known one's.
        known: Cid,
    },
    /// There are statements between the two.
    Gap {
        /// The statement's sequence.
        sequence: u64,
        /// The known one's.
        known: u64,
    },
    /// The statement follows another one than the known one.
    Detached {
        /// The statement's sequence; the known one has one less.
        sequence: u64,
        /// The root that the statement follows.
        previous: Option<Cid>,
        /// The known one's root.
        known: Cid,
    },
    /// The known statement names no key, so nobody may sign the next one.
    NoSuccessor {
        /// Its sequence.
        known: u64,
    },
}

impl fmt::Display for ChainError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, known } => write!(
                formatter,
                "the statement is of {name:?}, and the known one is of {known:?}"
            ),
            Self::Rollback { sequence, known } => write!(
                formatter,
                "the statement has the sequence {sequence}, and one with the sequence {known} is known \
                 already: it is an older one"
            ),
            Self::Fork {
                sequence,
                root,
                known,
            } if root == known => write!(
                formatter,
                "the statement differs from the known one of the same sequence {sequence}, though both \
                 are of {root}"
            ),
            Self::Fork {
                sequence,
                root,
                known,
            } => write!(
                formatter,
                "two statements have the sequence {sequence}: this one is of {root}, the known one is of {known}"
            ),
            Self::Gap { sequence, known } => {
                write!(
                    formatter,
                    "the statement has the sequence {sequence}, and the known one has {known}: "
                )?;
                match (known.saturating_add(1), sequence.saturating_sub(1)) {
                    (first, last) if first == last => {
                        write!(formatter, "the one of sequence {first} is missing")
                    }
                    (first, last) => {
                        write!(formatter, "those of sequence {first} to {last} are missing")
                    }
                }
            }
            Self::Detached {
                sequence,
                previous,
                known,
            } => {
                write!(formatter, "the statement, sequence {sequence}, follows ")?;
                match previous {
                    Some(previous) => write!(formatter, "the root {previous}")?,
                    None => formatter.write_str("no root")?,
                }
                write!(
                    formatter,
                    ", and the known one of sequence {} is of {known}",
                    sequence.saturating_sub(1)
                )
            }
            Self::NoSuccessor { known } => write!(
                formatter,
                "the statement of sequence {known} names nobody in `trusted` who may sign the next one"
            ),
        }
    }
}

impl std::error::Error for ChainError {}

/// How a statement stands to one that is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newness {
    /// It comes after it.
    Newer,
    /// It is the same one.
    Same,
}

/// A statement between the one that is believed and the one that is asked about.
#[derive(Debug, Clone)]
pub enum Next {
    /// The next one, and what it is called.
    Statement(String, Box<SignedStatement>),
    /// The next one is not at this place.
    Missing(String),
    /// There is none.
    Last,
}

impl Statement {
    /// Whether this statement is newer than one that is held somewhere: what a place that has a
    /// statement asks before it takes another. A place may have missed some in between.
    ///
    /// # Errors
    /// [`ChainError::Rollback`] and [`ChainError::Fork`] for one that is not newer; [`ChainError::Name`]
    /// and [`ChainError::Detached`] for one that is of something else.
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
        Ok(Newness::Newer)
    }

    /// Whether this statement is the very next one after `previous`, by its content. Whether the
    /// right keys have signed it is for [`Statement::successor_policy`] of `previous` to say.
    ///
    /// # Errors
    /// Those of [`Statement::check_newer_than`], and [`ChainError::Gap`]; the same statement again is a
    /// [`ChainError::Rollback`].
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
