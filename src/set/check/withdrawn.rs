//! `withdrawn`: a declared wheel that `[[withdrawn]]` names.

use ipwhl_unixfs::{Codec, Sha256Digest};

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::DeclaredWheel;
use crate::set::repository::{Withdrawal, Withdrawn};

/// The SHA-256 of a wheel, if its declaration gives it. The CID of a raw block has the digest of
/// the file.
pub(super) fn declared_sha256(wheel: &DeclaredWheel) -> Option<Sha256Digest> {
    let cid = wheel.content_id.value;
    let of_content = (cid.codec() == Codec::Raw).then(|| cid.digest());
    wheel
        .sha256
        .as_ref()
        .map(|sha256| sha256.value)
        .or(of_content)
}

/// The finding about a wheel with this SHA-256.
pub(super) fn check(
    wheel: &DeclaredWheel,
    sha256: Sha256Digest,
    withdrawals: &[Withdrawal],
) -> Option<Finding> {
    let mut withdrawals = withdrawals.iter();
    let withdrawal = withdrawals.find(|one| one.subject == Withdrawn::File(sha256))?;
    let span = match &wheel.sha256 {
        Some(sha256) => sha256.span.clone(),
        None => wheel.span(),
    };
    let name = &wheel.file_name;
    let finding = Finding::new(Code::Withdrawn, format!("`{name}` is withdrawn"))
        .at(&wheel.file, span, "")
        .note(format!(
            "withdrawn on {}: {}",
            withdrawal.date, withdrawal.reason
        ))
        .help("remove the wheel, or declare another version; a withdrawal is for good")
        .project(name.name())
        .wheel(name);
    Some(finding)
}
