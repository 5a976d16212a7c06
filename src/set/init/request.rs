//! The folder of `ipwhl init`, and the files that are written to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ipwhl_packaging::Platform;

use super::files::{INSTALL_VARIABLE, NewFile, name_of, new_repository};
use super::forge::Forge;
use super::install::InstallCommand;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;
use crate::set::repository::{CONFIGURATION_FILE, Folders, find};

/// The options of `ipwhl init`.
#[derive(Debug, Clone, Copy)]
pub struct InitRequest<'r> {
    /// The folders of the run.
    pub folders: &'r Folders,
    /// The named folder.
    pub directory: Option<&'r Path>,
    /// The repository's name, which each signed statement contains, if given.
    pub name: Option<&'r str>,
    /// Interpreters to support.
    pub pythons: &'r [String],
    /// Systems to support.
    pub systems: &'r [String],
    /// The forges that will run CI, each once.
    pub forges: &'r [Forge],
    /// Whether the folder will carry the set of another repository.
    pub is_carrying: bool,
}

/// The folder to write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitPlace {
    /// The folder. It need not exist.
    pub directory: PathBuf,
    /// Whether it already is a repository.
    pub is_repository: bool,
}

/// The files of a repository: kept ones and new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedFiles {
    /// Existing files that stay unchanged.
    pub kept: Vec<NewFile>,
    /// Files to write.
    pub new: Vec<NewFile>,
}

impl InitRequest<'_> {
    /// The folder to write to.
    ///
    /// # Errors
    /// When it is named twice, when it is a file, or when it is inside another repository and not
    /// named.
    pub fn place(&self) -> Result<InitPlace, Failure> {
        let directory = self.directory()?;
        Ok(InitPlace {
            is_repository: is_there(&directory.join(CONFIGURATION_FILE))?,
            directory,
        })
    }

    /// The files of a new repository, with its name; or the CI files for an existing one.
    ///
    /// # Errors
    /// When the repository exists and the options ask for more than CI, or a name or a platform is
    /// invalid.
    pub fn files(
        &self,
        place: &InitPlace,
        install: Option<&InstallCommand>,
    ) -> Result<(Option<String>, Vec<NewFile>), Failure> {
        let folder = place.folder_name();
        let mut files: Vec<NewFile> = self
            .forges
            .iter()
            .flat_map(|forge| forge.files(&folder, install))
            .collect();
        self.check_existing(place)?;
        if place.is_repository {
            return Ok((None, files));
        }
        validate_platforms(self.pythons, self.systems)?;
        let name = match self.name {
            Some(name) if name.trim().is_empty() || name.contains(char::is_control) => {
                return Err(Failure::usage(format!(
                    "{name:?} cannot name a repository: a name is one line of text and not empty"
                )));
            }
            Some(name) => name.to_owned(),
            None => name_of(&folder),
        };
        files.extend(new_repository(&name, self.pythons, self.systems));
        Ok((Some(name), files))
    }

    /// The folder of the new repository. Inside another repository it must be named, because the
    /// user may be in the wrong folder.
    fn directory(&self) -> Result<PathBuf, Failure> {
        let directory = match (self.directory, self.folders.named_repository()) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage(
                    "the folder is named twice: by the argument and by `--repository`",
                ));
            }
            (Some(directory), None) => self.folders.environment().absolute(directory),
            (None, Some(directory)) => directory,
            (None, None) => {
                let current = self.folders.environment().current_directory.clone();
                match find(&current) {
                    Ok(around) if around != current => {
                        return Err(Failure::usage(format!(
                            "this folder is inside the repository `{}`",
                            around.display()
                        ))
                        .help("change to that folder, or name this one: `ipwhl init .`"));
                    }
                    _ => current,
                }
            }
        };
        match fs::metadata(&directory) {
            Ok(there) if !there.is_dir() => Err(Failure::usage(format!(
                "`{}` is a file, and a repository must be a folder",
                directory.display()
            ))),
            _ => Ok(directory),
        }
    }

    /// Refuses an existing repository, unless only CI is added to it.
    fn check_existing(&self, place: &InitPlace) -> Result<(), Failure> {
        if !place.is_repository {
            return Ok(());
        }
        let place = self
            .folders
            .shown(&place.directory.join(CONFIGURATION_FILE));
        if self.forges.is_empty() || self.is_carrying {
            return Err(
                Failure::usage(format!("this is already a repository: `{place}` exists"))
                    .help("`ipwhl add NAME` declares a project, `ipwhl init --ci FORGE` adds CI"),
            );
        }
        let is_of_a_new_one =
            self.name.is_some() || !self.pythons.is_empty() || !self.systems.is_empty();
        if is_of_a_new_one {
            return Err(Failure::usage(format!(
                "`--name`, `--python` and `--system` are for a new repository, and `{place}` exists"
            ))
            .help("change the values in that file; `ipwhl init --ci FORGE` alone adds CI"));
        }
        Ok(())
    }

    /// Splits the files into existing ones, which stay, and new ones. A file with different content
    /// that may not stay ends the run before anything is written.
    ///
    /// # Errors
    /// When such a file exists, or a path cannot be read.
    pub fn sort(&self, place: &InitPlace, files: Vec<NewFile>) -> Result<SortedFiles, Failure> {
        let (mut kept, mut new, mut in_the_way) = (Vec::new(), Vec::new(), Vec::new());
        let mut help = "move it away, run the same command again, and compare the files".to_owned();
        let help_for_ci = format!(
            "{help}; to change only how CI installs ipwhl, edit the line `{INSTALL_VARIABLE}` in it"
        );
        for file in files {
            let path = place.directory.join(file.path);
            if !is_there(&path)? {
                new.push(file);
            } else if file.may_stay {
                kept.push(file);
            } else if fs::read(&path).is_ok_and(|bytes| bytes == file.text.as_bytes()) {
                // An earlier run, which may have been killed, has written it.
            } else {
                in_the_way.push(format!("`{}`", self.folders.shown(&path)));
                if file.has_install_line() {
                    help.clone_from(&help_for_ci);
                }
            }
        }
        let (exist, have) = match in_the_way.len() {
            1 => ("exists", "has"),
            _ => ("exist", "have"),
        };
        if in_the_way.is_empty() {
            Ok(SortedFiles { kept, new })
        } else {
            Err(Failure::usage(format!(
                "{} already {exist} and {have} different content: nothing was written",
                in_the_way.join(", ")
            ))
            .help(help))
        }
    }
}

