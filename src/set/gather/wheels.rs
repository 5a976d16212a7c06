//! Gathers the facts of wheels: each wheel without cached facts is fetched and read.

use std::cell::OnceCell;
use std::sync::Arc;

use futures_util::StreamExt;
use ipwhl_unixfs::{Cid, Profile};
use rayon::prelude::*;
use tokio::sync::Semaphore;

use super::report::release_key;
use super::request::wheel_requests;
use super::{
    Facts, Network, ReleaseFacts, ReusedFacts, WheelFailure, WheelProblem, WheelReport,
    keep_facts_of, known_facts, wheel_request,
};
use crate::foundation::failure::{Failure, error_chain};
use crate::set::declaration::DeclaredWheel;
use crate::set::repository::Repository;
use crate::source::{Cache, FetchError, FetchedWheel, Fetcher, Session, SourceProblem, processors};

/// The data that a caller needs of the wheels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Their facts.
    Facts,
    /// Their facts, and their bytes in the cache.
    Bytes,
}

/// Returns the facts that a release has of wheels, so that they need not be read: a value for each,
/// in their order.
pub type Reuse<'r> = dyn Fn(&[&DeclaredWheel]) -> Result<Vec<Option<ReusedFacts>>, Failure> + 'r;

/// The context and options for gathering wheels.
pub struct Gathering<'a> {
    /// The cache, the HTTP clients and the observer of progress.
    pub session: &'a Session,
    /// The repository that declares the wheels.
    pub repository: &'a Repository,
    /// The network settings.
    pub network: &'a Network,
    /// The profile that is tried first if several profiles fit a content-id.
    pub profile: Profile,
    /// Consulted before a wheel is fetched for its facts.
    pub reuse: Option<&'a Reuse<'a>>,
}

/// The fetcher of a gathering, made on first use: its steps share the pages of the index.
pub(super) struct SharedFetcher<'g> {
    gathering: &'g Gathering<'g>,
    fetcher: OnceCell<Fetcher>,
}

impl<'g> SharedFetcher<'g> {
    pub(super) fn of(gathering: &'g Gathering<'_>) -> Self {
        Self {
            gathering,
            fetcher: OnceCell::new(),
        }
    }

    pub(super) fn get(&self) -> Result<&Fetcher, Failure> {
        if let Some(fetcher) = self.fetcher.get() {
            return Ok(fetcher);
        }
        let Gathering {
            session,
            repository,
            network,
            profile,
            ..
        } = self.gathering;
        let fetcher = network.fetcher(session, &repository.configuration, *profile)?;
        Ok(self.fetcher.get_or_init(|| fetcher))
    }
}

