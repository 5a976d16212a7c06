//! `ipwhl sign`: the signature of one more key beside a statement.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::keys::{Signer, signing_key, unsigned};
use super::statement::{expired, previous, read_statement};
use super::trust::{Trust, repository_trust};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{PublicKey, TrustedKey, sign, verify};
use crate::release::statement::{SignatureFile, SignedStatement, Statement};
use crate::set::repository::Configuration;

/// Add a signature of your key to a statement
///
/// Shows what the statement says, and signs it where it holds: not expired, and the key one of those that
/// the repository around trusts and that the statement before lets sign. The signature goes beside it, as `.sig` or,
/// where another one is there, as `.<16 digits of the key>.sig`. Its path is printed. A second time changes nothing.
///
/// Example: ipwhl sign release/release.toml --key release-key
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The statement to sign, its other signatures beside it
    #[arg(value_name = "STATEMENT")]
    statement: PathBuf,
    /// The key to sign with: its file, or its public half where an agent has the private one [default: `IPWHL_SIGNING_KEY`,
    /// else your own]
    #[arg(long, value_name = "KEY")]
    key: Option<PathBuf>,
    /// The statement before: it must be followed by this one, and let the key sign
    #[arg(long, value_name = "STATEMENT")]
    previous: Option<String>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let path = context.absolute(&arguments.statement);
    let place = context.shown(&path);
    let mut signed = read_statement(&path)?;
    let now = context.session.now();
    if signed.statement.is_expired(now) {
        return Err(expired(&place, &signed.statement).help(
            "a signature would not help it: `ipwhl build --previous STATEMENT --after-expiry` makes the next one",
        ));
    }
    let (trust, configuration) = repository_trust(context)?.unwrap_or_default();
    trust.check_name(&place, &signed.statement)?;
    let before = arguments
        .previous
        .as_ref()
        .map(|location| previous(context, &configuration, location, false))
        .transpose()?
        .map(|before| before.statement);
    if let Some(before) = &before {
        signed
            .statement
            .check_successor_of(before)
            .map_err(|error| {
                Failure::finding(format!("`{place}` does not follow `--previous`: {error}"))
            })?;
    }
    let found = signing_key(context, arguments.key.as_deref())?;
    let (public, comment) = found.public();
    let public = public.clone();
    may_sign(&trust, &public, comment, found.origin(), now)?;
    may_follow(before.as_ref(), &public, now)?;
    let asked = asked(&configuration, &signed.statement, before.as_ref())?;
    warn_of_stranger(context, &place, &asked, &public);
    if let Some(file) = signature_by(&signed, &public) {
        let file = format!("{place}{}", file.suffix);
        context.say(&format!(
            "`{file}` is by this key already: nothing is changed"
        ));
        mention_signers(context, &place, &signed, &asked, true);
        context.result(&file)?;
        return Ok(ExitStatus::Clean);
    }
    show(context, &place, &signed.statement, &public);
    let file = add_signature(&found.open(context)?, &signed)?;
    write(&path, &file)?;
    let name = format!("{place}{}", file.suffix);
    signed
        .signatures
        .retain(|other| other.suffix != file.suffix);
    signed.signatures.push(file);
    mention_signers(context, &place, &signed, &asked, true);
    context.result(&name)?;
    Ok(ExitStatus::Clean)
}

