//! Limits for project files. The largest real lock files have some thousand packages and three
//! megabytes; the largest `requirements.txt` has some thousand lines.

/// The largest project file, in bytes.
pub const LARGEST_PROJECT_FILE: u64 = 8 << 20;
/// The most bytes of a file and of those that it includes.
pub(super) const MOST_BYTES: u64 = 32 << 20;
/// The most files that one file includes, directly or not. A file that is included twice counts
/// twice.
pub(super) const MOST_INCLUDED_FILES: usize = 200;
/// The deepest nesting of included files.
pub(super) const DEEPEST_INCLUDE: usize = 16;
/// The most requirements, constraints and locked versions together.
pub(super) const MOST_REQUESTS: usize = 20_000;
/// The most ignored entries.
pub(super) const MOST_IGNORED: usize = 20_000;
/// The longest requirement of a `requirements.txt`, in bytes. The TOML formats have their limit
/// from the reader of TOML.
pub(super) const LONGEST_REQUIREMENT: usize = 16 * 1024;
/// The most extras of the projects themselves that are followed, each counted for every marker
/// under which it is reached.
pub(super) const MOST_FOLLOWED_EXTRAS: usize = 1_000;
