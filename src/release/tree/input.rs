//! What a release is made of.

use ipwhl_unixfs::Profile;

use crate::set::declaration::DeclaredWheel;
use crate::set::gather::ReleaseFacts;
use crate::set::repository::Repository;

/// What a release is made of.
#[derive(Clone, Copy)]
pub struct ReleaseInput<'r> {
    /// The checked repository.
    pub repository: &'r Repository,
    /// The UnixFS import parameters of pages and folders.
    pub profile: Profile,
    /// What is known of a declared wheel.
    pub facts: &'r (dyn Fn(&DeclaredWheel) -> Option<ReleaseFacts<'r>> + Sync),
}
