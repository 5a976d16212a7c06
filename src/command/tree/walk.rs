//! A way through the set, a step at a time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ExtraName, ProjectName};

use crate::command::scope::{Edge, Scope, edges};
use crate::set::graph::Relation;

/// A project, and the extras of it that count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Visit<'r> {
    pub(super) project: &'r ProjectName,
    /// `None` for all that it declares; upside down for whoever requires it with any or none.
    pub(super) active: Option<BTreeSet<ExtraName>>,
}

/// The set's relations, from who requires to what is required, or the other way round.
pub(super) struct Walk<'a, 'r> {
    pub(super) scope: &'a Scope<'r>,
    pub(super) inverted: bool,
    /// By the project that a step starts from.
    steps: BTreeMap<&'r ProjectName, Vec<usize>>,
    /// Of each project, what it requires of itself: extras that bring others along.
    own: BTreeMap<&'r ProjectName, Vec<usize>>,
    /// Whether there are steps, of what was asked before: many lines lead to the same project.
    has_steps: RefCell<BTreeMap<Visit<'r>, bool>>,
}

impl<'a, 'r> Walk<'a, 'r> {
    pub(super) fn new(scope: &'a Scope<'r>, inverted: bool) -> Self {
        let mut walk = Self {
            scope,
            inverted,
            steps: BTreeMap::new(),
            own: BTreeMap::new(),
            has_steps: RefCell::default(),
        };
        for (index, relation) in scope.relations.iter().enumerate() {
            let (from, to) = (&relation.from.project, &relation.requirement.name);
            let start = if inverted { to } else { from };
            let kind = if from == to {
                &mut walk.own
            } else {
                &mut walk.steps
            };
            kind.entry(start).or_default().push(index);
        }
        walk
    }

    pub(super) fn relation(&self, index: usize) -> &'a Relation<'r> {
        &self.scope.relations[index]
    }

    /// The steps from a project on, each the index of a relation.
    pub(super) fn steps(&self, visit: &Visit<'r>) -> Vec<usize> {
        let steps = self.steps.get(visit.project).into_iter().flatten().copied();
        let Some(active) = &visit.active else {
            return steps.collect();
        };
        if self.inverted {
            return steps
                .filter(|index| {
                    let asked = &self.relation(*index).requirement.extras;
                    asked.is_superset(active)
                })
                .collect();
        }
        let active = self.closed(visit.project, active);
        steps
            .filter(|index| {
                let extra = self.relation(*index).extra;
                extra.is_none_or(|extra| active.contains(extra))
            })
            .collect()
    }

    /// Extras with those that they ask of the project itself.
    fn closed(&self, project: &ProjectName, active: &BTreeSet<ExtraName>) -> BTreeSet<ExtraName> {
        let mut closed = active.clone();
        loop {
            let before = closed.len();
            for index in self.own.get(project).into_iter().flatten() {
                let relation = self.relation(*index);
                if relation.extra.is_none_or(|extra| closed.contains(extra)) {
                    closed.extend(relation.requirement.extras.iter().cloned());
                }
            }
            if closed.len() == before {
                return closed;
            }
        }
    }

    /// Where an edge leads.
    pub(super) fn onward(&self, visit: &Visit<'r>, edge: &Edge<'_, 'r>) -> Visit<'r> {
        if self.inverted {
            return Visit {
                project: edge.from,
                active: None,
            };
        }
        Visit {
            project: &edge.requirement.name,
            // All extras, unless it is told which ones count.
            active: visit
                .active
                .as_ref()
                .map(|_| edge.requirement.extras.clone()),
        }
    }

    /// Whether a project has branches.
    pub(super) fn has_branches(&self, visit: &Visit<'r>) -> bool {
        if visit.active.is_none() {
            return self.steps.contains_key(visit.project);
        }
        let known = self.has_steps.borrow().get(visit).copied();
        known.unwrap_or_else(|| {
            let has_steps = !self.steps(visit).is_empty();
            self.has_steps.borrow_mut().insert(visit.clone(), has_steps);
            has_steps
        })
    }

    /// The branches of a project: each an edge, and where it leads.
    pub(super) fn branches(&self, visit: &Visit<'r>) -> Vec<(Edge<'a, 'r>, Visit<'r>)> {
        let steps = self.steps(visit);
        edges(steps.into_iter().map(|index| self.relation(index)))
            .into_iter()
            .map(|edge| {
                let next = self.onward(visit, &edge);
                (edge, next)
            })
            .collect()
    }
}
