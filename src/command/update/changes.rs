//! The changes of a plan, a project a line, as JSON and for the texts.

use ipwhl_packaging::{ProjectName, Version};
use serde::Serialize;

use crate::set::declaration::Declaration;
use crate::set::repository::Repository;
use crate::set::resolve::{Step, UpdatePlan};

/// A line about a project of a change.
#[derive(Serialize)]
pub(super) struct Line<'p> {
    pub(super) project: &'p ProjectName,
    /// The declared version; `None` if the project is new.
    pub(super) from: Option<String>,
    /// The new version; `None` if the project leaves the set.
    pub(super) to: Option<String>,
    /// The size of the step, or what else happens to the project.
    pub(super) change: &'static str,
}

/// A project that stays behind its newest version.
#[derive(Serialize)]
pub(super) struct Behind<'p> {
    project: &'p ProjectName,
    version: Option<String>,
    newest: String,
    reason: Option<String>,
}

/// The version of a project after an update.
pub(super) fn version_now<'p>(
    repository: &'p Repository,
    plan: &'p UpdatePlan,
    project: &ProjectName,
) -> Option<&'p Version> {
    let moved = plan.moves.get(project).map(|(_, new)| new);
    let declared = repository.declarations.get(project);
    moved.or_else(|| declared.map(Declaration::version))
}

/// A line for each of these projects that a plan changes.
pub(super) fn lines<'p>(
    repository: &Repository,
    plan: &UpdatePlan,
    projects: impl IntoIterator<Item = &'p ProjectName>,
) -> Vec<Line<'p>> {
    let lines = projects.into_iter().map(|project| {
        let old = repository.declarations.get(project);
        let old = old.map(Declaration::version);
        let new = plan.moves.get(project).map(|(_, new)| new);
        let change = match (old, new) {
            (_, None) => "no longer needed",
            (None, Some(_)) => "new",
            (Some(old), Some(new)) if old == new => "other wheels",
            (Some(old), Some(new)) if old > new => "older",
            (Some(old), Some(new)) => match Step::between(old, new) {
                Step::Major => "major",
                Step::Minor => "minor",
                Step::Patch => "patch",
            },
        };
        Line {
            project,
            from: old.map(Version::to_string),
            to: new.map(Version::to_string),
            change,
        }
    });
    lines.collect()
}

/// The projects that stay behind.
pub(super) fn behind<'p>(repository: &Repository, plan: &'p UpdatePlan) -> Vec<Behind<'p>> {
    let behind = plan.behind.iter().map(|(project, (newest, _))| Behind {
        project,
        version: version_now(repository, plan, project).map(ToString::to_string),
        newest: newest.to_string(),
        reason: plan.reason(project),
    });
    behind.collect()
}
