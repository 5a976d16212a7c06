//! How a run ends.

use std::fmt::Display;

/// The exit codes (FORMATS 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Done, and nothing is wrong.
    Clean = 0,
    /// What people wrote or declared is wrong.
    Findings = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// The network, the disk, a key: the world failed.
    World = 3,
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Why a command ended before it was done.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub status: ExitStatus,
    /// One sentence that names the thing and the value.
    pub message: String,
    /// The way out, where there is one.
    pub help: Option<String>,
}

impl Failure {
    /// The world failed.
    pub fn world(message: impl Display) -> Self {
        Self {
            status: ExitStatus::World,
            message: message.to_string(),
            help: None,
        }
    }

    /// The world failed, with all that lies behind the error.
    pub fn caused(error: &dyn std::error::Error) -> Self {
        Self::world(chain(error))
    }

    /// The command line asks for something that cannot be.
    pub fn usage(message: impl Display) -> Self {
        Self {
            status: ExitStatus::Usage,
            ..Self::world(message)
        }
    }

    /// What was given is not as it should be.
    pub fn finding(message: impl Display) -> Self {
        Self {
            status: ExitStatus::Findings,
            ..Self::world(message)
        }
    }

    /// The same failure with a way out.
    #[must_use]
    pub fn help(mut self, help: impl Display) -> Self {
        self.help = Some(help.to_string());
        self
    }
}

/// An error's sentence followed by those of its sources.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
