//! What the pages of a release say, held against the files beside them.

use rayon::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

use super::bytes::{WheelBytes, read, wheel};
use super::declared::{self, Answered, RequiresPython};
use crate::car::{CarError, Tree};
use crate::dag::{Cid, Sha256Digest};
use crate::gateway::BlockStore;
use crate::python::{WheelFileName, parse_specifiers};
use crate::release::RELEASE_FOLDER;
use crate::source::{CoreMetadataFile, IndexFile, ProjectPage};

const HTML: &str = "index.html";
const JSON: &str = "index.v1_json";
const DECLARATION: &str = "declaration.toml";
const ABOUT: &str = "release.json";
/// What the name of a wheel's METADATA has after the wheel's.
const METADATA: &str = ".metadata";

/// What was looked at.
#[derive(Default)]
pub(super) struct Count {
    pub(super) projects: usize,
    pub(super) wheels: usize,
    /// Bytes of all wheels.
    pub(super) bytes: u64,
}

/// Every contradiction between pages and files, a sentence each.
pub(super) fn check(reader: &BlockStore, root: Cid) -> Result<(Count, Vec<String>), CarError> {
    let Some(entries) = reader.list(&root)? else {
        return Ok((
            Count::default(),
            vec!["the release is a file, not a tree".to_owned()],
        ));
    };
    let mut top: BTreeMap<String, Cid> = entries
        .into_iter()
        .map(|entry| (entry.name, entry.link.cid))
        .collect();
    let mut mismatches = Vec::new();
    // The layout `ipwhl-1` has projects and their wheels, and says nothing of them.
    let is_bare = [HTML, JSON, RELEASE_FOLDER]
        .iter()
        .all(|name| !top.contains_key(*name));
    let pages: Vec<(&str, Option<Cid>)> = [HTML, JSON]
        .into_iter()
        .filter(|_| !is_bare)
        .map(|name| (name, top.remove(name)))
        .collect();
    let about = top.remove(RELEASE_FOLDER);
    let projects: BTreeSet<&str> = top.keys().map(String::as_str).collect();
    for (name, cid) in pages {
        match cid {
            None => mismatches.push(format!("the release has no `{name}`")),
            Some(cid) => {
                let listed = root_page(name, &read(reader, &cid)?);
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
    let projects: Vec<(&String, &Cid)> = top.iter().collect();
    let answered = answered(reader, about.as_ref())?;
    let checked: Vec<Result<(Count, Vec<String>), CarError>> = projects
        .par_iter()
        .map(|(name, cid)| project(reader, name, cid, is_bare, &answered))
        .collect();
    let mut count = Count {
        projects: projects.len(),
        ..Count::default()
    };
    for result in checked {
        let (one, found) = result?;
        count.wheels += one.wheels;
        count.bytes += one.bytes;
        mismatches.extend(found);
    }
    if !is_bare {
        mismatches.extend(self::about(reader, about, &count)?);
    }
    Ok((count, mismatches))
}

/// Whose declared Requires-Python need not be the wheel's.
fn answered(reader: &BlockStore, folder: Option<&Cid>) -> Result<Answered, CarError> {
    let entries = match folder {
        Some(cid) => reader.list(cid)?.unwrap_or_default(),
        None => Vec::new(),
    };
    match entries.iter().find(|entry| entry.name == ABOUT) {
        Some(entry) => Ok(Answered::of(&read(reader, &entry.link.cid)?)),
        None => Ok(Answered::default()),
    }
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
    let Some(entry) = entries.iter().find(|entry| entry.name == ABOUT) else {
        return Ok(vec![format!("{RELEASE_FOLDER}/{ABOUT} is not there")]);
    };
    let mut mismatches = strays(
        RELEASE_FOLDER,
        entries
            .iter()
            .map(|entry| entry.name.as_str())
            .filter(|name| *name != ABOUT),
    );
    for mismatch in declared::release(&read(reader, &entry.link.cid)?, count) {
        mismatches.push(format!("{RELEASE_FOLDER}/{ABOUT}: {mismatch}"));
    }
    Ok(mismatches)
}

/// Files that nothing in the format accounts for.
fn strays<'n>(folder: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
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
    let addresses = text.to_ascii_lowercase().matches("href").count();
    (addresses == names.len()).then_some(names)
}

fn project(
    reader: &BlockStore,
    name: &str,
    cid: &Cid,
    is_bare: bool,
    answered: &Answered,
) -> Result<(Count, Vec<String>), CarError> {
    let Some(entries) = reader.list(cid)? else {
        let mismatch = format!("`{name}` is a file, not a project's folder");
        return Ok((Count::default(), vec![mismatch]));
    };
    let files: BTreeMap<&str, Cid> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.link.cid))
        .collect();
    let mut wheels: BTreeMap<&str, WheelBytes> = BTreeMap::new();
    for (file, cid) in &files {
        if file.strip_suffix(".whl").is_some() {
            wheels.insert(file, wheel(reader, cid)?);
        }
    }
    let is_metadata = |file: &str| {
        let wheel = file.strip_suffix(METADATA);
        !is_bare && wheel.is_some_and(|wheel| wheels.contains_key(wheel))
    };
    let is_page = |file: &str| !is_bare && [HTML, JSON, DECLARATION].contains(&file);
    let others = files.keys().copied();
    let mut mismatches = strays(
        name,
        others.filter(|file| !wheels.contains_key(file) && !is_page(file) && !is_metadata(file)),
    );
    for (file, wheel) in &wheels {
        if let Some(problem) = &wheel.problem {
            mismatches.push(format!("{name}/{file}: {problem}"));
        }
    }
    if !is_bare {
        mismatches.extend(words(reader, name, &files, &wheels, answered)?);
    }
    let count = Count {
        projects: 1,
        wheels: wheels.len(),
        bytes: wheels.values().map(|wheel| wheel.size).sum(),
    };
    Ok((count, mismatches))
}

