//! Adds projects and their requirements to the set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipwhl_packaging::{Marker, MarkerEnvironment, Platform, ProjectName, Truth, Version};

use super::index_catalogue::{IndexCatalogue, Observed};
use super::local_wheels::LocalWheel;
use super::pins::PlacedPin;
use super::project::{Declared, declare_all};
use super::publisher::StatedPublisher;
use super::solver::{
    Asked, MAXIMUM_PLATFORMS, PassedOver, Policy, Projects, Unsolved, UploadLimit, Wish,
    offered_platforms, platforms_where, solve,
};
use super::{Prefer, ProjectRequest};
use crate::foundation::diagnostic::{Finding, SourceText};
use crate::foundation::failure::Failure;
use crate::set::declaration::{
    DECLARATION_SCHEMA_FILE, Declaration, DeclaredWheel, FormatVersion, Layout, Spanned,
    keep_comments, parse, schema_directive, write_declaration,
};
use crate::set::gather::Network;
use crate::set::graph::Graph;
use crate::set::repository::{Configuration, Repository};
use crate::source::Session;

/// The options for adding projects to a set.
pub struct Addition<'a> {
    /// The cache, the HTTP clients and the observer of progress.
    pub session: &'a Session,
    /// The network settings for the index.
    pub network: &'a Network,
    /// The preferred wheels if a version has native ones and a pure one; without it, native ones of
    /// new projects, and of others the kind that is declared.
    pub prefer: Option<Prefer>,
    /// Whether requirements of the projects are added, too, until the set is closed.
    pub with_dependencies: bool,
    /// The declared projects that may get other versions, besides those that are requested.
    pub may_move: Projects,
    /// Whether they may get older versions, too.
    pub may_downgrade: bool,
    /// Limits on the versions of projects, also of those that only other projects need.
    pub constraints: BTreeMap<ProjectName, Vec<Wish>>,
    /// Versions that are taken before others, if possible.
    pub preferred: BTreeMap<ProjectName, Version>,
    /// Wheel files of the repository, which are used instead of the index. Their projects must be
    /// requested, too.
    pub wheels: Vec<LocalWheel>,
    /// The digests that project files name.
    pub pins: Vec<PlacedPin>,
}

/// The result of an addition to a repository.
#[derive(Debug, Default)]
pub struct Added {
    /// The projects with new declarations.
    pub written: BTreeSet<ProjectName>,
    /// The fulfilled requests, the last for each project.
    pub granted: BTreeMap<ProjectName, ProjectRequest>,
    /// The automatic projects that leave the set, because nothing needs them any more.
    pub removed: BTreeSet<ProjectName>,
    /// Newer versions that were not chosen, the newest first, with reasons.
    pub passed_over: BTreeMap<ProjectName, Vec<(Version, PassedOver)>>,
    /// The publishers that the index states for wheels of the new declarations, of projects for which
    /// it offers provenance, or which had a publisher before.
    pub publishers: BTreeMap<ProjectName, StatedPublisher>,
}

impl Added {
    /// Adds a declaration to the repository as if it had been read from its file.
    pub(super) fn insert(
        &mut self,
        repository: &mut Repository,
        mut declaration: Declaration,
        publisher: Option<StatedPublisher>,
        only: Option<&Marker>,
    ) -> Result<(), Failure> {
        let project = declaration.project.clone();
        let before = repository.declarations.get(&project);
        let earlier = before.and_then(|before| before.provenance.publisher.clone());
        let line = publisher.as_ref().and_then(|stated| stated.line.clone());
        let is_new = |wheel: &DeclaredWheel| {
            let mut known = before.into_iter().flat_map(|before| &before.wheels);
            !known.any(|known| known.content_id.value == wheel.content_id.value)
        };
        // A line about other wheels says nothing about these.
        let is_replaced = publisher.is_some() && declaration.wheels.iter().any(is_new);
        let is_told = publisher.as_ref().is_some_and(|stated| stated.is_offered)
            || (is_replaced && earlier.is_some());
        keep_choices(repository, &mut declaration);
        if line.is_some() || is_replaced {
            let line = line.map(|line| Spanned::new(line, 0..0));
            declaration.provenance.publisher = line;
        }
        insert(repository, declaration, only)?;
        if let Some(publisher) = publisher.filter(|_| is_told) {
            self.publishers.insert(project.clone(), publisher);
        }
        self.written.insert(project);
        Ok(())
    }
}

