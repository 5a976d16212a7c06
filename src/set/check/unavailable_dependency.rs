//! `unavailable-dependency`: a required project has no usable wheel on a platform.

use std::collections::BTreeSet;

use super::remedy::{Pin, or_leave_extra_out};
use super::requirement::{each_unsatisfied, finding};
use crate::foundation::diagnostic::{AddPurpose, Code, Finding, Help, SharedCause};
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::graph::{Availability, Graph, Relation, Statement};

/// The reason why no wheel is usable. Each has a remedy of its own, so a project with several
/// reasons has several findings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    NoWheel,
    PythonExcluded,
    NotOffered,
}

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    for reason in [Reason::NoWheel, Reason::PythonExcluded, Reason::NotOffered] {
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
            let mut wheel = None;
            for platform in &statement.platforms {
                let (found, index) = match graph.availability(&target.project, *platform) {
                    Availability::NoWheel => (Reason::NoWheel, 0),
                    Availability::PythonExcluded(index) => (Reason::PythonExcluded, *index),
                    Availability::NotOffered(index) => (Reason::NotOffered, *index),
                    Availability::Wheels(_) => continue,
                };
                if found == reason {
                    platforms.insert(*platform);
                    wheel = target.wheels.get(index);
                }
            }
            let requirement = (relation, statement);
            let finding = match reason {
                Reason::NoWheel => no_wheel(graph, requirement, target, wheel?, &platforms),
                Reason::PythonExcluded => {
                    python_excluded(graph, requirement, target, wheel?, &platforms)?
                }
                Reason::NotOffered => not_offered(graph, requirement, target, wheel?, &platforms)?,
            };
            Some(or_leave_extra_out(graph, relation, statement, finding))
        });
    }
}

type Requirement<'a, 'r> = (&'a Relation<'r>, &'a Statement<'r>);

/// The finding at the requirement, with this message.
fn unavailable<'r>(
    graph: &Graph<'r>,
    requirement: Requirement<'_, 'r>,
    message: String,
    platforms: &BTreeSet<usize>,
) -> Finding {
    finding(
        graph,
        requirement,
        Code::UnavailableDependency,
        message,
        "required here",
        platforms,
    )
}

fn no_wheel<'r>(
    graph: &Graph<'r>,
    requirement: Requirement<'_, 'r>,
    target: &Declaration,
    wheel: &DeclaredWheel,
    platforms: &BTreeSet<usize>,
) -> Finding {
    let message = format!(
        "`{}` requires `{}`, which has no wheel for these platforms",
        requirement.0.from.project, target.project
    );
    let label = match target.wheels.len() {
        1 => "its only wheel".to_owned(),
        several => format!("the first of its {several} wheels"),
    };
    let command = graph.add_command(&target.project, &BTreeSet::new(), Pin::Accepted);
    let mut finding = unavailable(graph, requirement, message, platforms)
        .at(&wheel.file, wheel.span(), label)
        .help(Help::Add(AddPurpose::Wheels, command));
    finding.shared = Some(SharedCause::NoWheel(target.project.clone()));
    finding
}

fn python_excluded<'r>(
    graph: &Graph<'r>,
    requirement: Requirement<'_, 'r>,
    target: &Declaration,
    wheel: &DeclaredWheel,
    platforms: &BTreeSet<usize>,
) -> Option<Finding> {
    let specifiers = wheel.requires_python.as_ref()?;
    let rule = format!(
        "requires-python `{}` excludes some patch version of",
        specifiers.value
    );
    let message = format!(
        "`{}` requires `{}`, whose {rule} these platforms",
        requirement.0.from.project, target.project
    );
    let command = graph.add_command(&target.project, &BTreeSet::new(), Pin::Accepted);
    let mut finding = unavailable(graph, requirement, message, platforms)
        .at(&wheel.file, specifiers.span.clone(), "does not hold")
        .help(Help::Add(AddPurpose::Interpreters, command))
        .help("raise the minimum in `[platforms]`, or leave these platforms out");
    finding.shared = Some(SharedCause::PythonExcluded(
        target.project.clone(),
        specifiers.value.to_string(),
    ));
    Some(finding)
}

fn not_offered<'r>(
    graph: &Graph<'r>,
    requirement: Requirement<'_, 'r>,
    target: &Declaration,
    wheel: &DeclaredWheel,
    platforms: &BTreeSet<usize>,
) -> Option<Finding> {
    let only = wheel.only.as_ref()?;
    let requirer = &requirement.0.from.project;
    let message = format!(
        "`{requirer}` requires `{}`, which this set does not offer on these platforms",
        target.project
    );
    let mut finding = unavailable(graph, requirement, message, platforms)
        .at(&wheel.file, only.span.clone(), "false on these platforms")
        .help(format!(
            "widen `only` of `{}` and declare wheels for these platforms, or write an `only` for \
             `{requirer}` too",
            target.project
        ));
    finding.shared = Some(SharedCause::NotOffered(
        target.project.clone(),
        only.value.to_string(),
    ));
    Some(finding)
}
