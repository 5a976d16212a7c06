//! A project's folder, held to what its pages, its declaration and its wheels say of each other.

use std::collections::BTreeMap;

use ipwhl_unixfs::Link;
use ipwhl_unixfs::car::{CarError, Tree};
use serde_json::Value;

use super::bytes::{self, WheelFacts, metadata, page, size, wheel, wheel_of_hollow};
use super::declared::{self, Declared};
use super::page::compare;
use super::pages::{Count, Examined, strays};
use crate::release::names::{DECLARATION, HTML, JSON, METADATA};

/// How a wheel's name ends.
const WHEEL: &str = ".whl";

/// The files of a project's folder, by name.
pub(super) type Files<'f> = BTreeMap<&'f str, Link>;

/// What is known of the wheels of a project, by file name.
pub(super) type Wheels<'f> = BTreeMap<&'f str, WheelFacts>;

/// Every contradiction in a project's folder.
pub(super) fn project(
    examined: &Examined<'_>,
    name: &str,
    link: &Link,
) -> Result<(Count, Vec<String>), CarError> {
    let Some(entries) = examined.reader.list(&link.cid)? else {
        let mismatch = format!("`{name}` is a file, not a project's folder");
        return Ok((Count::default(), vec![mismatch]));
    };
    let files: Files<'_> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.link))
        .collect();
    let is_wheel = |file: &str| file.ends_with(WHEEL);
    // A size is compared before a byte is read: what is larger than anybody says is not worth its time.
    let declared = match files.get(DECLARATION).filter(|_| !examined.is_bare) {
        Some(link) => Some(Declared::of(&bytes::declaration(
            examined.reader,
            &link.cid,
        )?)),
        None => None,
    };
    let larger = larger(examined, name, &files, declared.as_ref())?;
    if !larger.is_empty() {
        let count = Count {
            projects: 1,
            wheels: files.keys().filter(|file| is_wheel(file)).count(),
            bytes: None,
        };
        return Ok((count, larger));
    }
    let mut wheels = Wheels::new();
    for (file, link) in files.iter().filter(|(file, _)| is_wheel(file)) {
        let beside = files.get(format!("{file}{METADATA}").as_str());
        let facts = if examined.is_hollow {
            wheel_of_hollow(examined.reader, link, beside)?
        } else {
            wheel(examined.reader, &link.cid)?
        };
        wheels.insert(file, facts);
    }
    let is_metadata = |file: &str| {
        let wheel = file.strip_suffix(METADATA);
        !examined.is_bare && wheel.is_some_and(|wheel| wheels.contains_key(wheel))
    };
    let is_page = |file: &str| !examined.is_bare && [HTML, JSON, DECLARATION].contains(&file);
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
    if !examined.is_bare {
        mismatches.extend(words(examined, name, &files, &wheels, declared.as_ref())?);
    }
    let count = Count {
        projects: 1,
        wheels: wheels.len(),
        bytes: wheels.values().map(|wheel| wheel.size).sum(),
    };
    Ok((count, mismatches))
}

/// The wheels that are larger than the JSON page and the declaration say.
fn larger(
    examined: &Examined<'_>,
    name: &str,
    files: &Files<'_>,
    declared: Option<&Declared>,
) -> Result<Vec<String>, CarError> {
    let mut mismatches = Vec::new();
    let of_page = match files.get(JSON).filter(|_| !examined.is_bare) {
        Some(link) => sizes_of_page(&page(examined.reader, &link.cid)?),
        None => Vec::new(),
    };
    let of_declaration = declared.map(Declared::sizes).unwrap_or_default();
    for (said_by, sizes) in [(JSON, of_page), (DECLARATION, of_declaration)] {
        for (file, said) in sizes {
            let Some(link) = files.get(file.as_str()) else {
                continue;
            };
            if size(examined.reader, link)?.is_some_and(|size| size > said) {
                mismatches.push(format!("{name}/{said_by}: it has another size of `{file}`"));
            }
        }
    }
    Ok(mismatches)
}

fn sizes_of_page(body: &[u8]) -> Vec<(String, u64)> {
    let page: Value = serde_json::from_slice(body).unwrap_or_default();
    let files = page["files"].as_array().into_iter().flatten();
    files
        .filter_map(|file| {
            let name = file["filename"].as_str()?;
            Some((name.to_owned(), file["size"].as_u64()?))
        })
        .collect()
}

/// What a project's folder says of its wheels.
fn words(
    examined: &Examined<'_>,
    name: &str,
    files: &Files<'_>,
    wheels: &Wheels<'_>,
    declared: Option<&Declared>,
) -> Result<Vec<String>, CarError> {
    let reader = examined.reader;
    let mut mismatches = Vec::new();
    let requires_python = declared.map(Declared::requires_python).unwrap_or_default();
    for (file, wheel) in wheels {
        match files.get(format!("{file}{METADATA}").as_str()) {
            Some(link) if metadata(reader, &link.cid)? == wheel.metadata => {}
            Some(_) => mismatches.push(format!(
                "{name}/{file}{METADATA} is not METADATA of the wheel"
            )),
            None => mismatches.push(format!("{name}/{file}{METADATA} is not there")),
        }
    }
    for file in [HTML, JSON, DECLARATION] {
        let found = match (files.get(file), declared) {
            (None, _) => {
                mismatches.push(format!("{name}/{file} is not there"));
                continue;
            }
            (Some(_), Some(declared)) if file == DECLARATION => {
                declared::declaration(name, declared, files, wheels, &examined.answered)
            }
            (Some(link), _) => {
                let body = page(reader, &link.cid)?;
                let is_json = file == JSON;
                compare(name, is_json, &body, files, wheels, &requires_python)
            }
        };
        for mismatch in found {
            mismatches.push(format!("{name}/{file}: {mismatch}"));
        }
    }
    Ok(mismatches)
}
