//! Compares the lock files of a release with those that its declarations give.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::CarError;

use super::bytes::page;
use super::contradiction::{Contradiction, unknown_files};
use crate::release::archive::BlockStore;
use crate::release::names::LOCK;
use crate::release::reader::ReleaseReader;
use crate::release::tree::TreeLocks;
use crate::set::declaration::DeclaredWheel;

/// Every contradiction between the lock files of a release and its declarations, which are those of
/// its wheels.
pub(super) fn check_locks(reader: &BlockStore, root: Cid) -> Result<Vec<Contradiction>, CarError> {
    let release = ReleaseReader::open(reader, &root)?;
    let embedded = release.embedded_repository(Path::new(""), "declarations")?;
    let Some(repository) = &embedded.repository else {
        return Ok(Vec::new());
    };
    let entries: BTreeMap<&str, _> = embedded
        .projects
        .values()
        .flat_map(|project| &project.wheels)
        .filter_map(|(name, wheel)| Some((name.as_str(), wheel.entry.as_ref()?)))
        .collect();
    let expected = TreeLocks::of(repository, &|wheel: &DeclaredWheel| {
        let entry = entries.get(wheel.file_name.as_str())?;
        Some((entry.size, entry.sha256))
    });
    let expected: BTreeMap<&str, &[u8]> = expected.files().collect();
    let folders = embedded.projects.iter();
    let mut found: BTreeMap<&str, Cid> = folders
        .filter_map(|(project, folder)| Some((project.as_str(), folder.lock?)))
        .collect();
    found.extend(release.lock().map(|cid| ("", cid)));
    let mut contradictions = Vec::new();
    for name in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        let folder = (*name).to_owned();
        match (expected.get(name), found.get(name)) {
            (Some(expected), Some(cid)) => {
                if page(reader, cid)? != *expected {
                    contradictions.push(Contradiction::OtherLock { folder });
                }
            }
            (Some(_), None) => contradictions.push(Contradiction::MissingLock { folder }),
            _ => contradictions.extend(unknown_files(name, std::iter::once(LOCK))),
        }
    }
    Ok(contradictions)
}