/// What a project's folder says of its wheels.
fn words(
    reader: &BlockStore,
    name: &str,
    files: &BTreeMap<&str, Cid>,
    wheels: &BTreeMap<&str, WheelBytes>,
    answered: &Answered,
) -> Result<Vec<String>, CarError> {
    let mut mismatches = Vec::new();
    let declared = match files.get(DECLARATION) {
        Some(cid) => declared::requires_python(&read(reader, cid)?),
        None => RequiresPython::new(),
    };
    for (file, wheel) in wheels {
        match files.get(format!("{file}{METADATA}").as_str()) {
            Some(cid) if read(reader, cid)? == wheel.metadata => {}
            Some(_) => mismatches.push(format!(
                "{name}/{file}{METADATA} is not METADATA of the wheel"
            )),
            None => mismatches.push(format!("{name}/{file}{METADATA} is not there")),
        }
    }
    for page in [HTML, JSON, DECLARATION] {
        let Some(cid) = files.get(page) else {
            mismatches.push(format!("{name}/{page} is not there"));
            continue;
        };
        let body = read(reader, cid)?;
        let found = if page == DECLARATION {
            declared::declaration(name, &body, files, wheels, answered)
        } else {
            self::page(name, page, &body, files, wheels, &declared)
        };
        for mismatch in found {
            mismatches.push(format!("{name}/{page}: {mismatch}"));
        }
    }
    Ok(mismatches)
}

/// One page against the wheels.
fn page(
    project: &str,
    page: &str,
    body: &[u8],
    files: &BTreeMap<&str, Cid>,
    wheels: &BTreeMap<&str, WheelBytes>,
    declared: &RequiresPython,
) -> Vec<String> {
    // Addresses are relative, so any base will do; it only has to be recognised again.
    let base = format!("http://release.example.org/{project}/");
    let Ok(base) = Url::parse(&base) else {
        return vec!["the project's name is no part of an address".to_owned()];
    };
    let is_json = page == JSON;
    let content_type = if is_json {
        "application/vnd.pypi.simple.v1+json"
    } else {
        "text/html"
    };
    let parsed = match ProjectPage::parse(body, content_type, &base) {
        Ok(parsed) => parsed,
        Err(reason) => return vec![reason],
    };
    let mut mismatches = Vec::new();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for file in &parsed.files {
        let name = file.file_name.as_str();
        listed.insert(name);
        let Some(wheel) = wheels.get(name) else {
            mismatches.push(format!("it names `{name}`, which is not there"));
            continue;
        };
        let is_beside = file.url.as_str().starts_with(base.as_str())
            && file.url.path_segments().map(Iterator::count)
                == base.path_segments().map(Iterator::count);
        if !is_beside {
            mismatches.push(format!("its address of `{name}` leads elsewhere"));
        }
        mismatches.extend(compare(file, wheel, declared));
    }
    for name in wheels.keys() {
        if !listed.contains(name) {
            mismatches.push(format!("it does not name `{name}`"));
        }
    }
    if is_json {
        mismatches.extend(json_only(project, body, files, wheels));
    } else {
        mismatches.extend(html_only(body, wheels));
    }
    mismatches
}

