//! The search for a set of versions: projects and their extras as packages of `PubGrub`.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{Constraint, ExtraName, ProjectName};
use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, PackageResolutionStatistics,
    PubGrubError, VersionSet,
};

use super::candidate::{Candidate, Demand, Project, Reason};
use super::package::{Package, ProjectId};
use super::policy::Movement;
use super::positions::{Position, Positions};
use super::universe::Universe;
use crate::foundation::failure::Failure;

/// The maximum number of steps of one search, besides those for its projects. A search learns from
/// each conflict, and what it has learned makes each further step slower.
const LONGEST_SEARCH: u64 = 20_000;
/// The number of further steps for each project. Without conflicts, a project takes one, and each
/// of its extras another.
const STEPS_PER_PROJECT: u64 = 10;

/// The reason why a search stops early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The index cannot be asked.
    #[error(transparent)]
    Failed(Failure),
    /// Something new is known, and another attempt is needed.
    #[error("something new is known")]
    Restart,
    /// The limit of steps is reached.
    #[error("the limit of steps is reached")]
    Steps,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The chosen candidate of each project, with its required extras.
pub(super) type Chosen = BTreeMap<ProjectId, (Position, BTreeSet<ExtraName>)>;

/// The end of a search.
pub(super) enum Found {
    /// A set that holds together.
    Solution(Chosen),
    /// There is none, for these reasons; fewer may suffice.
    Conflict(BTreeSet<Reason>),
}

/// One search in a universe.
pub(super) struct Search<'s, 'u, 'r> {
    universe: &'s Universe<'u, 'r>,
    /// The number of steps that are left, for all searches together.
    steps: &'s Cell<u64>,
    /// The number of steps of this search.
    own_steps: Cell<u64>,
    /// The projects whose pre-releases were passed over.
    without_prereleases: RefCell<BTreeSet<ProjectName>>,
}

impl<'s, 'u, 'r> Search<'s, 'u, 'r> {
    pub(super) fn new(universe: &'s Universe<'u, 'r>, steps: &'s Cell<u64>) -> Self {
        Self {
            universe,
            steps,
            own_steps: Cell::new(0),
            without_prereleases: RefCell::default(),
        }
    }

    /// Searches for a set of versions.
    pub(super) fn run(&self) -> Result<Found, Stop> {
        let solution = match pubgrub::resolve(self, Package::Root, 0_u32) {
            Ok(solution) => solution,
            Err(PubGrubError::NoSolution(tree)) => {
                return Ok(Found::Conflict(super::conflict::reasons(
                    self.universe,
                    &tree,
                )));
            }
            Err(
                PubGrubError::ErrorChoosingVersion { source, .. }
                | PubGrubError::ErrorRetrievingDependencies { source, .. }
                | PubGrubError::ErrorInShouldCancel(source),
            ) => return Err(source),
        };
        let mut chosen = Chosen::new();
        for (package, position) in solution {
            match package {
                Package::Root => {}
                Package::Project(id) => chosen.entry(id).or_default().0 = position,
                Package::Extra(id, extra) => {
                    let (at, extras) = chosen.entry(id).or_default();
                    *at = position;
                    extras.insert(extra);
                }
            }
        }
        Ok(Found::Solution(chosen))
    }

    /// The demands of the caller and of the set.
    pub(super) fn root_demands(
        universe: &Universe<'_, '_>,
    ) -> Result<Vec<(Reason, Demand)>, Failure> {
        let mut demands = Vec::new();
        let asked = &universe.policy.asked;
        universe.offers.announce(asked.keys());
        for (name, asked) in asked {
            demands.extend(asked.wishes().into_iter().map(|wish| {
                let demand = Demand {
                    on: name.clone(),
                    extras: asked.extras.clone(),
                    constraint: Constraint::Specifiers(wish.specifiers),
                    platforms: asked.platforms.intersection(universe.offers.offered(name)),
                    tolerates_declared: false,
                    place: Some(wish.place),
                };
                (Reason::Asked(name.clone()), demand)
            }));
        }
        let wanted = universe.wanted();
        universe.offers.announce(wanted.keys());
        for (name, demand) in wanted {
            if !asked.contains_key(&name) {
                demands.push((Reason::Wanted(name), demand));
            }
        }
        // An automatic project that may move stays where a declaration needs it that does not.
        let declarations = universe.graph.repository.declarations.values();
        let automatic = declarations.filter(|declaration| {
            let name = &declaration.project;
            declaration.automatic && !asked.contains_key(name) && !universe.movement(name).stays()
        });
        let automatic: Vec<&ProjectName> = automatic.map(|one| &one.project).collect();
        universe.offers.announce(automatic.iter().copied());
        for name in automatic {
            let id = universe.id(name)?;
            if universe.project(id).is_held {
                let demand = Demand::anything(name);
                demands.push((Reason::Wanted(name.clone()), demand));
            }
        }
        Ok(demands)
    }

