//! The extras, versions and platforms that a project needs to satisfy all its requirers.

use std::collections::BTreeSet;

use ipwhl_packaging::{Constraint, ExtraName, ProjectName};

use super::demand::Demand;
use super::{Graph, ProjectNeed, Relation, UnsatisfiedReason};

impl Graph<'_> {
    /// The projects that must be added or changed to satisfy every requirement, by name. Direct
    /// references are left out: no declaration satisfies them.
    pub fn unsatisfied_needs(&self) -> Vec<ProjectNeed> {
        let names: BTreeSet<&ProjectName> = self
            .relations
            .iter()
            .filter(|relation| {
                let reason = relation.unsatisfied.as_ref();
                reason.is_some_and(|reason| *reason != UnsatisfiedReason::DirectReference)
            })
            .map(Relation::to)
            .collect();
        names.into_iter().map(|name| self.needed(name)).collect()
    }

    /// The need of a project in the whole set.
    pub fn needed(&self, project: &ProjectName) -> ProjectNeed {
        match self.demand(project) {
            Some(demand) => demand.need.clone(),
            None => self.collect(project),
        }
    }

    /// The need of a required project in the whole set. Cached, because each finding about it uses
    /// it.
    pub(in crate::set) fn demand(&self, project: &ProjectName) -> Option<&Demand> {
        let known = self.demands.get(project)?;
        Some(known.get_or_init(|| {
            let need = self.collect(project);
            let all = need.constraints.iter();
            let specifiers: BTreeSet<String> = all
                .flat_map(|(_, specifiers)| specifiers.clauses())
                .collect();
            let specifiers: Vec<String> = specifiers.into_iter().collect();
            Demand {
                need,
                specifiers: specifiers.join(","),
            }
        }))
    }

    fn collect(&self, project: &ProjectName) -> ProjectNeed {
        let mut need = ProjectNeed {
            project: project.clone(),
            extras: BTreeSet::new(),
            by: BTreeSet::new(),
            constraints: Vec::new(),
            platforms: BTreeSet::new(),
        };
        let mut known: BTreeSet<(&ProjectName, String)> = BTreeSet::new();
        for (relation, statement) in self.relations.statements_naming(project) {
            let requirement = &statement.requirement.value;
            need.extras.extend(requirement.extras.iter().cloned());
            if relation.is_own() {
                continue;
            }
            let by = &relation.from.project;
            need.by.insert(by.clone());
            need.platforms.extend(&statement.platforms);
            if let Constraint::Specifiers(specifiers) = &requirement.constraint
                && !specifiers.is_empty()
                && known.insert((by, specifiers.to_string()))
            {
                need.constraints.push((by.clone(), specifiers.clone()));
            }
        }
        need
    }

    /// The extras that the set requires of a project and that some wheel of it does not declare.
    pub fn lacking_extras(&self, project: &ProjectName) -> BTreeSet<ExtraName> {
        let mut extras = self.needed(project).extras;
        if let Some(declaration) = self.repository.declarations.get(project) {
            let wheels = &declaration.wheels;
            extras.retain(|extra| !wheels.iter().all(|wheel| wheel.has_extra(extra)));
        }
        extras
    }
}
