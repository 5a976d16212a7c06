//! `missing-extra`: a requirement asks for an extra that its project does not declare.

use std::collections::BTreeSet;

use super::graph::Graph;
use crate::diagnostic::{Code, Finding};
use crate::python::ExtraName;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    graph.each_need(findings, |need| {
        let target = graph.target(need)?;
        let mut missing: BTreeSet<&ExtraName> = BTreeSet::new();
        let mut platforms = BTreeSet::new();
        let mut place = None;
        for platform in &need.platforms {
            for wheel in graph.wheels_on(target, *platform) {
                for extra in &need.dependency.value.extras {
                    if !wheel.has_extra(extra) {
                        missing.insert(extra);
                        platforms.insert(*platform);
                        place = Some(wheel);
                    }
                }
            }
        }
        let place = place?;
        let list: Vec<String> = missing.iter().map(|extra| format!("`{extra}`")).collect();
        let list = list.join(", ");
        let message = format!(
            "`{}` requires `{}`, and the set does not vouch for the extra {list} of `{}`",
            need.declaration.project, need.dependency.value, target.project
        );
        let finding = graph
            .finding(
                need,
                Code::MissingExtra,
                message,
                "required here",
                &platforms,
            )
            .at(&place.file, place.extras_span.clone(), "not declared here")
            .help(format!(
                "add {list} to the `extras` of `{}`, with what they need",
                target.project
            ));
        Some(finding)
    });
}
