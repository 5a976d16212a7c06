//! The outcome of a run over several targets.

use super::arguments::{Arguments, Format};
use super::json::{self, addresses};
use crate::command::context::Context;
use crate::command::exit::ExitStatus;
use crate::command::words::counted;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::{Failure, FailureKind};
use crate::publish::{Publication, TargetOutcome, TargetState};

/// Prints the result and the remaining work.
pub(super) fn tell(
    context: &Context<'_>,
    arguments: &Arguments,
    release: &Publication,
    outcomes: &[TargetOutcome],
) -> Result<ExitStatus, Failure> {
    match arguments.format {
        Format::Json => context.result(&json::run(release, outcomes))?,
        Format::Text if arguments.dry_run => {
            for line in outcomes.iter().flat_map(planned) {
                context.result(&line)?;
            }
        }
        Format::Text => {
            // A change is a result even if it is not visible yet.
            let done = outcomes.iter().filter_map(|one| one.done.as_ref());
            for line in done.flat_map(|done| &done.results) {
                context.result(line)?;
            }
            for address in addresses(outcomes) {
                context.result(&format!(
                    "pip install --index-url {} NAME",
                    shell_word(&address)
                ))?;
            }
        }
    }
    if !arguments.dry_run {
        what_is_left(context, arguments, outcomes);
    }
    Ok(exit_status(
        outcomes.iter().filter_map(|one| one.error.as_ref()),
    ))
}

/// The exit status of a run with these errors. A refusal concerns the release, so it takes
/// precedence over failures of the network or the disk.
pub(super) fn exit_status<'e>(errors: impl Iterator<Item = &'e Failure>) -> ExitStatus {
    let kinds: Vec<FailureKind> = errors.map(|error| error.kind).collect();
    let has = |kind| kinds.contains(&kind);
    if [FailureKind::Refused, FailureKind::Gap, FailureKind::Finding]
        .into_iter()
        .any(has)
    {
        ExitStatus::Findings
    } else if has(FailureKind::Usage) {
        ExitStatus::Usage
    } else if has(FailureKind::World) {
        ExitStatus::World
    } else {
        ExitStatus::Clean
    }
}

/// The lines of a dry run.
fn planned(outcome: &TargetOutcome) -> Vec<String> {
    let name = &outcome.name;
    let (Some(place), Some(plan), None) = (&outcome.place, &outcome.plan, &outcome.error) else {
        return Vec::new();
    };
    let held = match plan.held {
        None => "has no release of this repository".to_owned(),
        Some(held) => format!("has {held}"),
    };
    let mut lines = vec![format!("{name}: {place} {held}")];
    if plan.moved.blocks > 0 {
        lines.push(format!("{name}: would transfer {}", plan.moved));
    }
    for change in &plan.changes {
        lines.push(format!("{name}: would {change}"));
    }
    if lines.len() == 1 {
        lines.push(format!("{name}: nothing to do"));
    }
    lines
}

/// Prints the unchanged targets, and the command that continues the run.
fn what_is_left(context: &Context<'_>, arguments: &Arguments, outcomes: &[TargetOutcome]) {
    let names = |state: TargetState| -> Vec<&str> {
        let some = outcomes.iter().filter(|one| one.state == state);
        some.map(|one| one.name.as_str()).collect()
    };
    let [refused, failed, left] =
        [TargetState::Refused, TargetState::Failed, TargetState::Left].map(names);
    if !refused.is_empty() {
        let others = refused.len() + failed.len() + left.len() - 1;
        let has_changed = outcomes.iter().any(|one| one.done.is_some());
        let refused = listed(&refused);
        if !has_changed && others > 0 {
            context.error(&format!(
                "{refused} refused the release, so no target was changed"
            ));
        } else if !left.is_empty() {
            let left = listed(&left);
            context.error(&format!(
                "{refused} refused the release, so {left} was not changed"
            ));
        }
    } else if !failed.is_empty() {
        context.hint(&format!(
            "{} failed: `{}` continues this run",
            counted(failed.len(), "target"),
            again(context, arguments, &failed)
        ));
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The command line that publishes the same release to these targets, with the same options.
fn again(context: &Context<'_>, arguments: &Arguments, names: &[&str]) -> String {
    let mut words = vec!["ipwhl".to_owned()];
    let folder = context.named_repository();
    let folders = [
        ("--repository", folder.as_ref()),
        ("--release", arguments.release.as_ref()),
        ("--key", arguments.key.as_ref()),
    ];
    for (option, path) in folders {
        if option == "--release" {
            words.push("publish".to_owned());
        }
        if let Some(path) = path {
            words.push(option.to_owned());
            words.push(shell_word(&path.to_string_lossy()));
        }
    }
    if arguments.unsigned {
        words.push("--unsigned".to_owned());
    }
    for path in &arguments.follow {
        words.push("--follow".to_owned());
        words.push(shell_word(&path.to_string_lossy()));
    }
    words.extend(names.iter().map(|name| (*name).to_owned()));
    words.join(" ")
}
