//! Leftovers of the layout `ipwhl-1` after an interrupted migration. They are removed only if all
//! of their contents are certain to be in the new layout.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ipwhl_packaging::ProjectName;

use super::{original_settings, remove};
use crate::foundation::failure::Failure;
use crate::set::declaration::{Layout, declares_all_of};
use crate::set::repository::{ORIGINAL_FOLDER, Repository, SUPPORTED_FILE, presumed_project};

/// The leftovers of an interrupted migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftovers {
    /// There are none.
    None,
    /// Files of these names that may be removed, because the new layout has all of their contents.
    Removable(Vec<&'static str>, BTreeSet<Arc<str>>),
    /// Files of these names that stay, and the reason.
    Kept(Vec<&'static str>, String),
}

/// The leftovers of an interrupted migration beside a repository of the layout `package`.
pub fn leftovers(repository: &Repository) -> Leftovers {
    // The declarations may be in a folder of this name now.
    let folder = repository.configuration.declarations.split('/').next();
    let left: Vec<&str> = [ORIGINAL_FOLDER, SUPPORTED_FILE]
        .into_iter()
        .filter(|name| folder != Some(*name))
        .filter(|name| fs::symlink_metadata(repository.directory.join(name)).is_ok())
        .collect();
    if left.is_empty() {
        return Leftovers::None;
    }
    match certain(repository, &left) {
        Ok(files) => Leftovers::Removable(left, files),
        Err(reason) => Leftovers::Kept(left, reason),
    }
}

/// Removes the files that [`leftovers`] permits to remove.
///
/// # Errors
/// When a file cannot be removed.
pub fn remove_leftovers(
    repository: &Repository,
    names: &[&str],
    files: &BTreeSet<Arc<str>>,
) -> Result<(), Failure> {
    let directory = &repository.directory;
    for file in files {
        remove(&directory.join(&**file), directory)?;
    }
    // Folders that the interrupted run has emptied.
    if names.contains(&ORIGINAL_FOLDER) {
        remove_empty(&directory.join(ORIGINAL_FOLDER));
    }
    Ok(())
}

/// The files that may be removed, or the reason why it is not certain that all of them may.
fn certain(repository: &Repository, left: &[&str]) -> Result<BTreeSet<Arc<str>>, String> {
    let directory = &repository.directory;
    let unreadable = |error: &dyn std::fmt::Display| error.to_string();
    let before = Repository::load_with(directory, &original_settings("before"))
        .map_err(|error| unreadable(&error))?;
    let mut files = BTreeSet::new();
    if left.contains(&SUPPORTED_FILE) {
        let same = before.configuration.platforms == repository.configuration.platforms;
        let is_understood = before
            .findings
            .iter()
            .flat_map(|finding| &finding.labels)
            .all(|label| &*label.file != SUPPORTED_FILE);
        if !same || !is_understood {
            return Err(format!(
                "`{SUPPORTED_FILE}` names other platforms than `ipwhl.toml`"
            ));
        }
        files.insert(Arc::from(SUPPORTED_FILE));
    }
    if !left.contains(&ORIGINAL_FOLDER) {
        return Ok(files);
    }
    let folder = directory.join(ORIGINAL_FOLDER);
    if !fs::symlink_metadata(&folder).is_ok_and(|there| there.is_dir()) {
        return Err(format!("`{ORIGINAL_FOLDER}` is not a folder"));
    }
    let within = format!("{ORIGINAL_FOLDER}/");
    let mut projects: BTreeMap<ProjectName, Vec<(Arc<str>, &str)>> = BTreeMap::new();
    for (file, text) in &before.texts {
        if !file.starts_with(&within) {
            continue;
        }
        let project = presumed_project(file, Layout::Ipwhl1)
            .ok_or_else(|| format!("the project of `{file}` is unknown"))?;
        let texts = projects.entry(project).or_default();
        texts.push((Arc::clone(file), text.as_str()));
        files.insert(Arc::clone(file));
    }
    for (project, former) in &projects {
        let now = repository.declarations.get(project);
        let text = now.map_or("", |now| repository.texts[&now.file].as_str());
        for one in former {
            if !declares_all_of(text, std::slice::from_ref(one)) {
                return Err(format!(
                    "the declaration of `{project}` does not have all of `{}`",
                    one.0
                ));
            }
        }
    }
    if let Some(stranger) = stranger(&folder, ORIGINAL_FOLDER, &files) {
        return Err(format!("`{stranger}` is not a declaration"));
    }
    Ok(files)
}

/// A file below a folder that is not among these, even if hidden.
fn stranger(folder: &Path, name: &str, files: &BTreeSet<Arc<str>>) -> Option<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Some(name.to_owned());
    };
    let mut entries: Vec<_> = entries.collect::<Result<_, _>>().ok()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    entries.into_iter().find_map(|entry| {
        let below = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => stranger(&entry.path(), &below, files),
            _ => (!files.contains(below.as_str())).then_some(below),
        }
    })
}

/// Removes a folder and all folders in it; a folder with a file stays, and so do those above it.
fn remove_empty(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    // A folder that is not empty stays: its files belong to others.
    let _ = fs::remove_dir(folder);
}
