//! What is in the wheels that differ, where their bytes are at hand.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use futures_util::StreamExt;
use ipwhl_packaging::wheel::{InstalledNames, Limits, WheelMembers, installed_names, members};
use ipwhl_packaging::{ProjectName, WheelFileName};
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, CarReader, FileReader};
use rayon::prelude::*;

use super::super::context::Context;
use super::super::network::NetworkArguments;
use super::Members;
use super::side::{Around, Side};
use crate::foundation::failure::{Failure, error_chain};
use crate::release::archive::ReleaseLocation;
use crate::set::difference::{
    Difference, MemberChanges, NameOwners, Owner, WheelChange, WheelState, command_conflicts,
    member_changes, package_conflicts,
};
use crate::set::gather::{keep_members, known_facts, known_members, wheel_request};
use crate::source::{Cache, FetchError, SourceProblem, WheelRequest};

/// What is known of a wheel's members, or why nothing is.
pub(super) type Looked = Result<MemberChanges, String>;

/// By the content-ids of the old wheel and the new one.
pub(super) type AllMembers = BTreeMap<(Option<Cid>, Cid), Looked>;

/// What looking came to.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) members: AllMembers,
    /// The wheels of the new state whose commands and packages are not known here, so that they
    /// were not compared with new ones.
    pub(super) unknown_names: usize,
    /// Whether a wheel that was to be fetched could not be had.
    pub(super) has_failed: bool,
}

/// What one wheel holds, or why that is not known, as a clause that goes on after the wheel's name.
type Held = Result<WheelMembers, String>;

/// What the members of a wheel that is new or has other bytes are known by.
pub(super) fn key(wheel: &WheelChange<'_>) -> Option<(Option<Cid>, Cid)> {
    let (_, new) = wheel.new?;
    if wheel.old.is_some() && !wheel.has_other_bytes() {
        return None;
    }
    Some((wheel.old.map(|(_, old)| old.content_id), new.content_id))
}

/// A project, and the old and new state of a wheel of it.
type Pair<'d> = (&'d ProjectName, Option<&'d WheelState>, &'d WheelState);

/// Compares the members of every wheel that is added or has other bytes.
pub(super) fn look(
    context: &Context<'_>,
    around: &Around,
    network: &NetworkArguments,
    sides: [&Side; 2],
    difference: &Difference<'_>,
    how: Members,
) -> Result<Seen, Failure> {
    let changes = || difference.projects.iter().flat_map(|one| &one.wheels);
    let pairs: BTreeMap<(Option<Cid>, Cid), Pair<'_>> = difference
        .projects
        .iter()
        .flat_map(|project| project.wheels.iter().map(|wheel| (project.name, wheel)))
        .filter_map(|(project, wheel)| {
            let old = wheel.old.map(|(_, old)| old);
            Some((key(wheel)?, (project, old, wheel.new?.1)))
        })
        .collect();
    if how == Members::None || pairs.is_empty() {
        return Ok(Seen::default());
    }
    let mut wanted: BTreeMap<Cid, (&Side, &String, &WheelState)> = BTreeMap::new();
    for wheel in changes().filter(|wheel| key(wheel).is_some()) {
        for (side, named) in sides.into_iter().zip([wheel.old, wheel.new]) {
            if let Some((name, state)) = named {
                wanted
                    .entry(state.content_id)
                    .or_insert((side, name, state));
            }
        }
    }
    let cache = context.session.cache()?;
    let mut held: BTreeMap<Cid, Held> = wanted
        .keys()
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|cid| Some((*cid, at_hand(&cache, sides, cid)?)))
        .collect();
    let requests: Vec<WheelRequest> = wanted
        .iter()
        .filter(|(cid, _)| !held.contains_key(cid))
        .map(|(_, (side, name, state))| asked(side, name, state))
        .collect();
    let (fetched, has_failed) = fetched(context, around, network, sides, &requests, how)?;
    held.extend(
        fetched
            .into_par_iter()
            .map(|(cid, fetched)| (cid, fetched.and_then(|path| of_file(&cache, &cid, path))))
            .collect::<Vec<_>>(),
    );
    let of = |cid: &Cid| match held.get(cid) {
        Some(held) => held.as_ref().map_err(String::as_str),
        None => Err(NOT_AT_HAND),
    };
    let (owners, unknown_names) = if pairs.keys().any(|(_, new)| of(new).is_ok()) {
        owners(&cache, sides, &held)
    } else {
        Default::default()
    };
    let compared = |(old, new): &(Option<Cid>, Cid), (project, before, state): &Pair<'_>| {
        let (old, new) = match (old.as_ref().map(of).transpose(), of(new)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(reason), _) => return Err(format!("the old wheel {reason}")),
            (_, Err(reason)) => return Err(format!("the new wheel {reason}")),
        };
        let before = before.map(|before| owner(project, before));
        let before = old.zip(before.as_ref());
        let owner = owner(project, state);
        Ok(MemberChanges {
            command_conflicts: command_conflicts(before, new, &owner, &owners),
            package_conflicts: package_conflicts(before, new, &owner, &owners),
            ..member_changes(old, new)
        })
    };
    Ok(Seen {
        members: pairs
            .iter()
            .map(|(pair, about)| (*pair, compared(pair, about)))
            .collect(),
        unknown_names,
        has_failed,
    })
}

