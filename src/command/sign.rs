//! `ipwhl sign`: adds a signature to a statement.

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

/// Add a signature with your key to a statement
///
/// Prints the content of the statement and signs it. Refuses a statement that has expired, and a
/// key that is not trusted by the repository or by the previous statement. Writes the signature
/// beside the statement, as `.sig`, or as `.<16 digits of the key>.sig` if `.sig` exists, and
/// prints its path. Signing again with the same key changes nothing.
///
/// Example: ipwhl sign release/release.toml --key release-key
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The statement to sign; its other signatures are beside it
    #[arg(value_name = "STATEMENT")]
    statement: PathBuf,
    /// The key to sign with: its file, or its public key if an agent has the private key [default:
    /// `IPWHL_SIGNING_KEY`, else your own key]
    #[arg(long, value_name = "KEY")]
    key: Option<PathBuf>,
    /// The previous statement: the new one must follow it, and it must allow this key
    #[arg(long, value_name = "STATEMENT")]
    previous: Option<String>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let path = context.absolute(&arguments.statement);
    let shown = context.shown(&path);
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
    warn_of_unknown_key(context, &shown, &quorums, &public);
    if let Some(file) = signing.signature_by(&public) {
        let file = format!("{shown}{}", file.suffix);
        context.say(&format!(
            "`{file}` is already a signature with this key: nothing was changed"
        ));
        mention_signers(context, &shown, &signing.signed, &quorums, true);
        context.result(&file)?;
        return Ok(ExitStatus::Clean);
    }
    show(context, &shown, &signing.signed.statement, &public);
    let file = signing.sign(&open(context, found)?)?;
    mention_signers(context, &shown, &signing.signed, &quorums, true);
    context.result(&format!("{shown}{}", file.suffix))?;
    Ok(ExitStatus::Clean)
}

/// Warns if no list of trusted keys has the key. A key that the repository or the previous
/// statement does not name was refused before. The list in the statement itself is about the next
/// statement.
fn warn_of_unknown_key(
    context: &Context<'_>,
    statement: &str,
    quorums: &[Quorum],
    key: &PublicKey,
) {
    let mut named = quorums.iter().flat_map(|quorum| &quorum.trusted);
    if named.any(|one| one.key == *key) {
        return;
    }
    let fingerprint = key.fingerprint();
    context.warning(&if quorums.is_empty() {
        format!(
            "no list of trusted keys was found for `{statement}`, so the signature with \
             {fingerprint} may not count"
        )
    } else {
        format!(
            "`trusted` in `{statement}` does not name the key {fingerprint}: its signature counts \
             only for readers who trust it for another reason"
        )
    });
    context.help(
        "`trusted` in `ipwhl.toml` and in the statement of `--previous` names the keys whose \
         signatures count",
    );
}

/// Prints the content of the statement to be signed.
fn show(context: &Context<'_>, file: &str, statement: &Statement, key: &PublicKey) {
    let previous = statement.previous.map_or_else(
        || "none (first release)".to_owned(),
        |root| root.to_string(),
    );
    let expires = statement
        .expires
        .map_or_else(|| "never".to_owned(), |time| time.to_string());
    context.say(&format!("signing `{file}` with {}:", key.fingerprint()));
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

/// Prints how many of the needed signatures exist. If some are missing, lists the keys that may
/// sign and the file of each signature. Prints nothing about a statement that needs one signature,
/// unless `always` is set.
pub(super) fn mention_signers(
    context: &Context<'_>,
    statement: &str,
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
    if signatures.is_complete() {
        context.say(&format!(
            "the statement has {count} of {needed} needed signatures: it is complete"
        ));
        return;
    }
    context.say(&format!(
        "the statement has {count} of {needed} needed signatures; these keys may add one:"
    ));
    for other in &signatures.further {
        context.say(&format!(
            "  {statement}.{}.sig by {} ({})",
            other.key.file_digits(),
            other.name,
            other.key.fingerprint()
        ));
    }
    context.help(&format!(
        "`ipwhl sign {}` adds the signature; the owner of the key runs it",
        shell_word(statement)
    ));
}
