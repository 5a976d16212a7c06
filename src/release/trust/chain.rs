//! From the statement that is believed to the next one, and why not.

use jiff::Timestamp;

use super::{TrustPolicy, Verdict, refusal};
use crate::foundation::failure::Failure;
use crate::release::statement::{ChainError, SignedStatement, Statement};

/// The way from whom a reader trusts to a statement, one statement after another (FORMATS 6).
pub(super) struct Chain {
    pub(super) now: Timestamp,
    /// The last statement that is believed; `None` before the first one.
    pub(super) known: Option<SignedStatement>,
    /// Who may sign the first one, where no statement says it.
    pub(super) policy: Option<TrustPolicy>,
}

impl Chain {
    /// Believes the next statement, or says why not. `None` stands for the verdict over one that is
    /// believed already. That statements between have expired is no matter: their successors came.
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
                "nobody is trusted to sign `{place}`"
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

/// Who may sign the statement after this one.
pub(super) fn successors(statement: &Statement) -> Result<TrustPolicy, ChainError> {
    // Keys and threshold of a statement that could be read make a policy.
    statement
        .successor_policy()
        .ok()
        .flatten()
        .ok_or(ChainError::NoSuccessor {
            known: statement.sequence,
        })
}

/// Why a statement does not go on from the ones before it, with the way out.
pub(super) fn unchained(place: &str, error: &ChainError) -> Failure {
    let failure = Failure::finding(format!("`{place}` cannot be followed: {error}"));
    match error {
        ChainError::Gap { .. } => {
            failure.help("name the statements between, the oldest first: `--follow FILE`")
        }
        ChainError::Rollback { .. } => failure.help(
            "get the maintainers' newest statement; this may be a rollback attack",
        ),
        ChainError::Fork { .. } | ChainError::Detached { .. } => failure
            .help("ask the maintainers which one is theirs, and keep the one that you verified until then"),
        ChainError::NoSuccessor { .. } => {
            failure.help("name whom you trust yourself: `--allowed-signers FILE`")
        }
        ChainError::Name { .. } => failure,
    }
}
