//! Files and folders that appear whole or not at all.

mod partial;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Seek as _, Write};
use std::path::{Path, PathBuf};

use same_file::Handle;

/// A file that gets its name only when it is complete.
///
/// It is written as `.<name>.partial` beside its place, flushed to the disk and renamed. A killed
/// run leaves at most that partial file, which the next writer of the same file reuses; a lock
/// keeps two writers from sharing it. The partial file belongs to the writer alone, even if others
/// can write to the folder: it is created exclusively, and a file that someone else has put there
/// is not used.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    partial: PathBuf,
    place: PathBuf,
    readers: Readers,
    /// Whether dropping it leaves the partial file.
    is_kept: bool,
}

/// The users who may read the finished file. Only the owner may read the partial one.
#[derive(Debug)]
enum Readers {
    /// All users whom the system's mask allows.
    Usual,
    Owner,
    These(Permissions),
}

/// The most symbolic links that are followed from one place, as on Linux.
const MOST_LINKS: usize = 40;

/// Whether there is something at a place, or at the end of its links, that is neither a file nor a
/// folder. A rename would put a file in its stead.
pub fn is_device(place: &Path) -> bool {
    fs::metadata(place).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The place at the end of symbolic links, which may be empty; the place itself if it is no link. A
/// file that is renamed to a link's place would replace the link.
///
/// # Errors
/// When a link cannot be read, or links lead in a circle.
pub fn link_target(place: &Path) -> io::Result<PathBuf> {
    let mut place = place.to_path_buf();
    for _ in 0..MOST_LINKS {
        if !fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink()) {
            return Ok(place);
        }
        let target = fs::read_link(&place)?;
        place = match place.parent() {
            Some(folder) => folder.join(target),
            None => target,
        };
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "it is a symbolic link that leads in a circle",
    ))
}

impl AtomicFile {
    /// Opens the partial file of `place`, whose folder must exist.
    ///
    /// # Errors
    /// When the folder cannot be written, another process is writing the same file, or the place is
    /// that of a device or a pipe.
    pub fn create(place: &Path) -> io::Result<Self> {
        let mut file = Self::create_private(place)?;
        file.readers = Readers::Usual;
        Ok(file)
    }

