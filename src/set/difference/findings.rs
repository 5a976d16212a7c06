//! The new findings of the whole set, and those that are gone.

use jiff::civil::Date;

use crate::foundation::diagnostic::{Baseline, Finding};
use crate::set::graph::Graph;
use crate::set::judgement::{compare, set_findings};
use crate::set::repository::Repository;

/// The findings of the checks of the set in two states. Wheels are not read for them.
#[derive(Debug, Clone, Default)]
pub struct FindingChanges {
    /// The findings of the new state only.
    pub new: Vec<Finding>,
    /// The findings of the old state only.
    pub gone: Vec<Finding>,
    /// The number of findings in both states.
    pub unchanged: usize,
}

/// Checks both sets and compares. `today` decides which waivers have expired.
pub fn finding_changes(before: &Repository, now: &Repository, today: Date) -> FindingChanges {
    let of = |repository: &Repository| set_findings(&Graph::new(repository), today);
    let (found_before, mut found) = (of(before), of(now));
    let gone = compare(&found_before, &mut found, &now.configuration.platforms);
    let all = found.len();
    found.retain(|finding| finding.baseline == Some(Baseline::New));
    FindingChanges {
        unchanged: all - found.len(),
        new: found,
        gone: gone
            .into_iter()
            .map(|index| found_before[index].clone())
            .collect(),
    }
}
