//! `ambiguous-wheels`: some interpreter on some system would accept two wheels of the project.
//!
//! Which of the two an installer takes would then be the installer's choice, not the curator's.
//! This holds over all interpreters and systems, not only the supported ones.

use crate::declaration::{Declaration, DeclaredWheel, Layout};
use crate::diagnostic::{Code, Finding};
use crate::python::common_installer;

pub(super) fn check(declaration: &Declaration, layout: Layout, findings: &mut Vec<Finding>) {
    for (index, later) in declaration.wheels.iter().enumerate() {
        for earlier in &declaration.wheels[..index] {
            // Two versions are another finding, and each pair of them would be this one too.
            if earlier.file_name.version() != later.file_name.version() {
                continue;
            }
            // One of the two files is a `misplaced-declaration`.
            if layout == Layout::Package && earlier.file != later.file {
                continue;
            }
            let Some(installer) = witness(earlier, later) else {
                continue;
            };
            let (message, help) = if earlier.file_name.as_str() == later.file_name.as_str() {
                (
                    format!("`{}` is declared in two files", later.file_name),
                    "keep one of the two declarations",
                )
            } else {
                (
                    format!(
                        "{installer} accepts both `{}` and `{}`",
                        earlier.file_name, later.file_name
                    ),
                    "keep the one that the supported platforms need: native wheels, or the pure one",
                )
            };
            findings.push(
                Finding::new(Code::AmbiguousWheels, message)
                    .at(&later.file, later.span(), "this wheel")
                    .at(&earlier.file, earlier.span(), "and this one")
                    .help(help)
                    .project(&declaration.project)
                    .wheel(later.file_name.as_str()),
            );
        }
    }
}

fn witness(one: &DeclaredWheel, other: &DeclaredWheel) -> Option<String> {
    let others = other.tags();
    one.tags().iter().find_map(|tag| {
        others
            .iter()
            .find_map(|second| common_installer(tag, second))
    })
}
