//! Compares the pages of a release with its files.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_unixfs::car::{CarError, Tree};
use ipwhl_unixfs::{Cid, Link};
use rayon::prelude::*;
use serde_json::Value;

use super::bytes::page;
use super::contradiction::{Contradiction, PageFormat, unknown_files};
use super::count::Count;
use super::declared::{self, WaivedProjects};
use super::locks::check_locks;
use super::page::is_plain;
use super::project::{Examined, project};
use crate::foundation::diagnostic::Code;
use crate::release::archive::BlockStore;
use crate::release::names::{HTML, JSON, LOCK, RELEASE_FILE, RELEASE_FOLDER};
use crate::release::tree::ReleaseJson;
use crate::set::declaration::FormatVersion;

/// Every contradiction between pages and files.
///
/// # Errors
/// When a block is missing, or does not match its CID or a node above it.
pub fn check(
    reader: &BlockStore,
    root: Cid,
    is_hollow: bool,
    allowed: &[Code],
) -> Result<(Count, Vec<Contradiction>), CarError> {
    let Some(entries) = reader.list(&root)? else {
        return Ok((Count::default(), vec![Contradiction::RootIsFile]));
    };
    let mut top: BTreeMap<String, Link> = entries
        .into_iter()
        .map(|entry| (entry.name, entry.link))
        .collect();
    let mut contradictions = Vec::new();
    // A release in the layout `ipwhl-1` has projects and wheels, without pages.
    let is_bare = [HTML, JSON, RELEASE_FOLDER]
        .iter()
        .all(|name| !top.contains_key(*name));
    let pages: Vec<(PageFormat, Option<Link>)> = PageFormat::ALL
        .into_iter()
        .filter(|_| !is_bare)
        .map(|format| (format, top.remove(format.file_name())))
        .collect();
    let about = top.remove(RELEASE_FOLDER).map(|link| link.cid);
    let release = release_json(reader, about.as_ref())?;
    let has_locks = release
        .as_ref()
        .is_some_and(|release| release.format >= FormatVersion::V2.number());
    if has_locks {
        top.remove(LOCK);
    }
    let projects: BTreeSet<&str> = top.keys().map(String::as_str).collect();
    for (format, link) in pages {
        match link {
            None => contradictions.push(Contradiction::MissingRootPage(format)),
            Some(link) => {
                let listed = root_page(format, &page(reader, &link.cid)?);
                let listed: Option<BTreeSet<&str>> = listed
                    .as_ref()
                    .map(|names| names.iter().map(String::as_str).collect());
                if listed.as_ref() != Some(&projects) {
                    contradictions.push(Contradiction::OtherProjects(format));
                }
            }
        }
    }
    let projects: Vec<(&String, &Link)> = top.iter().collect();
    let examined = Examined {
        reader,
        is_hollow,
        is_bare,
        has_locks,
        waived: WaivedProjects::of(release, allowed),
    };
    let checked: Vec<Result<(Count, Vec<Contradiction>), CarError>> = projects
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
        contradictions.extend(found);
    }
    if !is_bare {
        contradictions.extend(self::about(reader, about, &count)?);
    }
    // A release whose declarations are not to be trusted says nothing about its lock files.
    if has_locks && contradictions.is_empty() {
        contradictions.extend(check_locks(reader, root)?);
    }
    Ok((count, contradictions))
}

/// The description of the release, if it has one that can be read.
fn release_json(
    reader: &BlockStore,
    folder: Option<&Cid>,
) -> Result<Option<ReleaseJson>, CarError> {
    let entries = match folder {
        Some(cid) => reader.list(cid)?.unwrap_or_default(),
        None => Vec::new(),
    };
    Ok(
        match entries.iter().find(|entry| entry.name == RELEASE_FILE) {
            Some(entry) => ReleaseJson::parse(&page(reader, &entry.link.cid)?).ok(),
            None => None,
        },
    )
}

/// Verifies the folder about the release itself.
fn about(
    reader: &BlockStore,
    folder: Option<Cid>,
    count: &Count,
) -> Result<Vec<Contradiction>, CarError> {
    let entries = match folder {
        Some(cid) => reader.list(&cid)?,
        None => None,
    };
    let Some(entries) = entries else {
        return Ok(vec![Contradiction::MissingReleaseFolder]);
    };
    let Some(entry) = entries.iter().find(|entry| entry.name == RELEASE_FILE) else {
        return Ok(vec![Contradiction::MissingReleaseJson]);
    };
    let mut contradictions = unknown_files(
        RELEASE_FOLDER,
        entries
            .iter()
            .map(|entry| entry.name.as_str())
            .filter(|name| *name != RELEASE_FILE),
    );
    let stated = declared::release(&page(reader, &entry.link.cid)?, count);
    contradictions.extend(stated.into_iter().map(Contradiction::ReleaseJson));
    Ok(contradictions)
}

/// The projects that a root page lists; `None` if it contains anything else.
fn root_page(format: PageFormat, body: &[u8]) -> Option<Vec<String>> {
    if format == PageFormat::Json {
        let page: Value = serde_json::from_slice(body).ok()?;
        return page["projects"]
            .as_array()?
            .iter()
            .map(|project| Some(project["name"].as_str()?.to_owned()))
            .collect();
    }
    // The page has a fixed form: a line with an anchor for each folder.
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
