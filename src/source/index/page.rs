//! The page of a project.

use super::file::IndexFile;
use super::status::ProjectStatus;

/// The page of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectPage {
    /// Every file, in the index's order.
    pub files: Vec<IndexFile>,
    /// The status of the project.
    pub status: ProjectStatus,
}

impl ProjectPage {
    /// The file with this name.
    pub fn file(&self, file_name: &str) -> Option<&IndexFile> {
        self.files.iter().find(|file| file.file_name == file_name)
    }
}
