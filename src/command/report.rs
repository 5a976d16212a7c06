//! Findings, shown, and what they mean for the exit code.

use std::fmt::Write as _;

use clap::ValueEnum;

use super::context::Context;
use super::exit::{ExitStatus, Failure};
use super::facts::WorldFailure;
use crate::check;
use crate::diagnostic::{Baseline, Finding, Severity, json_lines, render};
use crate::repository::{Repository, apply};

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub(super) enum MessageFormat {
    /// For people, on standard error.
    #[default]
    Text,
    /// For programs: one JSON object a line, on standard output.
    Json,
}

/// What is left of the findings when severities and waivers have been heard, in order.
pub(super) fn judge(
    context: &Context<'_>,
    repository: &Repository,
    findings: Vec<Finding>,
    wheels_checked: bool,
) -> Vec<Finding> {
    let today = context
        .environment
        .clock
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let remaining = apply(
        &repository.configuration,
        &repository.configuration_file(),
        findings,
        today,
        wheels_checked,
    );
    check::finish(repository, remaining)
}

/// Whether one of the findings is an error that was not there before.
pub(super) fn has_errors(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| is_counted(finding) && finding.severity == Severity::Error)
}

/// What was there before a change does not fail it.
fn is_counted(finding: &Finding) -> bool {
    finding.baseline != Some(Baseline::Unchanged)
}

/// Writes the findings, and what they come to.
pub(super) fn show(
    context: &Context<'_>,
    repository: &Repository,
    findings: &[Finding],
    format: MessageFormat,
) -> Result<(), Failure> {
    let texts = &repository.texts;
    match format {
        MessageFormat::Json => {
            let lines = json_lines(findings, texts);
            context.result(lines.trim_end_matches('\n'))
        }
        MessageFormat::Text => {
            let style = context.style(false);
            let mut text = String::new();
            for finding in findings {
                let _ = writeln!(text, "{}\n", render(finding, texts, style));
            }
            let _ = context.environment.error.write(&text);
            Ok(())
        }
    }
}

/// How many findings there are, in words; `None` for none.
pub(super) fn count(findings: &[Finding]) -> Option<String> {
    let of = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let words = |count: usize, word: &str| (count > 0).then(|| counted(count, word));
    let parts: Vec<String> = [
        words(of(Severity::Error), "error"),
        words(of(Severity::Warning), "warning"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// A number of things, as in `1 wheel` and `2 wheels`.
pub(super) fn counted(count: usize, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {word}{ending}")
}

/// The exit code that findings ask for.
pub(super) fn status(findings: &[Finding], deny_warnings: bool) -> ExitStatus {
    if has_errors(findings) || (deny_warnings && findings.iter().any(is_counted)) {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    }
}

/// How many failures of the same reason are told in full.
const FULL_FAILURES: usize = 3;

/// Says what failed in the world: of many failures for one reason the first few, and how many more.
pub(super) fn show_failures(context: &Context<'_>, failures: &[WorldFailure]) {
    let mut reasons: Vec<(&str, Vec<&WorldFailure>)> = Vec::new();
    for failure in failures {
        match reasons
            .iter_mut()
            .find(|(reason, _)| *reason == failure.reason)
        {
            Some((_, all)) => all.push(failure),
            None => reasons.push((&failure.reason, vec![failure])),
        }
    }
    for (reason, all) in reasons {
        let in_full = if context.verbose > 0 {
            all.len()
        } else {
            FULL_FAILURES
        };
        for failure in all.iter().take(in_full) {
            context.error(&format!("{}: {reason}", failure.what));
        }
        if all.len() > in_full {
            context.error(&format!(
                "the same of {} more wheels (`-v` names them): {reason}",
                all.len() - in_full
            ));
        }
    }
}
