//! `unavailable-dependency`: a required project has no usable wheel on a platform.

use std::collections::BTreeSet;

use super::remedy::{Pin, or_leave_extra_out};
use super::requirement::{each_unsatisfied, finding};
use crate::foundation::diagnostic::{AddPurpose, Code, Finding, Help, SharedCause};
use crate::set::graph::{Availability, Graph};

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    // A missing wheel and a Requires-Python that does not hold have different remedies, so they are
    // two findings if a project has both.
    for for_python in [false, true] {
        each_unsatisfied(graph, findings, |relation, statement| {
            let target = graph.target(relation)?;
            if target.project == relation.from.project {
                return None;
            }
            // The wheel may be declared in a text that could not be read.
            if graph.repository.unreadable.contains(&target.project) {
                return None;
            }
            let mut platforms = BTreeSet::new();
            let mut excluded = None;
            for platform in &statement.platforms {
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
            let requirer = &relation.from.project;
            let command = graph.add_command(&target.project, &BTreeSet::new(), Pin::Accepted);
            let excluding =
                excluded.and_then(|wheel| Some((wheel, wheel.requires_python.as_ref()?)));
            let finding = match excluding {
                None => {
                    let message = format!(
                        "`{requirer}` requires `{}`, which has no wheel for these platforms",
                        target.project
                    );
                    let wheel = target.wheels.first()?;
                    let label = match target.wheels.len() {
                        1 => "its only wheel".to_owned(),
                        several => format!("the first of its {several} wheels"),
                    };
                    let mut finding = finding(
                        graph,
                        (relation, statement),
                        Code::UnavailableDependency,
                        message,
                        "required here",
                        &platforms,
                    )
                    .at(&wheel.file, wheel.span(), label)
                    .help(Help::Add(AddPurpose::Wheels, command));
                    finding.shared = Some(SharedCause::NoWheel(target.project.clone()));
                    finding
                }
                Some((wheel, specifiers)) => {
                    let rule = format!(
                        "requires-python `{}` excludes some patch version of",
                        specifiers.value
                    );
                    let message = format!(
                        "`{requirer}` requires `{}`, whose {rule} these platforms",
                        target.project
                    );
                    let mut finding = finding(
                        graph,
                        (relation, statement),
                        Code::UnavailableDependency,
                        message,
                        "required here",
                        &platforms,
                    )
                    .at(&wheel.file, specifiers.span.clone(), "does not hold")
                    .help(Help::Add(AddPurpose::Interpreters, command))
                    .help("raise the minimum in `[platforms]`, or leave these platforms out");
                    finding.shared = Some(SharedCause::PythonExcluded(
                        target.project.clone(),
                        specifiers.value.to_string(),
                    ));
                    finding
                }
            };
            Some(or_leave_extra_out(graph, relation, statement, finding))
        });
    }
}
