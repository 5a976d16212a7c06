//! The part of the set that contains all paths.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ipwhl_packaging::{ExtraName, ProjectName};
use petgraph::Incoming;
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::set::graph::{Direction, Relations};

/// The maximum number of pairs of a project and a set of platforms that the count may store.
const MAXIMUM_STATES: usize = 200_000;

/// A path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'r> {
    /// The projects on it, from a wanted project to the target.
    pub projects: Vec<&'r ProjectName>,
    /// The platforms on which every step applies, as indices into the repository's platforms.
    pub platforms: BTreeSet<usize>,
}

/// The part of the set that contains all paths to the target.
pub(super) struct Relevant<'r> {
    pub(super) graph: DiGraph<&'r ProjectName, BTreeSet<usize>>,
    /// The starts of paths, by name.
    pub(super) starts: Vec<NodeIndex>,
    pub(super) target: Option<NodeIndex>,
    /// Every platform that a relation names.
    pub(super) platforms: BTreeSet<usize>,
}

impl<'r> Relevant<'r> {
    pub(super) fn new(
        relations: &Relations<'r>,
        target: &'r ProjectName,
        extras: &BTreeSet<ExtraName>,
    ) -> Self {
        // Requirements without these extras do not lead to the target, and a path ends at the
        // target.
        let last = relations.naming(target).filter(|one| one.asks_for(extras));
        let last = last.map(|relation| &relation.from.project);
        let leading = relations.reach(last, Direction::Requirers, |project| project != target);
        let is_requested = |project: &ProjectName| {
            let first = relations.of(project).first();
            first.is_some_and(|relation| !relation.from.automatic)
        };
        let requested: Vec<&ProjectName> = leading
            .iter()
            .copied()
            .filter(|project| is_requested(project))
            .collect();
        let mut on_the_way =
            relations.reach(requested.iter().copied(), Direction::Required, |project| {
                leading.contains(project)
            });
        if !requested.is_empty() {
            on_the_way.insert(target);
        }
        let mut graph = DiGraph::new();
        let nodes: BTreeMap<&ProjectName, NodeIndex> = on_the_way
            .into_iter()
            .map(|project| (project, graph.add_node(project)))
            .collect();
        let mut all_platforms = BTreeSet::new();
        for (project, from) in nodes.iter().filter(|(project, _)| **project != target) {
            for several in relations
                .of(project)
                .chunk_by(|one, next| one.to() == next.to())
            {
                let holding = several.iter().filter(|relation| {
                    !relation.is_own() && (relation.to() != target || relation.asks_for(extras))
                });
                let platforms: BTreeSet<usize> =
                    holding.flat_map(|one| &one.platforms).copied().collect();
                if let Some(to) = nodes.get(several[0].to())
                    && !platforms.is_empty()
                {
                    all_platforms.extend(&platforms);
                    graph.add_edge(*from, *to, platforms);
                }
            }
        }
        Self {
            starts: requested.iter().map(|project| nodes[project]).collect(),
            target: nodes.get(target).copied(),
            graph,
            platforms: all_platforms,
        }
    }

    /// The number of paths; `None` if they run through a cycle, or have too many different sets of
    /// platforms.
    pub(super) fn count(&self, target: NodeIndex) -> Option<u64> {
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

    /// The least number of steps from each project to the target, over requirements that `holds`
    /// accepts; `None` for projects that do not lead there.
    pub(super) fn distances(
        &self,
        target: NodeIndex,
        holds: impl Fn(&BTreeSet<usize>) -> bool,
    ) -> Vec<Option<usize>> {
        let mut distances = vec![None; self.graph.node_count()];
        distances[target.index()] = Some(0);
        let mut open = VecDeque::from([(target, 0)]);
        while let Some((node, distance)) = open.pop_front() {
            for edge in self.graph.edges_directed(node, Incoming) {
                let from = edge.source();
                if distances[from.index()].is_none() && holds(edge.weight()) {
                    distances[from.index()] = Some(distance + 1);
                    open.push_back((from, distance + 1));
                }
            }
        }
        distances
    }

    /// The shortest path that applies on one of the platforms; among equally short ones, the first
    /// by name.
    pub(super) fn first_path(&self, target: NodeIndex) -> Option<Path<'r>> {
        let paths = self.platforms.iter().filter_map(|platform| {
            let distances = self.distances(target, |holds| holds.contains(platform));
            let starts = self.starts.iter();
            let mut here = *starts
                .filter(|start| distances[start.index()].is_some())
                .min_by_key(|start| (distances[start.index()], self.graph[**start]))?;
            let mut projects = vec![self.graph[here]];
            let mut platforms = self.platforms.clone();
            while here != target {
                let nearer = self
                    .graph
                    .edges(here)
                    .filter(|edge| edge.weight().contains(platform))
                    .filter(|edge| distances[edge.target().index()] < distances[here.index()])
                    .filter(|edge| distances[edge.target().index()].is_some());
                let step = nearer.min_by_key(|edge| self.graph[edge.target()])?;
                platforms = platforms.intersection(step.weight()).copied().collect();
                here = step.target();
                projects.push(self.graph[here]);
            }
            Some(Path {
                projects,
                platforms,
            })
        });
        paths.min_by(|left, right| {
            let key = |path: &Path<'r>| path.projects.len();
            (key(left), &left.projects).cmp(&(key(right), &right.projects))
        })
    }
}
