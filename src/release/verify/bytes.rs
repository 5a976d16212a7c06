//! Reads the files of a release for verification.

use std::collections::BTreeMap;
use std::io::{self, Read};

use ipwhl_packaging::wheel::{Limits, NameConflict, Problem, inspect};
use ipwhl_unixfs::car::{CarError, FileReader, Kind, Tree};
use ipwhl_unixfs::{Cid, Codec, FileHasher, Link, Profile, Sha256Digest};

use crate::release::archive::BlockStore;
use crate::set::declaration::LARGEST_DECLARATION;
use crate::source::LARGEST_PAGE;

/// The size of the buffer for hashing wheels, in bytes.
const BUFFER: usize = 256 * 1024;

/// The files of a project's folder, by name.
pub(super) type Files<'f> = BTreeMap<&'f str, Link>;

/// The facts of the wheels of a project, by file name.
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

/// The facts of one wheel.
pub(super) struct WheelFacts {
    /// In bytes; `None` if the bytes are missing and nothing else gives the size.
    pub(super) size: Option<u64>,
    /// `None` if the bytes are missing and the CID does not give it.
    pub(super) sha256: Option<Sha256Digest>,
    /// METADATA in the wheel; if the bytes are missing, the file beside it.
    pub(super) metadata: Vec<u8>,
    /// The first problem.
    pub(super) problem: Option<Problem>,
    /// Names that conflict on some systems.
    pub(super) name_conflicts: Vec<NameConflict>,
}

/// The size of a file, from its root block or the link to it, without other blocks. `None` if
/// neither gives it.
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

/// Reads a wheel: its digests and the contents of its archive.
pub(super) fn wheel(reader: &BlockStore, cid: &Cid) -> Result<WheelFacts, CarError> {
    let mut file = FileReader::open(reader, cid)?;
    // The leaves have been verified; this pass is only for the digest of the whole.
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

/// The facts that a hollow archive gives of a wheel without its bytes. A wheel of one raw block has
/// its SHA-256 in its CID.
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
