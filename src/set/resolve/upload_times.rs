//! The times of upload that declared wheels lack.

use super::solver::{Catalogue, Projects};
use crate::foundation::failure::Failure;
use crate::foundation::time::UtcTime;
use crate::set::declaration::{Declaration, DeclaredWheel, FormatVersion, Spanned};
use crate::set::repository::Repository;
use crate::source::ProjectPage;

/// The declarations of `projects` with the times of upload that they lack and the index states,
/// without those that get none. A repository of format 1 has no times.
///
/// # Errors
/// When the index cannot be asked.
pub(super) fn with_upload_times(
    repository: &Repository,
    catalogue: &dyn Catalogue,
    projects: &Projects,
) -> Result<Vec<Declaration>, Failure> {
    let mut dated = Vec::new();
    if repository.configuration.format < FormatVersion::V2 {
        return Ok(dated);
    }
    let declared = repository.declarations.values();
    for declaration in declared.filter(|one| projects.contain(&one.project) && one.is_from_index())
    {
        let is_dated = |wheel: &DeclaredWheel| wheel.uploaded.is_some();
        if declaration.wheels.iter().all(is_dated) {
            continue;
        }
        let Some(page) = catalogue.page(&declaration.project)? else {
            continue;
        };
        let mut declaration = declaration.clone();
        let mut has_changed = false;
        for wheel in &mut declaration.wheels {
            if wheel.uploaded.is_none() {
                wheel.uploaded = upload_time(&page, wheel).map(|time| Spanned::new(time, 0..0));
                has_changed |= wheel.uploaded.is_some();
            }
        }
        if has_changed {
            dated.push(declaration);
        }
    }
    Ok(dated)
}

/// The time that a page states for the file of this name, unless it has another digest.
fn upload_time(page: &ProjectPage, wheel: &DeclaredWheel) -> Option<UtcTime> {
    let declared = wheel.sha256.as_ref().map(|sha256| sha256.value);
    let mut files = page.files.iter();
    let file = files.find(|file| {
        let is_other = file
            .sha256
            .zip(declared)
            .is_some_and(|(one, other)| one != other);
        file.file_name == wheel.file_name.as_str() && !is_other
    });
    file.and_then(|file| file.uploaded)
}
