//! How much of a release was looked at.

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Projects.
    pub projects: usize,
    /// Wheels.
    pub wheels: usize,
    /// Bytes of all wheels; `None` if a hollow archive does not give the size of one.
    pub bytes: Option<u64>,
}
