//! Reads the release in an archive.

use std::collections::HashSet;
use std::io::{self, Read, Seek, Write};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{Blocks, CarError, CarReader, CarSummary};

use super::part::write_hollow;
use super::survey::walked;
use super::{ArchiveKind, Survey, block_set};

/// The release in an archive, beyond single blocks.
pub trait ReleaseArchive {
    /// Verifies that the archive is a complete `ipfs dag export` of a UnixFS tree: each block
    /// matches its CID, the root reaches all of them and none is missing, they are in depth-first
    /// order, and the nodes agree with each other (sizes, cumulative sizes, slots of a HAMT). A few
    /// blocks can be many files, and large ones: a release that exceeds [`LARGEST_WHEEL`],
    /// [`LARGEST_PAGE`], [`MAX_FILE_NODES`], [`MAX_NODES`] or [`MAX_REPETITION`] is refused before
    /// a file is read.
    ///
    /// Hashing runs on the current rayon pool's threads; each holds one block.
    ///
    /// [`LARGEST_WHEEL`]: crate::source::LARGEST_WHEEL
    /// [`LARGEST_PAGE`]: crate::source::LARGEST_PAGE
    /// [`MAX_FILE_NODES`]: super::MAX_FILE_NODES
    /// [`MAX_NODES`]: super::MAX_NODES
    /// [`MAX_REPETITION`]: super::MAX_REPETITION
    fn verify(&self) -> Result<CarSummary, CarError>;

    /// Like [`Self::verify`], for an incomplete archive: missing blocks are listed, and the
    /// statements of nodes about them are not checked.
    fn survey(&self) -> Result<Survey, CarError>;

    /// Every CID that this archive shows to belong to its release, including the root: its blocks,
    /// and the blocks that they link to, even if missing.
    fn known(&self) -> Result<HashSet<Cid>, CarError>;

    /// Writes the hollow archive of this release, like [`write_hollow`].
    ///
    /// # Errors
    /// [`CarError::Missing`] if this archive lacks a block other than a leaf of a wheel.
    fn hollow<W: Write>(&self, out: W) -> Result<(W, CarSummary), CarError>;

    /// The part of its release that this archive contains, by its index, pages and nodes. Wheels
    /// are not read. If anything but the leaves of all wheels is missing, it counts as a delta.
    ///
    /// # Errors
    /// When a page or a node cannot be read, or does not match its CID.
    fn kind(&self) -> Result<ArchiveKind, CarError>;
}

impl<R: Read + Seek + Send> ReleaseArchive for CarReader<R> {
    fn verify(&self) -> Result<CarSummary, CarError> {
        walked(self, false).map(|survey| survey.summary)
    }

    fn survey(&self) -> Result<Survey, CarError> {
        walked(self, true)
    }

    fn known(&self) -> Result<HashSet<Cid>, CarError> {
        block_set(self, &self.root()).map(|set| set.cids)
    }

    fn hollow<W: Write>(&self, out: W) -> Result<(W, CarSummary), CarError> {
        write_hollow(self, self.root(), out)
    }

    fn kind(&self) -> Result<ArchiveKind, CarError> {
        if self.known()?.iter().all(|cid| self.contains(cid)) {
            return Ok(ArchiveKind::Full);
        }
        match self.hollow(io::sink()) {
            Ok((_, summary)) if summary.blocks == self.len() as u64 => Ok(ArchiveKind::Hollow),
            Ok(_) | Err(CarError::Missing(_)) => Ok(ArchiveKind::Delta),
            Err(error) => Err(error),
        }
    }
}
