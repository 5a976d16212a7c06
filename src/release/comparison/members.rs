//! The members of wheels that differ, if their bytes are available.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use futures_util::StreamExt;
use ipwhl_packaging::ProjectName;
use ipwhl_packaging::wheel::{InstalledNames, Limits, WheelMembers, installed_names, members};
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, CarReader, FileReader};
use rayon::prelude::*;
use thiserror::Error;

use super::state::{State, StateReader};
use crate::foundation::failure::{Failure, error_chain};
use crate::release::archive::ReleaseLocation;
use crate::set::difference::{
    Difference, MemberChanges, NameOwners, Owner, WheelChange, WheelState, command_conflicts,
    member_changes, package_conflicts,
};
use crate::set::gather::{keep_members, known_facts, known_members, wheel_request};
use crate::source::{Cache, FetchError, SourceProblem, WheelRequest};

/// The places to read wheels from for a comparison of their members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberSearch {
    /// In the archives of the releases, in the cache and at `file:` sources.
    AtHand,
    /// In the same places, and from all other sources.
    Everywhere,
}

/// The differences in the members of wheels.
#[derive(Default)]
pub struct MemberReport {
    /// The differences in the members, or the reason why they are unknown, by the content-ids of
    /// the old wheel and the new one.
    pub members: BTreeMap<(Option<Cid>, Cid), Result<MemberChanges, UnreadMembers>>,
    /// The number of wheels in the new state with unknown commands and packages. New wheels were
    /// not compared with them.
    pub unknown_names: usize,
    /// Whether a wheel could not be fetched.
    pub has_failed: bool,
}

/// The reason why the members of two wheels could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the {} wheel {reason}", if *.is_old { "old" } else { "new" })]
pub struct UnreadMembers {
    /// Whether the old wheel could not be read, rather than the new one.
    pub is_old: bool,
    /// The reason.
    pub reason: UnreadReason,
}

/// The reason why the members of a wheel are unknown, as a clause for use after the wheel's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnreadReason {
    /// It is neither in an archive nor in the cache, and no other source was tried.
    #[error("is not available here (`--members fetch` fetches it)")]
    NotAtHand,
    /// It could not be fetched.
    #[error("could not be fetched: {0}")]
    NotFetched(String),
    /// Its bytes could not be read.
    #[error("cannot be read{}: {error}", archive.as_ref().map(|name| format!(" in {name}")).unwrap_or_default())]
    Unreadable {
        /// The archive with the bytes, in printable form.
        archive: Option<String>,
        /// The error.
        error: String,
    },
    /// Installers would read it differently.
    #[error("{0}")]
    Refused(String),
}

/// The members of a wheel, or the reason why they are unknown.
type ReadMembers = Result<WheelMembers, UnreadReason>;

/// The key of a wheel's members in the report, if it is new or has other bytes.
pub(super) fn members_key(wheel: &WheelChange<'_>) -> Option<(Option<Cid>, Cid)> {
    let (_, new) = wheel.new?;
    if wheel.old.is_some() && !wheel.has_other_bytes() {
        return None;
    }
    Some((wheel.old.map(|(_, old)| old.content_id), new.content_id))
}

/// A project, and the old and new state of one of its wheels.
type Pair<'d> = (&'d ProjectName, Option<&'d WheelState>, &'d WheelState);

/// A wheel whose members are compared, with the state that has it.
struct NeededWheel<'d> {
    state: &'d State,
    project: &'d ProjectName,
    file_name: &'d str,
    wheel: &'d WheelState,
}

impl NeededWheel<'_> {
    /// The request for the wheel: the sources in its declaration, and its CID.
    fn request(&self) -> WheelRequest {
        let wheel = self.wheel;
        let declared = self.state.repository.as_ref().and_then(|repository| {
            let wheels = repository.declarations.values().flat_map(|one| &one.wheels);
            let mut wheels =
                wheels.filter(|declared| declared.content_id.value == wheel.content_id);
            Some(wheel_request(&repository.directory, wheels.next()?))
        });
        declared.unwrap_or_else(|| WheelRequest {
            project: self.project.to_string(),
            file_name: self.file_name.to_owned(),
            sources: Vec::new(),
            content_id: wheel.content_id,
            sha256: wheel.sha256,
            size: wheel.size,
        })
    }
}

