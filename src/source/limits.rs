//! The limits of this room for sizes, times and counts, by name.

use std::time::Duration;

use ipwhl_unixfs::car::MAX_FILE;

/// The largest wheel, in bytes: larger files are not read.
pub const LARGEST_WHEEL: u64 = MAX_FILE;

/// The largest other file of an index or a release, in bytes: a page, METADATA.
pub const LARGEST_PAGE: u64 = 64 << 20;

/// The largest archive of a database of advisories, in bytes.
pub(super) const LARGEST_DATABASE: u64 = 512 << 20;

/// The limits of the network. [`Limits::default`] is for users; tests use shorter ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest time until a connection is established, including TLS.
    pub connect_timeout: Duration,
    /// The longest time from a request to the head of its response.
    pub response_timeout: Duration,
    /// The longest time without a byte of a body. The total time of a body is unlimited.
    pub idle_timeout: Duration,
    /// The least rate of a body, in bytes a second, after a grace period of `idle_timeout`; 0 is no
    /// limit. For a gateway with counted requests ([`Client::counted`]) all bodies count together.
    ///
    /// [`Client::counted`]: super::Client::counted
    pub slowest: u64,
    /// The number of attempts in a row for one address without progress.
    pub attempts: u32,
    /// The number of bytes beyond the earlier maximum that an attempt must receive to reset the
    /// count of attempts.
    pub progress: u64,
    /// The delay before the second attempt; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest delay after doubling.
    pub longest_delay: Duration,
    /// The longest accepted delay from `Retry-After`; a longer one ends the attempts.
    pub longest_retry_after: Duration,
    /// The maximum number of redirects for one request.
    pub redirects: usize,
    /// The largest wheel, in bytes. A declared size is a limit as well.
    pub wheel_size: u64,
    /// The largest page of an index, in bytes.
    pub page_size: u64,
    /// The largest METADATA file that an index serves beside a wheel, in bytes: more than ten times
    /// the largest seen in real wheels (142 KB).
    pub metadata_size: u64,
    /// The largest provenance of a file, in bytes: a hundred times that of a file with one
    /// attestation (10 KB).
    pub provenance_size: u64,
    /// The bytes of the first request for the end of a wheel, from which METADATA is read without
    /// the wheel. The end record with its longest comment fits, and the central directory and
    /// METADATA of most wheels.
    pub range_tail: u64,
    /// The most bytes of a wheel that such requests fetch before the whole wheel is fetched
    /// instead. The central directory and METADATA must fit.
    pub range_bytes: u64,
    /// The maximum number of such requests for one wheel: the end, the rest of the central
    /// directory, METADATA.
    pub range_requests: u32,
}

impl Limits {
    /// The limits for sites, whose servers are untrusted: a slow one must not delay a run.
    pub fn of_sites() -> Self {
        Self {
            slowest: 1024,
            ..Self::default()
        }
    }

    /// The limits for gateways: there are thousands of small requests, and mostly other gateways. A
    /// slow gateway is replaced.
    pub fn of_gateways() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            response_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(15),
            slowest: 4096,
            attempts: 1,
            longest_retry_after: Duration::from_secs(15),
            redirects: 5,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            response_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(30),
            slowest: 100,
            attempts: 5,
            progress: 1 << 20,
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(15),
            longest_retry_after: Duration::from_mins(1),
            redirects: 10,
            wheel_size: LARGEST_WHEEL,
            page_size: LARGEST_PAGE,
            metadata_size: 4 << 20,
            provenance_size: 1 << 20,
            range_tail: 22 + 0xffff,
            range_bytes: 1 << 20,
            range_requests: 3,
        }
    }
}
