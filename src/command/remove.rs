//! `ipwhl remove`: removes projects from the set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clap::Args;
use ipwhl_packaging::ProjectName;

use super::context::Context;
use super::exit::ExitStatus;
use super::query::{note_findings, notes, title};
use super::show::{concerned, position};
use crate::foundation::failure::Failure;
use crate::set::declaration::{FileChange, Layout, change_files, made_automatic};
use crate::set::graph::{Direction, GraphQuery, Relation, Removals, group_relations, member};
use crate::set::repository::{Repository, presumed_project};

/// How many projects a way out or a note names.
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

/// What is going to be done.
struct Plan {
    goes: BTreeSet<ProjectName>,
    /// What stays, as automatic.
    kept: BTreeSet<ProjectName>,
    /// What nothing needs any more, and stays.
    left_over: BTreeSet<ProjectName>,
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
    let Some(plan) = plan(context, &query, &removals, named, arguments) else {
        return Ok(ExitStatus::Findings);
    };
    let mut changes = Vec::new();
    for project in &plan.kept {
        changes.extend(demotion(&repository, project)?);
    }
    let files = Files::new(&repository);
    for project in &plan.goes {
        for file in files.of(project, &plan.goes)? {
            changes.push(FileChange::remove(&repository.directory.join(&**file)));
        }
    }
    if !arguments.dry_run {
        let top = repository
            .directory
            .join(&repository.configuration.declarations);
        change_files(&changes, &top)?;
    }
    tell(context, &query, &plan, arguments.dry_run);
    Ok(ExitStatus::Clean)
}

/// What goes and what stays; `None` where something that stays needs what was to go, which is told.
fn plan(
    context: &Context<'_>,
    query: &GraphQuery<'_>,
    removals: &Removals<'_, '_>,
    mut named: BTreeSet<ProjectName>,
    arguments: &Arguments,
) -> Option<Plan> {
    let repository = query.repository;
    let mut with_dependencies = arguments.with_dependencies;
    let unreadable: Vec<&str> = repository
        .unreadable
        .iter()
        .filter(|project| !named.contains(*project))
        .map(ProjectName::as_str)
        .collect();
    if !unreadable.is_empty() {
        let consequence = if with_dependencies {
            "so only the named projects are removed"
        } else {
            "so its requirements are unknown"
        };
        context.warning(&format!(
            "a declaration cannot be read, {consequence}: {}",
            unreadable.join(", ")
        ));
        with_dependencies = false;
    }
    let mut kept = BTreeSet::new();
    if arguments.keep_needed {
        kept = removals.still_needed(&named, with_dependencies);
        named.retain(|project| !kept.contains(project));
    }
    let outcome = removals.removal(&named, with_dependencies);
    if !outcome.broken.is_empty() {
        let broken = &outcome.broken;
        refuse(context, query, removals, &named, broken, with_dependencies);
        return None;
    }
    let left_over: BTreeSet<ProjectName> = outcome.left_over.into_iter().cloned().collect();
    let mut goes = named;
    if with_dependencies {
        goes.extend(left_over.iter().cloned());
    }
    Some(Plan {
        left_over: left_over.difference(&goes).cloned().collect(),
        goes,
        kept,
    })
}