/// Compares the members of every wheel that is added or has other bytes.
///
/// # Errors
/// When there is no cache, or the network cannot be used at all.
pub fn compare_members(
    reader: &StateReader<'_>,
    states: [&State; 2],
    difference: &Difference<'_>,
    search: MemberSearch,
) -> Result<MemberReport, Failure> {
    let changes = || {
        let projects = difference.projects.iter();
        projects.flat_map(|project| project.wheels.iter().map(|wheel| (project.name, wheel)))
    };
    let pairs: BTreeMap<(Option<Cid>, Cid), Pair<'_>> = changes()
        .filter_map(|(project, wheel)| {
            let old = wheel.old.map(|(_, old)| old);
            Some((members_key(wheel)?, (project, old, wheel.new?.1)))
        })
        .collect();
    if pairs.is_empty() {
        return Ok(MemberReport::default());
    }
    let mut needed: BTreeMap<Cid, NeededWheel<'_>> = BTreeMap::new();
    for (project, wheel) in changes().filter(|(_, wheel)| members_key(wheel).is_some()) {
        for (state, named) in states.into_iter().zip([wheel.old, wheel.new]) {
            if let Some((file_name, wheel)) = named {
                needed.entry(wheel.content_id).or_insert(NeededWheel {
                    state,
                    project,
                    file_name,
                    wheel,
                });
            }
        }
    }
    let cache = reader.session.cache()?;
    let mut read: BTreeMap<Cid, ReadMembers> = needed
        .keys()
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|cid| Some((*cid, read_at_hand(&cache, states, cid)?)))
        .collect();
    let requests: Vec<WheelRequest> = needed
        .iter()
        .filter(|(cid, _)| !read.contains_key(cid))
        .map(|(_, needed)| needed.request())
        .collect();
    let (fetched, has_failed) = fetch(reader, states, &requests, search)?;
    read.extend(
        fetched
            .into_par_iter()
            .map(|(cid, fetched)| (cid, fetched.and_then(|path| read_file(&cache, &cid, path))))
            .collect::<Vec<_>>(),
    );
    let of = |cid: &Cid| match read.get(cid) {
        Some(read) => read.as_ref().map_err(Clone::clone),
        None => Err(UnreadReason::NotAtHand),
    };
    let (owners, unknown_names) = if pairs.keys().any(|(_, new)| of(new).is_ok()) {
        owners(&cache, states, &read)
    } else {
        Default::default()
    };
    let compared = |(old, new): &(Option<Cid>, Cid), (project, before, wheel): &Pair<'_>| {
        let unread = |is_old| move |reason| UnreadMembers { is_old, reason };
        let old = old.as_ref().map(of).transpose().map_err(unread(true))?;
        let new = of(new).map_err(unread(false))?;
        let before = before.map(|before| owner(project, before));
        let before = old.zip(before.as_ref());
        let owner = owner(project, wheel);
        Ok(MemberChanges {
            command_conflicts: command_conflicts(before, new, &owner, &owners),
            package_conflicts: package_conflicts(before, new, &owner, &owners),
            ..member_changes(old, new)
        })
    };
    Ok(MemberReport {
        members: pairs
            .iter()
            .map(|(key, pair)| (*key, compared(key, pair)))
            .collect(),
        unknown_names,
        has_failed,
    })
}

/// The owners of all names in the new state, and the number of wheels whose names are unknown until
/// they are fetched.
fn owners(
    cache: &Cache,
    states: [&State; 2],
    read: &BTreeMap<Cid, ReadMembers>,
) -> (NameOwners, usize) {
    let known = |wheel: &WheelState| -> Option<InstalledNames> {
        let cid = &wheel.content_id;
        if let Some(Ok(members)) = read.get(cid) {
            return Some(InstalledNames {
                commands: members.commands().into_keys().collect(),
                packages: members.packages(),
            });
        }
        if let Some(facts) = known_facts(cache, cid) {
            return Some(facts.archive.names);
        }
        let read = in_archives(states, cid, |file| {
            installed_names(file, &Limits::default())
        });
        read?.ok()
    };
    let wheels: Vec<(&ProjectName, &String, &WheelState)> = states[1].snapshot.wheels().collect();
    let found: Vec<Option<InstalledNames>> = wheels
        .par_iter()
        .map(|(_, _, wheel)| known(wheel))
        .collect();
    let mut owners = NameOwners::default();
    let mut unknown = 0;
    for ((project, _, wheel), found) in wheels.into_iter().zip(found) {
        match found {
            Some(names) => owners.add(&owner(project, wheel), &names),
            None => unknown += 1,
        }
    }
    (owners, unknown)
}

/// A project, and the platforms that its wheel is used on, if known.
fn owner(project: &ProjectName, wheel: &WheelState) -> Owner {
    let declared = wheel.declared.as_ref();
    Owner {
        project: project.clone(),
        platforms: declared.map(|declared| declared.platforms.clone()),
    }
}

