//! Requests for wheels, and their results.

use std::fmt;
use std::path::PathBuf;

use ipwhl_unixfs::{Cid, FileDag, Sha256Digest};
use url::Url;

use super::address::redacted;
use super::problem::SourceProblem;
use super::verify::contradictions;

/// A source of a wheel's bytes. Printed without credentials.
#[derive(Clone, PartialEq, Eq)]
pub enum SourceLocation {
    /// `pkg:pypi/…`: a file in the index.
    PackageUrl {
        /// The project's normalised name.
        project: String,
        /// The version, as declared.
        version: String,
        /// The wheel's file name.
        file_name: String,
    },
    /// A web address.
    Web(Url),
    /// A web address without transport security that is not allowed: it is not used.
    Insecure(Url),
    /// A file below a folder.
    File {
        /// The folder.
        directory: PathBuf,
        /// The path in it, with `/`, as declared.
        path: String,
    },
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PackageUrl {
                project,
                version,
                file_name,
            } => write!(
                formatter,
                "pkg:pypi/{project}@{version}?file_name={file_name}"
            ),
            Self::Web(url) | Self::Insecure(url) => formatter.write_str(&redacted(url)),
            Self::File { path, .. } => write!(formatter, "file:{path}"),
        }
    }
}

impl fmt::Debug for SourceLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SourceLocation({self})")
    }
}

/// A requested wheel, as its declaration describes it.
#[derive(Clone, Debug)]
pub struct WheelRequest {
    /// The project's normalised name.
    pub project: String,
    /// The wheel's file name.
    pub file_name: String,
    /// The places to try, in order of preference.
    pub sources: Vec<SourceLocation>,
    /// The CID that the bytes must have.
    pub content_id: Cid,
    /// The SHA-256 that the file must have, if declared.
    pub sha256: Option<Sha256Digest>,
    /// The size in bytes that the file must have, if declared.
    pub size: Option<u64>,
}

impl WheelRequest {
    /// The declared values besides the CID that differ from those of the content with this CID.
    pub fn contradiction(&self, size: u64, sha256: &Sha256Digest) -> Option<SourceProblem> {
        let mismatches = contradictions(self.size, self.sha256, size, sha256);
        (!mismatches.is_empty()).then(|| SourceProblem::Mismatch {
            place: format!("the content {}", self.content_id),
            mismatches,
        })
    }
}

/// A wheel whose bytes agree with the declaration.
#[derive(Clone, Debug)]
pub struct FetchedWheel {
    /// The file in the cache.
    pub path: PathBuf,
    /// The DAG with the declared CID, under the profile that fits.
    pub dag: FileDag,
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The source that sent them, in printable form; `None` if they were in the cache.
    pub from: Option<String>,
    /// The problems of the sources that were tried before.
    pub rejected: Vec<SourceProblem>,
}

/// The result of reading one listed source of a wheel again.
#[derive(Clone, Debug)]
pub struct SourceOutcome {
    /// The source.
    pub source: SourceLocation,
    /// The problem with it, if any.
    pub problem: Option<SourceProblem>,
}
