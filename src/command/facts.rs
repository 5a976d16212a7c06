//! From declared wheels to facts: what the cache knows is taken, the rest is fetched and read.

mod known;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use ipwhl_packaging::wheel::{FACTS_VERSION, Limits, inspect};
use ipwhl_unixfs::{Cid, Profile};
use rayon::prelude::*;
use tokio::sync::Semaphore;

use super::context::Context;
use super::network::{NetworkArguments, fetcher};
use crate::foundation::diagnostic::{Code, Finding, Severity};
use crate::foundation::failure::{Failure, error_chain};
use crate::set::check;
use crate::set::declaration::{DeclaredWheel, Source};
use crate::set::gather::{Facts, ReleaseFacts, ReusedFacts};
use crate::set::repository::{Configuration, Repository, SeverityRule};
use crate::source::{
    Cache, FetchError, FetchedWheel, Fetcher, SourceLocation, SourceProblem, WheelRequest,
    processors,
};

pub(super) use known::{known_facts, recall_verified};

/// What is known after all wheels have been looked at.
#[derive(Default)]
pub(super) struct Gathered {
    facts: BTreeMap<Cid, Facts>,
    /// What a release says of wheels that were not looked at, by content-id and file name.
    recalled: BTreeMap<(Cid, String), ReusedFacts>,
    /// What is wrong with wheels and sources.
    pub(super) findings: Vec<Finding>,
    /// What failed in the world.
    pub(super) failures: Vec<WorldFailure>,
}

/// A wheel that could not be looked at, for a reason that says nothing about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WorldFailure {
    /// The declaration and the wheel, where it is about one, as a sentence goes on.
    pub(super) what: String,
    /// Why, as half a sentence: the same text for the same reason.
    pub(super) reason: String,
    /// Whether the cache is why.
    pub(super) is_of_cache: bool,
}

impl Gathered {
    /// Takes in what was found otherwise; what is known already is not said twice.
    pub(super) fn extend(&mut self, other: Self) {
        self.facts.extend(other.facts);
        self.recalled.extend(other.recalled);
        for finding in other.findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        for failure in other.failures {
            if !self.failures.contains(&failure) {
                self.failures.push(failure);
            }
        }
    }

    /// How many of these wheels were looked at, by this run or an earlier one.
    pub(super) fn verified(&self, wheels: &[&DeclaredWheel]) -> usize {
        let is_known = |wheel: &&&DeclaredWheel| self.facts(wheel).is_some();
        wheels.iter().filter(is_known).count()
    }

    /// The facts of a declared wheel.
    pub(super) fn facts(&self, wheel: &DeclaredWheel) -> Option<&Facts> {
        self.facts.get(&wheel.content_id.value)
    }

    /// What is known of a declared wheel, from itself or from a release that is reused.
    pub(super) fn release_facts(&self, wheel: &DeclaredWheel) -> Option<ReleaseFacts<'_>> {
        let facts = self.facts(wheel).map(Facts::release_facts);
        facts.or_else(|| {
            self.recalled
                .get(&name(wheel))
                .map(ReusedFacts::release_facts)
        })
    }
}

/// What is wanted of the wheels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Their facts.
    Facts,
    /// Their bytes in the cache, too.
    Bytes,
}

/// What tells a wheel in a release: its content, and the name that it has been checked under.
fn name(wheel: &DeclaredWheel) -> (Cid, String) {
    let file_name = wheel.file_name.as_str().to_owned();
    (wheel.content_id.value, file_name)
}

/// The key under which the facts of a wheel are kept: its content, and what they are facts by.
pub(super) fn facts_version() -> String {
    FACTS_VERSION.to_string()
}

/// Every wheel of the repository.
pub(super) fn all_wheels(repository: &Repository) -> Vec<&DeclaredWheel> {
    repository
        .declarations
        .values()
        .flat_map(|declaration| &declaration.wheels)
        .collect()
}