/// Says what needs the projects that were to go, and the ways out.
fn refuse(
    context: &Context<'_>,
    query: &GraphQuery<'_>,
    removals: &Removals<'_, '_>,
    named: &BTreeSet<ProjectName>,
    broken: &[&Relation<'_>],
    with_dependencies: bool,
) {
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

/// The change that makes a project automatic; `None` where it is.
fn demotion(repository: &Repository, project: &ProjectName) -> Result<Option<FileChange>, Failure> {
    let Some(declaration) = repository.declarations.get(project) else {
        return Ok(None);
    };
    if declaration.automatic {
        return Ok(None);
    }
    if repository.configuration.layout != Layout::Package {
        return Err(Failure::usage(format!(
            "`{project}` is still needed, and the layout `ipwhl-1` has no `automatic` projects"
        )));
    }
    let text = repository.texts.get(&declaration.file);
    let text = text.and_then(|text| made_automatic(text.as_str()));
    let path = repository.directory.join(&*declaration.file);
    match text {
        Some(text) => Ok(Some(FileChange::write(&path, text.into_bytes()))),
        None => Err(Failure::finding(format!(
            "`{}` cannot be read, so `{project}` cannot be made automatic",
            declaration.file
        ))
        .help("`ipwhl check` shows the mistake")),
    }
}

/// Which file declares what.
struct Files<'r> {
    declared: BTreeMap<&'r Arc<str>, BTreeSet<&'r ProjectName>>,
    /// Files that declare nothing that is understood, by the project that their names stand for.
    unread: BTreeMap<ProjectName, Vec<&'r Arc<str>>>,
    by_project: BTreeMap<&'r ProjectName, BTreeSet<&'r Arc<str>>>,
}

impl<'r> Files<'r> {
    fn new(repository: &'r Repository) -> Self {
        let mut files = Self {
            declared: BTreeMap::new(),
            unread: BTreeMap::new(),
            by_project: BTreeMap::new(),
        };
        for (project, declaration) in &repository.declarations {
            for wheel in &declaration.wheels {
                files
                    .declared
                    .entry(&wheel.file)
                    .or_default()
                    .insert(project);
                files
                    .by_project
                    .entry(project)
                    .or_default()
                    .insert(&wheel.file);
            }
        }
        let configuration = &repository.configuration;
        let folder = format!("{}/", configuration.declarations);
        let unread = repository
            .texts
            .keys()
            .filter(|file| file.starts_with(&folder) && !files.declared.contains_key(file));
        for file in unread {
            if let Some(project) = presumed_project(file, configuration.layout) {
                files.unread.entry(project).or_default().push(file);
            }
        }
        files
    }

    /// The files that declare a project and nothing else that stays.
    fn of(
        &self,
        project: &ProjectName,
        goes: &BTreeSet<ProjectName>,
    ) -> Result<BTreeSet<&'r Arc<str>>, Failure> {
        let unread = self.unread.get(project).into_iter().flatten();
        let declared = self.by_project.get(project).into_iter().flatten();
        let files: BTreeSet<&'r Arc<str>> = declared.chain(unread).copied().collect();
        for file in &files {
            let others = self.declared.get(file).into_iter().flatten();
            if let Some(other) = others.copied().find(|other| !goes.contains(*other)) {
                return Err(Failure::finding(format!(
                    "`{file}` declares both `{project}` and `{other}`"
                ))
                .help("move each project to its own file; `ipwhl check` shows where"));
            }
        }
        if files.is_empty() {
            return Err(Failure::finding(format!(
                "the declaration of `{project}` is not in a file that can be read"
            ))
            .help("`ipwhl check` shows the file; remove it by hand"));
        }
        Ok(files)
    }
}

/// Says what was done, or would be, and what it leaves behind.
fn tell(context: &Context<'_>, query: &GraphQuery<'_>, plan: &Plan, dry_run: bool) {
    let repository = query.repository;
    let (removed, made) = if dry_run {
        ("would remove", "would make automatic")
    } else {
        ("removed", "made automatic")
    };
    for project in &plan.goes {
        context.say(&format!("{removed} {}", title(repository, project)));
    }
    for project in &plan.kept {
        let requirers = query.relations().neighbours(project, Direction::Requirers);
        let by: Vec<&str> = requirers
            .into_iter()
            .filter(|from| !plan.goes.contains(*from))
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
        let names = concerned(waiver).filter(|project| plan.goes.contains(*project));
        for project in names {
            let file = repository.configuration_file();
            let (line, _) = position(repository, &file, waiver.span.start);
            context.say(&format!(
                "note: {file}:{line}: the waiver of `{}` for `{}` concerns `{project}`, which is no longer in the set",
                waiver.code, waiver.project
            ));
        }
    }
}
