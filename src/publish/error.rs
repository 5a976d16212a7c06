//! Why a release was not put where it was wanted.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::foundation::failure::Failure;
use crate::set::declaration::DeclaredWheel;
use crate::source::Cache;

/// Why a release was not put where it was wanted. What stood there before is as it was, or gone;
/// it is never half of it.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The bytes of this wheel in the cache are not the declared ones, or not there any more.
    #[error("the cache's copy of `{}` is damaged", .0.file_name)]
    DamagedWheel(Box<DeclaredWheel>),
    /// A file or folder cannot be written.
    #[error("`{}` cannot be written: {}", .0.display(), .1)]
    Unwritable(PathBuf, io::Error),
    /// Another process has changed this file since the build read it.
    #[error("another process has changed `{}` since this build read it", .0.display())]
    Changed(PathBuf),
    /// What stands at a place is not to be replaced: the place, and why, as a sentence goes on.
    #[error("`{}` {}, so it is not replaced", .0.display(), .1)]
    Occupied(PathBuf, String),
}

impl PublishError {
    /// Whether the disk is full.
    fn is_full_disk(&self) -> bool {
        matches!(self, Self::Unwritable(_, error) if error.kind() == io::ErrorKind::StorageFull)
    }

    /// Why a release or its tree was not written, with the way out.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Occupied(..) => Failure::usage(self)
                .help("name a folder that is not there, is empty, or holds an earlier tree"),
            _ if self.is_full_disk() => {
                Failure::caused(self).help("make room and run the same command again")
            }
            _ => Failure::caused(self),
        }
    }

    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |error| Self::Unwritable(path.to_path_buf(), error)
    }
}

/// The wheels of the cache, with a memory of which of them failed.
pub(super) struct Wheels<'c> {
    cache: &'c Cache,
    failed: Option<DeclaredWheel>,
}

impl<'c> Wheels<'c> {
    pub(super) fn new(cache: &'c Cache) -> Self {
        Self {
            cache,
            failed: None,
        }
    }

    /// The bytes of a wheel, as they are.
    pub(super) fn open(&mut self, wheel: &DeclaredWheel) -> io::Result<NamedFile> {
        // Whatever goes wrong before the next one is opened may be about this one.
        self.failed = Some(wheel.clone());
        let file = self
            .cache
            .open_wheel(&wheel.content_id.value)
            .ok_or_else(wrong_bytes)?;
        Ok(NamedFile {
            file,
            name: wheel.file_name.to_string(),
        })
    }

    /// What an error means that occurred while the wheel that was opened last went to `path`.
    pub(super) fn explain(self, error: io::Error, path: &Path) -> PublishError {
        let is_of_wheel = matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
        );
        match self.failed {
            Some(wheel) if is_of_wheel => PublishError::DamagedWheel(Box::new(wheel)),
            _ => PublishError::Unwritable(path.to_path_buf(), error),
        }
    }
}

/// A wheel in the cache: an error of reading it says so.
pub(super) struct NamedFile {
    file: File,
    name: String,
}

impl Read for NamedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|error| {
            let reason = format!("`{}` in the cache cannot be read: {error}", self.name);
            io::Error::new(error.kind(), reason)
        })
    }
}

/// The bytes of a wheel are gone, or others.
pub(super) fn wrong_bytes() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}
