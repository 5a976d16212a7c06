//! Whether a release follows the one that a target holds, by the statements in between (FORMATS 6
//! and 9).

use std::collections::BTreeMap;

use ipwhl_unixfs::Cid;
use jiff::Timestamp;

use super::Publication;
use super::target::PublishedRelease;
use crate::foundation::failure::Failure;
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
enum Absence {
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
    fn before(&self, newer: &SignedStatement) -> Result<&SignedStatement, Absence> {
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

/// Checks a release against the one that a target holds: it must be the same, or follow it, directly
/// or by known statements.
/// # Errors
/// A refusal, with the way out; a gap if statements in between are unknown.
pub fn check_follows(release: &Publication, held: &PublishedRelease) -> Result<(), Failure> {
    let root = release.root();
    let Some(signed) = &release.signed else {
        return match held.sequence {
            None => Ok(()),
            Some(held) => Err(Failure::refused(format!(
                "it has sequence {held}, which is signed, but this release has no statement"
            ))
            .help("build with a key, and follow the statement of the existing release with `--previous`")),
        };
    };
    let sequence = signed.statement.sequence;
    // No statement has the sequence 0: an older naming scheme used it.
    let Some(known) = held.sequence.filter(|known| *known > 0) else {
        return Ok(());
    };
    if known > sequence {
        return Err(Failure::refused(format!(
            "it has sequence {known} ({}), but this statement has the sequence {sequence}",
            held.root
        ))
        .help("build on the existing release: pass its statement to `ipwhl build --previous`"));
    }
    if known == sequence {
        return if held.root == root {
            Ok(())
        } else {
            Err(Failure::refused(format!(
                "it has another release with the sequence {sequence}, {}, but this one is {root}",
                held.root
            ))
            .help("two releases follow the same one: build on the existing one, with its statement in `--previous`"))
        };
    }
    let mut newer = signed;
    while newer.statement.sequence > known + 1 {
        newer = release
            .history
            .before(newer)
            .map_err(|absence| gap(held, known, newer, &absence))?;
    }
    if newer.statement.previous == Some(held.root) {
        return Ok(());
    }
    Err(fork(held, known, newer))
}

fn gap(held: &PublishedRelease, known: u64, newer: &SignedStatement, absence: &Absence) -> Failure {
    let lacking = newer.statement.sequence - 1;
    let which = if known + 1 == lacking {
        format!("the statement of sequence {lacking}")
    } else {
        format!("those of sequence {} to {lacking}", known + 1)
    };
    let reason = match absence {
        Absence::Unknown => "available",
        Absence::Unsigned => "signed by keys that the next one trusts",
    };
    Failure::gap(format!(
        "it has sequence {known} ({}), and this release is not known to follow it: {which} in between would show that, but sequence {lacking} is not {reason}",
        held.root
    ))
    .help(
        "name the statements in between with `--follow FILE`, several times; they are in `statements` beside the archive of a build, and in folders and git branches with published releases",
    )
}

fn fork(held: &PublishedRelease, known: u64, newer: &SignedStatement) -> Failure {
    let root = |root: Option<Cid>| root.map_or_else(|| "none".to_owned(), |root| root.to_string());
    Failure::refused(format!(
        "it has {} as sequence {known}, but this release follows another one of that sequence, {}",
        held.root,
        root(newer.statement.previous)
    ))
    .help("two releases were built on the same one: build on the existing one, with its statement in `--previous`")
}