impl Addition<'_> {
    /// Adds declarations for these requests to the repository, as if they had been read from their
    /// files. No file is written.
    ///
    /// # Errors
    /// When no versions of the index fit together, or the index cannot be reached.
    pub fn add(
        &self,
        repository: &mut Repository,
        requests: Vec<ProjectRequest>,
    ) -> Result<Added, Unsolved> {
        if self.network.offline {
            let names = requests
                .iter()
                .map(|request| format!("`{}`", request.project));
            return Err(Failure::world(format!(
                "cannot declare {}: the index is needed, and `--offline` forbids the network",
                names.collect::<Vec<_>>().join(", ")
            ))
            .help("run the same command without `--offline`")
            .into());
        }
        let configuration = &repository.configuration;
        check_number(&configuration.platforms)?;
        for request in &requests {
            check_only(configuration, request)?;
        }
        let catalogue = IndexCatalogue::of(self.session, self.network, configuration)?
            .pinned(self.pins.clone())
            .with_files(&repository.directory, &self.wheels)?;
        let policy = self.policy(repository, &requests);
        let solution = {
            let graph = Graph::new(repository);
            let observed = Observed::begin(self.session, &catalogue);
            solve(&graph, &observed, &policy)?
        };
        let request_for = |project: &ProjectName| {
            let mut requests = requests.iter();
            requests.find(|request| request.project == *project)
        };
        let kind = |project: &ProjectName| request_for(project).map(|request| request.automatic);
        let declared = declare_all(
            self.session,
            self.network,
            repository,
            &catalogue,
            &solution,
            kind,
        )?;
        let mut added = Added {
            passed_over: solution.passed_over,
            removed: solution.unneeded,
            ..Added::default()
        };
        // A project may stay as it is, and yet be wanted from now on.
        let kinds = requests.iter().filter_map(|request| {
            let declaration = repository.declarations.get(&request.project)?;
            let is_changed = solution.changed.contains_key(&request.project);
            let is_other = declaration.automatic != request.automatic;
            (!is_changed && is_other).then(|| Declared {
                declaration: Declaration {
                    automatic: request.automatic,
                    ..declaration.clone()
                },
                publisher: None,
            })
        });
        let kinds: Vec<Declared> = kinds.collect();
        for Declared {
            declaration,
            publisher,
        } in declared.into_iter().chain(kinds)
        {
            let only = request_for(&declaration.project).and_then(|one| one.only.as_ref());
            added.insert(repository, declaration, publisher, only)?;
        }
        added.granted = requests
            .into_iter()
            .map(|request| (request.project.clone(), request))
            .collect();
        Ok(added)
    }

    fn policy(&self, repository: &Repository, requests: &[ProjectRequest]) -> Policy {
        let asked = requests.iter().map(|request| {
            let asked = Asked {
                wishes: request.wishes().collect(),
                extras: request.extras.clone(),
                platforms: (&request.platforms).into(),
            };
            (request.project.clone(), asked)
        });
        let mut offered = offered_platforms(repository);
        offered.extend(requests.iter().filter_map(|request| {
            let on = platforms_where(request.only.as_ref()?, &repository.configuration.platforms);
            Some((request.project.clone(), on))
        }));
        Policy {
            asked: asked.collect(),
            moving: self.may_move.clone(),
            may_downgrade: self.may_downgrade,
            with_dependencies: self.with_dependencies,
            prefer: self.prefer,
            offered,
            of_any_age: self
                .wheels
                .iter()
                .map(|wheel| wheel.file_name.name().clone())
                .collect(),
            uploads: UploadLimit::of(repository.configuration.cooldown, self.session.now(), None),
            constraints: self.constraints.clone(),
            preferred: self.preferred.clone(),
            ..Policy::default()
        }
    }
}

/// Checks the marker of a request: the format of the set must have `only`, and the marker must be
/// decided on every platform, hold on some, and not ask for extras.
fn check_only(configuration: &Configuration, request: &ProjectRequest) -> Result<(), Failure> {
    let Some(only) = &request.only else {
        return Ok(());
    };
    let project = &request.project;
    if configuration.format < FormatVersion::V2 {
        let places: BTreeSet<Arc<str>> = request.wishes().map(|wish| wish.place).collect();
        let places: Vec<&str> = places.iter().map(|place| &**place).collect();
        return Err(Failure::usage(format!(
            "`{project}` is wanted only where `{only}` holds ({}), and a repository with `format \
             = 1` cannot say that",
            places.join(", ")
        ))
        .help("`ipwhl migrate --format 2` gives the repository the key `only`"));
    }
    let platforms = &configuration.platforms;
    let answers: BTreeSet<Truth> = platforms
        .iter()
        .map(|platform| only.evaluate(&MarkerEnvironment::for_platform(platform), None))
        .collect();
    let names_extra = only.named_extras().is_none_or(|extras| !extras.is_empty());
    if names_extra || answers.contains(&Truth::Unknown) || !answers.contains(&Truth::True) {
        return Err(Failure::usage(format!(
            "`{only}` does not say where to offer a project (`{project}`): it must be true or \
             false on each supported platform, and true on some"
        ))
        .help("as in `--only \"sys_platform != 'win32'\"`"));
    }
    Ok(())
}

