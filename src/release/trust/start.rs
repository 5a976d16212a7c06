//! The start of trust: a statement that was verified before, or keys.

use std::path::PathBuf;

use super::chain::successors;
use super::whom::refuse_foreign_repository;
use super::{
    RepositoryAround, Trust, TrustError, TrustFailure, TrustNote, TrustPolicy, repository_trust,
};
use crate::foundation::environment::read_small;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{PublicKey, verify};
use crate::release::statement::{SignedStatement, read_statement};
use crate::source::Session;

/// The largest list of allowed signers, in bytes.
const LARGEST_ALLOWED_SIGNERS: u64 = 1 << 20;

/// The basis of a reader's trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustBasis {
    /// The keys that the surrounding repository trusts.
    Repository {
        /// Whether a valid signature of any key is enough if the repository trusts none.
        any_signer: bool,
    },
    /// The keys in this file (ssh-keygen(1), ALLOWED SIGNERS).
    AllowedSigners(PathBuf),
    /// The keys that the statement in this file names, which was verified before.
    TrustedStatement(PathBuf),
}

/// The start of trust.
#[derive(Debug)]
pub struct Start {
    /// The last trusted statement.
    pub(super) known: Option<SignedStatement>,
    pub(super) trust: Trust,
    /// A statement that a newer one must not precede, no matter which key has signed it.
    pub(super) held: Option<SignedStatement>,
    pub(super) any_signer: bool,
    /// Whether keys that the repository trusts are enough if statements after `known` are missing.
    pub(super) may_skip: bool,
    notes: Vec<TrustNote>,
}

impl Start {
    /// The keys that may have signed the next statement.
    pub fn keys(&self) -> Vec<PublicKey> {
        let known = self.known.iter().flat_map(|known| &known.statement.trusted);
        let policy = self.trust.policy.iter().flat_map(TrustPolicy::keys);
        known
            .map(|trusted| trusted.key.clone())
            .chain(policy.cloned())
            .collect()
    }

    /// The notes about it.
    pub fn notes(&self) -> &[TrustNote] {
        &self.notes
    }

    /// Like [`start`], but continues from the existing statement: its keys may sign the next one,
    /// unless it names none or `basis` names keys.
    ///
    /// # Errors
    /// The errors of [`start`].
    pub fn following(
        session: &Session,
        basis: &TrustBasis,
        around: &RepositoryAround,
        held: Option<SignedStatement>,
    ) -> Result<Self, TrustFailure> {
        let is_known = |held: &SignedStatement| successors(&held.statement).is_ok();
        let says_nothing = TrustBasis::Repository { any_signer: false };
        if let Some(known) = &held
            && *basis == says_nothing
            && is_known(known)
        {
            return Ok(Self {
                known: held,
                trust: Trust::default(),
                held: None,
                any_signer: false,
                may_skip: true,
                notes: Vec::new(),
            });
        }
        Ok(Self {
            held,
            ..start(session, basis, around)?
        })
    }
}

/// The start of trust: a statement that the reader has verified before, or keys: those of the named
/// file, or else of the surrounding repository.
///
/// # Errors
/// When a named file cannot be read or used, or the repository's trusted keys cannot be determined.
pub fn start(
    session: &Session,
    basis: &TrustBasis,
    around: &RepositoryAround,
) -> Result<Start, TrustFailure> {
    let begin = |known, trust| Start {
        known,
        trust,
        held: None,
        any_signer: *basis == TrustBasis::Repository { any_signer: true },
        may_skip: false,
        notes: Vec::new(),
    };
    if let TrustBasis::TrustedStatement(path) = basis {
        let trusted = read_statement(path)?;
        // The user vouches for this file; whether it is intact can be checked nevertheless.
        let is_signed = trusted
            .signatures
            .iter()
            .any(|file| verify(&file.text, trusted.text.as_bytes()).is_ok());
        if !is_signed {
            return Err(Failure::finding(format!(
                "`{}` has no valid signature beside it",
                path.display()
            ))
            .help(
                "keep a statement and its signatures together, as they were when you verified them",
            )
            .into());
        }
        return Ok(begin(Some(trusted), Trust::default()));
    }
    if let TrustBasis::AllowedSigners(path) = basis {
        let text = read_small(path, LARGEST_ALLOWED_SIGNERS).map_err(|error| {
            Failure::world(format!("`{}` cannot be read: {error}", path.display()))
        })?;
        let policy = TrustPolicy::from_allowed_signers(&text, 1).map_err(|error| {
            let reason = match &error {
                TrustError::Threshold { keys: 0, .. } => {
                    "it has no line with a key that may sign releases".to_owned()
                }
                _ => error_chain(&error),
            };
            Failure::finding(format!("`{}` cannot be used: {reason}", path.display())).help(
                "write a line such as `NAME namespaces=\"ipwhl-release\" ssh-ed25519 AAAA…` for each \
                 key; the last line of `ipwhl key show` is that of your own key",
            )
        })?;
        let several = policy.keys_with_several_names().into_iter();
        let notes = several.map(|(key, names)| TrustNote::SeveralNames {
            file: path.clone(),
            key: key.clone(),
            names: names.into_iter().map(ToOwned::to_owned).collect(),
        });
        let notes = notes.collect();
        let trust = Trust {
            policy: Some(policy),
            name: None,
            file: None,
        };
        return Ok(Start {
            notes,
            ..begin(None, trust)
        });
    }
    refuse_foreign_repository(session, around)?;
    // A release can be verified without a repository.
    let trust = around.directory.as_deref().map(repository_trust);
    let trust = trust.transpose().map_err(|mut error| {
        let help = "fix it, or name the keys that you trust: `--allowed-signers FILE`";
        error.failure.help.get_or_insert_with(|| help.to_owned());
        error
    })?;
    let trust = trust.map(|(trust, _)| trust).unwrap_or_default();
    Ok(begin(None, trust))
}
