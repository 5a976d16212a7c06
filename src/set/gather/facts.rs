//! The facts of a wheel: about its bytes and its archive.

use ipwhl_packaging::wheel::ArchiveFacts;
use ipwhl_unixfs::{FileDag, Sha256Digest};
use serde::{Deserialize, Serialize};

/// All facts of a wheel: those about its bytes, and the contents of its archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// Its DAG under the profile that fits the declared content-id.
    pub dag: FileDag,
    /// The contents of its archive.
    pub archive: ArchiveFacts,
}

/// The facts of a wheel that a release contains. Building a release needs no others, so they may
/// also come from another release that a trusted key has signed.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseFacts<'f> {
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// Its DAG under the profile that fits the declared content-id.
    pub dag: &'f FileDag,
    /// METADATA, exactly.
    pub metadata: &'f [u8],
}

impl Facts {
    /// The facts that a release contains.
    pub fn release_facts(&self) -> ReleaseFacts<'_> {
        ReleaseFacts {
            sha256: self.sha256,
            dag: &self.dag,
            metadata: &self.archive.metadata,
        }
    }
}

/// The facts of an unread wheel, as a trusted release states them. A separate type, so that they
/// are not mistaken for facts of the wheel itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReusedFacts {
    sha256: Sha256Digest,
    dag: FileDag,
    metadata: Vec<u8>,
}

impl ReusedFacts {
    /// The facts of a wheel from a release: its SHA-256, its DAG, its METADATA.
    pub fn new(sha256: Sha256Digest, dag: FileDag, metadata: Vec<u8>) -> Self {
        Self {
            sha256,
            dag,
            metadata,
        }
    }

    /// The facts that another release states about the wheel.
    pub fn release_facts(&self) -> ReleaseFacts<'_> {
        ReleaseFacts {
            sha256: self.sha256,
            dag: &self.dag,
            metadata: &self.metadata,
        }
    }
}
