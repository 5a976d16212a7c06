//! Content identifiers of the only kind that UnixFS imports create: SHA-256 over a raw or a dag-pb
//! block. Specification: <https://github.com/multiformats/cid>.
//!
//! The crate `cid` implements the bytes, and `multibase` the texts. The rules here are stricter:
//! one text for one CID, no path around it, nothing after it, one hash function.

use std::fmt;
use std::str::FromStr;

use cid::multibase::{self, Base};
use cid::{CidGeneric, multihash::Multihash};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::Sha256Digest;

/// Multicodec `sha2-256`.
const SHA2_256: u64 = 0x12;
/// The length of a `CIDv0`, which is a bare multihash: function, length, 32 bytes.
const MULTIHASH_LENGTH: usize = 34;
/// Version 1, codec, multihash: each number below 128 and so one byte.
const V1_LENGTH: usize = 36;
/// The letters of the bases that [`Cid::from_any_base`] reads; the library supports some more.
const BASES: &str = "fFbBcCvVtTkKzZmMuU";
/// The longest text that is read; a `CIDv1` of this kind has 59 characters.
const MAX_TEXT: usize = 128;

/// The version of a [`Cid`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// A bare multihash, dag-pb only, written in base58.
    V0,
    /// Version, codec and multihash, written in base32.
    V1,
}

/// The contents of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Bytes of a file.
    Raw,
    /// A dag-pb node with UnixFS data.
    DagPb,
}

impl Codec {
    fn code(self) -> u64 {
        match self {
            Self::Raw => 0x55,
            Self::DagPb => 0x70,
        }
    }
}

/// The content identifier of a block: version, codec and SHA-256.
///
/// Two CIDs of one block in different versions are different values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    version: Version,
    codec: Codec,
    digest: Sha256Digest,
}

impl Cid {
    /// The `CIDv0` of the dag-pb block with this digest.
    pub fn v0(digest: Sha256Digest) -> Self {
        Self {
            version: Version::V0,
            codec: Codec::DagPb,
            digest,
        }
    }

    /// The `CIDv1` of the block with this digest.
    pub fn v1(codec: Codec, digest: Sha256Digest) -> Self {
        Self {
            version: Version::V1,
            codec,
            digest,
        }
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The SHA-256 of the block.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// Whether `block` has this CID.
    pub fn matches(&self, block: &[u8]) -> bool {
        Sha256Digest::of(block) == self.digest
    }

    /// The length of [`Self::to_bytes`]: 34 or 36.
    pub fn byte_length(&self) -> usize {
        match self.version {
            Version::V0 => MULTIHASH_LENGTH,
            Version::V1 => V1_LENGTH,
        }
    }

    /// The binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.general().to_bytes()
    }

    /// Reads the text of a CID in any base: the output of `Display`, and the common bases of
    /// multibase, in upper or lower case if a base has only one. As in Kubo, version 0 with the
    /// letter of a base is accepted, too.
    pub fn from_any_base(text: &str) -> Result<Self, CidError> {
        if text.len() > MAX_TEXT {
            return Err(CidError::Length);
        }
        if text.starts_with("Qm") {
            return text.parse();
        }
        let letter = text.chars().next().ok_or(CidError::Empty)?;
        if !BASES.contains(letter) {
            return Err(CidError::Base(letter));
        }
        let (_, bytes) = multibase::decode(text).map_err(|_| CidError::Text)?;
        Self::from_bytes(&bytes)
    }

