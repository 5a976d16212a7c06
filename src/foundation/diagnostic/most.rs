//! How many findings of one file are shown: a file of hostile make can have as many as it has
//! bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Baseline, Code, Finding, Severity};

/// The most findings of one file that are shown. The others are counted in one more.
pub const MOST_FINDINGS: usize = 1_000;

/// The findings as they are shown: of each file the first [`MOST_FINDINGS`], and at the end, for
/// each file that has more, one that stands for the others and is as heavy as the heaviest of them.
pub fn most(findings: &[Finding]) -> Cow<'_, [Finding]> {
    if findings.len() <= MOST_FINDINGS {
        return Cow::Borrowed(findings);
    }
    let mut seen: BTreeMap<Option<&Arc<str>>, usize> = BTreeMap::new();
    let mut rests: BTreeMap<Option<&Arc<str>>, Vec<&Finding>> = BTreeMap::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let file = finding.labels.first().map(|label| &label.file);
        let seen = seen.entry(file).or_default();
        // One that stands for others already is one of those at the end.
        if *seen < MOST_FINDINGS && finding.count == 1 {
            *seen += 1;
            kept.push(finding.clone());
        } else {
            rests.entry(file).or_default().push(finding);
        }
    }
    for (file, rest) in rests {
        let mut finding = more(file, rest.iter().map(|one| one.count).sum());
        let severities = rest.iter().map(|one| one.severity);
        finding.severity = severities.max().unwrap_or(Severity::Error);
        finding.baseline = rest
            .iter()
            .filter_map(|one| one.baseline)
            .reduce(|all, one| if one == Baseline::New { one } else { all });
        kept.push(finding);
    }
    Cow::Owned(kept)
}

/// The finding that stands for this many more of a file.
pub(crate) fn more(file: Option<&Arc<str>>, count: usize) -> Finding {
    let findings = if count == 1 { "finding" } else { "findings" };
    let message =
        format!("{count} more {findings} of this file: of one file {MOST_FINDINGS} are shown");
    let mut finding = Finding::new(Code::TooLarge, message);
    if let Some(file) = file {
        finding = finding.at(file, 0..0, "");
    }
    finding.count = count;
    finding.help("mend the first ones and run it again")
}
