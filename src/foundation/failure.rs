//! Why something could not be done, for whoever asked for it.
//!
//! Rooms have typed errors where a caller decides by them. Where nobody does any more, and a person
//! is to be told, the end of it is a [`Failure`].

use std::path::Path;
use std::{fmt, io};

/// What kind of thing went wrong. Programs map it to how they end; the library knows no exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// The network, the disk, a key: the world failed.
    World,
    /// What was asked for cannot be.
    Usage,
    /// What was given is not as it should be.
    Finding,
    /// A release must not go where it was to be put.
    Refused,
    /// A release may follow what a target holds, but statements between the two are not at hand.
    Gap,
}

/// Why something could not be done. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// One sentence that names the thing and the value.
    pub message: String,
    /// The way out, where there is one.
    pub help: Option<String>,
}

impl Failure {
    /// A failure without a way out yet.
    pub fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            help: None,
        }
    }

    /// The world failed.
    pub fn world(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::World, message)
    }

    /// The world failed, with all that lies behind the error.
    pub fn caused(error: &dyn std::error::Error) -> Self {
        Self::world(error_chain(error))
    }

    /// What was asked for cannot be.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    /// What was given is not as it should be.
    pub fn finding(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Finding, message)
    }

    /// A release must not go where it was to be put.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// Statements between the release that a target holds and this one are not at hand.
    pub fn gap(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Gap, message)
    }

    /// Whether a release is refused, and nothing in the world failed.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, FailureKind::Refused | FailureKind::Gap)
    }

    /// What a target is told of a failure: what is wrong with what was given refuses the release.
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

    /// The same failure with a way out.
    #[must_use]
    pub fn help(mut self, help: impl fmt::Display) -> Self {
        self.help = Some(help.to_string());
        self
    }
}

/// An error's sentence followed by those of its sources.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// What the system says of a path.
pub fn unusable(path: &Path, error: &io::Error) -> Failure {
    let failed = Failure::world(format!("`{}`: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::StorageFull => failed.help("make room and run the same command again"),
        _ => failed,
    }
}
