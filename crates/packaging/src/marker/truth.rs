//! Three-valued logic.

/// A truth value of Kleene's three-valued logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It may hold or not.
    Unknown,
    /// It holds.
    True,
}

impl Truth {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// At least one holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// True when every member of a set says yes, false when every member says no.
    pub(crate) fn of_all(answers: impl IntoIterator<Item = bool>) -> Self {
        let mut answers = answers.into_iter();
        let Some(first) = answers.next() else {
            return Self::Unknown;
        };
        if answers.all(|answer| answer == first) {
            first.into()
        } else {
            Self::Unknown
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }
}
