//! Locks a cache while it is used: a run that may need its files holds a shared lock, and a run
//! that removes files waits for an exclusive one.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The file that is locked.
pub(super) const LOCK: &str = ".lock";

/// The use that one run makes of a cache.
#[derive(Debug, Default)]
pub(super) struct Usage {
    lock: Mutex<Lock>,
    files: Mutex<HashSet<PathBuf>>,
    has_kept_wheel: AtomicBool,
}

/// The lock of this run. On a file system without locks, `File` is absent; that is not a failure.
#[derive(Debug, Default)]
enum Lock {
    #[default]
    None,
    Shared(#[expect(dead_code, reason = "closing it releases the lock")] Option<File>),
    Alone(#[expect(dead_code, reason = "closing it releases the lock")] Option<File>),
}

impl Usage {
    /// Prevents removals for the rest of this run. A folder that does not exist needs no lock.
    pub(super) fn begin(&self, root: &Path) {
        let mut lock = self.lock();
        if matches!(*lock, Lock::None) && root.is_dir() {
            let file = open(root).ok().filter(|file| file.lock_shared().is_ok());
            *lock = Lock::Shared(file);
        }
    }

    /// Claims the cache for this run alone. `wait` is called if others must be waited for, and
    /// returns whether to wait. Returns whether the cache was claimed.
    pub(super) fn take(&self, root: &Path, wait: &dyn Fn() -> bool) -> io::Result<bool> {
        let mut lock = self.lock();
        // The run would wait for its own shared lock.
        *lock = Lock::None;
        let file = open(root)?;
        let file = match try_lock(&file) {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) if wait() => file.lock().is_ok().then_some(file),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(_)) => None,
        };
        *lock = Lock::Alone(file);
        Ok(true)
    }

    /// Records that this run uses a file.
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

/// The number of attempts to lock the cache, and the pause between two.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);

/// Locks a file that nobody else uses. A process that was just started has the locks of its parent
/// for a moment, until it runs its own program.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 1..ATTEMPTS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            locked => return locked,
        }
    }
    file.try_lock()
}

fn open(root: &Path) -> io::Result<File> {
    let path = root.join(LOCK);
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        // A read-only cache can be locked, too.
        .or_else(|_| File::open(&path))
}
