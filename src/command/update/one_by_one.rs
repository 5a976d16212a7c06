//! The list of small changes, as text and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::ProjectName;
use serde::Serialize;

use super::changes::{Behind, Line, behind, lines};
use super::report::behind_words;
use crate::command::columns;
use crate::command::context::Context;
use crate::command::draw::to_json;
use crate::foundation::diagnostic::Inert;
use crate::foundation::failure::Failure;
use crate::set::repository::Repository;
use crate::set::resolve::{SmallChange, UpdatePlan};

/// A small change, as in JSON.
#[derive(Serialize)]
struct Change<'p> {
    /// From 1.
    number: usize,
    projects: Vec<Line<'p>>,
    /// The numbers of the changes that must be made before.
    after: BTreeSet<usize>,
    /// The vulnerabilities that it mends.
    mends: BTreeSet<&'p str>,
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
    mended: &BTreeMap<ProjectName, BTreeSet<String>>,
    as_json: bool,
) -> Result<(), Failure> {
    let numbered = small.iter().enumerate();
    let changes: Vec<Change<'_>> = numbered
        .map(|(index, change)| Change {
            number: index + 1,
            projects: lines(repository, plan, &change.projects),
            after: change.after.iter().map(|before| before + 1).collect(),
            mends: {
                let of = change.projects.iter().filter_map(|name| mended.get(name));
                of.flatten().map(String::as_str).collect()
            },
        })
        .collect();
    if as_json {
        let behind = behind(repository, plan);
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
        if index == 0 && !change.mends.is_empty() {
            let identifiers: Vec<&str> = change.mends.iter().copied().collect();
            row += &format!(", mends {}", identifiers.join(", "));
        }
        context.result(Inert::from(&row))?;
    }
    Ok(())
}
