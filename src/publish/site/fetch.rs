//! The archive of a release, assembled from local data and the files of a site.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use ipwhl_unixfs::car::{Blocks, CarError, CarReader, CarSummary, file_dag};
use ipwhl_unixfs::{Cid, FileDag, Profile};

use super::assembled::{AssembledBlocks, FoundWheel};
use super::check::{ALTERED, HollowError, read_archive, read_hollow};
use super::files::{ReleaseFile, release_files};
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{self, Failure, FailureKind, error_chain};
use crate::release::archive::{ArchiveKind, ReleaseArchive, may_replace, open_archive, write_full};
use crate::release::names::CAR;
use crate::release::statement::{OpenSite, SignedStatement, Statement};
use crate::source::{
    FetchSettings, Fetcher, IndexSearch, LARGEST_WHEEL, Limits, Session, SourceProblem,
    WheelRequest,
};

/// The size of the write buffer, in bytes.
const BUFFER: usize = 1024 * 1024;
/// The maximum size of an archive that is fetched as one file, in bytes.
const LARGEST_ARCHIVE: u64 = 128 * LARGEST_WHEEL;

/// A complete archive under its temporary name.
#[derive(Debug)]
pub struct FetchedArchive {
    /// Its file.
    pub car: AtomicFile,
    /// The number of its blocks, and its size in bytes.
    pub summary: CarSummary,
    /// The wheels that came from the site.
    pub wheels: Vec<Cid>,
}

/// An event while an archive is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteFetchEvent {
    /// The existing archive lacks this block, so it is not used at all.
    DamagedArchive(PathBuf, Cid),
    /// The partial archive of an interrupted run does not match, so the download starts over.
    UnfitRemains(PathBuf),
    /// A wheel could not be fetched, with the reason.
    Failed(String),
}

/// A release to fetch: its trusted statement, its site, and the folder for it.
pub struct SiteFetch<'f> {
    /// The session.
    pub session: &'f Session,
    /// The site.
    pub open: &'f OpenSite,
    /// The statement of the release.
    pub statement: &'f Statement,
    /// The folder for the archive.
    pub folder: &'f Path,
    /// The number of wheels that are fetched and verified concurrently.
    pub jobs: NonZeroUsize,
    /// Receives the events.
    pub tell: &'f dyn Fn(SiteFetchEvent),
}

/// A wheel of the release, and its leaves.
struct ReleaseWheel {
    file: ReleaseFile,
    dag: FileDag,
}

fn damaged(place: &str, error: &CarError) -> Failure {
    Failure::finding(format!("`{place}`: {}", error_chain(error))).help(ALTERED)
}

/// Opens the archive for writing, and locks it until this run ends. It still has the bytes that an
/// interrupted run left.
///
/// # Errors
/// When the folder cannot be written, or another run writes there.
pub fn begin_archive(folder: &Path) -> Result<AtomicFile, Failure> {
    let path = folder.join(CAR);
    let begun = match AtomicFile::resume(&path) {
        Ok(Some(left)) => Ok(left),
        Ok(None) => AtomicFile::create(&path),
        Err(error) => Err(error),
    };
    begun.map_err(|error| unwritable(folder, &error))
}

/// Whether a folder already has the release of the statement `newest`. `held` is the statement in
/// the folder.
pub fn has_release(
    folder: &Path,
    held: Option<&SignedStatement>,
    newest: &SignedStatement,
) -> bool {
    let path = folder.join(CAR);
    held.is_some_and(|held| held.text == newest.text)
        && may_replace(&path, newest.statement.root)
        && path.is_file()
}

/// Removes the wheels of a site from the cache, because the archive has them. They stay if another
/// run uses the cache.
pub fn forget_wheels(session: &Session, wheels: &[Cid]) {
    if let Some(cache) = session.used_cache()
        && let Ok(Some(claimed)) = cache.claim(&|| false)
    {
        claimed.clean_wheels(wheels, &[]);
    }
}

