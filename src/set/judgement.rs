//! What becomes of findings: severities and waivers are heard, and what remains is put in order.

use jiff::civil::Date;

use crate::foundation::diagnostic::{Baseline, Finding, Severity};
use crate::set::check;
use crate::set::gather::{WheelReport, all_wheels};
use crate::set::repository::{Repository, apply, propose};

/// What is left of the findings when severities and waivers have been heard, in order. Which wheels
/// `looked_at` knows decides whether a waiver of a finding about wheels is unused; `today` decides
/// which waivers have expired. The waivers that are proposed give `reason`.
pub fn judge(
    repository: &Repository,
    findings: Vec<Finding>,
    looked_at: &WheelReport,
    today: Date,
    reason: &str,
) -> Vec<Finding> {
    let mut unread = all_wheels(repository);
    unread.retain(|wheel| looked_at.release_facts(wheel).is_none());
    let remaining = apply(
        &repository.configuration,
        &repository.configuration_file(),
        findings,
        today,
        &unread,
    );
    let mut findings = check::finish(repository, remaining);
    propose(repository, &mut findings, today, reason);
    findings
}

/// Whether one of the findings is an error that was not there before.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| is_counted(finding) && finding.severity == Severity::Error)
}

/// Whether a finding fails a change: what was there before does not.
pub fn is_counted(finding: &Finding) -> bool {
    finding.baseline != Some(Baseline::Unchanged)
}
