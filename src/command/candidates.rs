//! What the index has for those who ask: the version that would end findings about a requirement.
//!
//! It is asked about the few projects that such findings name, all at once and not for long. Where it
//! does not answer, the findings keep the ways out that they have without it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use super::context::Context;
use super::network::{NetworkArguments, fetcher, runtime};
use super::select::{Picked, Picker, Prefer, Wish};
use crate::check::{Graph, Pin};
use crate::diagnostic::{Baseline, Code, Finding, Help};
use crate::python::{ProjectName, Version};
use crate::repository::Repository;
use crate::source::{Fetcher, SourceProblem};

/// How long the index is asked, all projects together.
const DEADLINE: Duration = Duration::from_secs(3);
/// How many projects it is asked about.
const MAXIMUM_PROJECTS: usize = 32;
/// How many of the versions that do not fit are named with their reasons.
const MAXIMUM_REASONS: usize = 3;

/// What the index says of a project.
enum Answer {
    /// All who require the project accept this version of it.
    Version(Version),
    /// None does, and why.
    Nothing(String),
}

/// Puts the version that all who ask accept into the findings that it would end, where the index has
/// one, and says why there is none. Nothing is asked for other findings, and nothing with `--offline`.
pub(super) fn propose(
    context: &Context<'_>,
    repository: &Repository,
    network: &NetworkArguments,
    findings: &mut [Finding],
) {
    let mut projects: Vec<ProjectName> = Vec::new();
    for project in findings.iter().filter_map(concerned) {
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
    let (answers, failed) = ask(context, repository, network, &wishes);
    unasked.extend(failed);
    for finding in findings {
        if let Some(project) = concerned(finding)
            && let Some(answer) = answers.get(&project)
        {
            tell(&graph, &project, answer, finding);
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
    if !is_about_version || finding.baseline == Some(Baseline::Unchanged) {
        return None;
    }
    finding.subject.required.as_deref()?.parse().ok()
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

/// What the index says of each, and why some have no answer.
fn ask(
    context: &Context<'_>,
    repository: &Repository,
    network: &NetworkArguments,
    wishes: &[Wish],
) -> (BTreeMap<ProjectName, Answer>, BTreeSet<String>) {
    let mut answers = BTreeMap::new();
    let configuration = &repository.configuration;
    let fetcher = match fetcher(context, configuration, network, configuration.profile) {
        Ok(fetcher) => fetcher,
        Err(failure) => return (answers, BTreeSet::from([failure.message])),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(failure) => return (answers, BTreeSet::from([failure.message])),
    };
    let picker = Picker {
        platforms: &configuration.platforms,
        prefer: Prefer::Native,
    };
    let outcomes: Vec<(&Wish, Result<Answer, String>)> = runtime.block_on(async {
        let deadline = Instant::now() + DEADLINE;
        stream::iter(wishes)
            .map(|wish| {
                let asked = timeout_at(deadline, ask_about(&fetcher, picker, wish));
                async move {
                    let late = || format!("it took longer than {} seconds", DEADLINE.as_secs());
                    (wish, asked.await.unwrap_or_else(|_| Err(late())))
                }
            })
            .buffer_unordered(network.jobs().get())
            .collect()
            .await
    });
    // A search for the index that has not ended is left behind.
    runtime.shutdown_background();
    let mut failed = BTreeSet::new();
    for (wish, outcome) in outcomes {
        match outcome {
            Ok(answer) => {
                answers.insert(wish.project.clone(), answer);
            }
            Err(reason) => {
                failed.insert(reason);
            }
        }
    }
    (answers, failed)
}

async fn ask_about(fetcher: &Fetcher, picker: Picker<'_>, wish: &Wish) -> Result<Answer, String> {
    let index = fetcher
        .index()
        .await
        .map_err(|problem| problem.to_string())?;
    let page = match index.project(wish.project.as_str()).await {
        Ok(page) => page,
        Err(SourceProblem::Missing { .. }) => {
            let words = format!("the index has no project `{}`", wish.project);
            return Ok(Answer::Nothing(words));
        }
        Err(problem) => return Err(problem.to_string()),
    };
    let none = || format!("no version of `{}` in the index does for all", wish.project);
    Ok(match picker.pick(wish, &page.files) {
        Ok(Picked { version, .. }) => Answer::Version(version),
        Err(reasons) if reasons.is_empty() => {
            Answer::Nothing(format!("the index has no wheel of `{}`", wish.project))
        }
        Err(mut reasons) => {
            let unnamed = reasons.len().saturating_sub(MAXIMUM_REASONS);
            reasons.truncate(MAXIMUM_REASONS);
            if unnamed > 0 {
                reasons.push(format!("and {unnamed} more"));
            }
            Answer::Nothing(format!("{}: {}", none(), reasons.join("; ")))
        }
    })
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
