//! The extras of one project, by their requirers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ipwhl_packaging::ExtraName;

/// The extras that a project requires of itself and that others require of it.
#[derive(Default)]
pub(super) struct OwnExtras<'r> {
    /// The extras that it requires of itself, each with the extras that require it; `None` for a
    /// requirement without an extra.
    pub(super) callers: HashMap<&'r ExtraName, Vec<Option<&'r ExtraName>>>,
    /// The extras that other projects require of it.
    pub(super) asked_for: BTreeSet<&'r ExtraName>,
    /// The lines where it declares an extra.
    pub(super) places: HashMap<&'r ExtraName, BTreeSet<(Arc<str>, usize)>>,
}
