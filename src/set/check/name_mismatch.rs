//! `name-mismatch`: the wheel's metadata names another project than its file name.

use ipwhl_packaging::wheel::ArchiveFacts;
use ipwhl_packaging::{CoreMetadata, ProjectName};

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
    let name = declared.file_name.name();
    let is_other = metadata.project != *name;
    if is_other {
        findings.push(finding(declared, "METADATA", &metadata.name));
    }
    let Some(facts) = archive else { return };
    let folder = facts.dist_info.split('-').next().unwrap_or_default();
    let of_folder = folder.parse::<ProjectName>().ok();
    // A wheel whose file was renamed has one defect.
    let is_told = is_other && of_folder.as_ref() == Some(&metadata.project);
    if of_folder.as_ref() != Some(name) && !is_told {
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
