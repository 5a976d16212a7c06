//! Groups of relations that read the same and are shown in one line.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{Constraint, ExtraName, ProjectName, Requirement, specifiers_text};

use super::{Relation, UnsatisfiedReason};

/// Relations between two projects that differ only in their markers, or in the extras under which
/// they apply on the same platforms.
#[derive(Debug, Clone)]
pub struct RelationGroup<'a, 'r> {
    /// The requiring project.
    pub from: &'r ProjectName,
    /// The requirement, as the first relation states it.
    pub requirement: &'r Requirement,
    /// The requirement without its marker.
    pub words: String,
    /// The extras under which it applies; empty if it applies without one.
    pub extras: BTreeSet<&'r ExtraName>,
    /// The platforms on which it applies, as indices into the repository's platforms.
    pub platforms: BTreeSet<usize>,
    /// The reason why the set does not satisfy it on one of them, if so.
    pub unsatisfied: Option<&'a UnsatisfiedReason>,
}

/// Groups these relations, by the requiring project, then by the required one.
pub fn group_relations<'a, 'r: 'a>(
    relations: impl IntoIterator<Item = &'a Relation<'r>>,
) -> Vec<RelationGroup<'a, 'r>> {
    let mut by_extra: BTreeMap<_, RelationGroup<'a, 'r>> = BTreeMap::new();
    for relation in relations {
        let (from, requirement) = (&relation.from.project, relation.requirement);
        let words = format!("{}{}", with_extras(requirement), constraint(requirement));
        let key = (from, &requirement.name, relation.extra, words.clone());
        let group = by_extra.entry(key).or_insert_with(|| RelationGroup {
            from,
            requirement,
            words,
            extras: relation.extra.into_iter().collect(),
            platforms: BTreeSet::new(),
            unsatisfied: None,
        });
        group.platforms.extend(&relation.platforms);
        group.unsatisfied = group.unsatisfied.or(relation.unsatisfied.as_ref());
    }
    let mut groups: Vec<RelationGroup<'a, 'r>> = Vec::new();
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for group in by_extra.into_values() {
        let projects = (group.from, &group.requirement.name);
        let (words, platforms) = (group.words.clone(), group.platforms.clone());
        let identity = (projects, words, platforms, group.extras.is_empty());
        let index = *known.entry(identity).or_insert(groups.len());
        match groups.get_mut(index) {
            // Equal text on equal platforms has the same reason.
            Some(twin) => twin.extras.extend(&group.extras),
            None => groups.push(group),
        }
    }
    groups
}

/// `name[extra]` of a requirement.
pub fn with_extras(requirement: &Requirement) -> String {
    let extras: Vec<&str> = requirement.extras.iter().map(ExtraName::as_str).collect();
    if extras.is_empty() {
        requirement.name.to_string()
    } else {
        format!("{}[{}]", requirement.name, extras.join(","))
    }
}

/// The version or address of a requirement: `>=2`, or ` @ URL`.
pub fn constraint(requirement: &Requirement) -> String {
    match &requirement.constraint {
        Constraint::Specifiers(specifiers) => specifiers_text(specifiers),
        Constraint::Url(url) => format!(" @ {url}"),
    }
}