/// Which projects of the new state have which names, and of how many wheels that is not known
/// without fetching them.
fn owners(cache: &Cache, sides: [&Side; 2], held: &BTreeMap<Cid, Held>) -> (NameOwners, usize) {
    let known = |wheel: &WheelState| -> Option<InstalledNames> {
        let cid = &wheel.content_id;
        if let Some(Ok(members)) = held.get(cid) {
            return Some(InstalledNames {
                commands: members.commands().into_keys().collect(),
                packages: members.packages(),
            });
        }
        if let Some(facts) = known_facts(cache, cid) {
            return Some(facts.archive.names);
        }
        let read = in_archives(sides, cid, |file| installed_names(file, &Limits::default()));
        read?.ok()
    };
    let wheels: Vec<(&ProjectName, &String, &WheelState)> = sides[1].snapshot.wheels().collect();
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

/// A project, and the platforms that a wheel of it is used on, where they are known.
fn owner(project: &ProjectName, wheel: &WheelState) -> Owner {
    let declared = wheel.declared.as_ref();
    Owner {
        project: project.clone(),
        platforms: declared.map(|declared| declared.platforms.clone()),
    }
}

/// The members of a wheel that is known already, or lies in an archive of either side.
fn at_hand(cache: &Cache, sides: [&Side; 2], cid: &Cid) -> Option<Held> {
    if let Some(known) = known_members(cache, cid) {
        return Some(Ok(known));
    }
    let read = in_archives(sides, cid, |file| members(file, &Limits::default()));
    read.map(|read| keep(cache, cid, read))
}

/// What is read from a wheel in an archive of a side; `None` where none has it.
fn in_archives<'s, T>(
    sides: [&'s Side; 2],
    cid: &Cid,
    read: impl Fn(&mut FileReader<'s, CarReader<File>>) -> io::Result<Result<T, String>>,
) -> Option<Result<T, String>> {
    let archives = sides.into_iter().filter_map(|side| side.release.as_ref());
    let mut damage = None;
    for release in archives {
        let ReleaseLocation::Archive { reader, .. } = &release.location else {
            continue;
        };
        let outcome = FileReader::open(&**reader, cid)
            .map_err(io::Error::other)
            .and_then(|mut file| read(&mut file));
        match outcome {
            Ok(read) => return Some(read),
            // Hollow archives lack leaves, and each has its own wheels.
            Err(error) if is_missing(&error) => {}
            Err(error) => damage = Some(format!("cannot be read in {}: {error}", release.shown)),
        }
    }
    damage.map(Err)
}

fn is_missing(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(CarError::Missing(_)))
}

fn keep(cache: &Cache, cid: &Cid, read: Held) -> Held {
    if let Ok(read) = &read {
        keep_members(cache, cid, read);
    }
    read
}

fn of_file(cache: &Cache, cid: &Cid, path: PathBuf) -> Held {
    match File::open(path).and_then(|mut file| members(&mut file, &Limits::default())) {
        Ok(read) => keep(cache, cid, read),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// A wheel as the source room asks for it: from where its declaration says, and by its CID.
fn asked(side: &Side, name: &str, state: &WheelState) -> WheelRequest {
    let declared = side.repository.as_ref().and_then(|repository| {
        let wheels = repository.declarations.values().flat_map(|one| &one.wheels);
        let mut wheels = wheels.filter(|wheel| wheel.content_id.value == state.content_id);
        Some(wheel_request(&repository.directory, wheels.next()?))
    });
    declared.unwrap_or_else(|| WheelRequest {
        project: name
            .parse()
            .map(|name: WheelFileName| name.name().to_string())
            .unwrap_or_default(),
        file_name: name.to_owned(),
        sources: Vec::new(),
        content_id: state.content_id,
        sha256: state.sha256,
        size: state.size,
    })
}

type Fetched = Vec<(Cid, Result<PathBuf, String>)>;

/// The files of wheels, from the cache and `file:` sources, and where that is asked for from
/// anywhere.
fn fetched(
    context: &Context<'_>,
    around: &Around,
    network: &NetworkArguments,
    sides: [&Side; 2],
    requests: &[WheelRequest],
    how: Members,
) -> Result<(Fetched, bool), Failure> {
    if requests.is_empty() {
        return Ok((Vec::new(), false));
    }
    let is_asked_for = how == Members::Fetch;
    let mut network = network.clone();
    network.offline |= !is_asked_for;
    let mut configuration = around.configuration.clone();
    // Who serves a release has its wheels.
    let own = sides.into_iter().filter_map(|side| side.gateway.as_ref());
    configuration
        .gateways
        .splice(0..0, own.map(ToString::to_string));
    let newest = sides
        .into_iter()
        .rev()
        .find_map(|side| side.repository.as_ref());
    let profile = newest.map_or(configuration.profile, |repository| {
        repository.configuration.profile
    });
    let fetcher = network
        .network()
        .fetcher(&context.session, &configuration, profile)?;
    let progress = context.session.begin_wheels(requests);
    let mut paths = Vec::new();
    let mut has_failed = false;
    context.session.runtime()?.block_on(async {
        let report = |event| progress.fetch(event);
        let mut wheels = std::pin::pin!(fetcher.fetch_all(requests, &report));
        while let Some((index, outcome)) = wheels.next().await {
            progress.verified();
            has_failed |= is_asked_for && outcome.is_err();
            let outcome = outcome.map(|wheel| wheel.path).map_err(|error| {
                if is_asked_for || !is_elsewhere(&error) {
                    format!(
                        "could not be fetched: {}",
                        as_declared(sides, &error_chain(&error))
                    )
                } else {
                    NOT_AT_HAND.to_owned()
                }
            });
            paths.push((requests[index].content_id, outcome));
        }
    });
    progress.finish();
    Ok((paths, has_failed))
}

/// The reason without the path of a repository on this machine: a report does not contain it.
fn as_declared(sides: [&Side; 2], reason: &str) -> String {
    let repositories = sides
        .into_iter()
        .filter_map(|side| side.repository.as_ref());
    repositories.fold(reason.to_owned(), |reason, repository| {
        let folder = repository.directory.join("").display().to_string();
        reason.replace(&format!("file:{folder}"), "file:")
    })
}

const NOT_AT_HAND: &str = "is not available here (`--members fetch` fetches it)";

/// Whether some source may still have the wheel.
fn is_elsewhere(error: &FetchError) -> bool {
    match error {
        FetchError::Sources { problems, .. } => problems
            .iter()
            .all(|problem| !matches!(problem, SourceProblem::Mismatch { .. })),
        FetchError::Cache(_) => false,
    }
}
