//! The input for building a release.

use ipwhl_unixfs::Profile;

use crate::set::declaration::DeclaredWheel;
use crate::set::gather::ReleaseFacts;
use crate::set::repository::Repository;

/// The input for building a release.
#[derive(Clone, Copy)]
pub struct ReleaseInput<'r> {
    /// The checked repository.
    pub repository: &'r Repository,
    /// The UnixFS import parameters of pages and folders.
    pub profile: Profile,
    /// The facts of a declared wheel.
    pub facts: &'r (dyn Fn(&DeclaredWheel) -> Option<ReleaseFacts<'r>> + Sync),
}
