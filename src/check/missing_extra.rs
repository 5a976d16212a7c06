//! `missing-extra`: a requirement asks for an extra that its project does not declare.

use std::collections::BTreeSet;

use super::graph::Graph;
use super::remedy::Pin;
use crate::declaration::Source;
use crate::diagnostic::{Code, Finding};
use crate::python::{ExtraName, specifiers_contain};

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
        let mut finding = graph
            .finding(
                need,
                Code::MissingExtra,
                message,
                "required here",
                &platforms,
            )
            .at(&place.file, place.extras_span.clone(), "not declared here");
        finding.shared = Some(format!(
            "the set does not vouch for the extra {list} of `{}`",
            target.project
        ));
        let is_of_index = place
            .sources
            .iter()
            .any(|source| matches!(source.value, Source::Package(_)));
        finding = if is_of_index {
            // The version stays, unless it has to change anyway.
            let demand = graph.demand(&target.project);
            let mut constraints = demand.iter().flat_map(|demand| &demand.unmet.constraints);
            let is_accepted =
                constraints.all(|(_, specifiers)| specifiers_contain(specifiers, target.version()));
            let pin = if is_accepted {
                Pin::Version(target.version())
            } else {
                Pin::Accepted
            };
            let missing = missing.into_iter().cloned().collect();
            let command = graph.add_command(&target.project, &missing, pin, true);
            finding.paste(
                format!("declare the extra {list}, with what it needs"),
                command,
            )
        } else {
            finding.help(format!(
                "add {list} to the `extras` of `{}`, and to its `dependencies` what they need",
                target.project
            ))
        };
        Some(graph.or_leave_extra_out(need, finding))
    });
}
