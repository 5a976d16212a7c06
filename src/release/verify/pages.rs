//! What the pages of a release say, held against the files beside them.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_unixfs::car::{CarError, Tree};
use ipwhl_unixfs::{Cid, Link};
use rayon::prelude::*;
use serde_json::Value;

use super::bytes::page;
use super::contradiction::{Contradiction, PageFormat, unknown_files};
use super::count::Count;
use super::declared::{self, Answered};
use super::page::is_plain;
use super::project::{Examined, project};
use crate::foundation::diagnostic::Code;
use crate::release::archive::BlockStore;
use crate::release::names::{HTML, JSON, RELEASE_FILE, RELEASE_FOLDER};
use crate::release::tree::ReleaseJson;

/// Every contradiction between pages and files.
///
/// # Errors
/// When a block is not there, or is not what its CID or a node above it says.
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
    // The layout `ipwhl-1` has projects and their wheels, and says nothing of them.
    let is_bare = [HTML, JSON, RELEASE_FOLDER]
        .iter()
        .all(|name| !top.contains_key(*name));
    let pages: Vec<(PageFormat, Option<Link>)> = PageFormat::ALL
        .into_iter()
        .filter(|_| !is_bare)
        .map(|format| (format, top.remove(format.file_name())))
        .collect();
    let about = top.remove(RELEASE_FOLDER).map(|link| link.cid);
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
        answered: answered(reader, about.as_ref(), allowed)?,
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
    Ok((count, contradictions))
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
    let release = match entries.iter().find(|entry| entry.name == RELEASE_FILE) {
        Some(entry) => ReleaseJson::parse(&page(reader, &entry.link.cid)?).ok(),
        None => None,
    };
    Ok(Answered::of(release, allowed))
}

/// What the folder about the release itself says.
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

/// The projects that a root page lists; `None` where it says something else as well.
fn root_page(format: PageFormat, body: &[u8]) -> Option<Vec<String>> {
    if format == PageFormat::Json {
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
