//! A release as a tree of files.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ipwhl_unixfs::LeafHasher;

use super::PublishError;
use super::error::{Wheels, wrong_bytes};
use super::whole_folder::whole_folder;
use crate::release::names::{RELEASE_FILE, RELEASE_FOLDER};
use crate::release::tree::{Content, Release};
use crate::source::Cache;

/// The size of the copy buffer, in bytes.
const BUFFER: usize = 1024 * 1024;

/// The place for the tree. Refuses to replace a folder that is not a tree of an earlier build, or
/// that contains any of `kept`.
///
/// # Errors
/// [`PublishError::Occupied`], or when a folder on the path cannot be read.
pub fn tree_place(place: &Path, kept: &[&Path]) -> Result<PathBuf, PublishError> {
    let refused = |reason: &str| PublishError::Occupied(place.to_path_buf(), reason.to_owned());
    let resolved = resolved(place).map_err(PublishError::at(place))?;
    for path in kept {
        if self::resolved(path)
            .map_err(PublishError::at(path))?
            .starts_with(&resolved)
        {
            return Err(refused(&format!("holds `{}`", path.display())));
        }
    }
    match fs::read_dir(&resolved) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(resolved),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(refused("is a file")),
        Err(error) => Err(PublishError::Unwritable(place.to_path_buf(), error)),
        Ok(_) if is_tree(&resolved).map_err(PublishError::at(place))? => Ok(resolved),
        Ok(_) => Err(refused("is a folder that was not made by a build")),
    }
}

/// The path without symbolic links and dots. Its last components need not exist.
pub(super) fn resolved(path: &Path) -> io::Result<PathBuf> {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Err(error), Some(parent), Some(name)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(resolved(parent)?.join(name))
        }
        (outcome, ..) => outcome,
    }
}

/// Whether a folder is empty or a release's tree, by its `release.json`. A tree of the layout
/// `ipwhl-1` has none: its folders of wheels could belong to anything, and are not replaced.
fn is_tree(folder: &Path) -> io::Result<bool> {
    Ok(folder.join(RELEASE_FOLDER).join(RELEASE_FILE).is_file()
        || fs::read_dir(folder)?.next().is_none())
}

/// Writes the tree as files beside its place, and renames it when it is complete.
///
/// # Errors
/// When a file cannot be written, or a wheel of the cache is damaged.
pub(super) fn write_tree(
    release: &Release<'_>,
    cache: &Cache,
    place: &Path,
) -> Result<(), PublishError> {
    whole_folder(place, &mut |partial| write_files(release, cache, partial))
}

fn write_files(release: &Release<'_>, cache: &Cache, partial: &Path) -> Result<(), PublishError> {
    let mut wheels = Wheels::new(cache);
    let mut writing: PathBuf = partial.to_path_buf();
    let written = release.each_file(&mut |folder, file| {
        let directory = partial.join(folder);
        fs::create_dir_all(&directory)?;
        writing = directory.join(&file.name);
        let mut target = File::create(&writing)?;
        match &file.content {
            Content::Bytes(bytes) => target.write_all(bytes)?,
            Content::Wheel(wheel, facts) => {
                let mut source = wheels.open(wheel)?;
                let mut hasher = LeafHasher::new(facts.dag.profile());
                let mut buffer = vec![0; BUFFER];
                loop {
                    let count = source.read(&mut buffer)?;
                    if count == 0 {
                        break;
                    }
                    hasher.update(&buffer[..count]);
                    target.write_all(&buffer[..count])?;
                }
                if hasher.finish() != *facts.dag {
                    return Err(wrong_bytes());
                }
            }
        }
        target.sync_all()
    });
    written.map_err(|error| wheels.explain(error, &writing))
}
