//! The candidates of each project under one policy: what may move, what is asked, what stays.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use ipwhl_packaging::{
    Constraint, ExtraName, ProjectName, Version, VersionSpecifiers, specifiers_contain,
};
use pubgrub::VersionSet as _;

use super::candidate::{Candidate, Demand, Project, Reason};
use super::offered::{Needs, OfferedVersion, Unfit};
use super::offers::Offers;
use super::package::ProjectId;
use super::passed::PassedOver;
use super::platform_set::PlatformSet;
use super::policy::{Knowledge, Movement, Origin, Policy, Step};
use super::positions::{Position, Positions};
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::graph::Graph;

/// The projects under one policy.
pub(super) struct Universe<'u, 'r> {
    pub(super) offers: &'u Offers<'u>,
    pub(super) graph: &'u Graph<'r>,
    pub(super) policy: &'u Policy,
    pub(super) knowledge: &'u RefCell<Knowledge>,
    /// If set, only these reasons count.
    pub(super) only: Option<BTreeSet<Reason>>,
    /// Whether metadata has said that some version covers fewer platforms than the index did. Then
    /// accepted candidates are no longer right, and another attempt is needed.
    pub(super) is_outdated: Cell<bool>,
    ids: RefCell<HashMap<ProjectName, ProjectId>>,
    projects: RefCell<Vec<Rc<Project<'r>>>>,
}

impl<'u, 'r> Universe<'u, 'r> {
    pub(super) fn new(
        offers: &'u Offers<'u>,
        graph: &'u Graph<'r>,
        policy: &'u Policy,
        knowledge: &'u RefCell<Knowledge>,
        only: Option<BTreeSet<Reason>>,
    ) -> Self {
        Self {
            offers,
            graph,
            policy,
            knowledge,
            only,
            is_outdated: Cell::new(false),
            ids: RefCell::default(),
            projects: RefCell::default(),
        }
    }

