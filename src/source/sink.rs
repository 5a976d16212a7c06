//! The receiver of a download: its own thread writes and hashes each byte once.

use std::fs::File;
use std::io::Write;

use bytes::Bytes;
use ipwhl_unixfs::FileHasher;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::cache::Cache;
use super::cache_error::CacheError;
use super::verify::{Compared, Expectation};

/// The maximum number of pieces that wait for the thread. Each is the result of one read from a
/// socket.
const WAITING: usize = 8;

enum Piece {
    Bytes(Bytes),
    /// Discards the bytes so far.
    Restart,
    /// All bytes have arrived. A channel that closes without this was abandoned.
    End,
}

/// Receives the bytes of one file.
#[derive(Debug)]
pub(super) struct Sink {
    pieces: mpsc::Sender<Piece>,
    thread: JoinHandle<Result<Option<Received>, CacheError>>,
}

/// A complete file, compared with its declaration.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) file: NamedTempFile,
    pub(super) compared: Compared,
}

/// The thread has stopped; [`Sink::finish`] returns the reason.
#[derive(Debug)]
pub(super) struct Stopped;

impl Sink {
    /// Starts the thread.
    pub(super) fn start(cache: Cache, expectation: Expectation) -> Self {
        let (pieces, mut incoming) = mpsc::channel(WAITING);
        let thread =
            tokio::task::spawn_blocking(move || receive(&cache, &expectation, &mut incoming));
        Self { pieces, thread }
    }

    pub(super) async fn put(&self, bytes: Bytes) -> Result<(), Stopped> {
        self.send(Piece::Bytes(bytes)).await
    }

    pub(super) async fn restart(&self) -> Result<(), Stopped> {
        self.send(Piece::Restart).await
    }

    async fn send(&self, piece: Piece) -> Result<(), Stopped> {
        self.pieces.send(piece).await.map_err(|_| Stopped)
    }

    /// Waits until everything is written, hashed and compared.
    pub(super) async fn finish(self, cache: &Cache) -> Result<Received, CacheError> {
        let _ = self.pieces.send(Piece::End).await;
        drop(self.pieces);
        let unexpected = || {
            CacheError::new(
                cache.root(),
                "write to",
                std::io::Error::other("the thread that writes stopped"),
            )
        };
        self.thread
            .await
            .map_err(|_| unexpected())??
            .ok_or_else(unexpected)
    }
}

fn receive(
    cache: &Cache,
    expectation: &Expectation,
    incoming: &mut mpsc::Receiver<Piece>,
) -> Result<Option<Received>, CacheError> {
    let profile = expectation.first_profile();
    let mut file = cache.partial()?;
    let mut hasher = FileHasher::new(profile);
    loop {
        match incoming.blocking_recv() {
            Some(Piece::Bytes(bytes)) => {
                file.write_all(&bytes)
                    .map_err(|error| CacheError::new(file.path(), "write", error))?;
                hasher.update(&bytes);
            }
            Some(Piece::Restart) => {
                file = cache.partial()?;
                hasher = FileHasher::new(profile);
            }
            Some(Piece::End) => break,
            None => return Ok(None),
        }
    }
    let path = file.path().to_owned();
    let (dag, sha256) = hasher.finish();
    let compared = expectation
        .compare(dag, sha256, &mut || File::open(&path))
        .map_err(CacheError::at(&path, "read"))?;
    Ok(Some(Received { file, compared }))
}
