//! The list of small changes, as text and as JSON.

use std::collections::BTreeSet;

use ipwhl_packaging::{ProjectName, Version};
use serde::Serialize;

use super::report::{behind_words, version_now};
use crate::command::columns;
use crate::command::context::Context;
use crate::command::draw::to_json;
use crate::foundation::diagnostic::Inert;
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::repository::Repository;
use crate::set::resolve::{SmallChange, Step, UpdatePlan};

/// A line about a project of a change.
#[derive(Serialize)]
struct Line<'p> {
    project: &'p ProjectName,
    /// The declared version; `None` if the project is new.
    from: Option<String>,
    /// The new version; `None` if the project leaves the set.
    to: Option<String>,
    /// The size of the step, or what else happens to the project.
    change: &'static str,
}

#[derive(Serialize)]
struct Change<'p> {
    /// From 1.
    number: usize,
    projects: Vec<Line<'p>>,
    /// The numbers of the changes that must be made before.
    after: BTreeSet<usize>,
}

#[derive(Serialize)]
struct Behind<'p> {
    project: &'p ProjectName,
    version: Option<String>,
    newest: String,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Document<'p> {
    changes: Vec<Change<'p>>,
    behind: Vec<Behind<'p>>,
}

/// Prints the small changes of a plan.
pub(super) fn print(
    context: &Context<'_>,
    repository: &Repository,
    plan: &UpdatePlan,
    small: &[SmallChange],
    as_json: bool,
) -> Result<(), Failure> {
    let numbered = small.iter().enumerate();
    let changes: Vec<Change<'_>> = numbered
        .map(|(index, change)| described(repository, plan, index, change))
        .collect();
    if as_json {
        let behind = plan.behind.iter().map(|(project, (newest, _))| Behind {
            project,
            version: version_now(repository, plan, project).map(ToString::to_string),
            newest: newest.to_string(),
            reason: plan.reason(project),
        });
        let behind = behind.collect();
        return context.result(&to_json(&Document { changes, behind })?);
    }
    for change in &changes {
        print_change(context, change)?;
    }
    if !plan.behind.is_empty() {
        context.result(context.heading("behind the index"))?;
        for project in plan.behind.keys() {
            let words = behind_words(repository, plan, project);
            columns::row(context, &format!("  {project}  "), &words)?;
        }
    }
    if changes.is_empty() {
        context.say("nothing changes: no project has a newer version that fits");
    } else {
        context.hint(
            "the same command with `--make NAME` makes the change that contains this project",
        );
    }
    Ok(())
}

/// The change that contains a project.
pub(super) fn chosen<'c>(
    changes: &'c [SmallChange],
    project: &ProjectName,
) -> Result<&'c SmallChange, Failure> {
    let mut all = changes.iter();
    let Some(change) = all.find(|change| change.projects.contains(project)) else {
        return Err(Failure::usage(format!("no change contains `{project}`"))
            .help("`ipwhl update --one-by-one` prints the changes"));
    };
    let first = change.after.first().and_then(|first| changes.get(*first));
    match first.and_then(|first| first.projects.first()) {
        None => Ok(change),
        Some(first) => Err(Failure::usage(format!(
            "the change of `{project}` needs the change of `{first}`, which is not made yet"
        ))
        .help(format!("first run the same command with `--make {first}`"))),
    }
}

fn described<'p>(
    repository: &'p Repository,
    plan: &'p UpdatePlan,
    index: usize,
    change: &'p SmallChange,
) -> Change<'p> {
    let lines = change.projects.iter().map(|project| {
        let old = repository.declarations.get(project);
        let old = old.map(Declaration::version);
        let new = plan.moves.get(project).map(|(_, new)| new);
        let words = match (old, new) {
            (_, None) => "no longer needed",
            (None, Some(_)) => "new",
            (Some(old), Some(new)) if old == new => "other wheels",
            (Some(old), Some(new)) => step_word(Step::between(old, new)),
        };
        Line {
            project,
            from: old.map(Version::to_string),
            to: new.map(Version::to_string),
            change: words,
        }
    });
    Change {
        number: index + 1,
        projects: lines.collect(),
        after: change.after.iter().map(|before| before + 1).collect(),
    }
}

fn step_word(step: Step) -> &'static str {
    match step {
        Step::Major => "major",
        Step::Minor => "minor",
        Step::Patch => "patch",
    }
}

/// A line for each project; the first one begins with the number of the change.
fn print_change(context: &Context<'_>, change: &Change<'_>) -> Result<(), Failure> {
    let number = format!("{}.", change.number);
    let names = change.projects.iter();
    let width = names.map(|line| line.project.as_str().len()).max();
    let width = width.unwrap_or_default();
    for (index, line) in change.projects.iter().enumerate() {
        let mark = if index == 0 { number.as_str() } else { "" };
        let versions = match (&line.from, &line.to) {
            (Some(from), Some(to)) => format!("{from} -> {to}"),
            (Some(version), None) | (None, Some(version)) => version.clone(),
            (None, None) => String::new(),
        };
        let mut row = format!(
            "{mark:>4} {:width$}  {versions} ({})",
            line.project.as_str(),
            line.change
        );
        if index == 0 && !change.after.is_empty() {
            let numbers: Vec<String> = change.after.iter().map(ToString::to_string).collect();
            row += &format!(", after {}", numbers.join(", "));
        }
        context.result(Inert::from(&row))?;
    }
    Ok(())
}
