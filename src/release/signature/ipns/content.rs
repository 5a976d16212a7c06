//! What a record says.

use ipwhl_unixfs::Cid;
use jiff::Timestamp;

/// The one validity type: the record holds until a time.
pub(super) const END_OF_LIFE: u64 = 0;

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpnsContent {
    /// What the name stands for: `/ipfs/<root CID>`.
    pub value: String,
    /// The higher one of two records holds.
    pub sequence: u64,
    /// Until when the record holds, to the nanosecond.
    pub expires: Timestamp,
    /// For how long a resolver may go on without asking again, in nanoseconds.
    pub ttl: u64,
}

impl IpnsContent {
    /// The root CID that the name stands for; `None` where the value is something else.
    pub fn root(&self) -> Option<Cid> {
        self.value
            .strip_prefix("/ipfs/")?
            .trim_end_matches('/')
            .parse()
            .ok()
    }

    /// Whether it no longer holds at that time.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// Whether a resolver that knows both takes this one (IPNS Record, "Record Verification"): by a
    /// higher sequence, and between equal ones by holding longer.
    pub fn supersedes(&self, other: &Self) -> bool {
        (self.sequence, self.expires) > (other.sequence, other.expires)
    }
}
