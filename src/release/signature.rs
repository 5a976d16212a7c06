//! Keys, SSHSIG signatures and IPNS records.
//!
//! Statements are signed with OpenSSH Ed25519 keys in OpenSSH's own signature format, so that
//! `ssh-keygen -Y verify` can check it without this program. The private half of a key is in a file,
//! with an agent, or in hardware behind an agent.
//!
//! Nothing here reads a clock, a variable, a file or a socket: `now` is an argument, and so is the way to an
//! [`Agent`]. Only [`SigningKey::generate`] and [`SigningKey::to_protected`] take random bytes of the system.

mod agent;
mod ipns;
mod key;
mod signing;
mod sshsig;
mod wire;

pub use agent::{Agent, AgentError, Awaited, MAXIMUM_ANSWER_SIZE};
pub use ipns::{
    DEFAULT_RECORD_LIFETIME, DEFAULT_RECORD_TTL, IpnsContent, IpnsError, IpnsName, IpnsNameError,
    IpnsRecord, MAXIMUM_RECORD_SIZE,
};
pub(in crate::release) use key::is_key_type;
pub use key::{KeyError, PublicKey, TrustedKey};
pub use signing::{PrivateKeyText, SigningKey};
pub use sshsig::{MAXIMUM_SIGNATURE_SIZE, SignatureError, sign, verify, verify_for};

/// The SSHSIG namespace of a release statement: a signature that was made for anything else, such
/// as a Git commit, is not one of these.
pub const NAMESPACE: &str = "ipwhl-release";
