//! Files below a folder, opened without following a link: what a change to the repository brings
//! must not lead out of it.

use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a regular file by its path below a folder, with `/`. The folder itself may be reached
/// through links; nothing below it may be one. Each folder is opened in the one before, so a link
/// that is put there meanwhile is refused, too. A pipe or a device is not waited for.
///
/// # Errors
/// When there is no such file, a part of the path is a symbolic link or leads upwards, or it is no regular file.
pub fn open_beneath(directory: &Path, path: &str) -> io::Result<File> {
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{path}` is no path below a folder"),
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

/// The refusal of a part of a path; where the link leads is not looked at.
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
    // Opening a pipe would wait for somebody to write into it.
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
