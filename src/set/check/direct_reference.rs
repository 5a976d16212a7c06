//! `direct-reference`: a requirement names an address instead of a project in the set.

use ipwhl_packaging::Constraint;

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::graph::Graph;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    graph.each_need(findings, |need| {
        let Constraint::Url(url) = &need.dependency.value.constraint else {
            return None;
        };
        let message = format!(
            "`{}` takes `{}` from `{url}`, outside of the set",
            need.declaration.project, need.dependency.value.name
        );
        let finding = graph
            .finding(need, Code::DirectReference, message, "", &need.platforms)
            .note("an installer would fetch from there what nobody has reviewed")
            .help(format!(
                "declare a version of `{}` that names no address",
                need.declaration.project
            ));
        Some(graph.or_leave_extra_out(need, finding))
    });
}
