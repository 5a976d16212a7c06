//! `undefined-marker`: a marker makes a comparison that the specification gives no meaning, or that
//! installers read differently.

use std::collections::BTreeSet;

use ipwhl_packaging::MarkerEnvironment;

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::repository::Repository;

/// How many comparisons of one marker are told.
const MOST_TOLD: usize = 5;

pub(super) fn check(repository: &Repository, findings: &mut Vec<Finding>) {
    let platforms = repository.configuration.platforms.iter();
    let environments: Vec<MarkerEnvironment> =
        platforms.map(MarkerEnvironment::for_platform).collect();
    for declaration in repository.declarations.values() {
        // Wheels share what stands at the top of the file; it is said once.
        let mut seen = BTreeSet::new();
        for wheel in &declaration.wheels {
            for dependency in &wheel.dependencies {
                let Some(marker) = &dependency.value.marker else {
                    continue;
                };
                let mut comparisons = marker.undefined_comparisons();
                comparisons.extend(marker.disputed_comparisons(&environments));
                if comparisons.is_empty() || !seen.insert((&wheel.file, dependency.span.start)) {
                    continue;
                }
                let mut told = BTreeSet::new();
                comparisons.retain(|comparison| told.insert(comparison.clone()));
                let more = comparisons.len().saturating_sub(MOST_TOLD);
                comparisons.truncate(MOST_TOLD);
                for (index, comparison) in comparisons.iter().enumerate() {
                    let message = if more > 0 && index + 1 == MOST_TOLD {
                        format!(
                            "`{comparison}` has no single meaning in a marker, nor have {more} more comparisons"
                        )
                    } else {
                        format!("`{comparison}` has no single meaning in a marker")
                    };
                    let finding = Finding::new(Code::UndefinedMarker, message)
                    .note("installers decide differently on it, so nobody can say whether the requirement applies")
                    .help("declare a version without it, unless it does no harm");
                    let mut finding = about(wheel, finding, dependency.span.clone(), "");
                    finding.subject.requirement = Some(dependency.value.clone());
                    findings.push(finding);
                }
            }
        }
    }
}
