//! What an archive tells of its release, beside its blocks.

use std::collections::HashSet;
use std::io::{self, Read, Seek, Write};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::{Blocks, CarError, CarReader, CarSummary};

use super::part::write_hollow;
use super::survey::walked;
use super::{ArchiveKind, Survey, block_set};

/// What the archive of a release tells of it, beside the blocks.
pub trait ReleaseArchive {
    /// Holds the archive to everything that `ipfs dag export` of a UnixFS tree promises: each block
    /// is what its CID says, the root leads to all of them and nothing is missing, they come depth
    /// first, and what nodes say about each other (sizes, cumulative sizes, slots of a HAMT) is so.
    /// Few blocks can be many files, and large ones: a release that passes [`LARGEST_WHEEL`],
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

    /// As [`Self::verify`], of what is there: whatever the archive lacks is listed, and what nodes
    /// say of it is not held against anything.
    fn survey(&self) -> Result<Survey, CarError>;

    /// Every CID that this archive shows to be of its release, the root's own among them: those of
    /// its blocks, and of the blocks that they link to, whether they are there or not.
    fn known(&self) -> Result<HashSet<Cid>, CarError>;

    /// Writes the hollow archive of this release, as [`write_hollow`] does.
    ///
    /// # Errors
    /// [`CarError::Missing`] where this archive lacks another block than a leaf of a wheel.
    fn hollow<W: Write>(&self, out: W) -> Result<(W, CarSummary), CarError>;

    /// How much of its release this archive has, as its index, pages and nodes tell: the wheels are
    /// not read. One that lacks anything but the leaves of all wheels counts as a delta.
    ///
    /// # Errors
    /// When a page or a node cannot be read, or is not what its CID says.
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
