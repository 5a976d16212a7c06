//! What the index has for those who ask: the version that would end findings about a requirement.
//!
//! It is asked about the few projects that such findings name, all at once and not for long. Where
//! it does not answer, the findings keep the ways out that they have without it.

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

/// How many projects it is asked about.
const MAXIMUM_PROJECTS: usize = 32;

/// Puts the version that all who ask accept into the findings that it would end, where the index
/// has one, and says why there is none. Nothing is asked for other findings, and nothing offline.
/// Gives why the index was not asked, or not about all.
pub fn propose(
    session: &Session,
    repository: &Repository,
    network: &Network,
    findings: &mut [Finding],
) -> Vec<String> {
    let mut projects: Vec<ProjectName> = Vec::new();
    let mut known: BTreeSet<ProjectName> = BTreeSet::new();
    // What was there before is not what the change is about.
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
            "{} projects are more than it is asked about at once",
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
            tell(&graph, &project, answer, finding);
        }
        if let Some(requirer) = finding.subject.project.clone()
            && let Some(version) = answers
                .of_requirers
                .get(&(requirer.clone(), project.clone()))
        {
            let command =
                graph.add_command(&requirer, &BTreeSet::new(), Pin::Version(version), false);
            let purpose = AddPurpose::Requirer(version.clone(), project.clone());
            finding.help.retain(|help| *help != Help::OtherRequirer);
            finding.help.insert(0, Help::Add(purpose, command));
        }
    }
    unasked
}

/// The project that a finding may be ended by: another version of it, or the extra of it that is
/// asked for.
fn concerned(repository: &Repository, finding: &Finding) -> Option<ProjectName> {
    let required = finding.subject.required.clone()?;
    let is_concerned = match finding.code {
        Code::MissingDependency | Code::UnsatisfiedDependency | Code::UnavailableDependency => true,
        // The extras of a wheel that comes from elsewhere the index does not know.
        Code::MissingExtra => repository.declarations.get(&required).is_some_and(|one| {
            let mut sources = one.wheels.iter().flat_map(|wheel| &wheel.sources);
            sources.any(|source| matches!(source.value, Source::Package(_)))
        }),
        _ => false,
    };
    is_concerned.then_some(required)
}

/// Who requires another version than the set has, for an unsatisfied dependency.
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

/// What a project would have to be, as `ipwhl add` would ask for it.
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

/// The command that asks for any version gives way to the one that is known to do, or goes.
fn tell(graph: &Graph<'_>, project: &ProjectName, answer: &Answer, finding: &mut Finding) {
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
            // What a project of the set vouches for stays; a new one has to be told.
            let with_extras = is_missing || is_about_extra;
            let extras = if with_extras {
                graph.lacking_extras(project)
            } else {
                BTreeSet::new()
            };
            let command = graph.add_command(project, &extras, pin, with_extras);
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
