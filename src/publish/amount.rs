//! How much is moved or read.

use std::fmt;

use crate::foundation::size::HumanBytes;

/// Blocks, or files where a target has files, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub blocks: u64,
    /// How many bytes, without framing.
    pub bytes: u64,
    /// Whether files are counted, not blocks.
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

    /// One more block of so many bytes.
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
