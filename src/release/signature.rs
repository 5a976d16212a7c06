//! Statements, keys, SSHSIG signatures and the trust policy.
//!
//! A *statement* is the small text that vouches for a release: its name, its root CID, its place in
//! the sequence of releases and who may sign the next one. It is signed with OpenSSH Ed25519 keys in
//! OpenSSH's own signature format, so that `ssh-keygen -Y verify` can check it without this program. The private half of
//! a key is in a file, with an agent, or in hardware behind an agent.
//!
//! Nothing here reads a clock, a variable, a file or a socket: `now` is an argument, and so is the way to an
//! [`Agent`]. Only [`SigningKey::generate`] and [`SigningKey::to_protected`] take random bytes of the system.

mod agent;
mod allowed_signers;
mod chain;
mod ipns;
mod key;
mod lifetime;
mod signed;
mod signing;
mod sshsig;
mod statement;
mod trust;
mod wire;

pub use agent::{Agent, AgentError, Awaited, MAXIMUM_ANSWER_SIZE};
pub use allowed_signers::AllowedSignersError;
pub use chain::{ChainError, Newness};
pub use ipns::{
    DEFAULT_RECORD_LIFETIME, DEFAULT_RECORD_TTL, IpnsContent, IpnsError, IpnsName, IpnsNameError,
    IpnsRecord, MAXIMUM_RECORD_SIZE,
};
pub use key::{KeyError, PublicKey, TrustedKey};
pub use lifetime::{LifetimeError, parse_lifetime};
pub use signed::{SignatureFile, SignedStatement, is_signature_of};
pub use signing::{PrivateKeyText, SigningKey};
pub use sshsig::{MAXIMUM_SIGNATURE_SIZE, SignatureError, sign, verify, verify_for};
pub use statement::{Draft, MAXIMUM_STATEMENT_SIZE, MAXIMUM_TRUSTED, Statement, StatementError};
pub use trust::{Signer, TrustError, TrustPolicy, Verdict};

/// The SSHSIG namespace of a release statement: a signature that was made for anything else, such
/// as a Git commit, is not one of these.
pub const NAMESPACE: &str = "ipwhl-release";