impl Gathering<'_> {
    /// The facts of these wheels of the repository, from the cache, a reused release, or the wheels
    /// themselves.
    ///
    /// # Errors
    /// When there is no cache, or the reused release cannot be read. Problems and failures of
    /// single wheels are in the report.
    pub fn gather(&self, wheels: &[&DeclaredWheel], want: Want) -> Result<WheelReport, Failure> {
        self.gather_with(&SharedFetcher::of(self), wheels, want)
    }

    /// Checks the sources of `asked`, reads the wheels of `read` for their facts, and asks the
    /// index for the times of `timed`. Each page of the index is fetched once.
    ///
    /// # Errors
    /// When there is no cache for wheels that must be read, or the network cannot be used at all.
    pub fn examine(
        &self,
        asked: &[&DeclaredWheel],
        read: &[&DeclaredWheel],
        timed: &[&DeclaredWheel],
    ) -> Result<WheelReport, Failure> {
        let fetcher = SharedFetcher::of(self);
        let mut report = WheelReport::default();
        if !asked.is_empty() {
            self.ask_sources_with(&fetcher, asked, &mut report)?;
        }
        if !read.is_empty() {
            report.extend(self.gather_with(&fetcher, read, Want::Facts)?);
        }
        if !timed.is_empty() {
            report.extend(self.ask_times(&fetcher, timed)?);
        }
        Ok(report)
    }

    fn gather_with(
        &self,
        fetcher: &SharedFetcher<'_>,
        wheels: &[&DeclaredWheel],
        want: Want,
    ) -> Result<WheelReport, Failure> {
        let cache = self.session.cache()?;
        let known: Vec<Option<Facts>> = wheels
            .par_iter()
            .map(|wheel| {
                let cid = wheel.content_id.value;
                let facts = known_facts(&cache, &cid)?;
                let is_there = want == Want::Facts || cache.open_wheel(&cid).is_some();
                (is_there && is_as_declared(wheel, facts.release_facts())).then_some(facts)
            })
            .collect();
        let mut report = WheelReport::default();
        let mut missing: Vec<&DeclaredWheel> = Vec::new();
        for (wheel, facts) in wheels.iter().zip(known) {
            match facts {
                Some(facts) => {
                    report.facts.insert(wheel.content_id.value, facts);
                }
                None => missing.push(wheel),
            }
        }
        if want == Want::Facts
            && let Some(reuse) = self.reuse
        {
            let reused = reuse(&missing)?;
            let mut left = Vec::new();
            for (wheel, reused) in missing.into_iter().zip(reused) {
                match reused.filter(|reused| is_as_declared(wheel, reused.release_facts())) {
                    Some(reused) => drop(report.reused.insert(release_key(wheel), reused)),
                    None => left.push(wheel),
                }
            }
            missing = left;
        }
        if !missing.is_empty() {
            self.fetch(fetcher.get()?, &missing, &mut report)?;
        }
        Ok(report)
    }

    fn fetch(
        &self,
        fetcher: &Fetcher,
        wheels: &[&DeclaredWheel],
        report: &mut WheelReport,
    ) -> Result<(), Failure> {
        let requests = wheel_requests(self.repository, wheels);
        let runtime = self.session.runtime()?;
        let progress = self.session.begin_wheels(&requests);
        let tell = |event| progress.fetch(event);
        let processors = Arc::new(Semaphore::new(processors().get()));
        let mut outcomes: Vec<Option<Outcome>> = Vec::new();
        outcomes.resize_with(wheels.len(), || None);
        runtime.block_on(async {
            let mut inspections = fetcher
                .fetch_all(&requests, &tell)
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
                Some(Outcome::Known(facts, rejected)) => {
                    let rejected = rejected.into_iter().map(|problem| WheelProblem {
                        wheel: Box::new((*wheel).clone()),
                        span: wheel.span(),
                        problem,
                    });
                    report.rejected.extend(rejected);
                    report.facts.insert(wheel.content_id.value, *facts);
                }
                Some(Outcome::Unknown(error)) => refuse(wheel, &error, report),
                Some(Outcome::Broken(reason)) => {
                    report.failures.push(WheelFailure::new(wheel, reason));
                }
                None => {
                    let failure = WheelFailure::new(wheel, "it was not read");
                    report.failures.push(failure);
                }
            }
        }
        Ok(())
    }

    /// Checks every listed source of these wheels, each by itself, and records the problems.
    ///
    /// # Errors
    /// When there is no cache, or no thread for the network.
    pub fn ask_sources(
        &self,
        wheels: &[&DeclaredWheel],
        report: &mut WheelReport,
    ) -> Result<(), Failure> {
        self.ask_sources_with(&SharedFetcher::of(self), wheels, report)
    }

    fn ask_sources_with(
        &self,
        fetcher: &SharedFetcher<'_>,
        wheels: &[&DeclaredWheel],
        report: &mut WheelReport,
    ) -> Result<(), Failure> {
        let fetcher = fetcher.get()?;
        let requests = wheel_requests(self.repository, wheels);
        let progress = self.session.begin_wheels(&requests);
        let tell = |event| progress.fetch(event);
        let mut outcomes = self.session.runtime()?.block_on(async {
            fetcher
                .check_sources(&requests, &tell)
                .inspect(|(_, outcome)| {
                    let is_sound = outcome
                        .as_ref()
                        .is_ok_and(|sources| sources.iter().all(|source| source.problem.is_none()));
                    if is_sound {
                        progress.verified();
                    }
                })
                .collect::<Vec<_>>()
                .await
        });
        progress.finish();
        outcomes.sort_by_key(|(index, _)| *index);
        for (index, outcome) in outcomes {
            let wheel = wheels[index];
            match outcome {
                Ok(sources) => {
                    for (source, outcome) in wheel.sources.iter().zip(sources) {
                        if let Some(problem) = outcome.problem {
                            report.note(wheel, source.span.clone(), &problem);
                        }
                    }
                }
                Err(error) => {
                    let failure = WheelFailure::of_cache(wheel, error_chain(&error));
                    report.failures.push(failure);
                }
            }
        }
        Ok(())
    }
}

