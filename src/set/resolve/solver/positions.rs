//! Sets of candidates of a project, as positions in their order.
//!
//! The search knows versions only as positions. Which of them a requirement accepts is decided by
//! our own containment, so that `==1.0.*`, pre-releases, local versions and `===` have the meaning
//! that they have in a check.

use std::fmt;

use pubgrub::VersionSet;

/// The position of a candidate among all candidates of its project: a later one is newer.
pub(super) type Position = u32;

/// The bits of a word.
const WORD: u32 = u64::BITS;

/// A finite set of positions, or one that lacks finitely many.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Positions {
    /// Whether the bits are the positions that the set lacks.
    lacks: bool,
    /// The first word; most projects need no more.
    first: u64,
    /// Further words, without zeros at the end, so that equal sets have equal forms.
    rest: Vec<u64>,
}

impl Positions {
    /// Adds a position to a finite set.
    pub(super) fn insert(&mut self, position: Position) {
        debug_assert!(!self.lacks, "only finite sets grow");
        let bit = 1_u64 << (position % WORD);
        match (position / WORD) as usize {
            0 => self.first |= bit,
            word => {
                if self.rest.len() < word {
                    self.rest.resize(word, 0);
                }
                self.rest[word - 1] |= bit;
            }
        }
    }

    /// Whether the set contains no position.
    pub(super) fn is_empty(&self) -> bool {
        !self.lacks && self.first == 0 && self.rest.is_empty()
    }

    /// The positions below `end`, the highest first.
    pub(super) fn descending(&self, end: usize) -> impl Iterator<Item = Position> {
        let end = Position::try_from(end).unwrap_or(Position::MAX);
        (0..end).rev().filter(|position| self.contains(position))
    }

    /// The number of positions below `end`.
    pub(super) fn count(&self, end: usize) -> usize {
        self.descending(end).count()
    }

    fn word(&self, index: usize) -> u64 {
        match index {
            0 => self.first,
            _ => self.rest.get(index - 1).copied().unwrap_or_default(),
        }
    }

    /// The set whose bits are `combine` of the bits of both.
    fn combined(&self, other: &Self, lacks: bool, combine: impl Fn(u64, u64) -> u64) -> Self {
        let words = self.rest.len().max(other.rest.len());
        let mut rest: Vec<u64> = (1..=words)
            .map(|index| combine(self.word(index), other.word(index)))
            .collect();
        while rest.last() == Some(&0) {
            rest.pop();
        }
        Self {
            lacks,
            first: combine(self.first, other.first),
            rest,
        }
    }
}

impl FromIterator<Position> for Positions {
    fn from_iter<T: IntoIterator<Item = Position>>(positions: T) -> Self {
        let mut set = Self::empty();
        for position in positions {
            set.insert(position);
        }
        set
    }
}

impl VersionSet for Positions {
    type V = Position;

    fn empty() -> Self {
        Self {
            lacks: false,
            first: 0,
            rest: Vec::new(),
        }
    }

    fn singleton(position: Position) -> Self {
        std::iter::once(position).collect()
    }

    fn complement(&self) -> Self {
        Self {
            lacks: !self.lacks,
            ..self.clone()
        }
    }

    fn intersection(&self, other: &Self) -> Self {
        match (self.lacks, other.lacks) {
            (false, false) => self.combined(other, false, |one, two| one & two),
            (false, true) => self.combined(other, false, |one, two| one & !two),
            (true, false) => self.combined(other, false, |one, two| !one & two),
            (true, true) => self.combined(other, true, |one, two| one | two),
        }
    }

    fn contains(&self, position: &Position) -> bool {
        let bit = 1_u64 << (position % WORD);
        let has_bit = self.word((position / WORD) as usize) & bit != 0;
        has_bit != self.lacks
    }
}

impl fmt::Display for Positions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

impl fmt::Debug for Positions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lacks {
            formatter.write_str("all but ")?;
        }
        let words = (self.rest.len() + 1) * WORD as usize;
        let bits = Self {
            lacks: false,
            ..self.clone()
        };
        formatter
            .debug_set()
            .entries(bits.descending(words))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets behave as sets of numbers do, with one and with several words.
    #[test]
    fn sets_of_positions_follow_the_laws_of_sets() {
        let bounds = [0, 1, 5, 63, 64, 70, 130];
        let mut sets = vec![Positions::empty(), Positions::full()];
        for one in bounds {
            for other in bounds {
                let set: Positions = [one, other].into_iter().collect();
                sets.push(set.complement());
                sets.push(set);
            }
        }
        for one in &sets {
            assert_eq!(one.complement().complement(), *one);
            for other in &sets {
                let both = one.intersection(other);
                let either = one.union(other);
                for position in 0..200 {
                    let (first, second) = (one.contains(&position), other.contains(&position));
                    assert_eq!(both.contains(&position), first && second);
                    assert_eq!(either.contains(&position), first || second);
                }
                assert_eq!(one.is_disjoint(other), both == Positions::empty());
                assert_eq!(one.subset_of(other), *one == both);
            }
        }
        assert!(Positions::empty().is_empty() && !Positions::full().is_empty());
        let set: Positions = [3, 64, 1].into_iter().collect();
        assert_eq!(set.descending(100).collect::<Vec<_>>(), [64, 3, 1]);
        assert_eq!(set.count(64), 2);
    }
}
