//! After a search: each project is raised as far as it goes while the others stay.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ExtraName, ProjectName};
use pubgrub::VersionSet as _;

use super::candidate::{Candidate, Demand, Project, Reason};
use super::package::ProjectId;
use super::policy::{Movement, Origin};
use super::positions::Position;
use super::search::{Chosen, Search, Stop};
use super::universe::Universe;
use crate::foundation::failure::Failure;

/// Raises projects, those first that the caller asks for, until none can be raised alone. Then
/// leaves out what is no longer needed.
pub(super) fn polish<'r>(
    universe: &Universe<'_, 'r>,
    search: &Search<'_, '_, 'r>,
    mut chosen: Chosen,
) -> Result<Chosen, Stop> {
    let roots = Search::root_demands(universe)?;
    loop {
        let mut order: Vec<ProjectId> = chosen.keys().copied().collect();
        order.sort_by_cached_key(|id| {
            let name = universe.project(*id).name.clone();
            let is_asked = universe.policy.asked.contains_key(&name);
            (!is_asked, !universe.is_wanted(&name), name)
        });
        let mut demands = Demands::new(universe, &roots, &chosen)?;
        let mut has_changed = false;
        for id in order {
            let better = raised(universe, search, &chosen, &demands, id)?;
            if let (Some(better), Some((position, extras))) = (better, chosen.get_mut(&id)) {
                *position = better;
                demands.replace(universe, id, (better, extras))?;
                has_changed = true;
            }
        }
        let needed = needed(universe, &chosen, &roots)?;
        has_changed |= needed != chosen;
        chosen = needed;
        if !has_changed {
            break;
        }
    }
    keep_declared(universe, &roots, &mut chosen)?;
    Ok(chosen)
}

/// A project that was to grow stays as it is declared if that is enough after all.
fn keep_declared(
    universe: &Universe<'_, '_>,
    roots: &[(Reason, Demand)],
    chosen: &mut Chosen,
) -> Result<(), Stop> {
    let demands = Demands::new(universe, roots, chosen)?;
    for (id, (position, extras)) in chosen {
        let project = universe.project(*id);
        if project.movement != Movement::Grows {
            continue;
        }
        let declared = (0..)
            .zip(&project.candidates)
            .find(|(_, candidate)| matches!(candidate, Candidate::Declared(_)));
        let Some((declared, _)) = declared else {
            continue;
        };
        let mut is_enough = project.base.contains(&declared);
        for (from, demand) in demands.about.get(&project.name).into_iter().flatten() {
            is_enough &=
                *from == Some(*id) || universe.accepted(&project, demand).contains(&declared);
        }
        for extra in extras.iter() {
            is_enough &= universe.has_extra(&project, declared, extra)?;
        }
        if is_enough {
            *position = declared;
        }
    }
    Ok(())
}

/// The demands of a choice, by the project that they are about.
pub(super) struct Demands {
    /// The roots have no number.
    about: BTreeMap<ProjectName, Vec<(Option<ProjectId>, Demand)>>,
    of: BTreeMap<ProjectId, Vec<Demand>>,
}

impl Demands {
    pub(super) fn new(
        universe: &Universe<'_, '_>,
        roots: &[(Reason, Demand)],
        chosen: &Chosen,
    ) -> Result<Self, Stop> {
        let mut demands = Self {
            about: BTreeMap::new(),
            of: BTreeMap::new(),
        };
        for (_, demand) in roots {
            let about = demands.about.entry(demand.on.clone()).or_default();
            about.push((None, demand.clone()));
        }
        for (id, (position, extras)) in chosen {
            demands.replace(universe, *id, (*position, extras))?;
        }
        Ok(demands)
    }

    /// The demands on one project, those of other projects first.
    pub(super) fn on(
        &self,
        universe: &Universe<'_, '_>,
        project: &ProjectName,
    ) -> Vec<(Origin, Demand)> {
        let about = self.about.get(project).into_iter().flatten();
        let mut demands: Vec<(Origin, Demand)> = Vec::new();
        let mut of_caller = Vec::new();
        for (from, demand) in about {
            match from.map(|from| universe.project(from).name.clone()) {
                Some(from) if from == *project => {}
                Some(from) => demands.push((Origin::Project(from), demand.clone())),
                None => of_caller.push((demand.caller(), demand.clone())),
            }
        }
        demands.extend(universe.held_demands(project));
        demands.extend(of_caller);
        demands
    }

