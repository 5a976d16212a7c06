//! Places in project files.

use std::ops::Range;
use std::sync::Arc;

/// A place in a project file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file's path as given, or as the path of the including file and that in its line give it;
    /// with `/`.
    pub file: Arc<str>,
    /// The byte range in the decoded text.
    pub span: Range<usize>,
}

impl Place {
    /// A place in a file.
    pub fn new(file: &Arc<str>, span: Range<usize>) -> Self {
        Self {
            file: Arc::clone(file),
            span,
        }
    }
}
