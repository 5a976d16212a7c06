//! What the cache keeps of wheels beside their bytes, under the CID that they are declared with and
//! the version of what made it.

use std::fs::File;
use std::io;

use ipwhl_packaging::ProjectName;
use ipwhl_packaging::wheel::{FACTS_VERSION, Limits, MEMBERS_VERSION, WheelMembers, inspect};
use ipwhl_unixfs::{Cid, Codec};

use super::Facts;
use crate::source::{Cache, ClaimedCache, FetchedWheel};

/// The facts of the wheel of this CID, if the cache has them. Facts are believed by their
/// content-id.
pub fn known_facts(cache: &Cache, cid: &Cid) -> Option<Facts> {
    cache.facts(&facts_version(), &cid.to_string())
}

/// Reads a wheel that was fetched, and keeps its facts under the CID that it is declared with.
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
    // Without them the next run reads the wheel again; nothing else is lost.
    let _ = cache.keep_facts(&facts_version(), &cid.to_string(), &facts);
    Ok(facts)
}

/// The wheels of these projects in the cache, which are known by what their archives say of
/// themselves, and the projects that it has none of.
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
            let project = known_facts(cache, &cid).and_then(|facts| {
                let (name, _) = facts.archive.dist_info.split_once('-')?;
                name.parse::<ProjectName>().ok()
            });
            if let Some(project) = project.filter(|project| projects.contains(project)) {
                unknown.retain(|name| **name != project);
                chosen.push(cid);
            }
        }
    }
    // A block that is its own file has one CID only.
    chosen.dedup();
    Ok((chosen, unknown))
}

/// The same block's CID in version 0, which a declaration may have, where there is one.
fn other_version(cid: &Cid) -> Cid {
    match cid.codec() {
        Codec::DagPb => Cid::v0(cid.digest()),
        Codec::Raw => *cid,
    }
}

/// The members of the wheel of this CID, if the cache has them.
pub fn known_members(cache: &Cache, cid: &Cid) -> Option<WheelMembers> {
    cache.facts(&members_version(), &cid.to_string())
}

/// Keeps the members of the wheel of this CID.
pub fn keep_members(cache: &Cache, cid: &Cid, members: &WheelMembers) {
    // Without them the next run reads the wheel again.
    let _ = cache.keep_facts(&members_version(), &cid.to_string(), members);
}

/// The versions under which anything of wheels is kept.
pub fn kept_versions() -> Vec<String> {
    vec![facts_version(), members_version()]
}

fn facts_version() -> String {
    FACTS_VERSION.to_string()
}

fn members_version() -> String {
    format!("members-{MEMBERS_VERSION}")
}
