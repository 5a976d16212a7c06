//! The cached facts and members of wheels, under their declared CID and the version of the code
//! that computed them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;

use ipwhl_packaging::ProjectName;
use ipwhl_packaging::wheel::{FACTS_VERSION, Limits, MEMBERS_VERSION, WheelMembers, inspect};
use ipwhl_unixfs::{Cid, Codec};

use super::Facts;
use crate::source::{Cache, ClaimedCache, FetchedWheel};

/// The facts of the wheel with this CID, if they are in the cache. Facts are trusted by their
/// content-id.
pub fn known_facts(cache: &Cache, cid: &Cid) -> Option<Facts> {
    cache.facts(&facts_version(), &cid.to_string())
}

/// Reads a fetched wheel, and stores its facts under its declared CID.
///
/// # Errors
/// When the file in the cache cannot be read.
pub fn keep_facts_of(cache: &Cache, cid: &Cid, fetched: FetchedWheel) -> io::Result<Facts> {
    let archive = inspect(&mut File::open(&fetched.path)?, &Limits::default())?;
    let facts = Facts {
        sha256: fetched.sha256,
        dag: fetched.dag,
        archive,
    };
    // Without stored facts the next run reads the wheel again; nothing else is lost.
    let _ = cache.keep_facts(&facts_version(), &cid.to_string(), &facts);
    Ok(facts)
}

/// The cached wheels of these projects, found by the metadata in the archives, and the projects
/// without a cached wheel.
///
/// # Errors
/// When the cache cannot be read.
pub fn wheels_of_projects<'p>(
    cache: &Cache,
    claimed: &ClaimedCache<'_>,
    projects: &'p [ProjectName],
) -> io::Result<(Vec<Cid>, Vec<&'p ProjectName>)> {
    let mut chosen = Vec::new();
    let mut unknown: Vec<&ProjectName> = projects.iter().collect();
    for cid in claimed.wheels()? {
        let declared = [cid, other_version(&cid)];
        for cid in declared {
            let project = project_of(cache, &cid);
            if let Some(project) = project.filter(|project| projects.contains(project)) {
                unknown.retain(|name| **name != project);
                chosen.push(cid);
            }
        }
    }
    // A file of one raw block has only one CID, which is then chosen twice.
    chosen.dedup();
    Ok((chosen, unknown))
}

/// The projects whose wheels are in the cache.
///
/// # Errors
/// When the cache cannot be read.
pub fn kept_projects(
    cache: &Cache,
    claimed: &ClaimedCache<'_>,
) -> io::Result<BTreeSet<ProjectName>> {
    let wheels = claimed.wheels()?;
    let declared = wheels.iter().flat_map(|cid| [*cid, other_version(cid)]);
    Ok(declared.filter_map(|cid| project_of(cache, &cid)).collect())
}

/// The project of a wheel whose facts are in the cache.
fn project_of(cache: &Cache, cid: &Cid) -> Option<ProjectName> {
    let facts = known_facts(cache, cid)?;
    let (name, _) = facts.archive.dist_info.split_once('-')?;
    name.parse().ok()
}

/// The same block's CID in version 0, which a declaration may have; the CID itself if it has no
/// such form.
fn other_version(cid: &Cid) -> Cid {
    match cid.codec() {
        Codec::DagPb => Cid::v0(cid.digest()),
        Codec::Raw => *cid,
    }
}

/// The members of the wheel with this CID, if they are in the cache.
pub fn known_members(cache: &Cache, cid: &Cid) -> Option<WheelMembers> {
    cache.facts(&members_version(), &cid.to_string())
}

/// Stores the members of the wheel with this CID.
pub fn keep_members(cache: &Cache, cid: &Cid, members: &WheelMembers) {
    // Without stored members the next run reads the wheel again.
    let _ = cache.keep_facts(&members_version(), &cid.to_string(), members);
}

/// The versions of all data that is stored about wheels.
pub fn kept_versions() -> Vec<String> {
    vec![facts_version(), members_version()]
}

fn facts_version() -> String {
    FACTS_VERSION.to_string()
}

fn members_version() -> String {
    format!("members-{MEMBERS_VERSION}")
}
