//! How big the parts of a wheel may be.

/// What [`inspect`](super::inspect()) refuses to read. The defaults are ten times the largest that
/// was seen in real wheels, where that was measured, so that a limit is met by an attack or a
/// mistake, not by a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of the archive.
    pub members: u64,
    /// Bytes of the central directory, which is held in memory.
    pub central_directory: u64,
    /// Bytes of one member, inflated.
    pub member_size: u64,
    /// Bytes of all members, inflated.
    pub unpacked_size: u64,
    /// Inflated bytes for each compressed byte of a member.
    pub compression_ratio: u64,
    /// Bytes of a member's path.
    pub path: usize,
    /// Bytes of one component of it.
    pub component: usize,
    /// Bytes of METADATA.
    pub metadata: u64,
    /// Bytes of WHEEL.
    pub wheel_file: u64,
    /// Bytes of RECORD.
    pub record: u64,
    /// Tags of WHEEL, after compressed sets were expanded.
    pub wheel_tags: usize,
    /// Problems that are listed; how many more there are is said in one last.
    pub problems: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members: 214_880,              // seen: 21,488
            central_directory: 27_300_000, // seen: 2.73 MB
            member_size: 1_400_000_000,    // seen: 140 MB
            unpacked_size: 14_000_000_000, // ten members of the largest size
            compression_ratio: 2_340,      // seen: 234
            path: 1_024,                   // what macOS takes, folder of the environment included
            component: 255,                // what file systems of Linux, macOS and Windows take
            metadata: 1_420_000,           // seen: 142 KB
            wheel_file: 100_000,           // room for as many tags
            record: 29_700_000,            // seen: 2.97 MB
            wheel_tags: 1_000,             // far above what a file name has room for
            problems: 1_000,
        }
    }
}
