//! `ipwhl init --carry`: the settings for publishing the releases of others.

use crate::command::context::Context;
use crate::command::words::counted;
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
        "`{place}` is sequence {} of the set {:?}; each release needs the signatures of {} of these keys:",
        statement.sequence, statement.name, statement.threshold
    ));
    for trusted in &statement.trusted {
        let (fingerprint, name) = (trusted.key.fingerprint(), &trusted.name);
        context.say(&format!("  {fingerprint} {name}"));
    }
    context.warning(&format!(
        "the {} come from the statement itself, which proves nothing: compare each fingerprint \
         with the one that the maintainers publish elsewhere",
        counted(statement.trusted.len(), "key")
    ));
}

/// Prints the next steps in the new folder.
pub(super) fn hint(context: &Context<'_>) {
    context.hint(&format!(
        "add a target to `{CONFIGURATION_FILE}`; then run `ipwhl fetch LOCATION` to download the \
         newest release, and `ipwhl publish` to publish it"
    ));
}
