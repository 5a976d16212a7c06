//! Errors of writing a release.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::foundation::failure::{Failure, unwritable};
use crate::set::declaration::DeclaredWheel;
use crate::source::Cache;

/// The reason why a release was not written. The earlier file is unchanged or gone, never half
/// replaced.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The bytes of this wheel in the cache are damaged or missing.
    #[error("the cache's copy of `{}` is damaged", .0.file_name)]
    DamagedWheel(Box<DeclaredWheel>),
    /// A file or folder cannot be written.
    #[error("`{}` cannot be written: {}", .0.display(), .1)]
    Unwritable(PathBuf, io::Error),
    /// Another process has changed this file since the build read it.
    #[error("another process has changed `{}` since this build read it", .0.display())]
    Changed(PathBuf),
    /// The existing file or folder must not be replaced: its path, and the reason as the end of a
    /// sentence.
    #[error("`{}` {}, so it is not replaced", .0.display(), .1)]
    Occupied(PathBuf, String),
}

impl PublishError {
    /// The failure to write a release or its tree, with help.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Occupied(..) => Failure::usage(self)
                .help("name a folder that does not exist, is empty, or contains an earlier tree"),
            Self::Unwritable(path, error) => unwritable(path, error),
            _ => Failure::caused(self),
        }
    }

    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |error| Self::Unwritable(path.to_path_buf(), error)
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        error.failure()
    }
}

/// The wheels of the cache; remembers which one failed.
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

    /// The bytes of a wheel, without verification.
    pub(super) fn open(&mut self, wheel: &DeclaredWheel) -> io::Result<NamedFile> {
        // An error before the next one is opened may be about this one.
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

    /// The meaning of an error that occurred while the last opened wheel was written to `path`.
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

/// A wheel in the cache whose read errors name it.
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

/// The bytes of a wheel are missing or different.
pub(super) fn wrong_bytes() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}
