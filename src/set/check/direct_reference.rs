//! `direct-reference`: a requirement names an address instead of a project in the set.

use ipwhl_packaging::Constraint;

use super::remedy::or_leave_extra_out;
use super::requirement::{each_unsatisfied, finding};
use crate::foundation::diagnostic::{Code, Finding, Help};
use crate::set::graph::Graph;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    each_unsatisfied(graph, findings, |relation, statement| {
        let Constraint::Url(url) = &relation.requirement.constraint else {
            return None;
        };
        let message = format!(
            "`{}` takes `{}` from `{url}`, outside of the set",
            relation.from.project, relation.requirement.name
        );
        let finding = finding(
            graph,
            (relation, statement),
            Code::DirectReference,
            message,
            "",
            &statement.platforms,
        )
        .note("an installer would fetch an unreviewed file from there")
        .help(Help::NoAddress {
            project: Some(relation.from.project.clone()),
        });
        Some(or_leave_extra_out(graph, relation, statement, finding))
    });
}
