//! Sets of the repository's platforms, as bits.

use std::collections::BTreeSet;

/// The maximum number of platforms that a [`PlatformSet`] can contain.
pub const MAXIMUM_PLATFORMS: usize = 128;

/// A set of platforms, as indices into the repository's platforms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlatformSet(u128);

impl PlatformSet {
    /// The first `count` platforms.
    pub fn first(count: usize) -> Self {
        (0..count).collect()
    }

    /// Whether the set has no platform.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether each platform of this set is in `other`.
    pub fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The platforms of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The platforms of both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The platforms of this set that are not in `other`.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The platforms, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..MAXIMUM_PLATFORMS).filter(move |platform| self.0 & bit(*platform) != 0)
    }
}

/// A platform beyond the maximum has no bit. Repositories with more are refused before.
fn bit(platform: usize) -> u128 {
    u32::try_from(platform)
        .ok()
        .and_then(|platform| 1_u128.checked_shl(platform))
        .unwrap_or_default()
}

impl FromIterator<usize> for PlatformSet {
    fn from_iter<T: IntoIterator<Item = usize>>(platforms: T) -> Self {
        let bits = platforms.into_iter().map(bit);
        Self(bits.fold(0, |all, one| all | one))
    }
}

impl From<&BTreeSet<usize>> for PlatformSet {
    fn from(platforms: &BTreeSet<usize>) -> Self {
        platforms.iter().copied().collect()
    }
}

impl From<PlatformSet> for BTreeSet<usize> {
    fn from(platforms: PlatformSet) -> Self {
        platforms.iter().collect()
    }
}
