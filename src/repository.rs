//! `ipwhl.toml`, the declarations beside it, platforms and waivers.

mod configuration;
mod files;
mod load;
mod revision;
mod supported;
mod waiver;

pub use configuration::{Configuration, SeverityRule, Waiver};
pub use load::{CONFIGURATION_FILE, LoadError, Repository, find, profile_of, read_text};
pub use revision::{Revision, RevisionError};
pub use supported::SUPPORTED_FILE;
pub use waiver::apply;
