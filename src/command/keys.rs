//! The key that signs: what a person is asked and told of it.

use std::io;
use std::path::Path;

use super::context::Context;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::release::signature::{self, FoundKey, OpenKey, PassphraseQuestion};

/// Asks for a passphrase on the terminal.
pub(super) fn ask(
    context: &Context<'_>,
) -> impl FnMut(PassphraseQuestion<'_>) -> io::Result<Option<String>> {
    |question| {
        let question = match question {
            PassphraseQuestion::Unlock(origin) => format!("passphrase of the key {origin}: "),
            PassphraseQuestion::UnlockAgain(origin) => {
                context.warning("that is not its passphrase; try again");
                format!("passphrase of the key {origin}: ")
            }
            PassphraseQuestion::New => "passphrase of the new key: ".to_owned(),
            PassphraseQuestion::Repeat => "the same again: ".to_owned(),
        };
        context.environment.ask_secretly(&question)
    }
}

/// The key that signs, not opened yet: the named one, or the user's own, which is made where there
/// is none.
pub(super) fn signing_key(
    context: &Context<'_>,
    argument: Option<&Path>,
) -> Result<FoundKey, Failure> {
    let found = signature::signing_key(&context.session, argument)?;
    if found.is_new() {
        context.say(&format!(
            "made a signing key of your own, {}, with the fingerprint {}",
            found.origin(),
            found.public().0.fingerprint()
        ));
    }
    Ok(found)
}

/// The key, ready to sign: its passphrase asked for, or its agent.
pub(super) fn open(context: &Context<'_>, found: FoundKey) -> Result<OpenKey, Failure> {
    let key = found.checked(&context.session)?;
    if let Some(file) = key.exposed_file() {
        let file = context.shown(file);
        let words = shell_word(&file);
        context.warning(&format!("other users can read or write the key `{file}`"));
        context.help(&format!("`chmod 600 {words}` takes that from them"));
    }
    key.open(&context.session, &mut ask(context))
}
