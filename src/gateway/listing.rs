//! Generates a page for a folder without one.

use std::fmt::Write as _;

use ipwhl_unixfs::{Cid, DirectoryEntry};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The most names on a page; if a folder has more, a line at the end of the page says so.
const MAXIMUM_NAMES: usize = 10_000;

/// The version of the page. It is a part of the entity tag, so that a changed page has a new one.
pub(super) const VERSION: u32 = 1;

/// Everything but RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The page: a list of links.
pub(super) fn page(folder: &Cid, entries: &[DirectoryEntry]) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{folder}</title></head>\n<body>\n"
    );
    // Writing to a string cannot fail.
    for entry in entries.iter().take(MAXIMUM_NAMES) {
        // `./`, so that no name can look like an absolute address.
        let address = utf8_percent_encode(&entry.name, UNRESERVED);
        let _ = writeln!(
            html,
            "<a href=\"./{address}\">{}</a><br>",
            escaped(&entry.name)
        );
    }
    if entries.len() > MAXIMUM_NAMES {
        let _ = writeln!(
            html,
            "<p>the first {MAXIMUM_NAMES} of {} names</p>",
            entries.len()
        );
    }
    html.push_str("</body>\n</html>\n");
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