    /// Turns demands into dependencies; `None` if a candidate contradicts itself.
    fn dependencies(
        &self,
        own: Option<(ProjectId, Position)>,
        demands: Vec<(Reason, Demand)>,
    ) -> Result<Option<BTreeMap<PackageKey, Positions>>, Stop> {
        let universe = self.universe;
        universe
            .offers
            .announce(demands.iter().filter_map(|(reason, demand)| {
                let is_asked = universe.counts(reason) && universe.asks_index(&demand.on);
                is_asked.then_some(&demand.on)
            }));
        let mut dependencies: BTreeMap<PackageKey, Positions> = BTreeMap::new();
        for (reason, demand) in demands {
            let target = universe.id(&demand.on)?;
            let project = universe.project(target);
            let is_own = own.is_some_and(|(id, _)| id == target);
            if !is_own && !universe.counts(&reason) {
                continue;
            }
            self.note_prereleases(&demand)?;
            self.grow(&project, &demand)?;
            let accepted = universe.accepted(&project, &demand);
            let accepted = accepted.intersection(&project.base);
            if let Some(first) = self.preferences(&project, &accepted).first() {
                universe.announce_needs(&project, *first);
            }
            let accepted = match own {
                Some((id, position)) if id == target => {
                    if !accepted.contains(&position) {
                        return Ok(None);
                    }
                    Positions::singleton(position)
                }
                _ => accepted,
            };
            let extras = demand.extras.into_iter();
            let packages = extras.map(|extra| PackageKey(target, Some(extra)));
            let base = (!is_own).then_some(PackageKey(target, None));
            for package in packages.chain(base) {
                dependencies
                    .entry(package)
                    .and_modify(|before| *before = before.intersection(&accepted))
                    .or_insert_with(|| accepted.clone());
            }
        }
        Ok(Some(dependencies))
    }

    /// A requirement that names a pre-release permits those of its project.
    fn note_prereleases(&self, demand: &Demand) -> Result<(), Stop> {
        if !demand.names_prerelease() {
            return Ok(());
        }
        let mut knowledge = self.universe.knowledge.borrow_mut();
        let is_new = !knowledge.finals_only.contains(&demand.on)
            && knowledge.prereleases.insert(demand.on.clone());
        if is_new && self.without_prereleases.borrow().contains(&demand.on) {
            return Err(Stop::Restart);
        }
        Ok(())
    }

    /// A project that stays may need more wheels or extras of its version.
    fn grow(&self, project: &Project<'r>, demand: &Demand) -> Result<(), Stop> {
        let (Movement::Fixed, Some(Candidate::Declared(declaration))) =
            (project.movement, project.candidates.first())
        else {
            return Ok(());
        };
        let Constraint::Specifiers(specifiers) = &demand.constraint else {
            return Ok(());
        };
        let mut wheels = declaration.wheels.iter();
        let fits = wheels.all(|wheel| {
            ipwhl_packaging::specifiers_contain(specifiers, wheel.file_name.version())
        });
        let may_grow = self.universe.may_be_replaced(declaration);
        if !fits || !may_grow || demand.tolerates_declared {
            return Ok(());
        }
        let lacks_platform = self.universe.accepted(project, demand).is_empty();
        let mut lacks_extra = false;
        for extra in &demand.extras {
            lacks_extra |= !self.universe.has_extra(project, 0, extra)?;
        }
        if lacks_platform || lacks_extra {
            let mut knowledge = self.universe.knowledge.borrow_mut();
            knowledge.growing.insert(project.name.clone());
            return Err(Stop::Restart);
        }
        Ok(())
    }

    /// Whether a pre-release of a project may be chosen.
    fn permits_prereleases(&self, project: &ProjectName) -> bool {
        let knowledge = self.universe.knowledge.borrow();
        knowledge.prereleases.contains(project)
    }

    /// The candidates of a project in the order of preference.
    pub(super) fn preferences(&self, project: &Project<'r>, among: &Positions) -> Vec<Position> {
        let policy = self.universe.policy;
        let end = project.candidates.len();
        let version = |position: Position| project.candidates[position as usize].version();
        let is_declared = |position: Position| {
            matches!(
                project.candidates[position as usize],
                Candidate::Declared(_)
            )
        };
        let asked = policy.asked.get(&project.name);
        let asks_for_prerelease = asked.is_some_and(|asked| {
            let mut wishes = asked.wishes.iter();
            wishes.any(|wish| wish.specifiers.name_a_prerelease())
        });
        let permits_prereleases = self.permits_prereleases(&project.name);
        let mut order: Vec<Position> = among
            .intersection(&project.base)
            .descending(end)
            .filter(|position| {
                is_declared(*position)
                    || !version(*position).any_prerelease()
                    || permits_prereleases
            })
            .collect();
        let declared = project
            .candidates
            .iter()
            .find(|candidate| matches!(candidate, Candidate::Declared(_)))
            .filter(|_| !policy.wants_newest(&project.name))
            .map(Candidate::version);
        let preferred = policy.preferred.get(&project.name).or(declared);
        // A stable sort: the newest come first otherwise.
        order.sort_by_key(|position| {
            let version = version(*position);
            let is_unusual =
                version.any_prerelease() && !asks_for_prerelease && !is_declared(*position);
            // A project that grows does so because something needs it; whether that is still so is
            // decided after the search.
            let is_too_small = project.movement == Movement::Grows && is_declared(*position);
            (Some(version) != preferred, is_too_small, is_unusual)
        });
        order
    }
}