/// Says what is known of wheels without looking at them: a value for each, in their order.
pub(super) type Recall<'r> =
    dyn Fn(&[&DeclaredWheel]) -> Result<Vec<Option<ReusedFacts>>, Failure> + 'r;

/// Facts and findings of these wheels of the repository.
pub(super) fn gather(
    context: &Context<'_>,
    repository: &Repository,
    wheels: &[&DeclaredWheel],
    network: &NetworkArguments,
    profile: Profile,
    want: Want,
) -> Result<Gathered, Failure> {
    let nothing = |wheels: &[&DeclaredWheel]| Ok(wheels.iter().map(|_| None).collect());
    gather_with(
        context, repository, wheels, network, profile, want, &nothing,
    )
}

/// The same, where `recall` is asked before a wheel is fetched for its facts.
pub(super) fn gather_with(
    context: &Context<'_>,
    repository: &Repository,
    wheels: &[&DeclaredWheel],
    network: &NetworkArguments,
    profile: Profile,
    want: Want,
    recall: &Recall<'_>,
) -> Result<Gathered, Failure> {
    let cache = context.session.cache()?;
    let known: Vec<Option<Facts>> = wheels
        .par_iter()
        .map(|wheel| {
            let cid = wheel.content_id.value;
            let facts = known_facts(&cache, &cid)?;
            let is_there = want == Want::Facts || cache.open_wheel(&cid).is_some();
            (is_there && fits(wheel, &facts)).then_some(facts)
        })
        .collect();
    let mut gathered = Gathered::default();
    let mut missing: Vec<&DeclaredWheel> = Vec::new();
    for (wheel, facts) in wheels.iter().zip(known) {
        match facts {
            Some(facts) => {
                gathered.facts.insert(wheel.content_id.value, facts);
            }
            None => missing.push(wheel),
        }
    }
    if want == Want::Facts {
        let recalled = recall(&missing)?;
        let mut left = Vec::new();
        for (wheel, recalled) in missing.into_iter().zip(recalled) {
            match recalled.filter(|recalled| is_as_declared(wheel, recalled.release_facts())) {
                Some(recalled) => drop(gathered.recalled.insert(name(wheel), recalled)),
                None => left.push(wheel),
            }
        }
        missing = left;
    }
    if !missing.is_empty() {
        let fetcher = fetcher(context, &repository.configuration, network, profile)?;
        fetch(context, repository, &fetcher, &missing, &mut gathered)?;
    }
    let layout = repository.configuration.layout;
    let platforms = &repository.configuration.platforms;
    let found: Vec<Vec<Finding>> = wheels
        .par_iter()
        .map(
            |wheel| match (gathered.facts(wheel), gathered.recalled.get(&name(wheel))) {
                (Some(facts), _) => check::wheel(wheel, &facts.archive, layout, platforms),
                (None, Some(recalled)) => check::metadata(wheel, recalled.release_facts().metadata),
                (None, None) => Vec::new(),
            },
        )
        .collect();
    gathered.findings.extend(found.into_iter().flatten());
    Ok(gathered)
}

fn key(cid: &Cid) -> String {
    cid.to_string()
}

/// Whether facts that were kept are those of the wheel as it is declared now.
fn fits(wheel: &DeclaredWheel, facts: &Facts) -> bool {
    is_as_declared(wheel, facts.release_facts())
}

fn is_as_declared(wheel: &DeclaredWheel, facts: ReleaseFacts<'_>) -> bool {
    facts.dag.cid() == wheel.content_id.value
        && wheel
            .sha256
            .as_ref()
            .is_none_or(|sha256| sha256.value == facts.sha256)
        && wheel
            .size
            .as_ref()
            .is_none_or(|size| size.value == facts.dag.size())
}

