//! The environment of the process: folders, streams, the clock, variables. Also files that appear
//! whole or not at all.
//!
//! Tests run the whole program in their own process, with their own [`Environment`].

mod atomic_file;
mod beneath;
mod git;
mod socket;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use atomic_file::{AtomicFile, is_device, link_target, replace_directory, sync_directory};
pub use beneath::open_beneath;
pub(crate) use git::GitProgram;
pub use git::{LOCAL_VARIABLES, NO_BARE_REPOSITORY};
pub use socket::exchange;

use crate::foundation::diagnostic::Inert;
use etcetera::BaseStrategy;
use jiff::Timestamp;
use terminal_size::{Height, Width, terminal_size_of};

/// The environment that the process gives to the program.
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
    /// The source of the current time.
    pub clock: Clock,
    /// The interval of progress lines if there is no moving display.
    pub pace: Pace,
    /// Standard output: results.
    pub output: Stream,
    /// Standard error: messages and progress.
    pub error: Stream,
}

/// A source of the current time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always this instant.
    Fixed(Timestamp),
}

impl Clock {
    /// The current time, in whole seconds.
    pub fn now(self) -> Timestamp {
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Fixed(instant) => instant,
        };
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}

/// A number that differs from run to run, for choices such as which wheels are read back. It is not
/// secret, and no release depends on it.
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
            "it is larger than the limit of {largest} bytes"
        )));
    }
    Ok(text)
}

/// Creates a folder that only this user can enter, and its missing parents.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    make_folder(folder, 0o700)
}

/// Creates a folder that only this user can write, and its missing parents.
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

/// The working folder of other programs that are started: the root of the file system. In a
/// repository, a change could decide which program runs: version managers replace `pip` or `git`
/// with a script that reads the program to run from files in the working folder.
pub fn neutral_folder() -> &'static Path {
    Path::new(std::path::MAIN_SEPARATOR_STR)
}

/// Raises the limit of open files of this process, up to `wanted`. Returns the limit.
pub fn raise_open_files(wanted: usize) -> usize {
    let limit = rlimit::increase_nofile_limit(wanted as u64);
    // A system without this limit needs no change.
    limit.map_or(wanted, |limit| usize::try_from(limit).unwrap_or(wanted))
}

/// The times of progress lines, counted from the beginning of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The time before the first line.
    pub first: Duration,
    /// The time between two lines.
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
    /// The environment of this process. If the current folder no longer exists, it is `.`, whose
    /// use then fails with an error.
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

    /// Prompts for a secret on the terminal, without showing the input. `None` if a prompt is not
    /// possible: standard error is not a terminal, or a continuous-integration service runs the
    /// program.
    ///
    /// # Errors
    /// When the terminal cannot be read, or the input is interrupted.
    pub fn ask_secretly(&self, question: &str) -> io::Result<Option<String>> {
        if !self.error.is_terminal() || self.is_continuous_integration() {
            return Ok(None);
        }
        rpassword::prompt_password(Inert::from(question).as_str()).map(Some)
    }

    /// Asks a question on the terminal; anything but `y` or `yes` means no. `None` if it cannot be
    /// asked: standard input or standard error is not a terminal, or a continuous-integration
    /// service runs the program.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn ask(&self, question: &str) -> io::Result<Option<bool>> {
        let is_terminal = self.error.is_terminal() && io::stdin().is_terminal();
        if !is_terminal || self.is_continuous_integration() {
            return Ok(None);
        }
        self.error.line(Inert::from(&format!("{question} [y/N]")))?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        let answer = answer.trim().to_lowercase();
        Ok(Some(answer == "y" || answer == "yes"))
    }

    /// The socket of the user's SSH agent: `SSH_AUTH_SOCK`, else the default of the system.
    pub fn agent_socket(&self) -> Option<PathBuf> {
        match self.variable("SSH_AUTH_SOCK") {
            Some(socket) => Some(self.absolute(Path::new(socket))),
            None if cfg!(windows) => Some(PathBuf::from(r"\\.\pipe\openssh-ssh-agent")),
            None => None,
        }
    }

    /// The absolute path of `path`, which may be relative to the current folder.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.current_directory.join(path)
    }

    /// A path for messages, relative to the current folder.
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

/// The columns of a terminal. A terminal of unknown size reports 0.
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

    /// The columns of the terminal; `None` if the stream is not a terminal.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether the stream is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes `text` and flushes. The text has no control characters, except colours that were
    /// added with a style.
    ///
    /// # Errors
    /// When the stream cannot be written. A closed pipe is not an error: its reader has stopped.
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
