//! Walks through the set, step by step: down to required projects, or up to requirers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ExtraName, ProjectName};

use super::{
    Direction, GraphQuery, NamedProject, QueryError, Relation, RelationGroup, Relations,
    group_relations,
};

/// A project and the extras that are followed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Visit<'r> {
    /// The project.
    pub project: &'r ProjectName,
    /// `None` for all declared extras; upwards, for requirers with any extra or none.
    pub active: Option<BTreeSet<ExtraName>>,
}

/// A part of the set.
#[derive(Debug)]
pub struct Subgraph<'a, 'r> {
    /// The projects of the query.
    pub roots: Vec<&'r ProjectName>,
    /// All projects of the part, including the roots.
    pub projects: BTreeSet<&'r ProjectName>,
    /// The requirements between them.
    pub relations: Vec<&'a Relation<'r>>,
}

/// A walk over the relations of a query in one direction.
pub struct Walk<'a, 'r> {
    /// The query.
    pub query: &'a GraphQuery<'r>,
    /// The direction.
    pub direction: Direction,
    relations: &'a Relations<'r>,
    /// Cached answers to whether a visit has steps: many lines lead to the same project.
    has_steps: RefCell<BTreeMap<Visit<'r>, bool>>,
}

impl<'a, 'r> Walk<'a, 'r> {
    /// A walk that has not begun.
    pub fn new(query: &'a GraphQuery<'r>, direction: Direction) -> Self {
        Self {
            query,
            direction,
            relations: query.relations(),
            has_steps: RefCell::default(),
        }
    }

