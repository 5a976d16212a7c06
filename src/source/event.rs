//! Events of a fetch; their display is decided elsewhere.

use std::time::Duration;

/// Events of a session. Work does not overlap: each work ends before other work begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Work on items with these names begins.
    Begun {
        /// The kind of the items.
        work: Work,
        /// The names of the items.
        names: Vec<String>,
    },
    /// A step of fetching one of them.
    Fetch(FetchEvent),
    /// One of the items was verified.
    Verified,
    /// The work is done, and should be reported.
    Finished,
    /// The work is done; its caller reports the result.
    Cleared,
}

/// The kind of items in a work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Wheels, fetched and read.
    Wheels,
    /// Projects, looked up in the index.
    Projects,
    /// Answers of the index for a search. Their number is not known before, so they have no names.
    Search,
    /// Files, read and hashed.
    Files,
}

/// Receives the events of a session, possibly from several threads at once.
pub trait Observer: Send + Sync {
    /// Receives an event.
    fn observe(&self, event: Event);
}

/// A step of fetching one wheel. `wheel` is the position of its request among all requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchEvent {
    /// The first bytes of a wheel arrive.
    Started {
        /// The wheel.
        wheel: usize,
        /// Their source, in printable form.
        place: String,
        /// The expected number of bytes, if known.
        size: Option<u64>,
    },
    /// More bytes of a wheel have arrived.
    Bytes {
        /// The wheel.
        wheel: usize,
        /// The number of bytes.
        count: u64,
    },
    /// Received bytes were discarded: the file is fetched from its start.
    Discarded {
        /// The wheel.
        wheel: usize,
        /// The number of bytes.
        count: u64,
    },
    /// A source failed, and is tried again after a delay.
    Retrying {
        /// The wheel.
        wheel: usize,
        /// The source, in printable form.
        place: String,
        /// The reason, as a clause.
        reason: String,
        /// The delay.
        delay: Duration,
    },
    /// A wheel is done: verified and in the cache, or failed.
    Finished {
        /// The wheel.
        wheel: usize,
        /// Whether it came from the cache.
        cached: bool,
        /// Whether it is available now.
        verified: bool,
    },
}

/// Reports the events of one wheel.
pub(super) struct Reporter<'a> {
    pub(super) wheel: usize,
    pub(super) progress: &'a (dyn Fn(FetchEvent) + Sync),
}

impl Reporter<'_> {
    pub(super) fn started(&self, place: &dyn ToString, size: Option<u64>) {
        (self.progress)(FetchEvent::Started {
            wheel: self.wheel,
            place: place.to_string(),
            size,
        });
    }

    pub(super) fn bytes(&self, count: u64) {
        (self.progress)(FetchEvent::Bytes {
            wheel: self.wheel,
            count,
        });
    }

    pub(super) fn discarded(&self, count: u64) {
        (self.progress)(FetchEvent::Discarded {
            wheel: self.wheel,
            count,
        });
    }

    pub(super) fn retrying(&self, place: &str, reason: &str, delay: Duration) {
        (self.progress)(FetchEvent::Retrying {
            wheel: self.wheel,
            place: place.to_owned(),
            reason: reason.to_owned(),
            delay,
        });
    }

    pub(super) fn finished(&self, cached: bool, verified: bool) {
        (self.progress)(FetchEvent::Finished {
            wheel: self.wheel,
            cached,
            verified,
        });
    }
}
