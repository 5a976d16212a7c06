//! Partial files. Their names are predictable, so others who can write to the folder must not be
//! able to redirect the bytes, add to them, or read them early.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a partial file, which must not exist yet (`O_EXCL`), for its owner alone.
pub(super) fn create(partial: &Path) -> io::Result<File> {
    let mut options = options();
    options.create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(partial)
}

/// Opens the existing partial file if it belongs to this user alone; removes any other file or link
/// of that name. `None` if no file is left.
pub(super) fn open_own(partial: &Path) -> io::Result<Option<File>> {
    let there = match fs::symlink_metadata(partial) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !there.is_file() && !there.is_symlink() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("`{}` is in the way", partial.display()),
        ));
    }
    let own = open_left(partial)?;
    if own.is_none() {
        match fs::remove_file(partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(own)
}

/// Opens the existing partial file if it belongs to this user. Does not follow links and does not
/// wait for pipes.
pub(super) fn open_left(partial: &Path) -> io::Result<Option<File>> {
    let mut options = options();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    match options.open(partial) {
        Ok(file) => Ok(is_own(&file)?.then_some(file)),
        // It is a link, a folder, or a file of another user.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) if !fs::symlink_metadata(partial)?.is_file() => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(error),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).truncate(false);
    options
}

/// Whether an open file is a regular file of this user with one name only, and writable by others
/// only if new files are. A file that was about to be renamed already has its final mode.
#[cfg(unix)]
fn is_own(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let there = file.metadata()?;
    Ok(there.is_file()
        && there.uid() == rustix::process::geteuid().as_raw()
        && there.nlink() == 1
        && there.mode() & 0o022 & mask() == 0)
}

#[cfg(not(unix))]
fn is_own(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.is_file())
}

/// Gives the file the permissions of a new file, by the mask of this process.
#[cfg(unix)]
pub(super) fn set_usual_permissions(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o666 & !mask()))
}

/// The file mode mask of this process.
#[cfg(unix)]
fn mask() -> u32 {
    use std::sync::OnceLock;

    use rustix::fs::Mode;
    use rustix::process::umask;

    // Reading the mask sets it. This happens once, and the temporary mask is strict, for files that
    // other threads create in the meantime.
    static MASK: OnceLock<u32> = OnceLock::new();
    *MASK.get_or_init(|| {
        let mask = umask(Mode::from_raw_mode(0o077));
        umask(mask);
        mask.as_raw_mode()
    })
}

#[cfg(not(unix))]
pub(super) fn set_usual_permissions(_: &File) -> io::Result<()> {
    Ok(())
}
