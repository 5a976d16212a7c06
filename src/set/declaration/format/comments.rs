//! Comments in the text around keys and values.

use toml_edit::{Decor, RawString};

pub(super) fn prefix(decor: &Decor) -> String {
    decor
        .prefix()
        .and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The comment lines of a stretch of white space and comments, each with its line feed.
pub(super) fn comments(raw: &str) -> String {
    raw.lines()
        .map(str::trim)
        .filter(|line| line.starts_with('#'))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// The comment at the end of a value's line, with the two spaces before it.
pub(super) fn end_comment(decor: &Decor) -> String {
    let suffix = decor
        .suffix()
        .and_then(RawString::as_str)
        .unwrap_or_default()
        .trim();
    end_of_line(suffix)
}

/// A comment with the two spaces before it.
pub(super) fn end_of_line(comment: &str) -> String {
    if comment.is_empty() {
        String::new()
    } else {
        format!("  {comment}")
    }
}
