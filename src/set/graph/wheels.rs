//! The availability of a project on a platform: the wheels that an installer may take there.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ExtraName, MarkerEnvironment, Platform, Version};

use crate::set::declaration::{Declaration, DeclaredWheel};

/// The availability of a project on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::set) enum Availability {
    /// The wheels with these indices: one, unless the project is ambiguous and that is allowed.
    /// Then an installer may take any of them.
    Wheels(Vec<usize>),
    /// A wheel fits the platform, but its Requires-Python does not hold on all patch versions.
    PythonExcluded(usize),
    /// The set does not offer the project there: `only` of the wheel with this index is false, and
    /// no other wheel fits.
    NotOffered(usize),
    /// No wheel fits.
    NoWheel,
}

impl Availability {
    /// The availability on a platform, whose variables are in `environment`.
    pub(super) fn of(
        declaration: &Declaration,
        platform: &Platform,
        environment: &MarkerEnvironment,
    ) -> Self {
        let mut fitting = Vec::new();
        let mut excluded = None;
        let mut not_offered: Option<(usize, bool)> = None;
        let mut offers_any = false;
        for (index, wheel) in declaration.wheels.iter().enumerate() {
            let has_tag = wheel.has_tag_for(platform);
            if !wheel.is_offered_in(environment) {
                // A wheel with a fitting tag is the better place for a finding.
                if not_offered.is_none_or(|(_, other_has_tag)| has_tag && !other_has_tag) {
                    not_offered = Some((index, has_tag));
                }
                continue;
            }
            offers_any = true;
            if !has_tag {
                continue;
            }
            if wheel.allows_python_of(platform) {
                fitting.push(index);
            } else {
                excluded = Some(index);
            }
        }
        match (excluded, not_offered) {
            _ if !fitting.is_empty() => Self::Wheels(fitting),
            (Some(index), _) => Self::PythonExcluded(index),
            // Of several wheels, one that is for other platforms says nothing about this one.
            (None, Some((index, has_tag))) if has_tag || !offers_any => Self::NotOffered(index),
            (None, _) => Self::NoWheel,
        }
    }

    /// Whether an installer may take the wheel of this index.
    pub(super) fn has(&self, wheel: usize) -> bool {
        matches!(self, Self::Wheels(indices) if indices.contains(&wheel))
    }
}

/// The combined offer of the wheels that an installer may take on one platform; usually one wheel.
pub(in crate::set) struct Offer<'r> {
    /// One wheel of each version.
    pub(in crate::set) versions: Vec<&'r DeclaredWheel>,
    /// The extras that all of these wheels have.
    pub(in crate::set) extras: BTreeSet<&'r ExtraName>,
    /// All wheels.
    pub(in crate::set) wheels: Vec<&'r DeclaredWheel>,
}

impl<'r> Offer<'r> {
    pub(super) fn new(wheels: Vec<&'r DeclaredWheel>) -> Self {
        let mut versions: BTreeMap<&Version, &'r DeclaredWheel> = BTreeMap::new();
        let mut extras: BTreeMap<&'r ExtraName, usize> = BTreeMap::new();
        for wheel in &wheels {
            versions.entry(wheel.file_name.version()).or_insert(wheel);
            for extra in &wheel.extras {
                *extras.entry(&extra.value).or_default() += 1;
            }
        }
        let mut versions: Vec<&DeclaredWheel> = versions.into_values().collect();
        versions.sort_by_key(|wheel| wheel.file_name.as_str());
        Self {
            versions,
            extras: extras
                .into_iter()
                .filter(|(_, count)| *count == wheels.len())
                .map(|(extra, _)| extra)
                .collect(),
            wheels,
        }
    }
}
