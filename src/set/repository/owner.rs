//! The owner of a file.

use std::path::Path;

/// Whether a file belongs to this user or to the system.
#[cfg(unix)]
pub(super) fn is_own(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = rustix::process::geteuid().as_raw();
    std::fs::metadata(file).is_ok_and(|there| [own, 0].contains(&there.uid()))
}

#[cfg(not(unix))]
pub(super) fn is_own(_: &Path) -> bool {
    true
}
