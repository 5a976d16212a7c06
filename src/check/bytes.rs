//! `content-id-mismatch`, `sha256-mismatch`, `size-mismatch`, `missing-source`: what a source gave is
//! not what was declared, or it gave nothing.
//!
//! The comparison itself is made while the bytes arrive; here is what is said of it.

use std::ops::Range;

use super::about;
use crate::declaration::DeclaredWheel;
use crate::diagnostic::{Code, Finding};

/// The bytes of `place` have another CID. `found` is their CID under the profile nearest to the declared one's.
pub fn content_id_mismatch(declared: &DeclaredWheel, place: &str, found: &str) -> Finding {
    let finding = Finding::new(
        Code::ContentIdMismatch,
        format!(
            "`{}` from {place} does not have the declared content-id",
            declared.file_name
        ),
    )
    .note(format!("its bytes have the CID {found}"))
    .help("never copy the found CID without a reason: ask upstream why the file changed");
    about(
        declared,
        finding,
        declared.content_id.span.clone(),
        "declared here",
    )
}

/// The bytes of `place` have another SHA-256.
pub fn sha256_mismatch(declared: &DeclaredWheel, place: &str, found: &str) -> Finding {
    let span = declared
        .sha256
        .as_ref()
        .map_or_else(|| declared.span(), |sha256| sha256.span.clone());
    let finding = Finding::new(
        Code::Sha256Mismatch,
        format!(
            "`{}` from {place} does not have the declared SHA-256",
            declared.file_name
        ),
    )
    .note(format!("its bytes have the SHA-256 {found}"))
    .help("`ipwhl add` writes content-id, sha256 and size together; correct the one that was mistyped");
    about(declared, finding, span, "declared here")
}

/// The file from `place` has another size.
pub fn size_mismatch(declared: &DeclaredWheel, place: &str, found: &str) -> Finding {
    let span = declared
        .size
        .as_ref()
        .map_or_else(|| declared.span(), |size| size.span.clone());
    let finding = Finding::new(
        Code::SizeMismatch,
        format!(
            "`{}` from {place} has {found} bytes, not the declared size",
            declared.file_name
        ),
    )
    .help("`ipwhl add` writes content-id, sha256 and size together; correct the one that was mistyped");
    about(declared, finding, span, "declared here")
}

/// A source says that it has no such wheel: `reason` in its words.
pub fn missing_source(
    declared: &DeclaredWheel,
    span: Range<usize>,
    place: &str,
    reason: &str,
) -> Finding {
    let finding = Finding::new(
        Code::MissingSource,
        format!("`{}` is not at {place}: {reason}", declared.file_name),
    )
    .help("name a source that has it, or declare a version that the index still has");
    about(declared, finding, span, "")
}
