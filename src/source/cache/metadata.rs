//! METADATA of wheels that were not fetched: kept by the SHA-256 that an index states of the wheel.

use std::path::PathBuf;

use ipwhl_unixfs::Sha256Digest;
use serde::{Deserialize, Serialize};

use super::layout::METADATA;
use super::{Cache, facts};
use crate::source::cache_error::CacheError;

/// METADATA in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) struct StoredMetadata {
    /// Whether it was read from the verified wheel. Otherwise only an index vouches for it, and
    /// perhaps another one than that of this run.
    pub(in crate::source) is_from_wheel: bool,
    /// Its bytes, which need not be UTF-8.
    #[serde(with = "base64_text")]
    pub(in crate::source) bytes: Vec<u8>,
}

impl Cache {
    /// METADATA of the wheel with this SHA-256, unless it is absent or damaged.
    pub(in crate::source) fn metadata(&self, wheel: &Sha256Digest) -> Option<StoredMetadata> {
        let path = self.metadata_path(wheel);
        let stored = facts::read(&path, &name(wheel))?;
        self.note_use(path);
        Some(stored)
    }

    pub(in crate::source) fn keep_metadata(
        &self,
        wheel: &Sha256Digest,
        metadata: &StoredMetadata,
    ) -> Result<(), CacheError> {
        let folder = self.root.join(METADATA);
        self.write_facts(&folder, &wheel.to_string(), &name(wheel), metadata)
    }

    pub(super) fn metadata_path(&self, wheel: &Sha256Digest) -> PathBuf {
        self.root.join(METADATA).join(wheel.to_string())
    }
}

/// The name for the checksum.
fn name(wheel: &Sha256Digest) -> String {
    format!("{METADATA}\0{wheel}")
}

/// Bytes as base64 in a string.
mod base64_text {
    use std::borrow::Cow;

    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&BASE64.encode_display(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}