    /// Reads the binary form, which must be all of `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let (cid, rest) = Self::read(bytes)?;
        if rest.is_empty() {
            Ok(cid)
        } else {
            Err(CidError::Length)
        }
    }

    /// Reads the binary form from the start of `bytes` and returns the rest.
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8]), CidError> {
        let mut rest = bytes;
        CidGeneric::read_bytes(&mut rest)
            .ok()
            .and_then(|cid| Self::restricted(&cid))
            .map(|cid| (cid, rest))
            .ok_or_else(|| refusal(bytes))
    }

    /// The same CID as a type of the library.
    fn general(&self) -> CidGeneric<32> {
        let version = match self.version {
            Version::V0 => cid::Version::V0,
            Version::V1 => cid::Version::V1,
        };
        Multihash::wrap(SHA2_256, self.digest.as_bytes())
            .map_err(cid::Error::from)
            .and_then(|hash| CidGeneric::new(version, self.codec.code(), hash))
            .expect("32 bytes of sha2-256 are a hash, and version 0 is made of dag-pb only")
    }

    /// A CID of the library, if it is of a supported kind.
    fn restricted(cid: &CidGeneric<32>) -> Option<Self> {
        let version = match cid.version() {
            cid::Version::V0 => Version::V0,
            cid::Version::V1 => Version::V1,
        };
        let codec = [Codec::Raw, Codec::DagPb]
            .into_iter()
            .find(|codec| codec.code() == cid.codec())?;
        let digest = <[u8; 32]>::try_from(cid.hash().digest()).ok()?;
        (cid.hash().code() == SHA2_256).then(|| Self {
            version,
            codec,
            digest: digest.into(),
        })
    }
}

/// The reason why these bytes do not begin with a CID. A number of more than one byte is
/// unsupported, and is shown by its first byte.
fn refusal(bytes: &[u8]) -> CidError {
    match bytes {
        []
        | [1]
        | [1, 0x55 | 0x70]
        | [1, 0x55 | 0x70, _]
        | [1, 0x55 | 0x70, 0x12, 0x20, ..]
        | [0x12, 0x20, ..] => CidError::Length,
        [1, 0x55 | 0x70, hash, ..] => CidError::Hash(*hash),
        [1, codec, ..] => CidError::Codec(*codec),
        [version, ..] => CidError::Version(*version),
    }
}

/// The reason why something is not a supported CID.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CidError {
    /// The text is empty.
    #[error("a CID is missing")]
    Empty,
    /// The first character names another encoding than base32, and it is not a `CIDv0`.
    #[error(
        "a CID begins with `Qm` (version 0) or `b` (version 1 in base32), not with `{}`",
        .0.escape_debug()
    )]
    Multibase(char),
    /// The first character names an unknown base.
    #[error(
        "a CID begins with `Qm` or with the letter of a base, and `{}` is not a known one",
        .0.escape_debug()
    )]
    Base(char),
    /// The text does not fit its encoding.
    #[error("a CID has a character that its encoding does not have, or is incomplete")]
    Text,
    /// Too few or too many bytes.
    #[error("a CID has the wrong length: version 0 has 46 characters, version 1 has 59")]
    Length,
    /// Neither version 0 nor version 1.
    #[error("a CID has version {0}; only 0 and 1 are known")]
    Version(u8),
    /// Neither raw nor dag-pb.
    #[error("a CID has codec 0x{0:02x}; a UnixFS block is raw (0x55) or dag-pb (0x70)")]
    Codec(u8),
    /// Another hash function than sha2-256.
    #[error("a CID has hash function 0x{0:02x}; only sha2-256 (0x12) is accepted")]
    Hash(u8),
}

impl fmt::Display for Cid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.general().to_string())
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cid({self})")
    }
}

impl FromStr for Cid {
    type Err = CidError;

    /// Accepts exactly the output of `Display`: one text for one CID.
    fn from_str(text: &str) -> Result<Self, CidError> {
        let first = text.chars().next().ok_or(CidError::Empty)?;
        if text.len() > MAX_TEXT {
            return Err(CidError::Length);
        }
        if text.starts_with("Qm") {
            let bytes = Base::Base58Btc.decode(text).map_err(|_| CidError::Text)?;
            return Self::from_bytes(&bytes)
                .ok()
                .filter(|cid| cid.version == Version::V0)
                .ok_or(CidError::Length);
        }
        let Some(body) = text.strip_prefix('b') else {
            return Err(CidError::Multibase(first));
        };
        // The library reads base32 in either case.
        if body.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(CidError::Text);
        }
        let bytes = Base::Base32Lower.decode(body).map_err(|_| CidError::Text)?;
        let cid = Self::from_bytes(&bytes)?;
        // A bare multihash in base32 is not a CID.
        match cid.version {
            Version::V0 => Err(CidError::Version(0x12)),
            Version::V1 => Ok(cid),
        }
    }
}

impl Serialize for Cid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
