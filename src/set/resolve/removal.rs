//! Which projects leave the set, and which files change for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipwhl_packaging::ProjectName;

use crate::foundation::failure::Failure;
use crate::set::declaration::{FileChange, Layout, made_automatic};
use crate::set::graph::{Relation, Removals};
use crate::set::repository::{Repository, presumed_project};

/// How much goes with the projects that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovalOptions {
    /// Whether automatic projects go that nothing else needs afterwards.
    pub with_dependencies: bool,
    /// Whether projects that are still needed stay, as automatic, instead of refusing everything.
    pub keep_needed: bool,
}

/// The projects that leave the set, and those that stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalPlan {
    /// Those that leave it.
    pub removed: BTreeSet<ProjectName>,
    /// Those that were named and stay, as automatic.
    pub kept: BTreeSet<ProjectName>,
    /// Those that stay, though nothing needs them any more.
    pub left_over: BTreeSet<ProjectName>,
}

/// Why nothing is removed: a project that stays needs one that was to go.
#[derive(Debug)]
pub struct StillNeeded<'a, 'r> {
    /// The projects that were to go.
    pub named: BTreeSet<ProjectName>,
    /// What projects that stay require of them.
    pub broken: Vec<&'a Relation<'r>>,
    /// Whether what nothing else needs was to go with them.
    pub with_dependencies: bool,
}

/// The projects, but for the named ones, whose declarations cannot be read. Since nobody knows what
/// they need, only what is named is removed then.
pub fn unreadable<'r>(repository: &'r Repository, named: &BTreeSet<ProjectName>) -> Vec<&'r str> {
    let unreadable = repository.unreadable.iter();
    let others = unreadable.filter(|project| !named.contains(*project));
    others.map(ProjectName::as_str).collect()
}

impl RemovalPlan {
    /// The plan to remove the named projects.
    ///
    /// # Errors
    /// Where a project that stays needs one that was to go.
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

    /// The changes of files that it takes.
    ///
    /// # Errors
    /// Where a file declares a project that stays as well, or a project is in no file that is read.
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
struct DeclaringFiles<'r> {
    declared: BTreeMap<&'r Arc<str>, BTreeSet<&'r ProjectName>>,
    /// Files that declare nothing that is understood, by the project that their names stand for.
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

    /// The files that declare a project, and no project that stays.
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
                "the declaration of `{project}` is not in a file that can be read"
            ))
            .help("`ipwhl check` shows the file; remove it by hand"));
        }
        Ok(files)
    }
}
