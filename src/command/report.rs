//! Findings, shown, and what they mean for the exit code.

use std::path::Path;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::context::Context;
use super::exit::ExitStatus;
use super::words::counted;
pub(super) use crate::foundation::diagnostic::MessageFormat;
use crate::foundation::diagnostic::{Finding, Inert, Report, Severity, most, render, wrap};
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

/// Writes the findings, and what they come to.
pub(super) fn show(
    context: &Context<'_>,
    repository: &Repository,
    findings: &[Finding],
    format: MessageFormat,
) -> Result<(), Failure> {
    show_compared(context, repository, findings, format, false)?;
    if format == MessageFormat::Text {
        tell_of_waivers(context, findings);
    }
    Ok(())
}

/// As [`show`]; `is_compared` where the set was held against an earlier revision.
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

/// Where more is said of what was found, in a line; `None` where nothing was.
fn further_reading(findings: &[Finding]) -> Option<String> {
    let first = findings.first()?.code;
    let is_alone = findings.iter().all(|finding| finding.code == first);
    let code = if is_alone { first.as_str() } else { "CODE" };
    Some(format!("for more on it: `ipwhl explain {code}`"))
}

/// Says how to waive what was found, if a waiver may cover some of it.
pub(super) fn tell_of_waivers(context: &Context<'_>, findings: &[Finding]) {
    if waivers(findings).is_empty() {
        return;
    }
    let line = format!(
        "to accept this for a while: `ipwhl check --waivers REASON` prints what to add to `{CONFIGURATION_FILE}`"
    );
    context.say(&wrap(&line, context.style(false).width, "", ""));
}

/// Writes the waivers that would cover the findings, as they are to be added.
pub(super) fn show_waivers(context: &Context<'_>, findings: &[Finding]) -> Result<(), Failure> {
    let texts = waivers(findings);
    if texts.is_empty() {
        context.say("note: there is no finding that a waiver could cover");
        return Ok(());
    }
    for text in texts {
        // An empty line first: the file may end in a line that does not end.
        context.result(&format!("\n{text}"))?;
    }
    Ok(())
}

/// The repository's folder as seen from the root of the checkout that it lies in, with `/`; a forge
/// knows files by their paths from there. Empty where it is that root, or no checkout at all.
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

/// How many findings there are, in words; `None` for none.
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

/// The exit code that findings ask for.
pub(super) fn status(findings: &[Finding], deny_warnings: bool) -> ExitStatus {
    if has_errors(findings) || (deny_warnings && findings.iter().any(is_counted)) {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    }
}

/// Says which places were asked in vain for wheels that another place had.
pub(super) fn show_rejected(context: &Context<'_>, report: &WheelReport) {
    for one in &report.rejected {
        let (file, name) = (&one.wheel.file, &one.wheel.file_name);
        context.warning(&format!("{file}: {name}: {}", one.problem));
    }
}

/// How many failures of the same reason are told in full.
const FULL_FAILURES: usize = 3;

/// Says what failed in the world, and the way out: of many failures for one reason the first few,
/// and how many more.
pub(super) fn show_failures(context: &Context<'_>, failures: &[WheelFailure]) {
    let mut reasons: Vec<(&str, Vec<&WheelFailure>)> = Vec::new();
    // What the cache says names a file, another one each time.
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
                "the same of {} more wheels (`-v` names them): {reason}",
                all.len() - in_full
            ));
        }
    }
    if failures.iter().any(|failure| failure.is_of_cache) {
        context.help(
            "name a folder that you can write, and that has room, for the cache with `IPWHL_CACHE_DIR`",
        );
    }
    if !failures.is_empty() {
        context.help("what was verified stays in the cache: run the same command again");
    }
}
