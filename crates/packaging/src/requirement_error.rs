//! Errors of requirements and markers.

use std::ops::Range;

use thiserror::Error;

/// A text that is not a requirement, or not a marker.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct RequirementError {
    /// One sentence about the error.
    pub message: String,
    /// The affected bytes of the text; empty, and at its end, if something is missing there.
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
