//! The import parameters that make a CID reproducible: those of IPIP-499, and another common set of
//! Kubo's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{Cid, Codec, Link, Sha256Digest, Version, encode};

const KIBIBYTE: usize = 1024;

/// A directory whose size, as counted by its profile, is *greater* than this becomes a HAMT
/// (IPIP-499, "HAMT threshold behavior").
const HAMT_THRESHOLD: u64 = 256 * 1024;

/// A set of UnixFS import parameters. The layout is `balanced` in each, the HAMT's fanout 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Profile {
    /// `unixfs-v1-2025` of IPIP-499.
    #[default]
    UnixfsV1_2025,
    /// `unixfs-v0-2015` of IPIP-499: Kubo's defaults since 2015.
    UnixfsV0_2015,
    /// The result of `ipfs add --cid-version 1` with Kubo's other defaults.
    KuboCidV1,
}

impl Profile {
    /// Every profile, the preferred one first.
    pub const ALL: [Self; 3] = [Self::UnixfsV1_2025, Self::UnixfsV0_2015, Self::KuboCidV1];

    /// The name in `ipwhl.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnixfsV1_2025 => "unixfs-v1-2025",
            Self::UnixfsV0_2015 => "unixfs-v0-2015",
            Self::KuboCidV1 => "kubo-cidv1",
        }
    }

    /// The number of a file's bytes in each leaf except the last.
    pub fn chunk_size(self) -> usize {
        match self {
            Self::UnixfsV1_2025 => 1024 * KIBIBYTE,
            Self::UnixfsV0_2015 | Self::KuboCidV1 => 256 * KIBIBYTE,
        }
    }

    /// The most links of a file's inner node.
    pub fn width(self) -> usize {
        match self {
            Self::UnixfsV1_2025 => 1024,
            Self::UnixfsV0_2015 | Self::KuboCidV1 => 174,
        }
    }

    /// Whether a leaf is just the file's bytes, instead of a dag-pb node around them.
    pub fn raw_leaves(self) -> bool {
        match self {
            Self::UnixfsV1_2025 | Self::KuboCidV1 => true,
            Self::UnixfsV0_2015 => false,
        }
    }

    /// The profiles under which a file of this size, if known, can have this CID: the preferred one
    /// first.
    pub fn fitting(cid: &Cid, preferred: Self, size: Option<u64>) -> Vec<Self> {
        let mut profiles: Vec<Self> = Self::ALL
            .into_iter()
            .filter(|profile| match cid.version() {
                Version::V0 => !profile.raw_leaves(),
                Version::V1 => profile.raw_leaves(),
            })
            .filter(|profile| match (cid.version(), size) {
                // With raw leaves, the root is a leaf exactly if there is only one.
                (Version::V1, Some(size)) => {
                    (cid.codec() == Codec::Raw) == (profile.leaf_count(size) == 1)
                }
                _ => true,
            })
            .collect();
        profiles.sort_by_key(|profile| *profile != preferred);
        profiles
    }

    /// The number of leaves of a file of `size` bytes; an empty file has one.
    pub fn leaf_count(self, size: u64) -> u64 {
        size.div_ceil(self.chunk_size() as u64).max(1)
    }

    /// The CID of the dag-pb node with this digest.
    pub(super) fn node_cid(self, digest: Sha256Digest) -> Cid {
        match self {
            Self::UnixfsV1_2025 | Self::KuboCidV1 => Cid::v1(Codec::DagPb, digest),
            Self::UnixfsV0_2015 => Cid::v0(digest),
        }
    }

    /// The CID of the leaf with this digest.
    pub(super) fn leaf_cid(self, digest: Sha256Digest) -> Cid {
        if self.raw_leaves() {
            Cid::v1(Codec::Raw, digest)
        } else {
            self.node_cid(digest)
        }
    }

    /// Whether a directory of these entries becomes a HAMT.
    pub(super) fn shards<'a>(self, entries: impl Iterator<Item = (&'a str, &'a Link)>) -> bool {
        let size: u64 = match self {
            // IPIP-499, `block-bytes`.
            Self::UnixfsV1_2025 => {
                let links: u64 = entries
                    .map(|(name, link)| encode::link_length(name, link) as u64)
                    .sum();
                links + encode::DIRECTORY_DATA.len() as u64
            }
            // IPIP-499, `links-bytes`.
            Self::UnixfsV0_2015 | Self::KuboCidV1 => entries
                .map(|(name, link)| (name.len() + link.cid.byte_length()) as u64)
                .sum(),
        };
        size > HAMT_THRESHOLD
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// There is no profile with this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{}` is not a profile; the profiles are unixfs-v1-2025, unixfs-v0-2015 and kubo-cidv1",
    name.escape_debug()
)]
pub struct UnknownProfile {
    name: String,
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or_else(|| UnknownProfile {
                name: text.chars().take(80).collect(),
            })
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
