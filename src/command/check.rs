//! `ipwhl check`: says what is wrong with the declared set.

mod since;

use std::collections::BTreeSet;

use clap::Args;
use futures_util::StreamExt;

use super::allow::AllowArguments;
use super::candidates;
use super::context::Context;
use super::exit::ExitStatus;
use super::facts::{
    Gathered, Want, WorldFailure, all_wheels, describe, gather, recall_verified, requests,
};
use super::network::{NetworkArguments, fetcher, tell_of_proxies};
use super::report::{
    MessageFormat, count, judge_for, show_compared, show_failures, show_waivers, status,
    tell_of_waivers,
};
use super::words::counted;
use crate::foundation::failure::{Failure, error_chain};
use crate::set::check;
use crate::set::declaration::DeclaredWheel;
use crate::set::repository::Repository;
use since::Before;

/// Check the declarations
///
/// Without options no wheel is fetched: texts, uniqueness, the dependency graph on every platform, and
/// those wheels that an earlier run has verified.
///
/// Example: ipwhl check --since origin/main
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Verify the wheels too, from the cache or their sources
    #[arg(long)]
    wheels: bool,
    /// Fetch every listed source of every wheel afresh, so that neither the cache nor another
    /// source hides a dead or wrong one
    #[arg(long)]
    sources: bool,
    /// Tell what the work since a git revision breaks apart from what was broken before, which does
    /// not fail it; of wheels, look at those of changed declarations only, at each of their sources
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// How findings are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    message_format: MessageFormat,
    /// Print the waivers that would cover what is found, with this reason, to add to `ipwhl.toml`:
    /// `ipwhl check --waivers REASON >> ipwhl.toml`
    #[arg(long, value_name = "REASON")]
    waivers: Option<String>,
    /// What makes the exit code 1 beside errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    allow: AllowArguments,
    /// Ask public addresses only, by https, on port 443 or that of the index whose page leads
    /// there: for checks of strangers' changes. An index that the environment or `--index-url`
    /// names may be anywhere. A proxy looks names up itself, so behind one only literal addresses
    /// are held to it
    #[arg(long)]
    public_only: bool,
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
    let reason = arguments.waivers.as_deref();
    if reason.is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Failure::usage("`--waivers` names no reason")
            .help("say why it is right to go on: `--waivers 'REASON'`"));
    }
    let mut repository = context.repository()?;
    arguments.allow.apply(&mut repository);
    let before = arguments
        .since
        .as_deref()
        .map(|revision| Before::load(context, &repository, revision))
        .transpose()?;
    if let (Some(before), Some(revision)) = (&before, &arguments.since) {
        before.lend_places(context, &mut repository, revision);
    }
    if arguments.public_only {
        tell_of_proxies(context);
    }
    let network = &arguments
        .network
        .for_change(arguments.public_only, before.is_some());
    let repository = &repository;
    let mut findings = repository.findings.clone();
    findings.extend(check::set(repository));
    let all = all_wheels(repository);
    let changed = before
        .as_ref()
        .map_or_else(Vec::new, |before| before.changed(repository));
    let asked = if arguments.sources {
        &all
    } else if network.offline {
        &Vec::new()
    } else {
        &changed
    };
    let read = if arguments.wheels { &all } else { &changed };
    let mut found = look(context, repository, network, asked, read)?;
    let others: Vec<&DeclaredWheel> = all
        .iter()
        .copied()
        .filter(|wheel| !arguments.wheels && !read.iter().any(|read| std::ptr::eq(*read, *wheel)))
        .collect();
    let recalled = recall_verified(context, repository, &others);
    let verified_earlier = recalled.verified(&others);
    found.extend(recalled);
    findings.extend(found.findings.iter().cloned());
    let reason = reason.unwrap_or_default();
    let mut findings = judge_for(context, repository, findings, &found, reason);
    let gone = before
        .as_ref()
        .map(|before| before.compare(context, repository, &found, &mut findings));
    candidates::propose(context, repository, network, &mut findings);
    let format = arguments.message_format;
    show_compared(context, repository, &findings, format, before.is_some())?;
    match &arguments.waivers {
        _ if format != MessageFormat::Text => {}
        Some(_) => show_waivers(context, &findings)?,
        None => tell_of_waivers(context, &findings),
    }
    show_failures(context, &found.failures);
    let earlier = match verified_earlier {
        0 => String::new(),
        count => format!(" ({count} verified earlier)"),
    };
    let what = match all.len() - found.verified(&all) {
        _ if !arguments.wheels => String::new(),
        0 => ", wheels included".to_owned(),
        count => format!(", {} not looked at", counted(count, "wheel")),
    };
    context.say(&format!(
        "checked {}, {}{earlier} on {}{what}: {}",
        counted(projects(repository), "project"),
        counted(all.len(), "wheel"),
        counted(repository.configuration.platforms.len(), "platform"),
        count(&findings).unwrap_or_else(|| "no finding".to_owned())
    ));
    if let (Some(before), Some(gone)) = (&before, gone) {
        before.say(context, repository, changed.len(), &findings, gone);
    }
    if !found.failures.is_empty() {
        return Ok(ExitStatus::World);
    }
    Ok(status(&findings, arguments.deny == Some(Deny::Warnings)))
}