impl SiteFetch<'_> {
    /// Assembles the archive: pages and nodes from the site's hollow archive, wheels from the
    /// existing archive, the cache, or the site.
    ///
    /// # Errors
    /// When the site does not have the files, or they do not match the statement.
    pub fn from_files(&self, mut car: AtomicFile) -> Result<FetchedArchive, Failure> {
        let Self { open, folder, .. } = self;
        let root = self.statement.root;
        let hollow = open
            .runtime
            .block_on(read_hollow(&open.site, self.statement.sequence, &root))
            .map_err(|error| {
                error.failure().help(
                    "run the same command again: the site may have a newer release by now; if it \
                     fails again, tell the site's maintainers, and fetch from another place",
                )
            })?;
        let place = open.site.shown(&hollow.path);
        let hollow = Arc::new(hollow.archive);
        let wheels = wheels(&hollow, &root).map_err(|error| damaged(&place, &error))?;
        let mut old = open_archive(&folder.join(CAR)).ok().map(Arc::new);
        loop {
            let mut blocks = AssembledBlocks::default();
            blocks.add_archive(hollow.clone());
            let needed: Vec<&ReleaseWheel> = match &old {
                Some(old) => {
                    blocks.add_archive(old.clone());
                    let is_there =
                        |wheel: &&ReleaseWheel| wheel.dag.leaf_cids().all(|cid| old.contains(&cid));
                    wheels.iter().filter(|wheel| !is_there(wheel)).collect()
                }
                None => wheels.iter().collect(),
            };
            let wheels = self.fetch(&needed, &mut blocks)?;
            match write(&mut car, &blocks, root) {
                Ok(summary) => {
                    return Ok(FetchedArchive {
                        car,
                        summary,
                        wheels,
                    });
                }
                // The existing archive may list a block that is damaged. Then it is not used at
                // all.
                Err(CarError::Missing(cid)) if old.take().is_some() => {
                    (self.tell)(SiteFetchEvent::DamagedArchive(folder.join(CAR), cid));
                }
                Err(CarError::Io(error)) => return Err(unwritable(folder, &error)),
                Err(error) => return Err(damaged(&place, &error)),
            }
        }
    }

    /// Adds wheels from the cache or from the site. Returns the CIDs of wheels from the site.
    fn fetch(
        &self,
        wheels: &[&ReleaseWheel],
        blocks: &mut AssembledBlocks,
    ) -> Result<Vec<Cid>, Failure> {
        let (open, session) = (self.open, self.session);
        let root = self.statement.root;
        let fetcher = Fetcher::new(FetchSettings {
            cache: session.cache()?,
            client: session.client_settings(Limits::of_sites()),
            index: IndexSearch::new(None, None, &|name| session.variable(name)),
            gateways: Vec::new(),
            profile: Profile::default(),
            jobs: self.jobs,
            offline: false,
        });
        let requests: Vec<WheelRequest> = wheels
            .iter()
            .map(|wheel| {
                let path = &wheel.file.path;
                let (project, file_name) = path.rsplit_once('/').unwrap_or(("", path));
                WheelRequest {
                    project: project.to_owned(),
                    file_name: file_name.to_owned(),
                    sources: vec![open.site.location(&format!("{root}/{path}"))],
                    content_id: wheel.file.cid,
                    sha256: None,
                    size: Some(wheel.file.size),
                }
            })
            .collect();
        let progress = session.begin_wheels(&requests);
        let report = |event| progress.fetch(event);
        let mut received = Vec::new();
        let mut failures = Vec::new();
        open.runtime.block_on(async {
            let mut outcomes = std::pin::pin!(fetcher.fetch_all(&requests, &report));
            while let Some((_, outcome)) = outcomes.next().await {
                match outcome {
                    Ok(wheel) => {
                        progress.verified();
                        received.extend(wheel.from.as_ref().map(|_| wheel.dag.cid()));
                        blocks.add_wheel(FoundWheel {
                            path: wheel.path,
                            dag: wheel.dag,
                        });
                    }
                    Err(error) => failures.push((error.is_finding(), error_chain(&error))),
                }
            }
        });
        progress.finish();
        if failures.is_empty() {
            return Ok(received);
        }
        failures.sort();
        let is_finding = failures.iter().any(|(is_finding, _)| *is_finding);
        for (_, failure) in &failures {
            (self.tell)(SiteFetchEvent::Failed(failure.clone()));
        }
        let message = format!(
            "nothing was written: {} of {} wheels could not be fetched",
            failures.len(),
            wheels.len()
        );
        let failure = Failure {
            kind: if is_finding {
                FailureKind::Finding
            } else {
                FailureKind::World
            },
            message,
            help: Some(
                "the fetched wheels are in the cache: run the same command again".to_owned(),
            ),
        };
        Err(failure)
    }

    /// Fetches the archive beside the statement as one file. The download resumes after the bytes
    /// that an interrupted run left.
    ///
    /// # Errors
    /// When the site does not have it, or it does not match the statement.
    pub fn whole(&self, mut car: AtomicFile) -> Result<FetchedArchive, Failure> {
        let Self { open, folder, .. } = self;
        let root = self.statement.root;
        loop {
            let length = car.file().metadata().map(|left| left.len());
            let is_resumed = length.map_err(|error| unwritable(folder, &error))? > 0;
            let read = read_archive(&open.site, CAR, &root, car.file(), LARGEST_ARCHIVE);
            let read = open.runtime.block_on(read);
            if matches!(
                &read,
                Err(HollowError::Source(SourceProblem::Failed { .. }))
            ) {
                car.keep();
            }
            read.map_err(|error| error.failure())?;
            let survey = car
                .file()
                .try_clone()
                .map_err(CarError::from)
                .and_then(CarReader::open)
                .and_then(|archive| archive.survey());
            match survey {
                Ok(survey) if survey.kind == ArchiveKind::Full => {
                    return Ok(FetchedArchive {
                        car,
                        summary: survey.summary,
                        wheels: Vec::new(),
                    });
                }
                // A resumed file may be made of two different archives.
                _ if is_resumed => {
                    (self.tell)(SiteFetchEvent::UnfitRemains(folder.join(CAR)));
                    car.restart().map_err(|error| unwritable(folder, &error))?;
                }
                Ok(survey) => {
                    return Err(Failure::finding(format!(
                        "`{}` lacks {} of its blocks",
                        open.site.shown(CAR),
                        survey.lacking.len()
                    ))
                    .help(ALTERED));
                }
                Err(error) => {
                    return Err(Failure::finding(format!(
                        "`{}`: {}",
                        open.site.shown(CAR),
                        error_chain(&error)
                    ))
                    .help(ALTERED));
                }
            }
        }
    }
}

/// The wheels of a release; wheels with the same bytes only once.
fn wheels(hollow: &CarReader<File>, root: &Cid) -> Result<Vec<ReleaseWheel>, CarError> {
    let mut seen = BTreeSet::new();
    let mut wheels = Vec::new();
    for file in release_files(hollow, root)? {
        if file.is_wheel() && seen.insert(file.cid) {
            let dag = file_dag(hollow, &file.cid, file.size, Profile::default())?;
            let dag = dag.ok_or_else(|| CarError::Tree {
                cid: file.cid,
                reason: "is a file that no profile produces".to_owned(),
            })?;
            wheels.push(ReleaseWheel { file, dag });
        }
    }
    Ok(wheels)
}

fn write(
    car: &mut AtomicFile,
    blocks: &AssembledBlocks,
    root: Cid,
) -> Result<CarSummary, CarError> {
    car.restart()?;
    let (mut file, summary) = write_full(blocks, root, BufWriter::with_capacity(BUFFER, car))?;
    file.flush()?;
    Ok(summary)
}

fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    failure::unwritable(&folder.join(CAR), error)
}
