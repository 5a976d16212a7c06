//! The paths through the set from the requested projects to one project: the shortest first, and
//! how many there are.
//!
//! A path repeats no project and holds on at least one platform as a whole. Their number can be
//! exponential in the size of the set, so they are counted without being walked where the part of
//! the set that they lie in has no cycle, and walked up to a limit where it has one. Only such
//! projects are walked through from which the right number of steps leads to the target.

mod relevant;
mod search;

use std::collections::BTreeSet;

use ipwhl_packaging::{ExtraName, ProjectName};

use super::Relations;
pub use relevant::Path;
use relevant::Relevant;
use search::Search;

/// The paths to a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths<'r> {
    /// The shortest of them, then by their projects' names.
    pub shortest: Vec<Path<'r>>,
    /// How many there are.
    pub count: u64,
    /// Whether there may be more than that: the search was given up.
    pub is_at_least: bool,
    /// The projects that they run through, the last one included; perhaps some more, which lead
    /// there only in a circle or on no platform.
    pub through: BTreeSet<&'r ProjectName>,
}

/// The paths to `target`, or to these extras of it, over these relations, each on its own
/// platforms: at most `limit` of them in full.
pub fn paths_to<'r>(
    relations: &Relations<'r>,
    target: &'r ProjectName,
    extras: &BTreeSet<ExtraName>,
    limit: usize,
) -> Paths<'r> {
    let relevant = Relevant::new(relations, target, extras);
    let mut paths = Paths {
        shortest: Vec::new(),
        count: 0,
        is_at_least: false,
        through: relevant.graph.node_weights().copied().collect(),
    };
    let Some(target) = relevant.target else {
        return paths;
    };
    let counted = relevant.count(target);
    let mut search = Search::new(&relevant, target, limit, counted);
    let is_complete = search.run();
    paths.shortest = search.found;
    (paths.count, paths.is_at_least) = match counted {
        Some(count) => (count, count == u64::MAX),
        None => (search.count, !is_complete),
    };
    // The search may have been given up among ways that hold nowhere as a whole.
    let may_be_some = paths.count > 0 || paths.is_at_least;
    if paths.shortest.is_empty() && may_be_some && limit > 0 {
        paths.shortest.extend(relevant.first_path(target));
        paths.count = paths.count.max(paths.shortest.len() as u64);
    }
    paths
}
