//! What is asked for, and what comes back.

use std::fmt;
use std::path::PathBuf;

use ipwhl_unixfs::{Cid, FileDag, Sha256Digest};
use url::Url;

use super::address::redacted;
use super::problem::SourceProblem;
use super::verify::contradictions;

/// A place that the bytes of a wheel can come from. Shown without credentials.
#[derive(Clone, PartialEq, Eq)]
pub enum SourceLocation {
    /// `pkg:pypi/…`: a file that the index knows.
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
    /// A web address without transport security, which nobody answers for: it is not asked.
    Insecure(Url),
    /// A file below a folder.
    File {
        /// The folder.
        directory: PathBuf,
        /// The path from there, with `/`, as declared.
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

/// A wheel that is wanted, as its declaration describes it.
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
    /// The SHA-256 that the file must have, where it is declared.
    pub sha256: Option<Sha256Digest>,
    /// The number of bytes that the file must have, where it is declared.
    pub size: Option<u64>,
}

impl WheelRequest {
    /// What is declared besides the CID, where the content that has this CID has other ones.
    pub fn contradiction(&self, size: u64, sha256: &Sha256Digest) -> Option<SourceProblem> {
        let mismatches = contradictions(self.size, self.sha256, size, sha256);
        (!mismatches.is_empty()).then(|| SourceProblem::Mismatch {
            place: format!("the content {}", self.content_id),
            mismatches,
        })
    }
}

/// A wheel whose bytes have been compared with what was declared.
#[derive(Clone, Debug)]
pub struct FetchedWheel {
    /// The file in the cache.
    pub path: PathBuf,
    /// The DAG that has the declared CID, under the profile that fits.
    pub dag: FileDag,
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// The number of its bytes.
    pub size: u64,
    /// The place that they came from, as it may be shown; nothing when they were in the cache.
    pub from: Option<String>,
    /// What went wrong with the places that were tried before that one.
    pub passed_over: Vec<SourceProblem>,
}

/// What one listed source of a wheel gave when it was asked afresh.
#[derive(Clone, Debug)]
pub struct SourceOutcome {
    /// The source.
    pub source: SourceLocation,
    /// What is wrong with it, if anything is.
    pub problem: Option<SourceProblem>,
}
