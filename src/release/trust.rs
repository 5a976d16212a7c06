//! Trust: the keys whose signatures count, and whether a statement has enough of them.
//!
//! A [`TrustPolicy`] gives a [`Verdict`] over a statement and its signatures. [`start()`] finds the
//! statement or keys that a reader trusts first, and [`vouch()`] leads from there to the newest
//! statement, one after another. The statements in between are passed to it; their origin does not
//! matter.
//!
//! Nothing here prints: notes beside a result are [`TrustNote`]s.

mod allowed_signers;
mod carry;
mod chain;
mod countersign;
mod next;
mod note;
mod policy;
mod previous;
mod refusal;
mod reuse;
mod signer;
mod start;
mod vouch;
mod whom;

pub use allowed_signers::AllowedSignersError;
pub use carry::{carried_settings, newest_by_own_keys};
pub use countersign::{Countersigning, Quorum, SignatureCount, count_signatures, quorums};
pub use next::{NextRequest, NextStatement, SignedNext, check_unsigned};
pub use note::{Gap, TrustFailure, TrustNote};
pub use policy::{TrustError, TrustPolicy, Verdict};
pub use previous::previous;
pub use refusal::{BESIDE, expired, refusal, stranger};
pub use reuse::{ReuseRequest, UnvouchedReason};
pub use signer::Signer;
pub use start::{Start, TrustBasis, start};
pub use vouch::{Between, TrustOutcome, VouchedBy, vouch};
pub use whom::{RepositoryAround, Trust, policy, policy_or_own, repository_trust};
