//! What an IPNS record says for a statement.

use jiff::{SignedDuration, Timestamp};

use super::Statement;
use crate::release::signature::IpnsContent;

impl IpnsContent {
    /// What the record of a statement says: its root, its sequence, and that it holds until the
    /// statement expires, or, where that never happens, for `lifetime` from when it was made. It
    /// depends on nothing else, so the same key makes the same record of a statement whenever it is
    /// asked.
    pub fn of_statement(
        statement: &Statement,
        lifetime: SignedDuration,
        ttl: SignedDuration,
    ) -> Self {
        let without_end = || statement.created.saturating_add(lifetime);
        Self {
            value: format!("/ipfs/{}", statement.root),
            sequence: statement.sequence,
            // A lifetime has no months, so the sum is at worst the last instant that there is.
            expires: statement
                .expires
                .unwrap_or_else(|| without_end().unwrap_or(Timestamp::MAX)),
            ttl: u64::try_from(ttl.as_nanos()).unwrap_or_default(),
        }
    }
}
