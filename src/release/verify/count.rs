//! The number of compared items of a release.

/// The number of compared items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Projects.
    pub projects: usize,
    /// Wheels.
    pub wheels: usize,
    /// Bytes of all wheels; `None` if a hollow archive does not give the size of one.
    pub bytes: Option<u64>,
}
