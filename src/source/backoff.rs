//! Delays between attempts: exponential with jitter, or as the server asks.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::limits::Limits;

/// The delays between the attempts at one address.
#[derive(Debug)]
pub(super) struct Backoff<'a> {
    limits: &'a Limits,
    failed: u32,
    best: u64,
    hopeless: bool,
}

impl<'a> Backoff<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            failed: 0,
            best: 0,
            hopeless: false,
        }
    }

    /// Allows no further attempt, because the host was given up.
    pub(super) fn give_up(&mut self) {
        self.hopeless = true;
    }

    /// Records the progress of an attempt, in bytes from the start of the file. An attempt that
    /// came clearly further than any before does not count as failed, so that a large file arrives
    /// over a bad connection. The size limit of files makes this end.
    pub(super) fn reached(&mut self, bytes: u64) {
        if bytes >= self.best.saturating_add(self.limits.progress) {
            self.failed = 0;
        }
        self.best = self.best.max(bytes);
    }

    /// The delay before the next attempt; `None` if there is none.
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.failed += 1;
        if self.hopeless || self.failed >= self.limits.attempts {
            return None;
        }
        if let Some(asked) = retry_after {
            return (asked <= self.limits.longest_retry_after).then_some(asked);
        }
        let doubled = self
            .limits
            .first_delay
            .saturating_mul(1 << (self.failed - 1).min(16))
            .min(self.limits.longest_delay);
        Some(jittered(doubled, RandomState::new().hash_one(self.failed)))
    }
}

/// Between half of a delay and all of it, so that clients that failed together do not return
/// together.
fn jittered(delay: Duration, random: u64) -> Duration {
    let half = delay / 2;
    let share = u32::try_from(random % 1024).unwrap_or(0);
    half + half * share / 1024
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let then = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let now = Timestamp::try_from(now).ok()?;
    let wait = then.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_end() {
        let limits = Limits {
            attempts: 5,
            first_delay: Duration::from_millis(100),
            longest_delay: Duration::from_millis(250),
            ..Limits::default()
        };
        let mut backoff = Backoff::new(&limits);
        for whole in [100, 200, 250, 250] {
            let delay = backoff.next(None).expect("one more attempt");
            let whole = Duration::from_millis(whole);
            assert!(delay >= whole / 2 && delay <= whole, "{delay:?}");
        }
        assert_eq!(backoff.next(None), None);
    }

    #[test]
    fn a_long_file_over_a_bad_line_is_not_given_up() {
        let limits = Limits {
            attempts: 2,
            progress: 10,
            ..Limits::default()
        };
        let mut backoff = Backoff::new(&limits);
        for reached in [10, 20, 30] {
            backoff.reached(reached);
            assert!(backoff.next(None).is_some());
        }
        // Coming as far as before is no progress.
        backoff.reached(30);
        assert_eq!(backoff.next(None), None);
    }

    #[test]
    fn a_server_may_ask_for_a_delay_but_not_for_any() {
        let limits = Limits::default();
        let asked = Duration::from_secs(7);
        assert_eq!(Backoff::new(&limits).next(Some(asked)), Some(asked));
        let too_long = limits.longest_retry_after + Duration::from_secs(1);
        assert_eq!(Backoff::new(&limits).next(Some(too_long)), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        let seconds = |value| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("99999999999999999999999"), None);
    }

    #[test]
    fn jitter_stays_between_one_half_and_the_whole() {
        let delay = Duration::from_secs(2);
        assert_eq!(jittered(delay, 0), Duration::from_secs(1));
        assert!(jittered(delay, 1023) < delay);
    }
}
