//! Brings declared projects to the newest versions that fit together.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{
    Constraint, ProjectName, Requirement, Version, parse_specifiers, specifiers_contain,
};
use jiff::Timestamp;

use super::addition::{Added, check_number};
use super::index_catalogue::{IndexCatalogue, Observed};
use super::listed::yanked_wheels;
use super::one_by_one::{ChangeKind, SmallChange, first, one_by_one};
use super::project::declare_all;
use super::solver::{
    Asked, Catalogue, PassedOver, Policy, Projects, Solution, Step, UploadLimit, Wish, newest,
    offered_platforms, solve,
};
use super::upload_times::with_upload_times;
use crate::foundation::failure::{Failure, FailureKind};
use crate::set::declaration::Declaration;
use crate::set::gather::Network;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::source::{ProjectStatus, Session};

/// The options of an update.
pub struct Update<'a> {
    /// The cache, the HTTP clients and the observer of progress.
    pub session: &'a Session,
    /// The network settings for the index.
    pub network: &'a Network,
    /// The projects to update.
    pub projects: Projects,
    /// Other declared projects that may get other versions where an update needs that.
    pub may_move: Projects,
    /// Whether they may get older versions, too.
    pub may_downgrade: bool,
    /// The projects that must get the newest version of the index.
    pub latest: BTreeSet<ProjectName>,
    /// Limits on the versions of projects, also of those that come into the set.
    pub limits: BTreeMap<ProjectName, Vec<Wish>>,
    /// The largest step of a version.
    pub largest_step: Step,
    /// The update as of this time, without what was uploaded since; `None` for now.
    pub before: Option<Timestamp>,
}

/// The planned changes of an update.
pub struct UpdatePlan {
    solution: Solution,
    catalogue: IndexCatalogue,
    /// Each project that gets another version, with the old one; `None` if it is new in the set.
    pub moves: BTreeMap<ProjectName, (Option<Version>, Version)>,
    /// The newest version of each project that stays behind it, with the reason.
    pub behind: BTreeMap<ProjectName, (Version, PassedOver)>,
    /// The declarations that stay but for the times of upload that they lack, with these times.
    dated: Vec<Declaration>,
    /// The newer versions of each of them, the newest first, without those that no one should take.
    newer: BTreeMap<ProjectName, Vec<(Version, PassedOver)>>,
}

impl UpdatePlan {
    /// The automatic projects that leave the set.
    pub fn leaving(&self) -> &BTreeSet<ProjectName> {
        &self.solution.unneeded
    }

    /// The number of projects that stay, and get the times of upload that their wheels lack.
    pub fn dated(&self) -> usize {
        self.dated.len()
    }

    /// The projects to update that the index does not have.
    pub fn unknown(&self) -> &BTreeSet<ProjectName> {
        &self.solution.unknown
    }

    /// Why the newest version of a project was not chosen, as a clause: the reason, and that of
    /// each project that it depends on in turn. Then the newest version that would fit, if the
    /// project was not to move.
    pub fn reason(&self, project: &ProjectName) -> Option<String> {
        let newer = self.newer.get(project)?;
        let mut reason = &newer.first()?.1;
        let mut text = reason.to_string();
        let mut seen = BTreeSet::from([project]);
        while let PassedOver::Requires(requirement) = reason
            && seen.insert(&requirement.name)
            && let Some((version, next)) = self.newest_of(requirement)
        {
            text += &format!("; {} {version}: {next}", requirement.name);
            reason = next;
        }
        let mut others = newer.iter().skip(1);
        if let Some((version, _)) = others.find(|(_, reason)| *reason == PassedOver::NotAsked) {
            text += &format!("; {version} fits, and was not asked for");
        }
        Some(text)
    }

    /// The newest version that a requirement accepts and that was not chosen, with the reason.
    fn newest_of(&self, requirement: &Requirement) -> Option<&(Version, PassedOver)> {
        let Constraint::Specifiers(specifiers) = &requirement.constraint else {
            return None;
        };
        let mut newer = self.newer.get(&requirement.name)?.iter();
        newer.find(|(version, _)| specifiers_contain(specifiers, version))
    }