    /// Replaces the demands of a project by those of another candidate.
    fn replace(
        &mut self,
        universe: &Universe<'_, '_>,
        id: ProjectId,
        (position, extras): (Position, &BTreeSet<ExtraName>),
    ) -> Result<(), Stop> {
        for before in self.of.remove(&id).unwrap_or_default() {
            if let Some(about) = self.about.get_mut(&before.on) {
                about.retain(|(from, _)| *from != Some(id));
            }
        }
        let now = all_demands(universe, id, position, extras)?.unwrap_or_default();
        for demand in &now {
            let about = self.about.entry(demand.on.clone()).or_default();
            about.push((Some(id), demand.clone()));
        }
        self.of.insert(id, now);
        Ok(())
    }
}

/// A better candidate of a project that fits all others as they are.
fn raised<'r>(
    universe: &Universe<'_, 'r>,
    search: &Search<'_, '_, 'r>,
    chosen: &Chosen,
    demands: &Demands,
    id: ProjectId,
) -> Result<Option<Position>, Stop> {
    let project = universe.project(id);
    let now = chosen[&id].0;
    let best = search.preferences(&project, &project.base);
    if best.first() == Some(&now) {
        return Ok(None);
    }
    let mut allowed = project.base.clone();
    let mut extras: BTreeSet<ExtraName> = BTreeSet::new();
    for (from, demand) in demands.about.get(&project.name).into_iter().flatten() {
        if *from != Some(id) {
            allowed = allowed.intersection(&universe.accepted(&project, demand));
            extras.extend(demand.extras.iter().cloned());
        }
    }
    let better = best.into_iter().take_while(|position| *position != now);
    for position in better.filter(|position| allowed.contains(position)) {
        if fits(universe, chosen, id, position, &extras)? {
            return Ok(Some(position));
        }
    }
    Ok(None)
}

/// Whether the requirements of a candidate are met by the others as they are.
fn fits(
    universe: &Universe<'_, '_>,
    chosen: &Chosen,
    id: ProjectId,
    position: Position,
    extras: &BTreeSet<ExtraName>,
) -> Result<bool, Failure> {
    let mut extras = extras.clone();
    extras.extend(universe.project(id).fixed_extras.iter().cloned());
    match all_demands(universe, id, position, &extras)? {
        Some(demands) => Ok(first_unmet(universe, chosen, (id, position), &demands)?.is_none()),
        None => Ok(false),
    }
}

/// The first requirement of a candidate that the others do not meet as they are.
pub(super) fn unmet(
    universe: &Universe<'_, '_>,
    chosen: &Chosen,
    id: ProjectId,
    position: Position,
) -> Result<Option<Demand>, Failure> {
    let extras = chosen
        .get(&id)
        .map_or_else(BTreeSet::new, |(_, extras)| extras.clone());
    let Some(mut demands) = all_demands(universe, id, position, &extras)? else {
        return Ok(None);
    };
    // What is not in the set could be added, if the index has it.
    let mut possible = Vec::new();
    for demand in demands.drain(..) {
        let target = universe.id(&demand.on)?;
        let project = universe.project(target);
        let is_new = target != id && !chosen.contains_key(&target) && !project.movement.stays();
        let could_be_added = is_new && !universe.accepted(&project, &demand).is_empty();
        let is_apart = target != id && !chosen.contains_key(&target) && project.movement.stays();
        let is_met = is_apart && declared_meets(universe, &project, &demand)?;
        if !could_be_added && !is_met {
            possible.push(demand);
        }
    }
    first_unmet(universe, chosen, (id, position), &possible)
}

