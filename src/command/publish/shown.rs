//! How publishing looks.

use std::cell::RefCell;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::command::context::Context;
use crate::command::words::counted;
use crate::diagnostic::visible;
use crate::publish::{Done, Plan, Publication, ReadBack, Step, TargetError};

/// What is shown of one target.
pub(super) struct Shown<'c, 'e> {
    context: &'c Context<'e>,
    name: &'c str,
    bar: ProgressBar,
    /// What was waited for last, so that it is said once.
    waiting: RefCell<String>,
}

impl<'c, 'e> Shown<'c, 'e> {
    pub(super) fn new(context: &'c Context<'e>, name: &'c str) -> Self {
        let bar = if context.is_live() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(
                "{prefix}: {wide_msg} {bytes}/{total_bytes} ({bytes_per_sec})",
            ) {
                bar.set_style(style);
            }
            bar.set_prefix(visible(name, &[]));
            bar
        } else {
            ProgressBar::hidden()
        };
        Self {
            context,
            name,
            bar,
            waiting: RefCell::default(),
        }
    }

    /// Begins again after [`clear`](Self::clear).
    pub(super) fn resume(&self) {
        self.bar.reset();
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, words: &str) {
        self.bar
            .suspend(|| self.context.say(&format!("{}: {words}", self.name)));
    }

    pub(super) fn step(&self, step: Step) {
        match step {
            Step::Begun { what, bytes } => {
                self.bar.set_position(0);
                self.bar.set_length(bytes);
                self.bar.set_message(visible(&what, &[]));
                if self.context.verbose > 0 {
                    self.say(&what);
                }
            }
            Step::Bytes(count) => self.bar.inc(count),
            Step::Waiting(what) => {
                if *self.waiting.borrow() != what {
                    self.bar.set_message(visible(&what, &[]));
                    if !self.context.is_live() || self.context.verbose > 0 {
                        self.say(&what);
                    }
                    self.waiting.replace(what);
                }
            }
        }
    }

    /// The lines of a dry run.
    pub(super) fn plan(&self, place: &str, plan: &Plan) -> Vec<String> {
        let name = self.name;
        let held = match plan.held {
            None => "holds no release of this repository".to_owned(),
            Some(held) => match held.sequence {
                Some(sequence) => format!("holds sequence {sequence}, {}", held.root),
                None => format!("holds {}, without a statement", held.root),
            },
        };
        let mut lines = vec![format!("{name}: {place} {held}")];
        if plan.moved.blocks > 0 {
            lines.push(format!("{name}: would move {}", plan.moved));
        }
        for change in &plan.changes {
            lines.push(format!("{name}: would {change}"));
        }
        if lines.len() == 1 {
            lines.push(format!("{name}: nothing to do"));
        }
        lines
    }

    pub(super) fn done(&self, place: &str, done: &Done) {
        if done.moved.blocks > 0 {
            self.say(&format!("moved {} to {place}", done.moved));
        } else if done.changes.is_empty() {
            self.say(&format!("{place} had all of it"));
        }
        for change in &done.changes {
            self.say(change);
        }
    }

    pub(super) fn read_back(&self, release: &Publication, back: &ReadBack) {
        if back.read.blocks > 0 {
            self.say(&format!(
                "read back the root and {}: {}, all as their hashes say",
                counted(release.sample.wheels.len(), "wheel"),
                back.read
            ));
        }
        for note in &back.notes {
            self.say(note);
        }
    }

    pub(super) fn failure(&self, error: &TargetError) {
        self.context
            .error(&format!("{}: {}", self.name, error.message));
        if let Some(help) = &error.help {
            self.context.help(help);
        }
    }
}
