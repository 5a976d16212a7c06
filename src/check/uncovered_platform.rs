//! `uncovered-platform`: a project has no wheel for a supported platform, though nothing there needs it.

use std::collections::BTreeSet;

use super::graph::{Availability, Graph};
use crate::diagnostic::{Code, Finding};

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    for declaration in graph.repository.declarations.values() {
        let Some(wheel) = declaration.wheels.first() else {
            continue;
        };
        let is_needed = |platform: usize| {
            graph.needs.iter().any(|need| {
                need.platforms.contains(&platform)
                    && need.dependency.value.name == declaration.project
                    && need.declaration.project != declaration.project
            })
        };
        let uncovered: BTreeSet<usize> = (0..graph.platforms.len())
            .filter(|platform| {
                !matches!(
                    graph.availability(&declaration.project, *platform),
                    Availability::Wheel(_)
                )
            })
            // Where something needs it, that is an unavailable dependency.
            .filter(|platform| !is_needed(*platform))
            .collect();
        if uncovered.is_empty() {
            continue;
        }
        let mut finding = Finding::new(
            Code::UncoveredPlatform,
            format!(
                "`{}` has no usable wheel for these platforms, though nothing there needs it",
                declaration.project
            ),
        )
        .at(&wheel.file, wheel.span(), "")
        .help("declare a wheel for them, or say that it is meant so: a waiver for this project, or `uncovered-platform = \"off\"` under `[severity]` for all")
        .project(&declaration.project);
        finding.subject.platforms = graph.names(&uncovered);
        findings.push(finding);
    }
}
