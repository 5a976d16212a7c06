//! The solver: one version of each project, so that every requirement holds on every platform
//! where it applies.
//!
//! Packages of the search are projects and their extras; `PubGrub` decides them. A version is a
//! position in the order of the index, and [`specifiers_contain`](ipwhl_packaging::specifiers_contain)
//! decides which of them a requirement accepts. A requirement carries the platforms on which it
//! applies, and accepts a version only if its wheels cover all of them. So platforms need no
//! packages of their own, and those that no metadata tells apart cost nothing.
//!
//! As in a check, a project that is in the set requires what it requires on every platform that
//! its wheels cover, whether or not another project needs it there.

mod candidate;
mod catalogue;
mod changes;
mod conflict;
mod explanation;
mod offered;
mod offers;
mod package;
mod passed;
mod platform_set;
mod policy;
mod polish;
mod positions;
mod rejection;
mod search;
mod solution;
mod unfitting;
mod universe;
mod unsolved;
mod ways_out;

pub use catalogue::Catalogue;
pub(super) use offers::same_requirements;
pub use passed::PassedOver;
pub use platform_set::{MAXIMUM_PLATFORMS, PlatformSet};
pub use policy::{
    Asked, COMMAND_LINE, Origin, Policy, Projects, Step, UploadLimit, Wish, offered_platforms,
    platforms_where,
};
pub(super) use solution::newest;
pub use solution::{Solution, SolvedProject, solve};
pub use unsolved::Unsolved;
