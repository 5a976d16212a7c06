//! `name-mismatch`: the wheel's metadata names another project than its file name.

use super::about;
use crate::declaration::DeclaredWheel;
use crate::diagnostic::{Code, Finding};
use crate::python::{CoreMetadata, ProjectName};
use crate::wheel::ArchiveFacts;

pub(super) fn check(
    declared: &DeclaredWheel,
    facts: &ArchiveFacts,
    metadata: &CoreMetadata,
    findings: &mut Vec<Finding>,
) {
    let name = declared.file_name.name();
    let mut report = |place: &str, other: &str| {
        let finding = Finding::new(
            Code::NameMismatch,
            format!("{place} of `{}` names `{other}`", declared.file_name),
        )
        .help("installers refuse such a wheel: declare the wheel under its own name");
        findings.push(about(declared, finding, declared.span(), ""));
    };
    if metadata.project != *name {
        report("METADATA", &metadata.name);
    }
    let folder = facts.dist_info.split('-').next().unwrap_or_default();
    if folder.parse::<ProjectName>().ok().as_ref() != Some(name) {
        report("the `.dist-info` folder", folder);
    }
}
