//! `cooldown`: a wheel is younger than `cooldown` in `[index]` asks, or its age is unknown.

use jiff::Timestamp;

use crate::foundation::diagnostic::{Code, Finding};
use crate::foundation::time::{Cooldown, is_too_young};
use crate::set::declaration::{DeclaredWheel, Source};
use crate::set::repository::Repository;

/// A file that was added to an old version is judged by its own time.
pub(super) fn check(
    repository: &Repository,
    cooldown: Cooldown,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) {
    for declaration in repository.declarations.values() {
        for wheel in &declaration.wheels {
            let uploaded = wheel.uploaded.as_ref().map(|uploaded| uploaded.value);
            if is_too_young(uploaded, now, cooldown) {
                findings.push(finding(wheel, cooldown));
            }
        }
    }
}

fn finding(wheel: &DeclaredWheel, cooldown: Cooldown) -> Finding {
    let name = &wheel.file_name;
    let mut sources = wheel.sources.iter();
    let is_from_index = sources.any(|source| matches!(source.value, Source::Package(_)));
    let finding = match &wheel.uploaded {
        Some(uploaded) => Finding::new(
            Code::Cooldown,
            format!("`{name}` is younger than the cooldown of {cooldown}"),
        )
        .at(&wheel.file, uploaded.span.clone(), "uploaded then")
        .help("wait, or declare a version that is old enough"),
        None => Finding::new(
            Code::Cooldown,
            format!("the age of `{name}` is unknown, but the set has a cooldown of {cooldown}"),
        )
        .at(&wheel.file, wheel.span(), "")
        .help(if is_from_index {
            "write `uploaded`: `ipwhl update` takes it from the index"
        } else {
            "write `uploaded` yourself, or a waiver: the wheel has no `pkg:` source"
        }),
    };
    finding.project(name.name()).wheel(name)
}
