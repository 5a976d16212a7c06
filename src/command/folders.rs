//! The folders of a run: the current one and the repository's.

use std::path::{Path, PathBuf};

use crate::foundation::environment::Environment;
use crate::set::repository::{LoadError, find};

/// The folders of a run.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    environment: Environment,
    /// The value of `--repository`, absolute.
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

    /// A path relative to the current folder, to be printed.
    pub(super) fn shown(&self, path: &Path) -> String {
        self.environment.shown(path)
    }

    /// The folder that `--repository` names.
    pub(super) fn named_repository(&self) -> Option<PathBuf> {
        self.named.clone()
    }

    /// The repository's folder: that of `--repository`, else the nearest one upwards.
    pub(super) fn repository(&self) -> Result<PathBuf, LoadError> {
        match &self.named {
            Some(directory) => Ok(directory.clone()),
            None => find(&self.environment.current_directory),
        }
    }
}
