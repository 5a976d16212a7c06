//! Asks the index for the version that would end findings about a requirement.
//!
//! Only the few projects in these findings are requested, concurrently and with a short deadline.
//! Without an answer, the findings keep their other help texts.

mod ask;

use std::collections::BTreeSet;

use ipwhl_packaging::ProjectName;

use super::ProjectRequest;
use crate::foundation::diagnostic::{AddPurpose, Baseline, Code, Finding, Help};
use crate::set::check::Pin;
use crate::set::declaration::Source;
use crate::set::gather::Network;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::source::Session;
use ask::{Answer, Pair, ask};

/// The maximum number of projects that the index is asked about.
const MAXIMUM_PROJECTS: usize = 32;

/// Adds to findings the version that all requirers accept and that would end them, if the index has
/// one; otherwise adds the reason why there is none. Nothing is requested for other findings, or
/// offline. Returns the reasons why the index was not asked, or not about all projects.
pub fn propose(
    session: &Session,
    repository: &Repository,
    network: &Network,
    findings: &mut [Finding],
) -> Vec<String> {
    let mut projects: Vec<ProjectName> = Vec::new();
    let mut known: BTreeSet<ProjectName> = BTreeSet::new();
    // Findings that existed before are not the subject of the change.
    let is_new = |finding: &&Finding| finding.baseline != Some(Baseline::Unchanged);
    let concerned = |finding: &Finding| concerned(repository, finding);
    for project in findings.iter().filter(is_new).filter_map(concerned) {
        if known.insert(project.clone()) {
            projects.push(project);
        }
    }
    if network.offline || projects.is_empty() || repository.configuration.platforms.is_empty() {
        return Vec::new();
    }
    let mut unasked: Vec<String> = Vec::new();
    if projects.len() > MAXIMUM_PROJECTS {
        unasked.push(format!(
            "{} projects are more than one run asks about",
            projects.len()
        ));
        projects.truncate(MAXIMUM_PROJECTS);
    }
    let graph = Graph::new(repository);
    let requests: Vec<ProjectRequest> = projects
        .into_iter()
        .map(|project| request(repository, &graph, &project))
        .collect();
    let pairs: Vec<Pair> = findings
        .iter()
        .filter(is_new)
        .filter_map(|finding| pair(repository, &graph, finding))
        .collect();
    let of_extras: BTreeSet<ProjectName> = findings
        .iter()
        .filter(|finding| is_new(finding) && finding.code == Code::MissingExtra)
        .filter_map(concerned)
        .collect();
    let answers = ask(session, repository, network, &requests, &of_extras, &pairs);
    unasked.extend(answers.failed);
    for finding in findings {
        let Some(project) = concerned(finding) else {
            continue;
        };
        if let Some(answer) = answers.of_required.get(&project) {
            add_answer(&graph, &project, answer, finding);
        }
        if let Some(requirer) = finding.subject.project.clone()
            && let Some(version) = answers
                .of_requirers
                .get(&(requirer.clone(), project.clone()))
        {
            let command = graph.add_command(&requirer, &BTreeSet::new(), Pin::Version(version));
            let purpose = AddPurpose::Requirer(version.clone(), project.clone());
            finding.help.retain(|help| *help != Help::OtherRequirer);
            finding.help.insert(0, Help::Add(purpose, command));
        }
    }
    unasked
}

/// The project that could end a finding: another version of it, or its missing extra.
fn concerned(repository: &Repository, finding: &Finding) -> Option<ProjectName> {
    let required = finding.subject.required.clone()?;
    let is_concerned = match finding.code {
        Code::MissingDependency | Code::UnsatisfiedDependency | Code::UnavailableDependency => true,
        // The index does not know the extras of a wheel from another source.
        Code::MissingExtra => repository.declarations.get(&required).is_some_and(|one| {
            let mut sources = one.wheels.iter().flat_map(|wheel| &wheel.sources);
            sources.any(|source| matches!(source.value, Source::Package(_)))
        }),
        _ => false,
    };
    is_concerned.then_some(required)
}

/// The requirer and the required version of an unsatisfied dependency.
fn pair(repository: &Repository, graph: &Graph<'_>, finding: &Finding) -> Option<Pair> {
    let target = concerned(repository, finding)?;
    if finding.code != Code::UnsatisfiedDependency {
        return None;
    }
    let requirer = finding.subject.project.clone()?;
    let declaration = repository.declarations.get(&requirer)?;
    let mut request = request(repository, graph, &requirer);
    request.keep = None;
    request.extras.extend(
        declaration
            .wheels
            .iter()
            .flat_map(|wheel| wheel.extras.iter().map(|extra| extra.value.clone())),
    );
    Some(Pair {
        request,
        declared: declaration.version().clone(),
        version: graph.version(&target)?.clone(),
        required: target,
    })
}

/// The request for a project, as `ipwhl add` would make it.
fn request(repository: &Repository, graph: &Graph<'_>, project: &ProjectName) -> ProjectRequest {
    let mut request = ProjectRequest::automatic(graph.needed(project));
    if let Some(declaration) = repository.declarations.get(project) {
        request.keep = Some(declaration.version().clone());
        if !declaration.automatic {
            request.automatic = false;
            request.platforms = (0..repository.configuration.platforms.len()).collect();
        }
    }
    request
}

/// Replaces the command that asks for any version by one for the known version, or removes it.
fn add_answer(graph: &Graph<'_>, project: &ProjectName, answer: &Answer, finding: &mut Finding) {
    let any = finding
        .help
        .iter()
        .position(|help| matches!(help, Help::Add(..)));
    if let Some(any) = any {
        finding.help.remove(any);
    }
    finding
        .help
        .retain(|help| !matches!(help, Help::AddExtras { .. }));
    match answer {
        Answer::Version(version) => {
            let is_missing = finding.code == Code::MissingDependency;
            let is_about_extra = finding.code == Code::MissingExtra;
            let is_declared = graph.version(project) == Some(version);
            let purpose = match (is_missing, is_declared) {
                (_, true) if is_about_extra => AddPurpose::Extra,
                (_, false) if is_about_extra => AddPurpose::VersionWithExtra(version.clone()),
                (true, _) => AddPurpose::MissingVersion(version.clone()),
                (false, true) => AddPurpose::WheelsOf(version.clone()),
                (false, false) => AddPurpose::AcceptedVersion(version.clone()),
            };
            let pin = Pin::Version(version);
            // A project of the set keeps its declared extras; a new one must be given them.
            let with_extras = is_missing || is_about_extra;
            let extras = if with_extras {
                graph.lacking_extras(project)
            } else {
                BTreeSet::new()
            };
            let command = graph.add_command(project, &extras, pin);
            finding.help.insert(0, Help::Add(purpose, command));
        }
        Answer::Nothing(words) => {
            finding.notes.push(words.clone().into());
            if finding.code == Code::MissingExtra {
                finding.help.insert(0, Help::OtherRequirer);
            }
        }
    }
}
