//! The requirements between projects, by platform and extra, and whether the set satisfies them.
//!
//! A [`Graph`] is built once for a repository. Its [`Relations`] can be followed in both
//! directions; a [`GraphQuery`] covers some of the platforms. Each kind of question (paths, walks,
//! removals) has its own file, and none of them prints.

mod demand;
mod extras;
mod group;
mod need;
mod own_extras;
mod paths;
mod query;
mod relation;
mod relations;
mod removal;
mod requirer_path;
mod walk;
mod wheels;

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use ipwhl_packaging::{
    Constraint, MarkerEnvironment, Platform, ProjectName, Version, specifiers_contain,
};
use rayon::prelude::*;

use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::repository::Repository;
use demand::Demand;
pub use demand::ProjectNeed;
pub use group::{RelationGroup, constraint, group_relations, with_extras};
use own_extras::OwnExtras;
pub use paths::{Path, Paths, paths_to};
pub use query::{GraphQuery, NamedProject, QueryError, member, select_platforms};
pub use relation::{Relation, UnsatisfiedReason};
pub(super) use relation::{Statement, applies};
pub use relations::{Direction, Relations};
pub use removal::{Removal, Removals};
pub use requirer_path::RequirerPath;
pub use walk::{Subgraph, Visit, Walk};
pub(super) use wheels::{Availability, Offer};

/// The declared set as a graph of requirements.
pub struct Graph<'r> {
    pub(super) repository: &'r Repository,
    pub(super) platforms: &'r [Platform],
    relations: Relations<'r>,
    /// The need of each required project, computed on first use.
    demands: HashMap<&'r ProjectName, OnceLock<Demand>>,
    /// The extras that each project requires of itself and that others require of it, computed on
    /// first use.
    own_extras: HashMap<&'r ProjectName, OnceLock<OwnExtras<'r>>>,
    /// The offer of each project on each platform, in the order of the platforms.
    offers: HashMap<&'r ProjectName, OnceLock<Vec<Offer<'r>>>>,
    /// Looked up for each requirement on each platform; never iterated.
    availability: HashMap<&'r ProjectName, Vec<Availability>>,
}

impl<'r> Graph<'r> {
    /// The graph of a repository's declarations on its platforms.
    pub fn new(repository: &'r Repository) -> Self {
        let platforms = repository.configuration.platforms.as_slice();
        let environments: Vec<MarkerEnvironment> = platforms
            .iter()
            .map(MarkerEnvironment::for_platform)
            .collect();
        // One task for each project, on all processors; the results stay in the projects' order.
        let declarations: Vec<&Declaration> = repository.declarations.values().collect();
        let found: Vec<(Vec<Availability>, Vec<Relation<'r>>)> = declarations
            .into_par_iter()
            .map(|declaration| {
                let availability: Vec<Availability> = platforms
                    .iter()
                    .zip(&environments)
                    .map(|(platform, environment)| {
                        Availability::of(declaration, platform, environment)
                    })
                    .collect();
                let relations = relation::relations_of(declaration, &availability, &environments);
                (availability, relations)
            })
            .collect();
        let mut graph = Self {
            repository,
            platforms,
            relations: Relations::default(),
            demands: HashMap::new(),
            own_extras: HashMap::new(),
            offers: HashMap::new(),
            availability: HashMap::new(),
        };
        let mut relations = Vec::new();
        for (project, (availability, own)) in repository.declarations.keys().zip(found) {
            graph.availability.insert(project, availability);
            graph.own_extras.entry(project).or_default();
            graph.offers.entry(project).or_default();
            relations.extend(own);
        }
        for relation in &relations {
            graph.demands.entry(relation.to()).or_default();
        }
        relations
            .par_iter_mut()
            .for_each(|relation| relation.unsatisfied = graph.unsatisfied(relation));
        graph.relations = Relations::new(relations);
        graph
    }

    /// Every requirement that applies on some platform.
    pub fn relations(&self) -> &Relations<'r> {
        &self.relations
    }

