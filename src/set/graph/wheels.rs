//! The availability of a project on a platform: the wheels that an installer may take there.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ExtraName, Platform, Version};

use crate::set::declaration::{Declaration, DeclaredWheel};

/// The availability of a project on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::set) enum Availability {
    /// The wheels with these indices: one, unless the project is ambiguous and that is allowed.
    /// Then an installer may take any of them.
    Wheels(Vec<usize>),
    /// A wheel fits the platform, but its Requires-Python does not hold on all patch versions.
    PythonExcluded(usize),
    /// No wheel fits.
    NoWheel,
}

impl Availability {
    pub(super) fn of(declaration: &Declaration, platform: &Platform) -> Self {
        let mut fitting = Vec::new();
        let mut excluded = None;
        for (index, wheel) in declaration.wheels.iter().enumerate() {
            if !wheel.has_tag_for(platform) {
                continue;
            }
            if wheel.allows_python_of(platform) {
                fitting.push(index);
            } else {
                excluded = Some(index);
            }
        }
        match excluded {
            _ if !fitting.is_empty() => Self::Wheels(fitting),
            Some(index) => Self::PythonExcluded(index),
            None => Self::NoWheel,
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
