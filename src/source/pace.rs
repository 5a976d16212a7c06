//! How fast bytes come: counted for a request and its gateway, and held to a least rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The bytes that one request has brought, beside those that all requests to the same gateway have
/// brought.
#[derive(Clone, Debug, Default)]
pub struct Received {
    request: Arc<AtomicU64>,
    gateway: Arc<AtomicU64>,
}

impl Received {
    /// The counter of one more request to the same gateway.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            request: Arc::default(),
            gateway: Arc::clone(&self.gateway),
        }
    }

    /// Counts bytes that have come.
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

/// A least rate, with a grace time that bytes renew: a burst is no credit for an hour of silence
/// after it.
#[derive(Clone, Debug)]
pub struct Pace {
    /// In bytes a second; 0 is no rate.
    rate: u64,
    grace: Duration,
    /// The bytes that were seen last.
    seen: u64,
    /// When the grace is used up. Bytes move it on by the time that they may take.
    deadline: Instant,
}

impl Pace {
    /// A least rate in bytes a second, from now on.
    pub fn new(rate: u64, grace: Duration, now: Instant) -> Self {
        Self {
            rate,
            grace,
            seen: 0,
            deadline: now + grace,
        }
    }

    /// Takes note of the bytes that have come so far, in all.
    pub fn observe(&mut self, bytes: u64, now: Instant) {
        let microseconds = (bytes - self.seen).saturating_mul(1_000_000) / self.rate.max(1);
        self.seen = bytes;
        let latest = now + self.grace;
        let deadline = self
            .deadline
            .checked_add(Duration::from_micros(microseconds));
        self.deadline = deadline.map_or(latest, |deadline| deadline.min(latest));
    }

    /// Whether less has come than should have.
    pub fn is_behind(&self, now: Instant) -> bool {
        self.rate > 0 && now > self.deadline
    }

    /// When the grace is used up if nothing more comes.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The bytes that were seen last.
    pub fn seen(&self) -> u64 {
        self.seen
    }
}
