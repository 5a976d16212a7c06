//! Failures of operations.
//!
//! Rooms have typed errors if a caller decides by them. When an error only has to be reported to a
//! person, it becomes a [`Failure`].

use std::path::Path;
use std::{fmt, io};

/// The kind of a failure. Programs map it to exit codes; the library has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// The network, the disk or a key failed.
    World,
    /// The request is not possible.
    Usage,
    /// An input is wrong.
    Finding,
    /// A target must not get this release.
    Refused,
    /// A release may follow the one that a target has, but statements between the two are missing.
    Gap,
}

/// The reason why an operation failed. It contains no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// One sentence that names the thing and the value.
    pub message: String,
    /// The help, if any.
    pub help: Option<String>,
}

impl Failure {
    /// A failure without help.
    pub fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            help: None,
        }
    }

    /// The network, the disk or a key failed.
    pub fn world(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::World, message)
    }

    /// The network, the disk or a key failed. The message includes the sources of the error.
    pub fn caused(error: &dyn std::error::Error) -> Self {
        Self::world(error_chain(error))
    }

    /// The request is not possible.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    /// An input is wrong.
    pub fn finding(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Finding, message)
    }

    /// A target must not get this release.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Statements between the release that a target has and this one are missing.
    pub fn gap(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Gap, message)
    }

    /// Whether the release is refused.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, FailureKind::Refused | FailureKind::Gap)
    }

    /// The failure as a target reports it: mistakes in the input become refusals of the release.
    #[must_use]
    pub fn into_refusal(self) -> Self {
        match self.kind {
            FailureKind::Finding => Self {
                kind: FailureKind::Refused,
                ..self
            },
            _ => self,
        }
    }

    /// The same failure with help.
    #[must_use]
    pub fn help(mut self, help: impl fmt::Display) -> Self {
        self.help = Some(help.to_string());
        self
    }
}

/// The message of an error, followed by those of its sources.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// The failure for a system error about a path, with the way out.
pub fn unusable(path: &Path, error: &io::Error) -> Failure {
    let help = way_out(error).map(ToOwned::to_owned);
    Failure {
        help,
        ..Failure::world(format!("`{}`: {error}", path.display()))
    }
}

/// The failure to write a file or a folder, with the way out.
pub fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let help = way_out(error).map(ToOwned::to_owned);
    Failure {
        help,
        ..Failure::world(format!("`{}` cannot be written: {error}", path.display()))
    }
}

/// The way out of an error of the system, if its kind shows one.
pub fn way_out(error: &io::Error) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    let is_of_system = error.raw_os_error().is_some();
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => Some("make room and run the same command again"),
        // A lock of another run.
        Kind::WouldBlock => {
            Some("wait until the other run has ended, and run the same command again")
        }
        Kind::PermissionDenied if is_of_system => {
            Some("give your user permission for it, and run the same command again")
        }
        Kind::ReadOnlyFilesystem => {
            Some("make the file system writable, and run the same command again")
        }
        Kind::AlreadyExists | Kind::NotADirectory if is_of_system => {
            Some("a file is in the place of a folder: move it away, or name another folder")
        }
        _ => None,
    }
}
