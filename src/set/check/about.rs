//! A finding at a place of a declared wheel.

use std::ops::Range;

use crate::foundation::diagnostic::Finding;
use crate::set::declaration::DeclaredWheel;

/// The place of a list's entry, or of the list where the entry has none.
pub(super) fn about(
    declared: &DeclaredWheel,
    finding: Finding,
    span: Range<usize>,
    label: &str,
) -> Finding {
    finding
        .at(&declared.file, span, label)
        .project(declared.file_name.name())
        .wheel(&declared.file_name)
}
