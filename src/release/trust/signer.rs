//! A trusted key, and the reason for its trust.

use jiff::Timestamp;

use crate::release::signature::PublicKey;

/// One reason to trust a key: a line of `trusted` or of an `allowed_signers` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) signer: Signer,
    pub(super) valid_after: Option<Timestamp>,
    pub(super) valid_before: Option<Timestamp>,
}

impl Entry {
    /// As in ssh-keygen, both ends are included.
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        self.valid_after.is_none_or(|after| at >= after)
            && self.valid_before.is_none_or(|before| at <= before)
    }
}

/// A trusted key with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: PublicKey,
    /// The comment of a `trusted` line, or the principals of an `allowed_signers` line.
    pub name: String,
}
