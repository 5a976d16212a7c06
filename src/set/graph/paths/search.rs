//! The search for paths: by length, then by the names on them, up to a limit.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use ipwhl_packaging::ProjectName;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::relevant::{Path, Relevant};

/// The maximum number of steps of the search.
const MAXIMUM_STEPS: usize = 200_000;
/// The number of additional steps for each path that is kept, and for each requirement that paths
/// may use.
const STEPS_A_PATH: usize = 100;
const STEPS_AN_EDGE: usize = 4;
/// The maximum number of steps of all kept paths together.
const MAXIMUM_STEPS_KEPT: usize = 1_000_000;

/// Walks the paths, one length after the other.
pub(super) struct Search<'a, 'r> {
    relevant: &'a Relevant<'r>,
    target: NodeIndex,
    /// The next steps from each project, by name.
    onward: Vec<Vec<(NodeIndex, &'a BTreeSet<usize>)>>,
    /// The least number of steps from each project to the target.
    distance: Vec<usize>,
    /// Whether a project with a number of steps beyond its distance leads to the target.
    leads: HashMap<(NodeIndex, usize), bool>,
    pub(super) found: Vec<Path<'r>>,
    /// The maximum number of kept paths.
    limit: usize,
    /// The remaining number of steps for kept paths.
    room: usize,
    /// The number of walked paths.
    pub(super) count: u64,
    /// The number of all paths, if known: then only the kept ones are walked.
    counted: Option<u64>,
    /// The projects on the current path.
    is_on_path: Vec<bool>,
    /// The remaining number of steps.
    budget: usize,
}

/// The search ended before all paths were walked.
struct GivenUp;

/// A project on the current path.
struct Stop<'a> {
    node: NodeIndex,
    /// The platforms on which the path up to here applies.
    platforms: Cow<'a, BTreeSet<usize>>,
    /// The remaining number of steps.
    left: usize,
    /// The next step to try.
    next: usize,
}

impl<'a, 'r> Search<'a, 'r> {
    pub(super) fn new(
        relevant: &'a Relevant<'r>,
        target: NodeIndex,
        limit: usize,
        counted: Option<u64>,
    ) -> Self {
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
        let size = graph.node_count() + graph.edge_count();
        let distances = relevant.distances(target, |_| true).into_iter();
        Self {
            relevant,
            target,
            onward,
            // Every relevant project leads to the target.
            distance: distances.map(|one| one.unwrap_or(usize::MAX)).collect(),
            leads: HashMap::new(),
            found: Vec::new(),
            limit,
            room: MAXIMUM_STEPS_KEPT,
            count: 0,
            counted,
            is_on_path: vec![false; graph.node_count()],
            budget: MAXIMUM_STEPS
                .saturating_add(size.saturating_mul(STEPS_AN_EDGE))
                .saturating_add(limit.saturating_mul(STEPS_A_PATH)),
        }
    }

    /// Whether all paths were walked.
    pub(super) fn run(&mut self) -> bool {
        let starts = &self.relevant.starts;
        let distances = starts.iter().map(|start| self.distance[start.index()]);
        let shortest = distances.min().unwrap_or(usize::MAX);
        // A path has at most as many projects as the set.
        for length in shortest..self.relevant.graph.node_count() {
            for start in starts {
                if self.walk(*start, length).is_err() {
                    return false;
                }
            }
            if self.counted == Some(self.count) {
                break;
            }
        }
        true
    }

    /// Walks all paths with this number of steps from a project, in the order of their names.
    fn walk(&mut self, start: NodeIndex, length: usize) -> Result<(), GivenUp> {
        self.spend()?;
        if !self.leads(start, length)? {
            return Ok(());
        }
        self.is_on_path[start.index()] = true;
        let mut path = vec![Stop {
            node: start,
            platforms: Cow::Borrowed(&self.relevant.platforms),
            left: length,
            next: 0,
        }];
        while let Some(here) = path.last_mut() {
            let step = self.onward[here.node.index()].get(here.next).copied();
            here.next += 1;
            let Some((node, holds)) = step else {
                self.is_on_path[here.node.index()] = false;
                path.pop();
                continue;
            };
            self.spend()?;
            let left = here.left - 1;
            if self.is_on_path[node.index()] || !self.leads(node, left)? {
                continue;
            }
            let platforms = if here.platforms.is_subset(holds) {
                here.platforms.clone()
            } else {
                Cow::Owned(here.platforms.intersection(holds).copied().collect())
            };
            if platforms.is_empty() {
                continue;
            }
            if left == 0 {
                let nodes = path.iter().map(|stop| stop.node).chain([node]);
                let graph = &self.relevant.graph;
                let projects = nodes.map(|node| graph[node]).collect();
                self.keep(projects, platforms.into_owned())?;
                continue;
            }
            self.is_on_path[node.index()] = true;
            path.push(Stop {
                node,
                platforms,
                left,
                next: 0,
            });
        }
        Ok(())
    }

    fn keep(
        &mut self,
        projects: Vec<&'r ProjectName>,
        platforms: BTreeSet<usize>,
    ) -> Result<(), GivenUp> {
        // The first path is kept, even if it is long.
        let is_full = self.found.len() == self.limit
            || (self.room < projects.len() && !self.found.is_empty());
        if is_full && self.counted.is_some() {
            return Err(GivenUp);
        }
        self.count += 1;
        if is_full {
            // No later path may replace it.
            self.room = 0;
        } else {
            self.room = self.room.saturating_sub(projects.len());
            self.found.push(Path {
                projects,
                platforms,
            });
        }
        Ok(())
    }

    fn spend(&mut self) -> Result<(), GivenUp> {
        self.budget = self.budget.checked_sub(1).ok_or(GivenUp)?;
        Ok(())
    }

    /// Whether exactly this number of steps leads from a project to the target, on any platforms
    /// and even if a project repeats. Equivalent to a recursion, but without deep stacks: paths may
    /// be long.
    fn leads(&mut self, from: NodeIndex, steps: usize) -> Result<bool, GivenUp> {
        let mut open = vec![(from, steps, 0)];
        let mut answer = false;
        while let Some((node, steps, next)) = open.last_mut() {
            let distance = self.distance[node.index()];
            let known = match steps.checked_sub(distance) {
                None => Some(false),
                Some(_) if *node == self.target => Some(*steps == 0),
                Some(0) => Some(true),
                Some(beyond) => self.leads.get(&(*node, beyond)).copied(),
            };
            let onward = self.onward[node.index()].get(*next).copied();
            let is_answered = *next > 0 && answer;
            match (known, onward) {
                (Some(known), _) => {
                    answer = known;
                    open.pop();
                }
                (None, Some((onward, _))) if !is_answered => {
                    *next += 1;
                    let step = (onward, *steps - 1, 0);
                    open.push(step);
                    self.spend()?;
                }
                (None, _) => {
                    answer = is_answered;
                    self.leads.insert((*node, *steps - distance), answer);
                    open.pop();
                }
            }
        }
        Ok(answer)
    }
}
