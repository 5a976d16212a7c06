//! The failure to sign with a key, with help.

use super::KeyError;
use crate::foundation::failure::{Failure, error_chain};

/// The variable for a passphrase without a terminal.
pub(super) const PASSPHRASE: &str = "IPWHL_SIGNING_KEY_PASSPHRASE";

/// The failure to sign with the key from this origin, with help.
pub(super) fn key_failure(origin: &dyn std::fmt::Display, error: &KeyError) -> Failure {
    let failure = Failure::world(format!(
        "the key in {origin} cannot sign: {}",
        error_chain(error)
    ));
    match error {
        KeyError::Agent(error) => failure.help(error.help()),
        KeyError::Protected => failure.help(format!(
            "give the passphrase in `{PASSPHRASE}` or on a terminal, or add the key to an agent \
             with `ssh-add` and name its `.pub` file"
        )),
        KeyError::WrongPassphrase => failure.help(format!(
            "check the passphrase with `ssh-keygen -y -f FILE`; `{PASSPHRASE}` takes precedence \
             over the terminal"
        )),
        _ => failure
            .help("make one with `ipwhl key new --key FILE` or `ssh-keygen -t ed25519 -f FILE`"),
    }
}
