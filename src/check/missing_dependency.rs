//! `missing-dependency`: a requirement names a project that is not in the set.

use super::graph::Graph;
use crate::diagnostic::{Code, Finding, nearest};
use crate::python::{Constraint, ProjectName};

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    let declared = &graph.repository.declarations;
    graph.each_need(findings, |need| {
        let requirement = &need.dependency.value;
        let is_known = declared.contains_key(&requirement.name)
            || graph.repository.unreadable.contains(&requirement.name)
            || matches!(requirement.constraint, Constraint::Url(_));
        if is_known {
            return None;
        }
        let message = format!(
            "`{}` requires `{}`, which is not in the set",
            need.declaration.project, requirement.name
        );
        let mut finding =
            graph.finding(need, Code::MissingDependency, message, "", &need.platforms);
        let similar = nearest(
            requirement.name.as_str(),
            declared.keys().map(ProjectName::as_str),
        );
        if let Some(word) =
            similar.filter(|word| strsim::levenshtein(word, requirement.name.as_str()) <= 2)
        {
            finding = finding.note(format!("the set has a project of a similar name, `{word}`"));
        }
        let mut wanted = requirement.clone();
        wanted.marker = None;
        finding = finding.help(format!(
            "run `ipwhl add --with-dependencies {}`",
            bare(&wanted)
        ));
        if let Some(extra) = need.extra {
            finding = finding.help(format!("or leave the extra `{extra}` out"));
        }
        Some(finding)
    });
}

/// Name and extras, as a shell gives them to `ipwhl add`.
fn bare(requirement: &crate::python::Requirement) -> String {
    let extras: Vec<&str> = requirement
        .extras
        .iter()
        .map(crate::python::ExtraName::as_str)
        .collect();
    if extras.is_empty() {
        requirement.name.to_string()
    } else {
        format!("'{}[{}]'", requirement.name, extras.join(","))
    }
}
