//! The logical lines of a `requirements.txt`: joined, without comments, with places.
//!
//! Specification: pip, "Requirements File Format", and the order of steps in pip 26.3: lines are
//! joined, comments removed, white space stripped.

use std::ops::Range;

/// A logical line, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The joined text without comment and outer white space.
    pub(super) text: String,
    /// The start of each part in `text`, with its start in the file.
    parts: Vec<(usize, usize)>,
}

impl Line {
    /// The place in the file of a part of the text.
    pub(super) fn place(&self, part: &Range<usize>) -> Range<usize> {
        let start = self.position(part.start);
        let Some(last) = self.text[..part.end].chars().next_back() else {
            return start..start;
        };
        if part.is_empty() {
            return start..start;
        }
        let last_start = self.position(part.end - last.len_utf8());
        start..(last_start + last.len_utf8()).max(start)
    }

    fn position(&self, at: usize) -> usize {
        let index = self.parts.partition_point(|(start, _)| *start <= at);
        let (start, place) = self.parts[index.saturating_sub(1)];
        place + at.saturating_sub(start)
    }
}

/// The logical lines of a text, in its order.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for Range { start, end } in physical_lines(text) {
        let line = &text[start..end];
        let is_comment = line.trim_start_matches(is_space).starts_with('#');
        if line.ends_with('\\') && !is_comment {
            let after = line.trim_start_matches('\\');
            parts.push((joined.len(), end - after.len()));
            joined += after.trim_end_matches('\\');
            continue;
        }
        // A comment ends a joined line, and is no part of it.
        if !is_comment {
            parts.push((joined.len(), start));
            joined += line;
        }
        lines.extend(logical_line(&joined, &parts));
        joined.clear();
        parts.clear();
    }
    lines.extend(logical_line(&joined, &parts));
    lines
}

fn logical_line(joined: &str, parts: &[(usize, usize)]) -> Option<Line> {
    let text = without_comment(joined).trim_end_matches(is_space);
    let stripped = text.trim_start_matches(is_space);
    if stripped.is_empty() {
        return None;
    }
    let before = text.len() - stripped.len();
    let parts = parts.iter().enumerate().filter_map(|(index, (start, at))| {
        let next = parts.get(index + 1).map_or(usize::MAX, |(start, _)| *start);
        // The first remaining part may have lost its start.
        (next > before).then(|| {
            (
                start.saturating_sub(before),
                at + before.saturating_sub(*start),
            )
        })
    });
    Some(Line {
        text: stripped.to_owned(),
        parts: parts.collect(),
    })
}

/// The text before a `#` that is at the start or after white space.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| {
        let before = line[..*at].chars().next_back();
        before.is_none_or(is_space)
    });
    comment.map_or(line, |(at, _)| &line[..at])
}

/// White space as Python has it.
fn is_space(sign: char) -> bool {
    sign.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&sign)
}

/// The lines as Python's `splitlines` has them, without their ends.
fn physical_lines(text: &str) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut signs = text.char_indices().peekable();
    while let Some((at, sign)) = signs.next() {
        let is_end = matches!(
            sign,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        );
        if !is_end {
            continue;
        }
        lines.push(start..at);
        start = at + sign.len_utf8();
        if sign == '\r'
            && let Some((newline, _)) = signs.next_if(|(_, next)| *next == '\n')
        {
            start = newline + 1;
        }
    }
    if start < text.len() {
        lines.push(start..text.len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        lines(text).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_are_joined_and_comments_removed() {
        assert_eq!(
            texts("a # x\n\n  b\\\n >=1 \\\n  # y\nc#d\r\n# e \\\nf\\"),
            ["a", "b >=1", "c#d", "f"]
        );
        assert_eq!(texts("a\u{c}b\u{2028}c # x \\\nd"), ["a", "b", "c"]);
        assert_eq!(texts("a # x \\\nb \\"), ["a"]);
    }

    #[test]
    fn places_point_into_the_file() {
        let text = "\n  foo \\\n   >=1, \\\n <2 # x\n";
        let line = &lines(text)[0];
        let inside = |part: &str| {
            let at = line.text.find(part).unwrap_or_default();
            &text[line.place(&(at..at + part.len()))]
        };
        assert_eq!(inside("foo"), "foo");
        assert_eq!(inside(">=1"), ">=1");
        assert_eq!(inside("<2"), "<2");
        assert_eq!(
            &text[line.place(&(0..line.text.len()))],
            "foo \\\n   >=1, \\\n <2"
        );
    }
}
