//! The progress display and messages of publishing.

use std::cell::RefCell;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::command::context::Context;
use crate::command::words::counted;
use crate::foundation::diagnostic::visible;
use crate::publish::{Done, Event, Observer, ReadBack, Step, TargetPlace};

/// The display of a run, one target at a time.
pub(super) struct Shown<'c, 'e> {
    context: &'c Context<'e>,
    bar: ProgressBar,
    /// The number of wheels to read back.
    sampled: usize,
    /// The last event that was waited for, so that it is printed once.
    waiting: RefCell<String>,
}

impl<'c, 'e> Shown<'c, 'e> {
    pub(super) fn new(context: &'c Context<'e>, sampled: usize) -> Self {
        let bar = if context.is_live() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(
                "{prefix}: {wide_msg} {bytes}/{total_bytes} ({bytes_per_sec})",
            ) {
                bar.set_style(style);
            }
            bar
        } else {
            ProgressBar::hidden()
        };
        Self {
            context,
            bar,
            sampled,
            waiting: RefCell::default(),
        }
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, name: &str, words: &str) {
        self.bar
            .suspend(|| self.context.say(&format!("{name}: {words}")));
    }

    fn done(&self, name: &str, place: &TargetPlace, done: &Done) {
        if done.moved.blocks > 0 {
            self.say(name, &format!("transferred {} to {place}", done.moved));
        } else if done.changes.is_empty() {
            let word = if done.is_word_only {
                "claims to have"
            } else {
                "already has"
            };
            self.say(name, &format!("{place} {word} the whole release"));
        }
        for change in &done.changes {
            self.say(name, change);
        }
    }

    fn read_back(&self, name: &str, back: &ReadBack) {
        if back.read.blocks > 0 {
            let words = format!(
                "read back the root and {}: {}, all match their CIDs",
                counted(self.sampled, "wheel"),
                back.read
            );
            self.say(name, &words);
        }
        for note in &back.notes {
            self.say(name, note);
        }
    }
}

impl Observer for Shown<'_, '_> {
    fn step(&self, name: &str, step: Step) {
        self.bar.set_prefix(visible(name, &[]));
        match step {
            Step::Begun { what, bytes } => {
                self.bar.reset();
                self.bar.set_length(bytes);
                self.bar.set_message(visible(&what, &[]));
                if self.context.verbose > 0 {
                    self.say(name, &what);
                }
            }
            Step::Bytes(count) => self.bar.inc(count),
            Step::Waiting(what) => {
                let words = format!("{name}: {what}");
                if *self.waiting.borrow() != words {
                    self.bar.set_message(visible(&what, &[]));
                    if !self.context.is_live() || self.context.verbose > 0 {
                        self.say(name, &what);
                    }
                    self.waiting.replace(words);
                }
            }
        }
    }

    fn event(&self, name: &str, event: Event<'_>) {
        match event {
            Event::Planned(notes) => notes.iter().for_each(|note| self.say(name, note)),
            Event::Done(place, done) => self.done(name, place, done),
            Event::ReadBack(back) => self.read_back(name, back),
            Event::Failed(error) => self.bar.suspend(|| {
                self.context.error(&format!("{name}: {}", error.message));
                if let Some(help) = &error.help {
                    self.context.help(help);
                }
            }),
        }
    }
}
