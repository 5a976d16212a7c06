//! `undefined-marker`: a marker makes a comparison that the specification does not define, or that
//! installers evaluate differently.

use std::collections::BTreeSet;

use ipwhl_packaging::MarkerEnvironment;

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::repository::Repository;

/// The maximum number of comparisons to report for one marker.
const MOST_TOLD: usize = 5;

pub(super) fn check(repository: &Repository, findings: &mut Vec<Finding>) {
    let platforms = repository.configuration.platforms.iter();
    let environments: Vec<MarkerEnvironment> =
        platforms.map(MarkerEnvironment::for_platform).collect();
    for declaration in repository.declarations.values() {
        // Wheels share the keys at the top of the file, so each text is reported once.
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
                            "`{comparison}` is undefined in a marker, as are {more} more comparisons"
                        )
                    } else {
                        format!("`{comparison}` is undefined in a marker")
                    };
                    let finding = Finding::new(Code::UndefinedMarker, message)
                    .note("installers evaluate it differently, so it is undefined where the \
                           requirement applies")
                    .help("declare a version without this marker, or write a waiver if it does no harm");
                    let mut finding = about(wheel, finding, dependency.span.clone(), "");
                    finding.subject.requirement = Some(dependency.value.clone());
                    findings.push(finding);
                }
            }
        }
    }
}
