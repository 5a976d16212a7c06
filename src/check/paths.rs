//! The paths through the set from what someone wants to one project: the shortest first, and how many
//! there are.
//!
//! A path repeats no project and holds on at least one platform as a whole. Their number can be
//! exponential in the size of the set, so they are counted without being walked where the part of the
//! set that they lie in has no cycle, and walked up to a limit where it has one.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::relations::Relation;
use crate::python::ProjectName;

/// How many steps are made in search of paths before the search is given up.
const MAXIMUM_STEPS: usize = 200_000;
/// How many more steps may be made for each path that is kept.
const STEPS_A_PATH: usize = 100;
/// How many pairs of a project and a set of platforms are kept for counting.
const MAXIMUM_STATES: usize = 200_000;

/// A path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'r> {
    /// The projects on it, a wanted one first and the one that was asked about last.
    pub projects: Vec<&'r ProjectName>,
    /// The platforms on which all of it holds, as indices into the repository's platforms.
    pub platforms: BTreeSet<usize>,
}

/// The paths to a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths<'r> {
    /// The shortest of them, then by their projects' names.
    pub shortest: Vec<Path<'r>>,
    /// How many there are.
    pub count: u64,
    /// Whether there may be more than that: the search was given up.
    pub is_at_least: bool,
    /// The projects that they run through, the last one included; perhaps some more, which lead there
    /// only in a circle or on no platform.
    pub through: BTreeSet<&'r ProjectName>,
}

/// The paths to `target` over these relations, each on its own platforms: at most `limit` of them in
/// full.
pub fn paths_to<'r>(
    relations: &[Relation<'r>],
    target: &'r ProjectName,
    limit: usize,
) -> Paths<'r> {
    let relevant = Relevant::new(relations, target);
    let counted = relevant.count();
    let mut search = Search::new(&relevant, limit, counted.is_some());
    let is_complete = search.run();
    let (count, is_at_least) = match counted {
        Some(count) => (count, count == u64::MAX),
        None => (search.count, !is_complete),
    };
    Paths {
        shortest: search.found,
        count,
        is_at_least,
        through: relevant.graph.node_weights().copied().collect(),
    }
}

/// The part of the set that paths to the target lie in.
struct Relevant<'r> {
    graph: DiGraph<&'r ProjectName, BTreeSet<usize>>,
    /// Where paths begin, by name.
    starts: Vec<NodeIndex>,
    target: Option<NodeIndex>,
    /// Every platform that a relation names.
    platforms: BTreeSet<usize>,
}

impl<'r> Relevant<'r> {
    fn new(relations: &[Relation<'r>], target: &'r ProjectName) -> Self {
        let mut onward: BTreeMap<&'r ProjectName, BTreeSet<&'r ProjectName>> = BTreeMap::new();
        let mut back: BTreeMap<&'r ProjectName, BTreeSet<&'r ProjectName>> = BTreeMap::new();
        let mut steps: BTreeMap<(&'r ProjectName, &'r ProjectName), BTreeSet<usize>> =
            BTreeMap::new();
        let mut wanted = BTreeSet::new();
        for relation in relations {
            let (from, to) = (&relation.from.project, &relation.requirement.name);
            // A path ends where it meets the target.
            if from == to || from == target {
                continue;
            }
            if !relation.from.automatic {
                wanted.insert(from);
            }
            onward.entry(from).or_default().insert(to);
            back.entry(to).or_default().insert(from);
            steps
                .entry((from, to))
                .or_default()
                .extend(&relation.platforms);
        }
        let leading = closure(&back, [target]);
        let reached = closure(&onward, wanted.iter().copied());
        let mut graph = DiGraph::new();
        let nodes: BTreeMap<&ProjectName, NodeIndex> = leading
            .intersection(&reached)
            .map(|project| (*project, graph.add_node(*project)))
            .collect();
        let mut all_platforms = BTreeSet::new();
        for ((from, to), platforms) in steps {
            if let (Some(from), Some(to)) = (nodes.get(from), nodes.get(to)) {
                all_platforms.extend(&platforms);
                graph.add_edge(*from, *to, platforms);
            }
        }
        Self {
            starts: wanted
                .into_iter()
                .filter_map(|project| nodes.get(project).copied())
                .collect(),
            target: nodes.get(target).copied(),
            graph,
            platforms: all_platforms,
        }
    }

    /// How many paths there are; `None` where they run through a cycle, or their platforms are too
    /// many kinds.
    fn count(&self) -> Option<u64> {
        let Some(target) = self.target else {
            return Some(0);
        };
        let order = toposort(&self.graph, None).ok()?;
        let mut states: Vec<BTreeMap<BTreeSet<usize>, u64>> =
            vec![BTreeMap::new(); self.graph.node_count()];
        for start in &self.starts {
            states[start.index()].insert(self.platforms.clone(), 1);
        }
        let mut kept = self.starts.len();
        for node in order {
            if node == target {
                continue;
            }
            let here = std::mem::take(&mut states[node.index()]);
            for edge in self.graph.edges(node) {
                for (platforms, count) in &here {
                    let common: BTreeSet<usize> =
                        platforms.intersection(edge.weight()).copied().collect();
                    if common.is_empty() {
                        continue;
                    }
                    let sum = states[edge.target().index()]
                        .entry(common)
                        .or_insert_with(|| {
                            kept += 1;
                            0
                        });
                    *sum = sum.saturating_add(*count);
                }
            }
            if kept > MAXIMUM_STATES {
                return None;
            }
        }
        let counts = states[target.index()].values();
        Some(counts.fold(0, |sum, count| sum.saturating_add(*count)))
    }
}

/// All that can be reached from these projects, themselves included.
fn closure<'r>(
    neighbours: &BTreeMap<&'r ProjectName, BTreeSet<&'r ProjectName>>,
    from: impl IntoIterator<Item = &'r ProjectName>,
) -> BTreeSet<&'r ProjectName> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&ProjectName> = from.into_iter().collect();
    while let Some(project) = open.pop() {
        if reached.insert(project) {
            open.extend(neighbours.get(project).into_iter().flatten());
        }
    }
    reached
}

