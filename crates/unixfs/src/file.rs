//! A file as a balanced DAG, without its bytes.

use std::io::{self, Read, Seek, SeekFrom};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::encode::{self, Part};
use super::{BlockSink, Cid, Codec, Link, Profile, Sha256Digest, Version};

/// An upper bound for the length of a leaf's frame.
const LONGEST_FRAME: u64 = 32;

/// The DAG of one file under one profile: its size and the digests of its leaves. All inner nodes
/// follow from them, so this is all that is stored of a file whose bytes have been hashed once.
///
/// In serde it is a map of `profile`, `size` and `leaves`, the concatenated digests in base64; a
/// map with the wrong number of leaves for its size is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct FileDag {
    profile: Profile,
    size: u64,
    leaves: Vec<Sha256Digest>,
    root: Link,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    profile: Profile,
    size: u64,
    leaves: String,
}

impl From<FileDag> for Stored {
    fn from(dag: FileDag) -> Self {
        let digests: Vec<u8> = dag
            .leaves
            .iter()
            .flat_map(|leaf| *leaf.as_bytes())
            .collect();
        Self {
            profile: dag.profile,
            size: dag.size,
            leaves: BASE64.encode(&digests),
        }
    }
}

impl TryFrom<Stored> for FileDag {
    type Error = FileDagError;

    fn try_from(stored: Stored) -> Result<Self, FileDagError> {
        let digests = BASE64
            .decode(stored.leaves.as_bytes())
            .map_err(|_| FileDagError::Text)?;
        let (digests, []) = digests.as_chunks::<32>() else {
            return Err(FileDagError::Text);
        };
        let leaves = digests.iter().copied().map(Sha256Digest::from).collect();
        Self::from_leaves(stored.profile, stored.size, leaves)
    }
}

/// The reason why stored facts are invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileDagError {
    /// The leaves' digests are not base64 of complete digests.
    #[error("the digests of a file's leaves are not complete digests in base64")]
    Text,
    /// A file of this size has another number of leaves.
    #[error("a file of {size} bytes has {expected} leaves, but {found} digests are stored")]
    Count {
        /// The file's size in bytes.
        size: u64,
        /// The number of its leaves.
        expected: u64,
        /// The number of stored digests.
        found: u64,
    },
}

impl FileDag {
    /// The DAG of a file of `size` bytes whose leaves (blocks, with their frame if the profile has
    /// one) have these digests.
    pub fn from_leaves(
        profile: Profile,
        size: u64,
        leaves: Vec<Sha256Digest>,
    ) -> Result<Self, FileDagError> {
        let expected = profile.leaf_count(size);
        if leaves.len() as u64 != expected {
            return Err(FileDagError::Count {
                size,
                expected,
                found: leaves.len() as u64,
            });
        }
        let levels = levels(profile, size, &leaves);
        // `levels` ends with a level of one part: there is at least one leaf.
        let root = levels[levels.len() - 1][0].link;
        Ok(Self {
            profile,
            size,
            leaves,
            root,
        })
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digests of the leaves, in the file's order.
    pub fn leaves(&self) -> &[Sha256Digest] {
        &self.leaves
    }

    /// The link to this file.
    pub fn link(&self) -> Link {
        self.root
    }

    /// The root.
    pub fn cid(&self) -> Cid {
        self.root.cid
    }

    /// Emits every block, depth first, parents before children. The leaves are read from `bytes`,
    /// which must be exactly the whole file; each is hashed and compared before the sink receives
    /// it.
    ///
    /// One leaf is in memory at a time.
    ///
    /// # Errors
    ///
    /// `InvalidData` when the bytes are not the file's, and any error of `bytes` and `sink`.
    pub fn emit(&self, sink: &mut dyn BlockSink, bytes: &mut dyn Read) -> io::Result<()> {
        self.emit_nodes(sink, &mut |sink, dag, index| {
            let block = dag.read_leaf(index, bytes)?;
            sink.put(&dag.leaf_link(index).cid, &block)
        })?;
        if bytes.take(1).read_to_end(&mut Vec::new())? > 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "there are more than the {} bytes of {}",
                    self.size,
                    self.cid()
                ),
            ));
        }
        Ok(())
    }

    /// Emits only the inner nodes, without the leaves: the part of a file in a hollow release.
    pub fn emit_hollow(&self, sink: &mut dyn BlockSink) -> io::Result<()> {
        self.emit_nodes(sink, &mut |_, _, _| Ok(()))
    }

    fn emit_nodes(
        &self,
        sink: &mut dyn BlockSink,
        leaf: &mut dyn FnMut(&mut dyn BlockSink, &Self, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let levels = levels(self.profile, self.size, &self.leaves);
        self.emit_part(sink, &levels, levels.len() - 1, 0, leaf)
    }

    fn emit_part(
        &self,
        sink: &mut dyn BlockSink,
        levels: &[Vec<Part>],
        level: usize,
        index: usize,
        leaf: &mut dyn FnMut(&mut dyn BlockSink, &Self, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        if level == 0 {
            return leaf(sink, self, index);
        }
        let children = &levels[level - 1];
        let first = index * self.profile.width();
        let end = (first + self.profile.width()).min(children.len());
        sink.put(
            &levels[level][index].link.cid,
            &encode::file_node(&children[first..end]),
        )?;
        for child in first..end {
            self.emit_part(sink, levels, level - 1, child, leaf)?;
        }
        Ok(())
    }

    /// The CIDs of the leaves, in the file's order.
    pub fn leaf_cids(&self) -> impl Iterator<Item = Cid> + '_ {
        self.leaves
            .iter()
            .map(|digest| self.profile.leaf_cid(*digest))
    }

    /// The block of the leaf with this index, read from the file, hashed and compared.
    ///
    /// # Errors
    ///
    /// `InvalidData` when the bytes are not the file's, `InvalidInput` when it has no such leaf,
    /// and any error of `file`.
    pub fn leaf_block<F: Read + Seek>(&self, index: usize, file: &mut F) -> io::Result<Vec<u8>> {
        if index >= self.leaves.len() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} has {} leaves", self.cid(), self.leaves.len()),
            ));
        }
        let start = index as u64 * self.profile.chunk_size() as u64;
        file.seek(SeekFrom::Start(start))?;
        self.read_leaf(index, file)
    }

    /// Reads the leaf with this index from the position of `bytes` and compares its digest.
    fn read_leaf(&self, index: usize, bytes: &mut dyn Read) -> io::Result<Vec<u8>> {
        let length = leaf_length(self.profile, self.size, index);
        let (before, after) = frame(self.profile, length);
        let mut block = before;
        block.reserve(length + after.len());
        let read = bytes.take(length as u64).read_to_end(&mut block)?;
        if read < length {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the bytes of {} end after {} of {}",
                    self.cid(),
                    index as u64 * self.profile.chunk_size() as u64 + read as u64,
                    self.size
                ),
            ));
        }
        block.extend_from_slice(&after);
        if Sha256Digest::of(&block) != self.leaves[index] {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the bytes from {} on are not those of {}",
                    index as u64 * self.profile.chunk_size() as u64,
                    self.cid()
                ),
            ));
        }
        Ok(block)
    }

    fn leaf_link(&self, index: usize) -> Link {
        leaf_link(self.profile, self.size, index, self.leaves[index])
    }
}

