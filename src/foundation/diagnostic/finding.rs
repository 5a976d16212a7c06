//! Findings and the texts that they point into.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Platform, ProjectName, Requirement, WheelFileName};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Code, Help, Note, RequirerChain, Severity, SharedCause};

/// Something wrong with what a person wrote or declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing is wrong.
    pub code: Code,
    /// How much it weighs; a check sets the code's own, the repository may change it.
    pub severity: Severity,
    /// One lower-case sentence that names the thing and the value.
    pub message: String,
    /// The places that it is about, the foremost first. Empty where no place exists.
    pub labels: Vec<Label>,
    /// What else helps to understand it.
    pub notes: Vec<Note>,
    /// The ways out, the likeliest first.
    pub help: Vec<Help>,
    /// How it stands to the revision that the set was compared with; `None` where it was not.
    pub baseline: Option<Baseline>,
    /// What is wrong with the required project by itself. Findings that have this in common may end
    /// by one change, and people see them as one.
    pub shared: Option<SharedCause>,
    /// The way from a requested project to the one that requires, where that one is automatic.
    pub chain: Option<RequirerChain>,
    /// Who requires what, a line each, where several findings are shown as one.
    pub requirers: Vec<String>,
    /// The other findings of the same kind, a line each, where several are shown as one.
    pub alike: Vec<String>,
    /// What a waiver would have to name.
    pub subject: Subject,
    /// How many findings it stands for: 1, but where the others of a file are only counted.
    pub count: usize,
}

/// How a finding stands to an earlier revision of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// It was not there before: the change brings it.
    New,
    /// It was there before, and does not fail the change.
    Unchanged,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The text's name: its path from the repository's folder, with `/`.
    pub file: Arc<str>,
    /// Bytes from the text's start; `0..0` for the file as a whole.
    pub span: Range<usize>,
    /// What is to be seen there; may be empty.
    pub text: String,
}

/// The things that a finding is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The project that has to change.
    pub project: Option<ProjectName>,
    /// The project that a requirement is about: what is shown together, since one change to it may
    /// end all of them.
    pub required: Option<ProjectName>,
    /// The requirement.
    pub requirement: Option<Requirement>,
    /// The wheel.
    pub wheel: Option<WheelFileName>,
    /// The extra under which it shows.
    pub extra: Option<ExtraName>,
    /// The platforms where it shows, in order; empty where platforms play no part.
    pub platforms: Vec<Platform>,
}

impl Finding {
    /// A finding of the code's own severity, without a place.
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

    /// Adds a place; the first one added is the foremost.
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

    /// Adds a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<Help>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds a way out with text to paste.
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

    /// Names the wheel.
    #[must_use]
    pub fn wheel(mut self, file_name: &WheelFileName) -> Self {
        self.subject.wheel = Some(file_name.clone());
        self
    }
}

/// Puts findings into the one order that every run shows them in: by place, then by code and words;
/// those about a requirement after the others, by the project that is required, then by what is
/// wrong with it.
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

/// One text that spans point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    text: String,
    line_starts: Vec<usize>,
}

impl SourceText {
    /// A text, with its lines counted.
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
