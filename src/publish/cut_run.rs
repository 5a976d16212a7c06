//! Finishes a run that was interrupted between the old statement and the new one, or explains why
//! it cannot be finished.

use std::path::Path;

use super::commit::{Recovery, recover};
use super::error::PublishError;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::{AtomicFile, Environment};
use crate::foundation::failure::Failure;
use crate::release::names::STATEMENT;
use crate::release::statement::Statement;

/// The kind of run that writes a release to a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A build.
    Build {
        /// Whether the command line names the previous statement.
        names_previous: bool,
    },
    /// A fetch.
    Fetch,
}

impl Writer {
    /// Finishes an interrupted run in this folder, so that its sequence is not lost. Returns the
    /// statement that is now in place, or `None` if no run was finished.
    ///
    /// # Errors
    /// When the interrupted run cannot be finished, and this run may not continue without it.
    pub fn finish_cut_run(
        self,
        environment: &Environment,
        folder: &Path,
    ) -> Result<Option<Statement>, Failure> {
        match recover(folder).map_err(|error| self.uncommitted(&error, folder))? {
            Recovery::Finished(statement) => Ok(Some(statement)),
            Recovery::Incomplete(statement) if self.needs(&statement) => {
                Err(self.unfinished(environment, folder, &statement))
            }
            Recovery::Nothing | Recovery::Incomplete(_) => Ok(None),
        }
    }

    /// Whether this run must stop rather than lose the statement of an unfinished run.
    fn needs(self, statement: &Statement) -> bool {
        match self {
            // Before a first statement, there is no sequence to lose. If the user names the
            // previous statement, its sequence is known.
            Self::Build { names_previous } => statement.sequence > 1 && !names_previous,
            // Without it, an older release could be accepted as a newer one.
            Self::Fetch => true,
        }
    }

    fn unfinished(self, environment: &Environment, folder: &Path, cut: &Statement) -> Failure {
        let partial = environment.shown(&folder.join(format!(".{STATEMENT}.partial")));
        let words = shell_word(&partial);
        let (run, help) = match self {
            Self::Build { .. } => (
                "build",
                format!(
                    "name the previous statement with `--previous STATEMENT`; if you move {words} \
                     away, a build begins at sequence 1"
                ),
            ),
            Self::Fetch => (
                "run",
                format!(
                    "move {words} away: then the release only needs signatures of keys that you trust"
                ),
            ),
        };
        Failure::finding(format!(
            "the interrupted {run} of `{partial}`, sequence {}, cannot be finished: its archive or \
             its signature is \
             missing or damaged",
            cut.sequence
        ))
        .help(help)
    }

    /// The failure for files of a release that could not be renamed, with help.
    pub fn uncommitted(self, error: &PublishError, folder: &Path) -> Failure {
        let statement = folder.join(STATEMENT);
        match error {
            PublishError::Occupied(..) => Failure::usage(error)
                .help("name another folder with `--output`, or move that archive away"),
            PublishError::Changed(_) => Failure::caused(error).help("run the same command again"),
            _ if self != Self::Fetch && !statement.exists() && AtomicFile::is_begun(&statement) => {
                Failure::caused(error).help("run the same command again: it finishes this build")
            }
            _ => error.failure(),
        }
    }
}
