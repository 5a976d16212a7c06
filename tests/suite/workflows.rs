//! The ready files for CI in `ci`: linted as their forges would, and their commands run on machines that are played,
//! with the real program, a real git and a loopback index.

mod actions;
mod github;
mod site;
mod yaml;