    /// As [`AtomicFile::create`], readable by its owner only: for keys.
    ///
    /// # Errors
    /// As [`AtomicFile::create`].
    pub fn create_private(place: &Path) -> io::Result<Self> {
        if is_device(place) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is a device or a pipe, which is not replaced by a file",
            ));
        }
        let partial = partial_path(place)?;
        loop {
            let file = match partial::open_own(&partial)? {
                Some(file) => file,
                None => match partial::create(&partial) {
                    Ok(file) => file,
                    // Another process was faster, and has the lock.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                    Err(error) => return Err(error),
                },
            };
            if let Some(file) = Self::locked(file, partial.clone(), place)? {
                file.file.set_len(0)?;
                return Ok(file);
            }
        }
    }

    /// The partial file that an interrupted writer of `place` left, unchanged, if there is one. The
    /// caller must check whether it is complete. It is kept when dropped: its bytes may be the only
    /// copy.
    ///
    /// # Errors
    /// When it cannot be opened, another process is writing it, or others can write it.
    pub fn resume(place: &Path) -> io::Result<Option<Self>> {
        let partial = partial_path(place)?;
        loop {
            match fs::symlink_metadata(&partial) {
                Err(_) => return Ok(None),
                // A link has no data of a writer.
                Ok(there) if there.is_symlink() => {
                    fs::remove_file(&partial)?;
                    return Ok(None);
                }
                Ok(_) => {}
            }
            let Some(file) = partial::open_left(&partial)? else {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    format!(
                        "`{}` is not a file of this user alone, so its author is unknown: move it away",
                        partial.display()
                    ),
                ));
            };
            if let Some(mut file) = Self::locked(file, partial.clone(), place)? {
                file.readers = Readers::Usual;
                file.keep();
                return Ok(Some(file));
            }
        }
    }

    /// Locks a partial file. `None` if it got its final name in the meantime.
    fn locked(file: File, partial: PathBuf, place: &Path) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    format!("another process is writing `{}`", place.display()),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The previous owner of the lock may just have renamed the file into place: truncating it
        // would destroy a finished file.
        let is_link = fs::symlink_metadata(&partial).is_ok_and(|there| there.is_symlink());
        let is_current = !is_link
            && Handle::from_path(&partial)
                .and_then(|there| Ok(there == Handle::from_file(file.try_clone()?)?))
                .unwrap_or(false);
        Ok(is_current.then(|| Self {
            file,
            partial,
            place: place.to_path_buf(),
            readers: Readers::Owner,
            is_kept: false,
        }))
    }

    /// Sets the permissions of the finished file, instead of the usual ones.
    pub fn set_permissions(&mut self, permissions: Permissions) {
        self.readers = Readers::These(permissions);
    }

    /// Writes `bytes` as the whole of `place`.
    ///
    /// # Errors
    /// When the disk is full or the folder cannot be written. `place` is then unchanged.
    pub fn write_whole(place: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = Self::create(place)?;
        file.write_all(bytes)?;
        file.commit()
    }

    /// Flushes the file to the disk and gives it its name.
    ///
    /// # Errors
    /// When flushing or renaming fails. The place is then unchanged.
    pub fn commit(self) -> io::Result<()> {
        self.file.sync_all()?;
        let place = self.place.clone();
        self.switch()?;
        sync_directory(&place)
    }

    /// Gives a flushed file its name, without flushing the folder. It is for several files that get
    /// their names together: their folder is flushed once, with [`sync_directory`].
    ///
    /// # Errors
    /// When renaming fails. The place is then unchanged.
    pub fn switch(mut self) -> io::Result<()> {
        match &self.readers {
            Readers::Usual => partial::set_usual_permissions(&self.file)?,
            Readers::Owner => {}
            Readers::These(permissions) => self.file.set_permissions(permissions.clone())?,
        }
        fs::rename(&self.partial, &self.place)?;
        self.is_kept = true;
        Ok(())
    }

    /// Keeps the partial file if it does not get its name, for [`AtomicFile::resume`].
    pub fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Discards the written bytes, as if the file had just been created.
    ///
    /// # Errors
    /// When it cannot be truncated.
    pub fn restart(&mut self) -> io::Result<()> {
        self.is_kept = false;
        self.file.set_len(0)?;
        self.file.rewind()
    }

    /// Whether a writer of `place` has not finished: it is running, or was killed.
    pub fn is_begun(place: &Path) -> bool {
        place.file_name().is_some_and(|name| {
            fs::symlink_metadata(place.with_file_name(partial_name(name))).is_ok()
        })
    }

    /// Removes the partial file of a killed writer of `place`, if that file will not be written
    /// again.
    ///
    /// # Errors
    /// When it exists and cannot be removed, or another process is writing it.
    pub fn forget(place: &Path) -> io::Result<()> {
        // Dropping it uncommitted removes it.
        if Self::is_begun(place) {
            Self::create(place).map(drop)
        } else {
            Ok(())
        }
    }

    /// The open file, for reading back the written bytes.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

fn partial_path(place: &Path) -> io::Result<PathBuf> {
    let name = place.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{}` does not name a file", place.display()),
        )
    })?;
    Ok(place.with_file_name(partial_name(name)))
}

fn partial_name(name: &OsStr) -> OsString {
    let mut partial = OsString::from(".");
    partial.push(name);
    partial.push(".partial");
    partial
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // An error does no harm: the next writer reuses the partial file.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Flushes the entry of `path` in its folder, if the platform can do that.
///
/// # Errors
/// When the folder cannot be opened or flushed.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(parent)?.sync_all()
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(())
    }
}

/// Replaces the folder `place` with the folder `new`. The old one is removed.
///
/// Between the two renames, `place` does not exist: a killed run leaves it absent, never mixed.
///
/// # Errors
/// When a rename or the removal fails.
pub fn replace_directory(new: &Path, place: &Path, aside: &Path) -> io::Result<()> {
    match fs::rename(place, aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::rename(new, place)?;
    sync_directory(place)?;
    match fs::remove_dir_all(aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
