//! Verifies a bundle: each file belongs to the release whose hollow archive is in it.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{CarError, CarReader};

use super::super::site::FileCheck;
use super::description::BundleDescription;
use super::plan::{BundleFile, BundlePlan};
use super::write::read_description;
use super::{DESCRIPTION, FIND_LINKS, SIMPLE};
use crate::foundation::diagnostic::Code;
use crate::foundation::environment::open_beneath;
use crate::foundation::failure::Failure;
use crate::release::archive::{ArchiveKind, archive_failure, car_name, unreadable_archive};
use crate::release::names::{LOCK, STATEMENT};
use crate::release::statement::folder::STATEMENTS;
use crate::release::statement::{is_signature_of, read_statement};
use crate::release::verify::{Contradiction, VerifyError, verify_archive};
use crate::source::Receiver as _;

/// The size of reads, in bytes.
const STEP: usize = 256 << 10;
/// The deepest folder that is listed. A bundle has two levels.
const DEEPEST: usize = 8;
/// The help for a bundle that is not what it was.
const ALTERED: &str = "the bundle is damaged or altered: get it again, from a place that you trust";

/// The result of verifying a bundle.
#[derive(Debug)]
pub struct BundleReport {
    /// The root of the release.
    pub root: Cid,
    /// What the bundle is for.
    pub description: BundleDescription,
    /// The number of projects.
    pub projects: usize,
    /// The number of wheels.
    pub wheels: usize,
    /// The number of files, without the statement and its signatures.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The contradictions between the bundle and the release.
    pub contradictions: Vec<BundleContradiction>,
}

/// A contradiction between a bundle and the release in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleContradiction {
    /// The release contradicts itself.
    Release(Contradiction),
    /// A file has other bytes.
    OtherBytes(String),
    /// A file is missing.
    Missing(String),
    /// A file cannot be read: its path and the reason.
    Unreadable(String, String),
    /// A file is not part of the bundle.
    Unknown(String),
}

impl fmt::Display for BundleContradiction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(contradiction) => contradiction.fmt(out),
            Self::OtherBytes(path) => write!(out, "`{path}` is not what the release says"),
            Self::Missing(path) => write!(out, "`{path}` is missing"),
            Self::Unreadable(path, reason) => write!(out, "`{path}` cannot be read: {reason}"),
            Self::Unknown(path) => write!(out, "`{path}` is not a part of the bundle"),
        }
    }
}

/// Whether a path is that of a bundle, whole or damaged: a folder with a description, a page with
/// all wheels, or an archive or statements beside files that installers read. So a bundle does not
/// become the folder of a release or a site, whose other files are not verified, if some of its
/// files are replaced.
pub fn is_bundle(path: &Path) -> bool {
    let has = |name: &str| fs::symlink_metadata(path.join(name)).is_ok();
    let has_archive = || ArchiveKind::ALL.into_iter().any(|kind| has(car_name(kind)));
    has(DESCRIPTION)
        || has(FIND_LINKS)
        || ((has(SIMPLE) || has(LOCK)) && has_archive())
        || ((has(SIMPLE) || has(LOCK)) && has(STATEMENTS) && !is_link_to_newest(path))
}

/// Whether `simple` is what a site may have under this name: a link to the newest release, each
/// file of which is verified with the site.
fn is_link_to_newest(site: &Path) -> bool {
    let target = fs::read_link(site.join(SIMPLE));
    let newest = read_statement(&site.join(STATEMENT));
    matches!((target, newest), (Ok(target), Ok(newest))
        if target == Path::new(&newest.statement.root.to_string()))
        && fs::symlink_metadata(site.join(LOCK)).is_err()
}

/// The statement in a bundle, if it has one.
pub fn bundle_statement(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(STATEMENT);
    fs::symlink_metadata(&path).is_ok().then_some(path)
}

