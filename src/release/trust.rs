//! Whose signatures count, and whether a statement has enough of them.

mod allowed_signers;
mod policy;

pub use allowed_signers::AllowedSignersError;
pub use policy::{Signer, TrustError, TrustPolicy, Verdict};