    /// Every requirement that applies on one of these platforms, limited to them. Platforms are
    /// indices into the repository's.
    pub fn relations_on(&self, platforms: &BTreeSet<usize>) -> Relations<'r> {
        let narrowed = self.relations.iter().filter_map(|relation| {
            let mut relation = relation.on(platforms)?;
            // A requirement that is satisfied on all platforms is satisfied on each.
            if relation.unsatisfied.is_some() {
                relation.unsatisfied = self.unsatisfied(&relation);
            }
            Some(relation)
        });
        Relations::new(narrowed.collect())
    }

    /// The version of a project in the set.
    pub fn version(&self, project: &ProjectName) -> Option<&'r Version> {
        let declaration = self.repository.declarations.get(project)?;
        Some(declaration.version())
    }

    /// The platforms on which a project has a usable wheel, as indices into the repository's
    /// platforms.
    pub fn covered(&self, project: &ProjectName) -> BTreeSet<usize> {
        (0..self.platforms.len())
            .filter(|platform| {
                matches!(
                    self.availability(project, *platform),
                    Availability::Wheels(_)
                )
            })
            .collect()
    }

    /// The platforms on which an installer may take the wheel of this index, as indices into the
    /// repository's platforms.
    pub fn used_on(&self, project: &ProjectName, wheel: usize) -> BTreeSet<usize> {
        (0..self.platforms.len())
            .filter(|platform| self.availability(project, *platform).has(wheel))
            .collect()
    }

    /// The platforms with these indices, in order.
    pub(in crate::set) fn named_platforms(&self, platforms: &BTreeSet<usize>) -> Vec<Platform> {
        platforms
            .iter()
            .filter_map(|platform| self.platforms.get(*platform))
            .cloned()
            .collect()
    }

    /// The names of platforms, in order.
    pub fn platform_names(&self, platforms: &BTreeSet<usize>) -> Vec<String> {
        platforms
            .iter()
            .filter_map(|platform| self.platforms.get(*platform))
            .map(ToString::to_string)
            .collect()
    }

    /// The wanted projects and all projects that they need.
    pub(super) fn reachable(&self) -> BTreeSet<&'r ProjectName> {
        let declarations = &self.repository.declarations;
        let requested = declarations.values().filter(|one| !one.automatic);
        let requested = requested.map(|declaration| &declaration.project);
        self.relations
            .reach(requested, Direction::Required, |project| {
                declarations.contains_key(project)
            })
    }

    /// The availability of a project of the set on a platform.
    pub(super) fn availability(&self, project: &ProjectName, platform: usize) -> &Availability {
        self.availability
            .get(project)
            .map_or(&Availability::NoWheel, |all| &all[platform])
    }

    /// The declaration that a relation names, if it is in the set.
    pub(super) fn target(&self, relation: &Relation<'r>) -> Option<&'r Declaration> {
        self.repository.declarations.get(relation.to())
    }

    /// The offer of a project of the set on each platform.
    pub(super) fn offers(&self, declaration: &'r Declaration) -> &[Offer<'r>] {
        self.offers.get(&declaration.project).map_or(&[], |offers| {
            offers.get_or_init(|| {
                let platforms = 0..self.platforms.len();
                platforms
                    .map(|platform| Offer::new(self.wheels_on(declaration, platform)))
                    .collect()
            })
        })
    }

    /// The wheels of a project that an installer may take on a platform.
    fn wheels_on(&self, declaration: &'r Declaration, platform: usize) -> Vec<&'r DeclaredWheel> {
        match self.availability(&declaration.project, platform) {
            Availability::Wheels(indices) => indices
                .iter()
                .filter_map(|index| declaration.wheels.get(*index))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The reason why the set does not satisfy a relation on its platforms: the first one among its
    /// statements.
    fn unsatisfied(&self, relation: &Relation<'r>) -> Option<UnsatisfiedReason> {
        let Some(target) = self.target(relation) else {
            return Some(match relation.requirement.constraint {
                Constraint::Url(_) => UnsatisfiedReason::DirectReference,
                _ if self.repository.unreadable.contains(relation.to()) => {
                    UnsatisfiedReason::Unreadable
                }
                Constraint::Specifiers(_) => UnsatisfiedReason::Missing,
            });
        };
        let mut statements = relation.statements.iter();
        statements.find_map(|statement| self.unsatisfied_by(target, statement))
    }

    fn unsatisfied_by(
        &self,
        target: &'r Declaration,
        statement: &Statement<'r>,
    ) -> Option<UnsatisfiedReason> {
        let requirement = &statement.requirement.value;
        let Constraint::Specifiers(specifiers) = &requirement.constraint else {
            return Some(UnsatisfiedReason::DirectReference);
        };
        let mut is_unavailable = false;
        // Usually the version is the same on all platforms.
        let mut accepted: Option<&Version> = None;
        let mut accepts = |version: &'r Version| {
            let is_accepted = accepted == Some(version) || specifiers_contain(specifiers, version);
            accepted = is_accepted.then_some(version);
            is_accepted
        };
        let offers = self.offers(target);
        for offer in statement
            .platforms
            .iter()
            .map(|platform| &offers[*platform])
        {
            if offer.wheels.is_empty() {
                is_unavailable = true;
                continue;
            }
            let mut versions = offer.versions.iter().map(|wheel| wheel.file_name.version());
            if !versions.all(&mut accepts) {
                return Some(UnsatisfiedReason::OtherVersion);
            }
            let mut extras = requirement.extras.iter();
            if let Some(extra) = extras.find(|extra| !offer.extras.contains(extra)) {
                return Some(UnsatisfiedReason::NoExtra(extra.clone()));
            }
        }
        if is_unavailable && !accepts(target.version()) {
            return Some(UnsatisfiedReason::OtherVersion);
        }
        is_unavailable.then_some(UnsatisfiedReason::Unavailable)
    }
}
