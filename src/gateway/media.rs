//! Media types by file name.

use crate::release::names::JSON;

/// The `Content-Type` of a symbolic link, whose body is its target; as in Kubo.
pub(super) const SYMLINK: &str = "inode/symlink";

/// The `Content-Type` of a file in a release. Wheels have no registered type; indexes send them as
/// bytes of unknown type.
pub(super) fn content_type(file_name: &str) -> &'static str {
    if file_name == JSON {
        return super::accept::Variant::Json.content_type();
    }
    match file_name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => super::accept::Variant::Html.content_type(),
        Some("json") => "application/json",
        Some("toml") => "application/toml",
        Some("metadata" | "txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
