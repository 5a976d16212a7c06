//! What a fetch tells while it runs; how that looks is decided elsewhere.

use std::time::Duration;

/// What happens in a session, as it happens. Work does not overlap: what begins ends before other
/// work begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Work on things of these names begins.
    Begun {
        /// What the things are.
        work: Work,
        /// What each is called.
        names: Vec<String>,
    },
    /// A step of fetching one of them.
    Fetch(FetchEvent),
    /// One of them is verified.
    Verified,
    /// A version was not taken, and why.
    Rejected(String),
    /// The work is over, and worth a word.
    Finished,
    /// The work is over; whoever has begun it says what came of it.
    Cleared,
}

/// What things are worked on one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Wheels, fetched and read.
    Wheels,
    /// Projects, asked about.
    Projects,
    /// Files, read and hashed.
    Files,
}

/// Who is told of what happens in a session. It may be told by several threads at once.
pub trait Observer: Send + Sync {
    /// Is told of one thing.
    fn observe(&self, event: Event);
}

/// A step of fetching one wheel. `wheel` is the position of its request among all requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchEvent {
    /// Bytes of a wheel have begun to come in.
    Started {
        /// Whose step this is.
        wheel: usize,
        /// The place that they come from, as it may be shown.
        place: String,
        /// How many bytes there will be, where that is known.
        size: Option<u64>,
    },
    /// This many more bytes of a wheel have come in.
    Bytes {
        /// Whose step this is.
        wheel: usize,
        /// How many.
        count: u64,
    },
    /// This many bytes that had come in count for nothing: the file is fetched from its start.
    Discarded {
        /// Whose step this is.
        wheel: usize,
        /// How many.
        count: u64,
    },
    /// A place failed, and is asked again after a delay.
    Retrying {
        /// Whose step this is.
        wheel: usize,
        /// The place that failed, as it may be shown.
        place: String,
        /// Why, as half a sentence.
        reason: String,
        /// How long is waited.
        delay: Duration,
    },
    /// A wheel is done with: verified and in the cache, or failed.
    Finished {
        /// Whose step this is.
        wheel: usize,
        /// Whether it came from the cache.
        cached: bool,
        /// Whether it is there.
        verified: bool,
    },
}

/// Tells of the steps of one wheel.
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
