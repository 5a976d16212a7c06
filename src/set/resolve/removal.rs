//! Plans the removal of projects: the projects that leave the set, and the changes of files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipwhl_packaging::ProjectName;

use crate::foundation::failure::Failure;
use crate::set::declaration::{FileChange, Layout, made_automatic};
use crate::set::graph::{Relation, Removals};
use crate::set::repository::{Repository, presumed_project};

/// The options of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovalOptions {
    /// Whether to remove automatic projects that are no longer needed.
    pub with_dependencies: bool,
    /// Whether to keep projects that are still needed, as automatic, instead of refusing the
    /// removal.
    pub keep_needed: bool,
}

/// The projects that leave the set, and those that stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemovalPlan {
    /// The projects that leave the set.
    pub removed: BTreeSet<ProjectName>,
    /// The named projects that stay, as automatic.
    pub kept: BTreeSet<ProjectName>,
    /// The projects that stay, though they are no longer needed.
    pub left_over: BTreeSet<ProjectName>,
}

/// The reason why nothing is removed: a remaining project needs a named one.
#[derive(Debug)]
pub struct StillNeeded<'a, 'r> {
    /// The projects to remove.
    pub named: BTreeSet<ProjectName>,
    /// The requirements of remaining projects for them.
    pub broken: Vec<&'a Relation<'r>>,
    /// Whether projects that are no longer needed were to be removed too.
    pub with_dependencies: bool,
}

/// The projects, except the named ones, whose declarations cannot be read. Their needs are unknown,
/// so only the named projects are removed then.
pub fn unreadable<'r>(repository: &'r Repository, named: &BTreeSet<ProjectName>) -> Vec<&'r str> {
    let unreadable = repository.unreadable.iter();
    let others = unreadable.filter(|project| !named.contains(*project));
    others.map(ProjectName::as_str).collect()
}

impl RemovalPlan {
    /// The plan to remove the named projects.
    ///
    /// # Errors
    /// When a remaining project needs one of them.
    pub fn new<'a, 'r>(
        repository: &Repository,
        removals: &Removals<'a, 'r>,
        mut named: BTreeSet<ProjectName>,
        options: RemovalOptions,
    ) -> Result<Self, StillNeeded<'a, 'r>> {
        let with_dependencies =
            options.with_dependencies && unreadable(repository, &named).is_empty();
        let mut kept = BTreeSet::new();
        if options.keep_needed {
            kept = removals.still_needed(&named, with_dependencies);
            named.retain(|project| !kept.contains(project));
        }
        let outcome = removals.removal(&named, with_dependencies);
        if !outcome.broken.is_empty() {
            return Err(StillNeeded {
                broken: outcome.broken,
                named,
                with_dependencies,
            });
        }
        let left_over: BTreeSet<ProjectName> = outcome.left_over.into_iter().cloned().collect();
        let mut removed = named;
        if with_dependencies {
            removed.extend(left_over.iter().cloned());
        }
        Ok(Self {
            left_over: left_over.difference(&removed).cloned().collect(),
            removed,
            kept,
        })
    }

    /// The changes of files for the plan.
    ///
    /// # Errors
    /// When a file also declares a remaining project, or a project is in no readable file.
    pub fn changes(&self, repository: &Repository) -> Result<Vec<FileChange>, Failure> {
        let mut changes = Vec::new();
        for project in &self.kept {
            changes.extend(demotion(repository, project)?);
        }
        let files = DeclaringFiles::new(repository);
        for project in &self.removed {
            for file in files.of(project, &self.removed)? {
                changes.push(FileChange::remove(&repository.directory.join(&**file)));
            }
        }
        Ok(changes)
    }
}

/// The change that makes a project automatic; `None` if it is automatic already.
fn demotion(repository: &Repository, project: &ProjectName) -> Result<Option<FileChange>, Failure> {
    let Some(declaration) = repository.declarations.get(project) else {
        return Ok(None);
    };
    if declaration.automatic {
        return Ok(None);
    }
    if repository.configuration.layout != Layout::Package {
        return Err(Failure::usage(format!(
            "`{project}` is still needed, but the layout `ipwhl-1` does not have `automatic`"
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

/// The files with the declarations of each project.
struct DeclaringFiles<'r> {
    declared: BTreeMap<&'r Arc<str>, BTreeSet<&'r ProjectName>>,
    /// Unreadable files, by the project that their names suggest.
    unread: BTreeMap<ProjectName, Vec<&'r Arc<str>>>,
    by_project: BTreeMap<&'r ProjectName, BTreeSet<&'r Arc<str>>>,
}

impl<'r> DeclaringFiles<'r> {
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

    /// The files that declare a project, but no remaining project.
    fn of(
        &self,
        project: &ProjectName,
        removed: &BTreeSet<ProjectName>,
    ) -> Result<BTreeSet<&'r Arc<str>>, Failure> {
        let unread = self.unread.get(project).into_iter().flatten();
        let declared = self.by_project.get(project).into_iter().flatten();
        let files: BTreeSet<&'r Arc<str>> = declared.chain(unread).copied().collect();
        for file in &files {
            let others = self.declared.get(file).into_iter().flatten();
            if let Some(other) = others.copied().find(|other| !removed.contains(*other)) {
                return Err(Failure::finding(format!(
                    "`{file}` declares both `{project}` and `{other}`"
                ))
                .help("move each project to its own file; `ipwhl check` shows where"));
            }
        }
        if files.is_empty() {
            return Err(Failure::finding(format!(
                "`{project}` is declared in a place that is not read"
            ))
            .help("`ipwhl check` shows it; remove it by hand"));
        }
        Ok(files)
    }
}
