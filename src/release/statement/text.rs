//! The statement: `release.toml`, the signed text.

use ipwhl_unixfs::Cid;
use jiff::Timestamp;
use thiserror::Error;

use crate::release::signature::{KeyError, TrustedKey};
use crate::set::repository::{Withdrawal, Withdrawn};

/// The longest statement that is read.
pub const MAXIMUM_STATEMENT_SIZE: usize = 64 * 1024;

/// The most keys that a statement names.
pub const MAXIMUM_TRUSTED: usize = 64;

/// The longest name of a repository, in bytes.
const MAXIMUM_NAME_LENGTH: usize = 255;

/// The version of the format of a statement without withdrawals.
pub(super) const FORMAT: i64 = 1;

/// The version of the format of a statement with withdrawals.
pub(super) const FORMAT_WITHDRAWN: i64 = 2;

/// The contents of `release.toml`, which vouches for a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The repository's name.
    pub name: String,
    /// The root CID of the release.
    pub root: Cid,
    /// The sequence number: 1 for the first statement, then one more for each.
    pub sequence: u64,
    /// The root of the previous statement; absent exactly in the first one.
    pub previous: Option<Cid>,
    /// The creation time.
    pub created: Timestamp,
    /// The end of its validity.
    pub expires: Option<Timestamp>,
    /// The version of the wheel checks that the release has passed; absent if an older program made
    /// it, or if findings were allowed that the release does not record.
    pub checks: Option<u32>,
    /// The keys that may sign the next one.
    pub trusted: Vec<TrustedKey>,
    /// The number of their signatures that the next statement needs; at least 1, even if no key is
    /// named.
    pub threshold: u32,
    /// The files and releases that are withdrawn. Each later statement has them too.
    pub withdrawn: Vec<Withdrawal>,
}

/// The known parts of a statement before its sequence is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The repository's name.
    pub name: String,
    /// The root CID of the release.
    pub root: Cid,
    /// Now; fractions of a second are dropped.
    pub created: Timestamp,
    /// The end of its validity; fractions of a second are dropped.
    pub expires: Option<Timestamp>,
    /// The version of the wheel checks that the release has passed, at least 1; `None` if it has
    /// not passed all of them.
    pub checks: Option<u32>,
    /// The keys that may sign the next one.
    pub trusted: Vec<TrustedKey>,
    /// The number of their signatures that the next statement needs.
    pub threshold: u32,
    /// The withdrawn files and releases, beside those of the previous statement.
    pub withdrawn: Vec<Withdrawal>,
    /// Sign a new statement even if the root is unchanged.
    pub renew: bool,
    /// If the previous statement is otherwise equal and valid beyond this time, no new one is made.
    pub renew_by: Option<Timestamp>,
}

