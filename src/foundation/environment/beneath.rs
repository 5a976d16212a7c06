//! Files below a folder, opened without following links: a change to the repository must not lead
//! out of it.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a regular file by its path below a folder, with `/`. The folder itself may be a link; no
/// part below it may be one. Each folder is opened relative to its parent, so a link that appears
/// in the meantime is refused, too. Does not wait for a pipe or a device.
///
/// # Errors
/// When there is no such file, a part of the path is a symbolic link or leads upwards, or it is not
/// a regular file.
pub fn open_beneath(directory: &Path, path: &str) -> io::Result<File> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{path}` is not a path below a folder"),
        ));
    }
    let file = open(directory, path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not a regular file",
        ));
    }
    Ok(file)
}

/// The refusal of a link in a path. Its target is not read.
fn link(part: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("`{part}` is a symbolic link, which is not followed"),
    )
}

#[cfg(unix)]
fn open(directory: &Path, path: &str) -> io::Result<File> {
    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, openat, statat};

    let as_folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // Without `NONBLOCK`, opening a pipe would wait for a writer.
    let as_file = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, directory, as_folder, Mode::empty())?;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let flags = if parts.peek().is_some() {
            as_folder
        } else {
            as_file
        };
        folder =
            openat(&folder, part, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(|error| {
                let there = statat(&folder, part, AtFlags::SYMLINK_NOFOLLOW);
                let is_link =
                    there.is_ok_and(|there| FileType::from_raw_mode(there.st_mode).is_symlink());
                if is_link { link(part) } else { error.into() }
            })?;
    }
    Ok(folder.into())
}

#[cfg(not(unix))]
fn open(directory: &Path, path: &str) -> io::Result<File> {
    let mut place = directory.to_path_buf();
    for part in path.split('/') {
        place.push(part);
        if std::fs::symlink_metadata(&place)?.is_symlink() {
            return Err(link(part));
        }
    }
    File::open(place)
}
