//! The names of a repository's own files and folders.

/// The name of the file that makes a folder a repository.
pub const CONFIGURATION_FILE: &str = "ipwhl.toml";

/// The folder of declarations in the original's repositories.
pub const ORIGINAL_FOLDER: &str = "pkgs";
