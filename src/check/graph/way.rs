//! Ways through the graph: from what someone wants to what is there for its sake.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use super::Graph;
use crate::python::{ProjectName, Requirement};

impl<'r> Graph<'r> {
    /// The projects that someone wants and all that these need.
    pub(in crate::check) fn reachable(&self) -> BTreeSet<&'r ProjectName> {
        let mut reached: BTreeSet<&'r ProjectName> = BTreeSet::new();
        let mut queue: VecDeque<NodeIndex> = self.wanted().collect();
        while let Some(node) = queue.pop_front() {
            if reached.insert(self.projects[node]) {
                queue.extend(self.projects.neighbors(node));
            }
        }
        reached
    }

    fn wanted(&self) -> impl Iterator<Item = NodeIndex> {
        self.repository
            .declarations
            .values()
            .filter(|declaration| !declaration.automatic)
            .map(|declaration| self.nodes[&declaration.project])
    }

    /// The shortest way from a wanted project to this one, as in
    /// `flask (wanted) -> werkzeug>=3.1 -> markupsafe>=2.1.1`. `None` for a wanted project, and where
    /// none leads there.
    pub(in crate::check) fn chain(&self, project: &ProjectName) -> Option<String> {
        let start = *self.nodes.get(project)?;
        if !self.repository.declarations[project].automatic {
            return None;
        }
        let mut next: BTreeMap<NodeIndex, (NodeIndex, &Requirement)> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            if !self.repository.declarations[self.projects[node]].automatic {
                let mut words = format!("{} (wanted)", self.projects[node]);
                let mut at = node;
                while let Some((onward, requirement)) = next.get(&at) {
                    words += &format!(" -> {requirement}");
                    at = *onward;
                }
                return Some(words);
            }
            let mut callers: Vec<_> = self
                .projects
                .edges_directed(node, Direction::Incoming)
                .map(|edge| (edge.source(), *edge.weight()))
                .collect();
            callers.sort_by_key(|(caller, _)| self.projects[*caller]);
            for (caller, requirement) in callers {
                if caller != start && !next.contains_key(&caller) {
                    next.insert(caller, (node, requirement));
                    queue.push_back(caller);
                }
            }
        }
        None
    }
}
