//! Why the cache could not be used.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the cache could not be used: the disk is full, a folder may not be written.
#[derive(Debug, Error)]
#[error("the cache could not {action} {}", path.display())]
pub struct CacheError {
    path: PathBuf,
    action: &'static str,
    #[source]
    reason: io::Error,
}

impl CacheError {
    pub(super) fn new(path: &Path, action: &'static str, reason: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            action,
            reason,
        }
    }

    pub(super) fn at(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self {
            path,
            action,
            reason,
        }
    }

    /// The file or folder that it is about.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
