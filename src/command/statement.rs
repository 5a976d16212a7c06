//! Statements that are there already: read, and held to whom the repository trusts.

use std::fs;
use std::path::Path;

use url::Url;

use super::context::Context;
use super::keys::existing_key;
use super::trust::policy;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{MAXIMUM_SIGNATURE_SIZE, TrustedKey, verify};
use crate::release::statement::{
    MAXIMUM_STATEMENT_SIZE, SignatureFile, SignedStatement, Statement, is_signature_of,
};
use crate::release::trust::{TrustPolicy, Verdict};
use crate::set::repository::Configuration;
use crate::source::{Client, Limits, SourceProblem, redacted};

/// Reads a statement and the signatures beside it from a file.
pub(super) fn read_statement(path: &Path) -> Result<SignedStatement, Failure> {
    let text = read_small(path, MAXIMUM_STATEMENT_SIZE).map_err(|failure| match cut(path) {
        Some(help) => failure.help(help),
        None => failure,
    })?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut names: Vec<String> = fs::read_dir(folder)
        .map_err(|error| Failure::world(format!("`{}` cannot be read: {error}", folder.display())))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|other| is_signature_of(other, &name))
        .collect();
    names.sort();
    let signatures = names
        .iter()
        .map(|found| {
            Ok(SignatureFile {
                suffix: found[name.len()..].to_owned(),
                text: read_small(&folder.join(found), MAXIMUM_SIGNATURE_SIZE)?,
            })
        })
        .collect::<Result<Vec<SignatureFile>, Failure>>()?;
    signed(&path.display(), text, signatures)
}

/// What helps where a statement is not there because a build has not come to its end.
pub(super) fn cut(statement: &Path) -> Option<&'static str> {
    (!statement.exists() && AtomicFile::is_begun(statement)).then_some(
        "a build that puts a release there is at work, or was cut: then `ipwhl build` finishes it",
    )
}

fn read_small(path: &Path, largest: usize) -> Result<String, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::world(format!("`{}` cannot be read: {reason}", path.display()))
    };
    // Of a pipe in a strange folder the other end may never come.
    if !fs::metadata(path)
        .map_err(|error| failed(&error))?
        .is_file()
    {
        return Err(failed(&"it is not a regular file"));
    }
    crate::foundation::environment::read_small(path, largest as u64).map_err(|error| failed(&error))
}

fn signed(
    place: &dyn std::fmt::Display,
    text: String,
    signatures: Vec<SignatureFile>,
) -> Result<SignedStatement, Failure> {
    SignedStatement::parse(text, signatures).map_err(|error| {
        Failure::finding(format!(
            "`{place}` is not a statement: {}",
            error_chain(&error)
        ))
    })
}

/// Reads the statement that an option names, from a file or the web. Signatures are not verified
/// here.
pub(super) fn located(
    context: &Context<'_>,
    configuration: &Configuration,
    option: &str,
    location: &str,
    offline: bool,
) -> Result<SignedStatement, Failure> {
    match web_address(option, location)? {
        Some(url) if offline => Err(Failure::usage(format!(
            "`{option} {}` is on the web, and `--offline` leaves the web alone",
            redacted(&url)
        ))),
        Some(url) => download(context, configuration, option, &url),
        None => read_statement(&context.absolute(Path::new(location))),
    }
}

/// Whose word counts for whom works in a repository: its `trusted` keys, and where it names none, the key that is named or
/// the user's own. `None` where there is neither.
pub(super) fn policy_or_own(
    context: &Context<'_>,
    configuration: &Configuration,
    key: Option<&Path>,
) -> Result<Option<TrustPolicy>, Failure> {
    if let Some(policy) = policy(configuration)? {
        return Ok(Some(policy));
    }
    let Some(own) = existing_key(context, key)? else {
        return Ok(None);
    };
    let (key, comment) = own.public();
    let own = TrustedKey {
        key: key.clone(),
        name: comment.to_owned(),
    };
    TrustPolicy::of_keys(&[own], 1)
        .map(Some)
        .map_err(|error| Failure::caused(&error))
}