/// The members of a wheel that are cached, or whose wheel is in an archive of either state.
fn read_at_hand(cache: &Cache, states: [&State; 2], cid: &Cid) -> Option<ReadMembers> {
    if let Some(known) = known_members(cache, cid) {
        return Some(Ok(known));
    }
    let read = in_archives(states, cid, |file| members(file, &Limits::default()));
    read.map(|read| keep(cache, cid, read))
}

/// The result of reading a wheel from an archive of a state; `None` if no archive has it.
fn in_archives<'s, T>(
    states: [&'s State; 2],
    cid: &Cid,
    read: impl Fn(&mut FileReader<'s, CarReader<File>>) -> io::Result<Result<T, String>>,
) -> Option<Result<T, UnreadReason>> {
    let archives = states
        .into_iter()
        .filter_map(|state| state.release.as_ref());
    let mut damage = None;
    for release in archives {
        let ReleaseLocation::Archive { reader, .. } = &release.location else {
            continue;
        };
        let outcome = FileReader::open(&**reader, cid)
            .map_err(io::Error::other)
            .and_then(|mut file| read(&mut file));
        match outcome {
            Ok(read) => return Some(read.map_err(UnreadReason::Refused)),
            // Hollow archives lack leaves, and each has its own wheels.
            Err(error) if is_missing(&error) => {}
            Err(error) => {
                damage = Some(UnreadReason::Unreadable {
                    archive: Some(release.shown.clone()),
                    error: error.to_string(),
                });
            }
        }
    }
    damage.map(Err)
}

fn is_missing(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(CarError::Missing(_)))
}

fn keep(cache: &Cache, cid: &Cid, read: ReadMembers) -> ReadMembers {
    if let Ok(read) = &read {
        keep_members(cache, cid, read);
    }
    read
}

fn read_file(cache: &Cache, cid: &Cid, path: PathBuf) -> ReadMembers {
    match File::open(path).and_then(|mut file| members(&mut file, &Limits::default())) {
        Ok(read) => keep(cache, cid, read.map_err(UnreadReason::Refused)),
        Err(error) => Err(UnreadReason::Unreadable {
            archive: None,
            error: error.to_string(),
        }),
    }
}

type Fetched = Vec<(Cid, Result<PathBuf, UnreadReason>)>;

/// The files of wheels, and whether one could not be fetched from any source.
fn fetch(
    reader: &StateReader<'_>,
    states: [&State; 2],
    requests: &[WheelRequest],
    search: MemberSearch,
) -> Result<(Fetched, bool), Failure> {
    if requests.is_empty() {
        return Ok((Vec::new(), false));
    }
    let is_everywhere = search == MemberSearch::Everywhere;
    let mut network = reader.network.clone();
    network.offline |= !is_everywhere;
    let mut configuration = reader.configuration.clone();
    // A gateway that serves a release has its wheels.
    let own = states
        .into_iter()
        .filter_map(|state| state.gateway.as_ref());
    configuration
        .gateways
        .splice(0..0, own.map(ToString::to_string));
    let newest = states
        .into_iter()
        .rev()
        .find_map(|state| state.repository.as_ref());
    let profile = newest.map_or(configuration.profile, |repository| {
        repository.configuration.profile
    });
    let fetcher = network.fetcher(reader.session, &configuration, profile)?;
    let progress = reader.session.begin_wheels(requests);
    let mut paths = Vec::new();
    let mut has_failed = false;
    reader.session.runtime()?.block_on(async {
        let report = |event| progress.fetch(event);
        let mut wheels = std::pin::pin!(fetcher.fetch_all(requests, &report));
        while let Some((index, outcome)) = wheels.next().await {
            progress.verified();
            has_failed |= is_everywhere && outcome.is_err();
            let outcome = outcome.map(|wheel| wheel.path).map_err(|error| {
                if is_everywhere || !may_be_elsewhere(&error) {
                    UnreadReason::NotFetched(error_chain(&error))
                } else {
                    UnreadReason::NotAtHand
                }
            });
            paths.push((requests[index].content_id, outcome));
        }
    });
    progress.finish();
    Ok((paths, has_failed))
}

/// Whether some source may still have the wheel.
fn may_be_elsewhere(error: &FetchError) -> bool {
    match error {
        FetchError::Sources { problems, .. } => problems
            .iter()
            .all(|problem| !matches!(problem, SourceProblem::Mismatch { .. })),
        FetchError::Cache(_) => false,
    }
}
