//! A comparison that is written in a format.

use crate::release::comparison::Comparison;

/// A comparison, and how much of it is told.
pub(super) struct Report<'r> {
    pub(super) comparison: &'r Comparison<'r>,
    /// Whether nothing is to be left out for the sake of brevity.
    pub(super) in_full: bool,
}