    /// The declared projects that are not from the index, and that the caller does not name: their
    /// newer versions are not looked up.
    pub fn not_asked<'r>(
        &self,
        repository: &'r Repository,
    ) -> impl Iterator<Item = &'r ProjectName> {
        let declared = repository.declarations.values();
        let others = declared.filter(|one| !one.is_from_index());
        let names = others.map(|declaration| &declaration.project);
        names.filter(|name| !self.moves.contains_key(*name))
    }

    /// The status of a declared project in the index, and the reason, which may be empty, if the
    /// index has yanked one of its wheels. A project without a `pkg:` source is not looked up, and
    /// one that the index does not have counts as active.
    ///
    /// # Errors
    /// When the index cannot be asked.
    pub fn standing(
        &self,
        declaration: &Declaration,
    ) -> Result<(ProjectStatus, Option<String>), Failure> {
        if !declaration.is_from_index() {
            return Ok((ProjectStatus::default(), None));
        }
        let Some(page) = self.catalogue.page(&declaration.project)? else {
            return Ok((ProjectStatus::default(), None));
        };
        let yanked = yanked_wheels(&page, declaration).next();
        let yanked = yanked.map(|(_, reason)| reason.to_owned());
        Ok((page.status.clone(), yanked))
    }

    /// The smallest changes that each keep the set true, in an order in which they can be made one
    /// after the other. Those of `repairs` come first, with those that they need.
    pub fn one_by_one(&self, repairs: &BTreeSet<ProjectName>) -> Vec<SmallChange> {
        let moves = self.moves.iter().map(|(project, (before, _))| {
            let kind = match before {
                Some(_) => ChangeKind::Move,
                None => ChangeKind::Join,
            };
            (project.clone(), kind)
        });
        let leaving = self.leaving().iter().cloned();
        let kinds = moves.chain(leaving.map(|project| (project, ChangeKind::Leave)));
        let changes = one_by_one(&kinds.collect(), &self.solution.needed_changes);
        first(changes, repairs)
    }
}

impl<'a> Update<'a> {
    /// An update of every project to the newest version.
    pub fn all(session: &'a Session, network: &'a Network) -> Self {
        Self {
            session,
            network,
            projects: Projects::All,
            may_move: Projects::none(),
            may_downgrade: false,
            latest: BTreeSet::new(),
            limits: BTreeMap::new(),
            largest_step: Step::default(),
            before: None,
        }
    }

    /// Searches for the newest versions that fit together. Reads metadata, and no wheels.
    ///
    /// # Errors
    /// When the index cannot be reached, no versions fit together, or the search takes too many
    /// steps.
    pub fn plan(&self, repository: &Repository) -> Result<UpdatePlan, Failure> {
        let configuration = &repository.configuration;
        check_number(&configuration.platforms)?;
        let catalogue = IndexCatalogue::of(self.session, self.network, configuration)?;
        let mut policy = Policy {
            moving: self.projects.clone().or(&self.may_move),
            newest: self.projects.clone(),
            may_downgrade: self.may_downgrade,
            largest_step: self.largest_step,
            offered: offered_platforms(repository),
            uploads: UploadLimit::of(configuration.cooldown, self.session.now(), self.before),
            constraints: self.limits.clone(),
            ..Policy::default()
        };
        let solution = {
            let observed = Observed::begin(self.session, &catalogue);
            let graph = Graph::new(repository);
            for project in &self.latest {
                if let Some(asked) = latest(&graph, &observed, &policy, project)? {
                    policy.asked.insert(project.clone(), asked);
                }
            }
            let solution = solve(&graph, &observed, &policy);
            solution.map_err(|failure| possible(failure.into(), &graph, &observed, &policy))?
        };
        let changed = solution.changed.iter();
        let moves = changed.map(|(project, solved)| {
            let before = repository.declarations.get(project);
            let before = before.map(|declaration| declaration.version().clone());
            (project.clone(), (before, solved.version.clone()))
        });
        self.check_limits(repository, &solution)?;
        let mut dated = with_upload_times(repository, &catalogue, &self.projects)?;
        dated.retain(|declaration| {
            let project = &declaration.project;
            !solution.changed.contains_key(project) && !solution.unneeded.contains(project)
        });
        let newer = solution.passed_over.iter().map(|(project, passed)| {
            // Versions that no one should take are no newer versions.
            let passed = passed.iter().filter(|(version, reason)| {
                let is_usual = !version.any_prerelease() || is_prerelease(repository, project);
                is_usual && !matches!(reason, PassedOver::Yanked | PassedOver::NotFinal)
            });
            (project.clone(), passed.cloned().collect())
        });
        let newer: BTreeMap<ProjectName, Vec<(Version, PassedOver)>> = newer.collect();
        let behind = newer
            .iter()
            .filter_map(|(project, newer)| Some((project.clone(), newer.first()?.clone())));
        Ok(UpdatePlan {
            moves: moves.collect(),
            behind: behind.collect(),
            dated,
            newer,
            solution,
            catalogue,
        })
    }

