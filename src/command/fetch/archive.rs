//! The archive of a release, assembled from local data and the files of a site.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use ipwhl_unixfs::car::{Blocks, CarError, CarReader, CarSummary, file_dag};
use ipwhl_unixfs::{Cid, FileDag, Profile};

use super::super::context::Context;
use super::super::site::no_hollow;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, FailureKind, error_chain};
use crate::publish::{
    AssembledBlocks, FoundWheel, HollowError, ReleaseFile, read_archive, read_hollow, release_files,
};
use crate::release::archive::ReleaseArchive;
use crate::release::archive::{ArchiveKind, open_archive, write_full};
use crate::release::names::CAR;
use crate::release::statement::{OpenSite, Statement};
use crate::source::LARGEST_WHEEL;
use crate::source::{FetchSettings, Fetcher, IndexSearch, Limits, SourceProblem, WheelRequest};

/// How much is written at once, in bytes.
const BUFFER: usize = 1024 * 1024;
/// The largest archive that is fetched as one file, in bytes.
const LARGEST_ARCHIVE: u64 = 128 * LARGEST_WHEEL;

/// An archive that is whole, and has not got its name.
pub(super) struct Fetched {
    pub(super) car: AtomicFile,
    pub(super) summary: CarSummary,
    /// The wheels that came from the site.
    pub(super) wheels: Vec<Cid>,
}

/// A wheel of the release, and its leaves.
struct ReleaseWheel {
    file: ReleaseFile,
    dag: FileDag,
}

fn damaged(error: &CarError) -> Failure {
    Failure::finding(error_chain(error))
}

/// Begins to write the archive, which no other run can do until this one has ended. What a cut run
/// has left is still in it.
pub(super) fn begin(folder: &Path) -> Result<AtomicFile, Failure> {
    let path = folder.join(CAR);
    let begun = match AtomicFile::resume(&path) {
        Ok(Some(left)) => Ok(left),
        Ok(None) => AtomicFile::create(&path),
        Err(error) => Err(error),
    };
    begun.map_err(|error| unwritable(folder, &error))
}

/// The archive out of the files of a site: pages and nodes from the hollow archive, wheels from the
/// archive that is here, the cache, or the site.
pub(super) fn of_files(
    context: &Context<'_>,
    open: &OpenSite,
    statement: &Statement,
    mut car: AtomicFile,
    folder: &Path,
    jobs: NonZeroUsize,
) -> Result<Fetched, Failure> {
    let root = statement.root;
    let hollow = open
        .runtime
        .block_on(read_hollow(&open.site, statement.sequence, &root))
        .map_err(|error| {
            no_hollow(&error)
                .help("run the same command again: the site may have a newer release by now")
        })?;
    let hollow = Arc::new(hollow.archive);
    let wheels = wheels(&hollow, &root).map_err(|error| damaged(&error))?;
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
        let wheels = fetch(context, open, &root, &needed, jobs, &mut blocks)?;
        match write(&mut car, &blocks, root) {
            Ok(summary) => {
                return Ok(Fetched {
                    car,
                    summary,
                    wheels,
                });
            }
            // What the archive here is said to have it may not have: then nothing of it is used.
            Err(CarError::Missing(cid)) if old.take().is_some() => context.warning(&format!(
                "`{}` is damaged (block {cid}): it is not used",
                context.shown(&folder.join(CAR))
            )),
            Err(CarError::Io(error)) => return Err(unwritable(folder, &error)),
            Err(error) => return Err(damaged(&error)),
        }
    }
}

/// The wheels of a release, each of those bytes once.
fn wheels(hollow: &CarReader<File>, root: &Cid) -> Result<Vec<ReleaseWheel>, CarError> {
    let mut seen = BTreeSet::new();
    let mut wheels = Vec::new();
    for file in release_files(hollow, root)? {
        if file.is_wheel() && seen.insert(file.cid) {
            let dag = file_dag(hollow, &file.cid, file.size, Profile::default())?;
            let dag = dag.ok_or_else(|| CarError::Tree {
                cid: file.cid,
                reason: "is a file that no profile makes".to_owned(),
            })?;
            wheels.push(ReleaseWheel { file, dag });
        }
    }
    Ok(wheels)
}

/// Adds wheels from the cache or from the site; those that came from the site.
fn fetch(
    context: &Context<'_>,
    open: &OpenSite,
    root: &Cid,
    wheels: &[&ReleaseWheel],
    jobs: NonZeroUsize,
    blocks: &mut AssembledBlocks,
) -> Result<Vec<Cid>, Failure> {
    let fetcher = Fetcher::new(FetchSettings {
        cache: context.session.cache()?,
        client: context.session.client_settings(Limits::of_sites()),
        index: IndexSearch::new(None, None, &|name| context.session.variable(name)),
        gateways: Vec::new(),
        profile: Profile::default(),
        jobs,
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
    let progress = context.session.begin_wheels(&requests);
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
        context.error(failure);
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
        help: Some("the fetched wheels are in the cache: run the same command again".to_owned()),
    };
    Err(failure)
}

/// The archive beside the statement, fetched as one file. What a cut run has left of it does not
/// come again.
pub(super) fn whole(
    context: &Context<'_>,
    open: &OpenSite,
    statement: &Statement,
    mut car: AtomicFile,
    folder: &Path,
) -> Result<Fetched, Failure> {
    let root = statement.root;
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
        read.map_err(|error| no_hollow(&error))?;
        let survey = car
            .file()
            .try_clone()
            .map_err(CarError::from)
            .and_then(CarReader::open)
            .and_then(|archive| archive.survey());
        match survey {
            Ok(survey) if survey.kind == ArchiveKind::Full => {
                return Ok(Fetched {
                    car,
                    summary: survey.summary,
                    wheels: Vec::new(),
                });
            }
            // Its parts may be of two archives.
            _ if is_resumed => {
                context.warning(&format!(
                    "the partial `{}` of an earlier run does not match: fetching it from the start",
                    context.shown(&folder.join(CAR))
                ));
                car.restart().map_err(|error| unwritable(folder, &error))?;
            }
            Ok(survey) => {
                return Err(Failure::finding(format!(
                    "`{}` lacks {} of its blocks",
                    open.site.shown(CAR),
                    survey.lacking.len()
                )));
            }
            Err(error) => {
                return Err(Failure::finding(format!(
                    "`{}`: {}",
                    open.site.shown(CAR),
                    error_chain(&error)
                )));
            }
        }
    }
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
    let path = folder.join(CAR);
    let failure = Failure::world(format!("`{}` cannot be written: {error}", path.display()));
    if error.kind() == io::ErrorKind::StorageFull {
        failure.help("make room and run the same command again")
    } else {
        failure
    }
}
