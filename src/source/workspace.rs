//! A folder for the unfinished files of one run, on the file system of their destination, so that
//! they can be renamed.
//!
//! `partial/<name>.lock` is locked while the run lives and `partial/<name>/` contains its files. A
//! killed run releases its lock, and the next run removes its files.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

use crate::foundation::environment::make_private_folder;

/// After this time a folder without a lock, or on a file system without locks, counts as abandoned.
const ABANDONED: Duration = Duration::from_hours(7 * 24);

/// The folder of this run; it is removed with this value.
#[derive(Debug)]
pub(super) struct Workspace {
    folder: PathBuf,
    lock_path: PathBuf,
    // Kept open: closing it releases the lock.
    lock: Option<File>,
}

impl Workspace {
    /// Makes a folder for this run under `parent`, and removes those of killed runs.
    pub(super) fn open(parent: &Path) -> io::Result<Self> {
        make_private_folder(parent)?;
        remove_abandoned(parent);
        loop {
            let named = Builder::new()
                .prefix("run-")
                .suffix(".lock")
                .tempfile_in(parent)?;
            let (lock, lock_path) = named.keep().map_err(|error| error.error)?;
            // A file system without locks is not a failure: there, age decides.
            let _ = lock.lock();
            // Another run may have found the file before it was locked, and removed it.
            if !lock_path.exists() {
                continue;
            }
            let folder = lock_path.with_extension("");
            make_private_folder(&folder)?;
            return Ok(Self {
                folder,
                lock_path,
                lock: Some(lock),
            });
        }
    }

    /// A new file in the folder, which is removed unless it is moved elsewhere.
    pub(super) fn file(&self) -> io::Result<NamedTempFile> {
        Builder::new().prefix("file-").tempfile_in(&self.folder)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Files that cannot be removed now are removed by the next run.
        let _ = fs::remove_dir_all(&self.folder);
        self.lock = None;
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// Removes the folders of finished runs. Errors are ignored.
pub(super) fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            let Ok(lock) = File::open(&path) else {
                continue;
            };
            let over = match lock.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(_)) => is_old(&path),
            };
            if over {
                let _ = fs::remove_dir_all(path.with_extension(""));
                let _ = fs::remove_file(&path);
            }
        } else if !path.with_extension("lock").exists() && is_old(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_old(path: &Path) -> bool {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|modified| modified.elapsed().ok())
        .is_some_and(|age| age > ABANDONED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_a_living_one_has_is_not() {
        let parent = tempfile::tempdir().expect("a folder");
        let living = Workspace::open(parent.path()).expect("a workspace");
        let kept = living.file().expect("a file");
        // A killed run: its files remain, and its lock is free.
        fs::write(parent.path().join("run-killed.lock"), "").expect("a lock file");
        fs::create_dir(parent.path().join("run-killed")).expect("a folder");
        fs::write(parent.path().join("run-killed/file-1"), "half").expect("a file");

        let next = Workspace::open(parent.path()).expect("a workspace");
        assert!(!parent.path().join("run-killed").exists());
        assert!(!parent.path().join("run-killed.lock").exists());
        assert!(kept.path().exists());
        drop((living, kept, next));
        assert_eq!(fs::read_dir(parent.path()).expect("a folder").count(), 0);
    }
}
