//! `name-mismatch`: the wheel's metadata names another project than its file name.

use super::about;
use crate::declaration::DeclaredWheel;
use crate::diagnostic::{Code, Finding};
use crate::python::{CoreMetadata, ProjectName};
use crate::wheel::ArchiveFacts;

/// What METADATA says.
pub(super) fn check(
    declared: &DeclaredWheel,
    metadata: &CoreMetadata,
    findings: &mut Vec<Finding>,
) {
    if metadata.project != *declared.file_name.name() {
        findings.push(finding(declared, "METADATA", &metadata.name));
    }
}

/// What the name of the folder says that METADATA is in.
pub(super) fn check_folder(
    declared: &DeclaredWheel,
    facts: &ArchiveFacts,
    findings: &mut Vec<Finding>,
) {
    let folder = facts.dist_info.split('-').next().unwrap_or_default();
    if folder.parse::<ProjectName>().ok().as_ref() != Some(declared.file_name.name()) {
        findings.push(finding(declared, "the `.dist-info` folder", folder));
    }
}

fn finding(declared: &DeclaredWheel, place: &str, other: &str) -> Finding {
    let finding = Finding::new(
        Code::NameMismatch,
        format!("{place} of `{}` names `{other}`", declared.file_name),
    )
    .help("installers refuse such a wheel: declare the wheel under its own name");
    about(declared, finding, declared.span(), "")
}
