//! Findings as JSON, one object on each line.

use schemars::JsonSchema;
use serde::Serialize;

use super::inert::json_line;
use super::public::public;
use super::{
    AdvisorySubject, Baseline, Code, Finding, Label, Report, Severity, SourceTexts, UpdateAnswer,
};

/// One line of `--message-format json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[schemars(title = "A line of `ipwhl check` or `ipwhl audit` with `--message-format json`")]
pub enum JsonLine {
    /// A mistake in a declaration or another file that a person wrote.
    Finding(Box<JsonFinding>),
    /// The advisory database of `ipwhl audit`.
    Database(JsonDatabase),
    /// The last line: the totals.
    Summary(JsonSummary),
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonFinding {
    /// The kind of mistake; `ipwhl explain` explains it.
    pub code: Code,
    /// Its severity in this repository.
    pub severity: Severity,
    /// One sentence that names the thing and the value.
    pub message: String,
    /// The places that it is about, the most important first; empty if there is no place.
    pub places: Vec<JsonPlace>,
    /// Notes that help to understand it.
    pub notes: Vec<String>,
    /// The help texts, the most likely one first.
    pub help: Vec<JsonHelp>,
    /// The result of a comparison with an earlier revision; absent without a comparison.
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
    /// The extra with which it occurs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<String>,
    /// The platforms on which it occurs; empty if it does not depend on platforms.
    pub platforms: Vec<String>,
    /// The vulnerability of a declared version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisory: Option<JsonAdvisory>,
    /// The number of hidden findings that it counts; absent for a single finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

/// A known vulnerability of a declared version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonAdvisory {
    /// The identifier of its most specific advisory.
    pub id: String,
    /// Its other identifiers.
    pub aliases: Vec<String>,
    /// The declared version.
    pub version: String,
    /// Its severity; absent if no database states one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<JsonSeverity>,
    /// Newer versions that are named as fixed, in order.
    pub fixed: Vec<String>,
    /// Whether an update without it fits the set; absent if the index was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<JsonUpdate>,
}

/// The severity of a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonSeverity {
    /// `none`, `low`, `medium`, `high` or `critical`.
    pub rating: String,
    /// The score of CVSS, as in `7.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// The vector of CVSS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<String>,
}

/// Whether an update without a vulnerability fits the set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonUpdate {
    /// The version that fits; absent if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The command that declares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The reason why none fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An advisory database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonDatabase {
    /// Its place, as given.
    pub place: String,
    /// The SHA-256 over the sorted SHA-256 digests of its entries.
    pub digest: String,
    /// The newest time in `modified` of an entry; absent if no entry has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// The number of files with an entry.
    pub entries: usize,
    /// The number of entries about projects of Python, without withdrawn ones.
    pub advisories: usize,
    /// The number of withdrawn entries.
    pub withdrawn: usize,
    /// The number of entries that cannot be used, or only in part.
    pub broken: usize,
}

/// The help of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonHelp {
    /// The action or the command.
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
    /// The first byte and the one after the last; `[0, 0]` for the whole file.
    pub span: [usize; 2],
    /// The label of the place; may be empty.
    pub text: String,
}

/// The totals of the findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JsonSummary {
    /// The number of errors.
    pub errors: usize,
    /// The number of warnings.
    pub warnings: usize,
    /// The number of both that the earlier revision does not have; absent without a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<usize>,
    /// The number of both that the earlier revision has, too; absent without a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<usize>,
}

impl JsonFinding {
    /// The finding, safe to publish.
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
            advisory: finding.subject.advisory.map(JsonAdvisory::new),
            count: (finding.count > 1).then_some(finding.count),
        }
    }
}

impl JsonAdvisory {
    fn new(subject: AdvisorySubject) -> Self {
        Self {
            id: subject.id,
            aliases: subject.aliases,
            version: subject.version.to_string(),
            severity: subject.severity.map(|severity| JsonSeverity {
                rating: severity.rating.to_owned(),
                score: severity.score,
                vector: severity.vector,
            }),
            fixed: subject.fixed.iter().map(ToString::to_string).collect(),
            update: subject.update.map(|update| match update {
                UpdateAnswer::Fits { version, command } => JsonUpdate {
                    version: Some(version.to_string()),
                    command: Some(command),
                    reason: None,
                },
                UpdateAnswer::None { reason } => JsonUpdate {
                    version: None,
                    command: None,
                    reason: Some(reason),
                },
            }),
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
    /// The totals of these findings; `is_compared` if the set was compared with an earlier
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

/// One line for each finding, and a last one with the totals.
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

/// One line for each finding, and a last one with the totals, for a repository that is the root of
/// its checkout.
pub fn json_lines(findings: &[Finding], texts: &SourceTexts) -> String {
    json(&Report {
        findings,
        texts,
        folder: "",
        is_compared: false,
    })
}
