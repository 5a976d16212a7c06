//! The base that every room may use: failures, sizes as text, times, schemas of formats, findings
//! with their output formats, and the environment of the process. A room uses only the rooms above
//! it in this list.

pub mod failure;
pub mod size;
pub mod time;
pub mod schema;
pub mod diagnostic;
pub mod environment;
