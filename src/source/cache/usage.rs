//! Who uses a cache while: a run that may need its files keeps a lock that others share, and what
//! removes files waits until it has the lock alone.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The file that is locked.
pub(super) const LOCK: &str = ".lock";

/// The use that one run makes of a cache.
#[derive(Debug, Default)]
pub(super) struct Usage {
    lock: Mutex<Lock>,
    files: Mutex<HashSet<PathBuf>>,
    has_kept_wheel: AtomicBool,
}

/// The lock of this run. A file system without locks is worth no failure: there, `File` is absent.
#[derive(Debug, Default)]
enum Lock {
    #[default]
    None,
    Shared(#[expect(dead_code, reason = "closing it lets go of the lock")] Option<File>),
    Alone(#[expect(dead_code, reason = "closing it lets go of the lock")] Option<File>),
}

impl Usage {
    /// Keeps what removes files away for the rest of this run. Where there is no folder yet, there
    /// is nothing to keep.
    pub(super) fn begin(&self, root: &Path) {
        let mut lock = self.lock();
        if matches!(*lock, Lock::None) && root.is_dir() {
            let file = open(root).ok().filter(|file| file.lock_shared().is_ok());
            *lock = Lock::Shared(file);
        }
    }

    /// Takes the cache for this run alone. `wait` is called before others are waited for, and says
    /// whether to; whether the cache was taken is the result.
    pub(super) fn take(&self, root: &Path, wait: &dyn Fn() -> bool) -> io::Result<bool> {
        let mut lock = self.lock();
        // The own share of it would be waited for.
        *lock = Lock::None;
        let file = open(root)?;
        let file = match file.try_lock() {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) if wait() => file.lock().is_ok().then_some(file),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(_)) => None,
        };
        *lock = Lock::Alone(file);
        Ok(true)
    }

    /// Notes that this run uses a file.
    pub(super) fn note(&self, file: PathBuf) -> bool {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(file)
    }

    /// Whether this run uses a file.
    pub(super) fn has(&self, file: &Path) -> bool {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.contains(file)
    }

    pub(super) fn note_kept_wheel(&self) {
        self.has_kept_wheel.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_kept_wheel(&self) -> bool {
        self.has_kept_wheel.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Lock> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(root: &Path) -> io::Result<File> {
    let path = root.join(LOCK);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        // Who may only read the cache can lock it all the same.
        .or_else(|_| File::open(&path))
}
