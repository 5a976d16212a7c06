//! Limits for sentences and quoted lines, so that messages stay short.
//!
//! Requirements, names and URLs come from files of strangers and may have any length. A message
//! shows the beginning and the end of a long one, and the number of characters that it leaves out.

use std::ops::Range;

/// The longest word that is shown in full, in characters. Ordinary URLs and file names are shorter.
const LONGEST_WORD: usize = 300;

/// The longest sentence, in characters.
const LONGEST_SENTENCE: usize = 600;

/// The longest text to paste that is shown, in bytes. A waiver with a long requirement fits.
const LONGEST_PASTED: usize = 1_200;

/// The number of characters that are shown from the end of a shortened word or sentence. The
/// closing quote is among them.
const TAIL: usize = 24;

/// The longest line that is marked in full, in bytes.
const LONGEST_LINE: usize = 400;

/// The longest span that is marked in full, in bytes. A list of a hundred requirements fits.
const LONGEST_SPAN: usize = 8 * 1024;

/// The length of the mark on a longer span, in bytes.
const CLIPPED: usize = 64;

/// The longest label, in characters. It is printed on the line of its place.
const LONGEST_LABEL: usize = 160;

/// Shortens the longest words of a sentence, then the sentence itself.
pub fn brief(sentence: &str) -> String {
    if sentence.len() <= LONGEST_WORD {
        return sentence.to_owned();
    }
    let words = sentence.split_inclusive(char::is_whitespace);
    let shown: String = words.map(|word| cut(word, LONGEST_WORD)).collect();
    cut(&shown, LONGEST_SENTENCE)
}

/// Shortens a label, more than [`brief`] shortens a sentence.
pub(super) fn brief_label(label: &str) -> String {
    cut(&brief(label), LONGEST_LABEL)
}

/// Whether a text to paste can be shown in full. A shortened one would be useless.
pub(super) fn is_brief(text: &str) -> bool {
    text.len() <= LONGEST_PASTED && text.lines().all(|line| line.len() <= 2 * LONGEST_WORD)
}

fn cut(text: &str, longest: usize) -> String {
    let count = text.chars().count();
    if count <= longest {
        return text.to_owned();
    }
    let head: String = text.chars().take(longest - TAIL).collect();
    let tail: String = text.chars().skip(count - TAIL).collect();
    format!("{head}…({} characters left out)…{tail}", count - longest)
}

/// The part of a span that is marked. Of a span with a long line, only the start is marked, to keep
/// the lines of a message short.
pub(super) fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let pointed = &text[span.clone()];
    if span.len() <= LONGEST_SPAN && pointed.lines().all(|line| line.len() <= LONGEST_LINE) {
        return span;
    }
    let first = pointed.lines().next().unwrap_or_default();
    span.start..span.start + first.floor_char_boundary(CLIPPED)
}

/// Whether two places are on one line and too far apart to be shown together.
pub(super) fn are_far_apart(text: &str, one: usize, other: usize) -> bool {
    let between = &text.as_bytes()[one.min(other)..one.max(other)];
    between.len() > LONGEST_LINE && !between.contains(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::{are_far_apart, brief, clip};

    #[test]
    fn a_long_word_and_a_long_sentence_are_cut() {
        assert_eq!(brief("as it is"), "as it is");
        let address = format!("`https://example.org/{}`", "a".repeat(250));
        assert_eq!(brief(&address), address);
        let word = format!("`{}` is long", "é".repeat(100_000));
        let shown = brief(&word);
        assert!(shown.ends_with("é` is long"), "{shown}");
        assert!(shown.contains("é…(99703 characters left out)…é"), "{shown}");
        assert!(shown.chars().count() < 400, "{shown}");
        let words = "ab ".repeat(10_000);
        assert!(brief(&words).chars().count() < 700);
    }

    #[test]
    fn a_long_line_is_pointed_at_where_it_begins() {
        let text = format!("first\nkey = \"{}\"\nlast\n", "é".repeat(1_000));
        let clipped = clip(&text, 12..text.len() - 6);
        assert_eq!(clipped.start, 12);
        assert!(clipped.len() <= 64, "{clipped:?}");
        assert!(text[clipped].starts_with("\"é"));
        assert_eq!(clip(&text, 0..9), 0..9);
        assert!(are_far_apart(&text, 12, 1_000));
        assert!(!are_far_apart(&text, 0, 1_000));
    }
}
