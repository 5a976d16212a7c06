//! Applies severities and waivers to findings, and sorts the rest. Also compares findings with
//! those of an earlier state, and groups related findings.

mod alike;
mod baseline;
mod licences;
mod propose;
mod related;
mod waivers;

use jiff::civil::Date;

use crate::foundation::diagnostic::{Baseline, Code, Finding, Note, Severity, Stage, sort};
use crate::set::check::{set_with, take_in_mismatches};
use crate::set::gather::{WheelReport, all_wheels};
use crate::set::graph::Graph;
use crate::set::repository::{Repository, summarize_platforms};
pub use baseline::compare;
pub use licences::merge_licences;
use propose::propose;
pub use related::{group_related, waivers};
pub use waivers::Audited;
use waivers::apply;

/// The findings of a set's texts and graph. Wheels are not read. `today` decides which waivers have
/// expired.
pub fn set_findings(graph: &Graph<'_>, today: Date) -> Vec<Finding> {
    let repository = graph.repository;
    let mut findings = repository.findings.clone();
    findings.extend(set_with(graph));
    judge(repository, findings, &WheelReport::default(), today, "")
}

/// The findings that remain after severities and waivers, in order. A waiver of a finding about
/// wheels counts as unused only if `looked_at` covers those wheels; `today` decides which waivers
/// have expired. Proposed waivers have the given `reason`.
pub fn judge(
    repository: &Repository,
    findings: Vec<Finding>,
    looked_at: &WheelReport,
    today: Date,
    reason: &str,
) -> Vec<Finding> {
    judged(
        repository,
        findings,
        looked_at,
        today,
        reason,
        Audited::default(),
    )
}

/// As [`judge`], for findings of a set that was also compared with a database of advisories: the
/// waivers of such findings count as unused, too.
pub fn judge_audited(
    repository: &Repository,
    findings: Vec<Finding>,
    looked_at: &WheelReport,
    today: Date,
    reason: &str,
) -> Vec<Finding> {
    let audited = Audited {
        advisories: true,
        ..Audited::default()
    };
    judged(repository, findings, looked_at, today, reason, audited)
}

/// As [`judge`], for the findings of an audit alone: only waivers of such findings count.
pub fn judge_audit(
    repository: &Repository,
    findings: Vec<Finding>,
    today: Date,
    reason: &str,
    audited: Audited,
) -> Vec<Finding> {
    let mut configuration = repository.configuration.clone();
    let is_of_audit = |code: Code| match code.stage() {
        Stage::Advisories => audited.advisories,
        Stage::Index => audited.index,
        _ => false,
    };
    configuration
        .waivers
        .retain(|waiver| is_of_audit(waiver.code));
    let file = repository.configuration_file();
    let remaining = apply(&configuration, &file, findings, today, &[], audited);
    let mut findings = finish(repository, remaining);
    propose(repository, &mut findings, today, reason);
    findings
}

fn judged(
    repository: &Repository,
    findings: Vec<Finding>,
    looked_at: &WheelReport,
    today: Date,
    reason: &str,
    is_audited: Audited,
) -> Vec<Finding> {
    let mut unread = all_wheels(repository);
    unread.retain(|wheel| looked_at.release_facts(wheel).is_none());
    let remaining = apply(
        &repository.configuration,
        &repository.configuration_file(),
        findings,
        today,
        &unread,
        is_audited,
    );
    let mut findings = finish(repository, remaining);
    propose(repository, &mut findings, today, reason);
    findings
}

/// Sorts findings and adds notes to each: its platforms, its extra, and the path to its
/// requirement.
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
            // A finding about the list of extras names its extra already.
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

/// Whether one of the findings is an error that did not exist before.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| is_counted(finding) && finding.severity == Severity::Error)
}

/// Whether a finding fails a change: findings that existed before do not.
pub fn is_counted(finding: &Finding) -> bool {
    finding.baseline != Some(Baseline::Unchanged)
}