    /// Whether a reason counts.
    pub(super) fn counts(&self, reason: &Reason) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(reason))
    }

    /// The project of a number.
    pub(super) fn project(&self, id: ProjectId) -> Rc<Project<'r>> {
        Rc::clone(&self.projects.borrow()[id as usize])
    }

    /// The number of projects that are known so far.
    pub(super) fn number_of_projects(&self) -> u64 {
        self.projects.borrow().len() as u64
    }

    /// The number of a project. Asks the index on first use.
    pub(super) fn id(&self, name: &ProjectName) -> Result<ProjectId, Failure> {
        if let Some(id) = self.ids.borrow().get(name) {
            return Ok(*id);
        }
        let project = self.load(name)?;
        let mut projects = self.projects.borrow_mut();
        let id = ProjectId::try_from(projects.len())
            .map_err(|_| Failure::world("the index has too many projects"))?;
        projects.push(Rc::new(project));
        self.ids.borrow_mut().insert(name.clone(), id);
        Ok(id)
    }

    fn load(&self, name: &ProjectName) -> Result<Project<'r>, Failure> {
        let declared = self.graph.repository.declarations.get(name);
        let movement = self.movement(name);
        let mut candidates: Vec<Candidate<'r>> = Vec::new();
        if movement != Movement::Fixed {
            let offers = self.offers.project(name)?.unwrap_or_default();
            let now = declared.map(Declaration::version);
            let may_be = |offered: &&Rc<OfferedVersion>| match (movement, now) {
                (Movement::Grows, Some(now)) => offered.version == *now,
                _ => self.out_of_reach(name, &offered.version).is_none(),
            };
            let offered = offers.versions.iter().filter(may_be);
            let offered = offered.filter(|offered| !offered.coverage().is_empty());
            candidates.extend(offered.map(|offered| Candidate::Offered(Rc::clone(offered))));
        }
        // A project that is asked for is taken as the index has it now.
        let is_asked = self.policy.asked.contains_key(name);
        let covered = PlatformSet::from(&self.graph.covered(name));
        let may_stay = !is_asked || covered.is_subset(self.offers.offered(name));
        if let Some(declaration) = declared.filter(|_| may_stay) {
            let older = candidates.iter().filter(|candidate| {
                let version = candidate.version();
                version < declaration.version() || !is_asked && version == declaration.version()
            });
            let position = older.count();
            candidates.insert(position, Candidate::Declared(declaration));
        }
        let mut project = Project {
            name: name.clone(),
            base: (0..Position::try_from(candidates.len()).unwrap_or(Position::MAX)).collect(),
            candidates,
            movement,
            fixed_extras: BTreeSet::new(),
            is_held: false,
            accepted: RefCell::default(),
        };
        if movement != Movement::Fixed {
            self.hold(&mut project);
        }
        Ok(project)
    }

    /// How a project may move.
    pub(super) fn movement(&self, name: &ProjectName) -> Movement {
        let declared = self.graph.repository.declarations.get(name);
        if declared.is_some_and(|declaration| !self.may_be_replaced(declaration)) {
            return Movement::Fixed;
        }
        let movement = self.policy.movement(name, declared.is_some());
        if movement == Movement::Fixed && self.knowledge.borrow().growing.contains(name) {
            return Movement::Grows;
        }
        movement
    }

    /// Whether a project is one of the index, or the caller names it. A stranger may have given the
    /// name of another project to one in the index.
    pub(super) fn may_be_replaced(&self, declaration: &Declaration) -> bool {
        declaration.is_from_index() || self.policy.names(&declaration.project)
    }

    /// The reason why a project may not move to a version, however well it fits.
    pub(super) fn out_of_reach(&self, name: &ProjectName, version: &Version) -> Option<PassedOver> {
        let declaration = self.graph.repository.declarations.get(name)?;
        let now = declaration.version();
        if self.movement(name) != Movement::Rises {
            return None;
        }
        if version < now {
            return Some(PassedOver::Older(now.clone()));
        }
        let is_large = !self.policy.asked.contains_key(name)
            && Step::between(now, version) > self.policy.largest_step;
        is_large.then_some(PassedOver::LargeStep(self.policy.largest_step))
    }

    /// Whether candidates of a project are in the index.
    pub(super) fn asks_index(&self, name: &ProjectName) -> bool {
        self.movement(name) != Movement::Fixed
    }

    /// Whether a project is declared because the curators chose it.
    pub(super) fn is_wanted(&self, name: &ProjectName) -> bool {
        let declared = self.graph.repository.declarations.get(name);
        declared.is_some_and(|declaration| !declaration.automatic)
    }

    /// The declarations that do not move and require a project.
    pub(super) fn fixed_reasons(&self, name: &ProjectName) -> BTreeSet<Reason> {
        if self.movement(name) == Movement::Fixed {
            return BTreeSet::new();
        }
        let relations = self.fixed_demands(name);
        let from = relations.map(|(relation, _)| relation.from.project.clone());
        from.map(|from| Reason::Requires(from, name.clone()))
            .collect()
    }

    /// Limits a project to what declarations accept that do not move.
    fn hold(&self, project: &mut Project<'r>) {
        for demand in self.constraints(&project.name.clone()) {
            project.base = project.base.intersection(&self.accepted(project, &demand));
        }
        for (relation, demand) in self.fixed_demands(&project.name) {
            let from = &relation.from.project;
            let reason = Reason::Requires(from.clone(), project.name.clone());
            if !self.counts(&reason) {
                continue;
            }
            project.base = project.base.intersection(&self.accepted(project, &demand));
            project.fixed_extras.extend(demand.extras);
            project.is_held |= self
                .graph
                .repository
                .declarations
                .contains_key(&project.name);
        }
    }

    /// The demands on a project of declarations that do not move, with their projects, and the
    /// caller's constraints.
    pub(super) fn held_demands(&self, name: &ProjectName) -> Vec<(Origin, Demand)> {
        let fixed = self.fixed_demands(name);
        let fixed = fixed
            .map(|(relation, demand)| (Origin::Project(relation.from.project.clone()), demand));
        let constraints = self.constraints(name);
        fixed
            .chain(constraints.map(|demand| (demand.caller(), demand)))
            .collect()
    }

    /// The caller's constraints on a project.
    fn constraints(&self, name: &ProjectName) -> impl Iterator<Item = Demand> {
        let constraints = self.policy.constraints.get(name).into_iter().flatten();
        constraints.map(|wish| Demand {
            constraint: Constraint::Specifiers(wish.specifiers.clone()),
            tolerates_declared: false,
            place: Some(Arc::clone(&wish.place)),
            ..Demand::anything(name)
        })
    }

    /// The demands on a project of declarations that do not move.
    fn fixed_demands(
        &self,
        name: &ProjectName,
    ) -> impl Iterator<Item = (&crate::set::graph::Relation<'r>, Demand)> {
        let relations = self.graph.relations().naming(name);
        relations
            .filter(|relation| !relation.is_own())
            .filter(|relation| self.movement(&relation.from.project).stays())
            .flat_map(|relation| {
                relation.statements.iter().map(move |statement| {
                    let platforms = PlatformSet::from(&statement.platforms);
                    let mut demand = Demand::new(&statement.requirement.value, platforms);
                    demand.tolerates_declared = relation.unsatisfied.is_some();
                    (relation, demand)
                })
            })
    }

    /// The candidates that satisfy a demand, without its extras.
    pub(super) fn accepted(&self, project: &Project<'r>, demand: &Demand) -> Positions {
        let Constraint::Specifiers(specifiers) = &demand.constraint else {
            return Positions::empty();
        };
        let key = (
            specifiers.to_string(),
            demand.platforms,
            demand.tolerates_declared,
        );
        if let Some(known) = project.accepted.borrow().get(&key) {
            return known.clone();
        }
        let mut accepted = Positions::empty();
        for (position, candidate) in (0..).zip(&project.candidates) {
            let fits = match candidate {
                Candidate::Offered(offered) => {
                    demand.platforms.is_subset(offered.coverage())
                        && specifiers_contain(specifiers, &offered.version)
                }
                Candidate::Declared(declaration) => {
                    demand.tolerates_declared
                        || self.declared_fits(declaration, specifiers, demand.platforms)
                }
            };
            if fits {
                accepted.insert(position);
            }
        }
        let mut known = project.accepted.borrow_mut();
        known.insert(key, accepted.clone());
        accepted
    }

    /// Whether a declaration has accepted versions only, on all of these platforms; without any,
    /// wherever it is offered.
    fn declared_fits(
        &self,
        declaration: &Declaration,
        specifiers: &VersionSpecifiers,
        platforms: PlatformSet,
    ) -> bool {
        let mut covered = PlatformSet::default();
        for (index, wheel) in declaration.wheels.iter().enumerate() {
            let used: PlatformSet = (&self.graph.used_on(&declaration.project, index)).into();
            let used = used.intersection(platforms);
            let counts = platforms.is_empty() || !used.is_empty();
            if counts && !specifiers_contain(specifiers, wheel.file_name.version()) {
                return false;
            }
            covered = covered.union(used);
        }
        platforms.is_subset(covered)
    }

    /// What a candidate requires and provides.
    pub(super) fn needs(
        &self,
        project: &ProjectName,
        offered: &OfferedVersion,
    ) -> Result<Result<Rc<Needs>, Unfit>, Failure> {
        let declared = self.graph.repository.declarations.get(project);
        let before = offered.coverage();
        let prefer = self.policy.prefer(project, declared);
        let needs = self.offers.needs(offered, prefer)?;
        if offered.coverage() != before {
            self.is_outdated.set(true);
        }
        Ok(needs)
    }

    /// Tells that the requirements of a candidate will be asked for.
    pub(super) fn announce_needs(&self, project: &Project<'r>, position: Position) {
        if let Candidate::Offered(offered) = &project.candidates[position as usize] {
            let declared = self.graph.repository.declarations.get(&project.name);
            let prefer = self.policy.prefer(&project.name, declared);
            self.offers.announce_needs(offered, prefer);
        }
    }

    /// Whether a candidate has an extra.
    pub(super) fn has_extra(
        &self,
        project: &Project<'r>,
        position: Position,
        extra: &ExtraName,
    ) -> Result<bool, Failure> {
        Ok(match &project.candidates[position as usize] {
            Candidate::Declared(declaration) => declaration
                .wheels
                .iter()
                .all(|wheel| wheel.has_extra(extra)),
            Candidate::Offered(offered) => self
                .needs(&project.name, offered)?
                .is_ok_and(|needs| needs.extras.contains(extra)),
        })
    }

    /// The demands of a candidate without extras, or those that an extra adds.
    pub(super) fn demands(
        &self,
        project: &Project<'r>,
        position: Position,
        extra: Option<&ExtraName>,
    ) -> Result<Result<Vec<Demand>, Unfit>, Failure> {
        let demands = match &project.candidates[position as usize] {
            // What does not move is as good or bad as before.
            Candidate::Declared(_) if project.movement.stays() => Vec::new(),
            Candidate::Declared(_) => self.declared_demands(&project.name, extra),
            Candidate::Offered(offered) => {
                let needs = match self.needs(&project.name, offered)? {
                    Ok(needs) => needs,
                    Err(unfit) => return Ok(Err(unfit)),
                };
                let stated = match extra {
                    None => needs.plain.as_slice(),
                    Some(extra) => needs.by_extra.get(extra).map_or(&[][..], Vec::as_slice),
                };
                stated
                    .iter()
                    .filter(|need| {
                        self.policy.with_dependencies || need.requirement.name == project.name
                    })
                    .map(|need| Demand::new(&need.requirement, need.platforms))
                    .collect()
            }
        };
        Ok(Ok(demands))
    }

    /// The demands of one declaration on another project.
    pub(super) fn demands_of_declared(&self, from: &ProjectName, to: &ProjectName) -> Vec<Demand> {
        let relations = self.graph.relations().between(from, to).iter();
        let statements = relations.flat_map(|relation| &relation.statements);
        statements
            .map(|statement| {
                let platforms = PlatformSet::from(&statement.platforms);
                Demand::new(&statement.requirement.value, platforms)
            })
            .collect()
    }

    /// The demands of a declaration that may move, or those of an extra. As it is declared, it has
    /// all of its extras. What the set lacks already is not demanded.
    fn declared_demands(&self, name: &ProjectName, extra: Option<&ExtraName>) -> Vec<Demand> {
        let relations = self.graph.relations().of(name);
        let mut demands = Vec::new();
        let is_meant = |extra_of: Option<&ExtraName>| extra.is_none() || extra_of == extra;
        for relation in relations.iter().filter(|one| is_meant(one.extra)) {
            let is_missing = !self
                .graph
                .repository
                .declarations
                .contains_key(relation.to());
            if is_missing {
                continue;
            }
            for statement in &relation.statements {
                let platforms = PlatformSet::from(&statement.platforms);
                let mut demand = Demand::new(&statement.requirement.value, platforms);
                demand.tolerates_declared = relation.unsatisfied.is_some();
                demands.push(demand);
            }
        }
        demands
    }

    /// The wanted projects that may move: each keeps its platforms and extras.
    pub(super) fn wanted(&self) -> BTreeMap<ProjectName, Demand> {
        let mut wanted = BTreeMap::new();
        for declaration in self.graph.repository.declarations.values() {
            let name = &declaration.project;
            if declaration.automatic || self.movement(name).stays() {
                continue;
            }
            let extras = declaration.extras();
            let demand = Demand {
                on: name.clone(),
                extras,
                constraint: Constraint::Specifiers(VersionSpecifiers::default()),
                platforms: (&self.graph.covered(name)).into(),
                tolerates_declared: true,
                place: None,
            };
            wanted.insert(name.clone(), demand);
        }
        wanted
    }
}