/// That no key whose word counts has signed a statement, where the repository trusts none.
pub(super) fn stranger(what: &str, signed: &SignedStatement) -> Failure {
    let by: Vec<String> = signed
        .signatures
        .iter()
        .filter_map(|file| verify(&file.text, signed.text.as_bytes()).ok())
        .map(|key| key.fingerprint())
        .collect();
    if by.is_empty() {
        return Failure::finding(format!("{what} has no valid signature beside it"))
            .help("keep `release.toml` and `release.toml.sig` together");
    }
    Failure::finding(format!(
        "{what} is signed by {}, which is not your own key, and `ipwhl.toml` trusts no key",
        by.join(" and ")
    ))
}

/// Reads the statement that `--previous` names, from a file or the web, and believes it only where the repository's
/// `trusted` keys, if it names any, have signed it.
pub(super) fn previous(
    context: &Context<'_>,
    configuration: &Configuration,
    location: &str,
    offline: bool,
) -> Result<SignedStatement, Failure> {
    let found = located(context, configuration, "--previous", location, offline)?;
    let now = context.session.now();
    if let Some(policy) = policy(configuration)? {
        let verdict = policy.evaluate(found.text.as_bytes(), &found.signatures, now);
        if !verdict.is_reached() {
            let help = if verdict.signers.is_empty() {
                "name a statement that the keys in `trusted` have signed".to_owned()
            } else if location.contains("://") {
                "where it was made before `threshold` was raised, another key of `trusted` signs a copy of it, with its signatures beside it: \
                 `ipwhl sign release.toml --key KEY`"
                    .to_owned()
            } else {
                format!(
                    "where it was made before `threshold` was raised, another key of `trusted` signs it too: `ipwhl sign {} --key KEY`",
                    shell_word(location)
                )
            };
            return Err(refusal("the previous statement", &found, &verdict).help(help));
        }
    } else if !found
        .signatures
        .iter()
        .any(|signature| verify(&signature.text, found.text.as_bytes()).is_ok())
    {
        return Err(stranger("the previous statement", &found));
    }
    Ok(found)
}

/// The statement that `--previous` names, for a build, which goes on from its sequence: where no key is trusted, the
/// user's own has to have signed it.
pub(super) fn previous_of_build(
    context: &Context<'_>,
    configuration: &Configuration,
    location: &str,
    offline: bool,
    key: Option<&Path>,
) -> Result<SignedStatement, Failure> {
    let found = previous(context, configuration, location, offline)?;
    if configuration.trusted.is_empty() && !is_followed(context, configuration, &found, key)? {
        return Err(stranger("the previous statement", &found).help(
            "where that key may sign this repository's releases, write it into `trusted` below `[signing]` in `ipwhl.toml`",
        ));
    }
    Ok(found)
}

/// Whether the keys whose word counts here have signed a statement.
fn is_followed(
    context: &Context<'_>,
    configuration: &Configuration,
    signed: &SignedStatement,
    key: Option<&Path>,
) -> Result<bool, Failure> {
    let now = context.session.now();
    let policy = policy_or_own(context, configuration, key)?;
    Ok(policy.is_some_and(|policy| {
        let verdict = policy.evaluate(signed.text.as_bytes(), &signed.signatures, now);
        verdict.is_reached()
    }))
}

/// The statement that a build finds where it writes its own, which it follows.
pub(super) fn previous_in_place(
    context: &Context<'_>,
    configuration: &Configuration,
    path: &Path,
    key: Option<&Path>,
) -> Result<SignedStatement, Failure> {
    let shown = shell_word(&context.shown(path));
    let what = format!("`{}`, which this build would follow,", context.shown(path));
    let ways = format!(
        "`--previous STATEMENT` names the one to follow, and `--output DIR` another folder; with {shown} and its signatures moved away, a build begins at sequence 1"
    );
    let found = read_statement(path).map_err(|failure| match failure.help {
        None => failure.help(&ways),
        Some(_) => failure,
    })?;
    if found.statement.name != configuration.name {
        return Err(Failure::finding(format!(
            "{what} is of {:?}, and this repository is {:?}",
            found.statement.name, configuration.name
        ))
        .help(ways));
    }
    if is_followed(context, configuration, &found, key)? {
        return Ok(found);
    }
    let Some(policy) = policy(configuration)? else {
        return Err(stranger(&what, &found).help(format!(
            "where that key may sign this repository's releases, write it into `trusted` in `ipwhl.toml`; {ways}"
        )));
    };
    let now = context.session.now();
    let verdict = policy.evaluate(found.text.as_bytes(), &found.signatures, now);
    let failure = refusal(&what, &found, &verdict);
    Err(if verdict.signers.is_empty() {
        failure.help(ways)
    } else {
        failure.help(format!(
            "another key of `trusted` signs it too: `ipwhl sign {shown} --key KEY`; {ways}"
        ))
    })
}

