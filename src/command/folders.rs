//! The folders of a run: the current one, and the repository's.

use std::path::{Path, PathBuf};

use crate::foundation::environment::Environment;
use crate::set::repository::{LoadError, find};

/// The folders of a run.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    environment: Environment,
    /// What `--repository` names.
    named: Option<PathBuf>,
}

impl Folders {
    pub(super) fn new(environment: Environment, named: Option<&Path>) -> Self {
        Self {
            named: named.map(|directory| environment.absolute(directory)),
            environment,
        }
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A path as a person would write it from the current folder.
    pub(super) fn shown(&self, path: &Path) -> String {
        self.environment.shown(path)
    }

    /// The folder that `--repository` names.
    pub(super) fn named_repository(&self) -> Option<PathBuf> {
        self.named.clone()
    }

    /// The folder of the repository that is meant.
    pub(super) fn repository(&self) -> Result<PathBuf, LoadError> {
        match &self.named {
            Some(directory) => Ok(directory.clone()),
            None => find(&self.environment.current_directory),
        }
    }
}
