//! Selects versions and wheels of an index for requested projects, for projects that the set still
//! needs, and for findings that another version would end. Also plans which projects leave the set.

mod addition;
mod cover;
mod fetched;
mod index_catalogue;
mod listed;
mod local_wheels;
mod named;
mod newest;
mod one_by_one;
mod outdated;
mod pins;
mod project;
mod publisher;
mod remedies;
mod removal;
mod selection;
mod solver;
mod update;
mod upload_times;

pub use addition::{Added, Addition, declaration_file};
pub use cover::Prefer;
pub use listed::{listed_file, missing_wheels, yanked_wheels};
pub use local_wheels::LocalWheel;
pub use named::{
    FileRequests, NamedUpdates, file_requests, join_requests, likely_slips, named_requests,
    named_updates,
};
pub use newest::{Newest, newest};
pub use one_by_one::{ChangeKind, SmallChange, one_by_one};
pub use outdated::Outdated;
pub use pins::PlacedPin;
pub use publisher::StatedPublisher;
pub use remedies::propose;
pub use removal::{RemovalOptions, RemovalPlan, StillNeeded, unreadable};
pub use selection::{Listed, ProjectRequest, Selection, Selector};
pub use solver::{
    Asked, COMMAND_LINE, Catalogue, MAXIMUM_PLATFORMS, Origin, PassedOver, PlatformSet, Policy,
    Projects, Solution, SolvedProject, Step, Unsolved, UploadLimit, Wish, offered_platforms,
    platforms_where, solve,
};
pub use update::{Update, UpdatePlan};
