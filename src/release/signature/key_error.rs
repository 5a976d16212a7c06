//! What is wrong with a key.

use thiserror::Error;

use super::AgentError;
use super::key_type::{HARDWARE, PLAIN};
use super::wire::MAXIMUM_ROUNDS;

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The text is not an OpenSSH private key; what it looks like instead.
    #[error("the signing key is not an OpenSSH private key, but {0}")]
    NotAPrivateKey(String),
    /// The private key is protected by a passphrase, and none was given.
    #[error("the signing key is protected by a passphrase, and none is given")]
    Protected,
    /// The passphrase is not the private key's.
    #[error("the passphrase is not that of the signing key")]
    WrongPassphrase,
    /// The private key wants its passphrase hashed that often.
    #[error(
        "the signing key wants its passphrase hashed {0} times, and {MAXIMUM_ROUNDS} are allowed"
    )]
    TooManyRounds(u32),
    /// The private key's file is a handle of a key in hardware, which only an agent can use.
    #[error(
        "the signing key is in hardware, which is reached through an agent only: `ssh-add` gives \
         it to one, and its `.pub` file is the key to name here"
    )]
    InHardware,
    /// The key is of another algorithm, by its OpenSSH name.
    #[error(
        "the key is of the type {0:?}, and only {PLAIN} and {HARDWARE} keys can sign a release"
    )]
    Algorithm(String),
    /// The private key cannot be decoded; what the decoder says.
    #[error("the signing key cannot be decoded: {0}")]
    Malformed(String),
    /// The text is not a line `ssh-ed25519 AAAA… comment`; why.
    #[error("{line:?} is not a public key of the form \"{PLAIN} AAAA… name\": {reason}")]
    NotAPublicKey {
        /// The text that was given.
        line: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A principal that `allowed_signers` cannot hold.
    #[error(
        "{0:?} cannot be a principal in an allowed_signers file: it is empty, or has a quotation \
         mark, a comma, a wildcard or a control character"
    )]
    InvalidPrincipal(String),
    /// The system gave no random bytes; what it said.
    #[error("the system gave no random bytes for a new key: {0}")]
    NoRandomness(String),
    /// The agent that keeps the key did not sign.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A hardware key was asked for a bare Ed25519 signature, which it cannot make.
    #[error(
        "a hardware key ({HARDWARE}) signs only together with its own counter, and this needs a \
         bare Ed25519 signature: a key of the type {PLAIN} can make it, in a file or in an agent"
    )]
    NoBareSignature,
    /// The private half is not here to be written.
    #[error("the private half of the key is with an agent, not here")]
    KeptByAgent,
}
