//! Ranges of affected versions (OSV schema, "affected[].ranges[]" and "Evaluation").

use std::cmp::Ordering;

use ipwhl_packaging::Version;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::record::{EventRecord, RangeRecord};

/// A change of state at a version. The texts are those of the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Event {
    #[serde(rename = "i")]
    Introduced(Bound),
    #[serde(rename = "f")]
    Fixed(Bound),
    #[serde(rename = "l")]
    LastAffected(Bound),
}

/// A version in an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Bound {
    /// Before all versions: `introduced` of `0`.
    #[serde(rename = "0")]
    First,
    /// A version.
    #[serde(rename = "v")]
    Version(Version),
}

/// A range of versions: its events, sorted, and its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    events: Vec<Event>,
    /// Empty for no limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    limits: Vec<Version>,
}

/// The reason why a range cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RangeError {
    /// A version is none.
    #[error("`{0}` in `{1}` is not a version")]
    NotAVersion(String, &'static str),
    /// An event has no field, or more than one.
    #[error("an event must have exactly one of `introduced`, `fixed`, `last_affected` and `limit`")]
    Event,
    /// No event introduces the vulnerability.
    #[error("no event has `introduced`")]
    NotIntroduced,
}

/// Compares a declared version with one of an entry, as version specifiers do: the local part of
/// the declared one counts only if the other has one, too.
pub(super) fn compare(declared: &Version, stated: &Version) -> Ordering {
    if declared.is_local() && !stated.is_local() {
        declared.clone().without_local().cmp(stated)
    } else {
        declared.cmp(stated)
    }
}

impl Bound {
    fn version(&self) -> Option<&Version> {
        match self {
            Self::First => None,
            Self::Version(version) => Some(version),
        }
    }

    /// The order of a declared version and this bound.
    fn order_of(&self, declared: &Version) -> Ordering {
        self.version()
            .map_or(Ordering::Greater, |version| compare(declared, version))
    }
}

impl Event {
    fn bound(&self) -> &Bound {
        let (Self::Introduced(bound) | Self::Fixed(bound) | Self::LastAffected(bound)) = self;
        bound
    }
}

fn version(text: &str, field: &'static str) -> Result<Version, RangeError> {
    text.parse()
        .map_err(|_| RangeError::NotAVersion(text.to_owned(), field))
}

impl Range {
    /// Whether ranges of this type have versions that can be compared.
    pub(super) fn is_of_versions(record: &RangeRecord) -> bool {
        // Versions of this ecosystem are those of PEP 440, whatever the type says.
        matches!(record.kind.as_str(), "ECOSYSTEM" | "SEMVER")
    }

    /// Reads a range.
    ///
    /// # Errors
    /// When a version in it is none, or the events are not those of the specification.
    pub fn of(record: &RangeRecord) -> Result<Self, RangeError> {
        let mut events = Vec::new();
        let mut limits = Vec::new();
        let mut is_unlimited = false;
        for event in record.events.iter().flatten() {
            match event {
                EventRecord {
                    introduced: Some(text),
                    fixed: None,
                    last_affected: None,
                    limit: None,
                } => events.push(Event::Introduced(if text == "0" {
                    Bound::First
                } else {
                    Bound::Version(version(text, "introduced")?)
                })),
                EventRecord {
                    introduced: None,
                    fixed: Some(text),
                    last_affected: None,
                    limit: None,
                } => events.push(Event::Fixed(Bound::Version(version(text, "fixed")?))),
                EventRecord {
                    introduced: None,
                    fixed: None,
                    last_affected: Some(text),
                    limit: None,
                } => {
                    let version = version(text, "last_affected")?;
                    events.push(Event::LastAffected(Bound::Version(version)));
                }
                EventRecord {
                    introduced: None,
                    fixed: None,
                    last_affected: None,
                    limit: Some(text),
                } if text.contains('*') => is_unlimited = true,
                EventRecord {
                    introduced: None,
                    fixed: None,
                    last_affected: None,
                    limit: Some(text),
                } => limits.push(version(text, "limit")?),
                _ => return Err(RangeError::Event),
            }
        }
        if !events
            .iter()
            .any(|event| matches!(event, Event::Introduced(_)))
        {
            return Err(RangeError::NotIntroduced);
        }
        if is_unlimited {
            limits.clear();
        }
        // Events of one version stay in the order of the entry.
        events.sort_by(|one, other| one.bound().version().cmp(&other.bound().version()));
        Ok(Self { events, limits })
    }

    /// Whether a version is affected.
    pub fn contains(&self, declared: &Version) -> bool {
        let is_before = |limit: &Version| compare(declared, limit) == Ordering::Less;
        if !self.limits.is_empty() && !self.limits.iter().any(is_before) {
            return false;
        }
        let mut is_affected = false;
        for event in &self.events {
            let order = event.bound().order_of(declared);
            match event {
                Event::Introduced(_) if order != Ordering::Less => is_affected = true,
                Event::Fixed(_) if order != Ordering::Less => is_affected = false,
                Event::LastAffected(_) if order == Ordering::Greater => is_affected = false,
                _ => {}
            }
        }
        is_affected
    }

    /// The versions that are named as fixed and are newer than a version, in order.
    pub fn fixes_after(&self, declared: &Version) -> impl Iterator<Item = &Version> {
        self.events.iter().filter_map(move |event| match event {
            Event::Fixed(bound) => bound.version().filter(|version| *version > declared),
            _ => None,
        })
    }
}
