//! Everything ambient: directories, streams, clock, variables, and files that appear whole or not
//! at all.
//!
//! A test runs the whole program in its own process with an [`Environment`] of its own.

mod atomic_file;
mod beneath;
mod socket;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use atomic_file::{AtomicFile, replace_directory, sync_directory};
pub use beneath::open_beneath;
pub use socket::exchange;

use crate::foundation::diagnostic::Inert;
use etcetera::BaseStrategy;
use jiff::Timestamp;
use terminal_size::{Height, Width, terminal_size_of};

/// What the program is told by the process that it runs in.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The folder that relative paths start from.
    pub current_directory: PathBuf,
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The folder for caches of all programs (`~/.cache` on Linux); `None` without a home.
    pub cache_home: Option<PathBuf>,
    /// The folder for the settings of all programs (`~/.config` on Linux); `None` without a home.
    pub configuration_home: Option<PathBuf>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// What time it is.
    pub clock: Clock,
    /// How often long work says how far it is where nothing can move.
    pub pace: Pace,
    /// Standard output: results.
    pub output: Stream,
    /// Standard error: words and progress.
    pub error: Stream,
}

/// A source of the present time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always this instant.
    Fixed(Timestamp),
}

impl Clock {
    /// The present instant, in whole seconds.
    pub fn now(self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Fixed(instant) => instant,
        };
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}

/// A number that another run does not have, for what is to differ from run to run, such as which
/// wheels are read back. It is no secret, and nothing of a release depends on it.
pub fn random_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

/// The text of a file, which may be a device or a pipe, up to `largest` bytes. More is an error.
pub fn read_small(path: &Path, largest: u64) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?
        .take(largest + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > largest {
        return Err(io::Error::other(format!(
            "it has more than the {largest} bytes that it can have"
        )));
    }
    Ok(text)
}

/// Makes a folder that only this user can enter, with those above it that are lacking.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    make_folder(folder, 0o700)
}

/// Makes a folder that only this user can write, with those above it that are lacking.
///
/// # Errors
/// When it cannot be made.
pub fn make_own_folder(folder: &Path) -> io::Result<()> {
    make_folder(folder, 0o755)
}

fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    #[cfg(not(unix))]
    let _ = mode;
    builder.create(folder)
}

/// The folder that other programs are started in: the root of the file system. Where they were
/// started in a repository, a change to it could say what they are: version managers put a script
/// in the place of `pip` or `git`, and that reads which program is meant from files of the folder.
pub fn neutral_folder() -> &'static Path {
    Path::new(std::path::MAIN_SEPARATOR_STR)
}

/// Raises how many files this process may have open, up to `wanted`, and says how many it may.
pub fn raise_open_files(wanted: usize) -> usize {
    let limit = rlimit::increase_nofile_limit(wanted as u64);
    // A system that says nothing of a limit has none that matters here.
    limit.map_or(wanted, |limit| usize::try_from(limit).unwrap_or(wanted))
}

/// When long work says how far it is, counted from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long work is not worth a line.
    pub first: Duration,
    /// How long it is from one line to the next.
    pub then: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(10),
            then: Duration::from_secs(30),
        }
    }
}

impl Environment {
    /// The environment of this process. Where the current folder does not exist any more, it is
    /// `.`, so that using it fails by its name.
    pub fn of_process() -> Self {
        let directories = etcetera::choose_base_strategy().ok();
        Self {
            current_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            variables: std::env::vars_os().collect(),
            cache_home: directories.as_ref().map(BaseStrategy::cache_dir),
            configuration_home: directories.as_ref().map(BaseStrategy::config_dir),
            home: directories
                .as_ref()
                .map(|found| found.home_dir().to_path_buf()),
            clock: Clock::System,
            pace: Pace::default(),
            output: Stream::new(io::stdout(), io::stdout().is_terminal())
                .with_width(columns(terminal_size_of(io::stdout()))),
            error: Stream::new(io::stderr(), io::stderr().is_terminal())
                .with_width(columns(terminal_size_of(io::stderr()))),
        }
    }

    /// The variable of this name, unless it is empty.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether a continuous-integration service runs the program (`CI` is set and not `false` or
    /// `0`).
    pub fn is_continuous_integration(&self) -> bool {
        self.variable("CI")
            .is_some_and(|value| value != "false" && value != "0")
    }

    /// Asks for a secret on the terminal, without showing what is typed. `None` where nobody would
    /// answer: standard error is not read on a terminal, or a continuous-integration service runs
    /// the program.
    ///
    /// # Errors
    /// When the terminal cannot be read, or what is typed is interrupted.
    pub fn ask_secretly(&self, question: &str) -> io::Result<Option<String>> {
        if !self.error.is_terminal() || self.is_continuous_integration() {
            return Ok(None);
        }
        rpassword::prompt_password(Inert::from(question).as_str()).map(Some)
    }

    /// Where the agent listens that keeps the user's keys: `SSH_AUTH_SOCK`, else where the system's
    /// own one is.
    pub fn agent_socket(&self) -> Option<PathBuf> {
        match self.variable("SSH_AUTH_SOCK") {
            Some(socket) => Some(self.absolute(Path::new(socket))),
            None if cfg!(windows) => Some(PathBuf::from(r"\\.\pipe\openssh-ssh-agent")),
            None => None,
        }
    }

    /// `path` as seen from the current folder.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.current_directory.join(path)
    }

    /// A path as a person would write it from the current folder.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.current_directory)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    /// The folder of this program's cache: `IPWHL_CACHE_DIR`, else `ipwhl` in the platform's cache
    /// folder.
    pub fn cache_directory(&self) -> Option<PathBuf> {
        match self.variable("IPWHL_CACHE_DIR") {
            Some(directory) => Some(self.absolute(Path::new(directory))),
            None => Some(self.cache_home.as_ref()?.join("ipwhl")),
        }
    }
}

/// A terminal that does not know its size says that it has no columns.
fn columns(size: Option<(Width, Height)>) -> Option<usize> {
    size.map(|(Width(columns), _)| usize::from(columns))
        .filter(|columns| *columns > 0)
}

/// An output stream that may be written to from several threads, a line at a time.
#[derive(Clone)]
pub struct Stream {
    sink: Arc<Mutex<dyn Write + Send>>,
    is_terminal: bool,
    width: Option<usize>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Stream")
            .field("is_terminal", &self.is_terminal)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// A stream over `sink`.
    pub fn new(sink: impl Write + Send + 'static, is_terminal: bool) -> Self {
        Self {
            sink: Arc::new(Mutex::new(sink)),
            is_terminal,
            width: None,
        }
    }

    /// The same stream, on a terminal of this many columns.
    #[must_use]
    pub fn with_width(mut self, width: Option<usize>) -> Self {
        self.width = width;
        self
    }

    /// How many columns the terminal has that it is read on; `None` where it is read elsewhere.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether a person reads it on a terminal.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes `text` and flushes. Nothing in it is for a terminal to obey, but colours that were
    /// added by style.
    ///
    /// # Errors
    /// When the stream cannot be written; a closed pipe is no error, since nobody wants to read on.
    pub fn write(&self, text: impl Into<Inert>) -> io::Result<()> {
        let text = text.into();
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        match sink
            .write_all(text.as_str().as_bytes())
            .and_then(|()| sink.flush())
        {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome,
        }
    }

    /// Writes `text` and a line feed.
    ///
    /// # Errors
    /// As [`Stream::write`].
    pub fn line(&self, text: impl Into<Inert>) -> io::Result<()> {
        self.write(text.into().line())
    }
}
