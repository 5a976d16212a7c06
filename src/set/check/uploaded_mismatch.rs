//! `uploaded-mismatch`: the index states another time of the upload.

use crate::foundation::diagnostic::{Code, Finding};
use crate::foundation::time::UtcTime;
use crate::set::declaration::DeclaredWheel;

/// Compares the declared time of a wheel with the one that the index states.
pub(super) fn check(wheel: &DeclaredWheel, stated: UtcTime) -> Option<Finding> {
    let declared = wheel.uploaded.as_ref()?;
    if declared.value == stated {
        return None;
    }
    let name = &wheel.file_name;
    let finding = Finding::new(
        Code::UploadedMismatch,
        format!(
            "the index says that `{name}` was uploaded at {stated}, not at {}",
            declared.value
        ),
    );
    let finding = finding
        .at(&wheel.file, declared.span.clone(), "declared here")
        .help(format!(
            "if you trust this index, write `uploaded = {stated}`"
        ))
        .project(name.name())
        .wheel(name);
    Some(finding)
}
