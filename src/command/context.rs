//! The context of every subcommand: the environment, the output, the repository.

use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style as Colour};

use super::global::{ColorChoice, Global};
use super::progress::Display;
use super::voice::Voice;
use crate::foundation::diagnostic::{Inert, Style};
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;
use crate::set::repository::{Folders, LoadError, OwnFolder, Repository};
use crate::source::Session;

/// The width of findings if the width of the terminal is unknown, in columns.
const DEFAULT_WIDTH: usize = 120;

pub(super) struct Context<'e> {
    pub(super) environment: &'e Environment,
    pub(super) session: Session,
    folders: Folders,
    voice: Voice,
    pub(super) output_colour: bool,
    pub(super) quiet: bool,
    pub(super) verbose: u8,
}

/// The failure to write standard output.
pub(super) fn unwritable_output(error: &std::io::Error) -> Failure {
    Failure::world(format!("standard output cannot be written: {error}"))
}

impl<'e> Context<'e> {
    pub(super) fn new(global: &Global, environment: &'e Environment) -> Self {
        let colour = |is_terminal: bool| match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                is_terminal
                    && environment.variable("NO_COLOR").is_none()
                    && environment
                        .variable("TERM")
                        .is_none_or(|term| term != "dumb")
            }
        };
        let folders = Folders::new(environment.clone(), global.repository.as_deref());
        let is_coloured = colour(environment.error.is_terminal());
        let voice = Voice::new(environment, is_coloured, global.quiet, global.verbose);
        let of_cache = folders.clone();
        Self {
            environment,
            session: Session::new(environment.clone())
                .with_cache_check(move |folder| OwnFolder::cache(folder).check(&of_cache, None))
                .with_observer(Display::new(voice.clone())),
            folders,
            voice,
            output_colour: colour(environment.output.is_terminal()),
            quiet: global.quiet,
            verbose: global.verbose,
        }
    }

    /// Whether a moving display may be drawn.
    pub(super) fn is_live(&self) -> bool {
        self.voice.is_live()
    }

    /// Prints a progress line, unless `--quiet` is given.
    pub(super) fn say(&self, line: impl Into<Inert>) {
        self.voice.say(line);
    }

    /// Prints a line if `-v` is given.
    pub(super) fn detail(&self, line: impl Into<Inert>) {
        self.voice.detail(line);
    }

    /// Prints a line.
    pub(super) fn tell(&self, line: impl Into<Inert>) {
        self.voice.tell(line);
    }

    /// A line of the result.
    pub(super) fn result(&self, line: impl Into<Inert>) -> Result<(), Failure> {
        self.result_lines(line.into().line())
    }

    /// Lines of the result, each with its line feed.
    pub(super) fn result_lines(&self, lines: Inert) -> Result<(), Failure> {
        self.environment
            .output
            .write(lines)
            .map_err(|error| unwritable_output(&error))
    }

    /// A word in bold, so that readers notice it.
    pub(super) fn attention(&self, word: &str) -> Inert {
        self.voice.word(word, AnsiColor::Yellow)
    }

    pub(super) fn warning(&self, message: &str) {
        self.voice.sentence("warning", AnsiColor::Yellow, message);
    }

    pub(super) fn error(&self, message: &str) {
        self.voice.sentence("error", AnsiColor::Red, message);
    }

    pub(super) fn help(&self, message: &str) {
        self.voice.sentence("help", AnsiColor::Cyan, message);
    }

    /// Prints a suggestion for the next step, unless `--quiet` is given.
    pub(super) fn hint(&self, message: &str) {
        if !self.quiet {
            self.help(message);
        }
    }

    pub(super) fn failure(&self, failure: &Failure) {
        self.error(&failure.message);
        if let Some(help) = &failure.help {
            self.help(help);
        }
    }

    /// A heading of a result.
    pub(super) fn heading(&self, words: &str) -> Inert {
        Inert::painted(words, self.output_colour.then_some(Colour::new().bold()))
    }

    /// The style of the output.
    pub(super) fn style(&self, to_output: bool) -> Style {
        let (stream, colour) = if to_output {
            (&self.environment.output, self.output_colour)
        } else {
            (&self.environment.error, self.voice.colour)
        };
        // `COLUMNS` takes precedence over the width of the terminal.
        let width = self
            .environment
            .variable("COLUMNS")
            .and_then(|columns| columns.to_str()?.parse().ok())
            .or_else(|| stream.width());
        Style {
            colour,
            width: width.unwrap_or(DEFAULT_WIDTH),
            // Piped output is not wrapped, because it is searched line by line.
            wraps: width.is_some(),
        }
    }

    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        self.environment.absolute(path)
    }

    /// A path for messages, relative to the current folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        self.folders.shown(path)
    }

    /// The folder named with `--repository`.
    pub(super) fn named_repository(&self) -> Option<PathBuf> {
        self.folders.named_repository()
    }

    /// The repository's folder: the one of `--repository`, else the nearest repository upwards.
    pub(super) fn repository_directory(&self) -> Result<PathBuf, LoadError> {
        self.folders.repository()
    }

    /// The repository, if it is in a folder above, belongs to another user and was not named.
    pub(super) fn foreign_repository(&self) -> Option<PathBuf> {
        self.folders.foreign_repository()
    }

    /// The folders of this run.
    pub(super) fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The repository's folder, if it can be trusted.
    pub(super) fn own_repository_directory(&self) -> Result<PathBuf, Failure> {
        self.folders.own_repository()
    }

    /// Reads the whole repository.
    pub(super) fn repository(&self) -> Result<Repository, Failure> {
        let directory = self.own_repository_directory()?;
        Repository::load(&directory).map_err(|error| Failure::world(&error))
    }
}
