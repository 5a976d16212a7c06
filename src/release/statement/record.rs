//! The IPNS record for a statement.

use jiff::{SignedDuration, Timestamp};

use super::Statement;
use crate::release::signature::IpnsContent;

impl IpnsContent {
    /// The content of a statement's record: its root and its sequence, valid until the statement
    /// expires. If it never expires, the record is valid for `lifetime` from its creation. Nothing
    /// else is used, so the same key always makes the same record of a statement.
    pub fn of_statement(
        statement: &Statement,
        lifetime: SignedDuration,
        ttl: SignedDuration,
    ) -> Self {
        let without_end = || statement.created.saturating_add(lifetime);
        Self {
            value: format!("/ipfs/{}", statement.root),
            sequence: statement.sequence,
            // A lifetime has no months, so the sum is at worst the last possible instant.
            expires: statement
                .expires
                .unwrap_or_else(|| without_end().unwrap_or(Timestamp::MAX)),
            ttl: u64::try_from(ttl.as_nanos()).unwrap_or_default(),
        }
    }
}
