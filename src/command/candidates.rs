//! What the index has for those who ask: the version that would end findings about a requirement.
//!
//! It is asked about the few projects that such findings name, all at once and not for long. Where it
//! does not answer, the findings keep the ways out that they have without it.

mod ask;

use std::collections::BTreeSet;

use super::context::Context;
use super::network::NetworkArguments;
use super::select::Wish;
use crate::check::{Graph, OTHER_REQUIRER, Pin};
use crate::diagnostic::{Baseline, Code, Finding, Help};
use crate::python::ProjectName;
use crate::repository::Repository;
use ask::{Answer, Pair, ask};

/// How many projects it is asked about.
const MAXIMUM_PROJECTS: usize = 32;
/// Puts the version that all who ask accept into the findings that it would end, where the index has
/// one, and says why there is none. Nothing is asked for other findings, and nothing with `--offline`.
pub(super) fn propose(
    context: &Context<'_>,
    repository: &Repository,
    network: &NetworkArguments,
    findings: &mut [Finding],
) {
    let mut projects: Vec<ProjectName> = Vec::new();
    // What was there before is not what the change is about.
    let is_new = |finding: &&Finding| finding.baseline != Some(Baseline::Unchanged);
    for project in findings.iter().filter(is_new).filter_map(concerned) {
        if !projects.contains(&project) {
            projects.push(project);
        }
    }
    if network.offline || projects.is_empty() || repository.configuration.platforms.is_empty() {
        return;
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
    let wishes: Vec<Wish> = projects
        .into_iter()
        .map(|project| wish(repository, &graph, &project))
        .collect();
    let pairs: Vec<Pair> = findings
        .iter()
        .filter(is_new)
        .filter_map(|finding| pair(repository, &graph, finding))
        .collect();
    let answers = ask(context, repository, network, &wishes, &pairs);
    unasked.extend(answers.failed);
    for finding in findings {
        let Some(project) = concerned(finding) else {
            continue;
        };
        if let Some(answer) = answers.of_required.get(&project) {
            tell(&graph, &project, answer, finding);
        }
        let requirer = finding.subject.project.as_deref();
        if let Some(requirer) = requirer.and_then(|name| name.parse::<ProjectName>().ok())
            && let Some(version) = answers
                .of_requirers
                .get(&(requirer.clone(), project.clone()))
        {
            let command =
                graph.add_command(&requirer, &BTreeSet::new(), Pin::Version(version), false);
            let message =
                format!("take `{requirer}` {version}, which accepts the `{project}` of the set");
            let help = Help {
                message,
                text: Some(command),
            };
            finding.help.retain(|help| help.message != OTHER_REQUIRER);
            finding.help.insert(0, help);
        }
    }
    if !unasked.is_empty() {
        context.say(&format!(
            "note: the index was not asked: {}",
            unasked.join("; ")
        ));
    }
}

/// The project whose version may end a finding.
fn concerned(finding: &Finding) -> Option<ProjectName> {
    let is_about_version = matches!(
        finding.code,
        Code::MissingDependency | Code::UnsatisfiedDependency | Code::UnavailableDependency
    );
    if !is_about_version {
        return None;
    }
    finding.subject.required.as_deref()?.parse().ok()
}

/// Who requires another version than the set has, for an unsatisfied dependency.
fn pair(repository: &Repository, graph: &Graph<'_>, finding: &Finding) -> Option<Pair> {
    let target = concerned(finding)?;
    if finding.code != Code::UnsatisfiedDependency {
        return None;
    }
    let requirer: ProjectName = finding.subject.project.as_deref()?.parse().ok()?;
    let declaration = repository.declarations.get(&requirer)?;
    let mut wish = wish(repository, graph, &requirer);
    wish.keep = None;
    wish.extras.extend(
        declaration
            .wheels
            .iter()
            .flat_map(|wheel| wheel.extras.iter().map(|extra| extra.value.clone())),
    );
    Some(Pair {
        wish,
        declared: declaration.version().clone(),
        version: graph.version(&target)?.clone(),
        required: target,
    })
}

/// What a project would have to be, as `ipwhl add` would ask for it.
fn wish(repository: &Repository, graph: &Graph<'_>, project: &ProjectName) -> Wish {
    let mut wish = Wish::automatic(graph.needed(project));
    if let Some(declaration) = repository.declarations.get(project) {
        wish.keep = Some(declaration.version().clone());
        if !declaration.automatic {
            wish.automatic = false;
            wish.platforms = (0..repository.configuration.platforms.len()).collect();
        }
    }
    wish
}

/// The command that asks for any version gives way to the one that is known to do, or goes.
fn tell(graph: &Graph<'_>, project: &ProjectName, answer: &Answer, finding: &mut Finding) {
    let any = finding.help.iter().position(|help| {
        let command = help.text.as_deref();
        command.is_some_and(|command| command.starts_with("ipwhl add "))
    });
    if let Some(any) = any {
        finding.help.remove(any);
    }
    match answer {
        Answer::Version(version) => {
            let is_missing = finding.code == Code::MissingDependency;
            let message = match (is_missing, graph.version(project) == Some(version)) {
                (true, _) => format!(
                    "declare {version}, the newest in the index that all who require it accept, with what it needs"
                ),
                (false, true) => {
                    format!("take the wheels for them that the index has of {version}")
                }
                (false, false) => {
                    format!(
                        "take {version}, the newest in the index that all who require it accept"
                    )
                }
            };
            let pin = Pin::Version(version);
            // What a project of the set vouches for stays; a new one has to be told.
            let extras = if is_missing {
                graph.needed(project).extras
            } else {
                BTreeSet::new()
            };
            let command = graph.add_command(project, &extras, pin, is_missing);
            finding.help.insert(
                0,
                Help {
                    message,
                    text: Some(command),
                },
            );
        }
        Answer::Nothing(words) => finding.notes.push(words.clone()),
    }
}
