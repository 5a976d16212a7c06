//! What is known after wheels have been looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use ipwhl_packaging::WheelFileName;
use ipwhl_unixfs::Cid;

use super::{Facts, ReleaseFacts, ReusedFacts};
use crate::set::declaration::DeclaredWheel;
use crate::source::SourceProblem;

/// What is known after wheels have been looked at.
#[derive(Debug, Default)]
pub struct WheelReport {
    pub(super) facts: BTreeMap<Cid, Facts>,
    /// What a release says of wheels that were not looked at, by content-id and file name.
    pub(super) reused: BTreeMap<(Cid, String), ReusedFacts>,
    /// What is wrong with what sources gave.
    pub problems: Vec<WheelProblem>,
    /// What failed in the world.
    pub failures: Vec<WheelFailure>,
    /// Places that were asked in vain for wheels that another place had.
    pub rejected: Vec<WheelProblem>,
}

/// What is wrong with a wheel at one of its sources, which is about what was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelProblem {
    /// The wheel, as it is declared.
    pub wheel: Box<DeclaredWheel>,
    /// The source in the declaration, in bytes; the whole wheel where no source is to blame.
    pub span: Range<usize>,
    /// What is wrong.
    pub problem: SourceProblem,
}

/// A wheel that could not be looked at, for a reason that says nothing about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFailure {
    /// The file of its declaration.
    pub file: String,
    /// The wheel.
    pub file_name: WheelFileName,
    /// The place that it could not be fetched from, as it may be shown, where one is to blame.
    pub place: Option<String>,
    /// Why, as half a sentence: the same text for the same reason.
    pub reason: String,
    /// Whether the cache is why.
    pub is_of_cache: bool,
}

impl WheelFailure {
    /// A failure that no place is to blame for.
    pub fn new(wheel: &DeclaredWheel, reason: impl fmt::Display) -> Self {
        Self {
            file: wheel.file.to_string(),
            file_name: wheel.file_name.clone(),
            place: None,
            reason: reason.to_string(),
            is_of_cache: false,
        }
    }

    /// The failure of the cache.
    pub fn of_cache(wheel: &DeclaredWheel, reason: impl fmt::Display) -> Self {
        Self {
            is_of_cache: true,
            ..Self::new(wheel, reason)
        }
    }
}

impl fmt::Display for WheelFailure {
    /// What could not be done, without the reason.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: `{}`", self.file, self.file_name)?;
        match &self.place {
            Some(place) => write!(formatter, " could not be fetched from {place}"),
            None => Ok(()),
        }
    }
}

impl WheelReport {
    /// Takes in what was found otherwise; what is known already is not said twice.
    pub fn extend(&mut self, other: Self) {
        self.facts.extend(other.facts);
        self.reused.extend(other.reused);
        extend_with_new(&mut self.problems, other.problems);
        extend_with_new(&mut self.failures, other.failures);
        extend_with_new(&mut self.rejected, other.rejected);
    }

    /// How many of these wheels were looked at, by this run or an earlier one.
    pub fn verified(&self, wheels: &[&DeclaredWheel]) -> usize {
        let is_known = |wheel: &&&DeclaredWheel| self.facts(wheel).is_some();
        wheels.iter().filter(is_known).count()
    }

    /// The facts of a declared wheel.
    pub fn facts(&self, wheel: &DeclaredWheel) -> Option<&Facts> {
        self.facts.get(&wheel.content_id.value)
    }

    /// What a release says of a declared wheel that was not looked at.
    pub fn reused(&self, wheel: &DeclaredWheel) -> Option<&ReusedFacts> {
        self.reused.get(&release_key(wheel))
    }

    /// What is known of a declared wheel, from itself or from a release that is reused.
    pub fn release_facts(&self, wheel: &DeclaredWheel) -> Option<ReleaseFacts<'_>> {
        let facts = self.facts(wheel).map(Facts::release_facts);
        facts.or_else(|| self.reused(wheel).map(ReusedFacts::release_facts))
    }

    /// Notes what is wrong with one source of a wheel: about the declaration, or about the world.
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
            // `insecure-source` says it.
            SourceProblem::NotAsked { .. } => {}
            SourceProblem::Failed { place, reason } => self.failures.push(WheelFailure {
                place: Some(place.clone()),
                ..WheelFailure::new(wheel, reason)
            }),
        }
    }
}

/// What tells a wheel in a release: its content, and the name that it has been checked under.
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
