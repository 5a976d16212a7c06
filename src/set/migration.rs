//! Migrates a repository from the layout `ipwhl-1` to the layout `package`: one file a project.
//! Also from format 1 to format 2, which changes one line of `ipwhl.toml`.

mod leftovers;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipwhl_packaging::WheelFileName;

use crate::foundation::diagnostic::{Finding, Severity, sort};
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;
use crate::set::declaration::{Declaration, DeclaredWheel, Unformatted, differing_keys, merged};
use crate::set::repository::{CONFIGURATION_FILE, Repository, SUPPORTED_FILE};

pub use leftovers::{Leftovers, leftovers, remove_leftovers};
use settings::package_settings;
pub use settings::{original_settings, settings_in_format};

/// The files to write and to remove.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The folder of the new repository.
    pub directory: PathBuf,
    /// The folder of its declarations, relative to the new repository.
    pub folder: String,
    /// The new declarations, by their names from the repository's folder.
    pub declarations: BTreeMap<String, String>,
    /// The text of the new `ipwhl.toml`.
    pub settings: String,
    /// The files that the new ones replace.
    pub former: Vec<PathBuf>,
    /// Whether the new repository replaces the old one.
    pub in_place: bool,
}

impl Migration {
    /// Plans the migration of this repository, or of a copy of it in `output`, to the layout
    /// `package`. Nothing is written.
    ///
    /// # Errors
    /// When the declarations cannot be written as one file for each project.
    pub fn plan(repository: &Repository, output: Option<PathBuf>) -> Result<Self, Failure> {
        let configuration = &repository.configuration;
        // The new folder is beside the old files, not among them.
        let is_taken = configuration.declarations.split('/').next() == Some("declarations");
        let folder = if is_taken { "packages" } else { "declarations" };
        let mut declarations = BTreeMap::new();
        let mut former = Vec::new();
        for (project, declaration) in &repository.declarations {
            declarations.insert(
                format!("{folder}/{project}.toml"),
                one_file(repository, declaration)?,
            );
            let files = declaration.wheels.iter();
            former.extend(files.map(|wheel| repository.directory.join(&*wheel.file)));
        }
        let text = &repository.texts[&repository.configuration_file()];
        let settings = package_settings(text.as_str(), configuration, folder).ok_or_else(|| {
            Failure::finding(format!("`{CONFIGURATION_FILE}` cannot be written again"))
        })?;
        let directory = output.unwrap_or_else(|| repository.directory.clone());
        let in_place = directory == repository.directory
            || same_file::is_same_file(&directory, &repository.directory).unwrap_or(false);
        Ok(Self {
            in_place,
            directory,
            folder: folder.to_owned(),
            declarations,
            settings,
            former,
        })
    }

    /// Refuses to overwrite files of another program, or to write beside them.
    ///
    /// # Errors
    /// When these files exist, or a folder cannot be read.
    pub fn check_unoccupied(&self) -> Result<(), Failure> {
        let folder = self.directory.join(&self.folder);
        let unreadable =
            |error: io::Error| Failure::world(format!("`{}`: {error}", folder.display()));
        // A symbolic link would lead the files to another place.
        let entries = match fs::symlink_metadata(&folder) {
            Ok(there) if there.is_dir() => Some(fs::read_dir(&folder).map_err(unreadable)?),
            Ok(_) => {
                return Err(unreadable(io::Error::other("it is not a folder")));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(error)),
        };
        for entry in entries.into_iter().flatten() {
            let name = entry.map_err(unreadable)?.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            // An interrupted run has written the same files.
            let name = format!("{}/{name}", self.folder);
            let is_ours = self.declarations.get(&name).is_some_and(|text| {
                fs::read(self.directory.join(&name)).is_ok_and(|there| there == text.as_bytes())
            });
            if !is_ours {
                return Err(Failure::finding(format!(
                    "`{}` exists already, and nothing is written",
                    self.directory.join(&name).display()
                ))
                .help("move it away, or write elsewhere with `--output DIR`"));
            }
        }
        let settings = self.directory.join(CONFIGURATION_FILE);
        if !self.in_place
            && fs::symlink_metadata(&settings).is_ok()
            && fs::read(&settings).ok().as_deref() != Some(self.settings.as_bytes())
        {
            return Err(Failure::finding(format!(
                "`{}` exists already, and nothing is written",
                settings.display()
            ))
            .help("write to another folder"));
        }
        Ok(())
    }

