//! Archives named by arguments.

use std::fs;
use std::path::{Path, PathBuf};

use super::context::Context;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::release::archive::{ArchiveKind, car_name, unreadable_archive};
use crate::release::names::CAR;
use crate::release::statement::absent;

/// The help for a path without a release.
const NAMES: &str = "name an archive, or a folder with a `release.car`; `ipwhl fetch` downloads \
                     the release of a site";

/// The archive at a path. A folder means the `release.car` in it.
pub(super) fn archive_of(context: &Context<'_>, named: &Path) -> Result<PathBuf, Failure> {
    let path = context.absolute(named);
    if !path.is_dir() {
        return match fs::metadata(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(named
                .to_str()
                .and_then(absent)
                .unwrap_or_else(|| unreadable_archive(&path, &error).help(NAMES))),
        };
    }
    let car = path.join(CAR);
    if car.exists() {
        return Ok(car);
    }
    let parts = [ArchiveKind::Hollow, ArchiveKind::Delta].map(|kind| path.join(car_name(kind)));
    Err(match parts.iter().find(|part| part.exists()) {
        Some(part) => {
            let part = context.shown(part);
            Failure::world(format!(
                "`{}` has no `{CAR}`, only `{part}`",
                named.display()
            ))
            .help(format!(
                "`ipwhl fill {}` completes it; or name that archive itself",
                shell_word(&part)
            ))
        }
        None => Failure::world(format!("`{}` has no `{CAR}`", named.display())).help(NAMES),
    })
}
