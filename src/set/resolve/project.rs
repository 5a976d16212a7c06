//! Declares chosen versions: their wheels are fetched and read.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::try_join_all;
use futures_util::{StreamExt, stream};
use ipwhl_packaging::{
    CoreMetadata, ExtraName, MarkerEnvironment, ProjectName, Requirement, Truth, Version,
    WheelFileName,
};

use super::fetched::{read_facts, unavailable};
use super::index_catalogue::IndexCatalogue;
use super::pins::check_pins;
use super::publisher::{StatedPublisher, WheelPublisher};
use super::solver::{Solution, SolvedProject, same_requirements};
use crate::foundation::diagnostic::nearest;
use crate::foundation::failure::Failure;
use crate::set::check::{self, WheelRules, can_apply};
use crate::set::declaration::{
    Declaration, DeclaredWheel, FormatVersion, Layout, PackageUrl, Provenance, Source, Spanned,
};
use crate::set::gather::Network;
use crate::set::repository::Repository;
use crate::source::{FetchEvent, Fetcher, IndexFile, Session, Work};

/// Declares the chosen versions of projects.
struct Declarer<'a> {
    fetcher: &'a Fetcher,
    catalogue: &'a IndexCatalogue,
    rules: WheelRules<'a>,
    /// Whether the format of the repository has publishers.
    has_publishers: bool,
    progress: &'a (dyn Fn(FetchEvent) + Sync),
}

/// A declared project.
pub(super) struct Declared {
    /// Its declaration.
    pub(super) declaration: Declaration,
    /// What the index states about the publishers of its wheels, in a repository whose format has
    /// them, and if some wheel is from the index.
    pub(super) publisher: Option<StatedPublisher>,
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
) -> Result<Vec<Declared>, Failure> {
    let files = solution.changed.values().flat_map(|solved| &solved.files);
    let names: Vec<String> = files.map(|file| file.file_name.clone()).collect();
    let progress = session.begin(Work::Wheels, names);
    let tell = |event| progress.fetch(event);
    let declarer = Declarer {
        fetcher: catalogue.fetcher(),
        catalogue,
        rules: WheelRules {
            layout: Layout::Package,
            ..WheelRules::of(&repository.configuration)
        },
        has_publishers: repository.configuration.format >= FormatVersion::V2,
        progress: &tell,
    };
    let mut first = 0;
    let mut started = Vec::new();
    for (project, solved) in &solution.changed {
        let before = repository.declarations.get(project);
        let requested = kind(project);
        let automatic = requested
            .or_else(|| before.map(|declaration| declaration.automatic))
            .unwrap_or(true);
        let wanted = Wanted {
            project,
            solved,
            automatic,
            is_requested: requested.is_some(),
            before,
        };
        started.push(declarer.declare(first, wanted));
        first += solved.files.len();
    }
    let answers = stream::iter(started.into_iter().enumerate())
        .map(|(index, declared)| async move { (index, declared.await) })
        .buffer_unordered(network.jobs.get())
        .inspect(|_| progress.verified());
    let mut answers: Vec<(usize, Result<Declared, Failure>)> =
        session.runtime()?.block_on(answers.collect());
    progress.clear();
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, declared)| declared).collect()
}

/// A chosen version of a project.
struct Wanted<'a> {
    project: &'a ProjectName,
    solved: &'a SolvedProject,
    automatic: bool,
    /// Whether the caller asks for the project.
    is_requested: bool,
    /// Its declaration, if the set has the project already.
    before: Option<&'a Declaration>,
}

