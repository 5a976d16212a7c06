//! What every room may use: failures, sizes in words, schemas of formats, findings and their output
//! formats, and everything ambient. The rooms, in their order: each uses only those above it.

pub mod failure;
pub mod size;
pub mod schema;
pub mod diagnostic;
pub mod environment;
