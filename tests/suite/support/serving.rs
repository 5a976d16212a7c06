//! `ipwhl serve` in a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::http::get;
use super::workshop::{Ending, Workshop};

/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server over a release.
pub struct Serving {
    pub process: Ending,
    /// The line that it printed.
    pub line: String,
    /// The address to give to an installer.
    pub url: String,
}

impl Serving {
    /// Serves this archive on a free port.
    pub fn start(workshop: &Workshop, release: &Path) -> Self {
        let mut command = workshop.command(&["serve", "--listen", "127.0.0.1:0"]);
        Self::spawn(command.arg(release).stderr(Stdio::null()))
    }

    /// Waits until the server has printed its line.
    pub fn spawn(command: &mut Command) -> Self {
        let (process, mut lines) = Ending::start(command, |_| true);
        let line = lines.remove(0) + "\n";
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap_or_else(|| panic!("no address in `{line}`"))
            .to_owned();
        Self { process, line, url }
    }

    /// What the server answers to `GET` of a path below the release: head and body.
    pub fn get(&self, path: &str, headers: &str) -> (String, Vec<u8>) {
        get(&format!("{}{path}", self.url), headers)
    }

    /// The server ended by a signal's name, and its exit code.
    pub fn end(mut self, signal: &str) -> Option<i32> {
        let process = self.process.0.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &process]).status();
        assert!(sent.unwrap().success());
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "SIG{signal} does not end it");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
