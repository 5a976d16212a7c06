//! The statement that a next one follows, held to whom the repository trusts.

use std::path::Path;

use super::{policy, policy_or_own, refusal, stranger};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::release::signature::verify;
use crate::release::statement::{SignedStatement, located, read_statement};
use crate::set::repository::Configuration;
use crate::source::Session;

/// Reads the statement that `--previous` names, from a file or the web, and believes it only where
/// the repository's `trusted` keys, if it names any, have signed it.
///
/// # Errors
/// When it cannot be had, or nobody whose word counts has signed it.
pub fn previous(
    session: &Session,
    configuration: &Configuration,
    location: &str,
    offline: bool,
) -> Result<SignedStatement, Failure> {
    let found = located(session, configuration, "--previous", location, offline)?;
    let now = session.now();
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

/// The statement that `--previous` names, for a build, which goes on from its sequence: where no
/// key is trusted, the user's own has to have signed it.
///
/// # Errors
/// Those of [`previous`].
pub fn previous_of_build(
    session: &Session,
    configuration: &Configuration,
    location: &str,
    offline: bool,
    key: Option<&Path>,
) -> Result<SignedStatement, Failure> {
    let found = previous(session, configuration, location, offline)?;
    if configuration.trusted.is_empty() && !is_followed(session, configuration, &found, key)? {
        return Err(stranger("the previous statement", &found).help(
            "where that key may sign this repository's releases, write it into `trusted` below `[signing]` in `ipwhl.toml`",
        ));
    }
    Ok(found)
}

/// Whether the keys whose word counts here have signed a statement.
fn is_followed(
    session: &Session,
    configuration: &Configuration,
    signed: &SignedStatement,
    key: Option<&Path>,
) -> Result<bool, Failure> {
    let now = session.now();
    let policy = policy_or_own(session, configuration, key)?;
    Ok(policy.is_some_and(|policy| {
        let verdict = policy.evaluate(signed.text.as_bytes(), &signed.signatures, now);
        verdict.is_reached()
    }))
}

/// The statement that a build finds where it writes its own, which it follows.
///
/// # Errors
/// When it is no statement, another repository's, or not signed by whom this one trusts.
pub fn previous_in_place(
    session: &Session,
    configuration: &Configuration,
    path: &Path,
    key: Option<&Path>,
) -> Result<SignedStatement, Failure> {
    let shown = shell_word(&session.environment().shown(path));
    let what = format!(
        "`{}`, which this build would follow,",
        session.environment().shown(path)
    );
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
    if is_followed(session, configuration, &found, key)? {
        return Ok(found);
    }
    let Some(policy) = policy(configuration)? else {
        return Err(stranger(&what, &found).help(format!(
            "where that key may sign this repository's releases, write it into `trusted` in `ipwhl.toml`; {ways}"
        )));
    };
    let now = session.now();
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
