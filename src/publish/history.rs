//! Statements of earlier releases, and the chain of them that leads to a release.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::published_release::PublishedRelease;
use crate::release::signature::{PublicKey, TrustedKey};
use crate::release::statement::SignedStatement;
use crate::release::trust::TrustPolicy;

/// Statements of earlier releases, from any place. Each is trusted only if a trusted statement
/// follows it.
#[derive(Debug, Clone, Default)]
pub struct History {
    statements: BTreeMap<u64, Vec<SignedStatement>>,
}

/// The reason why the statement before another one is unknown.
pub(super) enum Absence {
    /// No statement has its sequence and root.
    Unknown,
    /// A statement has them, but lacks the signatures that its successor requires.
    Unsigned,
}

impl History {
    /// Adds a statement; a known one gets additional signatures.
    pub fn add(&mut self, signed: SignedStatement) {
        let known = self
            .statements
            .entry(signed.statement.sequence)
            .or_default();
        match known.iter_mut().find(|known| known.text == signed.text) {
            Some(known) => *known = known.united_with(signed.signatures),
            None => known.push(signed),
        }
    }

    /// The statement of a release, if it is known. It is not verified.
    pub fn statement_of(&self, release: &PublishedRelease) -> Option<&SignedStatement> {
        let mut known = self.statements.get(&release.sequence?)?.iter();
        known.find(|known| known.statement.root == release.root)
    }

    /// The sequence of the newest statement that these keys have signed and that names `key` for
    /// the next one.
    pub fn names_successor(&self, policy: &TrustPolicy, key: &PublicKey) -> Option<u64> {
        let mut known = self.statements.values().rev().flatten();
        let names = known.find(|signed| {
            let trusted = &signed.statement.trusted;
            trusted.iter().any(|one| one.key == *key) && is_signed(policy, signed)
        });
        names.map(|signed| signed.statement.sequence)
    }

    /// The highest sequence of a known statement.
    pub fn newest_sequence(&self) -> Option<u64> {
        self.statements.keys().next_back().copied()
    }

    /// The known statements between the sequence `known` and the trusted statement `newer`, the
    /// oldest first.
    pub(super) fn between(&self, known: u64, newer: &SignedStatement) -> Vec<&SignedStatement> {
        let mut between = Vec::new();
        let mut next = newer;
        while next.statement.sequence > known.saturating_add(1)
            && let Ok(older) = self.before(next)
        {
            between.push(older);
            next = older;
        }
        between.reverse();
        between
    }

    /// The statement before the trusted statement `newer`. It is trusted if it is signed according
    /// to `trusted` and `threshold` of `newer`: a build follows a statement only if these keys have
    /// signed it.
    pub(super) fn before(&self, newer: &SignedStatement) -> Result<&SignedStatement, Absence> {
        let sequence = newer.statement.sequence.saturating_sub(1);
        let candidates = self.statements.get(&sequence).into_iter().flatten();
        let is_previous = |older: &&SignedStatement| {
            newer.statement.previous == Some(older.statement.root)
                && newer.statement.name == older.statement.name
        };
        let mut absence = Absence::Unknown;
        for older in candidates.filter(is_previous) {
            if policy_of(newer).is_some_and(|policy| is_signed(&policy, older)) {
                return Ok(older);
            }
            absence = Absence::Unsigned;
        }
        Err(absence)
    }
}

/// The keys that must have signed the statement that this one follows; its own signers if it names
/// none.
fn policy_of(newer: &SignedStatement) -> Option<TrustPolicy> {
    if let Ok(Some(policy)) = newer.statement.successor_policy() {
        return Some(policy);
    }
    let keys = newer.signers().into_iter().map(|key| TrustedKey {
        key,
        name: String::new(),
    });
    TrustPolicy::of_keys(&keys.collect::<Vec<_>>(), 1).ok()
}

fn is_signed(policy: &TrustPolicy, signed: &SignedStatement) -> bool {
    // Keys of `trusted` have no period of validity.
    let verdict = policy.evaluate(
        signed.text.as_bytes(),
        &signed.signatures,
        Timestamp::UNIX_EPOCH,
    );
    verdict.is_reached()
}
