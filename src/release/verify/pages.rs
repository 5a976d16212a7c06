//! What the pages of a release say, held against the files beside them.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_unixfs::car::{CarError, Tree};
use ipwhl_unixfs::{Cid, Link};
use rayon::prelude::*;
use serde_json::Value;

use super::bytes::page;
use super::declared::{self, Answered};
use super::page::is_plain;
use super::project::project;
use crate::foundation::diagnostic::Code;
use crate::release::archive::BlockStore;
use crate::release::names::{HTML, JSON, RELEASE_FILE, RELEASE_FOLDER};

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Projects.
    pub projects: usize,
    /// Wheels.
    pub wheels: usize,
    /// Bytes of all wheels; `None` where a hollow archive does not tell those of one.
    pub bytes: Option<u64>,
}

/// A release that is held to what it says of itself.
pub(super) struct Examined<'r> {
    pub(super) reader: &'r BlockStore,
    /// Whether the wheels' bytes are not there: then what can be compared without them is.
    pub(super) is_hollow: bool,
    /// Whether it has wheels alone, and says nothing of them: in the layout `ipwhl-1`.
    pub(super) is_bare: bool,
    /// What somebody answers for.
    pub(super) answered: Answered,
}

/// Every contradiction between pages and files, a sentence each.
///
/// # Errors
/// When a block is not there, or is not what its CID or a node above it says.
pub fn check(
    reader: &BlockStore,
    root: Cid,
    is_hollow: bool,
    allowed: &[Code],
) -> Result<(Count, Vec<String>), CarError> {
    let Some(entries) = reader.list(&root)? else {
        return Ok((
            Count::default(),
            vec!["the release is a file, not a tree".to_owned()],
        ));
    };
    let mut top: BTreeMap<String, Link> = entries
        .into_iter()
        .map(|entry| (entry.name, entry.link))
        .collect();
    let mut mismatches = Vec::new();
    // The layout `ipwhl-1` has projects and their wheels, and says nothing of them.
    let is_bare = [HTML, JSON, RELEASE_FOLDER]
        .iter()
        .all(|name| !top.contains_key(*name));
    let pages: Vec<(&str, Option<Link>)> = [HTML, JSON]
        .into_iter()
        .filter(|_| !is_bare)
        .map(|name| (name, top.remove(name)))
        .collect();
    let about = top.remove(RELEASE_FOLDER).map(|link| link.cid);
    let projects: BTreeSet<&str> = top.keys().map(String::as_str).collect();
    for (name, link) in pages {
        match link {
            None => mismatches.push(format!("the release has no `{name}`")),
            Some(link) => {
                let listed = root_page(name, &page(reader, &link.cid)?);
                let listed: Option<BTreeSet<&str>> = listed
                    .as_ref()
                    .map(|names| names.iter().map(String::as_str).collect());
                if listed.as_ref() != Some(&projects) {
                    mismatches.push(format!(
                        "`{name}` does not list the projects that are there"
                    ));
                }
            }
        }
    }
    let projects: Vec<(&String, &Link)> = top.iter().collect();
    let examined = Examined {
        reader,
        is_hollow,
        is_bare,
        answered: answered(reader, about.as_ref(), allowed)?,
    };
    let checked: Vec<Result<(Count, Vec<String>), CarError>> = projects
        .par_iter()
        .map(|(name, link)| project(&examined, name, link))
        .collect();
    let mut count = Count {
        projects: projects.len(),
        wheels: 0,
        bytes: Some(0),
    };
    for result in checked {
        let (one, found) = result?;
        count.wheels += one.wheels;
        count.bytes = count.bytes.zip(one.bytes).map(|(all, one)| all + one);
        mismatches.extend(found);
    }
    if !is_bare {
        mismatches.extend(self::about(reader, about, &count)?);
    }
    Ok((count, mismatches))
}

/// What the release says that somebody answers for, and the codes that an option lets pass.
fn answered(
    reader: &BlockStore,
    folder: Option<&Cid>,
    allowed: &[Code],
) -> Result<Answered, CarError> {
    let entries = match folder {
        Some(cid) => reader.list(cid)?.unwrap_or_default(),
        None => Vec::new(),
    };
    let body = match entries.iter().find(|entry| entry.name == RELEASE_FILE) {
        Some(entry) => page(reader, &entry.link.cid)?,
        None => Vec::new(),
    };
    Ok(Answered::of(&body, allowed))
}

/// What the folder about the release itself says.
fn about(reader: &BlockStore, folder: Option<Cid>, count: &Count) -> Result<Vec<String>, CarError> {
    let entries = match folder {
        Some(cid) => reader.list(&cid)?,
        None => None,
    };
    let Some(entries) = entries else {
        return Ok(vec![format!(
            "the release has no folder `{RELEASE_FOLDER}`"
        )]);
    };
    let Some(entry) = entries.iter().find(|entry| entry.name == RELEASE_FILE) else {
        return Ok(vec![format!(
            "{RELEASE_FOLDER}/{RELEASE_FILE} is not there"
        )]);
    };
    let mut mismatches = strays(
        RELEASE_FOLDER,
        entries
            .iter()
            .map(|entry| entry.name.as_str())
            .filter(|name| *name != RELEASE_FILE),
    );
    for mismatch in declared::release(&page(reader, &entry.link.cid)?, count) {
        mismatches.push(format!("{RELEASE_FOLDER}/{RELEASE_FILE}: {mismatch}"));
    }
    Ok(mismatches)
}

/// Files that nothing in the format accounts for.
pub(super) fn strays<'n>(folder: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names
        .map(|name| format!("{folder}/{name} is no file that a release has"))
        .collect()
}

/// The projects that a root page lists; `None` where it says something else as well.
fn root_page(name: &str, body: &[u8]) -> Option<Vec<String>> {
    if name == JSON {
        let page: Value = serde_json::from_slice(body).ok()?;
        return page["projects"]
            .as_array()?
            .iter()
            .map(|project| Some(project["name"].as_str()?.to_owned()))
            .collect();
    }
    // The page is ours: an anchor a line, to a folder.
    let text = std::str::from_utf8(body).ok()?;
    let names: Vec<String> = text
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix("<a href=\"")?;
            Some(rest.split_once("/\"")?.0.to_owned())
        })
        .collect();
    is_plain(text, names.len()).then_some(names)
}
