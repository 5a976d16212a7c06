//! Projects with their candidates, and the demands on them.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use ipwhl_packaging::{
    Constraint, ExtraName, ProjectName, Requirement, Version, VersionSpecifiers,
};

use super::offered::OfferedVersion;
use super::platform_set::PlatformSet;
use super::policy::{Movement, Origin};
use super::positions::Positions;
use crate::set::declaration::Declaration;

/// A candidate of a project.
#[derive(Debug)]
pub(super) enum Candidate<'r> {
    /// As it is declared.
    Declared(&'r Declaration),
    /// A version in the index.
    Offered(Rc<OfferedVersion>),
}

impl Candidate<'_> {
    /// Its version; of a project that is declared in several, the first.
    pub(super) fn version(&self) -> &Version {
        match self {
            Self::Declared(declaration) => declaration.version(),
            Self::Offered(offered) => &offered.version,
        }
    }
}

/// A project with its candidates.
#[derive(Debug)]
pub(super) struct Project<'r> {
    pub(super) name: ProjectName,
    /// The oldest first. Of one version, the declared candidate is the last, but the first if the
    /// project is asked for.
    pub(super) candidates: Vec<Candidate<'r>>,
    pub(super) movement: Movement,
    /// The candidates that all declarations accept that do not move.
    pub(super) base: Positions,
    /// The extras that declarations require which do not move.
    pub(super) fixed_extras: BTreeSet<ExtraName>,
    /// Whether a declaration requires it that does not move.
    pub(super) is_held: bool,
    pub(super) accepted: RefCell<HashMap<(String, PlatformSet, bool), Positions>>,
}

/// Who asks for a project: the unit of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Reason {
    /// The caller asks for the project.
    Asked(ProjectName),
    /// A wanted project stays in the set.
    Wanted(ProjectName),
    /// One project requires another.
    Requires(ProjectName, ProjectName),
}

/// A demand of one candidate on a project.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    pub(super) on: ProjectName,
    pub(super) extras: BTreeSet<ExtraName>,
    pub(super) constraint: Constraint,
    pub(super) platforms: PlatformSet,
    /// Whether the declared candidate is accepted although it does not satisfy the demand, because
    /// it did not before either.
    pub(super) tolerates_declared: bool,
    /// Where the caller has written it; `None` if the set or a project demands it.
    pub(super) place: Option<Arc<str>>,
}

impl Reason {
    /// The project that is asked for.
    pub(super) fn project(&self) -> &ProjectName {
        let (Self::Asked(project) | Self::Wanted(project) | Self::Requires(_, project)) = self;
        project
    }
}

impl Demand {
    /// Who makes the demand, if no project does.
    pub(super) fn caller(&self) -> Origin {
        match &self.place {
            Some(place) => Origin::Caller(Arc::clone(place)),
            None => Origin::Set,
        }
    }

    /// Whether it names a version that is not final.
    pub(super) fn names_prerelease(&self) -> bool {
        match &self.constraint {
            Constraint::Specifiers(specifiers) => specifiers.name_a_prerelease(),
            Constraint::Url(_) => false,
        }
    }

    /// The demand for any version of a project.
    pub(super) fn anything(on: &ProjectName) -> Self {
        Self {
            on: on.clone(),
            extras: BTreeSet::new(),
            constraint: Constraint::Specifiers(VersionSpecifiers::default()),
            platforms: PlatformSet::default(),
            tolerates_declared: true,
            place: None,
        }
    }

    pub(super) fn new(requirement: &Requirement, platforms: PlatformSet) -> Self {
        Self {
            on: requirement.name.clone(),
            extras: requirement.extras.clone(),
            constraint: requirement.constraint.clone(),
            platforms,
            tolerates_declared: false,
            place: None,
        }
    }
}

impl From<Demand> for Requirement {
    fn from(demand: Demand) -> Self {
        Self {
            name: demand.on,
            extras: demand.extras,
            constraint: demand.constraint,
            marker: None,
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Requirement::from(self.clone()).fmt(formatter)
    }
}
