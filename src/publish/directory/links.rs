//! Names that lead to the newest release.

use std::fs;
use std::io;
use std::path::Path;

use crate::foundation::environment::sync_directory;
use crate::foundation::failure::Failure;
use crate::foundation::failure::unusable;
use crate::release::statement::folder::partial;

/// The name that a link leads to; `None` where there is none.
///
/// # Errors
/// When something else has its name, which is not ours to replace.
pub(super) fn target(folder: &Path, name: &str) -> Result<Option<String>, Failure> {
    let path = folder.join(name);
    match fs::read_link(&path) {
        Ok(target) => Ok(Some(target.to_string_lossy().into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) if fs::symlink_metadata(&path).is_ok() => Err(Failure::refused(format!(
            "`{}` is no link, and so it is not replaced",
            path.display()
        ))
        .help("move it away, or name another link with `latest`")),
        Err(error) => Err(unusable(&path, &error)),
    }
}

/// Points the link at `target`, a name in the same folder, in one step; whether it was pointed
/// elsewhere.
pub(super) fn switch(folder: &Path, name: &str, target: &str) -> Result<bool, Failure> {
    if self::target(folder, name)?.as_deref() == Some(target) {
        return Ok(false);
    }
    let path = folder.join(name);
    let next = folder.join(partial(name));
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unusable(&next, &error));
        }
        _ => {}
    }
    link(target, &next).map_err(|error| {
        Failure::world(format!("`{}` cannot be a link: {error}", path.display())).help(
            "where there are no symbolic links, set `latest = \"\"` and point readers at the folder of the root",
        )
    })?;
    fs::rename(&next, &path)
        .and_then(|()| sync_directory(&path))
        .map_err(|error| unusable(&path, &error))?;
    Ok(true)
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn link(_: &str, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
