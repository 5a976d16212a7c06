//! Whose signatures count, as arguments say it, and what is said of who vouches for a release.

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

/// Whose signatures count.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct TrustArguments {
    /// Whose signatures count [default: `trusted` of the repository]
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// A statement that you verified before: whom it names may sign the next one, whoever else is
    /// trusted
    #[arg(long, value_name = "FILE", conflicts_with = "allowed_signers")]
    trusted_statement: Option<PathBuf>,
    /// Where no key is trusted, take a valid signature of any key for enough
    #[arg(long, conflicts_with_all = ["allowed_signers", "trusted_statement"])]
    any_signer: bool,
}

impl TrustArguments {
    /// An option that was given.
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

/// The repository around, whose word counts where no option says whose does.
fn around(context: &Context<'_>) -> RepositoryAround {
    RepositoryAround {
        directory: context.repository_directory().ok(),
        is_foreign: context.foreign_repository().is_some(),
    }
}

/// Where trust begins.
pub(super) fn start(context: &Context<'_>, arguments: &TrustArguments) -> Result<Start, Failure> {
    let start = trust::start(
        &context.session,
        &arguments.basis(context),
        &around(context),
    );
    told(context, start)
}

/// Where trust begins: with the statement that is held already, unless an option says otherwise.
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
    told(context, start)
}

fn told(context: &Context<'_>, start: Result<Start, TrustFailure>) -> Result<Start, Failure> {
    let start = start.map_err(|error| untrusted(context, error))?;
    for note in start.notes() {
        tell(context, note)?;
    }
    Ok(start)
}

/// Tells what is told before a failure of trust.
pub(super) fn untrusted(context: &Context<'_>, error: TrustFailure) -> Failure {
    for note in &error.notes {
        if let Err(failure) = tell(context, note) {
            return failure;
        }
    }
    error.failure
}

/// Who vouches for a release; a failure where nobody who may does.
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
        tell(context, note)?;
    }
    let by = match &vouched.by {
        VouchedBy::Signers(signers) => words(signers),
        VouchedBy::Itself => "the statement that you trust, which is this one".to_owned(),
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

fn tell(context: &Context<'_>, note: &TrustNote) -> Result<(), Failure> {
    match note {
        TrustNote::Mistakes {
            repository,
            findings,
        } => show(context, repository, findings, MessageFormat::Text)?,
        TrustNote::SeveralNames { file, key, names } => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            context.warning(&format!(
                "`{}` lists one key, {}, under the names {}: whoever has it is one signer, and not several",
                file.display(),
                key.fingerprint(),
                names.join(" and ")
            ));
        }
        TrustNote::FromTheFuture {
            place,
            created,
            now,
        } => {
            context.warning(&format!(
                "`{place}` says that it was made on {}, and by this machine's clock it is {}",
                at_second(*created),
                at_second(*now)
            ));
            context.help(
                "one of the two is wrong, and until it is right nobody can tell whether a statement has expired: \
                 set the clock of this machine, or ask the maintainers",
            );
        }
        TrustNote::AnySigner { sequence, keys } => {
            let keys: Vec<String> = keys.iter().map(PublicKey::fingerprint).collect();
            context.warning(&format!(
                "sequence {sequence} is signed with {}, and no key is trusted here: with `--any-signer` anybody's key would do",
                keys.join(" and ")
            ));
        }
        TrustNote::Skipped(gap) => context.warning(&format!(
            "{gap}; it is newer than the one here, and taken because keys that you trust have signed it"
        )),
    }
    Ok(())
}

/// A time without parts of a second.
fn at_second(time: Timestamp) -> Timestamp {
    time.round(jiff::Unit::Second).unwrap_or(time)
}

fn words(signers: &[Signer]) -> String {
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
