//! The extras of one project, by who asks for them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ipwhl_packaging::ExtraName;

/// The extras that a project asks of itself and is asked for.
#[derive(Default)]
pub(super) struct OwnExtras<'r> {
    /// The extras that it asks of itself, each with those under which it does.
    pub(super) callers: HashMap<&'r ExtraName, Vec<Option<&'r ExtraName>>>,
    /// The extras that others ask of it.
    pub(super) asked_for: BTreeSet<&'r ExtraName>,
    /// The lines where it declares an extra.
    pub(super) places: HashMap<&'r ExtraName, BTreeSet<(Arc<str>, usize)>>,
}
