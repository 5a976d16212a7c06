//! Hashes many files on several threads, for their CIDs alone.

use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;

use rayon::prelude::*;
use thiserror::Error;

use super::hasher::{self, LeafHasher};
use super::{FileDag, Profile};

/// Large files are split into stretches of this many leaves, which any thread can hash.
const LEAVES_A_JOB: u64 = 8;
/// The size of the read buffer, in bytes.
const BUFFER: usize = 256 * 1024;

/// The error of hashing a file.
#[derive(Debug, Error)]
#[error("file {index} could not be hashed")]
pub struct HashFilesError {
    /// The index of the file.
    pub index: usize,
    /// The error: `InvalidData` if its size differs from the given one.
    #[source]
    pub error: io::Error,
}

/// A stretch of one file.
struct Job {
    index: usize,
    start: u64,
    length: u64,
    /// Whether the file must end here.
    last: bool,
}

/// The DAGs of files of these sizes, in this order. `open` opens the file with a given index; it is
/// called once for every stretch of eight leaves, from several threads.
///
/// A thread holds one buffer and one chunk. The result does not depend on the number of threads; of
/// several errors that of the first file is returned.
pub fn hash_files<R, F>(
    profile: Profile,
    sizes: &[u64],
    threads: NonZeroUsize,
    open: F,
) -> Result<Vec<FileDag>, HashFilesError>
where
    R: Read + Seek,
    F: Fn(usize) -> io::Result<R> + Sync,
{
    let stretch = profile.chunk_size() as u64 * LEAVES_A_JOB;
    let jobs: Vec<Job> = sizes
        .iter()
        .enumerate()
        .flat_map(|(index, size)| cut(index, *size, stretch))
        .collect();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.get())
        .build()
        .map_err(|error| HashFilesError {
            index: 0,
            error: io::Error::other(error),
        })?;
    let hashed: Vec<io::Result<_>> = pool.install(|| {
        jobs.par_iter()
            .with_max_len(1)
            .map_init(
                || vec![0; BUFFER],
                |buffer, job| run(profile, job, &open, buffer),
            )
            .collect()
    });
    let mut leaves: Vec<Vec<_>> = sizes.iter().map(|_| Vec::new()).collect();
    for (job, result) in jobs.iter().zip(hashed) {
        match result {
            Ok(digests) => leaves[job.index].extend(digests),
            Err(error) => {
                return Err(HashFilesError {
                    index: job.index,
                    error,
                });
            }
        }
    }
    Ok(sizes
        .iter()
        .zip(leaves)
        .map(|(size, leaves)| hasher::dag(profile, *size, leaves))
        .collect())
}

fn cut(index: usize, size: u64, stretch: u64) -> impl Iterator<Item = Job> {
    let count = size.div_ceil(stretch).max(1);
    (0..count).map(move |number| Job {
        index,
        start: number * stretch,
        length: (size - number * stretch).min(stretch),
        last: number + 1 == count,
    })
}

fn run<R: Read + Seek>(
    profile: Profile,
    job: &Job,
    open: &(impl Fn(usize) -> io::Result<R> + Sync),
    buffer: &mut [u8],
) -> io::Result<Vec<super::Sha256Digest>> {
    let mut file = open(job.index)?;
    if job.start > 0 {
        file.seek(SeekFrom::Start(job.start))?;
    }
    let mut hasher = LeafHasher::new(profile);
    let mut left = job.length;
    while left > 0 {
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        match file.read(&mut buffer[..most]) {
            Ok(0) => return Err(changed()),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                left -= read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if job.last && file.take(1).read_to_end(&mut Vec::new())? > 0 {
        return Err(changed());
    }
    Ok(hasher.into_leaves())
}

fn changed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "its size has changed: another program is writing to it",
    )
}
