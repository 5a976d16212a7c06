//! Declares chosen versions: their wheels are fetched and read.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::try_join_all;
use futures_util::{StreamExt, stream};
use ipwhl_packaging::{
    CoreMetadata, ExtraName, MarkerEnvironment, Platform, ProjectName, Requirement, Truth, Version,
    WheelFileName,
};

use super::fetched::{read_facts, unavailable};
use super::index_catalogue::IndexCatalogue;
use super::pins::check_pins;
use super::solver::{Solution, SolvedProject, same_requirements};
use crate::foundation::diagnostic::nearest;
use crate::foundation::failure::Failure;
use crate::set::check::{self, can_apply};
use crate::set::declaration::{
    Declaration, DeclaredWheel, Layout, PackageUrl, Provenance, Source, Spanned,
};
use crate::set::gather::Network;
use crate::set::repository::Repository;
use crate::source::{FetchEvent, Fetcher, IndexFile, Session, Work};

/// Declares the chosen versions of projects.
struct Declarer<'a> {
    fetcher: &'a Fetcher,
    catalogue: &'a IndexCatalogue,
    platforms: &'a [Platform],
    progress: &'a (dyn Fn(FetchEvent) + Sync),
}

/// Fetches the wheels of a solution and declares them. Projects that are new in the set are
/// automatic, unless `kind` says otherwise; others stay what they are.
pub(super) fn declare_all(
    session: &Session,
    network: &Network,
    repository: &Repository,
    catalogue: &IndexCatalogue,
    solution: &Solution,
    kind: impl Fn(&ProjectName) -> Option<bool>,
) -> Result<Vec<Declaration>, Failure> {
    let files = solution.changed.values().flat_map(|solved| &solved.files);
    let names: Vec<String> = files.map(|file| file.file_name.clone()).collect();
    let progress = session.begin(Work::Wheels, names);
    let tell = |event| progress.fetch(event);
    let declarer = Declarer {
        fetcher: catalogue.fetcher(),
        catalogue,
        platforms: &repository.configuration.platforms,
        progress: &tell,
    };
    let mut first = 0;
    let mut started = Vec::new();
    for (project, solved) in &solution.changed {
        let before = repository.declarations.get(project);
        let automatic = kind(project)
            .or_else(|| before.map(|declaration| declaration.automatic))
            .unwrap_or(true);
        started.push(declarer.declare(first, project, solved, automatic));
        first += solved.files.len();
    }
    let answers = stream::iter(started.into_iter().enumerate())
        .map(|(index, declared)| async move { (index, declared.await) })
        .buffer_unordered(network.jobs.get())
        .inspect(|_| progress.verified());
    let mut answers: Vec<(usize, Result<Declaration, Failure>)> =
        session.runtime()?.block_on(answers.collect());
    progress.clear();
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, declared)| declared).collect()
}

