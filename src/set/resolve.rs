//! Selects versions and wheels of an index for the set: for requested projects, for missing
//! requirements, and for findings that another version would end.

mod addition;
mod cover;
mod newest;
mod outdated;
mod project;
mod remedies;
mod selection;

pub use addition::{Added, Addition, declaration_file, declared_extras};
pub use cover::Prefer;
pub use newest::{Newest, newest};
pub use outdated::Outdated;
pub use remedies::propose;
pub use selection::{COMMAND_LINE, Listed, ProjectRequest, Selection, Selector};
