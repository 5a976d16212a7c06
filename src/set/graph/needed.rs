//! What would satisfy all who need a project.

use std::collections::BTreeSet;

use ipwhl_packaging::{Constraint, ExtraName, ProjectName, VersionSpecifiers, specifiers_contain};

use super::{Graph, Need};

/// A project that the set needs otherwise than it is there, and what would satisfy all who need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The project.
    pub project: ProjectName,
    /// The extras that are asked of it.
    pub extras: BTreeSet<ExtraName>,
    /// The projects that require it, itself aside.
    pub by: BTreeSet<ProjectName>,
    /// The specifiers that its version has to satisfy, each with the project that states it.
    pub constraints: Vec<(ProjectName, VersionSpecifiers)>,
    /// The platforms on which it is needed, as indices into the repository's platforms.
    pub platforms: BTreeSet<usize>,
}

/// What the set needs of a project, and that in the words of a command.
pub(in crate::set) struct Demand {
    pub(in crate::set) unmet: Unmet,
    /// Each specifier that its version has to satisfy, once: `<2,>=1`.
    pub(in crate::set) specifiers: String,
}

impl Graph<'_> {
    /// The projects that have to be added or changed before every need is satisfied, by name.
    /// Direct references are left out: no declaration satisfies them.
    pub fn unmet(&self) -> Vec<Unmet> {
        let mut names: BTreeSet<&ProjectName> = BTreeSet::new();
        for need in &self.needs {
            if !self.is_met(need) {
                names.insert(&need.dependency.value.name);
            }
        }
        names.into_iter().map(|name| self.needed(name)).collect()
    }

    /// What the set as a whole needs of a project.
    pub fn needed(&self, project: &ProjectName) -> Unmet {
        match self.demand(project) {
            Some(demand) => demand.unmet.clone(),
            None => self.collect(project),
        }
    }

    /// What the set as a whole needs of a project that something requires: found out once, since each
    /// finding about it asks.
    pub(in crate::set) fn demand(&self, project: &ProjectName) -> Option<&Demand> {
        let known = self.demands.get(project)?;
        Some(known.get_or_init(|| {
            let unmet = self.collect(project);
            let all = unmet.constraints.iter();
            let specifiers: BTreeSet<String> = all
                .flat_map(|(_, specifiers)| specifiers.clauses())
                .collect();
            let specifiers: Vec<String> = specifiers.into_iter().collect();
            Demand {
                unmet,
                specifiers: specifiers.join(","),
            }
        }))
    }

    fn collect(&self, project: &ProjectName) -> Unmet {
        let mut unmet = Unmet {
            project: project.clone(),
            extras: BTreeSet::new(),
            by: BTreeSet::new(),
            constraints: Vec::new(),
            platforms: BTreeSet::new(),
        };
        let mut known: BTreeSet<(&ProjectName, String)> = BTreeSet::new();
        for need in self.needs_of(project) {
            let requirement = &need.dependency.value;
            unmet.extras.extend(requirement.extras.iter().cloned());
            if need.declaration.project == *project {
                continue;
            }
            unmet.by.insert(need.declaration.project.clone());
            unmet.platforms.extend(&need.platforms);
            if let Constraint::Specifiers(specifiers) = &requirement.constraint
                && !specifiers.is_empty()
            {
                let by = &need.declaration.project;
                if known.insert((by, specifiers.to_string())) {
                    unmet.constraints.push((by.clone(), specifiers.clone()));
                }
            }
        }
        unmet
    }

    /// The extras that the set asks of a project and that some wheel of it does not declare.
    pub fn lacking_extras(&self, project: &ProjectName) -> BTreeSet<ExtraName> {
        let mut extras = self.needed(project).extras;
        if let Some(declaration) = self.repository.declarations.get(project) {
            let wheels = &declaration.wheels;
            extras.retain(|extra| !wheels.iter().all(|wheel| wheel.has_extra(extra)));
        }
        extras
    }

    fn is_met(&self, need: &Need<'_>) -> bool {
        let requirement = &need.dependency.value;
        let Constraint::Specifiers(specifiers) = &requirement.constraint else {
            return true;
        };
        let Some(target) = self.repository.declarations.get(&requirement.name) else {
            return false;
        };
        let offers = self.offers(target);
        need.platforms.iter().all(|platform| {
            let offer = &offers[*platform];
            let versions = offer.versions.iter();
            let mut extras = requirement.extras.iter();
            !offer.wheels.is_empty()
                && versions
                    .map(|wheel| wheel.file_name.version())
                    .all(|version| specifiers_contain(specifiers, version))
                && extras.all(|extra| offer.extras.contains(extra))
        })
    }
}
