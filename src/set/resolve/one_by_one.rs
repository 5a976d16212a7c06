//! The smallest changes of a set that keep it true, in an order in which they can be made.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::ProjectName;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// What happens to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is declared anew.
    Move,
    /// It comes into the set, because others need it.
    Join,
    /// It leaves the set, because nothing needs it any more.
    Leave,
}

/// Projects that change together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SmallChange {
    /// The projects. One that joins is in the first change that needs it, and one that leaves in
    /// the last that ceases to need it.
    pub projects: BTreeSet<ProjectName>,
    /// The changes that it needs, as positions in the list of all; these may need others in turn.
    pub after: BTreeSet<usize>,
}

/// Divides changes into the smallest ones that can be made one after the other. `needed` has for
/// each project the others that must change with it or before.
///
/// After each of them, no requirement is unmet that was met before. If an automatic project gets other requirers, it may
/// be that nothing needs it until the next change.
pub fn one_by_one(
    kinds: &BTreeMap<ProjectName, ChangeKind>,
    needed: &BTreeMap<ProjectName, BTreeSet<ProjectName>>,
) -> Vec<SmallChange> {
    let mut graph = DiGraph::<&ProjectName, ()>::new();
    let nodes: BTreeMap<&ProjectName, NodeIndex> = kinds
        .keys()
        .map(|project| (project, graph.add_node(project)))
        .collect();
    for (project, others) in needed {
        for other in others {
            if let (Some(from), Some(to)) = (nodes.get(project), nodes.get(other)) {
                graph.add_edge(*from, *to, ());
            }
        }
    }
    let mut order = Order {
        needed,
        changes: Vec::new(),
        position: BTreeMap::new(),
        joining: BTreeMap::new(),
    };
    // Each group comes after those that it needs.
    for group in tarjan_scc(&graph) {
        let projects: BTreeSet<ProjectName> =
            group.into_iter().map(|node| graph[node].clone()).collect();
        let all_are = |kind| projects.iter().all(|project| kinds[project] == kind);
        if all_are(ChangeKind::Join) {
            for project in &projects {
                order.joining.insert(project.clone(), projects.clone());
            }
        } else if all_are(ChangeKind::Leave) {
            order.leave(projects);
        } else {
            order.push(projects);
        }
    }
    // Nothing in the list needs these.
    while let Some(group) = order.joining.values().next().cloned() {
        order.push(group);
    }
    order.changes
}

/// Puts the changes of these projects first, with those that they need. The order stays otherwise.
pub(super) fn first(
    changes: Vec<SmallChange>,
    projects: &BTreeSet<ProjectName>,
) -> Vec<SmallChange> {
    let mut is_early = vec![false; changes.len()];
    // What a change needs is before it in the list.
    for (number, change) in changes.iter().enumerate().rev() {
        if is_early[number] || !change.projects.is_disjoint(projects) {
            is_early[number] = true;
            for before in &change.after {
                is_early[*before] = true;
            }
        }
    }
    let (early, late): (Vec<usize>, Vec<usize>) =
        (0..changes.len()).partition(|number| is_early[*number]);
    let mut position = vec![0; changes.len()];
    for (new, old) in early.into_iter().chain(late).enumerate() {
        position[old] = new;
    }
    let mut ordered: Vec<(usize, SmallChange)> = changes
        .into_iter()
        .enumerate()
        .map(|(old, change)| {
            let after = change.after.iter().map(|before| position[*before]);
            let after = after.collect();
            (position[old], SmallChange { after, ..change })
        })
        .collect();
    ordered.sort_by_key(|(new, _)| *new);
    ordered.into_iter().map(|(_, change)| change).collect()
}

struct Order<'n> {
    needed: &'n BTreeMap<ProjectName, BTreeSet<ProjectName>>,
    changes: Vec<SmallChange>,
    /// The change of each project that is in one.
    position: BTreeMap<ProjectName, usize>,
    /// The projects that join and are in no change yet, each with its group.
    joining: BTreeMap<ProjectName, BTreeSet<ProjectName>>,
}

impl Order<'_> {
    /// Adds a change of these projects, and of those that must join for it.
    fn push(&mut self, projects: BTreeSet<ProjectName>) {
        let number = self.changes.len();
        let mut change = SmallChange::default();
        let mut open: Vec<ProjectName> = projects.into_iter().collect();
        while let Some(project) = open.pop() {
            if !change.projects.insert(project.clone()) {
                continue;
            }
            open.extend(self.joining.remove(&project).into_iter().flatten());
            for other in self.needed.get(&project).into_iter().flatten() {
                match self.position.get(other) {
                    Some(before) => drop(change.after.insert(*before)),
                    None => open.push(other.clone()),
                }
            }
        }
        for project in &change.projects {
            self.position.insert(project.clone(), number);
        }
        self.changes.push(change);
    }

    /// Lets projects leave with the last change that ceases to need them.
    fn leave(&mut self, projects: BTreeSet<ProjectName>) {
        let others = projects
            .iter()
            .filter_map(|project| self.needed.get(project));
        let before: BTreeSet<usize> = others
            .flatten()
            .filter_map(|other| self.position.get(other).copied())
            .collect();
        let Some(last) = before.last().copied() else {
            self.push(projects);
            return;
        };
        for project in &projects {
            self.position.insert(project.clone(), last);
        }
        let change = &mut self.changes[last];
        change
            .after
            .extend(before.into_iter().filter(|one| *one != last));
        change.projects.extend(projects);
    }
}
