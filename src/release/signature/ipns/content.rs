//! The contents of a record.

use ipwhl_unixfs::Cid;
use jiff::Timestamp;

/// The only validity type: the record is valid until a time.
pub(super) const END_OF_LIFE: u64 = 0;

/// The contents of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpnsContent {
    /// The value of the name: `/ipfs/<root CID>`.
    pub value: String,
    /// Of two records the one with the higher sequence is valid.
    pub sequence: u64,
    /// The end of its validity, to the nanosecond.
    pub expires: Timestamp,
    /// The time for which a resolver may cache it, in nanoseconds.
    pub ttl: u64,
}

impl IpnsContent {
    /// The root CID in the value; `None` if the value is something else.
    pub fn root(&self) -> Option<Cid> {
        self.value
            .strip_prefix("/ipfs/")?
            .trim_end_matches('/')
            .parse()
            .ok()
    }

    /// Whether it has expired at that time.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// Whether a resolver prefers this record to the other (IPNS Record, "Record Verification"): by
    /// a higher sequence, then by a later expiry.
    pub fn supersedes(&self, other: &Self) -> bool {
        (self.sequence, self.expires) > (other.sequence, other.expires)
    }
}
