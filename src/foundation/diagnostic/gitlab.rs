//! Findings as a code quality report of GitLab: a JSON array in the format of Code Climate.
//!
//! GitLab compares the reports of two branches by their fingerprints, and shows new findings on
//! their lines.

use serde_json::{Value, json};

use super::inert::json_pretty;
use super::public::PublicFinding;
use super::{Baseline, Report, Severity};

/// The file of a finding without a place: a report must name one.
pub(super) const NO_PLACE: &str = "ipwhl.toml";

/// The report; `[]` without findings.
pub(super) fn gitlab(report: &Report<'_>) -> String {
    let issues: Vec<Value> = report
        .published()
        .iter()
        .map(|(finding, fingerprint)| issue(report, finding, fingerprint))
        .collect();
    json_pretty(&issues).map_or_else(|_| String::new(), |text| text + "\n")
}

fn issue(report: &Report<'_>, finding: &PublicFinding, fingerprint: &str) -> Value {
    let severity = match (finding.baseline, finding.severity) {
        (Some(Baseline::Unchanged), _) => "info",
        (_, Severity::Error) => "major",
        (_, Severity::Warning) => "minor",
    };
    let (file, begin, end) = finding.labels.first().map_or((NO_PLACE, 1, 1), |label| {
        let region = label.region(report.texts);
        (&*label.file, region.line, region.end_line)
    });
    let mut description = finding.message.clone();
    for note in &finding.notes {
        description += &format!("; {note}");
    }
    for help in &finding.help {
        description += &format!("; help: {}", help.message);
    }
    json!({
        "type": "issue",
        "check_name": finding.code.as_str(),
        "description": description,
        "categories": ["Bug Risk"],
        "severity": severity,
        "fingerprint": fingerprint,
        "location": {
            "path": report.path(file),
            "lines": { "begin": begin, "end": end },
        },
    })
}
