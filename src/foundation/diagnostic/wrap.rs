//! Words in the width of a window.

use textwrap::{Options, WordSeparator, WordSplitter};

/// The narrowest width that anything is written for, in columns: below it nothing can be read.
const NARROWEST: usize = 20;

/// The text in lines of at most `width` columns, the first one after `first` and the others after
/// `later`. A word is never broken: names, addresses and CIDs are to be copied.
pub fn wrap(text: &str, width: usize, first: &str, later: &str) -> String {
    let options = Options::new(width.max(NARROWEST))
        .initial_indent(first)
        .subsequent_indent(later)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}
