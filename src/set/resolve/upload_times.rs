//! The times of upload that declared wheels lack.

use super::listed::listed_file;
use super::solver::{Catalogue, Projects};
use crate::foundation::failure::Failure;
use crate::set::declaration::{Declaration, DeclaredWheel, FormatVersion, Spanned};
use crate::set::repository::Repository;

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
                let stated = listed_file(&page, wheel).and_then(|file| file.uploaded);
                wheel.uploaded = stated.map(|time| Spanned::new(time, 0..0));
                has_changed |= wheel.uploaded.is_some();
            }
        }
        if has_changed {
            dated.push(declaration);
        }
    }
    Ok(dated)
}
