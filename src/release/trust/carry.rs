//! The settings for publishing another maintainer's releases.

use toml_edit::{Array, DocumentMut, value};

use super::{expired, refusal};
use crate::foundation::failure::Failure;
use crate::release::statement::{Newest, OpenSite, Statement};
use crate::set::repository::CONFIGURATION_FILE;
use crate::source::Session;

/// The newest statement of a site, if it has not expired and enough of the keys that it names have
/// signed it. These keys are not trusted yet: they prove only that the maker of the statement had
/// them.
///
/// # Errors
/// When it cannot be read, has expired, names no key, or has too few signatures of its keys.
pub fn newest_by_own_keys(session: &Session, location: &str) -> Result<Newest, Failure> {
    let newest = OpenSite::named(session, location, false)?.newest(&[])?;
    let (found, place) = (&newest.signed, &newest.place);
    let what = format!("`{place}`");
    let now = session.now();
    if found.statement.is_expired(now) {
        return Err(expired(place, &found.statement)
            .help("find out where the set's newest statement is, and name that"));
    }
    let policy = found.statement.successor_policy();
    let policy = policy.map_err(|error| Failure::finding(format!("{what}: {error}")))?;
    let Some(policy) = policy else {
        return Err(Failure::finding(format!(
            "{what} names no `trusted` keys, so it does not say who signs the set"
        ))
        .help(format!(
            "ask the maintainers for the line of their key, and write `{CONFIGURATION_FILE}` by \
             hand: `[repository]`, `format = 1`, \
             `name`, and below `[signing]` `trusted = [\"ssh-ed25519 …\"]`"
        )));
    };
    let verdict = policy.evaluate(found.text.as_bytes(), &found.signatures, now);
    if !verdict.is_reached() {
        return Err(refusal(&what, found, &verdict));
    }
    Ok(newest)
}

/// The text of an `ipwhl.toml` with the statement's name, keys and threshold.
///
/// # Errors
/// When the template is not TOML.
pub fn carried_settings(statement: &Statement) -> Result<String, Failure> {
    let mut document: DocumentMut = include_str!("carry.toml")
        .parse()
        .map_err(|error| Failure::caused(&error as &toml_edit::TomlError))?;
    let mut trusted: Array = statement.trusted.iter().map(ToString::to_string).collect();
    for key in trusted.iter_mut() {
        key.decor_mut().set_prefix("\n    ");
    }
    trusted.set_trailing("\n");
    trusted.set_trailing_comma(true);
    document["repository"]["name"] = value(&statement.name);
    document["signing"]["trusted"] = value(trusted);
    document["signing"]["threshold"] = value(i64::from(statement.threshold));
    Ok(document.to_string())
}