/// Walks paths, one length after the other.
struct Search<'a, 'r> {
    relevant: &'a Relevant<'r>,
    /// The steps onward of each project, by name.
    onward: Vec<Vec<(NodeIndex, &'a BTreeSet<usize>)>>,
    found: Vec<Path<'r>>,
    /// How many paths are kept.
    limit: usize,
    /// How many were walked.
    count: u64,
    /// Whether one path more than is kept is enough, since they are counted otherwise.
    stops_early: bool,
    /// How many steps are left to be made.
    budget: usize,
}

/// The search is over before all was seen.
struct GivenUp;

impl<'a, 'r> Search<'a, 'r> {
    fn new(relevant: &'a Relevant<'r>, limit: usize, stops_early: bool) -> Self {
        let graph = &relevant.graph;
        let onward = graph
            .node_indices()
            .map(|node| {
                let mut steps: Vec<(NodeIndex, &BTreeSet<usize>)> = graph
                    .edges(node)
                    .map(|edge| (edge.target(), edge.weight()))
                    .collect();
                steps.sort_by_key(|(node, _)| graph[*node]);
                steps
            })
            .collect();
        Self {
            relevant,
            onward,
            found: Vec::new(),
            limit,
            count: 0,
            stops_early,
            budget: MAXIMUM_STEPS.saturating_add(limit.saturating_mul(STEPS_A_PATH)),
        }
    }

    /// Whether all paths were walked.
    fn run(&mut self) -> bool {
        let Some(target) = self.relevant.target else {
            return true;
        };
        let graph = &self.relevant.graph;
        let nodes = graph.node_count();
        // For each number of steps the projects from which so many lead to the target.
        let mut layers: Vec<Vec<bool>> = vec![vec![false; nodes]];
        layers[0][target.index()] = true;
        for length in 1..nodes {
            let mut layer = vec![false; nodes];
            for edge in graph.edge_references() {
                layer[edge.source().index()] |= layers[length - 1][edge.target().index()];
            }
            if !layer.contains(&true) {
                break;
            }
            layers.push(layer);
            for start in &self.relevant.starts {
                let mut trail = vec![*start];
                let is_over = layers[length][start.index()]
                    && self
                        .walk(&mut trail, &self.relevant.platforms, &layers[..length])
                        .is_err();
                if is_over {
                    return false;
                }
            }
            let Some(budget) = self.budget.checked_sub(graph.edge_count()) else {
                return false;
            };
            self.budget = budget;
        }
        true
    }

    /// Walks on from the end of `trail`, by as many steps as there are `layers`.
    fn walk(
        &mut self,
        trail: &mut Vec<NodeIndex>,
        platforms: &BTreeSet<usize>,
        layers: &[Vec<bool>],
    ) -> Result<(), GivenUp> {
        self.budget = self.budget.checked_sub(1).ok_or(GivenUp)?;
        let (Some(here), Some((layer, layers))) = (trail.last().copied(), layers.split_last())
        else {
            if self.stops_early && self.found.len() == self.limit {
                return Err(GivenUp);
            }
            self.count += 1;
            if self.found.len() < self.limit {
                let graph = &self.relevant.graph;
                self.found.push(Path {
                    projects: trail.iter().map(|node| graph[*node]).collect(),
                    platforms: platforms.clone(),
                });
            }
            return Ok(());
        };
        for step in 0..self.onward[here.index()].len() {
            let (node, step_platforms) = self.onward[here.index()][step];
            if !layer[node.index()] || trail.contains(&node) {
                continue;
            }
            let common: BTreeSet<usize> = platforms.intersection(step_platforms).copied().collect();
            if common.is_empty() {
                continue;
            }
            trail.push(node);
            self.walk(trail, &common, layers)?;
            trail.pop();
        }
        Ok(())
    }
}
