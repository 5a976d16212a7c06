//! Package URLs of the type `pypi`.
//!
//! Specification: package-url, type `pypi`, with the qualifier `file_name` for a wheel.

use ipwhl_packaging::{ProjectName, Version, WheelFileName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::set::declaration::PackageUrl;

/// The signs that need no encoding in a package URL.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The package URL of a project in a version.
pub(super) fn of_project(project: &ProjectName, version: &Version) -> String {
    let version = version.to_string();
    format!("pkg:pypi/{project}@{}", encode(&version))
}

/// The package URL of a wheel.
pub(super) fn of_wheel(name: &WheelFileName) -> String {
    let url = PackageUrl {
        project: name.name().clone(),
        version: name.version().clone(),
        file_name: name.as_str().to_owned(),
    };
    url.to_string()
}

/// A text with all signs percent-encoded that have a meaning in a URL.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The same for a path: the slashes stay.
pub(super) fn encode_path(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(encode).collect();
    parts.join("/")
}
