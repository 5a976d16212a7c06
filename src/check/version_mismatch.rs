//! `version-mismatch`: the wheel's metadata has another version than its file name.

use super::about;
use crate::declaration::DeclaredWheel;
use crate::diagnostic::{Code, Finding};
use crate::python::{CoreMetadata, Version};
use crate::wheel::ArchiveFacts;

/// What METADATA says.
pub(super) fn check(
    declared: &DeclaredWheel,
    metadata: &CoreMetadata,
    findings: &mut Vec<Finding>,
) {
    if metadata.version != *declared.file_name.version() {
        findings.push(finding(declared, "METADATA", &metadata.version.to_string()));
    }
}

/// What the name of the folder says that METADATA is in.
pub(super) fn check_folder(
    declared: &DeclaredWheel,
    facts: &ArchiveFacts,
    findings: &mut Vec<Finding>,
) {
    let folder = facts.dist_info.split_once('-');
    let folder = folder.map_or("", |(_, version)| version);
    if folder.parse::<Version>().ok().as_ref() != Some(declared.file_name.version()) {
        findings.push(finding(declared, "the `.dist-info` folder", folder));
    }
}

fn finding(declared: &DeclaredWheel, place: &str, other: &str) -> Finding {
    let finding = Finding::new(
        Code::VersionMismatch,
        format!(
            "{place} of `{}` has the version `{other}`",
            declared.file_name
        ),
    )
    .help("installers refuse such a wheel: declare one whose parts agree");
    about(declared, finding, declared.span(), "")
}
