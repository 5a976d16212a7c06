//! Findings as JSON, one object a line.

use schemars::JsonSchema;
use serde::Serialize;

use super::inert::json_line;
use super::public::public;
use super::{Baseline, Code, Finding, Label, Report, Severity, SourceTexts};

/// One line of `--message-format json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[schemars(title = "A line of `ipwhl check --message-format json`")]
pub enum JsonLine {
    /// Something wrong with what a person wrote or declared.
    Finding(Box<JsonFinding>),
    /// The last line: what the findings come to.
    Summary(JsonSummary),
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonFinding {
    /// What kind of thing is wrong; `ipwhl explain` says more of it.
    pub code: Code,
    /// How much it weighs in this repository.
    pub severity: Severity,
    /// One sentence that names the thing and the value.
    pub message: String,
    /// The places that it is about, the foremost first; empty where no place exists.
    pub places: Vec<JsonPlace>,
    /// What else helps to understand it.
    pub notes: Vec<String>,
    /// The ways out, the likeliest first.
    pub help: Vec<JsonHelp>,
    /// How it stands to the revision that the set was compared with; absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// The project that has to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The requirement in canonical form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// The wheel's file name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<String>,
    /// The extra under which it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
    /// The platforms where it shows; empty where platforms play no part.
    pub platforms: Vec<String>,
    /// How many findings it stands for, which are not shown; absent for one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

/// A way out of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonHelp {
    /// What to do or to type.
    pub message: String,
    /// Text to paste, of one line or several, without a final line feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonPlace {
    /// The file's path from the repository's folder, with `/`.
    pub file: String,
    /// The line of the first character.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// The line of the end.
    pub end_line: usize,
    /// The column after the last character.
    pub end_column: usize,
    /// The first byte and the one after the last; `[0, 0]` for the file as a whole.
    pub span: [usize; 2],
    /// What is to be seen there; may be empty.
    pub text: String,
}

/// What the findings come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonSummary {
    /// How many findings are errors.
    pub errors: usize,
    /// How many findings are warnings.
    pub warnings: usize,
    /// How many of both were not there in the revision that the set was compared with; absent where
    /// it was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<usize>,
    /// How many of both were there in the revision that the set was compared with; absent where it
    /// was not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<usize>,
}

impl JsonFinding {
    /// The finding, fit to be published.
    pub fn new(finding: &Finding, texts: &SourceTexts) -> Self {
        let finding = public(finding);
        Self {
            code: finding.code,
            severity: finding.severity,
            message: finding.message,
            places: finding
                .labels
                .iter()
                .map(|label| JsonPlace::new(label, texts))
                .collect(),
            notes: finding.notes,
            help: finding
                .help
                .into_iter()
                .map(|help| JsonHelp {
                    message: help.message,
                    text: help.text,
                })
                .collect(),
            baseline: finding.baseline,
            project: finding.subject.project,
            requirement: finding.subject.requirement,
            wheel: finding.subject.wheel,
            extra: finding.subject.extra,
            platforms: finding.subject.platforms,
            count: (finding.count > 1).then_some(finding.count),
        }
    }
}

impl JsonPlace {
    fn new(label: &Label, texts: &SourceTexts) -> Self {
        let region = label.region(texts);
        Self {
            file: label.file.to_string(),
            line: region.line,
            column: region.column,
            end_line: region.end_line,
            end_column: region.end_column,
            span: [label.span.start, label.span.end],
            text: label.text.clone(),
        }
    }
}

impl JsonSummary {
    /// The totals of these findings; `is_compared` where the set was held against an earlier
    /// revision.
    pub fn new(findings: &[Finding], is_compared: bool) -> Self {
        let count = |severity| {
            findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .map(|finding| finding.count)
                .sum()
        };
        let of = |baseline| {
            let alike = findings
                .iter()
                .filter(|finding| finding.baseline == Some(baseline));
            is_compared.then(|| alike.map(|finding| finding.count).sum())
        };
        Self {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            new: of(Baseline::New),
            unchanged: of(Baseline::Unchanged),
        }
    }
}

/// One line a finding, and a last one with the totals.
pub(super) fn json(report: &Report<'_>) -> String {
    let findings = report.findings;
    let summary = JsonLine::Summary(JsonSummary::new(findings, report.is_compared));
    findings
        .iter()
        .map(|finding| JsonLine::Finding(Box::new(JsonFinding::new(finding, report.texts))))
        .chain([summary])
        .filter_map(|line| json_line(&line).ok())
        .fold(String::new(), |all, line| all + &line + "\n")
}

/// One line a finding, and a last one with the totals, of findings in a repository of their own.
pub fn json_lines(findings: &[Finding], texts: &SourceTexts) -> String {
    json(&Report {
        findings,
        texts,
        folder: "",
        is_compared: false,
    })
}