/// Verifies a bundle: every block of its hollow archive, the release in it, and every file of the
/// folder. Contradictions of the codes `allowed` pass. Signatures are not verified here.
///
/// # Errors
/// When its hollow archive or its description cannot be read, or when the release does not have
/// what the description says.
pub fn verify_bundle(folder: &Path, allowed: &[Code]) -> Result<BundleReport, Failure> {
    let name = car_name(ArchiveKind::Hollow);
    let path = folder.join(name);
    let damaged = |error: CarError| archive_failure(&path, &error);
    let file = open_beneath(folder, name)
        .map_err(|error| unreadable_archive(&path, &error).help(ALTERED))?;
    let archive = CarReader::open(file).map_err(damaged)?;
    let root = archive.root();
    let verified = verify_archive(&archive, allowed).map_err(|error| match error {
        VerifyError::Incomplete(_) => {
            let message = format!("`{}` has lost blocks", path.display());
            Failure::finding(message).help(ALTERED)
        }
        VerifyError::Archive(error) => damaged(error),
    })?;
    let mut report = BundleReport {
        root,
        description: BundleDescription::default(),
        projects: 0,
        wheels: 0,
        files: 0,
        bytes: verified.survey.summary.bytes,
        contradictions: Vec::new(),
    };
    if !verified.contradictions.is_empty() {
        let found = verified.contradictions.into_iter();
        report.contradictions = found.map(BundleContradiction::Release).collect();
        return Ok(report);
    }
    let asked = read_description(folder).map_err(|failure| failure.help(ALTERED))?;
    let plan = BundlePlan::of(&archive, root, &asked, Path::new("")).map_err(|error| {
        Failure::finding(format!("`{DESCRIPTION}` does not fit the release: {error}")).help(ALTERED)
    })?;
    report.projects = plan.projects;
    report.wheels = plan.wheels.len();
    report.files = plan.files.len() + 1;
    for (path, file) in &plan.files {
        let compared = match file {
            BundleFile::Bytes(bytes) => has_bytes(folder, path, bytes),
            BundleFile::OfRelease(file) => {
                let check = FileCheck::new(&archive, file).map_err(damaged)?;
                is_file_of_release(folder, path, check)
            }
        };
        report.contradictions.extend(match compared {
            Ok(Some(bytes)) => {
                report.bytes += bytes;
                None
            }
            Ok(None) => Some(BundleContradiction::OtherBytes(path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some(BundleContradiction::Missing(path.clone()))
            }
            Err(error) => Some(BundleContradiction::Unreadable(
                path.clone(),
                error.to_string(),
            )),
        });
    }
    let mut found = Vec::new();
    list(folder, "", 0, &mut found)
        .map_err(|error| Failure::world(format!("`{}`: {error}", folder.display())))?;
    let is_known = |entry: &Listed| {
        let path = entry.path.as_str();
        let is_of_statement = path == STATEMENT || is_signature_of(path, STATEMENT);
        plan.files.contains_key(path) || path == name || (is_of_statement && entry.is_file)
    };
    let unknown = found.into_iter().filter(|entry| !is_known(entry));
    let unknown = unknown.map(|entry| BundleContradiction::Unknown(entry.path));
    report.contradictions.extend(unknown);
    report.description = plan.description;
    Ok(report)
}

/// The number of bytes of a file; `None` if they are others.
fn has_bytes(folder: &Path, path: &str, expected: &[u8]) -> io::Result<Option<u64>> {
    let mut found = Vec::new();
    let file = open_beneath(folder, path)?;
    file.take(expected.len() as u64 + 1)
        .read_to_end(&mut found)?;
    Ok((found == expected).then_some(found.len() as u64))
}

/// As [`has_bytes`], for a file of the release.
fn is_file_of_release(folder: &Path, path: &str, mut check: FileCheck) -> io::Result<Option<u64>> {
    let mut file = open_beneath(folder, path)?;
    let mut buffer = vec![0; STEP];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 || !check.take(&buffer[..count])? {
            return Ok(check.finish().map(|_| bytes));
        }
        bytes += count as u64;
    }
}

/// Something in a bundle that is no folder.
struct Listed {
    /// Its path, with `/`.
    path: String,
    /// Whether it is a regular file.
    is_file: bool,
}

/// Everything in a folder and below it that is no folder, and folders that are empty or too deep.
/// Links are not followed.
fn list(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<Listed>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        let before = found.len();
        if kind.is_dir() && depth < DEEPEST {
            list(&entry.path(), &format!("{path}/"), depth + 1, found)?;
        }
        if found.len() == before {
            found.push(Listed {
                path,
                is_file: kind.is_file(),
            });
        }
    }
    Ok(())
}
