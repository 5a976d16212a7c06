//! The folder that a release is written to.

use std::path::{Path, PathBuf};

use super::tree::resolved;
use crate::foundation::failure::Failure;
use crate::release::archive::{ArchiveKind, car_name};
use crate::release::names::STATEMENT;
use crate::set::repository::{Folders, OwnFolder, Repository};

/// The default output folder.
const DEFAULT_OUTPUT: &str = "release";

/// The folder that a build writes to. The default, `release`, is relative to the repository. A
/// named folder is relative to the current folder.
///
/// # Errors
/// When it is in the declarations folder, which may have the same name; when other users can write
/// it; when a folder has the name of a file of the release.
pub fn build_folder(
    folders: &Folders,
    repository: &Repository,
    output: &Path,
) -> Result<PathBuf, Failure> {
    let folder = if output == Path::new(DEFAULT_OUTPUT) {
        repository.directory.join(output)
    } else {
        folders.environment().absolute(output)
    };
    let declarations = repository
        .directory
        .join(&repository.configuration.declarations);
    let place = |path: &Path| {
        resolved(path).map_err(|error| {
            Failure::world(format!("`{}` cannot be read: {error}", path.display()))
                .help("name another folder with `--output`")
        })
    };
    if place(&folder)?.starts_with(place(&declarations)?) {
        return Err(Failure::usage(format!(
            "cannot write a release into the declarations folder `{}`",
            folder.display()
        ))
        .help("name another folder with `--output`"));
    }
    let own = OwnFolder {
        path: &folder,
        role: "the output folder",
        danger: "a build follows the statement in this folder",
        elsewhere: "name another folder with `--output`",
    };
    own.check(folders, Some(&repository.directory))?;
    let cars = ArchiveKind::ALL.map(car_name);
    for name in cars.into_iter().chain([STATEMENT]) {
        if folder.join(name).is_dir() {
            return Err(Failure::usage(format!(
                "`{}` is a folder, and the build writes a file with this name",
                folder.join(name).display()
            ))
            .help("name another folder with `--output`"));
        }
    }
    Ok(folder)
}

/// The folder that a release is fetched to: the named one, else `release` in the repository or in
/// the current folder.
///
/// # Errors
/// When other users can write it.
pub fn fetch_folder(folders: &Folders, output: Option<&Path>) -> Result<PathBuf, Failure> {
    let repository = folders.repository().ok();
    let folder = match (output, &repository) {
        (None, Some(repository)) => repository.join(DEFAULT_OUTPUT),
        (output, _) => folders
            .environment()
            .absolute(output.unwrap_or(Path::new(DEFAULT_OUTPUT))),
    };
    let own = OwnFolder {
        path: &folder,
        role: "the output folder",
        danger: "the statement in this folder decides which release is accepted",
        elsewhere: "name another folder with `--output`",
    };
    own.check(folders, repository.as_deref())?;
    Ok(folder)
}
