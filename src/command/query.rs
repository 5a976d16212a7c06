//! What those commands share that ask the graph: why it cannot answer, and the words for projects,
//! platforms and relations.

use std::collections::BTreeSet;

use ipwhl_packaging::{ExtraName, ProjectName};

use super::context::Context;
use super::report::count;
use crate::foundation::diagnostic::nearest;
use crate::foundation::failure::Failure;
use crate::set::check;
use crate::set::gather::WheelReport;
use crate::set::graph::{GraphQuery, QueryError, Relation, RelationGroup};
use crate::set::judgement::judge;
use crate::set::repository::{Repository, Waiver, summarize_platforms};

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let failure = match &error {
            QueryError::UnknownSet { .. } => Self::finding(&error),
            _ => Self::usage(&error),
        };
        let did_you_mean = |word: &str| format!("did you mean `{word}`?");
        failure.help(match &error {
            QueryError::NotAProject { .. } => {
                "projects are written `NAME` or `NAME[EXTRA]`".to_owned()
            }
            QueryError::VersionOrMarker { project, .. }
            | QueryError::NamesExtra { project, .. } => format!("write `{project}`"),
            QueryError::UnknownSet { .. } => "`ipwhl check` shows what is wrong with it".to_owned(),
            QueryError::NotInSet { project, similar } => similar.as_deref().map_or_else(
                || format!("`ipwhl list` shows what is; `ipwhl add {project}` declares it"),
                did_you_mean,
            ),
            QueryError::NoExtra { extra, declared, .. }
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
                    "name an interpreter, a system or both of `[platforms]`: `cp312`, `win_amd64`, `cp312-win_amd64`"
                        .to_owned()
                },
                did_you_mean,
            ),
        })
    }
}

/// Platforms in few words; `None` for all that are looked at.
pub(super) fn place(query: &GraphQuery<'_>, platforms: &BTreeSet<usize>) -> Option<String> {
    if *platforms == query.selected {
        return None;
    }
    summarize_platforms(&query.graph.platform_names(platforms), &query.platforms)
}

/// A project's name and version, as far as there is one.
pub(super) fn title(repository: &Repository, project: &ProjectName) -> String {
    match repository.declarations.get(project) {
        Some(declaration) => format!("{project} {}", declaration.version()),
        None => project.to_string(),
    }
}

/// Says once that the set has findings, since what is asked of such a set may be half an answer.
pub(super) fn tell_of_findings(context: &Context<'_>, query: &GraphQuery<'_>) {
    let repository = query.repository;
    if repository.configuration.platforms.is_empty() {
        context.say("note: no supported platform is known, so no requirement is looked at");
    }
    let mut findings = repository.findings.clone();
    findings.extend(check::set_with(&query.graph));
    let today = context.session.today();
    let findings = judge(repository, findings, &WheelReport::default(), today, "");
    if let Some(count) = count(&findings) {
        context.say(&format!(
            "note: the set has {count}; `ipwhl check` shows what is wrong"
        ));
    }
}

/// What is to be said of relations beside the requirement: ` [extra: pit] [only: cp312 on
/// win_amd64]`.
pub(super) fn notes(query: &GraphQuery<'_>, group: &RelationGroup<'_, '_>) -> String {
    let mut notes = extras_note(group);
    if let Some(place) = place(query, &group.platforms) {
        notes += &format!(" [only: {place}]");
    }
    notes
}

/// ` [extra: pit]`, where relations hold under extras alone.
pub(super) fn extras_note(group: &RelationGroup<'_, '_>) -> String {
    if group.extras.is_empty() {
        return String::new();
    }
    let extras: Vec<&str> = group.extras.iter().map(|extra| extra.as_str()).collect();
    format!(" [extra: {}]", extras.join(", "))
}

/// ` [unmet: not in the set]`, where relations are not satisfied.
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

/// The line and the column of a place in one of the repository's texts, from 1.
pub(super) fn position(repository: &Repository, file: &str, offset: usize) -> (usize, usize) {
    let text = repository.texts.get(file);
    text.map_or((1, 1), |text| text.position(offset))
}

/// These relations without what a project requires of itself.
pub(super) fn of_others<'a, 'r: 'a>(
    relations: impl IntoIterator<Item = &'a Relation<'r>>,
) -> impl Iterator<Item = &'a Relation<'r>> {
    relations.into_iter().filter(|relation| !relation.is_own())
}
