//! The paths through the set from the wanted projects to one project: the shortest ones, and the
//! number of all.
//!
//! A path visits no project twice, and all of it applies on at least one platform. The number of
//! paths can be exponential in the size of the set. If the relevant part of the set has no cycle,
//! they are counted without being walked; otherwise they are walked up to a limit. The walk enters
//! a project only if the right number of steps leads from there to the target.

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
    /// The shortest paths, sorted by length, then by the names of their projects.
    pub shortest: Vec<Path<'r>>,
    /// The number of paths.
    pub count: u64,
    /// Whether there may be more, because the search exceeded its limit.
    pub is_at_least: bool,
    /// The projects on these paths, including the target; perhaps also some that lead there only in
    /// a cycle or on no platform.
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
    // The search may have ended among paths that apply on no platform as a whole.
    let may_be_some = paths.count > 0 || paths.is_at_least;
    if paths.shortest.is_empty() && may_be_some && limit > 0 {
        paths.shortest.extend(relevant.first_path(target));
        paths.count = paths.count.max(paths.shortest.len() as u64);
    }
    paths
}
