//! Partial files, whose names others can foretell: whoever can write their folder must not decide
//! where the bytes go, what they begin with, or who reads them meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a partial file, which must not be there yet (`O_EXCL`), for its owner alone.
pub(super) fn create(partial: &Path) -> io::Result<File> {
    let mut options = options();
    options.create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(partial)
}

/// The partial file that is there, where it is this user's alone; anything else that could be a
/// file's name is taken away. `None` where none is there then.
pub(super) fn open_own(partial: &Path) -> io::Result<Option<File>> {
    let there = match fs::symlink_metadata(partial) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !there.is_file() && !there.is_symlink() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("`{}` stands in its way", partial.display()),
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

/// The partial file that is there, where it is this user's. No link is followed, no pipe is waited
/// for.
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
        // A link, a folder, a file of somebody else.
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

/// Whether an open file is a regular one of this user, with this one name, that nobody else may
/// write unless they may write every new file: one that was about to take its name has its last
/// mode already.
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

/// Lets those read the file who may read any new one, by the mask of this process.
#[cfg(unix)]
pub(super) fn set_usual_permissions(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o666 & !mask()))
}

/// What this process takes from the mode of a new file.
#[cfg(unix)]
fn mask() -> u32 {
    use std::sync::OnceLock;

    use rustix::fs::Mode;
    use rustix::process::umask;

    // Asking for it sets it: once, to a mask that is no laxer for the files that other threads make
    // meanwhile.
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
