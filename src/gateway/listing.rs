//! A page for a folder that has none of its own.

use std::fmt::Write as _;

use ipwhl_unixfs::{Cid, DirectoryEntry};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The most names on a page; that of a folder with more says so at its end.
const MAXIMUM_NAMES: usize = 10_000;

/// The version of the page, which is a part of its entity tag: one that looks different has
/// another.
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
        // `./`, so that no name can look like an address of its own.
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
