//! From declared wheels to what is known of them.

mod facts;
mod network;

pub use facts::{Facts, ReleaseFacts, ReusedFacts};
pub use network::{DEFAULT_JOBS, Network};
