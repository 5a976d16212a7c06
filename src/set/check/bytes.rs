//! `content-id-mismatch`, `sha256-mismatch`, `size-mismatch`, `missing-source`: a source sent other
//! bytes than declared, or none.
//!
//! The bytes are compared while they arrive. This file makes the findings.

use std::ops::Range;

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::DeclaredWheel;
use crate::source::{Mismatch, MismatchKind};

/// A finding for each key that the bytes of `place` contradict. Bytes with another content-id
/// always have another SHA-256 as well, so that is not a separate finding.
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
                        "their SHA-256 is {}, which differs from the declared one, too",
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
    .help(
        "do not copy the found CID before you know why the file differs: ask upstream, or fetch \
           it from another place",
    );
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
        "the bytes have the declared content-id, so `sha256` was mistyped: correct it"
    } else {
        "do not copy the found SHA-256 before you know why the file differs: ask upstream, or \
         fetch it from another place"
    });
    about(declared, finding, span, "declared here")
}

/// A file of another size is not read, so its digests are unknown.
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
    .help(
        "if the number was mistyped, correct it: the content-id still protects the bytes; if the \
           file changed, ask upstream why",
    );
    about(declared, finding, span, "declared here")
}

/// A source reports that it does not have the wheel. `reason` is the text of the report.
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
    .help("name another source, or declare a version that the index still has");
    about(declared, finding, span, "")
}
