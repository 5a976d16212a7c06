//! Reads the statement that the next one follows, and checks that the repository trusts its
//! signatures.

use std::path::Path;

use super::{policy, policy_or_own, refusal, stranger};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::release::signature::{existing_key, verify};
use crate::release::statement::{SignedStatement, located, read_statement, unfinished_build_help};
use crate::set::repository::Configuration;
use crate::source::Session;

/// Reads the statement that `--previous` names, from a file or the web. If the repository names
/// `trusted` keys, they must have signed it.
///
/// # Errors
/// When it cannot be read, or lacks trusted signatures.
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
                "if it was made before `threshold` was raised, sign a copy of it with another key \
                 of `trusted`, with its signatures beside it: `ipwhl sign release.toml --key KEY`"
                    .to_owned()
            } else {
                format!(
                    "if it was made before `threshold` was raised, sign it with another key of \
                     `trusted` too: `ipwhl sign {} --key KEY`",
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
        return Err(stranger("the previous statement", &found, None));
    }
    Ok(found)
}

/// The statement in `--previous`, for a build that continues its sequence: if no key is trusted,
/// the user's own must have signed it.
///
/// # Errors
/// The errors of [`previous`].
pub(super) fn previous_of_build(
    session: &Session,
    configuration: &Configuration,
    location: &str,
    offline: bool,
    key: Option<&Path>,
) -> Result<SignedStatement, Failure> {
    let found = previous(session, configuration, location, offline)?;
    if configuration.trusted.is_empty() && !is_followed(session, configuration, &found, key)? {
        let own = existing_key(session, key)?;
        return Err(
            stranger("the previous statement", &found, own.as_ref()).help(
                "if that key may sign this repository's releases, add it to `trusted` below \
             `[signing]` in `ipwhl.toml`",
            ),
        );
    }
    Ok(found)
}

/// Whether enough of the keys that count here have signed a statement.
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

/// The statement at the output path of a build, which the build follows.
///
/// # Errors
/// When it is not a statement, belongs to another repository, or lacks trusted signatures.
pub(super) fn previous_in_place(
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
        "name the statement to follow with `--previous STATEMENT`, or another folder with \
         `--output DIR`; if you move {shown} and its signatures away, a build begins at sequence 1"
    );
    let found = read_statement(path).map_err(|failure| match unfinished_build_help(path) {
        None => failure.help(&ways),
        Some(_) => failure,
    })?;
    if found.statement.name != configuration.name {
        return Err(Failure::finding(format!(
            "{what} is of {:?}, but this repository is {:?}",
            found.statement.name, configuration.name
        ))
        .help(ways));
    }
    if is_followed(session, configuration, &found, key)? {
        return Ok(found);
    }
    let Some(policy) = policy(configuration)? else {
        let own = existing_key(session, key)?;
        return Err(stranger(&what, &found, own.as_ref()).help(format!(
            "if that key may sign this repository's releases, add it to `trusted` in `ipwhl.toml`; {ways}"
        )));
    };
    let now = session.now();
    let verdict = policy.evaluate(found.text.as_bytes(), &found.signatures, now);
    let failure = refusal(&what, &found, &verdict);
    Err(if verdict.signers.is_empty() {
        failure.help(ways)
    } else {
        failure.help(format!(
            "sign it with another key of `trusted` too: `ipwhl sign {shown} --key KEY`; {ways}"
        ))
    })
}
