//! What every subcommand has at hand: the environment, how to speak, the repository.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style as Colour};

use super::own_folder::{OwnFolder, is_own};
use super::{ColorChoice, Global};
use crate::foundation::diagnostic::{Inert, Style, brief, shell_word};
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;
use crate::set::repository::{CONFIGURATION_FILE, LoadError, Repository, find};
use crate::source::Cache;

/// How wide findings are written where nothing says how wide the reader's window is.
const DEFAULT_WIDTH: usize = 120;

pub(super) struct Context<'e> {
    pub(super) environment: &'e Environment,
    repository: Option<PathBuf>,
    pub(super) colour: bool,
    pub(super) output_colour: bool,
    pub(super) quiet: bool,
    pub(super) verbose: u8,
    cache: OnceLock<Cache>,
}

/// What is left to say when nobody can be given the result.
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
        Self {
            environment,
            repository: global.repository.clone(),
            colour: colour(environment.error.is_terminal()),
            output_colour: colour(environment.output.is_terminal()),
            quiet: global.quiet,
            verbose: global.verbose,
            cache: OnceLock::new(),
        }
    }

    /// Whether a moving display may be drawn.
    pub(super) fn is_live(&self) -> bool {
        self.environment.error.is_terminal() && !self.quiet
    }

    /// A line of what was done; `--quiet` leaves it out.
    pub(super) fn say(&self, line: impl Into<Inert>) {
        if !self.quiet {
            self.tell(line);
        }
    }

    /// A line that only `-v` wants.
    pub(super) fn detail(&self, line: impl Into<Inert>) {
        if self.verbose > 0 {
            self.tell(line);
        }
    }

    /// A line that is always said. Where standard error is gone nobody is left to tell.
    pub(super) fn tell(&self, line: impl Into<Inert>) {
        let _ = self.environment.error.line(line);
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

    /// A word such as `warning`, with its colour.
    fn word(&self, word: &str, colour: AnsiColor) -> Inert {
        let style = Colour::new().bold().fg_color(Some(colour.into()));
        Inert::painted(word, self.colour.then_some(style))
    }

    /// A word that is to be noticed.
    pub(super) fn attention(&self, word: &str) -> Inert {
        self.word(word, AnsiColor::Yellow)
    }

    /// A sentence after a word.
    fn sentence(&self, word: &str, colour: AnsiColor, message: &str) {
        let lines: Vec<String> = message.split('\n').map(brief).collect();
        let mut text = self.word(word, colour);
        text += &format!(": {}", lines.join("\n"));
        self.tell(text);
    }

    pub(super) fn warning(&self, message: &str) {
        self.sentence("warning", AnsiColor::Yellow, message);
    }

    pub(super) fn error(&self, message: &str) {
        self.sentence("error", AnsiColor::Red, message);
    }

    pub(super) fn help(&self, message: &str) {
        self.sentence("help", AnsiColor::Cyan, message);
    }

    /// What could be done next; `--quiet` leaves it out.
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

    /// How findings are shown.
    pub(super) fn style(&self, to_output: bool) -> Style {
        let (stream, colour) = if to_output {
            (&self.environment.output, self.output_colour)
        } else {
            (&self.environment.error, self.colour)
        };
        // Who sets `COLUMNS` means it; a terminal knows best otherwise.
        let width = self
            .environment
            .variable("COLUMNS")
            .and_then(|columns| columns.to_str()?.parse().ok())
            .or_else(|| stream.width());
        Style {
            colour,
            width: width.unwrap_or(DEFAULT_WIDTH),
            // What is piped is searched line by line.
            wraps: width.is_some(),
        }
    }

    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        self.environment.absolute(path)
    }

    /// A path as a person would write it from the current folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        let current = &self.environment.current_directory;
        path.strip_prefix(current)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    /// The folder that `--repository` names.
    pub(super) fn named_repository(&self) -> Option<PathBuf> {
        self.repository
            .as_ref()
            .map(|directory| self.absolute(directory))
    }

    /// The folder of the repository that is meant.
    pub(super) fn repository_directory(&self) -> Result<PathBuf, LoadError> {
        match &self.repository {
            Some(directory) => Ok(self.absolute(directory)),
            None => find(&self.environment.current_directory),
        }
    }

    /// The repository, where it is another user's in a folder above, and nobody has named it: in a
    /// folder that all can write, anybody could say what is built, signed and trusted below.
    pub(super) fn foreign_repository(&self) -> Option<PathBuf> {
        let directory = self.repository_directory().ok()?;
        let is_meant =
            self.named_repository().is_some() || directory == self.environment.current_directory;
        let is_foreign = !is_meant && !is_own(&directory.join(CONFIGURATION_FILE));
        is_foreign.then_some(directory)
    }

    /// The folder of the repository that is meant.
    pub(super) fn own_repository_directory(&self) -> Result<PathBuf, Failure> {
        if let Some(directory) = self.foreign_repository() {
            let file = self.shown(&directory.join(CONFIGURATION_FILE));
            let words = shell_word(&self.shown(&directory));
            return Err(Failure::usage(format!(
                "`{file}` in a folder above belongs to another user, so it is not used"
            ))
            .help(format!(
                "`--repository {words}` names it, if you trust whoever that is"
            )));
        }
        self.repository_directory()
            .map_err(|error| Failure::world(&error))
    }

    /// The repository that is meant, read whole.
    pub(super) fn repository(&self) -> Result<Repository, Failure> {
        let directory = self.own_repository_directory()?;
        Repository::load(&directory).map_err(|error| Failure::world(&error))
    }

    /// The cache, where this run has asked for it.
    pub(super) fn used_cache(&self) -> Option<Cache> {
        self.cache.get().cloned()
    }

    /// The cache: one for the whole run, so that what the run uses is known as long as it lives.
    pub(super) fn cache(&self) -> Result<Cache, Failure> {
        match self.environment.cache_directory() {
            Some(directory) => {
                if self.cache.get().is_none() {
                    let folder = OwnFolder {
                        path: &directory,
                        role: "the cache",
                        danger: "what it says of wheels is believed",
                        elsewhere: "name a folder of your own outside of the repository with `IPWHL_CACHE_DIR`",
                    };
                    folder.check_repository(self)?;
                    folder.check_owner(self, None)?;
                }
                let cache = self.cache.get_or_init(|| Cache::new(directory));
                Ok(cache.clone())
            }
            None => Err(Failure::world("there is no home folder to keep a cache in")
                .help("name a folder for the cache with `IPWHL_CACHE_DIR`")),
        }
    }
}
