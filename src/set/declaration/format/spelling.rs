//! The spelling of values.

use ipwhl_packaging::{ExtraName, Marker, Requirement};

use crate::set::declaration::Layout;

/// A string in the spelling of its key.
pub(super) fn spell(key: &str, text: &str, layout: Layout) -> String {
    match key {
        _ if layout == Layout::Ipwhl1 => text.to_owned(),
        "dependencies" => text
            .parse::<Requirement>()
            .map_or_else(|_| text.to_owned(), |requirement| requirement.to_string()),
        "extras" => text
            .parse::<ExtraName>()
            .map_or_else(|_| text.to_owned(), |extra| extra.to_string()),
        "only" => text
            .parse::<Marker>()
            .map_or_else(|_| text.to_owned(), |marker| marker.to_string()),
        "sha256" => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    }
}