/// A package as a key of an ordered map, so that the order of dependencies is always the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct PackageKey(ProjectId, Option<ExtraName>);

impl From<PackageKey> for Package {
    fn from(PackageKey(id, extra): PackageKey) -> Self {
        match extra {
            None => Self::Project(id),
            Some(extra) => Self::Extra(id, extra),
        }
    }
}

impl DependencyProvider for Search<'_, '_, '_> {
    type P = Package;
    type V = Position;
    type VS = Positions;
    type M = String;
    type Err = Stop;
    type Priority = (u8, bool, u32, Reverse<usize>);

    fn prioritize(
        &self,
        package: &Package,
        range: &Positions,
        statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let (id, kind) = match package {
            Package::Root => return (u8::MAX, true, 0, Reverse(0)),
            Package::Project(id) => (*id, 1),
            Package::Extra(id, _) => (*id, 0),
        };
        let project = self.universe.project(id);
        let left = range
            .intersection(&project.base)
            .count(project.candidates.len());
        let is_certain = left <= 1;
        let is_asked = self.universe.policy.asked.contains_key(&project.name)
            || self.universe.is_wanted(&project.name);
        let conflicts = statistics.conflict_count();
        // Conflicts count in steps, so that the order of decisions does not change all the time.
        let conflicts = conflicts.checked_ilog2().unwrap_or_default();
        let class = if is_certain { 3 } else { kind };
        (class, is_asked, conflicts, Reverse(left))
    }

    fn choose_version(
        &self,
        package: &Package,
        range: &Positions,
    ) -> Result<Option<Position>, Stop> {
        let (Package::Project(id) | Package::Extra(id, _)) = package else {
            return Ok(Some(0));
        };
        let project = self.universe.project(*id);
        let chosen = self.preferences(&project, range).first().copied();
        if !self.permits_prereleases(&project.name) {
            let mut passed = self.without_prereleases.borrow_mut();
            passed.insert(project.name.clone());
        }
        Ok(chosen)
    }

    fn get_dependencies(
        &self,
        package: &Package,
        position: &Position,
    ) -> Result<Dependencies<Package, Positions, String>, Stop> {
        let universe = self.universe;
        let (id, extra) = match package {
            Package::Root => {
                let demands = Search::root_demands(universe)?;
                let demands = self.dependencies(None, demands)?;
                return Ok(available(demands.unwrap_or_default()));
            }
            Package::Project(id) => (*id, None),
            Package::Extra(id, extra) => (*id, Some(extra)),
        };
        let project = universe.project(id);
        if let Some(extra) = extra
            && !universe.has_extra(&project, *position, extra)?
        {
            return Ok(Dependencies::Unavailable(format!("no extra {extra}")));
        }
        let demands = universe.demands(&project, *position, extra)?;
        if universe.is_outdated.get() {
            return Err(Stop::Restart);
        }
        let demands = match demands {
            Ok(demands) => demands,
            Err(unfit) => return Ok(Dependencies::Unavailable(unfit.to_string())),
        };
        let demands = demands.into_iter().map(|demand| {
            let reason = Reason::Requires(project.name.clone(), demand.on.clone());
            (reason, demand)
        });
        let demands = demands.collect();
        let Some(mut dependencies) = self.dependencies(Some((id, *position)), demands)? else {
            return Ok(Dependencies::Unavailable("it excludes itself".to_owned()));
        };
        let only_this = Positions::singleton(*position);
        if extra.is_some() {
            dependencies.insert(PackageKey(id, None), only_this);
        } else if matches!(
            project.candidates[*position as usize],
            Candidate::Offered(_)
        ) {
            for extra in &project.fixed_extras {
                dependencies.insert(PackageKey(id, Some(extra.clone())), only_this.clone());
            }
        }
        Ok(available(dependencies))
    }

    fn should_cancel(&self) -> Result<(), Stop> {
        let limit = LONGEST_SEARCH + STEPS_PER_PROJECT * self.universe.number_of_projects();
        if self.own_steps.get() >= limit {
            return Err(Stop::Steps);
        }
        self.own_steps.update(|steps| steps + 1);
        let left = self.steps.get().checked_sub(1).ok_or(Stop::Steps)?;
        self.steps.set(left);
        Ok(())
    }
}

fn available(
    dependencies: BTreeMap<PackageKey, Positions>,
) -> Dependencies<Package, Positions, String> {
    let each = dependencies.into_iter();
    let each = each.map(|(package, positions)| (package.into(), positions));
    Dependencies::Available(each.collect::<DependencyConstraints<_, _>>())
}
