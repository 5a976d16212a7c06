//! `version-mismatch`: the wheel's metadata has another version than its file name.

use ipwhl_packaging::wheel::ArchiveFacts;
use ipwhl_packaging::{CoreMetadata, Version};

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::DeclaredWheel;

/// What METADATA says, and where the archive has been looked at, the name of the folder that it is
/// in.
pub(super) fn check(
    declared: &DeclaredWheel,
    metadata: &CoreMetadata,
    archive: Option<&ArchiveFacts>,
    findings: &mut Vec<Finding>,
) {
    let version = declared.file_name.version();
    let is_other = metadata.version != *version;
    if is_other {
        findings.push(finding(declared, "METADATA", &metadata.version.to_string()));
    }
    let Some(facts) = archive else { return };
    let folder = facts.dist_info.split_once('-');
    let folder = folder.map_or("", |(_, version)| version);
    let of_folder = folder.parse::<Version>().ok();
    // A wheel whose file was renamed has one defect.
    let is_told = is_other && of_folder.as_ref() == Some(&metadata.version);
    if of_folder.as_ref() != Some(version) && !is_told {
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
