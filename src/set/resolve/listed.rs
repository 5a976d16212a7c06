//! Declared wheels on the pages of an index.

use crate::set::declaration::{Declaration, DeclaredWheel, Source};
use crate::source::{IndexFile, ProjectPage};

/// The file of a wheel's name on the page of its project, unless it has another digest.
pub fn listed_file<'p>(page: &'p ProjectPage, wheel: &DeclaredWheel) -> Option<&'p IndexFile> {
    let declared = wheel.sha256.as_ref().map(|sha256| sha256.value);
    let mut files = page.files.iter();
    files.find(|file| {
        let is_other = file
            .sha256
            .zip(declared)
            .is_some_and(|(one, other)| one != other);
        file.file_name == wheel.file_name.as_str() && !is_other
    })
}

/// The declared wheels that the index is a source of and that it has yanked, with the reasons, which
/// may be empty.
pub fn yanked_wheels<'p>(
    page: &'p ProjectPage,
    declaration: &'p Declaration,
) -> impl Iterator<Item = (&'p DeclaredWheel, &'p str)> {
    let wheels = wheels_of_index(declaration);
    wheels.filter_map(|wheel| Some((wheel, listed_file(page, wheel)?.yanked.as_deref()?)))
}

/// The declared wheels that the index is a source of and that its page does not have, or has with
/// another digest.
pub fn missing_wheels<'p>(
    page: &'p ProjectPage,
    declaration: &'p Declaration,
) -> impl Iterator<Item = &'p DeclaredWheel> {
    wheels_of_index(declaration).filter(|wheel| listed_file(page, wheel).is_none())
}

fn wheels_of_index(declaration: &Declaration) -> impl Iterator<Item = &DeclaredWheel> {
    declaration.wheels.iter().filter(|wheel| {
        let mut sources = wheel.sources.iter();
        sources.any(|source| matches!(source.value, Source::Package(_)))
    })
}
