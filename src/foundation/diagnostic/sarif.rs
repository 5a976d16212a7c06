//! Findings as SARIF 2.1.0, the format that code scanners exchange (OASIS, with Errata 01).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::gitlab::NO_PLACE;
use super::inert::json_pretty;
use super::public::PublicFinding;
use super::{Baseline, Code, Label, Report, Severity};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name of the base folder of every path (3.4.4): the root of the checkout.
const BASE: &str = "%SRCROOT%";

/// The name and version of the fingerprint (3.27.17).
const FINGERPRINT: &str = "ipwhlFinding/v1";

/// Characters that need no escape in the path of a relative reference. A `:` needs one: it would
/// make the first name a scheme.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One log with one run.
pub(super) fn sarif(report: &Report<'_>) -> String {
    let findings = report.published();
    let mut codes: Vec<Code> = findings.iter().map(|(finding, _)| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results: Vec<Value> = findings
        .iter()
        .map(|(finding, fingerprint)| result(report, finding, fingerprint, &codes))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ipwhl",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            // The columns of a region count characters and not units of UTF-16 (3.14.27).
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                BASE: { "description": { "text": "The root of the checkout." } },
            },
            "results": results,
        }],
    });
    json_pretty(&log).map_or_else(|_| String::new(), |text| text + "\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A code as a reportingDescriptor (3.49).
fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.summary() },
        "help": { "text": code.explanation(), "markdown": code.explanation() },
        "defaultConfiguration": { "level": level(code.default_severity()) },
        "properties": { "tags": [code.stage().as_str()] },
    })
}

/// A finding as a result (3.27).
fn result(
    report: &Report<'_>,
    finding: &PublicFinding,
    fingerprint: &str,
    codes: &[Code],
) -> Value {
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": codes.binary_search(&finding.code).unwrap_or_default(),
        "level": level(finding.severity),
        "message": { "text": message(finding) },
        "partialFingerprints": { FINGERPRINT: fingerprint },
        "properties": properties(finding),
    });
    let mut labels: Vec<Value> = finding
        .labels
        .iter()
        .enumerate()
        .map(|(index, label)| location(report, label, index))
        .collect();
    if labels.is_empty() {
        // Scanners refuse a result without a place.
        labels.push(json!({ "physicalLocation": file(report, NO_PLACE) }));
    }
    let related = labels.split_off(1);
    result["locations"] = json!(labels);
    if !related.is_empty() {
        result["relatedLocations"] = json!(related);
    }
    if let Some(baseline) = finding.baseline {
        result["baselineState"] = json!(match baseline {
            Baseline::New => "new",
            Baseline::Unchanged => "unchanged",
        });
    }
    result
}

/// The text of a finding: the message, then a paragraph for each note and each help text.
// Off-spec (3.11.5): braces are not doubled. Readers undouble them only if a message has arguments,
// and these have none.
fn message(finding: &PublicFinding) -> String {
    let mut text = finding.message.clone();
    for note in &finding.notes {
        text += &format!("\n\nnote: {note}");
    }
    for help in &finding.help {
        text += &format!("\n\nhelp: {}", help.message);
        if let Some(paste) = &help.text {
            text += &format!(":\n\n{paste}");
        }
    }
    // `[text](target)` would be a link (3.11.6), and a message has names from strangers.
    text.replace("](", "\\](")
}

/// A file as a physicalLocation (3.29).
fn file(report: &Report<'_>, name: &str) -> Value {
    let path = report.path(name);
    json!({
        "artifactLocation": {
            "uri": utf8_percent_encode(&path, PATH).to_string(),
            "uriBaseId": BASE,
        },
    })
}

/// A label as a location (3.28).
fn location(report: &Report<'_>, label: &Label, index: usize) -> Value {
    let mut physical = file(report, &label.file);
    // Without a region a result is about the file as a whole (3.29.4).
    if !label.is_whole_file() {
        let region = label.region(report.texts);
        physical["region"] = json!({
            "startLine": region.line,
            "startColumn": region.column,
            "endLine": region.end_line,
            "endColumn": region.end_column,
        });
    }
    let mut location = json!({ "physicalLocation": physical });
    if index > 0 {
        location["id"] = json!(index);
    }
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text.replace("](", "\\](") });
    }
    location
}

/// The subject of the finding as a property bag (3.8).
fn properties(finding: &PublicFinding) -> Value {
    let subject = &finding.subject;
    let mut bag = Map::new();
    for (key, word) in [
        ("project", &subject.project),
        ("requirement", &subject.requirement),
        ("wheel", &subject.wheel),
        ("extra", &subject.extra),
    ] {
        if let Some(word) = word {
            bag.insert(key.to_owned(), json!(word));
        }
    }
    if !subject.platforms.is_empty() {
        bag.insert("platforms".to_owned(), json!(subject.platforms));
    }
    if finding.count > 1 {
        bag.insert("count".to_owned(), json!(finding.count));
    }
    Value::Object(bag)
}
