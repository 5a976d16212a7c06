//! From declared wheels to their facts: known facts come from the cache, the other wheels are
//! fetched and read.
//!
//! [`Gathering::gather`] is the entry point. It returns a [`WheelReport`] without a judgement: the
//! checks compare it with the declarations.

mod facts;
mod kept;
mod network;
mod report;
mod request;
mod sboms;
mod times;
mod wheels;

pub use facts::{Facts, ReleaseFacts, ReusedFacts};
pub use kept::{
    keep_facts_of, keep_members, kept_projects, kept_versions, known_facts, known_members,
    wheels_of_projects,
};
pub use network::{DEFAULT_JOBS, Network};
pub use report::{WheelFailure, WheelProblem, WheelReport};
pub use request::{all_wheels, wheel_request};
pub use sboms::sbom_files;
pub use times::timed_wheels;
pub use wheels::{Gathering, Reuse, Want, known_wheels};
