//! A folder that appears whole or not at all.

use std::fs;
use std::io;
use std::path::Path;

use super::PublishError;
use crate::foundation::environment::{AtomicFile, replace_directory, sync_directory};

/// Lets `write` fill a folder beside the place, and renames it when it is complete.
///
/// # Errors
/// When the folder cannot be written, or `write` fails.
pub(super) fn whole_folder<E: From<PublishError>>(
    place: &Path,
    write: &mut dyn FnMut(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let name = place
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    // Never committed: it serves as a lock, which ends with the process.
    let lock = place.with_file_name(format!("{name}.ipwhl-lock"));
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(PublishError::at(parent))?;
    }
    let _lock = AtomicFile::create(&lock).map_err(PublishError::at(place))?;
    // Names that users do not give to their folders.
    let partial = place.with_file_name(format!(".{name}.ipwhl-partial"));
    let aside = place.with_file_name(format!(".{name}.ipwhl-old"));
    // Leftovers of a killed run.
    for left in [&partial, &aside] {
        match fs::remove_dir_all(left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(PublishError::Unwritable(left.clone(), error).into());
            }
            _ => {}
        }
    }
    fs::create_dir_all(&partial).map_err(PublishError::at(&partial))?;
    if let Err(error) = write(&partial) {
        let _ = fs::remove_dir_all(&partial);
        return Err(error);
    }
    sync_directory(&partial).map_err(PublishError::at(&partial))?;
    replace_directory(&partial, place, &aside).map_err(PublishError::at(place))?;
    Ok(())
}