/// The frame of a leaf; empty for raw leaves.
pub(super) fn frame(profile: Profile, length: usize) -> (Vec<u8>, Vec<u8>) {
    if profile.raw_leaves() {
        (Vec::new(), Vec::new())
    } else {
        encode::leaf_frame(length)
    }
}

/// The number of a file's bytes in the leaf behind a link, computed from its cumulative size;
/// `None` if no leaf has such a size.
pub fn leaf_content(link: &Link) -> Option<u64> {
    let whole = link.cumulative_size;
    if link.cid.codec() == Codec::Raw {
        return Some(whole);
    }
    if link.cid.version() == Version::V1 {
        return None;
    }
    let chunk = Profile::UnixfsV0_2015.chunk_size() as u64;
    let least = whole.saturating_sub(LONGEST_FRAME);
    (least..whole.min(chunk + 1)).find(|length| {
        let length = usize::try_from(*length).unwrap_or(usize::MAX);
        let (before, after) = encode::leaf_frame(length);
        (before.len() + length + after.len()) as u64 == whole
    })
}

/// The number of the file's bytes in the leaf with this index.
fn leaf_length(profile: Profile, size: u64, index: usize) -> usize {
    let chunk = profile.chunk_size();
    let left = size.saturating_sub(index as u64 * chunk as u64);
    usize::try_from(left).map_or(chunk, |left| left.min(chunk))
}

fn leaf_link(profile: Profile, size: u64, index: usize, digest: Sha256Digest) -> Link {
    let length = leaf_length(profile, size, index);
    let (before, after) = frame(profile, length);
    Link {
        cid: profile.leaf_cid(digest),
        cumulative_size: (before.len() + length + after.len()) as u64,
    }
}

/// The levels of a balanced DAG, the leaves first, the root alone in the last. All leaves are at
/// the same depth, so a node with a single child stays at its level (IPIP-499, `balanced`).
fn levels(profile: Profile, size: u64, leaves: &[Sha256Digest]) -> Vec<Vec<Part>> {
    let mut level: Vec<Part> = leaves
        .iter()
        .enumerate()
        .map(|(index, digest)| Part {
            link: leaf_link(profile, size, index, *digest),
            size: leaf_length(profile, size, index) as u64,
        })
        .collect();
    let mut levels = Vec::new();
    while level.len() > 1 {
        let next = level
            .chunks(profile.width())
            .map(|parts| inner_part(profile, parts))
            .collect();
        levels.push(level);
        level = next;
    }
    levels.push(level);
    levels
}

fn inner_part(profile: Profile, parts: &[Part]) -> Part {
    let block = encode::file_node(parts);
    let below: u64 = parts.iter().map(|part| part.link.cumulative_size).sum();
    Part {
        link: Link {
            cid: profile.node_cid(Sha256Digest::of(&block)),
            cumulative_size: block.len() as u64 + below,
        },
        size: parts.iter().map(|part| part.size).sum(),
    }
}
