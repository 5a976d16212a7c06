//! An outline: sections of entries, and entries of lines.

use crate::set::difference::{Kind, SetChange};

/// The maximum number of items of one kind to list without `-v`.
pub(super) const TOLD: usize = 12;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words of this program.
    Own(String),
    /// A name or a value from any source.
    Value(String),
    /// A sentence that contains values from any source.
    Sentence(String),
}

/// A line.
pub(super) type Line = Vec<Piece>;

/// The mark before a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    Added,
    Changed,
    Removed,
    /// It needs a reviewer's attention.
    Urgent,
}

impl From<Kind> for Mark {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Added => Self::Added,
            Kind::Changed => Self::Changed,
            Kind::Removed => Self::Removed,
        }
    }
}

/// A line and those below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mark: Mark,
    pub(super) line: Line,
    pub(super) below: Vec<Entry>,
}

impl Entry {
    pub(super) fn new(mark: impl Into<Mark>, line: Line) -> Self {
        Self {
            mark: mark.into(),
            line,
            below: Vec::new(),
        }
    }

    pub(super) fn with(mut self, below: Vec<Self>) -> Self {
        self.below = below;
        self
    }

    /// Whether it, or an entry below it, needs a reviewer's attention.
    pub(super) fn is_urgent(&self) -> bool {
        self.mark == Mark::Urgent || self.below.iter().any(Self::is_urgent)
    }
}

/// A heading and its entries.
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) entries: Vec<Entry>,
}

/// The whole outline.
pub(super) struct Outline {
    /// The old state and the new one.
    pub(super) title: [Line; 2],
    /// The settings, which control everything else: trusted keys, targets, severities.
    pub(super) settings: Option<Section>,
    /// The lines of the summary.
    pub(super) summary: Vec<Line>,
    pub(super) sections: Vec<Section>,
}

pub(super) fn own(words: impl Into<String>) -> Piece {
    Piece::Own(words.into())
}

pub(super) fn value(text: &(impl ToString + ?Sized)) -> Piece {
    Piece::Value(text.to_string())
}

/// Values separated by commas; only the first ones if there are many.
pub(super) fn list<T: ToString>(values: &[T], in_full: bool) -> Line {
    let texts = values.iter().map(ToString::to_string);
    joined(texts.map(Piece::Value).collect(), in_full)
}

pub(super) fn joined(pieces: Vec<Piece>, in_full: bool) -> Line {
    let all = pieces.len();
    let shown = if in_full || all <= TOLD + 1 {
        all
    } else {
        TOLD
    };
    let mut line = Line::new();
    for piece in pieces.into_iter().take(shown) {
        if !line.is_empty() {
            line.push(own(", "));
        }
        line.push(piece);
    }
    if shown < all {
        line.push(own(format!(" and {} more", all - shown)));
    }
    line
}

/// A line for the removed values of a set, and one for the added ones.
pub(super) fn set(name: &str, change: &SetChange, in_full: bool) -> Option<Entry> {
    set_of(name, change, Piece::Value, in_full)
}

pub(super) fn set_of(
    name: &str,
    change: &SetChange,
    piece: fn(String) -> Piece,
    in_full: bool,
) -> Option<Entry> {
    let sides = [
        (Mark::Removed, &change.removed),
        (Mark::Added, &change.added),
    ];
    let below: Vec<Entry> = sides
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(mark, values)| {
            let pieces = values.iter().cloned().map(piece).collect();
            Entry::new(mark, joined(pieces, in_full))
        })
        .collect();
    (!below.is_empty()).then(|| Entry::new(Mark::None, vec![own(name)]).with(below))
}
