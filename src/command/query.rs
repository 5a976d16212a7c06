//! Shared by the commands that query the graph: the failures of a query, and the texts for
//! projects, platforms and relations.

use std::collections::BTreeSet;

use ipwhl_packaging::{ExtraName, ProjectName};

use super::context::Context;
use super::report::count;
use crate::foundation::diagnostic::{Finding, nearest};
use crate::foundation::failure::Failure;
use crate::set::graph::{GraphQuery, QueryError, Relation, RelationGroup};
use crate::set::judgement::set_findings;
use crate::set::repository::{Repository, Waiver, summarize_platforms};

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let failure = match &error {
            QueryError::UnknownSet { .. } => Self::finding(&error),
            _ => Self::usage(&error),
        };
        let did_you_mean = |word: &str| format!("did you mean `{word}`?");
        failure.help(match &error {
            QueryError::NotAProject { .. } => "write `NAME` or `NAME[EXTRA]`".to_owned(),
            QueryError::VersionOrMarker { project, .. }
            | QueryError::NamesExtra { project, .. } => format!("write `{project}`"),
            QueryError::UnknownSet { .. } => "`ipwhl check` shows the mistake".to_owned(),
            QueryError::NotInSet { project, similar } => similar.as_deref().map_or_else(
                || {
                    format!(
                        "`ipwhl list` shows the set; `ipwhl add {project}` declares the project"
                    )
                },
                did_you_mean,
            ),
            QueryError::NoExtra {
                extra, declared, ..
            }
            | QueryError::NoExtraOfAny { extra, declared } => {
                let names = declared.iter().map(ExtraName::as_str);
                match nearest(extra.as_str(), names.clone()) {
                    Some(word) => did_you_mean(word),
                    None if declared.is_empty() => "no extra is declared".to_owned(),
                    None => {
                        let names: Vec<&str> = names.collect();
                        format!("the declared extras are {}", names.join(", "))
                    }
                }
            }
            QueryError::NoSuchPlatform { similar, .. } => similar.as_deref().map_or_else(
                || {
                    "name an interpreter, a system or both from `[platforms]`: `cp312`, \
                     `win_amd64`, `cp312-win_amd64`"
                        .to_owned()
                },
                did_you_mean,
            ),
        })
    }
}

/// A short text for platforms; `None` for all selected platforms.
pub(super) fn only_platforms(
    query: &GraphQuery<'_>,
    platforms: &BTreeSet<usize>,
) -> Option<String> {
    if *platforms == query.selected {
        return None;
    }
    summarize_platforms(&query.graph.platform_names(platforms), &query.platforms)
}

/// A project's name, and its version if it is declared.
pub(super) fn title(repository: &Repository, project: &ProjectName) -> String {
    match repository.declarations.get(project) {
        Some(declaration) => format!("{project} {}", declaration.version()),
        None => project.to_string(),
    }
}

/// Notes that the set has findings: the answer to a query may then be incomplete. Returns them.
pub(super) fn note_findings(context: &Context<'_>, query: &GraphQuery<'_>) -> Vec<Finding> {
    let repository = query.repository;
    if repository.configuration.platforms.is_empty() {
        context.say("note: no supported platform is known, so no requirement is evaluated");
    }
    let findings = set_findings(&query.graph, context.session.today());
    if let Some(count) = count(&findings) {
        context.say(&format!(
            "note: the set has {count}; `ipwhl check` shows the findings"
        ));
    }
    findings
}

/// The notes after a requirement, as in ` [extra: pit] [only: cp312 on win_amd64]`.
pub(super) fn notes(query: &GraphQuery<'_>, group: &RelationGroup<'_, '_>) -> String {
    let mut notes = extras_note(group);
    if let Some(platforms) = only_platforms(query, &group.platforms) {
        notes += &format!(" [only: {platforms}]");
    }
    notes
}

/// ` [extra: pit]` if the relations hold only with extras.
pub(super) fn extras_note(group: &RelationGroup<'_, '_>) -> String {
    if group.extras.is_empty() {
        return String::new();
    }
    let extras: Vec<&str> = group.extras.iter().map(|extra| extra.as_str()).collect();
    format!(" [extra: {}]", extras.join(", "))
}

/// ` [unmet: not in the set]` if the relations are not satisfied.
pub(super) fn unmet_note(group: &RelationGroup<'_, '_>) -> String {
    let reason = group.unsatisfied;
    reason.map_or_else(String::new, |reason| format!(" [unmet: {reason}]"))
}

/// The waivers of `ipwhl.toml` that name a project, or a requirement of it.
pub(super) fn waivers<'r>(repository: &'r Repository, project: &ProjectName) -> Vec<&'r Waiver> {
    let waivers = repository.configuration.waivers.iter();
    waivers
        .filter(|waiver| concerned(waiver).any(|name| name == project))
        .collect()
}

/// The projects that a waiver names, each once.
pub(super) fn concerned(waiver: &Waiver) -> impl Iterator<Item = &ProjectName> {
    let required = waiver.requirement.as_ref().map(|required| &required.name);
    let other = required.filter(|name| **name != waiver.project);
    std::iter::once(&waiver.project).chain(other)
}

/// The line and column of an offset in one of the repository's files, from 1.
pub(super) fn position(repository: &Repository, file: &str, offset: usize) -> (usize, usize) {
    let text = repository.texts.get(file);
    text.map_or((1, 1), |text| text.position(offset))
}

/// The relations without those from a project to itself.
pub(super) fn of_others<'a, 'r: 'a>(
    relations: impl IntoIterator<Item = &'a Relation<'r>>,
) -> impl Iterator<Item = &'a Relation<'r>> {
    relations.into_iter().filter(|relation| !relation.is_own())
}