impl InitPlace {
    /// Writes these files. A run that is killed leaves only some of them, each complete.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_all(&self, files: &[NewFile]) -> Result<(), Failure> {
        files.iter().try_for_each(|file| self.write(file))
    }

    /// Writes one file.
    fn write(&self, file: &NewFile) -> Result<(), Failure> {
        let path = self.directory.join(file.path);
        let folder = path.parent().unwrap_or(&self.directory);
        fs::create_dir_all(folder)
            .and_then(|()| AtomicFile::write_whole(&path, file.text.as_bytes()))
            .map_err(|error| {
                Failure::world(format!("`{}` cannot be written: {error}", path.display()))
                    .help("run the same command again: it writes only the files that are missing")
            })
    }

    /// The name of the folder, with symbolic links resolved.
    fn folder_name(&self) -> String {
        fs::canonicalize(&self.directory)
            .unwrap_or_else(|_| self.directory.clone())
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

/// Checks each tag together with a valid tag of the other kind, so that the error names the invalid
/// one.
fn validate_platforms(pythons: &[String], systems: &[String]) -> Result<(), Failure> {
    let pythons = pythons.iter().map(|python| (python.as_str(), "win_amd64"));
    let systems = systems.iter().map(|system| ("cp312", system.as_str()));
    for (python, system) in pythons.chain(systems) {
        Platform::parse(python, system).map_err(|error| {
            Failure::usage(&error).help(
                "write interpreters as `cp312` or `cp311>=3.11.5`, systems as \
                 `manylinux_2_28_x86_64`, `macosx_14_0_arm64`, `win_amd64`",
            )
        })?;
    }
    Ok(())
}

fn is_there(path: &Path) -> Result<bool, Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::world(format!("`{}` cannot be read: {error}", path.display()))
}
