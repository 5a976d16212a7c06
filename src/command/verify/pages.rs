//! What the pages of a release say, held against the files beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};

use rayon::prelude::*;
use serde_json::Value;
use url::Url;

use crate::car::{CarError, CarReader};
use crate::dag::{Cid, FileHasher, Profile, Sha256Digest};
use crate::python::{CoreMetadata, parse_specifiers, same_specifiers};
use crate::release::RELEASE_FOLDER;
use crate::source::{CoreMetadataFile, IndexFile, ProjectPage};
use crate::wheel::{Limits, inspect};

const HTML: &str = "index.html";
const JSON: &str = "index.v1_json";
/// The largest page or metadata file that is read whole, in bytes.
const MAXIMUM_PAGE: u64 = 64 * 1024 * 1024;
/// How much of a wheel is hashed at once.
const BUFFER: usize = 256 * 1024;

/// What was looked at.
#[derive(Default)]
pub(super) struct Count {
    pub(super) projects: usize,
    pub(super) wheels: usize,
}

/// Every contradiction between pages and files, a sentence each.
pub(super) fn check<R: Read + Seek + Send>(
    reader: &CarReader<R>,
) -> Result<(Count, Vec<String>), CarError> {
    let root = reader.root();
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
    let pages: Vec<(&str, Option<Cid>)> = [HTML, JSON]
        .into_iter()
        .map(|name| (name, top.remove(name)))
        .collect();
    if top.remove(RELEASE_FOLDER).is_none() {
        mismatches.push(format!("the release has no folder `{RELEASE_FOLDER}`"));
    }
    let projects: BTreeSet<&str> = top.keys().map(String::as_str).collect();
    for (name, cid) in pages {
        match cid {
            None => mismatches.push(format!("the release has no `{name}`")),
            Some(cid) => {
                let listed = root_page(name, &read(reader, &cid)?);
                if listed.iter().map(String::as_str).collect::<BTreeSet<_>>() != projects {
                    mismatches.push(format!(
                        "`{name}` does not list the projects that are there"
                    ));
                }
            }
        }
    }
    let projects: Vec<(&String, &Cid)> = top.iter().collect();
    let checked: Vec<Result<(usize, Vec<String>), CarError>> = projects
        .par_iter()
        .map(|(name, cid)| project(reader, name, cid))
        .collect();
    let mut count = Count {
        projects: projects.len(),
        wheels: 0,
    };
    for result in checked {
        let (wheels, found) = result?;
        count.wheels += wheels;
        mismatches.extend(found);
    }
    Ok((count, mismatches))
}

/// The projects that a root page lists.
fn root_page(name: &str, body: &[u8]) -> Vec<String> {
    if name == JSON {
        let page: Value = serde_json::from_slice(body).unwrap_or_default();
        let projects = page["projects"].as_array().cloned().unwrap_or_default();
        return projects
            .iter()
            .filter_map(|project| Some(project["name"].as_str()?.to_owned()))
            .collect();
    }
    // The page is ours: an anchor a line, to a folder.
    String::from_utf8_lossy(body)
        .lines()
        .filter_map(|line| {
            let rest = line.strip_prefix("<a href=\"")?;
            Some(rest.split_once("/\"")?.0.to_owned())
        })
        .collect()
}

fn read<R: Read + Seek>(reader: &CarReader<R>, cid: &Cid) -> Result<Vec<u8>, CarError> {
    let file = reader.file(cid)?;
    if file.size() > MAXIMUM_PAGE {
        return Err(CarError::Tree {
            cid: *cid,
            reason: format!("has {} bytes, more than a page can have", file.size()),
        });
    }
    let mut bytes = Vec::new();
    file.take(MAXIMUM_PAGE)
        .read_to_end(&mut bytes)
        .map_err(|error| broken(cid, &error))?;
    Ok(bytes)
}

fn broken(cid: &Cid, error: &io::Error) -> CarError {
    CarError::Tree {
        cid: *cid,
        reason: format!("cannot be read: {error}"),
    }
}

/// What the bytes of one wheel say.
struct WheelBytes {
    size: u64,
    sha256: Sha256Digest,
    metadata: Vec<u8>,
    problem: Option<String>,
}