/// The metadata's digest stands on the page under two names (PEP 658 and 714), of which the reader of
/// pages takes the newer one.
fn html_only(body: &[u8], wheels: &BTreeMap<&str, WheelBytes>) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let mut expected = BTreeMap::new();
    for wheel in wheels.values() {
        let digest = Sha256Digest::of(&wheel.metadata);
        *expected
            .entry(format!("data-dist-info-metadata=\"sha256={digest}\""))
            .or_insert(0) += 1;
    }
    let is_right = text.matches("data-dist-info-metadata").count() == wheels.len()
        && expected
            .iter()
            .all(|(attribute, count)| text.matches(attribute).count() == *count);
    if is_right {
        Vec::new()
    } else {
        vec!["it has another SHA-256 of metadata in `data-dist-info-metadata`".to_owned()]
    }
}

fn compare(file: &IndexFile, wheel: &WheelBytes, declared: &RequiresPython) -> Vec<String> {
    let name = file.file_name.as_str();
    let mut mismatches = Vec::new();
    if file.sha256 != Some(wheel.sha256) {
        mismatches.push(format!("it has another SHA-256 of `{name}`"));
    }
    if file.size.is_some_and(|size| size != wheel.size) {
        mismatches.push(format!("it has another size of `{name}`"));
    }
    if file.yanked.is_some() {
        mismatches.push(format!("it says that `{name}` was yanked"));
    }
    let metadata = Sha256Digest::of(&wheel.metadata);
    if file.core_metadata != CoreMetadataFile::Sha256(metadata) {
        mismatches.push(format!(
            "it has another SHA-256 of the metadata of `{name}`"
        ));
    }
    let of_page = file.requires_python.as_deref().map(parse_specifiers);
    let declared = declared.get(name).and_then(Option::as_ref);
    let agree = match &of_page {
        None => declared::same(None, declared),
        Some(Ok(of_page)) => declared::same(Some(of_page), declared),
        Some(Err(_)) => false,
    };
    if !agree {
        mismatches.push(format!("it has another Requires-Python of `{name}`"));
    }
    mismatches
}

/// What only the JSON page has: the project's name, its versions, and `_ipwhl.content-id` of each file.
fn json_only(
    project: &str,
    body: &[u8],
    files: &BTreeMap<&str, Cid>,
    wheels: &BTreeMap<&str, WheelBytes>,
) -> Vec<String> {
    let page: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut mismatches = Vec::new();
    if page["name"] != project {
        mismatches.push(format!("it is of the project {}", page["name"]));
    }
    let versions: BTreeSet<String> = wheels
        .keys()
        .filter_map(|name| Some(name.parse::<WheelFileName>().ok()?.version().to_string()))
        .collect();
    let listed = page["versions"].as_array().cloned().unwrap_or_default();
    let listed: BTreeSet<String> = listed
        .iter()
        .map(|version| version.as_str().unwrap_or_default().to_owned())
        .collect();
    if listed != versions {
        mismatches.push("it lists other versions than those of the wheels".to_owned());
    }
    let listed = page["files"].as_array().cloned().unwrap_or_default();
    mismatches.extend(listed.iter().filter_map(|file| {
        let name = file["filename"].as_str()?;
        let cid = file["_ipwhl"]["content-id"].as_str().unwrap_or_default();
        let is_right = files.get(name).is_some_and(|link| link.to_string() == cid);
        (!is_right).then(|| format!("it has another content-id of `{name}`"))
    }));
    mismatches
}
