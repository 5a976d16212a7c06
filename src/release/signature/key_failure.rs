//! Why a key cannot sign, with the way out.

use super::KeyError;
use crate::foundation::failure::{Failure, error_chain};

/// Where a passphrase can be given without a terminal.
pub(super) const PASSPHRASE: &str = "IPWHL_SIGNING_KEY_PASSPHRASE";

/// Why the key from this origin cannot sign, with the way out.
pub(super) fn key_failure(origin: &dyn std::fmt::Display, error: &KeyError) -> Failure {
    let failure = Failure::world(format!(
        "the key in {origin} cannot sign: {}",
        error_chain(error)
    ));
    match error {
        KeyError::Agent(error) => failure.help(error.help()),
        KeyError::Protected => failure.help(format!(
            "give the passphrase in `{PASSPHRASE}` or on a terminal, or give the key to an agent with `ssh-add` and \
             name its `.pub` file"
        )),
        KeyError::WrongPassphrase => failure.help(format!(
            "`ssh-keygen -y -f FILE` tells whether a passphrase is the key's; `{PASSPHRASE}` goes before the terminal"
        )),
        _ => failure.help(
            "`ipwhl key new --key FILE` makes one, and so does `ssh-keygen -t ed25519 -f FILE`",
        ),
    }
}
