//! Sentences and lines of files that stay short whatever is quoted in them.
//!
//! Requirements, names and addresses come from files of strangers and may have any length. A
//! message is for people: it shows how such a token begins and ends, and says how much is left out.

use std::ops::Range;

/// The longest word that a sentence shows whole, in characters: no address and no file name that
/// anybody means to write is longer.
const LONGEST_WORD: usize = 300;

/// The longest sentence, in characters: some lines.
const LONGEST_SENTENCE: usize = 600;

/// The longest text to paste that is shown, in bytes: a waiver with a long requirement.
const LONGEST_PASTED: usize = 1_200;

/// How much of the end of a word or a sentence is shown, where something is left out: the quote
/// that ends it.
const TAIL: usize = 24;

/// The longest line of a file that is pointed at as a whole, in bytes.
const LONGEST_LINE: usize = 400;

/// The longest place that is pointed at as a whole, in bytes: a list of a hundred requirements.
const LONGEST_SPAN: usize = 8 * 1024;

/// How much of a longer one is pointed at, in bytes.
const CLIPPED: usize = 64;

/// The longest words at a place, in characters: they stand in one line with it.
const LONGEST_LABEL: usize = 160;

/// The sentence with its longest words, and then its middle, left out.
pub fn brief(sentence: &str) -> String {
    if sentence.len() <= LONGEST_WORD {
        return sentence.to_owned();
    }
    let words = sentence.split_inclusive(char::is_whitespace);
    let shown: String = words.map(|word| cut(word, LONGEST_WORD)).collect();
    cut(&shown, LONGEST_SENTENCE)
}

/// What is said at a place, as short as [`brief`] makes sentences, and shorter.
pub(super) fn brief_label(label: &str) -> String {
    cut(&brief(label), LONGEST_LABEL)
}

/// Whether a text can be shown to be copied: one with something left out cannot.
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

/// As much of a span as is pointed at: of one with a long line its start, so that no line of a
/// message is as long.
pub(super) fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let pointed = &text[span.clone()];
    if span.len() <= LONGEST_SPAN && pointed.lines().all(|line| line.len() <= LONGEST_LINE) {
        return span;
    }
    let first = pointed.lines().next().unwrap_or_default();
    span.start..span.start + first.floor_char_boundary(CLIPPED)
}

/// Whether two places of one text are in one line, too far apart to be shown in it.
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
