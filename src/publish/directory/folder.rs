//! The folder as a whole: its repository, and its lock.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use ipwhl_unixfs::Cid;

use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, unusable};
use crate::release::statement::folder::{PARTIAL, names};

/// The file that names the repository of the folder.
const MARKER: &str = ".ipwhl";
/// Its temporary file, which is the lock for writers.
const PARTIAL_MARKER: &str = "..ipwhl.partial";
/// The longest marker that is read, in bytes.
const LONGEST_MARKER: u64 = 4096;

/// The state of a folder before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    /// It does not exist.
    Absent,
    /// It is empty.
    Empty,
    /// It has this repository's releases.
    Ours,
}

impl Folder {
    /// Inspects the folder, and refuses one that belongs to another repository.
    pub(super) fn inspect(path: &Path, name: &str) -> Result<Self, Failure> {
        let marker = path.join(MARKER);
        let mut text = String::new();
        let read = File::open(&marker)
            .and_then(|file| file.take(LONGEST_MARKER).read_to_string(&mut text));
        match read {
            Ok(_) if text == marker_text(name) => return Ok(Self::Ours),
            Ok(_) => {
                return Err(Failure::refused(format!(
                    "`{}` has releases of another repository: {}",
                    path.display(),
                    text.lines().next().unwrap_or_default().escape_debug()
                ))
                .help("each repository needs its own folder"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(elsewhere(unusable(&marker, &error))),
        }
        let names = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Absent),
            _ => names(path)?,
        };
        // A run that was killed at its very beginning leaves that file.
        if names.iter().all(|name| name == PARTIAL_MARKER) {
            return Ok(Self::Empty);
        }
        Err(Failure::refused(format!(
            "`{}` is not empty, and is not marked as a folder for releases",
            path.display()
        ))
        .help("name an empty folder, or one that does not exist yet"))
    }

    /// Marks the folder for this repository, and takes its lock, which excludes other writers.
    pub(super) fn open(path: &Path, name: &str) -> Result<AtomicFile, Failure> {
        let state = Self::inspect(path, name)?;
        fs::create_dir_all(path).map_err(|error| {
            elsewhere(Failure::world(format!(
                "the folder `{}` cannot be created: {error}",
                path.display()
            )))
        })?;
        let marker = path.join(MARKER);
        if state != Self::Ours {
            AtomicFile::write_whole(&marker, marker_text(name).as_bytes())
                .map_err(|error| unusable(&marker, &error))?;
        }
        // Never committed: it serves as a lock, which ends with the process.
        AtomicFile::create(&marker).map_err(|error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                Failure::world(format!("another run is writing to `{}`", path.display()))
                    .help("wait until it has ended, and run the same command again")
            } else {
                unusable(&marker, &error)
            }
        })
    }
}

/// A failure to use the folder of a target, with help.
fn elsewhere(failure: Failure) -> Failure {
    failure.help("create the folder, or set another `path` for this target in `ipwhl.toml`")
}

fn marker_text(name: &str) -> String {
    format!("releases of {name}, written by `ipwhl publish`\n")
}

/// Removes the unfinished trees of other releases, which a killed run has left.
pub(super) fn forget_others(path: &Path, root: &str) -> Result<(), Failure> {
    for name in names(path)? {
        let unfinished = name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(PARTIAL));
        if let Some(other) = unfinished
            && other != root
            && other.parse::<Cid>().is_ok()
        {
            let left = path.join(&name);
            fs::remove_dir_all(&left).map_err(|error| unusable(&left, &error))?;
        }
    }
    Ok(())
}
