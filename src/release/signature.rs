//! Keys, SSHSIG signatures and IPNS records.
//!
//! Statements are signed with OpenSSH Ed25519 keys in OpenSSH's own signature format, so that
//! `ssh-keygen -Y verify` can check them without this program. The private half of a key is in a
//! file, with an agent, or in hardware behind an agent.
//!
//! Keys, signatures and records are computed without a clock, a variable, a file or a socket: `now`
//! is an argument, and so is the way to an [`Agent`]. Only [`SigningKey::generate`] and
//! [`SigningKey::to_protected`] take random bytes of the system. Where a person's key is, and the
//! [`SocketAgent`] that may keep it, is found out in the [`Session`](crate::source::Session)'s
//! environment.

mod agent;
mod agent_error;
mod ipns;
mod key;
mod key_error;
mod key_failure;
mod key_type;
mod keys;
mod passphrase;
mod signing;
mod socket;
mod sshsig;
mod wire;

pub use agent::{Agent, Awaited, MAXIMUM_ANSWER_SIZE};
pub use agent_error::AgentError;
pub use ipns::{
    DEFAULT_RECORD_LIFETIME, DEFAULT_RECORD_TTL, IpnsContent, IpnsError, IpnsName, IpnsNameError,
    IpnsRecord, MAXIMUM_RECORD_SIZE,
};
pub use key::{PublicKey, TrustedKey};
pub use key_error::KeyError;
pub(in crate::release) use key_type::is_key_type;
pub use keys::{
    CheckedKey, FoundKey, OpenKey, existing_key, make_key, named_key, own_key, own_key_path,
    signing_key,
};
pub use passphrase::{AskPassphrase, PassphraseQuestion, new_passphrase};
pub use signing::{PrivateKeyText, SigningKey, sign};
pub use socket::SocketAgent;
pub use sshsig::{MAXIMUM_SIGNATURE_SIZE, SignatureError, verify, verify_for};

/// The SSHSIG namespace of a release statement: a signature that was made for anything else, such
/// as a Git commit, is not one of these.
pub const NAMESPACE: &str = "ipwhl-release";
