//! `ipwhl.toml`, the declarations beside it, platforms and waivers.

mod configuration;
mod files;
mod load;
mod revision;
mod waiver;

pub use configuration::{Configuration, SeverityRule, Waiver};
pub use load::{CONFIGURATION_FILE, LoadError, Repository, find, profile_of};
pub use revision::{Revision, RevisionError};
pub use waiver::{apply, is_waiver, propose};
