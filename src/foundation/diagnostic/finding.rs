//! Findings, and the source texts that they point into.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Platform, ProjectName, Requirement, Version, WheelFileName};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Code, Help, Note, RequirerChain, Severity, SharedCause};

/// A mistake in a declaration or another file that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind of mistake.
    pub code: Code,
    /// Its severity. A check sets the default of the code; the repository may change it.
    pub severity: Severity,
    /// One lower-case sentence that names the thing and the value.
    pub message: String,
    /// The places that it is about, the most important first. Empty if there is no place.
    pub labels: Vec<Label>,
    /// Notes that help to understand it.
    pub notes: Vec<Note>,
    /// The help texts, the most likely one first.
    pub help: Vec<Help>,
    /// The result of a comparison with an earlier revision; `None` without a comparison.
    pub baseline: Option<Baseline>,
    /// The problem of the required project itself. One change may fix all findings with the same
    /// cause, so people see them as one.
    pub shared: Option<SharedCause>,
    /// The path from a wanted project to the requiring one, if that is automatic.
    pub chain: Option<RequirerChain>,
    /// The requirers with their requirements, one line each, if several findings are shown as one.
    pub requirers: Vec<String>,
    /// The other findings of the same kind, one line each, if several are shown as one.
    pub alike: Vec<String>,
    /// The subject, which a waiver has to name.
    pub subject: Subject,
    /// The number of findings that it counts: 1, except for a finding that counts the others of a
    /// file.
    pub count: usize,
}

/// The result of comparing a finding with an earlier revision of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The change adds it.
    New,
    /// It existed before, and does not fail the check of the change.
    Unchanged,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The text's name: its path from the repository's folder, with `/`.
    pub file: Arc<str>,
    /// The byte range in the text; `0..0` for the whole file.
    pub span: Range<usize>,
    /// The label of the place; may be empty.
    pub text: String,
}

/// The subject of a finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The project that has to change.
    pub project: Option<ProjectName>,
    /// The required project. Findings about the same project are shown together, because one change
    /// to it may fix all of them.
    pub required: Option<ProjectName>,
    /// The requirement.
    pub requirement: Option<Requirement>,
    /// The wheel.
    pub wheel: Option<WheelFileName>,
    /// The extra with which it occurs.
    pub extra: Option<ExtraName>,
    /// The platforms on which it occurs, in order; empty if it does not depend on platforms.
    pub platforms: Vec<Platform>,
    /// The vulnerability of a declared version.
    pub advisory: Option<Box<AdvisorySubject>>,
    /// The licence that is not accepted, or the reason why it is unknown. Findings with the same one
    /// about wheels of a project are one finding.
    pub licence: Option<String>,
}

/// A known vulnerability of a declared version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvisorySubject {
    /// The identifier of its most specific advisory.
    pub id: String,
    /// Its other identifiers.
    pub aliases: Vec<String>,
    /// The declared version.
    pub version: Version,
    /// Its severity, if a database states one.
    pub severity: Option<AdvisorySeverity>,
    /// Newer versions that are named as fixed, in order.
    pub fixed: Vec<Version>,
    /// Whether the repository makes it an error for its severity.
    pub is_raised: bool,
    /// The answer to whether an update fits the set; `None` if the index was not asked.
    pub update: Option<UpdateAnswer>,
}

impl AdvisorySubject {
    /// Whether an identifier is one of the vulnerability's.
    pub fn is_named(&self, id: &str) -> bool {
        self.id == id || self.aliases.iter().any(|alias| alias == id)
    }
}

/// The severity of a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvisorySeverity {
    /// The severity in a word.
    pub rating: &'static str,
    /// The score of CVSS, as in `7.5`.
    pub score: Option<String>,
    /// The vector of CVSS.
    pub vector: Option<String>,
}

/// Whether an update without the vulnerability fits the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateAnswer {
    /// This version fits, with the command that declares it.
    Fits {
        /// The version.
        version: Version,
        /// The command.
        command: String,
    },
    /// None fits, with the reason.
    None {
        /// The reason.
        reason: String,
    },
}

impl Finding {
    /// A finding with the default severity of its code, without a place.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.default_severity(),
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            requirers: Vec::new(),
            alike: Vec::new(),
            help: Vec::new(),
            baseline: None,
            shared: None,
            chain: None,
            subject: Subject::default(),
            count: 1,
        }
    }

    /// Adds a place. The first one is the most important.
    #[must_use]
    pub fn at(mut self, file: &Arc<str>, span: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            file: Arc::clone(file),
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<Note>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds help.
    #[must_use]
    pub fn help(mut self, help: impl Into<Help>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds help with text to paste.
    #[must_use]
    pub fn paste(mut self, help: impl Into<String>, text: impl Into<String>) -> Self {
        self.help.push(Help::Sentence {
            message: help.into(),
            text: Some(text.into()),
        });
        self
    }

    /// Names the project that has to change.
    #[must_use]
    pub fn project(mut self, project: &ProjectName) -> Self {
        self.subject.project = Some(project.clone());
        self
    }

    /// Names the licence, or the reason why it is unknown.
    #[must_use]
    pub fn licence(mut self, licence: impl Into<String>) -> Self {
        self.subject.licence = Some(licence.into());
        self
    }

    /// Names the wheel.
    #[must_use]
    pub fn wheel(mut self, file_name: &WheelFileName) -> Self {
        self.subject.wheel = Some(file_name.clone());
        self
    }
}

/// Sorts findings into the order of every output: by place, code and message. Findings about a
/// requirement come last, sorted by the required project and the code.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|left, right| {
        let key = |finding: &Finding| {
            let place = finding
                .labels
                .first()
                .map(|label| (Arc::clone(&label.file), label.span.start));
            let required = finding.subject.required.clone();
            let kind = required.is_some().then_some(finding.code);
            (required, kind, place, finding.code)
        };
        key(left)
            .cmp(&key(right))
            .then_with(|| left.message.cmp(&right.message))
    });
}

/// A text that spans point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    text: String,
    line_starts: Vec<usize>,
}

impl SourceText {
    /// A text, with the starts of its lines.
    pub fn new(text: String) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(index, _)| index + 1))
            .collect();
        Self { text, line_starts }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The line of a byte offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// The line and column of a byte offset, both from 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        (line, self.text[start..offset].chars().count() + 1)
    }
}

/// The texts of a run, by name.
pub type SourceTexts = BTreeMap<Arc<str>, SourceText>;
