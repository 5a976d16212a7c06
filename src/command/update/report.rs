//! The changes of an update, as text and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ProjectName, Version};
use serde::Serialize;

use super::changes::{Behind, Line, behind, lines, version_now};
use crate::command::columns;
use crate::command::context::Context;
use crate::command::draw::to_json;
use crate::command::words::counted;
use crate::foundation::failure::Failure;
use crate::set::repository::Repository;
use crate::set::resolve::UpdatePlan;

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

/// The headings of the groups, with the changes that they are for.
const GROUPS: [(&str, &str); 7] = [
    ("major", "major"),
    ("minor", "minor"),
    ("patch", "patch"),
    ("older", "older"),
    ("other wheels", "other wheels"),
    ("new dependencies", "new"),
    ("no longer needed", "no longer needed"),
];

#[derive(Serialize)]
struct Document<'p> {
    projects: Vec<Line<'p>>,
    behind: Vec<Behind<'p>>,
}

/// Prints the changes of a plan as JSON.
pub(super) fn print_json(
    context: &Context<'_>,
    repository: &Repository,
    plan: &UpdatePlan,
) -> Result<(), Failure> {
    let projects = changed(plan);
    context.result(&to_json(&Document {
        projects: lines(repository, plan, &projects),
        behind: behind(repository, plan),
    })?)
}

/// The projects that change, join or leave.
fn changed(plan: &UpdatePlan) -> BTreeSet<ProjectName> {
    plan.moves.keys().chain(plan.leaving()).cloned().collect()
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
        let projects = changed(plan);
        let mut groups = GROUPS
            .map(|(heading, _)| (heading, BTreeMap::new()))
            .to_vec();
        for line in lines(repository, plan, &projects) {
            let words = match (line.from, line.to) {
                (Some(from), Some(to)) if from != to => format!("{from} -> {to}"),
                (from, to) => to.or(from).unwrap_or_default(),
            };
            let group = GROUPS.iter().position(|(_, change)| *change == line.change);
            if let Some((_, rows)) = group.and_then(|group| groups.get_mut(group)) {
                rows.insert(line.project.clone(), words);
            }
        }
        let behind = plan
            .behind
            .keys()
            .map(|project| (project.clone(), behind_words(repository, plan, project)));
        groups.push(("behind the index", behind.collect()));
        groups.retain(|(_, rows)| !rows.is_empty());
        Self {
            groups,
            dated: plan.dated(),
            has_changes: !projects.is_empty(),
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
