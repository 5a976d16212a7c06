//! The source of everything that a solver asks about an index.

use std::sync::Arc;

use ipwhl_packaging::{CoreMetadata, ProjectName};

use crate::foundation::failure::Failure;
use crate::source::{IndexFile, ProjectPage};

/// An index, as a solver sees it. Calls wait for the answer.
pub trait Catalogue {
    /// The page of a project; `None` if the index does not have it.
    ///
    /// # Errors
    /// When the index cannot be asked.
    fn page(&self, project: &ProjectName) -> Result<Option<Arc<ProjectPage>>, Failure>;

    /// The address of the page of a project, for messages.
    fn page_address(&self, project: &ProjectName) -> Option<String> {
        let _ = project;
        None
    }

    /// The metadata of a wheel; if it cannot be used, the reason as a clause about its
    /// version.
    ///
    /// # Errors
    /// When the index cannot be asked.
    fn metadata(&self, file: &IndexFile) -> Result<Result<Arc<CoreMetadata>, String>, Failure>;

    /// Tells that these projects will be asked about. A catalogue may fetch them meanwhile.
    fn announce(&self, projects: &[ProjectName]) {
        let _ = projects;
    }

    /// Tells that the metadata of this wheel will be asked for. A catalogue may fetch it meanwhile.
    fn announce_metadata(&self, file: &IndexFile) {
        let _ = file;
    }
}
