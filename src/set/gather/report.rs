//! The result of reading wheels.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use ipwhl_packaging::WheelFileName;
use ipwhl_unixfs::Cid;

use super::{Facts, ReleaseFacts, ReusedFacts};
use crate::foundation::time::UtcTime;
use crate::set::declaration::DeclaredWheel;
use crate::source::SourceProblem;

/// The result of reading wheels.
#[derive(Debug, Default)]
pub struct WheelReport {
    pub(super) facts: BTreeMap<Cid, Facts>,
    /// The facts from a release for wheels that were not read, by content-id and file name.
    pub(super) reused: BTreeMap<(Cid, String), ReusedFacts>,
    /// The times of uploads that the index states, by file name, if it was asked.
    pub(super) times: BTreeMap<String, UtcTime>,
    /// Problems with the answers of sources.
    pub problems: Vec<WheelProblem>,
    /// Failures of the network or the machine.
    pub failures: Vec<WheelFailure>,
    /// Sources that failed for wheels that another source had.
    pub rejected: Vec<WheelProblem>,
}

/// A problem with a wheel at one of its sources that concerns the declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelProblem {
    /// The wheel, as it is declared.
    pub wheel: Box<DeclaredWheel>,
    /// The span of the source in the declaration, in bytes; of the whole wheel if no single source
    /// is at fault.
    pub span: Range<usize>,
    /// The problem.
    pub problem: SourceProblem,
}

/// A wheel that could not be read for a reason unrelated to the wheel itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFailure {
    /// The file of its declaration.
    pub file: String,
    /// The wheel.
    pub file_name: WheelFileName,
    /// The source that it could not be fetched from, in printable form, if a single source failed.
    pub place: Option<String>,
    /// The reason, as a clause; equal reasons have equal texts.
    pub reason: String,
    /// Whether the cache is the cause.
    pub is_of_cache: bool,
}

impl WheelFailure {
    /// A failure that no single source caused.
    pub fn new(wheel: &DeclaredWheel, reason: impl fmt::Display) -> Self {
        Self {
            file: wheel.file.to_string(),
            file_name: wheel.file_name.clone(),
            place: None,
            reason: reason.to_string(),
            is_of_cache: false,
        }
    }

    /// A failure of the cache.
    pub fn of_cache(wheel: &DeclaredWheel, reason: impl fmt::Display) -> Self {
        Self {
            is_of_cache: true,
            ..Self::new(wheel, reason)
        }
    }
}

impl fmt::Display for WheelFailure {
    /// The failed action, without the reason.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: `{}`", self.file, self.file_name)?;
        match &self.place {
            Some(place) => write!(formatter, " could not be fetched from {place}"),
            None => Ok(()),
        }
    }
}

impl WheelReport {
    /// Adds another report; known entries are not repeated.
    pub fn extend(&mut self, other: Self) {
        self.facts.extend(other.facts);
        self.reused.extend(other.reused);
        self.times.extend(other.times);
        extend_with_new(&mut self.problems, other.problems);
        extend_with_new(&mut self.failures, other.failures);
        extend_with_new(&mut self.rejected, other.rejected);
    }

    /// The number of these wheels that were verified, by this run or an earlier one.
    pub fn verified(&self, wheels: &[&DeclaredWheel]) -> usize {
        let is_known = |wheel: &&&DeclaredWheel| self.facts(wheel).is_some();
        wheels.iter().filter(is_known).count()
    }

    /// The facts of a declared wheel.
    pub fn facts(&self, wheel: &DeclaredWheel) -> Option<&Facts> {
        self.facts.get(&wheel.content_id.value)
    }

    /// The facts from a release for a declared wheel that was not read.
    pub fn reused(&self, wheel: &DeclaredWheel) -> Option<&ReusedFacts> {
        self.reused.get(&release_key(wheel))
    }

    /// The facts of a declared wheel, from itself or from a reused release.
    pub fn release_facts(&self, wheel: &DeclaredWheel) -> Option<ReleaseFacts<'_>> {
        let facts = self.facts(wheel).map(Facts::release_facts);
        facts.or_else(|| self.reused(wheel).map(ReusedFacts::release_facts))
    }

    /// The time of the upload of a declared wheel, as the index states it.
    pub fn stated_time(&self, wheel: &DeclaredWheel) -> Option<UtcTime> {
        self.times.get(wheel.file_name.as_str()).copied()
    }

    /// Records a problem with one source of a wheel, as a finding's problem or a failure.
    pub(super) fn note(
        &mut self,
        wheel: &DeclaredWheel,
        span: Range<usize>,
        problem: &SourceProblem,
    ) {
        match problem {
            SourceProblem::Missing { .. } | SourceProblem::Mismatch { .. } => {
                self.problems.push(WheelProblem {
                    wheel: Box::new(wheel.clone()),
                    span,
                    problem: problem.clone(),
                });
            }
            // `insecure-source` reports it.
            SourceProblem::NotAsked { .. } => {}
            SourceProblem::Failed { place, reason } | SourceProblem::TooLarge { place, reason } => {
                self.failures.push(WheelFailure {
                    place: Some(place.clone()),
                    ..WheelFailure::new(wheel, reason)
                });
            }
        }
    }
}

/// The key of a wheel in a release: its content-id, and the name that it was checked under.
pub(super) fn release_key(wheel: &DeclaredWheel) -> (Cid, String) {
    let file_name = wheel.file_name.as_str().to_owned();
    (wheel.content_id.value, file_name)
}

fn extend_with_new<T: PartialEq>(known: &mut Vec<T>, others: Vec<T>) {
    for other in others {
        if !known.contains(&other) {
            known.push(other);
        }
    }
}
