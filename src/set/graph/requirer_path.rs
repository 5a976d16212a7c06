//! The shortest path to a requirement from a wanted project, which explains why it is in the set.

use std::collections::BTreeSet;

use ipwhl_packaging::{ExtraName, ProjectName, Requirement};

use super::{Graph, Relation, Statement};
use crate::set::declaration::Declaration;

/// The maximum number of projects that the search visits.
const MAXIMUM_STEPS: usize = 200;

/// A path from a wanted project to one that states a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirerPath<'r> {
    /// The wanted project.
    pub requested: &'r ProjectName,
    /// Its requirement, the requirement of the required project, and so on; never empty.
    pub requirements: Vec<&'r Requirement>,
}

impl<'r> Graph<'r> {
    /// The shortest path from a wanted project to the one with this relation, on one of these
    /// platforms. `None` if a wanted project has the relation itself, if no path leads there, or if
    /// the search exceeds its limit.
    pub fn requirer_path(
        &self,
        relation: &Relation<'r>,
        platforms: &BTreeSet<usize>,
    ) -> Option<RequirerPath<'r>> {
        if !relation.from.automatic {
            return None;
        }
        // An extra may be declared though no requirement names it: then any requirer of the project
        // counts.
        [true, false]
            .into_iter()
            .find_map(|asks_extra| self.shortest_path(relation, platforms, asks_extra))
    }

    /// The shortest path; with `asks_extra` only over requirements that name the extra that the
    /// next step needs.
    fn shortest_path(
        &self,
        relation: &Relation<'r>,
        platforms: &BTreeSet<usize>,
        asks_extra: bool,
    ) -> Option<RequirerPath<'r>> {
        let mut steps = vec![Step {
            declaration: relation.from,
            extra: relation.extra,
            platforms: platforms.clone(),
            onward: None,
        }];
        let mut seen = BTreeSet::from([(&relation.from.project, relation.extra)]);
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            if !step.declaration.automatic {
                let mut requirements = Vec::new();
                let mut onward = step.onward;
                while let Some((requirement, next)) = onward {
                    requirements.push(requirement);
                    onward = steps[next].onward;
                }
                return Some(RequirerPath {
                    requested: &step.declaration.project,
                    requirements,
                });
            }
            if at == MAXIMUM_STEPS {
                return None;
            }
            let callers = self.callers(step, asks_extra);
            for (caller, statement, platforms) in callers {
                if seen.insert((&caller.from.project, caller.extra)) {
                    steps.push(Step {
                        declaration: caller.from,
                        extra: caller.extra,
                        platforms,
                        onward: Some((&statement.requirement.value, at)),
                    });
                }
            }
            at += 1;
        }
        None
    }

    /// The requirers of the project of a step, each with the platforms on which they require it.
    fn callers(
        &self,
        step: &Step<'r>,
        asks_extra: bool,
    ) -> Vec<(&Relation<'r>, &Statement<'r>, BTreeSet<usize>)> {
        let mut callers: Vec<_> = self
            .relations
            .statements_naming(&step.declaration.project)
            .into_iter()
            .filter(|(caller, _)| {
                let asked = &caller.requirement.extras;
                !asks_extra || step.extra.is_none_or(|extra| asked.contains(extra))
            })
            .map(|(caller, statement)| (caller, statement, &statement.platforms & &step.platforms))
            .filter(|(_, _, shared)| !shared.is_empty())
            .collect();
        callers.sort_by_key(|(caller, statement, _)| {
            let project = &caller.from.project;
            (project, caller.extra, &statement.requirement.value)
        });
        callers
    }
}

/// A project on the path to a requirement, with the platforms on which it is needed.
struct Step<'r> {
    declaration: &'r Declaration,
    extra: Option<&'r ExtraName>,
    platforms: BTreeSet<usize>,
    /// Its requirement on this path, and the step that follows.
    onward: Option<(&'r Requirement, usize)>,
}
