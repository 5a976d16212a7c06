//! Errors of keys.

use thiserror::Error;

use super::AgentError;
use super::key_type::{HARDWARE, PLAIN};
use super::wire::MAXIMUM_ROUNDS;

/// An error of a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The text is not an OpenSSH private key; its likely kind.
    #[error("the signing key is not an OpenSSH private key, but {0}")]
    NotAPrivateKey(String),
    /// The private key is protected by a passphrase, and none was given.
    #[error("the signing key is protected by a passphrase, but none is given")]
    Protected,
    /// The passphrase does not open the private key.
    #[error("the passphrase does not open the signing key")]
    WrongPassphrase,
    /// The private key requires too many rounds of hashing for its passphrase.
    #[error(
        "the signing key requires {0} rounds of hashing for its passphrase; at most \
         {MAXIMUM_ROUNDS} are allowed"
    )]
    TooManyRounds(u32),
    /// The private key's file is a handle of a hardware key, which only an agent can use.
    #[error(
        "the signing key is in hardware, which only an agent can use: add it with `ssh-add`, and \
         name its `.pub` file here"
    )]
    InHardware,
    /// The key is of another algorithm, by its OpenSSH name.
    #[error(
        "the key is of the type {0:?}, but only {PLAIN} and {HARDWARE} keys can sign a release"
    )]
    Algorithm(String),
    /// The private key cannot be decoded; the decoder's message.
    #[error("the signing key cannot be decoded: {0}")]
    Malformed(String),
    /// The text is not a line `ssh-ed25519 AAAA… comment`; the reason.
    #[error("{line:?} is not a public key of the form \"{PLAIN} AAAA… name\": {reason}")]
    NotAPublicKey {
        /// The given text.
        line: String,
        /// The problem with it.
        reason: &'static str,
    },
    /// A principal that `allowed_signers` cannot contain.
    #[error(
        "{0:?} cannot be a principal in an allowed_signers file: it is empty, or has a quotation \
         mark, a comma, a wildcard or a control character"
    )]
    InvalidPrincipal(String),
    /// The system gave no random bytes; its message.
    #[error("the system gave no random bytes for a new key: {0}")]
    NoRandomness(String),
    /// The agent that keeps the key did not sign.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A hardware key was asked for a plain Ed25519 signature, which it cannot make.
    #[error(
        "a hardware key ({HARDWARE}) cannot make a plain Ed25519 signature, which is needed here: \
         use a key of the type {PLAIN}, in a file or in an agent"
    )]
    NoBareSignature,
    /// The private half is not available for writing.
    #[error("the private half of the key is in an agent, not here")]
    KeptByAgent,
}
