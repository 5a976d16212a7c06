//! The whole program, run in this process with an environment of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipwhl::command::{ExitStatus, run};
use ipwhl::foundation::diagnostic::is_hidden;
use ipwhl::foundation::environment::{Clock, Environment, Pace, Stream};
use ipwhl::source::Session;
use serde_json::Value;
use tempfile::TempDir;

/// The present time of every run, unless a test sets another one.
pub const NOW: &str = "2026-11-20T12:00:00Z";

/// The program in a folder, with a cache and a home that it keeps from run to run.
///
/// No variable of the test's own process reaches it: no proxy, no pip settings, no `PATH`, no `CI`.
pub struct Program {
    current_directory: PathBuf,
    variables: BTreeMap<OsString, OsString>,
    clock: Clock,
    pace: Pace,
    home: TempDir,
    is_terminal: bool,
    terminal: Option<usize>,
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Run {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// The program, started in this folder.
    pub fn new(current_directory: &Path) -> Self {
        let home = tempfile::tempdir().unwrap();
        let program = Self {
            current_directory: current_directory.to_path_buf(),
            variables: BTreeMap::new(),
            clock: Clock::Fixed(NOW.parse().unwrap()),
            pace: Pace::default(),
            home,
            is_terminal: false,
            terminal: None,
        };
        let cache = program.cache_directory();
        program.variable("IPWHL_CACHE_DIR", cache)
    }

    /// Sets an environment variable.
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Takes an environment variable away.
    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(OsStr::new(name));
        self
    }

    /// Standard error is read on a terminal of this many columns, without colours.
    pub fn terminal(mut self, columns: usize) -> Self {
        self.terminal = Some(columns);
        self.variable("NO_COLOR", "1")
    }

    /// Resolves package URLs through this index.
    pub fn index(self, url: &str) -> Self {
        self.variable("IPWHL_INDEX_URL", url)
    }

    /// Sets the present time, as in `2026-11-20T12:00:00Z`.
    pub fn now(mut self, instant: &str) -> Self {
        self.clock = Clock::Fixed(instant.parse().unwrap());
        self
    }

    /// Says how far long work is at this pace.
    pub fn pace(mut self, first: Duration, then: Duration) -> Self {
        self.pace = Pace { first, then };
        self
    }

    /// Standard output is a terminal, and standard error is none, so that nothing moves.
    pub fn on_terminal(mut self) -> Self {
        self.is_terminal = true;
        self
    }

    /// Where the cache is.
    pub fn cache_directory(&self) -> PathBuf {
        self.home.path().join("cache/ipwhl")
    }

    /// Where the user's own settings are.
    pub fn configuration_directory(&self) -> PathBuf {
        self.home.path().join("configuration")
    }

    /// Runs a command line, without the program's name.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let (output, error) = (Captured::default(), Captured::default());
        let environment = self.environment(&output, &error);
        let line = std::iter::once("ipwhl").chain(arguments.iter().copied());
        let status = run(line.map(OsString::from), &environment);
        let run = Run {
            status,
            stdout: output.text(),
            stderr: error.text(),
        };
        // Whatever was quoted: only colours that were asked for.
        let is_coloured = self.is_terminal || arguments.contains(&"always");
        for text in [&run.stdout, &run.stderr] {
            let text = text.replace("\r\n", "\n");
            let is_shown = |sign| !is_hidden(sign) || sign == '\n' || sign == '\t' || is_coloured;
            assert!(text.chars().all(is_shown), "{arguments:?}: {text:?}");
        }
        run
    }

    /// What a user of the library has instead of the program: the same environment, nothing shown.
    pub fn session(&self) -> Session {
        Session::new(self.environment(&Captured::default(), &Captured::default()))
    }

    fn environment(&self, output: &Captured, error: &Captured) -> Environment {
        Environment {
            current_directory: self.current_directory.clone(),
            variables: self.variables.clone(),
            cache_home: Some(self.home.path().join("cache")),
            configuration_home: Some(self.home.path().join("configuration")),
            home: Some(self.home.path().to_path_buf()),
            clock: self.clock,
            pace: self.pace,
            output: Stream::new(output.clone(), self.is_terminal),
            error: Stream::new(error.clone(), self.terminal.is_some()).with_width(self.terminal),
        }
    }
}

impl Run {
    /// Fails the test, with all that the program said, unless the run ended this way.
    #[track_caller]
    pub fn expect(self, status: ExitStatus) -> Self {
        assert_eq!(
            self.status, status,
            "\n--- standard output\n{}\n--- standard error\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

impl Run {
    /// The findings of a run with `--message-format json`.
    pub fn findings(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &Value| line["type"] == "finding")
            .collect()
    }

    /// The codes of these findings, in their order.
    pub fn codes(&self) -> Vec<String> {
        self.findings()
            .iter()
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// What was written to a stream.
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
