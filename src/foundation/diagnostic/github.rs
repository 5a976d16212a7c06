//! Findings as workflow commands, which GitHub Actions shows on the lines of a pull request.
//!
//! GitHub keeps ten annotations of each level in a step and silently drops the others. So the tenth
//! one gives the number of the others, which are printed as lines of the log.

use super::gitlab::NO_PLACE;
use super::public::PublicFinding;
use super::render::MOST_PLACES;
use super::{Baseline, Report, Severity};

/// The number of annotations of one level that GitHub keeps in a step.
const ANNOTATIONS: usize = 10;

/// The longest message of an annotation, in characters. GitHub accepts 64 KiB, which is too long to
/// read.
const LONGEST_MESSAGE: usize = 4_000;

/// The levels, the most severe first.
const LEVELS: [&str; 3] = ["error", "warning", "notice"];

/// One command for each finding, new ones before unchanged ones; empty without findings.
pub(super) fn github(report: &Report<'_>) -> String {
    let findings = report.published();
    let mut text = String::new();
    let mut rest = Vec::new();
    for name in LEVELS {
        let of_level: Vec<&PublicFinding> = findings
            .iter()
            .map(|(finding, _)| finding)
            .filter(|finding| level(finding) == name)
            .collect();
        let shown = if of_level.len() > ANNOTATIONS {
            ANNOTATIONS - 1
        } else {
            of_level.len()
        };
        for finding in &of_level[..shown] {
            text += &command(report, finding, name);
        }
        if shown < of_level.len() {
            let more: usize = of_level[shown..].iter().map(|finding| finding.count).sum();
            text += &format!("::{name} title=ipwhl::{more} more are in the log of this step\n");
            rest.extend(&of_level[shown..]);
        }
    }
    for finding in rest {
        text += &log_line(report, finding);
    }
    text
}

/// The level of a finding. Unchanged findings are notices, because the change did not cause them.
fn level(finding: &PublicFinding) -> &'static str {
    match (finding.baseline, finding.severity) {
        (Some(Baseline::Unchanged), _) => "notice",
        (_, Severity::Error) => "error",
        (_, Severity::Warning) => "warning",
    }
}

fn command(report: &Report<'_>, finding: &PublicFinding, name: &str) -> String {
    let mut properties = Vec::new();
    if let Some(label) = finding.labels.first() {
        let region = label.region(report.texts);
        properties.push(format!("file={}", property(&report.path(&label.file))));
        properties.push(format!("line={}", region.line));
        properties.push(format!("endLine={}", region.end_line));
        // Columns mean something within one line only.
        if region.line == region.end_line && !label.is_whole_file() {
            properties.push(format!("col={}", region.column));
            properties.push(format!("endColumn={}", region.end_column));
        }
    }
    properties.push(format!("title={}", property(finding.code.as_str())));
    let mut message = finding.message.clone();
    if finding.baseline == Some(Baseline::Unchanged) {
        message += "\nnote: it existed before this change";
    }
    for label in finding.labels.iter().take(MOST_PLACES).skip(1) {
        let region = label.region(report.texts);
        let place = format!("{}:{}", report.path(&label.file), region.line);
        message += &match label.text.as_str() {
            "" => format!("\nsee {place}"),
            text => format!("\n{text}: {place}"),
        };
    }
    for note in &finding.notes {
        message += &format!("\nnote: {note}");
    }
    for help in &finding.help {
        message += &format!("\nhelp: {}", help.message);
        if let Some(paste) = &help.text {
            message += &format!(":\n{paste}");
        }
    }
    format!(
        "::{name} {}::{}\n",
        properties.join(","),
        data(&shortened(&message))
    )
}

/// A line of the log that GitHub cannot read as a command: it starts with a word, and the older
/// form of commands, which counts anywhere in a line, is broken up.
fn log_line(report: &Report<'_>, finding: &PublicFinding) -> String {
    let place = finding.labels.first().map_or_else(
        || report.path(NO_PLACE),
        |label| {
            let region = label.region(report.texts);
            format!(
                "{}:{}:{}",
                report.path(&label.file),
                region.line,
                region.column
            )
        },
    );
    let line = format!(
        "{}[{}] {place}: {}\n",
        finding.severity, finding.code, finding.message
    );
    line.replace("##[", "## [")
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// Escapes the text after `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a value before `::`, where `:` and `,` are separators, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
