//! How much, how long and how often: every limit of this room, by name.

use std::time::Duration;

use ipwhl_unixfs::car::MAX_FILE;

/// The largest wheel, in bytes: no larger file is read.
pub const LARGEST_WHEEL: u64 = MAX_FILE;

/// The largest other file of an index or a release, in bytes: a page, METADATA.
pub const LARGEST_PAGE: u64 = 64 << 20;

/// The limits of transport. [`Limits::default`] is for people; tests take shorter ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest time until a connection stands, TLS included.
    pub connect_timeout: Duration,
    /// The longest time from a request to the head of its response.
    pub response_timeout: Duration,
    /// The longest time without a single byte of a body. A body as a whole has no limit of time.
    pub idle_timeout: Duration,
    /// The least rate of a body, in bytes a second, with a grace of `idle_timeout`; 0 is no limit.
    /// Of a gateway whose requests are counted ([`Client::counted`]) all bodies count together.
    ///
    /// [`Client::counted`]: super::Client::counted
    pub slowest: u64,
    /// How often one address is tried in a row without getting any further.
    pub attempts: u32,
    /// How many more bytes than ever before an attempt must have brought for the count of
    /// attempts to start anew.
    pub progress: u64,
    /// The delay before the second attempt; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest delay that doubling leads to.
    pub longest_delay: Duration,
    /// The longest delay that a server may ask for by `Retry-After`; one that asks for more is not
    /// waited for.
    pub longest_retry_after: Duration,
    /// How many redirects one request follows.
    pub redirects: usize,
    /// The largest wheel, in bytes. What a declaration says of its size is a limit as well.
    pub wheel_size: u64,
    /// The largest page of an index, in bytes.
    pub page_size: u64,
    /// The largest METADATA file that an index serves beside a wheel, in bytes: ten times above
    /// the largest seen in real wheels (142 KB) and more.
    pub metadata_size: u64,
}

impl Limits {
    /// The limits for sites, whose server may be anybody's: a byte now and then is not to keep
    /// anybody waiting.
    pub fn of_sites() -> Self {
        Self {
            slowest: 1024,
            ..Self::default()
        }
    }

    /// The limits for gateways that are asked for blocks: there are thousands of small requests,
    /// mostly other places too, and whoever stalls is asked for something else next.
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
            slowest: 0,
            attempts: 5,
            progress: 1 << 20,
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(15),
            longest_retry_after: Duration::from_mins(1),
            redirects: 10,
            wheel_size: LARGEST_WHEEL,
            page_size: LARGEST_PAGE,
            metadata_size: 4 << 20,
        }
    }
}
