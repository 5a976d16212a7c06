//! From declared wheels to what is known of them: what the cache knows is taken, the rest is
//! fetched and read.
//!
//! [`Gathering::gather`] is the way in. What it gives, a [`WheelReport`], says nothing of what is
//! right: the checks do, which compare it with the declarations.

mod facts;
mod kept;
mod network;
mod report;
mod request;
mod wheels;

pub use facts::{Facts, ReleaseFacts, ReusedFacts};
pub use kept::{
    keep_facts_of, keep_members, kept_versions, known_facts, known_members, wheels_of_projects,
};
pub use network::{DEFAULT_JOBS, Network};
pub use report::{WheelFailure, WheelProblem, WheelReport};
pub use request::{all_wheels, wheel_request, wheel_requests};
pub use wheels::{Gathering, Reuse, Want, known_wheels};