    /// A limit on a project that is neither declared nor needed is a mistake.
    fn check_limits(&self, repository: &Repository, solution: &Solution) -> Result<(), Failure> {
        let mut names = self.limits.keys();
        let unknown = names.find(|name| {
            !repository.declarations.contains_key(*name) && !solution.changed.contains_key(*name)
        });
        unknown.map_or(Ok(()), |name| {
            Err(Failure::usage(format!(
                "`{name}` is not in the set, and the update does not need it"
            ))
            .help("`ipwhl list` prints the projects of the set"))
        })
    }

    /// Declares what a plan has chosen, or one of its small changes, in the repository as if it had
    /// been read from its files. No file is written. A small change writes no missing times.
    ///
    /// # Errors
    /// When a wheel cannot be fetched or declared.
    pub fn declare(
        &self,
        repository: &mut Repository,
        mut plan: UpdatePlan,
        part: Option<&SmallChange>,
    ) -> Result<Added, Failure> {
        if let Some(part) = part {
            let solution = &mut plan.solution;
            solution
                .changed
                .retain(|project, _| part.projects.contains(project));
            solution
                .unneeded
                .retain(|project| part.projects.contains(project));
            plan.dated.clear();
        }
        let declared = declare_all(
            self.session,
            self.network,
            repository,
            &plan.catalogue,
            &plan.solution,
            |_| None,
        )?;
        let mut added = Added {
            removed: plan.solution.unneeded,
            passed_over: plan.solution.passed_over,
            ..Added::default()
        };
        for one in declared {
            added.insert(repository, one.declaration, one.publisher, None)?;
        }
        for declaration in plan.dated {
            added.insert(repository, declaration, None, None)?;
        }
        Ok(added)
    }
}

/// The place of the demand for a newest version.
const LATEST: &str = "`--latest`";

/// A failure with the newest versions that are possible of the projects that must get the newest
/// version of the index.
fn possible(
    failure: Failure,
    graph: &Graph<'_>,
    catalogue: &(dyn Catalogue + Sync),
    policy: &Policy,
) -> Failure {
    let latest: BTreeSet<ProjectName> = policy.asked.keys().cloned().collect();
    if failure.kind != FailureKind::Finding || latest.is_empty() {
        return failure;
    }
    let policy = Policy {
        asked: BTreeMap::new(),
        newest: policy.newest.clone().or(&Projects::Named(latest.clone())),
        ..policy.clone()
    };
    let Ok(solution) = solve(graph, catalogue, &policy) else {
        return failure;
    };
    let declarations = &graph.repository.declarations;
    let mut ways = latest.iter().filter_map(|project| {
        let declared = declarations.get(project)?.version();
        let possible = solution.changed.get(project).map(|solved| &solved.version);
        Some(match possible.filter(|version| *version > declared) {
            Some(version) => format!(
                "the newest possible version of `{project}` is {version}: `ipwhl update \
                 --allow-update all '{project}'`"
            ),
            None => format!("`{project}` can only stay at {declared}"),
        })
    });
    let ways: Vec<String> = ways.by_ref().chain(failure.help.clone()).collect();
    failure.help(ways.join("; or "))
}

/// Whether the declared version of a project is a pre-release.
fn is_prerelease(repository: &Repository, project: &ProjectName) -> bool {
    let declaration = repository.declarations.get(project);
    declaration.is_some_and(|declaration| declaration.version().any_prerelease())
}

/// The demand for the newest version of a declared project, if it is newer than the declared one.
fn latest(
    graph: &Graph<'_>,
    catalogue: &dyn Catalogue,
    policy: &Policy,
    project: &ProjectName,
) -> Result<Option<Asked>, Failure> {
    let repository = graph.repository;
    let platforms = &repository.configuration.platforms;
    let Some(newest) = newest(platforms, catalogue, policy, project)? else {
        return Ok(None);
    };
    let declared = repository.declarations.get(project);
    let Some(declared) = declared.filter(|declared| *declared.version() < newest) else {
        return Ok(None);
    };
    let covered = graph.covered(project);
    Ok(Some(Asked {
        wishes: parse_specifiers(&format!("=={newest}"))
            .into_iter()
            .map(|exactly| Wish::new(LATEST, exactly))
            .collect(),
        extras: declared.extras(),
        platforms: (&covered).into(),
    }))
}
