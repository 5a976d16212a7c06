//! A project as JSON.

use ipwhl_packaging::{ExtraName, ProjectName, specifiers_text};
use serde::Serialize;

use super::super::query::{of_others, position, waivers};
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::graph::{GraphQuery, Relation, UnsatisfiedReason};

/// The printed object.
#[derive(Serialize)]
pub(super) struct Document<'r> {
    pub(super) projects: Vec<Shown<'r>>,
}

/// A project.
#[derive(Serialize)]
pub(super) struct Shown<'r> {
    name: &'r ProjectName,
    version: String,
    wanted: bool,
    file: &'r str,
    platforms: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<&'r str>,
    reviewed: bool,
    wheels: Vec<ShownWheel<'r>>,
    needs: Vec<Need<'r>>,
    needed_by: Vec<Need<'r>>,
    waivers: Vec<ShownWaiver<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<Index>,
}

#[derive(Serialize)]
struct ShownWheel<'r> {
    file_name: &'r str,
    file: &'r str,
    /// In bytes.
    size: Option<u64>,
    content_id: String,
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<String>,
    requires_python: Option<String>,
    extras: Vec<&'r str>,
    platforms: Vec<String>,
    sources: Vec<String>,
}

/// A requirement of the project, or of another one.
#[derive(Serialize)]
struct Need<'r> {
    /// The other project: the required or the requiring one.
    project: &'r ProjectName,
    requirement: String,
    extra: Option<&'r str>,
    platforms: Vec<String>,
    unmet: Option<&'static str>,
    file: &'r str,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct ShownWaiver<'r> {
    code: &'static str,
    project: &'r ProjectName,
    requirement: Option<String>,
    reason: &'r str,
    expires: String,
    line: usize,
}

/// Newer versions in the index.
#[derive(Serialize)]
pub(super) struct Index {
    pub(super) newest: Option<String>,
    pub(super) newest_fitting: Option<String>,
}

/// The details of a project in the set.
pub(super) fn shown<'r>(
    query: &GraphQuery<'r>,
    declaration: &'r Declaration,
    index: Option<Index>,
) -> Shown<'r> {
    let repository = query.repository;
    let project = &declaration.project;
    let need = |relation: &Relation<'r>, other: &'r ProjectName| {
        let (line, column) = position(repository, relation.file(), relation.span().start);
        Need {
            project: other,
            requirement: relation.requirement.to_string(),
            extra: relation.extra.map(ExtraName::as_str),
            platforms: query.graph.platform_names(&relation.platforms),
            unmet: relation.unsatisfied.as_ref().map(UnsatisfiedReason::as_str),
            file: relation.file(),
            line,
            column,
        }
    };
    let wheel = |number: usize, wheel: &'r DeclaredWheel| ShownWheel {
        file_name: wheel.file_name.as_str(),
        file: &wheel.file,
        size: wheel.size.as_ref().map(|size| size.value),
        content_id: wheel.content_id.value.to_string(),
        sha256: wheel.sha256.as_ref().map(|digest| digest.value.to_string()),
        uploaded: wheel.uploaded.as_ref().map(|time| time.value.to_string()),
        only: wheel.only.as_ref().map(|only| only.value.to_string()),
        requires_python: wheel
            .requires_python
            .as_ref()
            .map(|specifiers| specifiers_text(&specifiers.value)),
        extras: wheel
            .extras
            .iter()
            .map(|extra| extra.value.as_str())
            .collect(),
        platforms: query
            .graph
            .platform_names(&query.graph.used_on(project, number)),
        sources: wheel
            .sources
            .iter()
            .map(|source| source.value.to_string())
            .collect(),
    };
    Shown {
        name: project,
        version: declaration.version().to_string(),
        wanted: !declaration.automatic,
        file: &declaration.file,
        platforms: query.graph.platform_names(&query.graph.covered(project)),
        publisher: declaration
            .provenance
            .publisher
            .as_ref()
            .map(|one| one.value.as_str()),
        reviewed: declaration.provenance.unreviewed.is_none(),
        wheels: declaration
            .wheels
            .iter()
            .enumerate()
            .map(|(number, one)| wheel(number, one))
            .collect(),
        needs: of_others(query.relations().of(project))
            .map(|relation| need(relation, relation.to()))
            .collect(),
        needed_by: of_others(query.relations().naming(project))
            .map(|relation| need(relation, &relation.from.project))
            .collect(),
        waivers: waivers(repository, project)
            .into_iter()
            .map(|waiver| ShownWaiver {
                code: waiver.code.as_str(),
                project: &waiver.project,
                requirement: waiver.requirement.as_ref().map(ToString::to_string),
                reason: &waiver.reason,
                expires: waiver.expires.value.to_string(),
                line: position(
                    repository,
                    &repository.configuration_file(),
                    waiver.span.start,
                )
                .0,
            })
            .collect(),
        index,
    }
}
