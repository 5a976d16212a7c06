//! The common parts of findings about a requirement that the set does not satisfy.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ipwhl_packaging::Platform;

use crate::foundation::diagnostic::{Code, Finding, RequirerChain};
use crate::set::graph::{Graph, Relation, Statement};

/// A finding about a requirement on some of its platforms. It points at the requirement, and its
/// subject is the text that a waiver would name.
pub(super) fn finding<'r>(
    graph: &Graph<'r>,
    (relation, statement): (&Relation<'r>, &Statement<'r>),
    code: Code,
    message: String,
    label: &str,
    platforms: &BTreeSet<usize>,
) -> Finding {
    let requirement = statement.requirement;
    let mut finding = Finding::new(code, message)
        .at(&statement.wheel.file, requirement.span.clone(), label)
        .project(&relation.from.project)
        .wheel(&statement.wheel.file_name);
    finding.subject.required = Some(requirement.value.name.clone());
    finding.subject.requirement = Some(requirement.value.clone());
    finding.subject.platforms = graph.named_platforms(platforms);
    finding.subject.extra = relation.extra.cloned();
    let path = graph.requirer_path(relation, platforms);
    finding.chain = path.map(|path| RequirerChain::new(path.requested, &path.requirements));
    finding
}

/// The findings of `rule` over all unsatisfied requirements, as each wheel states them. Findings of
/// several wheels with the same text are merged.
pub(super) fn each_unsatisfied<'r>(
    graph: &Graph<'r>,
    findings: &mut Vec<Finding>,
    mut rule: impl FnMut(&Relation<'r>, &Statement<'r>) -> Option<Finding>,
) {
    let mut merged: Vec<Finding> = Vec::new();
    let mut known: HashMap<_, usize> = HashMap::new();
    for (relation, statement) in graph.relations().unsatisfied_statements() {
        let Some(finding) = rule(relation, statement) else {
            continue;
        };
        let places = finding.labels.iter();
        let places: Vec<_> = places
            .map(|label| {
                (
                    Arc::clone(&label.file),
                    label.span.clone(),
                    label.text.clone(),
                )
            })
            .collect();
        let identity = (
            finding.message.clone(),
            places,
            finding.subject.extra.clone(),
        );
        match known.entry(identity) {
            Entry::Vacant(entry) => {
                entry.insert(merged.len());
                merged.push(finding);
            }
            Entry::Occupied(entry) => {
                let twin = &mut merged[*entry.get()];
                twin.subject.platforms.extend(finding.subject.platforms);
                twin.subject
                    .platforms
                    .sort_by_cached_key(Platform::to_string);
                twin.subject.platforms.dedup();
                // The finding is about several wheels now, so its subject names none of them.
                twin.subject.wheel = None;
            }
        }
    }
    findings.append(&mut merged);
}
