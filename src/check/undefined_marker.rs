//! `undefined-marker`: a marker makes a comparison that the specification gives no meaning.

use std::collections::BTreeSet;

use super::about;
use crate::diagnostic::{Code, Finding};
use crate::repository::Repository;

pub(super) fn check(repository: &Repository, findings: &mut Vec<Finding>) {
    for declaration in repository.declarations.values() {
        // Wheels share what stands at the top of the file; it is said once.
        let mut seen = BTreeSet::new();
        for wheel in &declaration.wheels {
            for dependency in &wheel.dependencies {
                let Some(marker) = &dependency.value.marker else {
                    continue;
                };
                for comparison in marker.undefined_comparisons() {
                    if !seen.insert((
                        wheel.file.clone(),
                        dependency.span.start,
                        comparison.clone(),
                    )) {
                        continue;
                    }
                    let finding = Finding::new(
                        Code::UndefinedMarker,
                        format!("`{comparison}` has no meaning in a marker"),
                    )
                    .note("installers decide differently on it, so nobody can say whether the requirement applies")
                    .help("declare a version without it, unless it does no harm");
                    let mut finding = about(wheel, finding, dependency.span.clone(), "");
                    finding.subject.requirement = Some(dependency.value.to_string());
                    findings.push(finding);
                }
            }
        }
    }
}
