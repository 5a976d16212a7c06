//! `uncovered-platform`: a wanted project has no wheel for a supported platform, though nothing
//! there needs it.

use std::collections::BTreeSet;

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::graph::{Availability, Graph};

/// How many entries of `[platforms]` are shown.
const MAXIMUM_PLACES: usize = 3;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    for declaration in graph.repository.declarations.values() {
        let Some(wheel) = declaration.wheels.first() else {
            continue;
        };
        // It is in the set only for its requirers. On their platforms, `unavailable-dependency`
        // looks for it.
        if declaration.automatic {
            continue;
        }
        // The wheel may stand in a text that could not be understood.
        if graph.repository.unreadable.contains(&declaration.project) {
            continue;
        }
        // Where something needs it, that is an unavailable dependency.
        let requirers = graph.relations().naming(&declaration.project);
        let needed: BTreeSet<usize> = requirers
            .filter(|relation| !relation.is_own())
            .flat_map(|relation| &relation.platforms)
            .copied()
            .collect();
        let uncovered: BTreeSet<usize> = (0..graph.platforms.len())
            .filter(|platform| {
                !matches!(
                    graph.availability(&declaration.project, *platform),
                    Availability::Wheels(_)
                )
            })
            .filter(|platform| !needed.contains(platform))
            .collect();
        if uncovered.is_empty() {
            continue;
        }
        let label = match declaration.wheels.len() {
            1 => "its only wheel".to_owned(),
            several => format!("the first of its {several} wheels"),
        };
        let mut finding = Finding::new(
            Code::UncoveredPlatform,
            format!(
                "`{}` has no usable wheel for these platforms, though nothing there needs it",
                declaration.project
            ),
        )
        .at(&wheel.file, wheel.span(), label)
        .help("declare a wheel for them, or say that it is meant so of all projects: `uncovered-platform = \"off\"` under `[severity]`")
        .project(&declaration.project);
        let origins = &graph.repository.configuration.platform_origins;
        let places: BTreeSet<(&str, usize, usize)> = uncovered
            .iter()
            .filter_map(|platform| origins.get(&graph.platforms[*platform]))
            .map(|(file, span)| (&**file, span.start, span.end))
            .collect();
        for (file, start, end) in places.into_iter().take(MAXIMUM_PLACES) {
            finding = finding.at(&file.into(), start..end, "supported here");
        }
        finding.subject.platforms = graph.named_platforms(&uncovered);
        findings.push(finding);
    }
}
