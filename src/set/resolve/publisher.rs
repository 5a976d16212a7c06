//! The publishers of chosen wheels: the word of the index (PEP 740), and whether it was verified.

use std::collections::BTreeSet;

use ipwhl_unixfs::Sha256Digest;

use crate::source::{Fetcher, IndexFile, NO_PUBLISHER, Publisher};

/// The publishers of a project's wheels, as the index states them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatedPublisher {
    /// The line for the declaration (formats.md, section 2); `None` if the index states none for any
    /// wheel.
    pub line: Option<String>,
    /// The reasons why the line is not verified: sentences about wheels. It is verified if there is
    /// none.
    pub unverified: Vec<String>,
    /// Whether the index offers provenance for a wheel, even if it cannot be used.
    pub is_offered: bool,
}

/// The publishers of one wheel.
#[derive(Debug)]
pub(super) struct WheelPublisher {
    lines: BTreeSet<String>,
    /// The reason why they are not verified.
    unverified: Option<String>,
    is_offered: bool,
}

impl WheelPublisher {
    /// Asks the index for the provenance of a wheel with this SHA-256, and verifies it. An index
    /// that cannot answer prevents no declaration: the wheel has no known publisher then.
    pub(super) async fn ask(fetcher: &Fetcher, file: &IndexFile, sha256: &Sha256Digest) -> Self {
        let name = &file.file_name;
        let none = |unverified: String, is_offered: bool| Self {
            lines: BTreeSet::new(),
            unverified: Some(unverified),
            is_offered,
        };
        let provenance = match fetcher.provenance(file, sha256).await {
            Ok(Some(provenance)) => provenance,
            Ok(None) => return none(format!("`{name}` has no provenance"), false),
            Err(problem) => {
                let reason = format!("the provenance of `{name}` is not usable: {problem}");
                return none(reason, true);
            }
        };
        let lines = provenance.publishers().map(Publisher::to_string).collect();
        let verified = tokio::task::spawn_blocking(move || provenance.verify()).await;
        let verified = verified.unwrap_or_else(|_| Err("the thread stopped".to_owned()));
        Self {
            lines,
            unverified: verified.err().map(|reason| format!("`{name}`: {reason}")),
            is_offered: true,
        }
    }

    /// The publishers of all wheels in one line: each once, sorted, and a word for wheels without one
    /// at the end.
    pub(super) fn join(wheels: &[Self]) -> StatedPublisher {
        let mut lines: BTreeSet<&str> = BTreeSet::new();
        lines.extend(
            wheels
                .iter()
                .flat_map(|wheel| &wheel.lines)
                .map(String::as_str),
        );
        let is_partial = wheels.iter().any(|wheel| wheel.lines.is_empty());
        let mut lines: Vec<&str> = lines.into_iter().collect();
        let has_any = !lines.is_empty();
        if is_partial {
            lines.push(NO_PUBLISHER);
        }
        StatedPublisher {
            line: has_any.then(|| lines.join(", ")),
            unverified: wheels
                .iter()
                .filter_map(|wheel| wheel.unverified.clone())
                .collect(),
            is_offered: wheels.iter().any(|wheel| wheel.is_offered),
        }
    }
}
