//! `unused-wheel`: a wheel fits no supported platform.

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::graph::Graph;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    // Its platform may be listed in an `ipwhl.toml` that could not be read.
    if graph.platforms.is_empty() || graph.repository.has_configuration_errors() {
        return;
    }
    for declaration in graph.repository.declarations.values() {
        for wheel in &declaration.wheels {
            let fits = graph
                .platforms
                .iter()
                .any(|platform| wheel.tags().iter().any(|tag| platform.accepts(tag)));
            if fits {
                continue;
            }
            findings.push(
                Finding::new(
                    Code::UnusedWheel,
                    format!("`{}` fits no supported platform", wheel.file_name),
                )
                .at(&wheel.file, wheel.span(), "")
                .help("remove it, or add its platform to `[platforms]`")
                .project(&declaration.project)
                .wheel(&wheel.file_name),
            );
        }
    }
}
