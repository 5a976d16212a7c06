//! Why a requirement or a marker cannot be read.

use std::ops::Range;

use thiserror::Error;

/// A text that is no requirement, or no marker.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct RequirementError {
    /// One sentence about what is wrong.
    pub message: String,
    /// The bytes of the text that it is about; empty, and at its end, when something is missing
    /// there.
    pub span: Range<usize>,
}

impl RequirementError {
    /// An error about some bytes of the text.
    pub(super) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span,
        }
    }
}
