//! A comparison to be printed.

use crate::release::comparison::Comparison;

/// A comparison, and the level of detail.
pub(super) struct Report<'r> {
    pub(super) comparison: &'r Comparison<'r>,
    /// Whether to print every detail.
    pub(super) in_full: bool,
}
