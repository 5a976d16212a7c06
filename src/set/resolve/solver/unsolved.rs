//! A search without an answer.

use ipwhl_packaging::{Marker, ProjectName};

use crate::foundation::failure::Failure;

/// Why a search has no answer.
#[derive(Debug)]
pub struct Unsolved {
    /// The reasons in words, with ways out.
    pub failure: Failure,
    /// A requested project that lacks wheels for some platforms, and a marker that leaves these
    /// out: offered only there, the project fits.
    pub only: Option<Box<(ProjectName, Marker)>>,
}

impl From<Failure> for Unsolved {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            only: None,
        }
    }
}

impl From<Unsolved> for Failure {
    fn from(unsolved: Unsolved) -> Self {
        unsolved.failure
    }
}
