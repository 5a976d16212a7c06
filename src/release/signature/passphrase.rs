//! The passphrase of a key: from the environment, or typed.

use std::io;

use super::key_failure::{PASSPHRASE, key_failure};
use super::{KeyError, SigningKey};
use crate::foundation::failure::Failure;
use crate::source::Session;

/// The maximum number of prompts for a passphrase.
const TRIES: u32 = 3;

/// A question for a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassphraseQuestion<'q> {
    /// The passphrase of the key from this origin.
    Unlock(&'q str),
    /// The same again, because the first answer was wrong.
    UnlockAgain(&'q str),
    /// A passphrase for a new key.
    New,
    /// The passphrase for a new key again.
    Repeat,
}

/// Asks a person for a passphrase; `None` if there is no terminal.
pub type AskPassphrase<'a> = dyn FnMut(PassphraseQuestion<'_>) -> io::Result<Option<String>> + 'a;

/// The passphrase from the environment, without a line end, which secrets may have.
fn given_passphrase(session: &Session) -> Result<Option<String>, Failure> {
    let Some(value) = session.environment().variable(PASSPHRASE) else {
        return Ok(None);
    };
    match value.to_str() {
        Some(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        None => Err(Failure::world(format!("`{PASSPHRASE}` is not UTF-8"))),
    }
}

fn unread(error: &io::Error) -> Failure {
    Failure::world(format!("cannot read a passphrase: {error}"))
}

/// Opens a private key with its passphrase: the given one, or a typed one, with three attempts.
pub(super) fn unlock(
    session: &Session,
    ask: &mut AskPassphrase<'_>,
    origin: &str,
    text: &str,
) -> Result<SigningKey, Failure> {
    if let Some(passphrase) = given_passphrase(session)? {
        return SigningKey::from_protected(text, &passphrase)
            .map_err(|error| key_failure(&origin, &error));
    }
    let mut question = PassphraseQuestion::Unlock(origin);
    for left in (0..TRIES).rev() {
        let Some(passphrase) = ask(question).map_err(|error| unread(&error))? else {
            return Err(key_failure(&origin, &KeyError::Protected));
        };
        match SigningKey::from_protected(text, &passphrase) {
            Err(KeyError::WrongPassphrase) if left > 0 => {
                question = PassphraseQuestion::UnlockAgain(origin);
            }
            read => return read.map_err(|error| key_failure(&origin, &error)),
        }
    }
    Err(key_failure(&origin, &KeyError::WrongPassphrase))
}

/// A passphrase for a new key: the given one, or one that is typed twice.
///
/// # Errors
/// When there is none, it is empty, or it is typed differently the second time.
pub fn new_passphrase(session: &Session, ask: &mut AskPassphrase<'_>) -> Result<String, Failure> {
    if let Some(passphrase) = given_passphrase(session)? {
        return Ok(passphrase);
    }
    let mut ask = |question| ask(question).map_err(|error| unread(&error));
    let Some(first) = ask(PassphraseQuestion::New)? else {
        return Err(
            Failure::usage("`--passphrase` needs a terminal, but there is none")
                .help(format!("give the passphrase in `{PASSPHRASE}`")),
        );
    };
    if first.is_empty() {
        return Err(Failure::usage("the passphrase is empty")
            .help("omit `--passphrase` for a key without one"));
    }
    if ask(PassphraseQuestion::Repeat)?.as_deref() != Some(&first) {
        return Err(Failure::usage("the passphrases differ").help("run it again"));
    }
    Ok(first)
}
