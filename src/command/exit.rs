//! How a run ends.

use crate::foundation::failure::{Failure, FailureKind};

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

impl From<&Failure> for ExitStatus {
    fn from(failure: &Failure) -> Self {
        match failure.kind {
            FailureKind::World => Self::World,
            FailureKind::Usage => Self::Usage,
            FailureKind::Finding | FailureKind::Refused | FailureKind::Gap => Self::Findings,
        }
    }
}