fn fetch(
    context: &Context<'_>,
    repository: &Repository,
    fetcher: &Fetcher,
    wheels: &[&DeclaredWheel],
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let requests = requests(repository, wheels);
    let progress = context.session.begin_wheels(&requests);
    let report = |event| progress.fetch(event);
    let processors = Arc::new(Semaphore::new(processors().get()));
    let runtime = context.session.runtime()?;
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    outcomes.resize_with(wheels.len(), || None);
    runtime.block_on(async {
        let mut inspections = fetcher
            .fetch_all(&requests, &report)
            .map(|(index, fetched)| {
                let processors = Arc::clone(&processors);
                let cache = fetcher.cache().clone();
                let cid = requests[index].content_id;
                async move { (index, read(fetched, cache, cid, processors).await) }
            })
            .buffer_unordered(processors.available_permits() * 2);
        while let Some((index, outcome)) = inspections.next().await {
            if matches!(outcome, Outcome::Known(..)) {
                progress.verified();
            }
            outcomes[index] = Some(outcome);
        }
    });
    progress.finish();
    for (wheel, outcome) in wheels.iter().zip(outcomes) {
        match outcome {
            Some(Outcome::Known(facts, passed_over)) => {
                for problem in passed_over {
                    context.warning(&format!("{}: {}: {problem}", wheel.file, wheel.file_name));
                }
                gathered.facts.insert(wheel.content_id.value, *facts);
            }
            Some(Outcome::Unknown(error)) => refuse(wheel, &error, gathered),
            Some(Outcome::Broken(reason)) => gathered.failures.push(about(wheel, reason)),
            None => gathered
                .failures
                .push(about(wheel, "it was not looked at".to_owned())),
        }
    }
    Ok(())
}

fn about(wheel: &DeclaredWheel, reason: String) -> WorldFailure {
    WorldFailure {
        what: format!("{}: `{}`", wheel.file, wheel.file_name),
        reason,
        is_of_cache: false,
    }
}

enum Outcome {
    Known(Box<Facts>, Vec<SourceProblem>),
    Unknown(FetchError),
    Broken(String),
}

/// Reads a wheel that is in the cache, on a thread of its own.
async fn read(
    fetched: Result<FetchedWheel, FetchError>,
    cache: Cache,
    cid: Cid,
    processors: Arc<Semaphore>,
) -> Outcome {
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(error) => return Outcome::Unknown(error),
    };
    // Closed only by dropping it.
    let _permit = processors.acquire_owned().await.ok();
    let passed_over = fetched.passed_over.clone();
    let work = tokio::task::spawn_blocking(move || {
        keep_as(&cache, &cid, fetched).map(|facts| (facts, passed_over))
    });
    match work.await {
        Ok(Ok((facts, passed_over))) => Outcome::Known(Box::new(facts), passed_over),
        Ok(Err(error)) => {
            Outcome::Broken(format!("the wheel in the cache cannot be read: {error}"))
        }
        Err(_) => Outcome::Broken("reading it stopped".to_owned()),
    }
}

/// Reads a wheel that was fetched without a declaration, and keeps its facts.
pub(super) fn keep(cache: &Cache, fetched: FetchedWheel) -> io::Result<Facts> {
    let cid = fetched.dag.cid();
    keep_as(cache, &cid, fetched)
}

/// Reads a wheel in the cache, and keeps its facts under the CID that it is declared with.
fn keep_as(cache: &Cache, cid: &Cid, fetched: FetchedWheel) -> io::Result<Facts> {
    let archive = inspect(&mut File::open(&fetched.path)?, &Limits::default())?;
    let facts = Facts {
        sha256: fetched.sha256,
        dag: fetched.dag,
        archive,
    };
    // Without them the next run reads the wheel again; nothing else is lost.
    let _ = cache.keep_facts(&facts_version(), &key(cid), &facts);
    Ok(facts)
}

