//! Follows statements from a trusted one to the next.

use jiff::Timestamp;

use super::{TrustPolicy, Verdict, refusal};
use crate::foundation::failure::Failure;
use crate::release::statement::{ChainError, SignedStatement, Statement};

/// The path from the keys that a reader trusts to a statement, one statement after another (FORMATS
/// 6).
pub(super) struct Chain {
    pub(super) now: Timestamp,
    /// The last trusted statement; `None` before the first one.
    pub(super) known: Option<SignedStatement>,
    /// The policy for the first statement.
    pub(super) policy: Option<TrustPolicy>,
}

impl Chain {
    /// Verifies the next statement, and trusts it. Returns its verdict, or `None` if it is trusted
    /// already. An expired statement in between is accepted, because it has a successor.
    pub(super) fn follow(
        &mut self,
        place: &str,
        next: SignedStatement,
    ) -> Result<Option<Verdict>, Failure> {
        let policy = match &self.known {
            None => self.policy.clone(),
            Some(known) if known.text == next.text => return Ok(None),
            Some(known) => {
                next.statement
                    .check_successor_of(&known.statement)
                    .map_err(|error| unchained(place, &error))?;
                Some(successors(&known.statement).map_err(|error| unchained(place, &error))?)
            }
        };
        let Some(policy) = policy else {
            return Err(Failure::finding(format!(
                "no key is trusted to sign `{place}`"
            )));
        };
        let verdict = policy.evaluate(next.text.as_bytes(), &next.signatures, self.now);
        if !verdict.is_reached() {
            return Err(refusal(&format!("`{place}`"), &next, &verdict));
        }
        self.known = Some(next);
        Ok(Some(verdict))
    }
}

/// The policy for the statement after this one.
pub(super) fn successors(statement: &Statement) -> Result<TrustPolicy, ChainError> {
    // The keys and threshold of a statement that was parsed always make a policy.
    statement
        .successor_policy()
        .ok()
        .flatten()
        .ok_or(ChainError::NoSuccessor {
            known: statement.sequence,
        })
}

/// The failure for a statement that does not follow the ones before it, with help.
pub(super) fn unchained(place: &str, error: &ChainError) -> Failure {
    let failure = Failure::finding(format!("`{place}` cannot be followed: {error}"));
    match error {
        ChainError::Gap { .. } => {
            failure.help("name the statements in between, the oldest first: `--follow FILE`")
        }
        ChainError::Rollback { .. } => {
            failure.help("get the maintainers' newest statement; this may be a rollback attack")
        }
        ChainError::Fork { .. } | ChainError::Detached { .. } => failure.help(
            "ask the maintainers which one is theirs, and keep the one that you have \
                   verified until then",
        ),
        ChainError::NoSuccessor { .. } => {
            failure.help("name the keys that you trust yourself: `--allowed-signers FILE`")
        }
        ChainError::LostWithdrawal { .. } => failure.help(
            "each statement repeats the withdrawals before it: ask the maintainers why this one \
             does not, and do not use the release until you know",
        ),
        ChainError::Name { .. } => failure,
    }
}