fn wheel<R: Read + Seek>(reader: &CarReader<R>, cid: &Cid) -> Result<WheelBytes, CarError> {
    let mut file = reader.file(cid)?;
    // The leaves have been verified; of this pass only the digest of the whole is used.
    let mut hasher = FileHasher::new(Profile::UnixfsV1_2025);
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| broken(cid, &error))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    let (dag, sha256) = hasher.finish();
    let mut file = reader.file(cid)?;
    let facts = inspect(&mut file, &Limits::default()).map_err(|error| broken(cid, &error))?;
    Ok(WheelBytes {
        size: dag.size(),
        sha256,
        metadata: facts.metadata,
        problem: facts
            .problems
            .into_iter()
            .next()
            .map(|problem| problem.message),
    })
}

fn project<R: Read + Seek>(
    reader: &CarReader<R>,
    name: &str,
    cid: &Cid,
) -> Result<(usize, Vec<String>), CarError> {
    let mut mismatches = Vec::new();
    let Some(entries) = reader.list(cid)? else {
        return Ok((
            0,
            vec![format!("`{name}` is a file, not a project's folder")],
        ));
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
    for (file, wheel) in &wheels {
        if let Some(problem) = &wheel.problem {
            mismatches.push(format!("{name}/{file}: {problem}"));
        }
        match files.get(format!("{file}.metadata").as_str()) {
            Some(cid) if read(reader, cid)? == wheel.metadata => {}
            Some(_) => mismatches.push(format!(
                "{name}/{file}.metadata is not METADATA of the wheel"
            )),
            None => mismatches.push(format!("{name}/{file}.metadata is not there")),
        }
    }
    if !files.contains_key("declaration.toml") {
        mismatches.push(format!("{name}/declaration.toml is not there"));
    }
    for (page, content_type) in [
        (HTML, "text/html"),
        (JSON, "application/vnd.pypi.simple.v1+json"),
    ] {
        let Some(cid) = files.get(page) else {
            mismatches.push(format!("{name}/{page} is not there"));
            continue;
        };
        let body = read(reader, cid)?;
        for mismatch in self::page(name, content_type, &body, &files, &wheels) {
            mismatches.push(format!("{name}/{page}: {mismatch}"));
        }
    }
    Ok((wheels.len(), mismatches))
}

/// One page against the wheels.
fn page(
    project: &str,
    content_type: &str,
    body: &[u8],
    files: &BTreeMap<&str, Cid>,
    wheels: &BTreeMap<&str, WheelBytes>,
) -> Vec<String> {
    // Addresses are relative, so any base will do; it only has to be recognised again.
    let base = format!("http://release.example.org/{project}/");
    let Ok(base) = Url::parse(&base) else {
        return vec!["the project's name is no part of an address".to_owned()];
    };
    let page = match ProjectPage::parse(body, content_type, &base) {
        Ok(page) => page,
        Err(reason) => return vec![reason],
    };
    let mut mismatches = Vec::new();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for file in &page.files {
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
        mismatches.extend(compare(file, wheel));
    }
    for name in wheels.keys() {
        if !listed.contains(name) {
            mismatches.push(format!("it does not name `{name}`"));
        }
    }
    if content_type.ends_with("json") {
        mismatches.extend(content_ids(body, files));
    }
    mismatches
}

fn compare(file: &IndexFile, wheel: &WheelBytes) -> Vec<String> {
    let name = &file.file_name;
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
    let of_wheel = CoreMetadata::parse(&wheel.metadata)
        .ok()
        .and_then(|metadata| metadata.requires_python)
        .filter(|specifiers| !specifiers.is_empty());
    let agree = match (&of_page, &of_wheel) {
        (None, None) => true,
        (Some(Ok(one)), Some(other)) => same_specifiers(one, other),
        _ => false,
    };
    if !agree {
        mismatches.push(format!("it has another Requires-Python of `{name}`"));
    }
    mismatches
}

/// `_ipwhl.content-id` of each file against the links of the folder.
fn content_ids(body: &[u8], files: &BTreeMap<&str, Cid>) -> Vec<String> {
    let page: Value = serde_json::from_slice(body).unwrap_or_default();
    let listed = page["files"].as_array().cloned().unwrap_or_default();
    listed
        .iter()
        .filter_map(|file| {
            let name = file["filename"].as_str()?;
            let cid = file["_ipwhl"]["content-id"].as_str().unwrap_or_default();
            let is_right = files.get(name).is_some_and(|link| link.to_string() == cid);
            (!is_right).then(|| format!("it has another content-id of `{name}`"))
        })
        .collect()
}
