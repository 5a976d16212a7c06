//! Entity tags and conditional requests (RFC 9110, 8.8.3 and 13).

/// One entity tag of a list.
#[derive(Debug, PartialEq, Eq)]
struct EntityTag<'a> {
    is_weak: bool,
    /// Including its quotation marks.
    tag: &'a str,
}

/// Whether `If-None-Match` contains this entity tag, compared weakly, or is `*`.
pub(super) fn none_match_names(header: &str, tag: &str) -> bool {
    header.trim() == "*" || tags(header).any(|other| other.tag == tag)
}

/// Whether `If-Match` contains this entity tag, compared strongly, or is `*`.
pub(super) fn match_names(header: &str, tag: &str) -> bool {
    header.trim() == "*" || tags(header).any(|other| !other.is_weak && other.tag == tag)
}

/// Whether `If-Range` is this exact entity tag. A date never matches, because content with a CID
/// has no date.
pub(super) fn if_range_holds(header: &str, tag: &str) -> bool {
    header.trim() == tag
}

/// The readable tags of a list, up to the first invalid one.
fn tags(mut list: &str) -> impl Iterator<Item = EntityTag<'_>> {
    std::iter::from_fn(move || {
        let text = list.trim_start_matches([' ', '\t', ',']);
        let (is_weak, text) = text
            .strip_prefix("W/")
            .map_or((false, text), |text| (true, text));
        let inner = text.strip_prefix('"')?;
        let end = inner.find('"')? + 2;
        list = &text[end..];
        Some(EntityTag {
            is_weak,
            tag: &text[..end],
        })
    })
}
