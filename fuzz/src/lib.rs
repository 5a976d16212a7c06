//! What several targets need: blocks in memory, and readers that are written a second time,
//! plainly, to hold the project's own to.

pub mod findings;
pub mod node;
pub mod page;
pub mod store;
pub mod zip;
