//! `unavailable-dependency`: a required project has no usable wheel on a platform.

use std::collections::BTreeSet;

use super::graph::{Availability, Graph};
use crate::diagnostic::{Code, Finding};

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    // A missing wheel and a Requires-Python that does not hold are mended differently, so they
    // are two findings where a project has both.
    for for_python in [false, true] {
        graph.each_need(findings, |need| {
            let target = graph.target(need)?;
            if target.project == need.declaration.project {
                return None;
            }
            // The wheel may stand in a text that could not be understood.
            if graph.repository.unreadable.contains(&target.project) {
                return None;
            }
            let mut platforms = BTreeSet::new();
            let mut excluded = None;
            for platform in &need.platforms {
                match graph.availability(&target.project, *platform) {
                    Availability::NoWheel if !for_python => {
                        platforms.insert(*platform);
                    }
                    Availability::PythonExcluded(index) if for_python => {
                        platforms.insert(*platform);
                        excluded = target.wheels.get(*index);
                    }
                    _ => {}
                }
            }
            if platforms.is_empty() {
                return None;
            }
            let requirer = &need.declaration.project;
            let finding = match excluded.and_then(|wheel| Some((wheel, wheel.requires_python.as_ref()?))) {
                None => {
                    let message = format!(
                        "`{requirer}` requires `{}`, which has no wheel for these platforms",
                        target.project
                    );
                    let wheel = target.wheels.first()?;
                    graph
                        .finding(need, Code::UnavailableDependency, message, "required here", &platforms)
                        .at(&wheel.file, wheel.span(), "its wheels begin here")
                        .help(format!(
                            "declare a wheel of `{}` for them: `ipwhl add {}` looks for one",
                            target.project, target.project
                        ))
                }
                Some((wheel, specifiers)) => {
                    let message = format!(
                        "`{requirer}` requires `{}`, whose requires-python `{}` does not hold on every patch version of these platforms",
                        target.project, specifiers.value
                    );
                    graph
                        .finding(need, Code::UnavailableDependency, message, "required here", &platforms)
                        .at(&wheel.file, specifiers.span.clone(), "does not hold")
                        .help(format!(
                            "declare a version of `{}` for these interpreters, or raise their floor in `[platforms]`",
                            target.project
                        ))
                }
            };
            Some(finding)
        });
    }
}
