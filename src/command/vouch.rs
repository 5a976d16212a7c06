//! Options for trusted keys, and messages about the signers of a release.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::report::{MessageFormat, show};
use crate::foundation::failure::Failure;
use crate::release::signature::PublicKey;
use crate::release::statement::SignedStatement;
use crate::release::trust::{
    self, Between, RepositoryAround, Signer, Start, TrustBasis, TrustFailure, TrustNote, VouchedBy,
};

/// Options for trusted keys.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct TrustArguments {
    /// The file with the keys that may sign; the signature of one is enough. It is an
    /// `allowed_signers` file of OpenSSH: each line has a name and a public key, as in `alice
    /// ssh-ed25519 AAAA…` [default: `trusted` of the repository]
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// A statement that you verified before; its signatures are beside it. Only the keys that it
    /// names may sign the next statement
    #[arg(long, value_name = "FILE", conflicts_with = "allowed_signers")]
    trusted_statement: Option<PathBuf>,
    /// If no key is trusted, accept a valid signature of any key
    #[arg(long, conflicts_with_all = ["allowed_signers", "trusted_statement"])]
    any_signer: bool,
}

impl TrustArguments {
    /// The first of these options that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--allowed-signers", self.allowed_signers.is_some()),
            ("--trusted-statement", self.trusted_statement.is_some()),
            ("--any-signer", self.any_signer),
        ];
        given
            .into_iter()
            .find_map(|(option, is_given)| is_given.then_some(option))
    }

    fn basis(&self, context: &Context<'_>) -> TrustBasis {
        match (&self.trusted_statement, &self.allowed_signers) {
            (Some(file), _) => TrustBasis::TrustedStatement(context.absolute(file)),
            (None, Some(file)) => TrustBasis::AllowedSigners(context.absolute(file)),
            (None, None) => TrustBasis::Repository {
                any_signer: self.any_signer,
            },
        }
    }
}

/// The surrounding repository, whose trusted keys count if no option names others.
fn around(context: &Context<'_>) -> RepositoryAround {
    RepositoryAround {
        directory: context.repository_directory().ok(),
        is_foreign: context.foreign_repository().is_some(),
    }
}

/// The start of trust from the options.
pub(super) fn start(context: &Context<'_>, arguments: &TrustArguments) -> Result<Start, Failure> {
    let start = trust::start(
        &context.session,
        &arguments.basis(context),
        &around(context),
    );
    checked_start(context, start)
}

/// The start of trust from the options, else from the existing statement.
pub(super) fn following(
    context: &Context<'_>,
    arguments: &TrustArguments,
    held: Option<SignedStatement>,
) -> Result<Start, Failure> {
    let start = Start::following(
        &context.session,
        &arguments.basis(context),
        &around(context),
        held,
    );
    checked_start(context, start)
}

/// Prints the notes about the start of trust.
fn checked_start(
    context: &Context<'_>,
    start: Result<Start, TrustFailure>,
) -> Result<Start, Failure> {
    let start = start.map_err(|error| untrusted(context, error))?;
    for note in start.notes() {
        print_note(context, note)?;
    }
    Ok(start)
}

/// Prints the notes of a failure of trust. Returns the failure itself.
pub(super) fn untrusted(context: &Context<'_>, error: TrustFailure) -> Failure {
    for note in &error.notes {
        if let Err(failure) = print_note(context, note) {
            return failure;
        }
    }
    error.failure
}

/// Verifies the signatures of a statement and prints its signers.
pub(super) fn vouch(
    context: &Context<'_>,
    place: &str,
    signed: SignedStatement,
    start: Start,
    between: Between<'_>,
) -> Result<(), Failure> {
    let vouched = trust::vouch(
        &context.session,
        &around(context),
        place,
        signed,
        start,
        between,
    );
    let vouched = vouched.map_err(|error| untrusted(context, error))?;
    for note in &vouched.notes {
        print_note(context, note)?;
    }
    let by = match &vouched.by {
        VouchedBy::Signers(signers) => signer_list(signers),
        VouchedBy::Itself => "itself: it is the statement that you trust".to_owned(),
        VouchedBy::Anybody => return Ok(()),
    };
    let trusted = match &vouched.file {
        Some(file) => format!(", trusted in `{}`", context.shown(file)),
        None => String::new(),
    };
    context.say(&format!(
        "{}, sequence {}, is vouched for by {by}{trusted}",
        vouched.name, vouched.sequence
    ));
    Ok(())
}

fn print_note(context: &Context<'_>, note: &TrustNote) -> Result<(), Failure> {
    match note {
        TrustNote::Mistakes {
            repository,
            findings,
        } => show(context, repository, findings, MessageFormat::Text)?,
        TrustNote::SeveralNames { file, key, names } => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            context.warning(&format!(
                "`{}` lists the key {} under the names {}: it counts as one signer",
                file.display(),
                key.fingerprint(),
                names.join(" and "),
            ));
        }
        TrustNote::FromTheFuture {
            place,
            created,
            now,
        } => {
            context.warning(&format!(
                "`{place}` was created on {}, which is in the future: the clock of this machine says {}",
                at_second(*created),
                at_second(*now)
            ));
            context.help(
                "set the clock of this machine, or ask the maintainers: with a wrong clock, \
                 expired statements are not detected",
            );
        }
        TrustNote::AnySigner { sequence, keys } => {
            let keys: Vec<String> = keys.iter().map(PublicKey::fingerprint).collect();
            context.warning(&format!(
                "sequence {sequence} is signed with {}, which is not trusted: `--any-signer` accepts any key",
                keys.join(" and ")
            ));
        }
        TrustNote::Skipped(gap) => context.warning(&format!(
            "{gap}; it is accepted because it is newer than the one here and signed with keys that you trust"
        )),
    }
    Ok(())
}

/// A time in whole seconds.
fn at_second(time: Timestamp) -> Timestamp {
    time.round(jiff::Unit::Second).unwrap_or(time)
}

fn signer_list(signers: &[Signer]) -> String {
    let names: Vec<String> = signers
        .iter()
        .map(|signer| match signer.name.as_str() {
            // A key in `trusted` need not have a comment.
            "" => signer.key.fingerprint(),
            name => format!("{name} ({})", signer.key.fingerprint()),
        })
        .collect();
    names.join(" and ")
}
