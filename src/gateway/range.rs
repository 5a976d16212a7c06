//! A single byte range (RFC 9110, 14).

/// The result of a `Range` header for content of a known size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// The whole content. Also if the header is unreadable, or has another unit or several ranges:
    /// RFC 9110, 14.2 lets a server ignore it.
    Whole,
    /// These bytes; the length is at least 1.
    Part {
        /// The offset of the first byte.
        start: u64,
        /// The number of bytes.
        length: u64,
    },
    /// The range is outside of the content.
    Unsatisfiable,
}

/// Reads a `Range` header.
pub(super) fn parse(header: &str, size: u64) -> Range {
    let Some((unit, range)) = header.split_once('=') else {
        return Range::Whole;
    };
    let Some((first, last)) = range.split_once('-') else {
        return Range::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Range::Whole;
    }
    let (first, last) = (first.trim(), last.trim());
    let (start, end) = match (number(first), number(last)) {
        (Some(start), Some(end)) if start <= end => (start, end.saturating_add(1).min(size)),
        (Some(start), None) if last.is_empty() => (start, size),
        // The last bytes; if there are fewer than requested, all of them.
        (None, Some(length)) if first.is_empty() => (size - length.min(size), size),
        _ => return Range::Whole,
    };
    if start >= end {
        return Range::Unsatisfiable;
    }
    Range::Part {
        start,
        length: end - start,
    }
}

/// Digits only. A number that does not fit is larger than any size.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}
