//! What every room may use: schemas of formats, findings and how they are shown, and everything
//! ambient. The sub-rooms, in their order: each uses only those above it.

pub mod failure;
pub mod size;
pub mod schema;
pub mod diagnostic;
pub mod environment;
