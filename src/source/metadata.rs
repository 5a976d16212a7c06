//! METADATA of a wheel in an index, and what vouches for it.

use std::sync::Arc;

use ipwhl_unixfs::Sha256Digest;
use thiserror::Error;

use super::cache_error::CacheError;
use super::once::OnceMap;
use super::problem::SourceProblem;

/// METADATA of a wheel in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WheelMetadata {
    /// Its bytes, which need not be UTF-8.
    pub bytes: Vec<u8>,
    /// What vouches for them.
    pub origin: MetadataOrigin,
}

/// What vouches for METADATA. In both cases [`WheelMetadata::compare`] decides once the wheel is
/// there: an index may state a right digest of a wrong file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataOrigin {
    /// It has the SHA-256 that the index states of it, or is from the wheel with the SHA-256 that
    /// the index states.
    Verified,
    /// The server says so: no digest covers it.
    Claimed,
}

impl WheelMetadata {
    /// Compares it with METADATA of the fetched wheel, byte by byte.
    ///
    /// # Errors
    /// When they differ. `file_name` names the wheel in the message.
    pub fn compare(&self, file_name: &str, of_wheel: &[u8]) -> Result<(), OtherMetadata> {
        if self.bytes == of_wheel {
            return Ok(());
        }
        Err(OtherMetadata {
            file_name: file_name.to_owned(),
            served: Sha256Digest::of(&self.bytes),
            found: Sha256Digest::of(of_wheel),
        })
    }
}

/// The wheel has another METADATA than the index or its server said before.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{file_name} has another METADATA than its server sent before: sha256 {found}, but {served} \
     was sent"
)]
pub struct OtherMetadata {
    /// The wheel's file name.
    pub file_name: String,
    /// The SHA-256 of METADATA as it was served.
    pub served: Sha256Digest,
    /// The SHA-256 of METADATA in the wheel.
    pub found: Sha256Digest,
}

/// The reason why METADATA is unavailable. Clones share the inner errors.
#[derive(Clone, Debug, Error)]
pub enum MetadataError {
    /// The index, or the host of the file, is at fault.
    #[error(transparent)]
    Source(#[from] SourceProblem),
    /// The file beside the wheel is not the one that the page of the index states.
    #[error(transparent)]
    Beside(SourceProblem),
    /// The whole wheel is there, and METADATA cannot be read from it.
    #[error("`{file_name}` has no readable METADATA: its archive {reason}")]
    Archive {
        /// The wheel's file name.
        file_name: String,
        /// The reason, as a clause.
        reason: String,
    },
    /// The cache could not be written or read.
    #[error("the cache of wheels cannot be used")]
    Cache(#[source] Arc<CacheError>),
}

impl MetadataError {
    /// What is wrong with a wheel or its METADATA, as a clause about its version; `None` if the
    /// file may be right, and its host, the network or the disk failed.
    pub fn defect(&self, file_name: &str) -> Option<String> {
        match self {
            Self::Source(SourceProblem::Missing { reason, .. }) => {
                Some(format!("`{file_name}` is gone: {reason}"))
            }
            Self::Source(SourceProblem::TooLarge { reason, .. }) => {
                Some(format!("`{file_name}` is too large: {reason}"))
            }
            Self::Source(SourceProblem::Mismatch { mismatches, .. }) => {
                let kinds = mismatches.iter().map(|one| one.kind.to_string());
                let kinds = kinds.collect::<Vec<_>>().join(" and ");
                Some(format!(
                    "`{file_name}` has another {kinds} than the index states"
                ))
            }
            Self::Beside(_) => Some(format!(
                "the metadata of `{file_name}` has another sha256 than the index states"
            )),
            Self::Archive { .. } => Some(self.to_string()),
            Self::Source(SourceProblem::NotAsked { .. } | SourceProblem::Failed { .. })
            | Self::Cache(_) => None,
        }
    }
}

impl From<CacheError> for MetadataError {
    fn from(error: CacheError) -> Self {
        Self::Cache(Arc::new(error))
    }
}

/// An optional function of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Facility {
    /// METADATA beside a wheel (PEP 658).
    MetadataFiles,
    /// Parts of a file (RFC 9110, section 14).
    Ranges,
}

/// A file, as the key of its METADATA: its address, its SHA-256, and that of METADATA.
pub(super) type FileKey = (String, Option<Sha256Digest>, Option<Sha256Digest>);

/// METADATA of the files of this run, and what their hosts offer.
#[derive(Debug, Default)]
pub(super) struct MetadataState {
    pub(super) files: OnceMap<FileKey, Result<Arc<WheelMetadata>, MetadataError>>,
    /// By scheme, host and port.
    pub(super) facilities: OnceMap<(String, Facility), bool>,
}
