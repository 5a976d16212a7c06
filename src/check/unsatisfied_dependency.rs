//! `unsatisfied-dependency`: a requirement excludes the version that is in the set.

use super::graph::Graph;
use crate::diagnostic::{Code, Finding};
use crate::python::{Constraint, specifiers_contain};

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    graph.each_need(findings, |need| {
        let target = graph.target(need)?;
        let Constraint::Specifiers(specifiers) = &need.dependency.value.constraint else {
            return None;
        };
        if specifiers_contain(specifiers, target.version()) {
            return None;
        }
        let message = format!(
            "`{}` requires `{}`, and the set has {} {}",
            need.declaration.project,
            need.dependency.value,
            target.project,
            target.version()
        );
        let wheel = target.wheels.first()?;
        let finding = graph
            .finding(
                need,
                Code::UnsatisfiedDependency,
                message,
                "required here",
                &need.platforms,
            )
            .at(
                &wheel.file,
                wheel.span(),
                format!("version {} here", target.version()),
            )
            .help(format!(
                "declare a version of `{}` that all who require it accept, or another one of `{}`",
                target.project, need.declaration.project
            ));
        Some(finding)
    });
}
