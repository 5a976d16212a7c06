//! `tag-mismatch`: the tags in WHEEL are not those of the file name.

use std::collections::BTreeSet;

use super::about;
use crate::declaration::{DeclaredWheel, Layout};
use crate::diagnostic::{Code, Finding};
use crate::python::WheelFileName;
use crate::wheel::ArchiveFacts;

pub(super) fn check(
    declared: &DeclaredWheel,
    facts: &ArchiveFacts,
    layout: Layout,
    findings: &mut Vec<Finding>,
) {
    // In the layout `ipwhl-1` the release names the wheel by the stem of its TOML file.
    let stem = match (layout, &declared.stem) {
        (Layout::Ipwhl1, Some(stem)) => format!("{stem}.whl").parse::<WheelFileName>().ok(),
        _ => None,
    };
    let name = stem.as_ref().unwrap_or(&declared.file_name);
    let of_name: BTreeSet<String> = name.tags().iter().map(ToString::to_string).collect();
    let of_wheel: BTreeSet<String> = facts
        .wheel_tags
        .iter()
        .map(|tag| tag.to_ascii_lowercase())
        .collect();
    if of_name == of_wheel {
        return;
    }
    let list = |tags: &BTreeSet<String>, others: &BTreeSet<String>| {
        let only: Vec<&str> = tags.difference(others).map(String::as_str).collect();
        only.join(", ")
    };
    let mut finding = Finding::new(
        Code::TagMismatch,
        format!(
            "WHEEL of `{}` has other tags than its file name",
            declared.file_name
        ),
    )
    .help("declare another version, unless the wheel is known to be sound");
    for (only, place) in [
        (list(&of_name, &of_wheel), "the file name"),
        (list(&of_wheel, &of_name), "WHEEL"),
    ] {
        if !only.is_empty() {
            finding = finding.note(format!("only in {place}: {only}"));
        }
    }
    findings.push(about(declared, finding, declared.span(), ""));
}
