//! Statements, keys, SSHSIG signatures and the trust policy.
//!
//! A *statement* is the small text that vouches for a release: its name, its root CID, its place in
//! the sequence of releases and who may sign the next one. It is signed with OpenSSH Ed25519 keys in
//! OpenSSH's own signature format, so that `ssh-keygen -Y verify` can check it without this program.
//!
//! Nothing here reads a clock, a variable or a file: `now` is an argument. Only
//! [`SigningKey::generate`] is not a function of its arguments.

mod allowed_signers;
mod key;
mod lifetime;
mod sshsig;
mod statement;
mod trust;
mod wire;

pub use allowed_signers::AllowedSignersError;
pub use key::{KeyError, PublicKey, SigningKey, TrustedKey};
pub use lifetime::{LifetimeError, parse_lifetime};
pub use sshsig::{MAXIMUM_SIGNATURE_SIZE, SignatureError, sign, verify};
pub use statement::{Draft, MAXIMUM_STATEMENT_SIZE, MAXIMUM_TRUSTED, Statement, StatementError};
pub use trust::{Signer, TrustError, TrustPolicy, Verdict};

/// The SSHSIG namespace of a release statement: a signature that was made for anything else, such
/// as a Git commit, is not one of these.
pub const NAMESPACE: &str = "ipwhl-release";