/// Whether a project that stays meets a demand as it is declared.
fn declared_meets<'r>(
    universe: &Universe<'_, 'r>,
    project: &Project<'r>,
    demand: &Demand,
) -> Result<bool, Failure> {
    let accepted = universe.accepted(project, demand);
    for (position, candidate) in (0..).zip(&project.candidates) {
        let Candidate::Declared(_) = candidate else {
            continue;
        };
        let mut has_extras = true;
        for extra in &demand.extras {
            has_extras &= universe.has_extra(project, position, extra)?;
        }
        if has_extras && accepted.contains(&position) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn first_unmet(
    universe: &Universe<'_, '_>,
    chosen: &Chosen,
    (id, position): (ProjectId, Position),
    demands: &[Demand],
) -> Result<Option<Demand>, Failure> {
    for demand in demands {
        let target = universe.id(&demand.on)?;
        let at = if target == id {
            Some(position)
        } else {
            let there = chosen.get(&target);
            let there = there.filter(|(_, used)| demand.extras.is_subset(used));
            there.map(|(at, _)| *at)
        };
        let project = universe.project(target);
        let accepted = universe.accepted(&project, demand);
        if !at.is_some_and(|at| accepted.contains(&at)) {
            return Ok(Some(demand.clone()));
        }
    }
    Ok(None)
}

/// The demands of a candidate with these extras and those of its own that they need; `None` if it
/// cannot be declared with them.
pub(super) fn all_demands(
    universe: &Universe<'_, '_>,
    id: ProjectId,
    position: Position,
    extras: &BTreeSet<ExtraName>,
) -> Result<Option<Vec<Demand>>, Failure> {
    let project = universe.project(id);
    let Ok(mut demands) = universe.demands(&project, position, None)? else {
        return Ok(None);
    };
    let mut open: Vec<ExtraName> = extras.iter().cloned().collect();
    let own = |demands: &[Demand]| -> Vec<ExtraName> {
        let own = demands.iter().filter(|demand| demand.on == project.name);
        own.flat_map(|demand| demand.extras.iter().cloned())
            .collect()
    };
    open.extend(own(&demands));
    let mut known = BTreeSet::new();
    while let Some(extra) = open.pop() {
        if !known.insert(extra.clone()) {
            continue;
        }
        if !universe.has_extra(&project, position, &extra)? {
            return Ok(None);
        }
        let Ok(more) = universe.demands(&project, position, Some(&extra))? else {
            return Ok(None);
        };
        open.extend(own(&more));
        demands.extend(more);
    }
    Ok(Some(demands))
}

/// The chosen projects that are asked for, or needed by others, with the extras that are needed.
fn needed(
    universe: &Universe<'_, '_>,
    chosen: &Chosen,
    roots: &[(Reason, Demand)],
) -> Result<Chosen, Stop> {
    let mut needed: BTreeMap<ProjectId, (Position, BTreeSet<ExtraName>)> = BTreeMap::new();
    let mut open: Vec<(ProjectId, Option<ExtraName>)> = Vec::new();
    let ask = |demand: &Demand, open: &mut Vec<(ProjectId, Option<ExtraName>)>| {
        let id = universe.id(&demand.on)?;
        open.push((id, None));
        open.extend(demand.extras.iter().map(|extra| (id, Some(extra.clone()))));
        Ok::<(), Stop>(())
    };
    for (_, demand) in roots {
        ask(demand, &mut open)?;
    }
    while let Some((id, extra)) = open.pop() {
        let Some((position, _)) = chosen.get(&id) else {
            continue;
        };
        let project = universe.project(id);
        match (needed.get_mut(&id), &extra) {
            (Some(_), None) => continue,
            (None, None) => {
                needed.insert(id, (*position, BTreeSet::new()));
                if matches!(
                    project.candidates[*position as usize],
                    Candidate::Offered(_)
                ) {
                    let extras = project.fixed_extras.iter().cloned();
                    open.extend(extras.map(|extra| (id, Some(extra))));
                }
            }
            (Some((_, extras)), Some(extra)) => {
                if !extras.insert(extra.clone()) {
                    continue;
                }
            }
            (None, Some(_)) => {
                // First the project itself.
                open.push((id, extra));
                open.push((id, None));
                continue;
            }
        }
        let demands = universe.demands(&project, *position, extra.as_ref())?;
        for demand in demands.unwrap_or_default() {
            ask(&demand, &mut open)?;
        }
    }
    Ok(needed)
}
