//! The reasons why a repository cannot be read at all.

use std::io;
use std::path::PathBuf;

use super::{CONFIGURATION_FILE, ORIGINAL_FOLDER, SUPPORTED_FILE};

/// The reason why a repository cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither this folder nor one above it has an `ipwhl.toml`.
    #[error(
        "neither `{}` nor a folder above it has an `{CONFIGURATION_FILE}`: change into a \
         repository, name one with `--repository`, or create one with `ipwhl init`",
        .0.display()
    )]
    NotFound(PathBuf),
    /// The folder has no `ipwhl.toml`.
    #[error(
        "`{}` is not a repository: it has no `{CONFIGURATION_FILE}`; name a folder that has one, \
         or create a repository with `ipwhl init`",
        .0.display()
    )]
    NoConfiguration(PathBuf),
    /// The folder is a repository of the original, which had no `ipwhl.toml`.
    #[error(
        "`{}` has `{SUPPORTED_FILE}` and `{ORIGINAL_FOLDER}` but no `{CONFIGURATION_FILE}`, like a \
         repository of the original: `ipwhl migrate --name NAME` converts it; to read it as it is, \
         write an `{CONFIGURATION_FILE}` with `[repository]`, `format = 1`, `name = \"NAME\"` and \
         `layout = \"ipwhl-1\"`",
        .0.display()
    )]
    Original(PathBuf),
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
}
