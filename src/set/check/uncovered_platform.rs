//! `uncovered-platform`: a wanted project has no wheel for a supported platform, and no project
//! needs it there.

use std::collections::BTreeSet;

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::graph::{Availability, Graph};

/// The maximum number of entries of `[platforms]` to show.
const MAXIMUM_PLACES: usize = 3;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    for declaration in graph.repository.declarations.values() {
        let Some(wheel) = declaration.wheels.first() else {
            continue;
        };
        // The project is in the set only for its requirers. `unavailable-dependency` checks their
        // platforms.
        if declaration.automatic {
            continue;
        }
        // The wheel may be declared in a text that could not be read.
        if graph.repository.unreadable.contains(&declaration.project) {
            continue;
        }
        // If another project needs it there, the finding is an unavailable dependency.
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
                    Availability::Wheels(_) | Availability::NotOffered(_)
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
                "`{}` has no usable wheel for these platforms, and no project needs it there",
                declaration.project
            ),
        )
        .at(&wheel.file, wheel.span(), label)
        .help(
            "declare a wheel for them; if the gap is intended for all projects, set \
               `uncovered-platform = \"off\"` under `[severity]`",
        )
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