/// Declared wheels as the source room asks for them.
pub(super) fn requests(repository: &Repository, wheels: &[&DeclaredWheel]) -> Vec<WheelRequest> {
    wheels
        .iter()
        .map(|wheel| {
            let mut request = request(&repository.directory, wheel);
            if !allows_insecure(&repository.configuration, wheel) {
                for (location, source) in request.sources.iter_mut().zip(&wheel.sources) {
                    if let Source::Web(url) = &source.value
                        && source.value.is_insecure()
                    {
                        *location = SourceLocation::Insecure(url.clone());
                    }
                }
            }
            request
        })
        .collect()
}

/// Whether somebody answers for addresses without transport security; otherwise they are errors,
/// and not asked.
fn allows_insecure(configuration: &Configuration, wheel: &DeclaredWheel) -> bool {
    let code = Code::InsecureSource;
    let is_softened = match configuration.severity.get(&code) {
        Some(SeverityRule::Off | SeverityRule::Weighs(Severity::Warning)) => true,
        Some(SeverityRule::Weighs(Severity::Error)) | None => false,
    };
    let mut waivers = configuration.waivers.iter();
    is_softened
        || configuration.allowed.contains(&code)
        || waivers.any(|waiver| waiver.code == code && waiver.project == *wheel.file_name.name())
}

/// A declared wheel as the source room asks for it; `file:` is relative to this folder.
pub(super) fn request(directory: &Path, wheel: &DeclaredWheel) -> WheelRequest {
    let sources = wheel
        .sources
        .iter()
        .map(|source| match &source.value {
            Source::Package(package) => SourceLocation::PackageUrl {
                project: package.project.to_string(),
                version: package.version.to_string(),
                file_name: package.file_name.clone(),
            },
            Source::Web(url) => SourceLocation::Web(url.clone()),
            Source::File(path) => SourceLocation::File {
                directory: directory.to_path_buf(),
                path: path.clone(),
            },
        })
        .collect();
    WheelRequest {
        project: wheel.file_name.name().to_string(),
        file_name: wheel.file_name.as_str().to_owned(),
        sources,
        content_id: wheel.content_id.value,
        sha256: wheel.sha256.as_ref().map(|sha256| sha256.value),
        size: wheel.size.as_ref().map(|size| size.value),
    }
}

/// Sorts what went wrong into findings, which are about the declaration, and failures, which are
/// about the world.
fn refuse(wheel: &DeclaredWheel, error: &FetchError, gathered: &mut Gathered) {
    match error {
        FetchError::Sources { problems, .. } => {
            // The sources come first, then the gateways of `[mirrors]`.
            for (position, problem) in problems.iter().enumerate() {
                match wheel.sources.get(position) {
                    Some(source) => describe(wheel, source.span.clone(), problem, gathered),
                    // That a gateway lacks a wheel says nothing about its declaration.
                    None if matches!(problem, SourceProblem::Missing { .. }) => {}
                    None => describe(wheel, wheel.span(), problem, gathered),
                }
            }
        }
        FetchError::Cache(_) => {
            gathered.failures.push(WorldFailure {
                is_of_cache: true,
                ..about(wheel, error_chain(error))
            });
        }
    }
}

/// What is to be said of one source.
pub(super) fn describe(
    wheel: &DeclaredWheel,
    span: std::ops::Range<usize>,
    problem: &SourceProblem,
    gathered: &mut Gathered,
) {
    match problem {
        SourceProblem::Missing { place, reason } => {
            let finding = check::missing_source(wheel, span, place, reason);
            gathered.findings.push(finding);
        }
        SourceProblem::Mismatch { place, mismatches } => {
            let findings = check::other_bytes(wheel, place, mismatches);
            gathered.findings.extend(findings);
        }
        // `insecure-source` says it.
        SourceProblem::NotAsked { .. } => {}
        SourceProblem::Failed { place, reason } => gathered.failures.push(WorldFailure {
            what: format!(
                "{}: `{}` could not be fetched from {place}",
                wheel.file, wheel.file_name
            ),
            reason: reason.clone(),
            is_of_cache: false,
        }),
    }
}
