//! Creates a repository, or adds CI to an existing one. No existing file is replaced.

mod files;
mod forge;
mod install;
mod request;

pub use files::{INSTALL_VARIABLE, NewFile, carrying_files};
pub use forge::Forge;
pub use install::InstallCommand;
pub use request::{InitPlace, InitRequest, SortedFiles};
