//! `requires-python-mismatch`: the declared requires-python is not the wheel's.

use ipwhl_packaging::{CoreMetadata, same_specifiers};

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::DeclaredWheel;

pub(super) fn check(
    declared: &DeclaredWheel,
    metadata: &CoreMetadata,
    findings: &mut Vec<Finding>,
) {
    let written = declared
        .requires_python
        .as_ref()
        .map(|specifiers| &specifiers.value);
    let of_wheel = metadata.requires_python.as_ref();
    let is_same = match (written, of_wheel) {
        (Some(written), Some(of_wheel)) => same_specifiers(written, of_wheel),
        (written, of_wheel) => written.is_none() && of_wheel.is_none(),
    };
    if is_same {
        return;
    }
    let finding = match (written, of_wheel) {
        (Some(written), None) => Finding::new(
            Code::RequiresPythonMismatch,
            format!(
                "`{}` has no Requires-Python, and `{written}` is declared",
                declared.file_name
            ),
        )
        .help("remove `requires-python`"),
        (_, Some(of_wheel)) => Finding::new(
            Code::RequiresPythonMismatch,
            match written {
                Some(written) => format!(
                    "`{}` has the Requires-Python `{of_wheel}`, and `{written}` is declared",
                    declared.file_name
                ),
                None => format!(
                    "`{}` has the Requires-Python `{of_wheel}`, and none is declared",
                    declared.file_name
                ),
            },
        )
        .help(format!("write `requires-python = \"{of_wheel}\"`")),
        (None, None) => return,
    };
    let span = declared
        .requires_python
        .as_ref()
        .map_or_else(|| declared.span(), |specifiers| specifiers.span.clone());
    findings.push(about(declared, finding, span, ""));
}
