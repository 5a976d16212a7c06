//! `ipwhl init --carry`: the settings of somebody who publishes another's releases.

use toml_edit::{Array, DocumentMut, value};

use super::files::NewFile;
use crate::command::context::Context;
use crate::command::site::{Newest, OpenSite};
use crate::command::statement::{expired, refusal};
use crate::command::words::counted;
use crate::foundation::failure::Failure;
use crate::release::statement::Statement;
use crate::set::repository::CONFIGURATION_FILE;

/// What the releases are put into.
const IGNORED: &str = "# The releases that are carried.\n/release\n";

/// The files of a folder that carries the set of this statement; whom it believes from now on is
/// shown.
pub(super) fn files(context: &Context<'_>, location: &str) -> Result<Vec<NewFile>, Failure> {
    let newest = newest(context, location)?;
    let text = settings(&newest.signed.statement)?;
    show(context, &newest);
    Ok(vec![
        NewFile {
            path: ".gitignore",
            text: IGNORED.to_owned(),
            may_stay: true,
        },
        NewFile {
            path: CONFIGURATION_FILE,
            text,
            may_stay: false,
        },
    ])
}

/// The statement, signed by as many of the keys that it names as it asks for, and not expired.
fn newest(context: &Context<'_>, location: &str) -> Result<Newest, Failure> {
    let newest = OpenSite::named(context, location, false)?.newest(&[])?;
    let (found, place) = (&newest.signed, &newest.place);
    let what = format!("`{place}`");
    let now = context.session.now();
    if found.statement.is_expired(now) {
        return Err(expired(place, &found.statement)
            .help("ask where the set's newest statement is, and name that one"));
    }
    let policy = found.statement.successor_policy();
    let policy = policy.map_err(|error| Failure::finding(format!("{what}: {error}")))?;
    let Some(policy) = policy else {
        return Err(Failure::finding(format!(
            "{what} names no `trusted` keys, so nothing says who signs the set"
        ))
        .help(format!(
            "ask the maintainers for the line of their key, and write `{CONFIGURATION_FILE}` by hand: `[repository]`, `format = 1`, \
             `name`, and below `[signing]` `trusted = [\"ssh-ed25519 …\"]`"
        )));
    };
    let verdict = policy.evaluate(found.text.as_bytes(), &found.signatures, now);
    if !verdict.is_reached() {
        return Err(refusal(&what, found, &verdict));
    }
    Ok(newest)
}

/// The template with the statement's name, keys and threshold.
fn settings(statement: &Statement) -> Result<String, Failure> {
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

/// Says whose releases are carried. A signature by keys that the statement itself names proves only
/// that its maker had them.
fn show(context: &Context<'_>, newest: &Newest) {
    let statement = &newest.signed.statement;
    let place = &newest.place;
    context.say(&format!(
        "`{place}` is sequence {} of {:?}, a set of which {} of these keys must sign each release:",
        statement.sequence, statement.name, statement.threshold
    ));
    for trusted in &statement.trusted {
        let (fingerprint, name) = (trusted.key.fingerprint(), &trusted.name);
        context.say(&format!("  {fingerprint} {name}"));
    }
    context.warning(&format!(
        "the statement names {} itself, which proves nothing: compare each fingerprint with the one that the maintainers publish elsewhere",
        counted(statement.trusted.len(), "key")
    ));
}

/// What is left to do in the new folder.
pub(super) fn hint(context: &Context<'_>) {
    context.hint(&format!(
        "write a target into `{CONFIGURATION_FILE}`; there, `ipwhl fetch LOCATION` brings the newest release, and `ipwhl publish` takes it on"
    ));
}
