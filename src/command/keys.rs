//! The signing key: prompts and messages about it.

use std::io;
use std::path::Path;

use super::context::Context;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::release::signature::{self, FoundKey, OpenKey, PassphraseQuestion};

/// Prompts for a passphrase on the terminal.
pub(super) fn ask(
    context: &Context<'_>,
) -> impl FnMut(PassphraseQuestion<'_>) -> io::Result<Option<String>> {
    |question| {
        let question = match question {
            PassphraseQuestion::Unlock(origin) => format!("passphrase of the key {origin}: "),
            PassphraseQuestion::UnlockAgain(origin) => {
                context.warning("wrong passphrase; try again");
                format!("passphrase of the key {origin}: ")
            }
            PassphraseQuestion::New => "passphrase of the new key: ".to_owned(),
            PassphraseQuestion::Repeat => "repeat the passphrase: ".to_owned(),
        };
        context.environment.ask_secretly(&question)
    }
}

/// The signing key, not opened yet: the named key, or the user's own, which is created if it does
/// not exist.
pub(super) fn signing_key(
    context: &Context<'_>,
    argument: Option<&Path>,
) -> Result<FoundKey, Failure> {
    let found = signature::signing_key(&context.session, argument)?;
    if found.is_new() {
        context.say(&format!(
            "created your own signing key, {}, with the fingerprint {}",
            found.origin(),
            found.public().0.fingerprint()
        ));
    }
    Ok(found)
}

/// Opens the key for signing. This may prompt for its passphrase or ask an agent.
pub(super) fn open(context: &Context<'_>, found: FoundKey) -> Result<OpenKey, Failure> {
    let key = found.checked(&context.session)?;
    if let Some(file) = key.exposed_file() {
        let file = context.shown(file);
        let word = shell_word(&file);
        context.warning(&format!("other users can read or write the key `{file}`"));
        context.help(&format!("`chmod 600 {word}` makes it private"));
    }
    key.open(&context.session, &mut ask(context))
}
