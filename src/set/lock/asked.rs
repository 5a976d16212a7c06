//! What a part of the set asks for, and what it lacks.

use std::collections::{BTreeSet, VecDeque};

use super::closures::Root;
use super::packages::Part;
use crate::foundation::diagnostic::{Finding, Severity};
use crate::set::graph::Graph;

/// The first error about a requirement of a part of the set that the set does not meet.
pub fn unmet<'f, 'r>(
    graph: &Graph<'r>,
    part: &Part<'r>,
    findings: &'f [Finding],
) -> Option<&'f Finding> {
    let asked = part.roots(graph).map(|roots| asked(graph, &roots));
    let concerns = |finding: &&Finding| {
        let subject = &finding.subject;
        let Some(asked) = &asked else {
            return true;
        };
        subject.project.as_ref().is_some_and(|project| {
            let extra = subject.extra.as_ref();
            asked.contains(&Root { project, extra })
        })
    };
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error && finding.code.is_open_requirement())
        .find(concerns)
}

/// The projects and extras that these roots ask for, on any platform.
pub fn asked<'r>(graph: &Graph<'r>, roots: &[Root<'r>]) -> BTreeSet<Root<'r>> {
    let mut asked: BTreeSet<Root<'r>> = BTreeSet::new();
    let mut open: VecDeque<Root<'r>> = roots.iter().copied().collect();
    while let Some(root) = open.pop_front() {
        if !asked.insert(root) {
            continue;
        }
        let own = graph.relations().of(root.project).iter();
        for relation in own.filter(|relation| relation.extra == root.extra) {
            let extras = relation.requirement.extras.iter().map(Some);
            let project = relation.to();
            open.extend(
                std::iter::once(None)
                    .chain(extras)
                    .map(|extra| Root { project, extra }),
            );
        }
        if root.extra.is_some() {
            open.push_back(Root {
                extra: None,
                ..root
            });
        }
    }
    asked
}
