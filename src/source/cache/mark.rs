//! What tells a cache of this program from any other folder: a `CACHEDIR.TAG`
//! (<https://bford.info/cachedir/>) that names it. Backups leave such folders out.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::layout::FOLDERS;
use super::usage::LOCK;

const TAG: &str = "CACHEDIR.TAG";

const TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
                    # This folder is a cache of ipwhl. `ipwhl cache clean` empties it.\n";

/// Marks a folder that holds nothing but a cache, or nothing; what else it holds is the result.
pub(super) fn mark(root: &Path) -> io::Result<Option<OsString>> {
    let path = root.join(TAG);
    let tag = read(&path);
    if tag.as_deref() == Some(TEXT) {
        return Ok(None);
    }
    // One that is being written, or whose writer was killed.
    let is_begun = tag.is_some_and(|text| TEXT.starts_with(&text));
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        let is_own = FOLDERS.iter().any(|folder| name == *folder)
            || name == LOCK
            || (name == TAG && is_begun);
        if !is_own {
            return Ok(Some(name));
        }
    }
    fs::write(path, TEXT)?;
    Ok(None)
}

/// The beginning of the tag; `None` where there is no such file.
fn read(path: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if !metadata.is_file() {
        return None;
    }
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(TEXT.len() as u64)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}
