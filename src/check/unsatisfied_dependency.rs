//! `unsatisfied-dependency`: a requirement excludes the version that is in the set.

use super::graph::Graph;
use crate::declaration::DeclaredWheel;
use crate::diagnostic::{Code, Finding};
use crate::python::{Constraint, specifiers_contain};

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    graph.each_need(findings, |need| {
        let target = graph.target(need)?;
        let Constraint::Specifiers(specifiers) = &need.dependency.value.constraint else {
            return None;
        };
        // One version, unless somebody answers for several: then each must do that an installer may
        // take there, and any where none fits.
        let usable: Vec<&DeclaredWheel> = need
            .platforms
            .iter()
            .flat_map(|platform| graph.wheels_on(target, *platform))
            .collect();
        let candidates = if usable.is_empty() {
            target.wheels.iter().collect()
        } else {
            usable
        };
        let wheel = candidates
            .into_iter()
            .find(|wheel| !specifiers_contain(specifiers, wheel.file_name.version()))?;
        let version = wheel.file_name.version();
        let message = format!(
            "`{}` requires `{}`, and the set has {} {version}",
            need.declaration.project, need.dependency.value, target.project,
        );
        let finding = graph
            .finding(
                need,
                Code::UnsatisfiedDependency,
                message,
                "required here",
                &need.platforms,
            )
            .at(&wheel.file, wheel.span(), format!("version {version} here"))
            .help(format!(
                "declare a version of `{}` that all who require it accept, or another one of `{}`",
                target.project, need.declaration.project
            ));
        Some(finding)
    });
}
