//! What is known of a wheel: of its bytes, and of what its archive says.

use ipwhl_packaging::wheel::ArchiveFacts;
use ipwhl_unixfs::{FileDag, Sha256Digest};
use serde::{Deserialize, Serialize};

/// All that is known of a wheel: the facts about its bytes, and those that its archive states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// Its DAG under the profile that fits the declared content-id.
    pub dag: FileDag,
    /// What its archive says.
    pub archive: ArchiveFacts,
}

/// What a release says of a wheel. Whoever makes a release needs no more, so it may come out of
/// another release, which is vouched for, as well as out of the wheel.
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
    /// What a release says of the wheel.
    pub fn release_facts(&self) -> ReleaseFacts<'_> {
        ReleaseFacts {
            sha256: self.sha256,
            dag: &self.dag,
            metadata: &self.archive.metadata,
        }
    }
}

/// What a release says of a wheel that nobody has looked at here. It is a type of its own, so that
/// nobody takes it for facts of the wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReusedFacts {
    sha256: Sha256Digest,
    dag: FileDag,
    metadata: Vec<u8>,
}

impl ReusedFacts {
    /// What a release says of a wheel: its SHA-256, its DAG, its METADATA.
    pub fn new(sha256: Sha256Digest, dag: FileDag, metadata: Vec<u8>) -> Self {
        Self {
            sha256,
            dag,
            metadata,
        }
    }

    /// What another release says of the wheel.
    pub fn release_facts(&self) -> ReleaseFacts<'_> {
        ReleaseFacts {
            sha256: self.sha256,
            dag: &self.dag,
            metadata: &self.metadata,
        }
    }
}
