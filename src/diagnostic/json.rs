//! Findings as JSON, one object a line.

use serde::Serialize;

use super::render::without_credentials;
use super::{Baseline, Finding, Label, Severity, SourceTexts};

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Finding(Box<FindingLine<'a>>),
    Summary { errors: usize, warnings: usize },
}

#[derive(Serialize)]
struct FindingLine<'a> {
    code: &'a str,
    severity: String,
    message: &'a str,
    places: Vec<Place<'a>>,
    notes: &'a [String],
    help: Vec<HelpLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wheel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<&'a str>,
    platforms: &'a [String],
}

#[derive(Serialize)]
struct HelpLine<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    span: [usize; 2],
    text: &'a str,
}

fn place<'a>(label: &'a Label, texts: &SourceTexts) -> Place<'a> {
    let position = |offset| {
        texts
            .get(&label.file)
            .map_or((1, 1), |text| text.position(offset))
    };
    let (line, column) = position(label.span.start);
    let (end_line, end_column) = position(label.span.end);
    Place {
        file: &label.file,
        line,
        column,
        end_line,
        end_column,
        span: [label.span.start, label.span.end],
        text: &label.text,
    }
}

/// One line a finding, and a last one with the totals. Lines and columns count from 1, columns in
/// characters; `span` is in bytes.
pub fn json_lines(findings: &[Finding], texts: &SourceTexts) -> String {
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let lines = findings.iter().map(|finding| {
        Line::Finding(Box::new(FindingLine {
            code: finding.code.as_str(),
            severity: finding.severity.to_string(),
            message: &finding.message,
            places: finding
                .labels
                .iter()
                .map(|label| place(label, texts))
                .collect(),
            notes: &finding.notes,
            help: finding
                .help
                .iter()
                .map(|help| HelpLine {
                    message: &help.message,
                    text: help.text.as_deref(),
                })
                .collect(),
            baseline: finding.baseline.map(|baseline| match baseline {
                Baseline::New => "new",
                Baseline::Unchanged => "unchanged",
            }),
            project: finding.subject.project.as_deref(),
            requirement: finding.subject.requirement.as_deref(),
            wheel: finding.subject.wheel.as_deref(),
            extra: finding.subject.extra.as_deref(),
            platforms: &finding.subject.platforms,
        }))
    });
    let summary = Line::Summary {
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
    };
    lines
        .chain(std::iter::once(summary))
        .filter_map(|line| serde_json::to_string(&line).ok())
        .map(|line| without_credentials(&line))
        .fold(String::new(), |all, line| all + &line + "\n")
}
