//! The bytes of a release's files, as verification reads them.

use std::io::{self, Read};

use crate::car::{CarError, FileReader};
use crate::dag::{Cid, FileHasher, Profile, Sha256Digest};
use crate::gateway::BlockStore;
use crate::wheel::{Limits, inspect};

/// The largest page or metadata file that is read whole, in bytes.
const MAXIMUM_PAGE: u64 = 64 * 1024 * 1024;
/// How much of a wheel is hashed at once.
const BUFFER: usize = 256 * 1024;

/// A page or a metadata file, whole.
pub(super) fn read(reader: &BlockStore, cid: &Cid) -> Result<Vec<u8>, CarError> {
    FileReader::read_whole(reader, cid, MAXIMUM_PAGE)
}

fn broken(cid: &Cid, error: &io::Error) -> CarError {
    CarError::Tree {
        cid: *cid,
        reason: format!("cannot be read: {error}"),
    }
}

/// What the bytes of one wheel say.
pub(super) struct WheelBytes {
    pub(super) size: u64,
    pub(super) sha256: Sha256Digest,
    pub(super) metadata: Vec<u8>,
    /// The first thing that is wrong with it.
    pub(super) problem: Option<String>,
}

/// Reads a wheel: what it is, and what its archive says.
pub(super) fn wheel(reader: &BlockStore, cid: &Cid) -> Result<WheelBytes, CarError> {
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
    Ok(WheelBytes {
        size: dag.size(),
        sha256,
        metadata: facts.metadata,
        problem: facts
            .problems
            .into_iter()
            .next()
            .map(|problem| problem.message),
    })
}
