//! The projects of a lock file, each with the marker of its use.

use std::collections::{BTreeMap, HashMap};

use ipwhl_packaging::{ExtraName, ProjectName, SelectedMarker};

use super::closures::{Closures, Platforms, Root};
use crate::set::declaration::Declaration;
use crate::set::graph::Graph;

/// What a lock file is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<'r> {
    /// Each project and each extra is an extra of the lock file.
    Each,
    /// These roots together, without extras.
    Together(Vec<Root<'r>>),
}

/// The reason why a lock file cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Two roots have the same normalised name, so an installer could not tell which is meant.
    #[error("`{one}` and `{other}` would both be the extra `{extra}` of the lock file")]
    SameExtra {
        /// The name.
        extra: ExtraName,
        /// The first root.
        one: String,
        /// The second one.
        other: String,
    },
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
    /// When two roots have one name, or no marker tells where a project is needed.
    pub fn of(graph: &Graph<'r>, part: &Part<'r>) -> Result<Self, LockError> {
        let (closures, names) = match part {
            Part::Each => {
                let closures = Closures::of(graph, |_| true);
                let names = extra_names(&closures.roots)?;
                (closures, names)
            }
            Part::Together(roots) => {
                let closures = Closures::of(graph, |root| roots.contains(root));
                (closures, HashMap::new())
            }
        };
        // Few of the many sets of platforms are different.
        let mut conditions: HashMap<Platforms, Option<SelectedMarker>> = HashMap::new();
        let mut projects = Vec::new();
        for (project, groups) in &closures.bringing {
            let Some(declaration) = graph.repository.declarations.get(*project) else {
                continue;
            };
            let mut alternatives = Vec::new();
            for (on, roots) in joined(part, groups) {
                let condition = conditions.entry(on).or_insert_with_key(|on| {
                    let numbered = graph.platforms.iter().enumerate();
                    let choices = numbered.map(|(index, platform)| (platform, on.contains(&index)));
                    SelectedMarker::of_platforms(choices)
                });
                let condition = condition.as_ref();
                let condition = condition.ok_or_else(|| LockError::NoMarker((*project).clone()))?;
                let names = roots.iter().filter_map(|root| names.get(root));
                alternatives.extend(alternative(condition, names));
            }
            if !alternatives.is_empty() {
                let marker = alternatives.join(" or ");
                projects.push(LockedProject {
                    declaration,
                    marker: (marker != ALWAYS).then_some(marker),
                });
            }
        }
        let extras = closures
            .roots
            .iter()
            .filter_map(|root| names.get(root).cloned());
        Ok(Self {
            projects,
            extras: extras.collect(),
        })
    }
}

/// The groups of roots by platforms; if the file has no extras, one group.
fn joined<'r>(
    part: &Part<'r>,
    groups: &BTreeMap<Platforms, Vec<Root<'r>>>,
) -> Vec<(Platforms, Vec<Root<'r>>)> {
    match part {
        Part::Each => groups
            .iter()
            .map(|(on, roots)| (on.clone(), roots.clone()))
            .collect(),
        Part::Together(_) => vec![(groups.keys().flatten().copied().collect(), Vec::new())],
    }
}

/// A part of a marker that always holds.
const ALWAYS: &str = "";

/// The part of a package's marker for roots that bring it on some platforms; `None` if it never
/// holds.
fn alternative<'e>(
    condition: &SelectedMarker,
    extras: impl Iterator<Item = &'e ExtraName>,
) -> Option<String> {
    let extras: Vec<String> = extras
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

/// The name of each root as an extra of the lock file.
fn extra_names<'r>(roots: &[Root<'r>]) -> Result<HashMap<Root<'r>, ExtraName>, LockError> {
    let mut names = HashMap::new();
    let mut known: HashMap<ExtraName, Root<'r>> = HashMap::new();
    for root in roots {
        let text = match root.extra {
            None => root.project.to_string(),
            Some(extra) => format!("{}--{extra}", root.project),
        };
        // The names of projects and extras consist of the same characters.
        let Ok(name) = text.parse::<ExtraName>() else {
            continue;
        };
        if let Some(one) = known.insert(name.clone(), *root) {
            return Err(LockError::SameExtra {
                extra: name,
                one: one.to_string(),
                other: root.to_string(),
            });
        }
        names.insert(*root, name);
    }
    Ok(names)
}
