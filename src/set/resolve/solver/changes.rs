//! What a choice changes in the set: the projects that leave it, and the changes that need others.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ExtraName, ProjectName};
use pubgrub::VersionSet as _;

use super::candidate::{Candidate, Demand};
use super::package::ProjectId;
use super::platform_set::PlatformSet;
use super::positions::Position;
use super::search::Chosen;
use super::universe::Universe;
use crate::foundation::failure::Failure;
use crate::set::graph::Relation;

/// For each project that changes, the others without whose change the set would not hold.
pub(super) type NeededChanges = BTreeMap<ProjectName, BTreeSet<ProjectName>>;

/// The changes that a choice makes.
pub(super) struct Changes<'a, 'u, 'r> {
    universe: &'a Universe<'u, 'r>,
    /// The projects that are declared anew.
    changed: BTreeMap<ProjectName, Changed<'a>>,
    /// The automatic projects that nothing needs any more.
    pub(super) leaving: BTreeSet<ProjectName>,
}

/// A project that is declared anew.
struct Changed<'a> {
    id: ProjectId,
    position: Position,
    extras: &'a BTreeSet<ExtraName>,
    demands: Vec<Demand>,
}

impl<'a, 'u, 'r> Changes<'a, 'u, 'r> {
    pub(super) fn new(universe: &'a Universe<'u, 'r>, chosen: &'a Chosen) -> Result<Self, Failure> {
        let mut changed = BTreeMap::new();
        for (id, (position, extras)) in chosen {
            let project = universe.project(*id);
            let Candidate::Offered(offered) = &project.candidates[*position as usize] else {
                continue;
            };
            let Ok(needs) = universe.needs(&project.name, offered)? else {
                continue;
            };
            // Also what an addition without dependencies leaves open.
            let of_extras = extras.iter().filter_map(|extra| needs.by_extra.get(extra));
            let stated = needs.plain.iter().chain(of_extras.flatten());
            let demands = stated
                .filter(|need| need.requirement.name != project.name)
                .map(|need| Demand::new(&need.requirement, need.platforms))
                .collect();
            let change = Changed {
                id: *id,
                position: *position,
                extras,
                demands,
            };
            changed.insert(project.name.clone(), change);
        }
        let mut all = Self {
            universe,
            changed,
            leaving: BTreeSet::new(),
        };
        all.leaving = all.unneeded();
        Ok(all)
    }

    /// The projects that a declared project requires.
    fn required_before(&self, name: &ProjectName) -> impl Iterator<Item = &'r ProjectName> {
        let relations = self.universe.graph.relations().of(name).iter();
        relations
            .filter(|relation| !relation.is_own())
            .map(Relation::to)
    }

    /// The projects that a project requires after the changes.
    fn required_after(&self, name: &ProjectName) -> BTreeSet<ProjectName> {
        match self.changed.get(name) {
            Some(changed) => changed.demands.iter().map(|one| one.on.clone()).collect(),
            None => self.required_before(name).cloned().collect(),
        }
    }

    /// The automatic projects that nothing needs any more. While a declaration cannot be read, its
    /// needs are unknown, so there are none.
    fn unneeded(&self) -> BTreeSet<ProjectName> {
        let repository = self.universe.graph.repository;
        if !repository.unreadable.is_empty() {
            return BTreeSet::new();
        }
        let before = self.universe.graph.reachable();
        // What nothing needs already stays, unless it may move.
        let stays =
            |name: &ProjectName| self.universe.movement(name).stays() && !before.contains(name);
        let declared = repository.declarations.values();
        let roots = declared.filter(|one| !one.automatic || stays(&one.project));
        let roots = roots.map(|declaration| &declaration.project);
        let mut open: Vec<ProjectName> = roots
            .chain(self.universe.policy.asked.keys())
            .cloned()
            .collect();
        let mut needed: BTreeSet<ProjectName> = open.iter().cloned().collect();
        while let Some(name) = open.pop() {
            for required in self.required_after(&name) {
                if needed.insert(required.clone()) {
                    open.push(required);
                }
            }
        }
        let names = repository.declarations.keys();
        names
            .filter(|name| !needed.contains(*name))
            .cloned()
            .collect()
    }

    /// The changes that each change needs, so that every requirement holds.
    ///
    /// A requirement is between two projects, so the changes of a part of the projects hold
    /// together if and only if each is there that another one of them needs.
    pub(super) fn needed(&self) -> Result<NeededChanges, Failure> {
        let mut needed = NeededChanges::new();
        for name in self.changed.keys().chain(&self.leaving) {
            needed.insert(name.clone(), BTreeSet::new());
        }
        let mut add = |of: &ProjectName, other: &ProjectName| {
            needed.entry(of.clone()).or_default().insert(other.clone());
        };
        for (name, changed) in &self.changed {
            for demand in &changed.demands {
                if self.changed.contains_key(&demand.on) && !self.held_before(demand)? {
                    add(name, &demand.on);
                }
            }
        }
        let declared = self.changed.keys().filter(|name| self.is_declared(name));
        for name in declared.chain(&self.leaving) {
            for relation in self.universe.graph.relations().of(name) {
                let to = relation.to();
                if relation.is_own() {
                    continue;
                }
                if self.leaving.contains(to) {
                    add(to, name);
                } else if relation.unsatisfied.is_none() && self.is_declared(to) {
                    for statement in &relation.statements {
                        let platforms = PlatformSet::from(&statement.platforms);
                        let demand = Demand::new(&statement.requirement.value, platforms);
                        if !self.holds_after(&demand) {
                            add(to, name);
                        }
                    }
                }
            }
        }
        Ok(needed)
    }

    fn is_declared(&self, name: &ProjectName) -> bool {
        let declarations = &self.universe.graph.repository.declarations;
        declarations.contains_key(name)
    }

    /// Whether the set satisfies a demand as it is declared.
    fn held_before(&self, demand: &Demand) -> Result<bool, Failure> {
        let universe = self.universe;
        let Some(declaration) = universe.graph.repository.declarations.get(&demand.on) else {
            return Ok(false);
        };
        let project = universe.project(universe.id(&demand.on)?);
        let candidates = (0..).zip(&project.candidates);
        let mut declared = candidates
            .filter(|(_, candidate)| matches!(candidate, Candidate::Declared(_)))
            .map(|(position, _)| position);
        let accepted = universe.accepted(&project, demand);
        Ok(declared.any(|position| accepted.contains(&position))
            && demand.extras.is_subset(&declaration.extras()))
    }

    /// Whether the changed set satisfies a demand on a project that stays in it.
    fn holds_after(&self, demand: &Demand) -> bool {
        let Some(changed) = self.changed.get(&demand.on) else {
            return true;
        };
        let project = self.universe.project(changed.id);
        let accepted = self.universe.accepted(&project, demand);
        accepted.contains(&changed.position) && demand.extras.is_subset(changed.extras)
    }
}
