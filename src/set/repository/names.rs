//! The names of a repository's own files and folders.

/// The name of the file that makes a folder a repository.
pub const CONFIGURATION_FILE: &str = "ipwhl.toml";

/// Where the original's repositories have their declarations.
pub const ORIGINAL_FOLDER: &str = "pkgs";
