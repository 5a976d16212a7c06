//! What happens to the set when projects are taken out of it.

use std::collections::{BTreeMap, BTreeSet};

use super::relations::Relation;
use crate::declaration::Declaration;
use crate::python::ProjectName;
use crate::repository::Repository;

/// What taking some projects out of the set comes to.
#[derive(Debug, Default)]
pub struct Removal<'a, 'r> {
    /// The automatic projects that only these needed: nothing that stays requires them.
    pub left_over: BTreeSet<&'r ProjectName>,
    /// What would be required by what stays, and not be there.
    pub broken: Vec<&'a Relation<'r>>,
}

/// What taking the projects `named` out of the set comes to. With `with_dependencies` those that are
/// left over go too, and so does what they require.
pub fn removal<'a, 'r>(
    repository: &'r Repository,
    relations: &'a [Relation<'r>],
    named: &BTreeSet<ProjectName>,
    with_dependencies: bool,
) -> Removal<'a, 'r> {
    let mut required: BTreeMap<&ProjectName, BTreeSet<&'r ProjectName>> = BTreeMap::new();
    for relation in relations {
        if let Some((project, _)) = repository
            .declarations
            .get_key_value(&relation.requirement.name)
        {
            required
                .entry(&relation.from.project)
                .or_default()
                .insert(project);
        }
    }
    let reach = |from: Vec<&'r ProjectName>, through: &dyn Fn(&Declaration) -> bool| {
        let mut reached: BTreeSet<&'r ProjectName> = BTreeSet::new();
        let mut open = from;
        while let Some(project) = open.pop() {
            if through(&repository.declarations[project]) && reached.insert(project) {
                open.extend(required.get(project).into_iter().flatten());
            }
        }
        reached
    };
    let is_named = |project: &ProjectName| named.contains(project);
    let keys = || repository.declarations.keys();
    // What the named ones brought in, by way of automatic projects: nobody asked for these.
    let below = reach(
        keys().filter(|project| is_named(project)).collect(),
        &|declaration| declaration.automatic || is_named(&declaration.project),
    );
    // Whatever else is in the set stays, with all that it needs, even if it is itself not needed.
    let stays = reach(
        keys().filter(|project| !below.contains(project)).collect(),
        &|declaration| !is_named(&declaration.project),
    );
    let left_over: BTreeSet<&'r ProjectName> = below
        .into_iter()
        .filter(|project| !is_named(project) && !stays.contains(project))
        .collect();
    let goes = |project: &ProjectName| {
        is_named(project) || (with_dependencies && left_over.contains(project))
    };
    let broken = relations
        .iter()
        .filter(|relation| goes(&relation.requirement.name) && !goes(&relation.from.project))
        .collect();
    Removal { left_over, broken }
}
