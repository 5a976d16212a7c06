//! What becomes of findings: severities and waivers are heard, and what remains is put in order.
//! Then it is compared with an earlier state, and findings that belong together are shown as one.

mod alike;
mod baseline;
mod propose;
mod related;
mod waivers;

use jiff::civil::Date;

use crate::foundation::diagnostic::{Baseline, Finding, Note, Severity, Stage, sort};
use crate::set::check::take_in_mismatches;
use crate::set::gather::{WheelReport, all_wheels};
use crate::set::repository::{Repository, summarize_platforms};
pub use baseline::compare;
use propose::propose;
pub use related::{group_related, waivers};
use waivers::apply;

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
    let mut findings = finish(repository, remaining);
    propose(repository, &mut findings, today, reason);
    findings
}

/// Puts findings into their order and says of each on which platforms it shows, for which extra,
/// and what it comes from.
pub fn finish(repository: &Repository, mut findings: Vec<Finding>) -> Vec<Finding> {
    take_in_mismatches(&mut findings);
    for finding in &mut findings {
        let words = [
            summarize_platforms(
                &finding.subject.platforms,
                &repository.configuration.platforms,
            )
            .map(|platforms| Note::Where {
                platforms,
                is_of_first: false,
            }),
            // A mistake in the list of extras names its extra already.
            (finding.code.stage() == Stage::Graph)
                .then_some(finding.subject.extra.as_ref())
                .flatten()
                .cloned()
                .map(Note::ForExtra),
            finding.chain.clone().map(Note::ComesFrom),
        ];
        finding.notes.splice(0..0, words.into_iter().flatten());
    }
    sort(&mut findings);
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
