//! `ipwhl publish --status`: the releases of each target.

use jiff::{SignedDuration, Timestamp};

use super::super::context::Context;
use super::super::exit::ExitStatus;
use super::arguments::{Arguments, Format};
use super::json;
use super::tally::exit_status;
use crate::foundation::failure::Failure;
use crate::publish::{
    HoldingState, Opening, PublicationRequest, ReleaseStatus, TargetStatus, gather_history, status,
};
use crate::set::repository::PublishTarget;

pub(super) fn run(
    context: &Context<'_>,
    opening: &Opening<'_>,
    arguments: &Arguments,
    targets: &[&PublishTarget],
    request: &PublicationRequest<'_>,
) -> Result<ExitStatus, Failure> {
    let configuration = &request.repository.configuration;
    let name = &configuration.name;
    let mut history = request.history(&context.session)?;
    let now = context.session.now();
    let open = |target: &PublishTarget| opening.open(target);
    let configured = &configuration.publish;
    let statuses = context.session.runtime()?.block_on(async {
        gather_history(&mut history, configured, &open, name).await;
        status(targets, &open, name, &history, now).await
    });
    match arguments.format {
        Format::Json => context.result(&json::status(&statuses))?,
        Format::Text => {
            for status in &statuses {
                context.result(&line(status, now))?;
            }
        }
    }
    for status in &statuses {
        if let Some(error) = &status.error {
            context.error(&format!("{}: {}", status.name, error.message));
            if let Some(help) = &error.help {
                context.help(help);
            }
        } else if let Some(newest) = status.newest() {
            warn(context, status, newest, now);
        }
    }
    let has = |state: HoldingState| statuses.iter().any(|status| status.state == state);
    if has(HoldingState::Unknown) {
        let errors = statuses.iter().filter_map(|status| status.error.as_ref());
        return Ok(exit_status(errors));
    }
    let is_current = |status: &TargetStatus| status.state == HoldingState::Current;
    Ok(if statuses.iter().all(is_current) {
        ExitStatus::Clean
    } else {
        ExitStatus::Findings
    })
}

fn warn(context: &Context<'_>, status: &TargetStatus, newest: &ReleaseStatus, now: Timestamp) {
    if let Some(expires) = newest.expires_soon(now) {
        context.warning(&format!(
            "{}: the statement of sequence {} expires on {expires}",
            status.name,
            newest.release.sequence.unwrap_or_default()
        ));
        context.help(
            "a maintainer signs the next one for the same release: `ipwhl build --renew`, with \
             this statement as `--previous`",
        );
    }
}

/// `node: current: sequence 7, bafy…, created 3 days ago, expires in 20 days; 4 older releases`.
fn line(status: &TargetStatus, now: Timestamp) -> String {
    let mut line = format!("{}: {}", status.name, status.state.as_str());
    let Some(newest) = status.newest() else {
        return line;
    };
    line += &format!(": {}", newest.release);
    if let Some(created) = newest.created {
        line += &format!(", created {} ago", words(now.duration_since(created)));
    }
    match newest.expires {
        Some(at) if at <= now => {
            line += &format!(", expired {} ago", words(now.duration_since(at)));
        }
        Some(at) => {
            line += &format!(", expires in {}", words(at.duration_since(now)));
        }
        None => {}
    }
    let older = status.releases.as_ref().map_or(0, |all| all.len() - 1);
    if older > 0 {
        let word = if older == 1 { "release" } else { "releases" };
        line += &format!("; {older} older {word}");
    }
    line
}

/// A duration in days, or in hours if it is less than two days.
fn words(time: SignedDuration) -> String {
    let hours = time.as_hours().max(0);
    match hours {
        0 => "less than an hour".to_owned(),
        1 => "1 hour".to_owned(),
        2..48 => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}
