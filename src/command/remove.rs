//! `ipwhl remove`: removes projects from the set.

use std::collections::BTreeSet;

use clap::Args;
use ipwhl_packaging::ProjectName;

use super::change::check_unchanged;
use super::context::Context;
use super::exit::ExitStatus;
use super::query::{concerned, note_findings, notes, position, title};
use crate::foundation::failure::Failure;
use crate::set::declaration::{Layout, change_files};
use crate::set::graph::{Direction, GraphQuery, Removals, group_relations, member};
use crate::set::resolve::{RemovalOptions, RemovalPlan, StillNeeded, unreadable};

/// The maximum number of projects in a help text or a note.
const MAXIMUM_NAMED: usize = 8;

/// Remove projects from the set
///
/// Removes their declarations. Removes nothing if a project that stays needs one of them.
///
/// Example: ipwhl remove --with-dependencies flask
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to remove
    #[arg(required = true, value_name = "NAME")]
    projects: Vec<String>,
    /// Also remove automatic projects that no other project needs afterwards
    #[arg(long)]
    with_dependencies: bool,
    /// Keep projects that are still needed, mark them as automatic, and remove the others
    #[arg(long)]
    keep_needed: bool,
    /// Print the changes without making them
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    if repository.configuration.platforms.is_empty() {
        return Err(Failure::finding(
            "no supported platform is known, so the requirements cannot be evaluated",
        )
        .help("`ipwhl check` shows the mistake"));
    }
    let query = GraphQuery::new(&repository, &[])?;
    let mut named = BTreeSet::new();
    for text in &arguments.projects {
        named.insert(member(&repository, text)?);
    }
    note_findings(context, &query);
    let removals = Removals::new(&repository, query.relations());
    let options = RemovalOptions {
        with_dependencies: arguments.with_dependencies,
        keep_needed: arguments.keep_needed,
    };
    let unreadable = unreadable(&repository, &named);
    if !unreadable.is_empty() {
        let consequence = if arguments.with_dependencies {
            "so only the named projects are removed"
        } else {
            "so its requirements are unknown"
        };
        context.warning(&format!(
            "a declaration cannot be read, {consequence}: {}",
            unreadable.join(", ")
        ));
    }
    let plan = match RemovalPlan::new(&repository, &removals, named, options) {
        Ok(plan) => plan,
        Err(needed) => {
            refuse(context, &query, &removals, &needed);
            return Ok(ExitStatus::Findings);
        }
    };
    let changes = plan.changes(&repository)?;
    if !arguments.dry_run {
        let top = repository
            .directory
            .join(&repository.configuration.declarations);
        change_files(&changes, &top, &|| {
            check_unchanged(context, &repository.texts)
        })?;
    }
    tell(context, &query, &plan, arguments.dry_run);
    Ok(ExitStatus::Clean)
}

/// Prints the requirers of the projects to remove, and help.
fn refuse(
    context: &Context<'_>,
    query: &GraphQuery<'_>,
    removals: &Removals<'_, '_>,
    refused: &StillNeeded<'_, '_>,
) {
    let StillNeeded {
        named,
        broken,
        with_dependencies,
    } = refused;
    let with_dependencies = *with_dependencies;
    let repository = query.repository;
    let needed: BTreeSet<&ProjectName> = broken
        .iter()
        .map(|relation| &relation.requirement.name)
        .collect();
    let words: Vec<String> = needed.iter().map(|name| format!("`{name}`")).collect();
    let still = if needed.len() == 1 { "is" } else { "are" };
    context.error(&format!(
        "nothing was removed: {} {still} needed by projects that stay",
        words.join(", ")
    ));
    for relation in broken {
        let (line, column) = position(repository, relation.file(), relation.span().start);
        let notes: String = group_relations([*relation])
            .iter()
            .map(|group| notes(query, group))
            .collect();
        context.tell(&format!(
            "  {}:{line}:{column}: {} requires `{}`{notes}",
            relation.file(),
            title(repository, &relation.from.project),
            relation.requirement
        ));
    }
    if !with_dependencies
        && repository.unreadable.is_empty()
        && removals.removal(named, true).broken.is_empty()
    {
        context.help("`--with-dependencies` also removes the projects that need them");
    }
    let all = removals.with_requirers(named, with_dependencies);
    if all.len() <= MAXIMUM_NAMED {
        let all: Vec<&str> = all.iter().map(ProjectName::as_str).collect();
        context.help(&format!(
            "to remove the projects that need it, too: `ipwhl remove {}`",
            all.join(" ")
        ));
    } else {
        context.help(&format!(
            "{} more projects need it: `ipwhl tree --invert {}` shows them",
            all.len() - named.len(),
            needed
                .iter()
                .map(|name| name.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        ));
    }
    let is_wanted = |name: &&&ProjectName| {
        let declaration = repository.declarations.get(**name);
        declaration.is_some_and(|found| !found.automatic)
    };
    if repository.configuration.layout == Layout::Package
        && needed.iter().any(|name| is_wanted(&name))
    {
        context.help("`--keep-needed` keeps it as automatic while another project needs it");
    }
}

/// Prints the changes, made or planned, and the projects that are no longer needed.
fn tell(context: &Context<'_>, query: &GraphQuery<'_>, plan: &RemovalPlan, dry_run: bool) {
    let repository = query.repository;
    let (removed, made) = if dry_run {
        ("would remove", "would make automatic")
    } else {
        ("removed", "made automatic")
    };
    for project in &plan.removed {
        context.say(&format!("{removed} {}", title(repository, project)));
    }
    for project in &plan.kept {
        let requirers = query.relations().neighbours(project, Direction::Requirers);
        let by: Vec<&str> = requirers
            .into_iter()
            .filter(|from| !plan.removed.contains(*from))
            .map(ProjectName::as_str)
            .collect();
        let was_wanted = repository
            .declarations
            .get(project)
            .is_some_and(|declaration| !declaration.automatic);
        let verb = if was_wanted { made } else { "kept" };
        let (title, by) = (title(repository, project), by.join(", "));
        context.say(&format!("{verb} {title}: needed by {by}"));
    }
    if !plan.left_over.is_empty() {
        let names: Vec<&str> = plan.left_over.iter().map(ProjectName::as_str).collect();
        let more = names.len().saturating_sub(MAXIMUM_NAMED);
        context.say(&if more == 0 {
            format!(
                "note: nothing else needs {}: `ipwhl remove {}`",
                names.join(", "),
                names.join(" ")
            )
        } else {
            format!(
                "note: nothing else needs {} and {more} more: `ipwhl check` names each",
                names[..MAXIMUM_NAMED].join(", ")
            )
        });
    }
    for waiver in &repository.configuration.waivers {
        let names = concerned(waiver).filter(|project| plan.removed.contains(*project));
        for project in names {
            let file = repository.configuration_file();
            let (line, _) = position(repository, &file, waiver.span.start);
            context.say(&format!(
                "note: {file}:{line}: the waiver of `{}` for `{}` concerns `{project}`, which is \
                 no longer in the set",
                waiver.code, waiver.project
            ));
        }
    }
}