impl Declarer<'_> {
    /// Fetches the wheels of a project and declares them. `first` is the number of its first wheel
    /// among all wheels of the change.
    async fn declare(
        &self,
        first: usize,
        project: &ProjectName,
        solved: &SolvedProject,
        automatic: bool,
    ) -> Result<Declaration, Failure> {
        let numbered = solved.files.iter().enumerate();
        let fetched =
            numbered.map(|(index, file)| self.wheel(first + index, project, solved, file));
        let mut wheels = try_join_all(fetched).await?;
        wheels.sort_by(|one, other| one.file_name.as_str().cmp(other.file_name.as_str()));
        Ok(Declaration {
            project: project.clone(),
            file: Arc::from(""),
            automatic,
            automatic_span: None,
            provenance: Provenance::default(),
            wheels,
        })
    }

    /// Fetches a wheel and declares it.
    async fn wheel(
        &self,
        number: usize,
        project: &ProjectName,
        solved: &SolvedProject,
        file: &IndexFile,
    ) -> Result<DeclaredWheel, Failure> {
        let version = &solved.version;
        let file_name: WheelFileName = file.file_name.parse().map_err(|error| {
            Failure::finding(format!("`{}` is not a wheel name: {error}", file.file_name))
        })?;
        let local = self.catalogue.local().file(&file.file_name);
        let (facts, source) = match local {
            Some(local) => (Arc::clone(&local.facts), Source::File(local.path.clone())),
            None => {
                let fetched = self.fetcher.fetch_listed(number, file, self.progress);
                let fetched = fetched.await.map_err(|error| unavailable(&error))?;
                let cache = self.fetcher.cache();
                let facts = read_facts(cache, fetched, file_name.as_str()).await?;
                let source = PackageUrl {
                    project: project.clone(),
                    version: version.clone(),
                    file_name: file_name.as_str().to_owned(),
                };
                (Arc::new(facts), Source::Package(source))
            }
        };
        check_pins(self.catalogue.pins(), &file_name, facts.sha256)?;
        if let Some(problem) = facts.archive.problems.first() {
            return Err(Failure::finding(format!(
                "`{}` is not a valid wheel: {}",
                file_name, problem.message
            ))
            .help(another(project, version)));
        }
        let metadata = CoreMetadata::parse(&facts.archive.metadata).map_err(|reasons| {
            Failure::finding(format!(
                "METADATA of `{}` breaks its specification: {}",
                file_name,
                reasons.join(", ")
            ))
        })?;
        // What the search has used is compared with the wheel, which alone is verified.
        if let Ok(claimed) = self.catalogue.metadata_now(file).await?
            && !same_requirements(&claimed, &metadata)
        {
            return Err(Failure::finding(format!(
                "the index has other metadata of `{file_name}` than the wheel"
            ))
            .help("tell the maintainers of the index, and take another version"));
        }
        let extras = closed_extras(&solved.extras, &file_name, &metadata)?;
        let dependencies = dependencies(&metadata, &extras);
        let declared = DeclaredWheel {
            file: Arc::from(""),
            file_name: file_name.clone(),
            sources: vec![nowhere(source)],
            content_id: nowhere(facts.dag.cid()),
            requires_python: metadata
                .requires_python
                .filter(|specifiers| !specifiers.is_empty())
                .map(nowhere),
            extras: extras.into_iter().map(nowhere).collect(),
            extras_span: 0..0,
            dependencies: dependencies.into_iter().map(nowhere).collect(),
            dependencies_span: 0..0,
            sha256: Some(nowhere(facts.sha256)),
            size: Some(nowhere(facts.dag.size())),
            uploaded: file.uploaded.map(nowhere),
            only: None,
            stem: None,
            released: None,
            is_partial: false,
        };
        // Findings that no waiver can cover prevent the declaration; the others are reported when
        // it is written.
        let findings = check::wheel(&declared, &facts.archive, Layout::Package, self.platforms);
        match findings
            .iter()
            .find(|found| !found.code.may_be_overridden())
        {
            Some(found) => Err(Failure::finding(&found.message).help(if local.is_some() {
                "build the wheel again".to_owned()
            } else {
                another(project, version)
            })),
            None => Ok(declared),
        }
    }
}

/// The help if a version has an invalid wheel.
fn another(project: &ProjectName, version: &Version) -> String {
    format!("take another version: `ipwhl add '{project}<{version}'`")
}

/// A value without a place in a file.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(value, 0..0)
}

/// The requested extras, and those extras of the project itself that they need.
fn closed_extras(
    requested: &BTreeSet<ExtraName>,
    file_name: &WheelFileName,
    metadata: &CoreMetadata,
) -> Result<BTreeSet<ExtraName>, Failure> {
    let mut extras = BTreeSet::new();
    let mut open: Vec<ExtraName> = requested.iter().cloned().collect();
    let nothing_known = MarkerEnvironment::unknown();
    while let Some(extra) = open.pop() {
        if !metadata.provides_extra.contains(&extra) {
            let known: Vec<&str> = metadata
                .provides_extra
                .iter()
                .map(ExtraName::as_str)
                .collect();
            let failure = Failure::finding(format!("`{file_name}` has no extra `{extra}`"));
            return Err(match nearest(extra.as_str(), known.iter().copied()) {
                Some(word) => failure.help(format!("did you mean `{word}`?")),
                None if known.is_empty() => failure.help("it has no extras at all"),
                None => failure.help(format!("its extras are {}", known.join(", "))),
            });
        }
        for requirement in &metadata.requires_dist {
            let applies = requirement
                .marker
                .as_ref()
                .is_none_or(|marker| marker.evaluate(&nothing_known, Some(&extra)) != Truth::False);
            if requirement.name == *file_name.name() && applies {
                open.extend(requirement.extras.difference(&extras).cloned());
            }
        }
        extras.insert(extra);
        open.retain(|extra| !extras.contains(extra));
    }
    Ok(extras)
}

/// The wheel's requirements that can apply, each once.
fn dependencies(metadata: &CoreMetadata, extras: &BTreeSet<ExtraName>) -> BTreeSet<Requirement> {
    let extras: Vec<&ExtraName> = extras.iter().collect();
    metadata
        .requires_dist
        .iter()
        .filter(|requirement| can_apply(requirement, &extras))
        .cloned()
        .collect()
}
