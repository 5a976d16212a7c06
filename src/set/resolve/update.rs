//! Brings declared projects to the newest versions that fit together.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ProjectName, Version};

use super::addition::{Added, check_number, cooldown, insert, needed, no_longer_needed};
use super::index_catalogue::{IndexCatalogue, Observed};
use super::project::declare_all;
use super::solver::{PassedOver, Policy, Projects, Solution, Step, offered_platforms, solve};
use crate::foundation::failure::Failure;
use crate::set::gather::Network;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::source::Session;

/// The options of an update.
pub struct Update<'a> {
    /// The cache, the HTTP clients and the observer of progress.
    pub session: &'a Session,
    /// The network settings for the index.
    pub network: &'a Network,
    /// The projects to update.
    pub projects: Projects,
    /// Other declared projects that may get newer versions where an update needs that.
    pub may_move: Projects,
    /// The largest step of a version.
    pub largest_step: Step,
}

/// The planned changes of an update.
pub struct UpdatePlan {
    solution: Solution,
    catalogue: IndexCatalogue,
    /// Each project that gets another version, with the old one; `None` if it is new in the set.
    pub moves: BTreeMap<ProjectName, (Option<Version>, Version)>,
    /// The automatic projects that leave the set.
    pub removed: BTreeSet<ProjectName>,
    /// The projects to update that the index does not have.
    pub unknown: BTreeSet<ProjectName>,
    /// The newest version of each project that stays behind it, with the reason.
    pub behind: BTreeMap<ProjectName, (Version, PassedOver)>,
}

impl Update<'_> {
    /// Searches for the newest versions that fit together. Reads metadata, and no wheels.
    ///
    /// # Errors
    /// When the index cannot be reached, or the search takes too many steps.
    pub fn plan(&self, repository: &Repository) -> Result<UpdatePlan, Failure> {
        let configuration = &repository.configuration;
        check_number(&configuration.platforms)?;
        let catalogue = IndexCatalogue::of(self.session, self.network, configuration)?;
        let policy = Policy {
            asked: BTreeMap::new(),
            moving: self.projects.clone().or(&self.may_move),
            newest: self.projects.clone(),
            may_downgrade: false,
            largest_step: self.largest_step,
            with_dependencies: true,
            prefer: None,
            offered: offered_platforms(repository),
            cooldown: cooldown(self.session, repository),
            constraints: BTreeMap::new(),
            preferred: BTreeMap::new(),
        };
        let solution = {
            let observed = Observed::begin(self.session, &catalogue);
            solve(&Graph::new(repository), &observed, &policy)?
        };
        let changed = solution.changed.iter();
        let moves = changed.map(|(project, solved)| {
            let before = repository.declarations.get(project);
            let before = before.map(|declaration| declaration.version().clone());
            (project.clone(), (before, solved.version.clone()))
        });
        let behind = solution.passed_over.iter().filter_map(|(project, passed)| {
            // Versions that no one should take are no newer versions.
            let mut passed = passed
                .iter()
                .filter(|(_, reason)| !matches!(reason, PassedOver::Yanked | PassedOver::NotFinal));
            Some((project.clone(), passed.next()?.clone()))
        });
        Ok(UpdatePlan {
            moves: moves.collect(),
            removed: solution.unneeded.clone(),
            unknown: solution.unknown.clone(),
            behind: behind.collect(),
            solution,
            catalogue,
        })
    }

    /// Declares what a plan has chosen, in the repository as if it had been read from its files. No
    /// file is written.
    ///
    /// # Errors
    /// When a wheel cannot be fetched or declared.
    pub fn declare(&self, repository: &mut Repository, plan: UpdatePlan) -> Result<Added, Failure> {
        let needed_before = needed(repository);
        let declared = declare_all(
            self.session,
            self.network,
            repository,
            &plan.catalogue,
            &plan.solution,
            |_| None,
        )?;
        let mut added = Added {
            removed: plan.removed,
            passed_over: plan.solution.passed_over,
            ..Added::default()
        };
        for declaration in declared {
            added.written.insert(declaration.project.clone());
            insert(repository, declaration, None)?;
        }
        added
            .removed
            .extend(no_longer_needed(repository, needed_before));
        Ok(added)
    }
}