    /// Writes the new repository: the declarations first, because the settings put them into use.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self) -> Result<(), Failure> {
        let failed = |path: &Path, error: &io::Error| {
            Failure::world(format!("`{}` cannot be written: {error}", path.display()))
        };
        let folder = self.directory.join(&self.folder);
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        for (name, text) in &self.declarations {
            let path = self.directory.join(name);
            AtomicFile::write_whole(&path, text.as_bytes())
                .map_err(|error| failed(&path, &error))?;
        }
        let path = self.directory.join(CONFIGURATION_FILE);
        AtomicFile::write_whole(&path, self.settings.as_bytes())
            .map_err(|error| failed(&path, &error))
    }

    /// Removes the replaced files, if the new repository replaces the old one.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove_former(&self, repository: &Repository) -> Result<(), Failure> {
        if !self.in_place {
            return Ok(());
        }
        let supported = repository.directory.join(SUPPORTED_FILE);
        for path in self.former.iter().chain([&supported]) {
            remove(path, &repository.directory)?;
        }
        Ok(())
    }
}

/// The findings that hide a part of the declarations, so that a migration could lose it.
pub fn blocking_findings(repository: &Repository) -> Vec<Finding> {
    let understood: BTreeSet<&Arc<str>> = repository
        .declarations
        .values()
        .flat_map(|declaration| &declaration.wheels)
        .map(|wheel| &wheel.file)
        .collect();
    let mut blocking: Vec<Finding> = repository
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .filter(|finding| {
            let place = finding.labels.first();
            place.is_none_or(|label| !understood.contains(&label.file))
        })
        .cloned()
        .collect();
    sort(&mut blocking);
    blocking
}

/// The wheels that are declared more than once, each with its declarations.
pub fn twins(repository: &Repository) -> Vec<Vec<&DeclaredWheel>> {
    let mut twins = Vec::new();
    for declaration in repository.declarations.values() {
        let mut by_name: BTreeMap<&str, Vec<&DeclaredWheel>> = BTreeMap::new();
        for wheel in &declaration.wheels {
            let name = wheel.file_name.as_str();
            by_name.entry(name).or_default().push(wheel);
        }
        twins.extend(by_name.into_values().filter(|all| all.len() > 1));
    }
    twins
}

/// A wheel with contradicting declarations: a person must choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The wheel.
    pub file_name: WheelFileName,
    /// The keys that differ.
    pub keys: BTreeSet<&'static str>,
    /// The files of its declarations.
    pub files: Vec<Arc<str>>,
}

/// The wheels among these with contradicting declarations.
pub fn conflicts(twins: &[Vec<&DeclaredWheel>]) -> Vec<Conflict> {
    let conflict = |twin: &Vec<&DeclaredWheel>| {
        let (first, others) = twin.split_first()?;
        let keys: BTreeSet<&'static str> = others
            .iter()
            .flat_map(|other| differing_keys(first, other))
            .collect();
        (!keys.is_empty()).then(|| Conflict {
            file_name: first.file_name.clone(),
            keys,
            files: twin.iter().map(|wheel| Arc::clone(&wheel.file)).collect(),
        })
    };
    twins.iter().filter_map(conflict).collect()
}

/// The declaration of a project's wheels in one file.
fn one_file(repository: &Repository, declaration: &Declaration) -> Result<String, Failure> {
    let texts: Vec<(Arc<str>, &str)> = declaration
        .wheels
        .iter()
        .map(|wheel| {
            let text = repository.texts[&wheel.file].as_str();
            (Arc::clone(&wheel.file), text)
        })
        .collect();
    merged(&texts).map_err(|error| match error {
        Unformatted::Syntax(findings) => Failure::finding(findings.first().map_or_else(
            || format!("`{}` cannot be read", declaration.project),
            |finding| format!("{}: {}", declaration.project, finding.message),
        )),
        Unformatted::Unfaithful(what) => Failure::world(format!(
            "the file of `{}` would lose {what}, so nothing was written: this is a bug in ipwhl, \
             please report it",
            declaration.project
        )),
    })
}

/// Removes a file, and then the empty folders above it, up to the repository's.
fn remove(path: &Path, repository: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::world(format!(
                "`{}` cannot be removed: {error}",
                path.display()
            )));
        }
        _ => {}
    }
    for folder in path.ancestors().skip(1) {
        let is_below = folder.starts_with(repository) && folder != repository;
        // A folder that is not empty stays, and so do those above it.
        if !is_below || fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}
