//! Why a repository cannot be read at all.

use std::io;
use std::path::PathBuf;

use super::{CONFIGURATION_FILE, ORIGINAL_FOLDER, SUPPORTED_FILE};

/// Why a repository cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No folder upwards of this one has an `ipwhl.toml`.
    #[error(
        "neither `{}` nor a folder above it has an `{CONFIGURATION_FILE}`: go into a repository, or name one with `--repository`",
        .0.display()
    )]
    NotFound(PathBuf),
    /// The folder has no `ipwhl.toml`.
    #[error("`{}` has no `{CONFIGURATION_FILE}`, which would make it a repository", .0.display())]
    NoConfiguration(PathBuf),
    /// The folder is a repository of the original, which had no `ipwhl.toml`.
    #[error(
        "`{}` has `{SUPPORTED_FILE}` and `{ORIGINAL_FOLDER}` and no `{CONFIGURATION_FILE}`, as the original's repositories: `ipwhl migrate --name NAME` makes one of today's of it; to read it as it stands, write an `{CONFIGURATION_FILE}` with `[repository]`, `format = 1`, `name = \"NAME\"` and `layout = \"ipwhl-1\"`",
        .0.display()
    )]
    Original(PathBuf),
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read: {}", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
}
