//! The projects of a lock file, each with the marker of its use.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;
use ipwhl_packaging::{ExtraName, ProjectName, SelectedMarker};

use super::closures::{Closures, Group, Platforms, Root, roots_of};
use crate::set::declaration::Declaration;
use crate::set::graph::{Graph, NamedProject};
use crate::set::repository::Repository;

/// What a lock file is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'r> {
    /// Each project and each extra is an extra of the lock file.
    Each,
    /// This project; its extras are those of the lock file.
    Project(&'r ProjectName),
    /// These roots together, without extras.
    Together(Vec<Root<'r>>),
}

impl<'r> Part<'r> {
    /// These declared projects together, with those of their extras that are named; without a
    /// project, the whole set.
    pub fn of(repository: &'r Repository, named: &[NamedProject]) -> Self {
        if named.is_empty() {
            return Self::Each;
        }
        let mut roots = Vec::new();
        for one in named {
            let declaration = repository.declarations.get(&one.project);
            let own = declaration.into_iter().flat_map(roots_of);
            roots.extend(
                own.filter(|root| root.extra.is_none_or(|extra| one.extras.contains(extra))),
            );
        }
        Self::Together(roots)
    }

    /// The roots that it consists of; `None` for the whole set.
    pub fn roots(&self, graph: &Graph<'r>) -> Option<Vec<Root<'r>>> {
        match self {
            Self::Each => None,
            Self::Project(project) => {
                let declaration = graph.repository.declarations.get(*project);
                Some(declaration.into_iter().flat_map(roots_of).collect())
            }
            Self::Together(roots) => Some(roots.clone()),
        }
    }
}

/// The reason why a lock file cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The SHA-256 or the size of this wheel is not known.
    #[error("the SHA-256 or the size of `{0}` is not known")]
    UnknownDigest(String),
    /// Where this project is needed cannot be said with markers.
    #[error("no marker tells the platforms where `{0}` is needed from the others")]
    NoMarker(ProjectName),
}

/// A project of a lock file.
#[derive(Debug)]
pub struct LockedProject<'r> {
    /// Its declaration.
    pub declaration: &'r Declaration,
    /// Where, and for which extras of the lock file, it is installed; `None` for always.
    pub marker: Option<String>,
}

/// The projects of a lock file, and the names of its extras.
#[derive(Debug)]
pub struct LockedProjects<'r> {
    /// The projects, by name.
    pub projects: Vec<LockedProject<'r>>,
    /// The extras of the lock file, in the order of the roots.
    pub extras: Vec<ExtraName>,
}

impl<'r> LockedProjects<'r> {
    /// The projects that a part of a set needs.
    ///
    /// # Errors
    /// When no marker tells where a project is needed.
    pub fn of(
        graph: &Graph<'r>,
        closures: &Closures<'r>,
        part: &Part<'r>,
    ) -> Result<Self, LockError> {
        let taken = match part.roots(graph) {
            None => without_ambiguous(&closures.roots),
            Some(roots) => closures.numbers(&roots),
        };
        let name = |number: usize| match part {
            Part::Each => extra_name(&closures.roots[number]),
            Part::Project(_) => closures.roots[number].extra.cloned(),
            Part::Together(_) => None,
        };
        let names: HashMap<usize, ExtraName> = taken
            .ones()
            .filter_map(|number| Some((number, name(number)?)))
            .collect();
        let extras = taken
            .ones()
            .filter_map(|number| names.get(&number).cloned());
        let extras = extras.collect();
        // Few of the many sets of platforms are different.
        let mut conditions: HashMap<Platforms, Option<SelectedMarker>> = HashMap::new();
        let mut projects = Vec::new();
        for (project, groups) in &closures.bringing {
            let Some(declaration) = graph.repository.declarations.get(*project) else {
                continue;
            };
            let mut alternatives = Vec::new();
            for Group { platforms, roots } in joined(part, groups, &taken) {
                let condition = conditions.entry(platforms).or_insert_with_key(|on| {
                    let numbered = graph.platforms.iter().enumerate();
                    let choices = numbered.map(|(index, platform)| (platform, on.contains(&index)));
                    SelectedMarker::of_platforms(choices)
                });
                let condition = condition.as_ref();
                let condition = condition.ok_or_else(|| LockError::NoMarker((*project).clone()))?;
                let asked: Option<Vec<&ExtraName>> =
                    roots.ones().map(|number| names.get(&number)).collect();
                alternatives.extend(alternative(condition, &asked.unwrap_or_default()));
            }
            if !alternatives.is_empty() {
                let is_always = alternatives.iter().any(|one| one == ALWAYS);
                projects.push(LockedProject {
                    declaration,
                    marker: (!is_always).then(|| alternatives.join(" or ")),
                });
            }
        }
        Ok(Self { projects, extras })
    }
}

