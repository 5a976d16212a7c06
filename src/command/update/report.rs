//! The changes of an update as text.

use std::collections::BTreeMap;

use ipwhl_packaging::{ProjectName, Version};

use crate::command::columns;
use crate::command::context::Context;
use crate::command::words::counted;
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::repository::Repository;
use crate::set::resolve::{Step, UpdatePlan};

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

/// What is said about a project that stays behind.
pub(super) fn behind_words(
    repository: &Repository,
    plan: &UpdatePlan,
    project: &ProjectName,
) -> String {
    let now = version_now(repository, plan, project).map_or_else(String::new, Version::to_string);
    let newest = plan.behind.get(project).map(|(newest, _)| newest);
    let newest = newest.map_or_else(String::new, Version::to_string);
    let reason = plan.reason(project).unwrap_or_default();
    format!("{now}, not {newest}: {reason}")
}

/// The lines about a plan, in groups.
pub(super) struct Report {
    /// The heading of each group, with its rows: a project, and what is said about it.
    groups: Vec<(&'static str, BTreeMap<ProjectName, String>)>,
    /// The number of projects that only get times of upload.
    dated: usize,
    has_changes: bool,
}

impl Report {
    pub(super) fn of(repository: &Repository, plan: &UpdatePlan) -> Self {
        let mut steps: BTreeMap<Step, BTreeMap<ProjectName, String>> = BTreeMap::new();
        let mut added = BTreeMap::new();
        let mut rebuilt = BTreeMap::new();
        for (project, (old, new)) in &plan.moves {
            match old {
                None => {
                    added.insert(project.clone(), new.to_string());
                }
                Some(old) if old == new => {
                    rebuilt.insert(project.clone(), new.to_string());
                }
                Some(old) => {
                    let step = steps.entry(Step::between(old, new)).or_default();
                    step.insert(project.clone(), format!("{old} -> {new}"));
                }
            }
        }
        let has_changes = !plan.moves.is_empty() || !plan.leaving().is_empty();
        let removed = plan.leaving().iter().map(|project| {
            let version = repository.declarations.get(project);
            let version = version.map_or_else(String::new, |one| one.version().to_string());
            (project.clone(), version)
        });
        let removed: BTreeMap<ProjectName, String> = removed.collect();
        let behind = plan
            .behind
            .keys()
            .map(|project| (project.clone(), behind_words(repository, plan, project)));
        let behind: BTreeMap<ProjectName, String> = behind.collect();
        let groups = [
            ("major", steps.remove(&Step::Major).unwrap_or_default()),
            ("minor", steps.remove(&Step::Minor).unwrap_or_default()),
            ("patch", steps.remove(&Step::Patch).unwrap_or_default()),
            ("other wheels", rebuilt),
            ("new dependencies", added),
            ("no longer needed", removed),
            ("behind the index", behind),
        ];
        let groups = groups.into_iter().filter(|(_, rows)| !rows.is_empty());
        Self {
            groups: groups.collect(),
            dated: plan.dated(),
            has_changes,
        }
    }

    pub(super) fn print(&self, context: &Context<'_>) -> Result<(), Failure> {
        let names = self.groups.iter().flat_map(|(_, rows)| rows.keys());
        let width = names.map(|name| name.as_str().len()).max();
        for (heading, rows) in &self.groups {
            let mut line = context.heading(heading);
            line += &format!(" ({})", counted(rows.len(), "project"));
            context.result(line)?;
            for (project, words) in rows {
                let width = width.unwrap_or_default();
                columns::row(context, &format!("  {:width$}  ", project.as_str()), words)?;
            }
        }
        if self.dated > 0 {
            let mut line = context.heading("only times of upload");
            line += &format!(" ({})", counted(self.dated, "project"));
            context.result(line)?;
        } else if !self.has_changes {
            context.say("nothing changes: no project has a newer version that fits");
        }
        Ok(())
    }
}
