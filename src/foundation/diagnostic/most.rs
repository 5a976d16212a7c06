//! The limit of findings that are shown for one file: a hostile file can have one for each byte.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Baseline, Code, Finding, Severity};

/// The maximum number of findings that are shown for one file. One more finding counts the others.
pub const MOST_FINDINGS: usize = 1_000;

/// The findings to show: the first [`MOST_FINDINGS`] of each file, and at the end, for each file
/// with more, one that counts the others. It has the highest severity among them.
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
        // A finding that already counts others is moved to the end.
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

/// The finding that counts this number of other findings in a file.
pub(crate) fn more(file: Option<&Arc<str>>, count: usize) -> Finding {
    let findings = if count == 1 { "finding" } else { "findings" };
    let message =
        format!("{count} more {findings} of this file: of one file {MOST_FINDINGS} are shown");
    let mut finding = Finding::new(Code::TooLarge, message);
    if let Some(file) = file {
        finding = finding.at(file, 0..0, "");
    }
    finding.count = count;
    finding.help("fix the first ones and run the same command again")
}
