//! `missing-dependency`: a requirement names a project that is not in the set.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{Constraint, ProjectName};

use super::remedy::{Pin, or_leave_extra_out};
use super::requirement::{each_unsatisfied, finding};
use crate::foundation::diagnostic::{AddPurpose, Code, Finding, Help, Note, SharedCause, nearest};
use crate::set::graph::Graph;

/// The maximum number of missing names that are compared with all declared ones to find a
/// misspelling.
const MAXIMUM_COMPARED: usize = 100;

pub(super) fn check(graph: &Graph<'_>, findings: &mut Vec<Finding>) {
    let mut similar: BTreeMap<&ProjectName, Option<ProjectName>> = BTreeMap::new();
    let declared = &graph.repository.declarations;
    each_unsatisfied(graph, findings, |relation, statement| {
        let requirement = relation.requirement;
        let is_known = declared.contains_key(&requirement.name)
            || graph.repository.unreadable.contains(&requirement.name)
            || matches!(requirement.constraint, Constraint::Url(_));
        if is_known {
            return None;
        }
        let message = format!(
            "`{}` requires `{}`, which is not in the set",
            relation.from.project, requirement.name
        );
        let mut finding = finding(
            graph,
            (relation, statement),
            Code::MissingDependency,
            message,
            "",
            &statement.platforms,
        );
        let is_new = !similar.contains_key(&requirement.name);
        if is_new && similar.len() < MAXIMUM_COMPARED {
            let known = declared.keys().map(ProjectName::as_str);
            let word = nearest(requirement.name.as_str(), known);
            similar.insert(&requirement.name, word.and_then(|word| word.parse().ok()));
        }
        let similar = similar.get(&requirement.name).cloned().flatten();
        if let Some(word) = similar
            .filter(|word| strsim::levenshtein(word.as_str(), requirement.name.as_str()) <= 2)
        {
            finding = finding.note(Note::SimilarName(word));
        }
        finding.shared = Some(SharedCause::Missing(requirement.name.clone()));
        let none = BTreeSet::new();
        let demand = graph.demand(&requirement.name);
        let extras = demand.map_or(&none, |demand| &demand.need.extras);
        let command = graph.add_command(&requirement.name, extras, Pin::Accepted);
        finding = finding.help(Help::Add(AddPurpose::Missing, command));
        Some(or_leave_extra_out(graph, relation, statement, finding))
    });
}
