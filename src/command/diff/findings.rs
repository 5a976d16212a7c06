//! Findings of the whole set that are new, and those that are gone.

use super::super::context::Context;
use super::side::Side;
use crate::foundation::diagnostic::{Baseline, Finding};
use crate::set::check;
use crate::set::gather::WheelReport;
use crate::set::judgement::{self, judge};
use crate::set::repository::Repository;

/// What the checks of the set say of both states.
pub(super) struct Findings {
    pub(super) new: Vec<Finding>,
    pub(super) gone: Vec<Finding>,
    /// How many were there before, and still are.
    pub(super) unchanged: usize,
    /// Why they were not compared.
    pub(super) not_compared: Option<&'static str>,
}

/// Checks both sets and compares. Wheels are not looked into for this.
pub(super) fn compare(context: &Context<'_>, old: &Side, new: &Side) -> Findings {
    let (Some(before), Some(now)) = (&old.repository, &new.repository) else {
        return Findings {
            new: Vec::new(),
            gone: Vec::new(),
            unchanged: 0,
            not_compared: Some("a release of the layout `ipwhl-1` has no declarations"),
        };
    };
    let of = |repository: &Repository| {
        let mut findings = repository.findings.clone();
        findings.extend(check::set(repository));
        let today = context.session.today();
        judge(repository, findings, &WheelReport::default(), today, "")
    };
    let (found_before, mut found) = (of(before), of(now));
    let gone = judgement::compare(&found_before, &mut found, &now.configuration.platforms);
    let all = found.len();
    found.retain(|finding| finding.baseline == Some(Baseline::New));
    Findings {
        unchanged: all - found.len(),
        new: found,
        gone: gone
            .into_iter()
            .map(|index| found_before[index].clone())
            .collect(),
        not_compared: None,
    }
}
