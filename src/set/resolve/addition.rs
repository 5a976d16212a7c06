//! Adds projects and their requirements to the set, round by round until it is closed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use ipwhl_packaging::{ExtraName, ProjectName};

use super::project::{Resolved, Resolver};
use super::{COMMAND_LINE, Prefer, ProjectRequest};
use crate::foundation::diagnostic::{Code, Finding, SourceText};
use crate::foundation::failure::Failure;
use crate::set::declaration::{
    DECLARATION_SCHEMA_FILE, Declaration, FormatVersion, Layout, keep_comments, parse,
    schema_directive, write_declaration,
};
use crate::set::gather::Network;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::source::{Session, Work};

/// The maximum number of rounds.
const MAXIMUM_ROUNDS: usize = 100;

/// The options for adding projects to a set.
pub struct Addition<'a> {
    /// The cache, the HTTP clients and the observer of progress.
    pub session: &'a Session,
    /// The network settings for the index.
    pub network: &'a Network,
    /// The preferred wheels if a version has native ones and a pure one.
    pub prefer: Prefer,
    /// Whether requirements of the projects are added, too, until the set is closed.
    pub with_dependencies: bool,
}

/// The result of an addition to a repository.
#[derive(Debug, Default)]
pub struct Added {
    /// The projects with new declarations.
    pub written: BTreeSet<ProjectName>,
    /// The fulfilled requests, the last for each project.
    pub granted: BTreeMap<ProjectName, ProjectRequest>,
}

impl Addition<'_> {
    /// Adds declarations for these requests to the repository, as if they had been read from their
    /// files. No file is written.
    ///
    /// # Errors
    /// When the index has no fitting version, cannot be reached, or the set does not close.
    pub fn add(
        &self,
        repository: &mut Repository,
        mut requests: Vec<ProjectRequest>,
    ) -> Result<Added, Failure> {
        let profile = repository.configuration.profile;
        let fetcher = self
            .network
            .fetcher(self.session, &repository.configuration, profile)?;
        let runtime = self.session.runtime()?;
        let mut added = Added::default();
        let mut rounds = 0;
        while !requests.is_empty() {
            rounds += 1;
            if rounds > MAXIMUM_ROUNDS {
                return Err(Failure::finding(
                    "the set does not close: each choice changes the requirements",
                )
                .help("choose the versions yourself: `ipwhl add NAME==VERSION`"));
            }
            for request in &requests {
                let granted = (request.project.clone(), request.clone());
                if added.granted.insert(granted.0, granted.1).as_ref() == Some(request) {
                    return Err(unsatisfiable(repository, request));
                }
            }
            let names = requests.iter().map(|request| request.project.to_string());
            let progress = self.session.begin(Work::Projects, names.collect());
            let tell = |event| progress.fetch(event);
            let resolver = Resolver {
                fetcher: &fetcher,
                platforms: &repository.configuration.platforms,
                prefer: self.prefer,
                progress: &tell,
            };
            let mut answers: Vec<(usize, Result<Resolved, Failure>)> = runtime.block_on(
                stream::iter(requests.iter().enumerate())
                    .map(|(index, request)| {
                        let resolver = &resolver;
                        async move { (index, resolver.resolve(index, request).await) }
                    })
                    .buffer_unordered(self.network.jobs.get())
                    .inspect(|_| progress.verified())
                    .collect(),
            );
            progress.clear();
            answers.sort_by_key(|(index, _)| *index);
            for (_, outcome) in answers {
                let Resolved {
                    declaration,
                    rejected,
                } = outcome?;
                for reason in rejected {
                    self.session.tell_rejected(reason);
                }
                let project = declaration.project.clone();
                insert(repository, declaration)?;
                added.written.insert(project);
            }
            requests = if self.with_dependencies {
                needed(repository, &added.granted)
            } else {
                Vec::new()
            };
        }
        Ok(added)
    }
}

/// The extras that the wheels of a project declare.
pub fn declared_extras(declaration: &Declaration) -> BTreeSet<ExtraName> {
    declaration
        .wheels
        .iter()
        .flat_map(|wheel| wheel.extras.iter().map(|extra| extra.value.clone()))
        .collect()
}

/// Whether findings of a code are about requirements that an addition with dependencies would meet.
pub fn is_open_requirement(code: Code) -> bool {
    matches!(
        code,
        Code::MissingDependency
            | Code::UnsatisfiedDependency
            | Code::MissingExtra
            | Code::UnavailableDependency
    )
}

