//! Selects versions and wheels of an index for requested projects, for projects that the set still
//! needs, and for findings that another version would end. Also plans which projects leave the set.

mod addition;
mod cover;
mod index_catalogue;
mod named;
mod newest;
mod outdated;
mod pins;
mod project;
mod remedies;
mod removal;
mod selection;
mod solver;
mod update;

pub use addition::{Added, Addition, declaration_file, is_open_requirement};
pub use cover::Prefer;
pub use named::{FileRequests, file_requests, join_requests, named_requests};
pub use newest::{Newest, newest};
pub use outdated::Outdated;
pub use pins::PlacedPin;
pub use remedies::propose;
pub use removal::{RemovalOptions, RemovalPlan, StillNeeded, unreadable};
pub use selection::{Listed, ProjectRequest, Selection, Selector};
pub use solver::{
    Asked, COMMAND_LINE, Catalogue, MAXIMUM_PLATFORMS, Origin, PassedOver, PlatformSet, Policy,
    Projects, Solution, SolvedProject, Step, Wish, offered_platforms, platforms_where, solve,
};
pub use update::{Update, UpdatePlan};