/// What the sources of `asked` say, and what the wheels of `read` hold.
fn look(
    context: &Context<'_>,
    repository: &Repository,
    network: &NetworkArguments,
    asked: &[&DeclaredWheel],
    read: &[&DeclaredWheel],
) -> Result<Gathered, Failure> {
    let mut found = Gathered::default();
    if !asked.is_empty() {
        ask_sources(context, repository, network, asked, &mut found)?;
    }
    if !read.is_empty() {
        let profile = repository.configuration.profile;
        let gathered = gather(context, repository, read, network, profile, Want::Facts)?;
        found.extend(gathered);
    }
    Ok(found)
}

/// How many projects are declared, understood or not. In the layout `ipwhl-1` one can be both.
fn projects(repository: &Repository) -> usize {
    let declared = repository.declarations.keys();
    declared
        .chain(&repository.unreadable)
        .collect::<BTreeSet<_>>()
        .len()
}

/// Every listed source of these wheels, each for itself.
fn ask_sources(
    context: &Context<'_>,
    repository: &Repository,
    network: &NetworkArguments,
    wheels: &[&DeclaredWheel],
    found: &mut Gathered,
) -> Result<(), Failure> {
    let requests = requests(repository, wheels);
    let progress = context.session.begin_wheels(&requests);
    let report = |event| progress.fetch(event);
    let profile = repository.configuration.profile;
    let fetcher = fetcher(context, &repository.configuration, network, profile)?;
    let mut outcomes = context.session.runtime()?.block_on(async {
        fetcher
            .check_sources(&requests, &report)
            .inspect(|(_, outcome)| {
                let is_sound = outcome
                    .as_ref()
                    .is_ok_and(|sources| sources.iter().all(|source| source.problem.is_none()));
                if is_sound {
                    progress.verified();
                }
            })
            .collect::<Vec<_>>()
            .await
    });
    progress.finish();
    outcomes.sort_by_key(|(index, _)| *index);
    for (index, outcome) in outcomes {
        let wheel = wheels[index];
        match outcome {
            Ok(sources) => {
                for (source, outcome) in wheel.sources.iter().zip(sources) {
                    if let Some(problem) = outcome.problem {
                        describe(wheel, source.span.clone(), &problem, found);
                    }
                }
            }
            Err(error) => found.failures.push(WorldFailure {
                what: format!("{}: `{}`", wheel.file, wheel.file_name),
                reason: error_chain(&error),
                is_of_cache: true,
            }),
        }
    }
    Ok(())
}