/// Says so where nothing tells that the key's signature counts. A key that the repository or the statement before does
/// not name was refused already: what is left is what the statement says itself, and that is about the next one.
fn warn_of_stranger(context: &Context<'_>, place: &str, asked: &[Asked], key: &PublicKey) {
    let mut named = asked.iter().flat_map(|(trusted, _)| trusted);
    if named.any(|one| one.key == *key) {
        return;
    }
    let fingerprint = key.fingerprint();
    context.warning(&if asked.is_empty() {
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

/// Refuses a key that the repository does not trust, where it names whom it trusts.
pub(super) fn may_sign(
    trust: &Trust,
    key: &PublicKey,
    comment: &str,
    origin: &str,
    now: jiff::Timestamp,
) -> Result<(), Failure> {
    match &trust.policy {
        Some(policy) if !policy.trusts(key, now) => Err(Failure::finding(format!(
            "the key {} from {origin} is not one of the repository's `trusted` keys",
            key.fingerprint()
        ))
        .help(format!(
            "sign with a trusted key, or add to `trusted`: \"{}\"",
            key.line(comment)
        ))),
        _ => Ok(()),
    }
}

/// Refuses a key that the statement before does not name, where it names any.
pub(super) fn may_follow(
    before: Option<&Statement>,
    key: &PublicKey,
    now: jiff::Timestamp,
) -> Result<(), Failure> {
    let policy = before
        .map(Statement::successor_policy)
        .transpose()
        .map_err(|error| Failure::caused(&error))?
        .flatten();
    match policy {
        Some(policy) if !policy.trusts(key, now) => Err(Failure::finding(format!(
            "the previous statement does not let the key {} sign the next one",
            key.fingerprint()
        ))
        .help("sign with one of the keys in its `trusted`")),
        _ => Ok(()),
    }
}

/// The signature that a key has made already, if it has.
fn signature_by<'s>(signed: &'s SignedStatement, key: &PublicKey) -> Option<&'s SignatureFile> {
    signed
        .signatures
        .iter()
        .find(|file| verify(&file.text, signed.text.as_bytes()).is_ok_and(|signer| signer == *key))
}

/// A signature of a statement, under the name that it has beside those that are there.
pub(super) fn add_signature(
    by: &Signer,
    signed: &SignedStatement,
) -> Result<SignatureFile, Failure> {
    let text = sign(&by.key, signed.text.as_bytes()).map_err(|error| unsigned(by, &error))?;
    let is_first = signed.signatures.iter().all(|file| file.suffix != ".sig");
    let suffix = if is_first {
        ".sig".to_owned()
    } else {
        format!(".{}.sig", by.key.public().file_digits())
    };
    Ok(SignatureFile { suffix, text })
}

/// Writes a signature beside its statement, whole or not at all.
fn write(statement: &Path, file: &SignatureFile) -> Result<(), Failure> {
    let mut name = statement.as_os_str().to_owned();
    name.push(&file.suffix);
    let path = PathBuf::from(name);
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::world(format!("`{}` cannot be written: {reason}", path.display()))
    };
    let mut beside = AtomicFile::create(&path).map_err(|error| failed(&error))?;
    // Another signer may have been faster while nobody held the lock.
    if file.suffix == ".sig" && path.exists() {
        return Err(failed(&"somebody else has signed at this moment").help("run it again"));
    }
    beside
        .write_all(file.text.as_bytes())
        .and_then(|()| beside.commit())
        .map_err(|error| failed(&error))
}

/// Keys of whom some have to sign, and how many.
pub(super) type Asked = (Vec<TrustedKey>, u32);

/// Who asks for signatures: the repository for its own keys, whoever follows the statement before for those that it
/// names. Where neither names any, the statement itself, since its readers know those keys.
pub(super) fn asked(
    configuration: &Configuration,
    statement: &Statement,
    before: Option<&Statement>,
) -> Result<Vec<Asked>, Failure> {
    let trusted = configuration
        .trusted
        .iter()
        .map(|line| line.parse())
        .collect::<Result<Vec<TrustedKey>, _>>()
        .map_err(|error| {
            Failure::finding(format!(
                "`trusted` in `ipwhl.toml`: {}",
                error_chain(&error)
            ))
        })?;
    let threshold = u32::try_from(configuration.threshold).unwrap_or(u32::MAX);
    let mut asked = vec![(trusted, threshold)];
    asked.extend(before.map(|before| (before.trusted.clone(), before.threshold)));
    asked.retain(|(trusted, _)| !trusted.is_empty());
    if asked.is_empty() && !statement.trusted.is_empty() {
        asked.push((statement.trusted.clone(), statement.threshold));
    }
    Ok(asked)
}

/// How many of the signatures are there that somebody asks for; and, where some are lacking, whose they may be, and where
/// each belongs. Nothing is said of a statement that needs no more than one signature, unless it is `always`.
pub(super) fn mention_signers(
    context: &Context<'_>,
    place: &str,
    signed: &SignedStatement,
    asked: &[Asked],
    always: bool,
) {
    let by: Vec<PublicKey> = signed
        .signatures
        .iter()
        .filter_map(|file| verify(&file.text, signed.text.as_bytes()).ok())
        .collect();
    let there = |(trusted, _): &Asked| trusted.iter().filter(|one| by.contains(&one.key)).count();
    let lacking = |asked: &Asked| (asked.1 as usize).saturating_sub(there(asked));
    // Who lacks most is who decides.
    let Some(most) = asked.iter().max_by_key(|asked| (lacking(asked), asked.1)) else {
        return;
    };
    if most.1 < 2 && !always {
        return;
    }
    let (count, needed) = (there(most), most.1);
    let verb = if count == 1 { "is" } else { "are" };
    if lacking(most) == 0 {
        context.say(&format!(
            "{count} of the {needed} signatures that it needs {verb} there: it is complete"
        ));
        return;
    }
    context.say(&format!(
        "{count} of the {needed} signatures that it needs {verb} there; a further one goes beside it:"
    ));
    let mut seen = by;
    for other in asked.iter().flat_map(|(trusted, _)| trusted) {
        if !seen.contains(&other.key) {
            seen.push(other.key.clone());
            context.say(&format!(
                "  {place}.{}.sig by {} ({})",
                other.key.file_digits(),
                other.name,
                other.key.fingerprint()
            ));
        }
    }
    context.help(&format!(
        "`ipwhl sign {}` adds it, with the key of whoever runs it",
        shell_word(place)
    ));
}
