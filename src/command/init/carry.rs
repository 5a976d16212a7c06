//! `ipwhl init --carry`: the settings for publishing the releases of others.

use crate::command::context::Context;
use crate::foundation::failure::Failure;
use crate::release::statement::Newest;
use crate::release::trust::{carried_settings, newest_by_own_keys};
use crate::set::init::{NewFile, carrying_files};
use crate::set::repository::CONFIGURATION_FILE;

/// The files of a folder that carries the set of this statement. Prints the keys that it will
/// trust.
pub(super) fn files(context: &Context<'_>, location: &str) -> Result<Vec<NewFile>, Failure> {
    let newest = newest_by_own_keys(&context.session, location)?;
    let text = carried_settings(&newest.signed.statement)?;
    show(context, &newest);
    Ok(carrying_files(text))
}

/// Prints the name and the keys of the set. A signature by keys that the statement itself names
/// proves only that its maker had them.
fn show(context: &Context<'_>, newest: &Newest) {
    let statement = &newest.signed.statement;
    let place = &newest.place;
    context.say(&format!(
        "`{place}` is sequence {} of the set {:?}; each release needs {}:",
        statement.sequence,
        statement.name,
        match (statement.threshold, statement.trusted.len()) {
            (_, 1) => "the signature of this key".to_owned(),
            (1, _) => "the signature of one of these keys".to_owned(),
            (threshold, _) => format!("the signatures of {threshold} of these keys"),
        }
    ));
    for trusted in &statement.trusted {
        let (fingerprint, name) = (trusted.key.fingerprint(), &trusted.name);
        context.say(&format!("  {fingerprint} {name}"));
    }
    let (keys, fingerprint) = match statement.trusted.len() {
        1 => ("the key comes".to_owned(), "its fingerprint"),
        count => (format!("the {count} keys come"), "each fingerprint"),
    };
    context.warning(&format!(
        "{keys} from the statement itself, which proves nothing: compare {fingerprint} with the \
         one that the maintainers publish elsewhere"
    ));
}

/// Prints the next steps in the new folder.
pub(super) fn hint(context: &Context<'_>) {
    context.hint(&format!(
        "add a target to `{CONFIGURATION_FILE}`; then run `ipwhl fetch LOCATION` to download the \
         newest release, and `ipwhl publish` to publish it"
    ));
}
