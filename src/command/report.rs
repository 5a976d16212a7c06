//! The output of findings, and the exit code that follows from them.

use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::context::Context;
use super::exit::ExitStatus;
use super::words::counted;
pub(super) use crate::foundation::diagnostic::MessageFormat;
use crate::foundation::diagnostic::{
    Finding, Inert, Report, Severity, SourceTexts, most, render, wrap,
};
use crate::foundation::failure::Failure;
use crate::set::gather::{WheelFailure, WheelReport};
use crate::set::judgement::{group_related, has_errors, is_counted, waivers};
use crate::set::repository::{CONFIGURATION_FILE, Repository};

impl ValueEnum for MessageFormat {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(self.summary()))
    }
}

/// The findings that set the exit code, besides errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Deny {
    /// Also warnings.
    Warnings,
}

/// Prints the findings and how to waive them.
pub(super) fn show(
    context: &Context<'_>,
    repository: &Repository,
    findings: &[Finding],
    format: MessageFormat,
) -> Result<(), Failure> {
    show_compared(context, repository, findings, format, false)?;
    if format == MessageFormat::Text {
        tell_of_waivers(context, findings, "`ipwhl check --waivers REASON`");
    }
    Ok(())
}

/// Prints findings about files that are not a part of the set.
pub(super) fn show_texts(context: &Context<'_>, findings: &[Finding], texts: &SourceTexts) {
    let style = context.style(false);
    let mut text = Inert::default();
    for finding in findings {
        text += render(finding, texts, style);
        text += "\n\n";
    }
    let _ = context.environment.error.write(text);
    if let Some(words) = count(findings) {
        context.error(&format!("{words}; nothing was changed"));
    }
}

/// As [`show`]; `is_compared` if the set was compared with an earlier revision.
pub(super) fn show_compared(
    context: &Context<'_>,
    repository: &Repository,
    findings: &[Finding],
    format: MessageFormat,
    is_compared: bool,
) -> Result<(), Failure> {
    let texts = &repository.texts;
    if format == MessageFormat::Text {
        let style = context.style(false);
        let mut text = Inert::default();
        let grouped = group_related(repository, findings, context.verbose > 0);
        for finding in most(&grouped).iter() {
            text += render(finding, texts, style);
            text += "\n\n";
        }
        let _ = context.environment.error.write(text);
        if let Some(line) = further_reading(findings) {
            context.say(&line);
        }
        return Ok(());
    }
    let report = Report {
        findings: &most(findings),
        texts,
        folder: &folder_in_checkout(&repository.directory),
        is_compared,
    };
    match report.write(format).trim_end_matches('\n') {
        "" => Ok(()),
        text => context.result(text),
    }
}

/// A line that names the explanation of the findings; `None` without findings.
fn further_reading(findings: &[Finding]) -> Option<String> {
    let first = findings.first()?.code;
    let is_alone = findings.iter().all(|finding| finding.code == first);
    let code = if is_alone { first.as_str() } else { "CODE" };
    Some(format!("for details: `ipwhl explain {code}`"))
}

/// Prints how to waive the findings, if a waiver can cover one of them. `command` prints the
/// waivers.
pub(super) fn tell_of_waivers(context: &Context<'_>, findings: &[Finding], command: &str) {
    if waivers(findings).is_empty() {
        return;
    }
    let line = format!(
        "to accept this for a while: {command} prints the lines for `{CONFIGURATION_FILE}`"
    );
    context.say(&wrap(&line, context.style(false).width, "", ""));
}

/// Prints the waivers that would cover the findings, ready to be added.
pub(super) fn show_waivers(context: &Context<'_>, findings: &[Finding]) -> Result<(), Failure> {
    let texts = waivers(findings);
    if texts.is_empty() {
        context.say("note: no finding can be waived");
        return Ok(());
    }
    for text in texts {
        // An empty line comes first: the file may lack a final line feed.
        context.result(&format!("\n{text}"))?;
    }
    Ok(())
}

/// The path from the root of the checkout to the repository's folder, with `/`. A forge identifies
/// files by their paths from that root. Empty if the folder is the root or in no checkout.
fn folder_in_checkout(directory: &Path) -> String {
    let directory = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_path_buf());
    let root = directory
        .ancestors()
        .find(|folder| folder.join(".git").exists());
    root.and_then(|root| directory.strip_prefix(root).ok())
        .map(|below| {
            let names = below.components();
            let names: Vec<_> = names
                .map(|name| name.as_os_str().to_string_lossy())
                .collect();
            names.join("/")
        })
        .unwrap_or_default()
}

/// The numbers of errors and warnings as text; `None` without findings.
pub(super) fn count(findings: &[Finding]) -> Option<String> {
    let of = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .map(|finding| finding.count)
            .sum()
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

/// The exit code that follows from findings.
pub(super) fn status(findings: &[Finding], deny_warnings: bool) -> ExitStatus {
    if has_errors(findings) || (deny_warnings && findings.iter().any(is_counted)) {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    }
}

/// Warns of the places that did not have a wheel which another place had.
pub(super) fn show_rejected(context: &Context<'_>, report: &WheelReport) {
    for one in &report.rejected {
        let (file, name) = (&one.wheel.file, &one.wheel.file_name);
        context.warning(&format!("{file}: {name}: {}", one.problem));
    }
}

/// The number of failures with the same reason that are printed in full.
const FULL_FAILURES: usize = 3;

/// Reports failures of the network and the disk, with help. Of many failures with the same reason,
/// it prints the first few and counts the others.
pub(super) fn show_failures(context: &Context<'_>, failures: &[WheelFailure], offline: bool) {
    let mut reasons: Vec<(&str, Vec<&WheelFailure>)> = Vec::new();
    // A message of the cache names a file, which differs each time.
    let is_alike = |one: &WheelFailure, other: &WheelFailure| {
        one.reason == other.reason || one.is_of_cache && other.is_of_cache
    };
    for failure in failures {
        match reasons
            .iter_mut()
            .find(|(_, all)| all.iter().any(|one| is_alike(one, failure)))
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
            context.error(&format!("{failure}: {}", failure.reason));
        }
        if all.len() > in_full {
            context.error(&format!(
                "{} failed for the same reason (`-v` lists them): {reason}",
                counted(all.len() - in_full, "more wheel")
            ));
        }
    }
    if failures.iter().any(|failure| failure.is_of_cache) {
        context
            .help("set `IPWHL_CACHE_DIR` to a folder that you can write and that has free space");
    }
    if failures.is_empty() {
        return;
    }
    context.help(if offline {
        "run the same command once without `--offline`: verified wheels then stay in the cache"
    } else {
        "verified wheels stay in the cache: run the same command again"
    });
}
