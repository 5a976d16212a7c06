//! Verifies a project's folder: its pages, its declaration and its wheels against each other.

use ipwhl_unixfs::Link;
use ipwhl_unixfs::car::{CarError, Tree};
use serde_json::Value;

use super::bytes::{self, Files, Wheels, metadata, page, size, wheel, wheel_of_hollow};
use super::contradiction::{
    Contradiction, FileContradiction, PageFormat, ProjectFile, WheelFact, unknown_files,
};
use super::count::Count;
use super::declared::{self, Declared, WaivedProjects};
use super::page::compare;
use crate::release::archive::BlockStore;
use crate::release::names::{DECLARATION, JSON, LOCK, METADATA, WHEEL};

/// The context of the verification of a release.
pub(super) struct Examined<'r> {
    pub(super) reader: &'r BlockStore,
    /// Whether the wheels' bytes are missing: then only the rest is compared.
    pub(super) is_hollow: bool,
    /// Whether it has only wheels, without pages: in the layout `ipwhl-1`.
    pub(super) is_bare: bool,
    /// Whether it may have lock files, which are verified together.
    pub(super) has_locks: bool,
    /// The accepted findings.
    pub(super) waived: WaivedProjects,
}

/// Every contradiction in a project's folder.
pub(super) fn project(
    examined: &Examined<'_>,
    name: &str,
    link: &Link,
) -> Result<(Count, Vec<Contradiction>), CarError> {
    let Some(entries) = examined.reader.list(&link.cid)? else {
        let contradiction = Contradiction::ProjectIsFile {
            project: name.to_owned(),
        };
        return Ok((Count::default(), vec![contradiction]));
    };
    let files: Files<'_> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.link))
        .collect();
    let is_wheel = |file: &str| file.ends_with(WHEEL);
    // The size is compared before a byte is read: a wheel that is larger than stated is not read.
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
    let is_page = |name: &str| {
        let mut files = ProjectFile::ALL.iter();
        let is_lock = examined.has_locks && name == LOCK;
        is_lock || !examined.is_bare && files.any(|file| file.file_name() == name)
    };
    let others = files.keys().copied();
    let mut contradictions = unknown_files(
        name,
        others.filter(|file| !wheels.contains_key(file) && !is_page(file) && !is_metadata(file)),
    );
    for (file, wheel) in &wheels {
        if let Some(problem) = &wheel.problem {
            contradictions.push(Contradiction::InvalidWheel {
                project: name.to_owned(),
                wheel: (*file).to_owned(),
                problem: problem.clone(),
            });
        }
    }
    if !examined.is_bare {
        contradictions.extend(check_files(
            examined,
            name,
            &files,
            &wheels,
            declared.as_ref(),
        )?);
    }
    let count = Count {
        projects: 1,
        wheels: wheels.len(),
        bytes: wheels.values().map(|wheel| wheel.size).sum(),
    };
    Ok((count, contradictions))
}

/// The wheels that are larger than the JSON page and the declaration state.
fn larger(
    examined: &Examined<'_>,
    name: &str,
    files: &Files<'_>,
    declared: Option<&Declared>,
) -> Result<Vec<Contradiction>, CarError> {
    let mut contradictions = Vec::new();
    let of_page = match files.get(JSON).filter(|_| !examined.is_bare) {
        Some(link) => sizes_of_page(&page(examined.reader, &link.cid)?),
        None => Vec::new(),
    };
    let of_declaration = declared.map(Declared::sizes).unwrap_or_default();
    for (file, sizes) in [
        (ProjectFile::Page(PageFormat::Json), of_page),
        (ProjectFile::Declaration, of_declaration),
    ] {
        for (wheel, said) in sizes {
            let Some(link) = files.get(wheel.as_str()) else {
                continue;
            };
            if size(examined.reader, link)?.is_some_and(|size| size > said) {
                contradictions.push(Contradiction::File {
                    project: name.to_owned(),
                    file,
                    contradiction: FileContradiction::Other {
                        fact: WheelFact::Size,
                        wheel,
                    },
                });
            }
        }
    }
    Ok(contradictions)
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

/// The pages and the declaration of a project's folder.
fn check_files(
    examined: &Examined<'_>,
    name: &str,
    files: &Files<'_>,
    wheels: &Wheels<'_>,
    declared: Option<&Declared>,
) -> Result<Vec<Contradiction>, CarError> {
    let reader = examined.reader;
    let mut contradictions = Vec::new();
    let stated = declared.map(Declared::stated).unwrap_or_default();
    for (file, facts) in wheels {
        let (project, wheel) = (name.to_owned(), (*file).to_owned());
        match files.get(format!("{file}{METADATA}").as_str()) {
            Some(link) if metadata(reader, &link.cid)? == facts.metadata => {}
            Some(_) => contradictions.push(Contradiction::OtherMetadata { project, wheel }),
            None => contradictions.push(Contradiction::MissingMetadata { project, wheel }),
        }
    }
    for file in ProjectFile::ALL {
        let project = name.to_owned();
        let Some(link) = files.get(file.file_name()) else {
            contradictions.push(Contradiction::MissingFile { project, file });
            continue;
        };
        let found = match (file, declared) {
            (ProjectFile::Page(format), _) => {
                let body = page(reader, &link.cid)?;
                compare(name, format, &body, files, wheels, &stated)
            }
            (ProjectFile::Declaration, Some(declared)) => {
                declared::declaration(name, declared, files, wheels, &examined.waived)
            }
            (ProjectFile::Declaration, None) => Vec::new(),
        };
        let found = found.into_iter();
        contradictions.extend(found.map(|contradiction| Contradiction::File {
            project: project.clone(),
            file,
            contradiction,
        }));
    }
    Ok(contradictions)
}
