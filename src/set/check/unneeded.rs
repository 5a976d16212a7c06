//! `unneeded`: an automatic project that nothing needs.

use std::sync::Arc;

use crate::foundation::diagnostic::{Code, Finding, Help};
use crate::set::graph::Graph;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    // A requirer, or its platforms, may be declared in a text that could not be read.
    let mut wheels = graph
        .repository
        .declarations
        .values()
        .flat_map(|declaration| &declaration.wheels);
    if !graph.repository.unreadable.is_empty()
        || graph.platforms.is_empty()
        || wheels.any(|wheel| wheel.is_partial)
    {
        return;
    }
    let reachable = graph.reachable();
    for declaration in graph.repository.declarations.values() {
        if !declaration.automatic || reachable.contains(&declaration.project) {
            continue;
        }
        let span = declaration.automatic_span.clone().unwrap_or(0..0);
        findings.push(
            Finding::new(
                Code::Unneeded,
                format!(
                    "`{}` is automatic, but no wanted project needs it",
                    declaration.project
                ),
            )
            .at(&declaration.file, span, "")
            .help(Help::RemoveProject {
                project: Some(declaration.project.clone()),
                file: Some(Arc::clone(&declaration.file)),
            })
            .project(&declaration.project),
        );
    }
}