/// An error in a statement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatementError {
    /// The text is longer than [`MAXIMUM_STATEMENT_SIZE`]; its length.
    #[error("the statement has {0} bytes; at most {MAXIMUM_STATEMENT_SIZE} are allowed")]
    TooLarge(usize),
    /// The text is not TOML; the parser's message.
    #[error("the statement is not TOML: {0}")]
    Syntax(String),
    /// A key is missing.
    #[error("the statement has no `{0}`")]
    MissingKey(&'static str),
    /// A key that this version of the format does not have.
    #[error("the statement has the key {0:?}, which its format does not know")]
    UnknownKey(String),
    /// A key has an invalid value.
    #[error("`{key}` of the statement {reason}")]
    InvalidValue {
        /// The key.
        key: &'static str,
        /// The problem with the value.
        reason: String,
    },
    /// A line of `trusted` is not a public key.
    #[error("a line in `trusted` of the statement is not a key")]
    Key(#[source] KeyError),
    /// The statement does not follow the previous one; the reason.
    #[error("{0}")]
    Succession(String),
}

pub(super) fn invalid(key: &'static str, reason: impl Into<String>) -> StatementError {
    StatementError::InvalidValue {
        key,
        reason: reason.into(),
    }
}

impl Statement {
    /// The statement that a build makes after `previous`, or `None` if there is nothing new to
    /// sign: the previous one has the same contents and is still valid, and no renewal is
    /// requested. A new expiry counts as a change, unless the previous one is valid beyond
    /// [`Draft::renew_by`].
    ///
    /// [`Statement::successor_policy`] of `previous` decides who may sign it.
    pub fn following(
        previous: Option<&Self>,
        draft: Draft,
    ) -> Result<Option<Self>, StatementError> {
        // A withdrawal is for good, in the words in which it was first signed.
        let mut withdrawn = previous.map_or_else(Vec::new, |previous| previous.withdrawn.clone());
        for one in draft.withdrawn {
            if withdrawn.iter().all(|known| known.subject != one.subject) {
                withdrawn.push(one);
            }
        }
        if let Some(previous) = previous {
            if previous.name != draft.name {
                return Err(StatementError::Succession(format!(
                    "the previous statement is of {:?}, but this repository is {:?}",
                    previous.name, draft.name
                )));
            }
            let is_said = previous.root == draft.root
                && previous.withdrawn == withdrawn
                && previous.trusted == draft.trusted
                && previous.threshold == draft.threshold
                && previous.checks >= draft.checks
                && !previous.is_expired(draft.created);
            let is_early = match (draft.renew_by, previous.expires) {
                (Some(by), Some(expires)) => by < expires,
                _ => false,
            };
            if is_said && !draft.renew && (draft.expires.is_none() || is_early) {
                return Ok(None);
            }
        }
        let statement = Self {
            name: draft.name,
            root: draft.root,
            sequence: previous.map_or(1, |previous| previous.sequence.saturating_add(1)),
            previous: previous.map(|previous| previous.root),
            created: whole_second("created", draft.created)?,
            expires: draft
                .expires
                .map(|at| whole_second("expires", at))
                .transpose()?,
            checks: draft.checks,
            trusted: draft.trusted,
            threshold: draft.threshold,
            withdrawn,
        };
        statement.check()?;
        Ok(Some(statement))
    }

    /// The withdrawal of its own release, if it has one.
    pub fn own_withdrawal(&self) -> Option<&Withdrawal> {
        let mut withdrawn = self.withdrawn.iter();
        withdrawn.find(|one| one.subject == Withdrawn::Release(self.root))
    }

    /// Whether it has expired at that time.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }

    /// The rules between the values, for reading and for writing.
    pub(super) fn check(&self) -> Result<(), StatementError> {
        if self.name.trim().is_empty() || self.name.len() > MAXIMUM_NAME_LENGTH {
            return Err(invalid("name", "is empty or longer than 255 bytes"));
        }
        if self.name.chars().any(char::is_control) {
            return Err(invalid("name", "has a control character"));
        }
        if self.sequence == 0 || i64::try_from(self.sequence).is_err() {
            return Err(invalid(
                "sequence",
                format!("is {}, out of its range", self.sequence),
            ));
        }
        match self.previous {
            Some(_) if self.sequence == 1 => {
                return Err(invalid("previous", "is present, though `sequence` is 1"));
            }
            None if self.sequence > 1 => return Err(StatementError::MissingKey("previous")),
            _ => {}
        }
        for (key, time) in [("created", Some(self.created)), ("expires", self.expires)] {
            if time.is_some_and(|time| time < Timestamp::UNIX_EPOCH) {
                return Err(invalid(key, "is before 1970"));
            }
        }
        if self.expires.is_some_and(|expires| expires <= self.created) {
            return Err(invalid("expires", "is not after `created`"));
        }
        if self.checks == Some(0) {
            return Err(invalid("checks", "is 0, but the first version is 1"));
        }
        if self.trusted.len() > MAXIMUM_TRUSTED {
            let count = self.trusted.len();
            return Err(invalid(
                "trusted",
                format!("has {count} keys; at most {MAXIMUM_TRUSTED} are allowed"),
            ));
        }
        for (index, trusted) in self.trusted.iter().enumerate() {
            if self.trusted[..index]
                .iter()
                .any(|other| other.key == trusted.key)
            {
                return Err(invalid(
                    "trusted",
                    format!("has the key {} twice", trusted.key.fingerprint()),
                ));
            }
        }
        for (index, one) in self.withdrawn.iter().enumerate() {
            let mut earlier = self.withdrawn[..index].iter();
            if earlier.any(|other| other.subject == one.subject) {
                return Err(invalid("withdrawn", format!("has {} twice", one.subject)));
            }
            if !Withdrawal::is_reason(&one.reason) {
                return Err(invalid(
                    "withdrawn",
                    "has a reason that is not one line of text",
                ));
            }
        }
        if !self.withdrawn.is_empty() {
            let length = self.to_toml().len();
            if length > MAXIMUM_STATEMENT_SIZE {
                return Err(StatementError::TooLarge(length));
            }
        }
        if self.threshold == 0 {
            return Err(invalid("threshold", "is 0, but must be at least 1"));
        }
        let keys = u32::try_from(self.trusted.len()).unwrap_or(u32::MAX);
        if keys > 0 && self.threshold > keys {
            return Err(invalid(
                "threshold",
                format!(
                    "is {}, but the number of trusted keys is {keys}",
                    self.threshold
                ),
            ));
        }
        Ok(())
    }
}

fn whole_second(key: &'static str, time: Timestamp) -> Result<Timestamp, StatementError> {
    Timestamp::from_second(time.as_second()).map_err(|_| invalid(key, "is out of range"))
}
