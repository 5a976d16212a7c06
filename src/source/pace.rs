//! The rate of received bytes: counted for a request and its gateway, and compared with a minimum.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The bytes that one request has received, and those of all requests to the same gateway.
#[derive(Clone, Debug, Default)]
pub struct Received {
    request: Arc<AtomicU64>,
    gateway: Arc<AtomicU64>,
}

impl Received {
    /// A counter for another request to the same gateway.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            request: Arc::default(),
            gateway: Arc::clone(&self.gateway),
        }
    }

    /// Counts received bytes.
    pub fn add(&self, bytes: u64) {
        self.request.fetch_add(bytes, Ordering::Relaxed);
        self.gateway.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes of this request.
    pub fn bytes(&self) -> u64 {
        self.request.load(Ordering::Relaxed)
    }

    /// The bytes of all requests to the gateway.
    pub(super) fn of_gateway(&self) -> u64 {
        self.gateway.load(Ordering::Relaxed)
    }
}

/// A minimum rate with a grace period that received bytes renew. A burst does not allow a long
/// silence after it.
#[derive(Clone, Debug)]
pub struct Pace {
    /// In bytes a second; 0 for no minimum.
    rate: u64,
    grace: Duration,
    /// The bytes at the last observation.
    seen: u64,
    /// The end of the grace period. Received bytes move it by the time that they may take.
    deadline: Instant,
}

impl Pace {
    /// A minimum rate in bytes a second, from now on.
    pub fn new(rate: u64, grace: Duration, now: Instant) -> Self {
        Self {
            rate,
            grace,
            seen: 0,
            deadline: now + grace,
        }
    }

    /// Records the total of bytes received so far.
    pub fn observe(&mut self, bytes: u64, now: Instant) {
        let microseconds = (bytes - self.seen).saturating_mul(1_000_000) / self.rate.max(1);
        self.seen = bytes;
        let latest = now + self.grace;
        let deadline = self
            .deadline
            .checked_add(Duration::from_micros(microseconds));
        self.deadline = deadline.map_or(latest, |deadline| deadline.min(latest));
    }

    /// Whether fewer bytes were received than required.
    pub fn is_behind(&self, now: Instant) -> bool {
        self.rate > 0 && now > self.deadline
    }

    /// The end of the grace period if nothing more is received.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The bytes at the last observation.
    pub fn seen(&self) -> u64 {
        self.seen
    }
}
