//! `ipwhl check`: says what is wrong with the declared set.

mod since;

use std::collections::BTreeSet;

use clap::Args;

use super::allow::AllowArguments;
use super::context::Context;
use super::exit::ExitStatus;
use super::network::{NetworkArguments, tell_of_proxies};
use super::report::{
    MessageFormat, count, show_compared, show_failures, show_rejected, show_waivers, status,
    tell_of_waivers,
};
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::set::difference::EarlierState;
use crate::set::repository::Repository;
use crate::set::review::{ReviewOptions, review};

/// Check the declarations
///
/// Without options no wheel is fetched: texts, uniqueness, the dependency graph on every platform,
/// and those wheels that an earlier run has verified.
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
        .map(|revision| EarlierState::load(context.environment, &repository, revision))
        .transpose()?;
    if let (Some(before), Some(revision)) = (&before, &arguments.since) {
        since::lend_places(context, before, &mut repository, revision);
    }
    if arguments.public_only {
        tell_of_proxies(context);
    }
    let network = &arguments
        .network
        .for_change(arguments.public_only, before.is_some());
    let repository = &repository;
    let options = ReviewOptions {
        before: before.as_ref(),
        network: &network.network(),
        sources: arguments.sources,
        wheels: arguments.wheels,
        waiver_reason: reason.unwrap_or_default(),
    };
    let review = review(&context.session, repository, &options)?;
    let findings = &review.findings;
    show_rejected(context, &review.report);
    if !review.unasked.is_empty() {
        context.say(&format!(
            "note: the index was not asked: {}",
            review.unasked.join("; ")
        ));
    }
    let format = arguments.message_format;
    show_compared(context, repository, findings, format, before.is_some())?;
    match &arguments.waivers {
        _ if format != MessageFormat::Text => {}
        Some(_) => show_waivers(context, findings)?,
        None => tell_of_waivers(context, findings),
    }
    show_failures(context, &review.report.failures);
    let earlier = match review.verified_earlier {
        0 => String::new(),
        count => format!(" ({count} verified earlier)"),
    };
    let what = match review.unverified {
        _ if !arguments.wheels => String::new(),
        0 => ", wheels included".to_owned(),
        count => format!(", {} not looked at", counted(count, "wheel")),
    };
    context.say(&format!(
        "checked {}, {}{earlier} on {}{what}: {}",
        counted(projects(repository), "project"),
        counted(review.wheels, "wheel"),
        counted(repository.configuration.platforms.len(), "platform"),
        count(findings).unwrap_or_else(|| "no finding".to_owned())
    ));
    if let (Some(before), Some(gone)) = (&before, review.gone) {
        since::say(context, before, repository, review.changed, findings, gone);
    }
    if !review.report.failures.is_empty() {
        return Ok(ExitStatus::World);
    }
    Ok(status(findings, arguments.deny == Some(Deny::Warnings)))
}

/// How many projects are declared, understood or not. In the layout `ipwhl-1` one can be both.
fn projects(repository: &Repository) -> usize {
    let declared = repository.declarations.keys();
    declared
        .chain(&repository.unreadable)
        .collect::<BTreeSet<_>>()
        .len()
}
