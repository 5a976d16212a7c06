//! The exit codes.

use crate::foundation::failure::{Failure, FailureKind};

/// The exit codes (FORMATS 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// Success.
    Clean = 0,
    /// A declaration, a release or another input is wrong.
    Findings = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The network, the disk or a key failed.
    World = 3,
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

impl From<&Failure> for ExitStatus {
    fn from(failure: &Failure) -> Self {
        match failure.kind {
            FailureKind::World => Self::World,
            FailureKind::Usage => Self::Usage,
            FailureKind::Finding | FailureKind::Refused | FailureKind::Gap => Self::Findings,
        }
    }
}
