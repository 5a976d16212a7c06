//! `ipwhl check`: checks the declared set.

mod since;

use clap::Args;
use jiff::Timestamp;

use super::allow::AllowArguments;
use super::context::Context;
use super::exit::ExitStatus;
use super::network::{NetworkArguments, note_proxies};
use super::report::{
    Deny, MessageFormat, count, show_compared, show_failures, show_rejected, show_waivers, status,
    tell_of_waivers,
};
use super::values::time;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::set::difference::EarlierState;
use crate::set::review::{ReviewOptions, review};

/// Check the declarations
///
/// Checks the files, uniqueness, the dependency graph on every platform, and the wheels that an
/// earlier run has verified. Without options, no wheel is fetched.
///
/// Example: ipwhl check --since origin/main
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Also verify the wheels, from the cache or their sources, and compare `uploaded` with the
    /// index
    #[arg(long)]
    wheels: bool,
    /// Fetch every listed source of every wheel again, without the cache, to find dead and wrong
    /// sources
    #[arg(long)]
    sources: bool,
    /// Compare with a git revision: only new findings fail the check. Verifies only the wheels of
    /// changed declarations, from each of their sources
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// The output format of findings
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    message_format: MessageFormat,
    /// Print waivers that cover the findings, with this reason. To add them: `ipwhl check --waivers
    /// REASON >> ipwhl.toml`
    #[arg(long, value_name = "REASON")]
    waivers: Option<String>,
    /// Which findings besides errors set the exit code to 1
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    allow: AllowArguments,
    /// Check as of this time instead of now: the age of wheels and the days of waivers
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,
    /// Connect only to public addresses, with https, on port 443 or on the port of the index that
    /// links there. Use it to check changes from strangers. An index from the environment or
    /// `--index-url` may have any address. Behind a proxy, only literal IP addresses are
    /// restricted, because the proxy resolves host names
    #[arg(long)]
    public_only: bool,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    if arguments.sources && arguments.network.offline {
        return Err(Failure::usage(
            "`--sources` fetches every source again, and `--offline` does not use the network",
        )
        .help("leave one of the two options out"));
    }
    let reason = arguments.waivers.as_deref();
    if reason.is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Failure::usage("the reason of `--waivers` is empty")
            .help("say why the findings are acceptable: `--waivers 'REASON'`"));
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
        note_proxies(context);
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
        now: arguments.now,
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
    if review.times_not_compared > 0 {
        context.say(&format!(
            "note: `--offline` forbids asking the index, so `uploaded` of {} was not compared",
            counted(review.times_not_compared, "wheel")
        ));
    }
    let format = arguments.message_format;
    show_compared(context, repository, findings, format, before.is_some())?;
    match &arguments.waivers {
        _ if format != MessageFormat::Text => {}
        Some(_) => show_waivers(context, findings)?,
        None => tell_of_waivers(context, findings, "`ipwhl check --waivers REASON`"),
    }
    show_failures(context, &review.report.failures, arguments.network.offline);
    let earlier = match review.verified_earlier {
        0 => String::new(),
        // The bytes from the sources were verified now.
        count if arguments.sources => format!(" ({count} read earlier)"),
        count => format!(" ({count} verified earlier)"),
    };
    let failures = review.report.failures.len();
    let mut what = match review.unverified {
        _ if !arguments.wheels => String::new(),
        0 => ", wheels included".to_owned(),
        count => format!(", {} not verified", counted(count, "wheel")),
    };
    if arguments.sources && failures == 0 {
        what += ", sources included";
    }
    let incomplete = match failures {
        0 => String::new(),
        count => format!(
            ", but the check is incomplete after {}",
            counted(count, "failure")
        ),
    };
    context.say(&format!(
        "checked {}, {}{earlier} on {}{what}: {}{incomplete}",
        counted(review.projects, "project"),
        counted(review.wheels, "wheel"),
        counted(repository.configuration.platforms.len(), "platform"),
        count(findings).unwrap_or_else(|| "no findings".to_owned())
    ));
    if let (Some(before), Some(gone)) = (&before, review.gone) {
        since::say(context, before, repository, review.changed, findings, gone);
    }
    if !review.report.failures.is_empty() {
        return Ok(ExitStatus::World);
    }
    Ok(status(findings, arguments.deny == Some(Deny::Warnings)))
}