/// The search keeps platforms as bits.
pub(super) fn check_number(platforms: &[Platform]) -> Result<(), Failure> {
    if platforms.len() <= MAXIMUM_PLATFORMS {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the set has {} platforms, and versions are chosen for at most {MAXIMUM_PLATFORMS}",
        platforms.len()
    ))
    .help("support fewer platforms in `[platforms]`"))
}

/// The file of a project's declaration, from the repository's folder.
pub fn declaration_file(repository: &Repository, project: &ProjectName) -> String {
    format!("{}/{project}.toml", repository.configuration.declarations)
}

fn insert(
    repository: &mut Repository,
    mut declaration: Declaration,
    only: Option<&Marker>,
) -> Result<(), Failure> {
    keep_sources(repository, &mut declaration);
    if let Some(only) = only {
        for wheel in &mut declaration.wheels {
            wheel.only = Some(Spanned::new(only.clone(), 0..0));
        }
    }
    keep_times(repository, &mut declaration);
    let name = declaration_file(repository, &declaration.project);
    let file: Arc<str> = Arc::from(name.as_str());
    let text = write_declaration(&declaration);
    let text = match repository.texts.get(&file) {
        Some(before) => keep_comments(before.as_str(), &text),
        None => schema_line(repository) + &text,
    };
    let parsed = parse(&file, &text, Layout::Package);
    let is_fatal =
        |finding: &&Finding| !finding.code.may_be_overridden() || finding.code.hides_requirements();
    if let Some(finding) = parsed.findings.iter().find(is_fatal) {
        return Err(Failure::finding(format!(
            "the index's data of `{}` makes no valid declaration: {}",
            declaration.project, finding.message
        )));
    }
    repository
        .texts
        .insert(Arc::clone(&file), SourceText::new(text));
    repository.unreadable.remove(&declaration.project);
    repository.declarations.insert(
        declaration.project.clone(),
        Declaration {
            file,
            automatic: parsed.automatic,
            automatic_span: parsed.automatic_span,
            provenance: parsed.provenance,
            wheels: parsed.wheels,
            project: declaration.project,
        },
    );
    Ok(())
}

/// A wheel that stays keeps the sources that people have given it.
fn keep_sources(repository: &Repository, declaration: &mut Declaration) {
    let Some(before) = repository.declarations.get(&declaration.project) else {
        return;
    };
    for wheel in &mut declaration.wheels {
        let same = before.wheels.iter().find(|other| {
            other.file_name.as_str() == wheel.file_name.as_str()
                && other.content_id.value == wheel.content_id.value
        });
        if let Some(same) = same {
            wheel.sources.clone_from(&same.sources);
        }
    }
}

/// The times of uploads, as far as the repository's format has them. A wheel that stays keeps the
/// declared one if the index states none.
fn keep_times(repository: &Repository, declaration: &mut Declaration) {
    let before = repository.declarations.get(&declaration.project);
    for wheel in &mut declaration.wheels {
        if repository.configuration.format < FormatVersion::V2 {
            wheel.uploaded = None;
        } else if wheel.uploaded.is_none() {
            let same = before.and_then(|before| {
                let mut wheels = before.wheels.iter();
                wheels.find(|other| other.content_id.value == wheel.content_id.value)
            });
            wheel.uploaded = same.and_then(|same| same.uploaded.clone());
        }
    }
}

/// Keys that curators have written about a project stay when its version changes: `only`,
/// `publisher` and `reviewed`.
fn keep_choices(repository: &Repository, declaration: &mut Declaration) {
    let Some(before) = repository.declarations.get(&declaration.project) else {
        return;
    };
    declaration.provenance.clone_from(&before.provenance);
    // An `only` that all wheels share is about the project.
    let first = before.wheels.first().and_then(|wheel| wheel.only.as_ref());
    let is_shared = before
        .wheels
        .iter()
        .all(|wheel| wheel.only.as_ref().map(|only| &only.value) == first.map(|only| &only.value));
    for wheel in &mut declaration.wheels {
        if is_shared {
            wheel.only = first.cloned();
        }
    }
}

/// The first line of a new declaration if the repository has the schema: a directive for editors.
fn schema_line(repository: &Repository) -> String {
    if repository.directory.join(DECLARATION_SCHEMA_FILE).is_file() {
        schema_directive(&repository.configuration.declarations) + "\n\n"
    } else {
        String::new()
    }
}
