//! A new repository, or CI for one that is there: which folder is meant, and which files it gets.
//! No file is ever replaced.

mod files;
mod forge;
mod install;
mod request;

pub use files::{INSTALL_VARIABLE, NewFile, carrying_files};
pub use forge::Forge;
pub use install::InstallCommand;
pub use request::{InitPlace, InitRequest, SortedFiles};
