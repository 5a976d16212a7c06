//! The severity of a vulnerability: CVSS, or the word of a database.

use std::fmt;

use cvss::Cvss;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A severity in a word (CVSS 3.1, section 5).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rating {
    /// 0.
    None,
    /// Up to 3.9.
    Low,
    /// Up to 6.9.
    Medium,
    /// Up to 8.9.
    High,
    /// From 9.0 on.
    Critical,
}

impl Rating {
    /// Every rating, from the mildest.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The rating of a word of a database, in any case. GitHub writes `MODERATE`.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        if word == "moderate" {
            return Some(Self::Medium);
        }
        Self::ALL.into_iter().find(|rating| rating.as_str() == word)
    }

    fn of_tenths(tenths: u8) -> Self {
        match tenths {
            0 => Self::None,
            1..=39 => Self::Low,
            40..=69 => Self::Medium,
            70..=89 => Self::High,
            _ => Self::Critical,
        }
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A score of CVSS with its vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// The score in tenths, from 0 to 100.
    pub tenths: u8,
    /// The vector.
    pub vector: String,
}

impl Score {
    /// The score of a vector of CVSS 2.0, 3.0, 3.1 or 4.0; `None` for another text.
    pub fn of(vector: &str) -> Option<Self> {
        let score = vector.parse::<Cvss>().ok()?.score();
        let tenths = (score * 10.0).round();
        if !(0.0..=100.0).contains(&tenths) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a whole number between 0 and 100"
        )]
        let tenths = tenths as u8;
        Some(Self {
            tenths,
            vector: vector.to_owned(),
        })
    }

    /// The score in a word.
    pub fn rating(&self) -> Rating {
        Rating::of_tenths(self.tenths)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.tenths / 10, self.tenths % 10)
    }
}