/// The facts that earlier runs stored of these wheels. Nothing is fetched and no wheel is read;
/// without a cache there are none.
pub fn known_wheels(
    cache: Option<&Cache>,
    repository: &Repository,
    wheels: &[&DeclaredWheel],
) -> WheelReport {
    let known: Vec<Option<Facts>> = wheels
        .par_iter()
        .map(|wheel| known_facts(cache?, &wheel.content_id.value))
        .collect();
    let mut report = WheelReport::default();
    for (wheel, facts) in wheels.iter().zip(known) {
        let Some(facts) = facts else {
            continue;
        };
        let request = wheel_request(&repository.directory, wheel);
        if let Some(problem) = request.contradiction(facts.dag.size(), &facts.sha256) {
            let problems = vec![problem];
            let file_name = request.file_name;
            refuse(
                wheel,
                &FetchError::Sources {
                    file_name,
                    problems,
                },
                &mut report,
            );
        } else if is_as_declared(wheel, facts.release_facts()) {
            report.facts.insert(wheel.content_id.value, facts);
        }
    }
    report
}

/// Whether the facts of a wheel agree with its declaration as it is now.
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

enum Outcome {
    Known(Box<Facts>, Vec<SourceProblem>),
    Unknown(FetchError),
    Broken(String),
}

/// Reads a wheel from the cache, on a separate thread.
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
    // The channel is closed only when it is dropped.
    let _permit = processors.acquire_owned().await.ok();
    let rejected = fetched.rejected.clone();
    let work = tokio::task::spawn_blocking(move || {
        keep_facts_of(&cache, &cid, fetched).map(|facts| (facts, rejected))
    });
    match work.await {
        Ok(Ok((facts, rejected))) => Outcome::Known(Box::new(facts), rejected),
        Ok(Err(error)) => {
            Outcome::Broken(format!("the wheel in the cache cannot be read: {error}"))
        }
        Err(_) => Outcome::Broken("the thread that read it stopped".to_owned()),
    }
}

/// Splits an error into problems, which concern the declaration, and failures, which do not.
fn refuse(wheel: &DeclaredWheel, error: &FetchError, report: &mut WheelReport) {
    match error {
        FetchError::Sources { problems, .. } => {
            // The positions are those of the sources first, then of the gateways in `[mirrors]`.
            for (position, problem) in problems.iter().enumerate() {
                match wheel.sources.get(position) {
                    Some(source) => report.note(wheel, source.span.clone(), problem),
                    // A gateway without the wheel says nothing about its declaration.
                    None if matches!(problem, SourceProblem::Missing { .. }) => {}
                    None => report.note(wheel, wheel.span(), problem),
                }
            }
        }
        FetchError::Cache(_) => {
            let failure = WheelFailure::of_cache(wheel, error_chain(error));
            report.failures.push(failure);
        }
    }
}
