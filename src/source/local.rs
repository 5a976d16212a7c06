//! Wheels that lie on this machine.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use ipwhl_unixfs::{Cid, FileHasher, Profile};

use super::cache::Cache;
use super::cache_error::CacheError;
use super::download::DownloadError;
use super::problem::{MismatchKind, SourceProblem};
use super::sink::Received;
use super::verify::{Expectation, mismatch};

/// How much of a local file is read at once.
const STEP: usize = 256 << 10;

impl Cache {
    /// Takes a wheel out of `bytes`, which have `size` bytes; whether they were the wheel of this
    /// CID. What cannot be read is not.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub fn take_wheel(
        &self,
        cid: &Cid,
        size: u64,
        bytes: &mut dyn Read,
    ) -> Result<bool, CacheError> {
        let expectation = Expectation {
            content_id: Some(*cid),
            sha256: None,
            size: Some(size),
            profile: Profile::default(),
        };
        let mut file = self.partial()?;
        let mut hasher = FileHasher::new(expectation.first_profile());
        let mut buffer = vec![0; STEP];
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    hasher.update(&buffer[..count]);
                    file.write_all(&buffer[..count])
                        .map_err(|error| CacheError::new(file.path(), "write", error))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Ok(false),
            }
        }
        let (dag, sha256) = hasher.finish();
        let path = file.path().to_owned();
        let compared = expectation
            .compare(dag, sha256, &mut || File::open(&path))
            .map_err(CacheError::at(&path, "read"))?;
        if !compared.content_fits {
            return Ok(false);
        }
        self.keep_wheel(file, compared.dag, compared.sha256)?;
        Ok(true)
    }
}

/// Takes a local file into the cache's unfinished files, hashed on the way: what is used later
/// is what was verified, whatever happens to the file meanwhile.
pub(super) fn copy(
    opened: io::Result<File>,
    place: &str,
    cache: &Cache,
    expectation: &Expectation,
    largest: u64,
) -> Result<Received, DownloadError> {
    let gone = |reason: &str| SourceProblem::Missing {
        place: place.to_owned(),
        reason: reason.to_owned(),
    };
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => gone("there is no such file"),
        // What is there is no wheel of this repository, whatever else it is.
        io::ErrorKind::InvalidData => gone(&error.to_string()),
        _ => SourceProblem::Failed {
            place: place.to_owned(),
            reason: format!("it cannot be read: {error}"),
        },
    };
    let opened = opened.map_err(unreadable)?;
    let size = opened.metadata().map_err(unreadable)?.len();
    if let Some(declared) = expectation.size.filter(|declared| *declared != size) {
        let problem = SourceProblem::Mismatch {
            place: place.to_owned(),
            mismatches: vec![mismatch(MismatchKind::Size, &declared, &size)],
        };
        return Err(problem.into());
    }
    if size > largest {
        let problem = SourceProblem::Failed {
            place: place.to_owned(),
            reason: format!("it has {size} bytes, and {largest} is the largest that is taken"),
        };
        return Err(problem.into());
    }
    let mut reader = opened.take(size);
    let mut file = cache.partial()?;
    let mut hasher = FileHasher::new(expectation.first_profile());
    let mut buffer = vec![0; STEP];
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(error).into()),
        };
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count])
            .map_err(|error| CacheError::new(file.path(), "write", error))?;
    }
    let (dag, sha256) = hasher.finish();
    let copied: &Path = file.path();
    let compared = expectation
        .compare(dag, sha256, &mut || File::open(copied))
        .map_err(CacheError::at(copied, "read"))?;
    Ok(Received { file, compared })
}
