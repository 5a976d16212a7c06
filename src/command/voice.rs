//! Standard error: progress lines, warnings, errors and help.

use anstyle::{AnsiColor, Style as Colour};

use crate::foundation::diagnostic::{Inert, brief};
use crate::foundation::environment::{Environment, Pace, Stream};

/// Standard error, with the settings of its messages.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    stream: Stream,
    pub(super) colour: bool,
    pub(super) quiet: bool,
    pub(super) verbose: u8,
    /// The times at which long work prints a progress line.
    pub(super) pace: Pace,
}

impl Voice {
    pub(super) fn new(environment: &Environment, colour: bool, quiet: bool, verbose: u8) -> Self {
        Self {
            stream: environment.error.clone(),
            colour,
            quiet,
            verbose,
            pace: environment.pace,
        }
    }

    /// Whether a moving display may be drawn.
    pub(super) fn is_live(&self) -> bool {
        self.stream.is_terminal() && !self.quiet
    }

    /// Prints a progress line, unless `--quiet` is given.
    pub(super) fn say(&self, line: impl Into<Inert>) {
        if !self.quiet {
            self.tell(line);
        }
    }

    /// Prints a line if `-v` is given.
    pub(super) fn detail(&self, line: impl Into<Inert>) {
        if self.verbose > 0 {
            self.tell(line);
        }
    }

    /// Prints a line. Errors of standard error are ignored.
    pub(super) fn tell(&self, line: impl Into<Inert>) {
        let _ = self.stream.line(line);
    }

    /// A bold coloured word, such as `warning`.
    pub(super) fn word(&self, word: &str, colour: AnsiColor) -> Inert {
        let style = Colour::new().bold().fg_color(Some(colour.into()));
        Inert::painted(word, self.colour.then_some(style))
    }

    /// Prints a message after a word, as in `warning: …`.
    pub(super) fn sentence(&self, word: &str, colour: AnsiColor, message: &str) {
        let lines: Vec<String> = message.split('\n').map(brief).collect();
        let mut text = self.word(word, colour);
        text += &format!(": {}", lines.join("\n"));
        self.tell(text);
    }
}
