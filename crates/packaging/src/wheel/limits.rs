//! Limits for the sizes of a wheel's parts.

/// The limits of [`inspect`](super::inspect()). The defaults are ten times the largest values seen
/// in real wheels, if those were measured, so that only attacks and mistakes exceed them.
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
    /// Bytes of one component of a path.
    pub component: usize,
    /// Bytes of METADATA.
    pub metadata: u64,
    /// Bytes of WHEEL.
    pub wheel_file: u64,
    /// Bytes of RECORD.
    pub record: u64,
    /// Tags of WHEEL, after expansion of compressed sets.
    pub wheel_tags: usize,
    /// Problems that are listed; a last one counts the others.
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
            path: 1_024,    // the limit of macOS, including the folder of the environment
            component: 255, // the limit of file systems of Linux, macOS and Windows
            metadata: 1_420_000, // seen: 142 KB
            wheel_file: 100_000, // room for as many tags
            record: 29_700_000, // seen: 2.97 MB
            wheel_tags: 1_000, // far more than fit into a file name
            problems: 1_000,
        }
    }
}
