//! `content-id-mismatch`, `sha256-mismatch`, `size-mismatch`, `missing-source`: what a source gave
//! is not what was declared, or it gave nothing.
//!
//! The comparison itself is made while the bytes arrive; here is what is said of it.

use std::ops::Range;

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::DeclaredWheel;
use crate::source::{Mismatch, MismatchKind};

/// The bytes of `place` are not the declared ones: a finding for each key that they contradict.
/// Other bytes than those of the content-id have another SHA-256, too, which is no finding of its
/// own.
pub(super) fn other_bytes(
    declared: &DeclaredWheel,
    place: &str,
    mismatches: &[Mismatch],
) -> Vec<Finding> {
    let is_content_same = mismatches
        .iter()
        .all(|mismatch| mismatch.kind == MismatchKind::Sha256);
    let sha256_of_others = mismatches
        .iter()
        .filter(|_| {
            mismatches
                .iter()
                .any(|one| one.kind == MismatchKind::ContentId)
        })
        .find(|mismatch| mismatch.kind == MismatchKind::Sha256);
    mismatches
        .iter()
        .filter(|mismatch| sha256_of_others.is_none() || mismatch.kind != MismatchKind::Sha256)
        .map(|mismatch| match mismatch.kind {
            MismatchKind::ContentId => {
                let finding = content_id(declared, place, &mismatch.found);
                match sha256_of_others {
                    Some(other) => finding.note(format!(
                        "they do not have the declared SHA-256 either, but {}",
                        other.found
                    )),
                    None => finding,
                }
            }
            MismatchKind::Sha256 => sha256(declared, place, &mismatch.found, is_content_same),
            MismatchKind::Size => size(declared, place, mismatch),
        })
        .collect()
}

fn content_id(declared: &DeclaredWheel, place: &str, found: &str) -> Finding {
    let finding = Finding::new(
        Code::ContentIdMismatch,
        format!(
            "`{}` from {place} does not have the declared content-id",
            declared.file_name
        ),
    )
    .note(format!("its bytes have the CID {found}"))
    .help("do not copy the found CID before it is known why the file is another one: ask upstream");
    about(
        declared,
        finding,
        declared.content_id.span.clone(),
        "declared here",
    )
}

fn sha256(declared: &DeclaredWheel, place: &str, found: &str, is_content_same: bool) -> Finding {
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
    .help(if is_content_same {
        "the bytes do have the declared content-id, so it is `sha256` that was mistyped: correct it"
    } else {
        "do not copy the found SHA-256 before it is known why the file is another one: ask upstream"
    });
    about(declared, finding, span, "declared here")
}

/// A file of another size is not read, so nothing more is known of it.
fn size(declared: &DeclaredWheel, place: &str, mismatch: &Mismatch) -> Finding {
    let span = declared
        .size
        .as_ref()
        .map_or_else(|| declared.span(), |size| size.span.clone());
    let finding = Finding::new(
        Code::SizeMismatch,
        format!(
            "`{}` from {place} has {} bytes, not the declared {}",
            declared.file_name, mismatch.found, mismatch.declared
        ),
    )
    .help("if the number was mistyped, correct it: content-id still vouches for the bytes; if the file changed, ask upstream why");
    about(declared, finding, span, "declared here")
}

/// A source says that it has no such wheel: `reason` in its words.
pub(super) fn missing_source(
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
