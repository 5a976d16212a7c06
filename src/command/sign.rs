//! `ipwhl sign`: the signature of one more key beside a statement.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::keys::{open, signing_key};
use super::vouch::untrusted;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::release::signature::PublicKey;
use crate::release::statement::{SignedStatement, Statement};
use crate::release::trust::{Countersigning, Quorum, RepositoryAround, count_signatures};

/// Add a signature of your key to a statement
///
/// Shows what the statement says, and signs it where it holds: not expired, and the key one of
/// those that the repository around trusts and that the statement before lets sign. The signature
/// goes beside it, as `.sig` or, where another one is there, as `.<16 digits of the key>.sig`. Its
/// path is printed. A second time changes nothing.
///
/// Example: ipwhl sign release/release.toml --key release-key
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The statement to sign, its other signatures beside it
    #[arg(value_name = "STATEMENT")]
    statement: PathBuf,
    /// The key to sign with: its file, or its public half where an agent has the private one
    /// [default: `IPWHL_SIGNING_KEY`, else your own]
    #[arg(long, value_name = "KEY")]
    key: Option<PathBuf>,
    /// The statement before: it must be followed by this one, and let the key sign
    #[arg(long, value_name = "STATEMENT")]
    previous: Option<String>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let path = context.absolute(&arguments.statement);
    let place = context.shown(&path);
    let around = RepositoryAround {
        directory: context.repository_directory().ok(),
        is_foreign: false,
    };
    let previous = arguments.previous.as_deref();
    let mut signing = Countersigning::prepare(&context.session, &around, path, previous)
        .map_err(|error| untrusted(context, error))?;
    let found = signing_key(context, arguments.key.as_deref())?;
    let public = found.public().0.clone();
    let quorums = signing.quorums_of(&found)?;
    warn_of_stranger(context, &place, &quorums, &public);
    if let Some(file) = signing.signature_by(&public) {
        let file = format!("{place}{}", file.suffix);
        context.say(&format!(
            "`{file}` is by this key already: nothing is changed"
        ));
        mention_signers(context, &place, &signing.signed, &quorums, true);
        context.result(&file)?;
        return Ok(ExitStatus::Clean);
    }
    show(context, &place, &signing.signed.statement, &public);
    let file = signing.sign(&open(context, found)?)?;
    mention_signers(context, &place, &signing.signed, &quorums, true);
    context.result(&format!("{place}{}", file.suffix))?;
    Ok(ExitStatus::Clean)
}

/// Says so where nothing tells that the key's signature counts. A key that the repository or the
/// statement before does not name was refused already: what is left is what the statement says
/// itself, and that is about the next one.
fn warn_of_stranger(context: &Context<'_>, place: &str, quorums: &[Quorum], key: &PublicKey) {
    let mut named = quorums.iter().flat_map(|quorum| &quorum.trusted);
    if named.any(|one| one.key == *key) {
        return;
    }
    let fingerprint = key.fingerprint();
    context.warning(&if quorums.is_empty() {
        format!(
            "nothing here says whose signatures `{place}` needs, and so nobody can tell whether that of {fingerprint} counts"
        )
    } else {
        format!(
            "`trusted` in `{place}` does not name the key {fingerprint}, and so its signature counts only for readers who know it otherwise"
        )
    });
    context.help(
        "`trusted` in `ipwhl.toml` and in the statement of `--previous` say whose signatures count",
    );
}

/// What a signature will stand behind.
fn show(context: &Context<'_>, place: &str, statement: &Statement, key: &PublicKey) {
    let previous = statement.previous.map_or_else(
        || "none: it is the first".to_owned(),
        |root| root.to_string(),
    );
    let expires = statement
        .expires
        .map_or_else(|| "never".to_owned(), |time| time.to_string());
    context.say(&format!("{} signs `{place}`:", key.fingerprint()));
    for (word, value) in [
        ("name", &statement.name),
        ("sequence", &statement.sequence.to_string()),
        ("root", &statement.root.to_string()),
        ("previous", &previous),
        ("expires", &expires),
    ] {
        context.say(&format!("  {word:<8}  {value}"));
    }
}

/// How many of the signatures are there that somebody asks for; and, where some are lacking, whose
/// they may be, and where each belongs. Nothing is said of a statement that needs no more than one
/// signature, unless it is `always`.
pub(super) fn mention_signers(
    context: &Context<'_>,
    place: &str,
    signed: &SignedStatement,
    quorums: &[Quorum],
    always: bool,
) {
    let Some(signatures) = count_signatures(signed, quorums) else {
        return;
    };
    let (count, needed) = (signatures.count, signatures.needed);
    if needed < 2 && !always {
        return;
    }
    let verb = if count == 1 { "is" } else { "are" };
    if signatures.is_complete() {
        context.say(&format!(
            "{count} of the {needed} signatures that it needs {verb} there: it is complete"
        ));
        return;
    }
    context.say(&format!(
        "{count} of the {needed} signatures that it needs {verb} there; a further one goes beside it:"
    ));
    for other in &signatures.further {
        context.say(&format!(
            "  {place}.{}.sig by {} ({})",
            other.key.file_digits(),
            other.name,
            other.key.fingerprint()
        ));
    }
    context.help(&format!(
        "`ipwhl sign {}` adds it, with the key of whoever runs it",
        shell_word(place)
    ));
}