    /// The starts of a walk for these texts, each `NAME` or `NAME[EXTRA,…]`; all wanted projects if
    /// there are none. `extras` adds extras to those starts that declare them, and makes the walk
    /// that of an installation: only required extras are followed. That also holds if `extras` is
    /// empty, but not if it is `None`.
    ///
    /// # Errors
    /// All errors except those about platforms.
    pub fn roots(
        &self,
        texts: &[String],
        extras: Option<&[ExtraName]>,
    ) -> Result<Vec<Visit<'r>>, QueryError> {
        let declarations = &self.query.repository.declarations;
        let named = self.parse_projects(texts)?;
        let declared = |named: &NamedProject| -> BTreeSet<&'r ExtraName> {
            let declaration = declarations.get(&named.project).into_iter();
            let wheels = declaration.flat_map(|declaration| &declaration.wheels);
            let extras = wheels.flat_map(|wheel| &wheel.extras);
            extras.map(|extra| &extra.value).collect()
        };
        for extra in extras.into_iter().flatten() {
            let all: BTreeSet<&ExtraName> = named.iter().flat_map(declared).collect();
            if !all.contains(extra) {
                return Err(QueryError::NoExtraOfAny {
                    extra: extra.clone(),
                    declared: all.into_iter().cloned().collect(),
                });
            }
        }
        let is_up = self.direction == Direction::Requirers;
        let roots = named.iter().filter_map(|one| {
            let has = declared(one);
            let asked = one.extras.iter().chain(extras.into_iter().flatten());
            let asked: BTreeSet<ExtraName> = asked
                .filter(|extra| is_up || has.contains(extra))
                .cloned()
                .collect();
            let counts = !asked.is_empty() || (!is_up && extras.is_some());
            Some(Visit {
                project: self.query.project(&one.project)?,
                active: counts.then_some(asked),
            })
        });
        Ok(roots.collect())
    }

    fn parse_projects(&self, texts: &[String]) -> Result<Vec<NamedProject>, QueryError> {
        if texts.is_empty() {
            let declarations = self.query.repository.declarations.values();
            let requested = declarations.filter(|declaration| !declaration.automatic);
            let requested = requested.map(|declaration| NamedProject {
                project: declaration.project.clone(),
                extras: BTreeSet::new(),
            });
            return Ok(requested.collect());
        }
        let mut named: Vec<NamedProject> = Vec::new();
        for text in texts {
            let one = self.query.parse_project(text)?;
            let twin = named.iter_mut().find(|other| other.project == one.project);
            match twin {
                Some(twin) => twin.extras.extend(one.extras),
                None => named.push(one),
            }
        }
        Ok(named)
    }

    /// The next steps from a visit, each the index of a relation.
    fn steps(&self, visit: &Visit<'r>) -> Vec<usize> {
        let steps = self.all_steps(visit.project);
        let Some(active) = &visit.active else {
            return steps.collect();
        };
        if self.direction == Direction::Requirers {
            return steps
                .filter(|index| self.relations[*index].asks_for(active))
                .collect();
        }
        let active = self.closed(visit.project, active);
        steps
            .filter(|index| {
                let extra = self.relations[*index].extra;
                extra.is_none_or(|extra| active.contains(extra))
            })
            .collect()
    }

    /// The next steps from a project with all of its extras.
    fn all_steps(&self, project: &ProjectName) -> impl Iterator<Item = usize> {
        self.relations
            .indices(project, self.direction)
            .filter(|index| !self.relations[*index].is_own())
    }

    /// Extras, with the extras that they require of the same project.
    fn closed(&self, project: &ProjectName, active: &BTreeSet<ExtraName>) -> BTreeSet<ExtraName> {
        let mut closed = active.clone();
        loop {
            let before = closed.len();
            for relation in self.relations.between(project, project) {
                if relation.extra.is_none_or(|extra| closed.contains(extra)) {
                    closed.extend(relation.requirement.extras.iter().cloned());
                }
            }
            if closed.len() == before {
                return closed;
            }
        }
    }

    /// The visit that a group of relations leads to.
    fn onward(&self, visit: &Visit<'r>, group: &RelationGroup<'_, 'r>) -> Visit<'r> {
        match self.direction {
            Direction::Requirers => Visit {
                project: group.from,
                active: None,
            },
            Direction::Required => Visit {
                project: &group.requirement.name,
                // All extras, unless the walk follows chosen ones.
                active: visit
                    .active
                    .as_ref()
                    .map(|_| group.requirement.extras.clone()),
            },
        }
    }

    /// Whether a visit has branches.
    pub fn has_branches(&self, visit: &Visit<'r>) -> bool {
        if visit.active.is_none() {
            return self.all_steps(visit.project).next().is_some();
        }
        let known = self.has_steps.borrow().get(visit).copied();
        known.unwrap_or_else(|| {
            let has_steps = !self.steps(visit).is_empty();
            self.has_steps.borrow_mut().insert(visit.clone(), has_steps);
            has_steps
        })
    }

    /// The branches of a visit: groups of relations that read the same, each with its target.
    pub fn branches(&self, visit: &Visit<'r>) -> Vec<(RelationGroup<'a, 'r>, Visit<'r>)> {
        let steps = self.steps(visit);
        group_relations(steps.into_iter().map(|index| &self.relations[index]))
            .into_iter()
            .map(|group| {
                let next = self.onward(visit, &group);
                (group, next)
            })
            .collect()
    }

    /// The part of the set within this number of steps from these roots, each project and relation
    /// once.
    pub fn reached(&self, roots: &[Visit<'r>], depth: usize) -> Subgraph<'a, 'r> {
        let mut seen: BTreeSet<Visit<'r>> = BTreeSet::new();
        let mut level: Vec<Visit<'r>> = roots.to_vec();
        let mut projects = BTreeSet::new();
        let mut picked = BTreeSet::new();
        for distance in 0.. {
            let mut next = Vec::new();
            for visit in level {
                projects.insert(visit.project);
                if distance >= depth || !seen.insert(visit.clone()) {
                    continue;
                }
                picked.extend(self.steps(&visit));
                next.extend(self.branches(&visit).into_iter().map(|(_, next)| next));
            }
            if next.is_empty() {
                break;
            }
            level = next;
        }
        Subgraph {
            roots: roots.iter().map(|root| root.project).collect(),
            projects,
            relations: picked
                .into_iter()
                .map(|index| &self.relations[index])
                .collect(),
        }
    }
}
