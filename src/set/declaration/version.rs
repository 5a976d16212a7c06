//! The version of the formats of a repository (FORMATS 1).

use std::fmt;

/// The version of the formats of `ipwhl.toml` and the declarations: `format` in `[repository]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum FormatVersion {
    /// The first version.
    #[default]
    V1,
    /// The version with upload times, `only`, `publisher`, `reviewed`, a cooldown, a policy for licences
    /// and withdrawals.
    V2,
}

impl FormatVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 2] = [Self::V1, Self::V2];
    /// The newest version.
    pub const NEWEST: Self = Self::V2;

    /// The number in the text.
    pub fn number(self) -> u32 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// The version with this number, if this program reads it.
    pub fn from_number(number: u64) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|version| u64::from(version.number()) == number)
    }
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.number())
    }
}
