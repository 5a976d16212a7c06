//! The finished list of findings, with the data that all formats for programs use.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::public::{PublicFinding, public, without_credentials};
use super::{Finding, Label, SourceText, SourceTexts};

/// The findings of a run, judged and in order.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The findings.
    pub findings: &'a [Finding],
    /// The source texts that they point into.
    pub texts: &'a SourceTexts,
    /// The path from the root of the checkout to the repository's folder, with `/` and without one
    /// at the end; empty if both are the same.
    pub folder: &'a str,
    /// Whether the set was compared with an earlier revision.
    pub is_compared: bool,
}

/// The lines and columns of a label, all from 1. Columns count characters. The end is the first
/// column after the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

impl Label {
    /// Whether it points at the whole file.
    pub(super) fn is_whole_file(&self) -> bool {
        self.span == (0..0)
    }

    pub(super) fn region(&self, texts: &SourceTexts) -> Region {
        let position = |offset| {
            texts
                .get(&self.file)
                .map_or((1, 1), |text| text.position(offset))
        };
        let (line, column) = position(self.span.start);
        let (end_line, end_column) = position(self.span.end.max(self.span.start));
        Region {
            line,
            column,
            end_line,
            end_column,
        }
    }
}

impl Report<'_> {
    /// The findings, safe to publish, each with its fingerprint.
    pub(super) fn published(&self) -> Vec<(PublicFinding, String)> {
        self.findings
            .iter()
            .map(public)
            .zip(self.fingerprints())
            .collect()
    }

    /// The path of a file from the root of the checkout, with `/`.
    pub(super) fn path(&self, file: &str) -> String {
        if self.folder.is_empty() {
            file.to_owned()
        } else {
            format!("{}/{file}", self.folder)
        }
    }

    /// The fingerprint of each finding, 64 hex digits. It identifies the finding and stays the same
    /// when lines move, when messages are reworded, and on other machines. It is the hash of the
    /// code, the file, the subject without platforms, and the text that the finding points at.
    /// Equal ones are numbered.
    pub fn fingerprints(&self) -> Vec<String> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        self.findings
            .iter()
            .map(|finding| {
                let identity = self.identity(&public(finding));
                let count = seen.entry(identity.clone()).or_default();
                *count += 1;
                let digest = Sha256::digest(format!("{identity}\0{count}"));
                data_encoding::HEXLOWER.encode(&digest)
            })
            .collect()
    }

    fn identity(&self, finding: &PublicFinding) -> String {
        let label = finding.labels.first();
        let text = label
            .filter(|label| !label.is_whole_file())
            .and_then(|label| {
                let text = self.texts.get(&label.file).map(SourceText::as_str)?;
                text.get(label.span.clone())
            })
            .map(|text| without_credentials(text.trim()))
            .filter(|text| !text.is_empty())
            // Only the message distinguishes findings about a whole file.
            .unwrap_or_else(|| finding.message.clone());
        let subject = &finding.subject;
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        [
            finding.code.to_string(),
            label.map_or_else(String::new, |label| label.file.to_string()),
            word(&subject.project),
            word(&subject.required),
            word(&subject.requirement),
            word(&subject.wheel),
            word(&subject.extra),
            text,
        ]
        .join("\0")
    }
}
