//! Parts of a set, as `lock` and `sbom` take them.

use std::collections::BTreeSet;

use ipwhl_packaging::ExtraName;

use crate::foundation::failure::Failure;
use crate::set::graph::{GraphQuery, NamedProject, member};
use crate::set::lock::{Part, Root};

/// Reads `NAME` or `NAME[EXTRA,…]`. Each project must be declared, and its declaration readable.
pub(super) fn named(
    query: &GraphQuery<'_>,
    texts: &[String],
) -> Result<Vec<NamedProject>, Failure> {
    let mut named = Vec::new();
    for text in texts {
        let one = query.parse_project(text)?;
        let project = member(query.repository, one.project.as_str())?;
        if !query.repository.declarations.contains_key(&project) {
            let message = format!("the declaration of `{project}` cannot be read");
            return Err(Failure::finding(message).help("`ipwhl check` shows the mistake"));
        }
        named.push(one);
    }
    Ok(named)
}

/// The part of a set that these projects are; without one, the whole set.
pub(super) fn part<'r>(query: &GraphQuery<'r>, named: &[NamedProject]) -> Part<'r> {
    if named.is_empty() {
        return Part::Each;
    }
    let declarations = &query.repository.declarations;
    let mut roots = Vec::new();
    for one in named {
        let Some(declaration) = declarations.get(&one.project) else {
            continue;
        };
        let extras = declaration.wheels.iter().flat_map(|wheel| &wheel.extras);
        let extras: BTreeSet<&ExtraName> = extras.map(|extra| &extra.value).collect();
        let asked = extras
            .into_iter()
            .filter(|extra| one.extras.contains(*extra));
        let each = std::iter::once(None).chain(asked.map(Some));
        roots.extend(each.map(|extra| Root {
            project: &declaration.project,
            extra,
        }));
    }
    Part::Together(roots)
}
