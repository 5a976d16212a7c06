//! A number of blocks or files, and their size.

use std::fmt;

use crate::foundation::size::HumanBytes;

/// A number of blocks, or files for a target with files, and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// The number of blocks or files.
    pub blocks: u64,
    /// Their size in bytes, without framing.
    pub bytes: u64,
    /// Whether files are counted instead of blocks.
    pub is_of_files: bool,
}

impl Amount {
    /// No file.
    pub fn of_files() -> Self {
        Self {
            is_of_files: true,
            ..Self::default()
        }
    }

    /// Counts another block of this size.
    pub fn add(&mut self, bytes: usize) {
        self.blocks += 1;
        self.bytes += bytes as u64;
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (self.is_of_files, self.blocks) {
            (false, 1) => "block",
            (false, _) => "blocks",
            (true, 1) => "file",
            (true, _) => "files",
        };
        write!(
            formatter,
            "{} {word}, {}",
            self.blocks,
            HumanBytes(self.bytes)
        )
    }
}
