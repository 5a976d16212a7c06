//! Whether some interpreter on some system accepts two wheels.
//!
//! Not only supported platforms count here: an index with two wheels of a project that one installer
//! could take is ambiguous for whoever has that interpreter.

use super::tag::Tag;

/// An interpreter and a system, in words, whose installer accepts both tags; `None` when none can exist.
pub fn common_installer(a: &Tag, b: &Tag) -> Option<String> {
    (a == b).then(|| a.to_string())
}