impl Declarer<'_> {
    /// Fetches the wheels of a project and declares them. `first` is the number of its first wheel
    /// among all wheels of the change.
    async fn declare(&self, first: usize, wanted: Wanted<'_>) -> Result<Declared, Failure> {
        let numbered = wanted.solved.files.iter().enumerate();
        let fetched = numbered.map(|(index, file)| self.wheel(first + index, &wanted, file));
        let (mut wheels, publishers): (Vec<_>, Vec<_>) =
            try_join_all(fetched).await?.into_iter().unzip();
        let publishers: Vec<WheelPublisher> = publishers.into_iter().flatten().collect();
        for wheel in &wheels {
            self.check_unchanged(wanted.before, wheel)?;
        }
        wheels.sort_by(|one, other| one.file_name.as_str().cmp(other.file_name.as_str()));
        let declaration = Declaration {
            project: wanted.project.clone(),
            file: Arc::from(""),
            automatic: wanted.automatic,
            automatic_span: None,
            provenance: Provenance::default(),
            wheels,
        };
        Ok(Declared {
            declaration,
            publisher: (!publishers.is_empty()).then(|| WheelPublisher::join(&publishers)),
        })
    }

    /// Refuses a wheel of the index if the set has one of this name with other bytes, which someone
    /// has reviewed.
    fn check_unchanged(
        &self,
        before: Option<&Declaration>,
        wheel: &DeclaredWheel,
    ) -> Result<(), Failure> {
        let name = wheel.file_name.as_str();
        let is_other = |declared: &DeclaredWheel| match (&declared.sha256, &wheel.sha256) {
            (Some(one), Some(other)) => one.value != other.value,
            _ => declared.content_id.value != wheel.content_id.value,
        };
        let Some(before) = before else { return Ok(()) };
        let mut declared = before.wheels.iter();
        let changed = declared.any(|one| one.file_name.as_str() == name && is_other(one));
        if !changed || self.catalogue.local().file(name).is_some() {
            return Ok(());
        }
        let message = format!(
            "the index has other bytes for `{name}` than `{}` declares",
            before.file
        );
        Err(Failure::finding(message).help(
            "the file was changed at its source, so ask upstream first; if the new one is right, \
             delete the declaration, and add the project again",
        ))
    }

    /// Fetches a wheel and declares it. Returns its publisher, too, if it is from the index.
    async fn wheel(
        &self,
        number: usize,
        wanted: &Wanted<'_>,
        file: &IndexFile,
    ) -> Result<(DeclaredWheel, Option<WheelPublisher>), Failure> {
        let Wanted {
            project, solved, ..
        } = wanted;
        let file_name: WheelFileName = file.file_name.parse().map_err(|error| {
            Failure::finding(format!("`{}` is not a wheel name: {error}", file.file_name))
        })?;
        let local = self.catalogue.local().file(&file.file_name);
        let (facts, source) = match local {
            Some(local) => (Arc::clone(&local.facts), Source::File(local.path.clone())),
            None => {
                let fetched = self.fetcher.fetch_listed(number, file, self.progress);
                let fetched = match fetched.await {
                    Ok(fetched) => fetched,
                    Err(error) if error.is_defect() => {
                        return Err(unavailable(&error).help(self.another(wanted).await));
                    }
                    Err(error) => return Err(unavailable(&error)),
                };
                let cache = self.fetcher.cache();
                let facts = read_facts(cache, fetched, file_name.as_str()).await?;
                let source = PackageUrl {
                    project: (*project).clone(),
                    version: solved.version.clone(),
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
            .help(self.another(wanted).await));
        }
        let metadata = match CoreMetadata::parse(&facts.archive.metadata) {
            Ok(metadata) => metadata,
            Err(reasons) => {
                return Err(Failure::finding(format!(
                    "METADATA of `{file_name}` breaks its specification: {}",
                    reasons.join(", ")
                ))
                .help(self.another(wanted).await));
            }
        };
        // What the search has used is compared with the wheel, which alone is verified.
        if let Ok(claimed) = self.catalogue.metadata_now(file).await?
            && !same_requirements(&claimed, &metadata)
        {
            return Err(Failure::finding(format!(
                "the index has other metadata of `{file_name}` than the wheel"
            ))
            .help(self.another(wanted).await));
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
        let findings = check::wheel(&declared, &facts.archive, &self.rules);
        match findings
            .iter()
            .find(|found| !found.code.may_be_overridden())
        {
            Some(found) => Err(Failure::finding(&found.message).help(if local.is_some() {
                "build the wheel again".to_owned()
            } else {
                self.another(wanted).await
            })),
            None => {
                let is_asked = self.has_publishers && local.is_none();
                let publisher = if is_asked {
                    Some(WheelPublisher::ask(self.fetcher, file, &facts.sha256).await)
                } else {
                    None
                };
                Ok((declared, publisher))
            }
        }
    }

    /// The help if a wheel of a version cannot be declared: a command that takes another version.
    async fn another(&self, wanted: &Wanted<'_>) -> String {
        let (project, version) = (wanted.project, &wanted.solved.version);
        let page = self.catalogue.page_now(project).await;
        let files = page.iter().flat_map(|page| &page.files);
        let mut names = files
            .filter(|file| file.yanked.is_none())
            .filter_map(|file| file.file_name.parse::<WheelFileName>().ok());
        if !names.any(|name| *name.name() == *project && is_another(name.version(), version)) {
            return "the index has no other version; tell its maintainers".to_owned();
        }
        let others = format!("'{project}!={version}'");
        if wanted.is_requested {
            format!("take another version: `ipwhl add {others}`")
        } else if wanted.before.is_some() {
            format!(
                "`ipwhl update {others}` takes another version or none; name other projects to \
                 update them, too"
            )
        } else {
            format!(
                "`ipwhl add --automatic {others}` takes another version; then run the same \
                 command again"
            )
        }
    }
}

/// Whether `!=VERSION` accepts another final version.
fn is_another(other: &Version, version: &Version) -> bool {
    other != version && !other.any_prerelease()
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
