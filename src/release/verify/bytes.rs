//! The bytes of a release's files, as verification reads them.

use std::collections::BTreeMap;
use std::io::{self, Read};

use ipwhl_packaging::wheel::{Limits, NameConflict, Problem, inspect};
use ipwhl_unixfs::car::{CarError, FileReader, Kind, Tree};
use ipwhl_unixfs::{Cid, Codec, FileHasher, Link, Profile, Sha256Digest};

use crate::release::archive::BlockStore;
use crate::set::declaration::LARGEST_DECLARATION;
use crate::source::LARGEST_PAGE;

/// How much of a wheel is hashed at once.
const BUFFER: usize = 256 * 1024;

/// The files of a project's folder, by name.
pub(super) type Files<'f> = BTreeMap<&'f str, Link>;

/// What is known of the wheels of a project, by file name.
pub(super) type Wheels<'f> = BTreeMap<&'f str, WheelFacts>;

/// A page, whole.
pub(super) fn page(reader: &BlockStore, cid: &Cid) -> Result<Vec<u8>, CarError> {
    FileReader::read_whole(reader, cid, LARGEST_PAGE)
}

/// A declaration, whole.
pub(super) fn declaration(reader: &BlockStore, cid: &Cid) -> Result<Vec<u8>, CarError> {
    FileReader::read_whole(reader, cid, LARGEST_DECLARATION)
}

/// The METADATA beside a wheel.
pub(super) fn metadata(reader: &BlockStore, cid: &Cid) -> Result<Vec<u8>, CarError> {
    FileReader::read_whole(reader, cid, Limits::default().metadata)
}

fn broken(cid: &Cid, error: &io::Error) -> CarError {
    CarError::Tree {
        cid: *cid,
        reason: format!("cannot be read: {error}"),
    }
}

/// What is known of one wheel.
pub(super) struct WheelFacts {
    /// In bytes; `None` where the bytes are not there and nothing else tells.
    pub(super) size: Option<u64>,
    /// `None` where the bytes are not there and the CID does not tell.
    pub(super) sha256: Option<Sha256Digest>,
    /// METADATA in the wheel; where the bytes are not there, the file beside it.
    pub(super) metadata: Vec<u8>,
    /// The first thing that is wrong with it.
    pub(super) problem: Option<Problem>,
    /// Names that are one place on some systems.
    pub(super) name_conflicts: Vec<NameConflict>,
}

/// The size of a file, out of its topmost block or the link to it, and no other block. `None` where
/// neither tells.
pub(super) fn size(reader: &BlockStore, link: &Link) -> Result<Option<u64>, CarError> {
    if link.cid.codec() == Codec::Raw {
        return Ok(Some(link.cumulative_size));
    }
    if !reader.contains(&link.cid) {
        return Ok(None);
    }
    Ok(match reader.found(&link.cid)?.kind {
        Kind::File { size } => Some(size),
        Kind::Directory => None,
    })
}

/// Reads a wheel: what it is, and what its archive says.
pub(super) fn wheel(reader: &BlockStore, cid: &Cid) -> Result<WheelFacts, CarError> {
    let mut file = FileReader::open(reader, cid)?;
    // The leaves have been verified; of this pass only the digest of the whole is used.
    let mut hasher = FileHasher::new(Profile::UnixfsV1_2025);
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| broken(cid, &error))?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    let (dag, sha256) = hasher.finish();
    let mut file = FileReader::open(reader, cid)?;
    let facts = inspect(&mut file, &Limits::default()).map_err(|error| broken(cid, &error))?;
    Ok(WheelFacts {
        size: Some(dag.size()),
        sha256: Some(sha256),
        metadata: facts.metadata,
        name_conflicts: facts.name_conflicts,
        problem: facts.problems.into_iter().next(),
    })
}

/// What a hollow archive tells of a wheel whose bytes it does not have. A wheel of one raw block
/// has its SHA-256 in its CID.
pub(super) fn wheel_of_hollow(
    reader: &BlockStore,
    link: &Link,
    beside: Option<&Link>,
) -> Result<WheelFacts, CarError> {
    Ok(WheelFacts {
        size: size(reader, link)?,
        sha256: (link.cid.codec() == Codec::Raw).then(|| link.cid.digest()),
        metadata: match beside {
            Some(link) => metadata(reader, &link.cid)?,
            None => Vec::new(),
        },
        problem: None,
        name_conflicts: Vec::new(),
    })
}
