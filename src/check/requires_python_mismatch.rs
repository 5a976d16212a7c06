//! `requires-python-mismatch`: the declared requires-python is not the wheel's.

use std::collections::BTreeSet;

use super::about;
use crate::declaration::DeclaredWheel;
use crate::diagnostic::{Code, Finding};
use crate::python::{CoreMetadata, VersionSpecifiers};

pub(super) fn check(
    declared: &DeclaredWheel,
    metadata: &CoreMetadata,
    findings: &mut Vec<Finding>,
) {
    let written = declared
        .requires_python
        .as_ref()
        .map(|specifiers| &specifiers.value);
    let set = |specifiers: Option<&VersionSpecifiers>| -> Option<BTreeSet<String>> {
        specifiers.map(|set| set.iter().map(ToString::to_string).collect())
    };
    // An empty Requires-Python says as little as none.
    let of_wheel = metadata
        .requires_python
        .as_ref()
        .filter(|specifiers| !specifiers.is_empty());
    if set(written) == set(of_wheel) {
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