/// The extras of projects that have no extra of their own in a lock file of the whole set, because a
/// project or another one of them has the name. An installer could not tell which is meant.
#[must_use]
pub fn ambiguous_extras<'r>(closures: &Closures<'r>) -> Vec<Root<'r>> {
    let clear = without_ambiguous(&closures.roots);
    let numbered = closures.roots.iter().enumerate();
    let others = numbered.filter(|(number, _)| !clear.contains(*number));
    others.map(|(_, root)| *root).collect()
}

/// The roots whose name as an extra of the lock file is that of a project, or of no other root.
fn without_ambiguous(roots: &[Root<'_>]) -> FixedBitSet {
    let mut uses: HashMap<ExtraName, usize> = HashMap::new();
    for name in roots.iter().filter_map(extra_name) {
        *uses.entry(name).or_default() += 1;
    }
    let is_clear = |root: &Root<'_>| {
        root.extra.is_none() || extra_name(root).is_some_and(|name| uses[&name] == 1)
    };
    let numbered = roots.iter().enumerate();
    let clear = numbered.filter(|(_, root)| is_clear(root));
    clear.map(|(number, _)| number).collect()
}

/// The taken roots in groups by platforms; of a file without extras, one group.
fn joined(part: &Part<'_>, groups: &[Group], taken: &FixedBitSet) -> Vec<Group> {
    let mut joined: Vec<Group> = Vec::new();
    for group in groups {
        let mut roots = group.roots.clone();
        roots.intersect_with(taken);
        match joined.first_mut() {
            _ if roots.is_clear() => {}
            Some(one) if matches!(part, Part::Together(_)) => {
                one.platforms.extend(&group.platforms);
                one.roots.union_with(&roots);
            }
            _ => joined.push(Group {
                platforms: group.platforms.clone(),
                roots,
            }),
        }
    }
    joined
}

/// A part of a marker that always holds.
const ALWAYS: &str = "";

/// The part of a package's marker for one of these extras, or without extras for any use, on some
/// platforms; `None` if it never holds.
fn alternative(condition: &SelectedMarker, extras: &[&ExtraName]) -> Option<String> {
    let extras: Vec<String> = extras
        .iter()
        .map(|extra| format!("\"{extra}\" in extras"))
        .collect();
    let asked = extras.join(" or ");
    match condition {
        SelectedMarker::Never => None,
        SelectedMarker::Always => Some(asked),
        SelectedMarker::Where(marker) => {
            let marker = marker.to_string();
            Some(match extras.len() {
                0 => marker,
                1 => format!("{asked} and {}", grouped(&marker)),
                _ => format!("({asked}) and {}", grouped(&marker)),
            })
        }
    }
}

/// A marker as an operand of `and`.
fn grouped(marker: &str) -> String {
    if marker.contains(" or ") {
        format!("({marker})")
    } else {
        marker.to_owned()
    }
}

/// The name of a root as an extra of a lock file of the whole set, normalised.
fn extra_name(root: &Root<'_>) -> Option<ExtraName> {
    let text = match root.extra {
        None => root.project.to_string(),
        Some(extra) => format!("{}--{extra}", root.project),
    };
    // The names of projects and extras consist of the same characters.
    text.parse().ok()
}
