//! `several-versions`: the wheels of a project have more than one version.

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::{Declaration, Layout};

pub(super) fn check(declaration: &Declaration, layout: Layout, findings: &mut Vec<Finding>) {
    let Some((first, others)) = declaration.wheels.split_first() else {
        return;
    };
    for other in others {
        if other.file_name.version() == first.file_name.version() {
            continue;
        }
        // One of the two files is a `misplaced-declaration`.
        if layout == Layout::Package && other.file != first.file {
            continue;
        }
        findings.push(
            Finding::new(
                Code::SeveralVersions,
                format!(
                    "`{}` is declared in the versions {} and {}",
                    declaration.project,
                    first.file_name.version(),
                    other.file_name.version()
                ),
            )
            .at(
                &other.file,
                other.span(),
                format!("{} here", other.file_name.version()),
            )
            .at(
                &first.file,
                first.span(),
                format!("{} here", first.file_name.version()),
            )
            .help("a curated repository has one version of each project: remove the others")
            .project(&declaration.project)
            .wheel(&other.file_name),
        );
    }
}