/// The requests that must be fulfilled before the set is closed.
fn needed(
    repository: &Repository,
    granted: &BTreeMap<ProjectName, ProjectRequest>,
) -> Vec<ProjectRequest> {
    Graph::new(repository)
        .unsatisfied_needs()
        .into_iter()
        .map(|unmet| {
            let declared = repository.declarations.get(&unmet.project);
            let mut request = ProjectRequest::automatic(unmet);
            // Typed requests hold in later rounds, too.
            if let Some(earlier) = granted.get(&request.project) {
                let typed = earlier.typed().cloned();
                request
                    .constraints
                    .extend(typed.map(|specifiers| (COMMAND_LINE.to_owned(), specifiers)));
            }
            request
                .extras
                .extend(declared.into_iter().flat_map(declared_extras));
            if declared.is_some_and(|declaration| !declaration.automatic) {
                request.automatic = false;
                request.platforms = (0..repository.configuration.platforms.len()).collect();
            }
            request.keep = declared.map(|declaration| declaration.version().clone());
            request
        })
        .collect()
}

fn unsatisfiable(repository: &Repository, request: &ProjectRequest) -> Failure {
    let has = repository
        .declarations
        .get(&request.project)
        .map_or_else(String::new, |declaration| {
            format!(", though {} was taken", declaration.version())
        });
    Failure::finding(format!(
        "what the set needs of `{}` cannot be satisfied{has}: {}",
        request.project,
        request.asked()
    ))
    .help("leave an extra out, or choose another version of a requirer: `ipwhl add NAME==VERSION`")
}

/// The file of a project's declaration, from the repository's folder.
pub fn declaration_file(repository: &Repository, project: &ProjectName) -> String {
    format!("{}/{project}.toml", repository.configuration.declarations)
}

/// Adds a declaration to the repository as if it had been read from its file.
fn insert(repository: &mut Repository, mut declaration: Declaration) -> Result<(), Failure> {
    keep_sources(repository, &mut declaration);
    keep_choices(repository, &mut declaration);
    keep_times(repository, &mut declaration);
    let name = declaration_file(repository, &declaration.project);
    let file: Arc<str> = Arc::from(name.as_str());
    let text = write_declaration(&declaration);
    let text = match repository.texts.get(&file) {
        Some(before) => keep_comments(before.as_str(), &text),
        None => schema_line(repository) + &text,
    };
    let parsed = parse(&file, &text, Layout::Package);
    let is_fatal =
        |finding: &&Finding| !finding.code.may_be_overridden() || finding.code.hides_requirements();
    if let Some(finding) = parsed.findings.iter().find(is_fatal) {
        return Err(Failure::finding(format!(
            "the index's data of `{}` makes no valid declaration: {}",
            declaration.project, finding.message
        )));
    }
    repository
        .texts
        .insert(Arc::clone(&file), SourceText::new(text));
    repository.unreadable.remove(&declaration.project);
    repository.declarations.insert(
        declaration.project.clone(),
        Declaration {
            file,
            automatic: parsed.automatic,
            automatic_span: parsed.automatic_span,
            provenance: parsed.provenance,
            wheels: parsed.wheels,
            project: declaration.project,
        },
    );
    Ok(())
}

/// A wheel that stays keeps the sources that people have given it.
fn keep_sources(repository: &Repository, declaration: &mut Declaration) {
    let Some(before) = repository.declarations.get(&declaration.project) else {
        return;
    };
    for wheel in &mut declaration.wheels {
        let same = before.wheels.iter().find(|other| {
            other.file_name.as_str() == wheel.file_name.as_str()
                && other.content_id.value == wheel.content_id.value
        });
        if let Some(same) = same {
            wheel.sources.clone_from(&same.sources);
        }
    }
}

/// The times of uploads, as far as the repository's format has them. A wheel that stays keeps the
/// declared one if the index states none.
fn keep_times(repository: &Repository, declaration: &mut Declaration) {
    let before = repository.declarations.get(&declaration.project);
    for wheel in &mut declaration.wheels {
        if repository.configuration.format < FormatVersion::V2 {
            wheel.uploaded = None;
        } else if wheel.uploaded.is_none() {
            let same = before.and_then(|before| {
                let mut wheels = before.wheels.iter();
                wheels.find(|other| other.content_id.value == wheel.content_id.value)
            });
            wheel.uploaded = same.and_then(|same| same.uploaded.clone());
        }
    }
}

/// The curators' own words about a project outlive its versions: where it is offered, who publishes
/// it, and that nobody has reviewed it yet.
fn keep_choices(repository: &Repository, declaration: &mut Declaration) {
    let Some(before) = repository.declarations.get(&declaration.project) else {
        return;
    };
    declaration.provenance.clone_from(&before.provenance);
    // An `only` that all wheels share is about the project.
    let first = before.wheels.first().and_then(|wheel| wheel.only.as_ref());
    let is_shared = before
        .wheels
        .iter()
        .all(|wheel| wheel.only.as_ref().map(|only| &only.value) == first.map(|only| &only.value));
    for wheel in &mut declaration.wheels {
        if is_shared {
            wheel.only = first.cloned();
        }
    }
}

/// The first line of a new declaration if the repository has the schema: a directive for editors.
fn schema_line(repository: &Repository) -> String {
    if repository.directory.join(DECLARATION_SCHEMA_FILE).is_file() {
        schema_directive(&repository.configuration.declarations) + "\n\n"
    } else {
        String::new()
    }
}
