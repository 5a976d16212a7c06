//! The answers of the index about declared projects: their status (PEP 792), and wheels that were
//! yanked (PEP 592).

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use ipwhl_packaging::ProjectName;

use crate::foundation::diagnostic::{Code, Finding};
use crate::foundation::failure::Failure;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::gather::Network;
use crate::set::repository::Repository;
use crate::set::resolve::{missing_wheels, yanked_wheels};
use crate::source::{ProjectPage, ProjectStatus, Session, SourceProblem, StatusMarker, Work};

/// Findings about the projects that have a source in the index, from its pages as they are now, and
/// the projects that the index does not have. Each page is asked for once.
///
/// # Errors
/// When the index cannot be asked about one of them.
pub(super) fn about_index(
    session: &Session,
    network: &Network,
    repository: &Repository,
) -> Result<(Vec<Finding>, Vec<ProjectName>), Failure> {
    let configuration = &repository.configuration;
    let fetcher = &network.fetcher(session, configuration, configuration.profile)?;
    let declared = repository.declarations.values();
    let declared: Vec<&Declaration> = declared.filter(|one| one.is_from_index()).collect();
    let names = declared.iter().map(|one| one.project.to_string());
    let progress = session.begin(Work::Projects, names.collect());
    let pages = stream::iter(&declared)
        .map(|declaration| async move {
            let index = fetcher.index().await?;
            index.project(declaration.project.as_str()).await
        })
        .buffered(network.jobs.get())
        .inspect(|_| progress.verified());
    let pages: Vec<Result<Arc<ProjectPage>, SourceProblem>> =
        session.runtime()?.block_on(pages.collect());
    progress.clear();
    let (mut findings, mut unknown) = (Vec::new(), Vec::new());
    for (declaration, page) in declared.into_iter().zip(pages) {
        match page {
            Ok(page) => findings.extend(of_project(declaration, &page)),
            Err(SourceProblem::Missing { .. }) => unknown.push(declaration.project.clone()),
            Err(problem) => {
                return Err(Failure::world(problem)
                    .help("run the same command again; `--index-url URL` uses another index"));
            }
        }
    }
    Ok((findings, unknown))
}

fn of_project(declaration: &Declaration, page: &ProjectPage) -> Vec<Finding> {
    let status = of_status(declaration, &page.status);
    let yanked = yanked_wheels(page, declaration);
    let yanked = yanked.map(|(wheel, reason)| of_yank(declaration, wheel, reason));
    // An index offers no files of a quarantined project.
    let is_offered = page.status.marker != StatusMarker::Quarantined;
    let missing = missing_wheels(page, declaration).filter(|_| is_offered);
    let missing = missing.map(|wheel| of_missing(declaration, wheel));
    status.into_iter().chain(yanked).chain(missing).collect()
}

fn of_status(declaration: &Declaration, status: &ProjectStatus) -> Option<Finding> {
    let project = &declaration.project;
    let marker = &status.marker;
    let (code, help) = match marker {
        StatusMarker::Active => return None,
        StatusMarker::Quarantined => (
            Code::QuarantinedProject,
            "the index considers it unsafe: find out why, and remove the project until that is settled",
        ),
        StatusMarker::Archived | StatusMarker::Deprecated | StatusMarker::Other(_) => (
            Code::InactiveProject,
            "look for a project that takes its place, or waive the finding for a while",
        ),
    };
    let wheel = &declaration.wheels[0];
    let finding = Finding::new(code, format!("the index says that `{project}` is {marker}"))
        .at(&wheel.file, wheel.span(), "declared here")
        .project(project)
        .help(help);
    Some(with_reason(finding, status.reason.as_deref()))
}

fn of_yank(declaration: &Declaration, wheel: &DeclaredWheel, reason: &str) -> Finding {
    let (project, name) = (&declaration.project, &wheel.file_name);
    let finding = Finding::new(
        Code::YankedWheel,
        format!("`{name}` was yanked from the index"),
    )
    .at(&wheel.file, wheel.span(), "declared here")
    .project(project)
    .wheel(name)
    .help(format!(
        "take another version: `ipwhl update {project}`, if there is a newer one"
    ));
    with_reason(
        finding,
        Some(reason.trim()).filter(|reason| !reason.is_empty()),
    )
}

fn of_missing(declaration: &Declaration, wheel: &DeclaredWheel) -> Finding {
    let (project, name) = (&declaration.project, &wheel.file_name);
    Finding::new(
        Code::YankedWheel,
        format!("`{name}` is not in the index any more"),
    )
    .at(&wheel.file, wheel.span(), "declared here")
    .project(project)
    .wheel(name)
    .note("the page of the project has no file of this name, or one with another SHA-256")
    .help("find out why, and take another version, or keep the wheel with another source")
}

/// The reason is a text of the index.
fn with_reason(finding: Finding, reason: Option<&str>) -> Finding {
    match reason {
        Some(reason) => finding.note(format!("the reason in the index: {reason}")),
        None => finding.note("the index gives no reason"),
    }
}
