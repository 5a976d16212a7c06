//! `version-mismatch`: the wheel's metadata has another version than its file name.

use super::about;
use crate::declaration::DeclaredWheel;
use crate::diagnostic::{Code, Finding};
use crate::python::{CoreMetadata, Version};
use crate::wheel::ArchiveFacts;

pub(super) fn check(
    declared: &DeclaredWheel,
    facts: &ArchiveFacts,
    metadata: &CoreMetadata,
    findings: &mut Vec<Finding>,
) {
    let version = declared.file_name.version();
    let mut report = |place: &str, other: &str| {
        let finding = Finding::new(
            Code::VersionMismatch,
            format!(
                "{place} of `{}` has the version `{other}`",
                declared.file_name
            ),
        )
        .help("installers refuse such a wheel: declare one whose parts agree");
        findings.push(about(declared, finding, declared.span(), ""));
    };
    if metadata.version != *version {
        report("METADATA", &metadata.version.to_string());
    }
    let folder = facts
        .dist_info
        .split_once('-')
        .map_or("", |(_, version)| version);
    if folder.parse::<Version>().ok().as_ref() != Some(version) {
        report("the `.dist-info` folder", folder);
    }
}
