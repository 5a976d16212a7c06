//! The folders of a run: the current one and the repository's.

use std::path::{Path, PathBuf};

use super::load::find;
use super::load_error::LoadError;
use super::names::CONFIGURATION_FILE;
use super::owner::is_own;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::Environment;
use crate::foundation::failure::Failure;

/// The folders of a run.
#[derive(Debug, Clone)]
pub struct Folders {
    environment: Environment,
    named: Option<PathBuf>,
}

impl Folders {
    /// The folders of a run in this environment. `named` is the repository's folder from the
    /// command line.
    pub fn new(environment: Environment, named: Option<&Path>) -> Self {
        Self {
            named: named.map(|directory| environment.absolute(directory)),
            environment,
        }
    }

    /// The environment of the run.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A path for messages, relative to the current folder.
    pub fn shown(&self, path: &Path) -> String {
        self.environment.shown(path)
    }

    /// The repository's folder as named on the command line.
    pub fn named_repository(&self) -> Option<PathBuf> {
        self.named.clone()
    }

    /// The repository's folder: the one of `--repository`, else the nearest repository upwards.
    ///
    /// # Errors
    /// When no folder is named, and the current folder is in no repository.
    pub fn repository(&self) -> Result<PathBuf, LoadError> {
        match &self.named {
            Some(directory) => Ok(directory.clone()),
            None => find(&self.environment.current_directory),
        }
    }

    /// The repository, if it is in a folder above, belongs to another user and was not named. In a
    /// folder that all users can write, any of them could create an `ipwhl.toml`, and so control
    /// builds, signatures and trust in the folders below.
    pub fn foreign_repository(&self) -> Option<PathBuf> {
        let directory = self.repository().ok()?;
        let is_meant = self.named.is_some() || directory == self.environment.current_directory;
        let is_foreign = !is_meant && !is_own(&directory.join(CONFIGURATION_FILE));
        is_foreign.then_some(directory)
    }

    /// The repository's folder, if it can be trusted.
    ///
    /// # Errors
    /// When there is none, or it belongs to another user and was not named.
    pub fn own_repository(&self) -> Result<PathBuf, Failure> {
        if let Some(directory) = self.foreign_repository() {
            let file = self.shown(&directory.join(CONFIGURATION_FILE));
            let words = shell_word(&self.shown(&directory));
            return Err(Failure::usage(format!(
                "`{file}` in a folder above belongs to another user, so it is not used"
            ))
            .help(format!(
                "to use it if you trust its owner: `--repository {words}`"
            )));
        }
        self.repository().map_err(|error| Failure::world(&error))
    }
}
