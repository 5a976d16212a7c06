//! How much of a release was looked at.

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Projects.
    pub projects: usize,
    /// Wheels.
    pub wheels: usize,
    /// Bytes of all wheels; `None` where a hollow archive does not tell those of one.
    pub bytes: Option<u64>,
}
