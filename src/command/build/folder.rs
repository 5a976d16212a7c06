//! The output folder of a build.

use std::path::{Path, PathBuf};

use crate::command::context::Context;
use crate::command::own_folder::OwnFolder;
use crate::foundation::failure::Failure;
use crate::publish::resolved;
use crate::release::archive::ArchiveKind;
use crate::release::archive::car_name;
use crate::release::names::STATEMENT;
use crate::set::repository::Repository;

/// `release` belongs to the repository; a folder that was named, to whoever named it. The
/// declarations' own folder is refused: a project may be called `release`.
pub(super) fn output_folder(
    context: &Context<'_>,
    repository: &Repository,
    output: &Path,
) -> Result<PathBuf, Failure> {
    let folder = if output == Path::new("release") {
        repository.directory.join(output)
    } else {
        context.absolute(output)
    };
    let declarations = repository
        .directory
        .join(&repository.configuration.declarations);
    let place = |path: &Path| {
        resolved(path).map_err(|error| {
            Failure::world(format!("`{}` cannot be read: {error}", path.display()))
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
    own.check_repository(context.folders())?;
    own.check_owner(context.folders(), Some(&repository.directory))?;
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
