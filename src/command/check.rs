//! `ipwhl check`: says what is wrong with the declared set.

use clap::Args;
use futures_util::StreamExt;

use super::candidates;
use super::context::Context;
use super::exit::{ExitStatus, Failure};
use super::facts::{Gathered, Want, WorldFailure, describe, gather, requests};
use super::network::{NetworkArguments, fetcher, runtime};
use super::progress::Progress;
use super::report::{MessageFormat, count, counted, judge, show, show_failures, status};
use crate::check;
use crate::declaration::DeclaredWheel;
use crate::repository::Repository;

/// Check the declarations
///
/// Without options no wheel is fetched: texts, uniqueness and the dependency graph on every
/// platform.
///
/// Example: ipwhl check --wheels
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Verify the wheels too, from the cache or their sources
    #[arg(long)]
    wheels: bool,
    /// Fetch every listed source of every wheel afresh, so that neither the cache nor another
    /// source hides a dead or wrong one
    #[arg(long)]
    sources: bool,
    /// How findings are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    message_format: MessageFormat,
    /// What makes the exit code 1 beside errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    network: NetworkArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Deny {
    /// Warnings too.
    Warnings,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    if arguments.sources && arguments.network.offline {
        return Err(Failure::usage(
            "`--sources` asks every source afresh, and `--offline` asks none",
        ));
    }
    let repository = context.repository()?;
    let mut findings = repository.findings.clone();
    findings.extend(check::set(&repository));
    let mut failures = Vec::new();
    let profile = repository.configuration.profile;
    if arguments.sources {
        let asked = ask_sources(context, &repository, arguments)?;
        findings.extend(asked.findings);
        failures.extend(asked.failures);
    }
    if arguments.wheels {
        let gathered = gather(
            context,
            &repository,
            &arguments.network,
            profile,
            Want::Facts,
        )?;
        // A source that was asked afresh has been heard already.
        for finding in gathered.findings {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        for failure in gathered.failures {
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        }
    }
    let mut findings = judge(
        context,
        &repository,
        findings,
        arguments.wheels && failures.is_empty(),
    );
    candidates::propose(context, &repository, &arguments.network, &mut findings);
    show(context, &repository, &findings, arguments.message_format)?;
    show_failures(context, &failures);
    if !failures.is_empty() {
        context.help("what was verified stays in the cache: run the same command again");
    }
    let wheels: usize = repository
        .declarations
        .values()
        .map(|declaration| declaration.wheels.len())
        .sum();
    let what = if arguments.wheels {
        ", wheels included"
    } else {
        ""
    };
    context.say(&format!(
        "checked {}, {} on {}{what}: {}",
        counted(
            repository.declarations.len() + repository.unreadable.len(),
            "project"
        ),
        counted(wheels, "wheel"),
        counted(repository.configuration.platforms.len(), "platform"),
        count(&findings).unwrap_or_else(|| "no finding".to_owned())
    ));
    if !failures.is_empty() {
        return Ok(ExitStatus::World);
    }
    Ok(status(&findings, arguments.deny == Some(Deny::Warnings)))
}

/// Every listed source of every wheel, each for itself.
fn ask_sources(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
) -> Result<Gathered, Failure> {
    let wheels: Vec<&DeclaredWheel> = repository
        .declarations
        .values()
        .flat_map(|declaration| &declaration.wheels)
        .collect();
    let requests = requests(repository, &wheels);
    let progress = Progress::of_wheels(context, &requests);
    let report = |event| progress.fetch(event);
    let profile = repository.configuration.profile;
    let fetcher = fetcher(
        context,
        &repository.configuration,
        &arguments.network,
        profile,
    )?;
    let mut outcomes = runtime()?.block_on(async {
        fetcher
            .check_sources(&requests, &report)
            .inspect(|_| progress.verified())
            .collect::<Vec<_>>()
            .await
    });
    progress.finish();
    outcomes.sort_by_key(|(index, _)| *index);
    let mut asked = Gathered::default();
    for (index, outcome) in outcomes {
        let wheel = wheels[index];
        match outcome {
            Ok(sources) => {
                for (source, outcome) in wheel.sources.iter().zip(sources) {
                    if let Some(problem) = outcome.problem {
                        describe(wheel, source.span.clone(), &problem, &mut asked);
                    }
                }
            }
            Err(error) => asked.failures.push(WorldFailure {
                what: format!("{}: `{}`", wheel.file, wheel.file_name),
                reason: super::exit::chain(&error),
            }),
        }
    }
    Ok(asked)
}
