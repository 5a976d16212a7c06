//! Text wrapped to the width of a terminal.

use textwrap::{Options, WordSeparator, WordSplitter};

/// The minimum width, in columns. Narrower text cannot be read.
const NARROWEST: usize = 20;

/// The text in lines of at most `width` columns. The first line begins with `first`, the others
/// with `later`. Words are never broken, so that names, URLs and CIDs can be copied.
pub fn wrap(text: &str, width: usize, first: &str, later: &str) -> String {
    let options = Options::new(width.max(NARROWEST))
        .initial_indent(first)
        .subsequent_indent(later)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}
