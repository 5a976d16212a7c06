//! The progress of long work: a moving bar on a terminal, elsewhere a line from time to time.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::voice::Voice;
use super::words::counted;
use crate::foundation::diagnostic::visible;
use crate::foundation::size::HumanBytes;
use crate::source::{Event, FetchEvent, Observer, Work};

/// The interval at which the display is redrawn while nothing happens.
const TICK: Duration = Duration::from_millis(120);

/// Shows the progress of a session's work.
pub(super) struct Display {
    voice: Voice,
    current: Mutex<Option<Progress>>,
}

impl Display {
    pub(super) fn new(voice: Voice) -> Self {
        Self {
            voice,
            current: Mutex::default(),
        }
    }
}

impl Observer for Display {
    fn observe(&self, event: Event) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let Event::Begun { work, names } = event else {
            let Some(progress) = &*current else {
                return;
            };
            match event {
                Event::Fetch(event) => progress.fetch(event),
                Event::Verified => progress.verified(),
                Event::Finished => progress.finish(),
                Event::Cleared => progress.clear(),
                Event::Begun { .. } => {}
            }
            return;
        };
        let voice = self.voice.clone();
        *current = Some(match work {
            Work::Wheels => Progress::new(voice, names, "verified", "wheel"),
            // The index is asked about them.
            Work::Projects => Progress::new(voice, names, "asked", "project"),
            Work::Search => Progress::of_search(voice),
            Work::Files => Progress::new(voice, names, "verified", "file"),
        });
    }
}

/// The display of the current work.
struct Progress {
    voice: Voice,
    bar: ProgressBar,
    state: Mutex<State>,
    names: Vec<String>,
    /// The participle for a unit that is done.
    verb: &'static str,
    /// The noun for one unit of the work.
    noun: &'static str,
    started: std::time::Instant,
}

struct State {
    /// The time of the next line, counted from the beginning of the work.
    next_line: Duration,
    fetched: usize,
    bytes: u64,
    verified: usize,
    under_way: BTreeSet<usize>,
}

impl Progress {
    /// Begins the display of work on these names, each a `noun`, which is then `verb`.
    fn new(voice: Voice, names: Vec<String>, verb: &'static str, noun: &'static str) -> Self {
        let template = format!("{{bar:16}} {{pos}}/{{len}} {verb} [{{elapsed}}] {{wide_msg}}");
        let bar = match names.len() {
            0 => ProgressBar::hidden(),
            count => bar(&voice, Some(count as u64), &template),
        };
        Self::with(voice, bar, names, verb, noun)
    }

    /// Begins the display of a search. The number of answers that it needs is not known.
    fn of_search(voice: Voice) -> Self {
        let template = "{spinner} searching: {pos} answers of the index [{elapsed}]";
        let bar = bar(&voice, None, template);
        Self::with(voice, bar, Vec::new(), "searching", "answer")
    }

    fn with(
        voice: Voice,
        bar: ProgressBar,
        names: Vec<String>,
        verb: &'static str,
        noun: &'static str,
    ) -> Self {
        Self {
            bar,
            state: Mutex::new(State {
                next_line: voice.pace.first,
                fetched: 0,
                bytes: 0,
                verified: 0,
                under_way: BTreeSet::new(),
            }),
            voice,
            names,
            verb,
            noun,
            started: std::time::Instant::now(),
        }
    }

    /// Shows a step of a download.
    fn fetch(&self, event: FetchEvent) {
        match event {
            FetchEvent::Started { wheel, place, .. } => {
                self.change(|state| {
                    state.under_way.insert(wheel);
                });
                if self.voice.verbose > 0 {
                    self.line(&format!("fetching {} from {place}", self.name(wheel)));
                }
            }
            FetchEvent::Bytes { count, .. } => self.change(|state| state.bytes += count),
            FetchEvent::Discarded { count, .. } => {
                self.change(|state| state.bytes = state.bytes.saturating_sub(count));
            }
            FetchEvent::Retrying {
                wheel,
                place,
                reason,
                delay,
            } => self.line(&format!(
                "{}: {place}: {reason}; retrying in {:.1} s",
                self.name(wheel),
                delay.as_secs_f64()
            )),
            FetchEvent::Finished {
                wheel,
                cached,
                verified,
            } => {
                let is_new = verified && !cached;
                self.change(|state| {
                    state.under_way.remove(&wheel);
                    state.fetched += usize::from(is_new);
                });
                if is_new && !self.voice.is_live() && self.voice.verbose > 0 {
                    self.line(&format!("fetched {}", self.name(wheel)));
                }
            }
        }
    }

    /// Counts one more verified unit.
    fn verified(&self) {
        self.bar.inc(1);
        self.change(|state| state.verified += 1);
    }

    /// Prints a line above the moving display. It stays.
    fn line(&self, line: &str) {
        self.bar.suspend(|| self.voice.say(line));
    }

    /// Ends the display without a message.
    fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Ends the display and prints one line that sums up the work, if any was done.
    fn finish(&self) {
        self.clear();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.verified == 0 {
            return;
        }
        let elapsed = self.started.elapsed();
        let mut words = format!("{} {}", self.verb, counted(state.verified, self.noun));
        if state.fetched > 0 {
            words += &format!(
                ", fetched {} ({}, {}/s)",
                counted(state.fetched, "file"),
                HumanBytes(state.bytes),
                HumanBytes(rate(state.bytes, elapsed))
            );
        }
        words += &format!(" in {}", seconds(elapsed));
        self.voice.say(&words);
    }

    fn name(&self, wheel: usize) -> &str {
        self.names.get(wheel).map_or("a wheel", String::as_str)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let elapsed = self.started.elapsed();
        if !self.voice.is_live() {
            self.print_progress(&mut state, elapsed);
            return;
        }
        let mut words = format!(
            "{}, {}/s",
            HumanBytes(state.bytes),
            HumanBytes(rate(state.bytes, elapsed))
        );
        if let Some(first) = state.under_way.first() {
            words += &format!(", {}", self.name(*first));
        }
        self.bar.set_message(visible(&words, &[]));
    }
}

impl Progress {
    /// Prints a progress line if one is due and work is left.
    fn print_progress(&self, state: &mut State, elapsed: Duration) {
        let total = self.names.len();
        let is_search = total == 0;
        if elapsed < state.next_line || (state.verified >= total && !is_search) {
            return;
        }
        state.next_line = elapsed + self.voice.pace.then;
        if is_search {
            let answers = counted(state.verified, self.noun);
            self.voice
                .say(&format!("{}: {answers} of the index so far", self.verb));
            return;
        }
        let of = format!("{} of {}", state.verified, counted(total, self.noun));
        self.voice.say(&match state.bytes {
            0 => format!("{} {of}", self.verb),
            bytes => format!("fetched {of}, {}", HumanBytes(bytes)),
        });
    }
}

/// A moving display of these units; hidden where none may be drawn.
fn bar(voice: &Voice, units: Option<u64>, template: &str) -> ProgressBar {
    if !voice.is_live() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(units, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// The rate in bytes per second.
fn rate(bytes: u64, elapsed: Duration) -> u64 {
    let milliseconds = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    bytes.saturating_mul(1000) / milliseconds
}

fn seconds(elapsed: Duration) -> String {
    if elapsed < Duration::from_mins(1) {
        format!("{:.1} s", elapsed.as_secs_f64())
    } else {
        HumanDuration(elapsed).to_string()
    }
}
