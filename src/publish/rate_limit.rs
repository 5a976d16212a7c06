//! A limit to the rate at which a check reads.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The longest sleep, so that what is read with it keeps being said.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The rate at which a check reads. All targets of a run share it.
#[derive(Debug)]
pub struct RateLimit {
    bytes_per_second: u64,
    /// When what was read so far may have been read.
    next: Cell<Option<Instant>>,
}

impl RateLimit {
    /// At most so many bytes a second.
    pub fn new(bytes_per_second: u64) -> Self {
        Self {
            bytes_per_second: bytes_per_second.max(1),
            next: Cell::new(None),
        }
    }

    /// Waits until so many more bytes may have been read.
    pub(super) async fn spend(&self, bytes: usize) {
        let now = Instant::now();
        let from = self.next.get().map_or(now, |next| next.max(now));
        #[expect(clippy::cast_precision_loss, reason = "a delay need not be exact")]
        let delay = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        let until = from + delay;
        self.next.set(Some(until));
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if left.is_zero() {
                break;
            }
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
    }
}