/// That a statement does not hold any longer.
pub(super) fn expired(place: &str, statement: &Statement) -> Failure {
    let at = statement.expires.map(|at| at.to_string());
    Failure::finding(format!(
        "`{place}` expired on {}",
        at.as_deref().unwrap_or_default()
    ))
}

/// Why a statement has not enough trusted signatures: who has signed it, and why that does not do.
pub(super) fn refusal(what: &str, signed: &SignedStatement, verdict: &Verdict) -> Failure {
    let mut reasons = Vec::new();
    for signer in &verdict.signers {
        reasons.push(format!(
            "{} ({}) has signed it",
            signer.name,
            signer.key.fingerprint()
        ));
    }
    for (index, error) in &verdict.refused {
        let suffix = signed.signatures.get(*index).map(|file| &file.suffix);
        reasons.push(format!(
            "the signature `…{}` does not count: {}",
            suffix.map_or("", String::as_str),
            error_chain(error)
        ));
    }
    for key in &verdict.unknown {
        reasons.push(format!("nothing vouches for the key {}", key.fingerprint()));
    }
    for signer in &verdict.outside_validity {
        reasons.push(format!("{} may not sign at this time", signer.name));
    }
    if signed.signatures.is_empty() {
        reasons.push("there is no signature beside it".to_owned());
    } else if verdict.signers.len() == signed.signatures.len() {
        reasons.push("there is no further signature beside it".to_owned());
    }
    Failure::finding(format!(
        "{what} has {} of the {} trusted signatures that it needs: {}",
        verdict.signers.len(),
        verdict.threshold,
        reasons.join("; ")
    ))
}

/// The address that a location is; `None` for a file. What it says is not repeated where it cannot
/// be understood, since it may hold a password.
fn web_address(option: &str, location: &str) -> Result<Option<Url>, Failure> {
    match Url::parse(location) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
        Ok(url) if location.contains("://") => Err(Failure::usage(format!(
            "`{option} {}` is neither a file nor an address that begins with `https://`",
            redacted(&url)
        ))),
        Err(error) if location.contains("://") => Err(Failure::usage(format!(
            "`{option}` is not an address: {error}"
        ))),
        _ => Ok(None),
    }
}

/// The statement at an address and the signatures beside it: the first one, and those of further signers
/// whose keys the repository knows, since the web lists no folders.
fn download(
    context: &Context<'_>,
    configuration: &Configuration,
    option: &str,
    url: &Url,
) -> Result<SignedStatement, Failure> {
    let client = Client::new(&context.session.client_settings(Limits::default()))
        .map_err(|error| Failure::caused(&error))?;
    let mut suffixes = vec![".sig".to_owned()];
    for line in &configuration.trusted {
        if let Ok(TrustedKey { key, .. }) = line.parse() {
            suffixes.push(format!(".{}.sig", key.file_digits()));
        }
    }
    let decode = |bytes: Vec<u8>| {
        String::from_utf8(bytes)
            .map_err(|_| Failure::finding(format!("`{}` is not text", redacted(url))))
    };
    let failed = |problem: SourceProblem| {
        Failure::world(format!(
            "the statement of `{option}` cannot be had: {problem}"
        ))
    };
    context.session.runtime()?.block_on(async {
        let text = client.small_file(url, MAXIMUM_STATEMENT_SIZE as u64).await;
        let text = decode(text.map_err(failed)?)?;
        let mut signatures = Vec::new();
        let mut missing = None;
        for suffix in suffixes {
            let mut beside = url.clone();
            beside.set_path(&format!("{}{suffix}", url.path()));
            match client
                .small_file(&beside, MAXIMUM_SIGNATURE_SIZE as u64)
                .await
            {
                Ok(bytes) => signatures.push(SignatureFile {
                    suffix,
                    text: decode(bytes)?,
                }),
                Err(problem @ SourceProblem::Missing { .. }) => missing = missing.or(Some(problem)),
                Err(problem) => return Err(failed(problem)),
            }
        }
        match missing {
            Some(problem) if signatures.is_empty() => Err(failed(problem)),
            _ => signed(&redacted(url), text, signatures),
        }
    })
}
