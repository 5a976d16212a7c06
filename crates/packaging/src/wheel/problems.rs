//! Collects problems, and formats the names of members in them.

use super::{Problem, ProblemKind};

/// The longest name that a message shows, in characters.
const LONGEST_SHOWN_NAME: usize = 200;

/// Problems in the order in which they were found, up to a limit.
pub(super) struct Problems {
    list: Vec<Problem>,
    limit: usize,
    left_out: u64,
}

impl Problems {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            list: Vec::new(),
            limit,
            left_out: 0,
        }
    }

    pub(super) fn archive(&mut self, message: impl Into<String>) {
        self.add(ProblemKind::InvalidArchive, message.into());
    }

    pub(super) fn metadata(&mut self, message: impl Into<String>) {
        self.add(ProblemKind::InvalidMetadata, message.into());
    }

    pub(super) fn record(&mut self, message: impl Into<String>) {
        self.add(ProblemKind::RecordMismatch, message.into());
    }

    pub(super) fn finish(mut self) -> Vec<Problem> {
        if self.left_out > 0 {
            self.list.push(Problem {
                kind: ProblemKind::InvalidArchive,
                message: format!("{} more problems are not listed", self.left_out),
            });
        }
        self.list
    }

    fn add(&mut self, kind: ProblemKind, message: String) {
        if self.list.len() < self.limit {
            self.list.push(Problem { kind, message });
        } else {
            self.left_out += 1;
        }
    }
}

/// The printable form of a name from the archive: quoted, without control characters, shortened.
pub(super) fn shown(name: &str) -> String {
    let mut text = String::from("`");
    for (position, character) in name.chars().enumerate() {
        if position == LONGEST_SHOWN_NAME {
            text.push('…');
            break;
        }
        // `escape_debug` would also escape apostrophes and quotes, which are harmless.
        if matches!(character, '\'' | '"') {
            text.push(character);
        } else {
            text.extend(character.escape_debug());
        }
    }
    text.push('`');
    text
}
