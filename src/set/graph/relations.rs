//! Who requires what of whom, and whether the set has it: for those who ask rather than check.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{Constraint, ExtraName, ProjectName, Requirement, specifiers_contain};

use super::{Availability, Graph, Need};
use crate::set::declaration::Declaration;

/// One requirement of a project, all its wheels that state it taken together.
#[derive(Debug, Clone)]
pub struct Relation<'r> {
    /// Who requires.
    pub from: &'r Declaration,
    /// What it requires; the project may be missing from the set.
    pub requirement: &'r Requirement,
    /// The extra under which it does; `None` where it needs none.
    pub extra: Option<&'r ExtraName>,
    /// The platforms on which it does, of those that were asked about, as indices into the repository's
    /// platforms; never empty.
    pub platforms: BTreeSet<usize>,
    /// The file of the first wheel that states it.
    pub file: &'r Arc<str>,
    /// Where it stands there, in bytes.
    pub span: Range<usize>,
    /// Why the set does not satisfy it on one of them, if it does not.
    pub shortfall: Option<Shortfall>,
}

/// Why a requirement is not satisfied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortfall {
    /// The project is not in the set.
    Missing,
    /// The project is declared, but its text could not be understood.
    Unreadable,
    /// The requirement names an address, which no declaration satisfies.
    DirectReference,
    /// The version in the set is outside the specifiers.
    OtherVersion,
    /// The project does not vouch for this extra.
    NoExtra(ExtraName),
    /// The project has no usable wheel on one of the platforms.
    Unavailable,
}

impl Shortfall {
    /// The code of the finding about it; a text that could not be understood has findings of its own.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "missing-dependency",
            Self::Unreadable => "unreadable",
            Self::DirectReference => "direct-reference",
            Self::OtherVersion => "unsatisfied-dependency",
            Self::NoExtra(_) => "missing-extra",
            Self::Unavailable => "unavailable-dependency",
        }
    }
}

impl std::fmt::Display for Shortfall {
    /// A few words, to stand behind the requirement.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => formatter.write_str("not in the set"),
            Self::Unreadable => formatter.write_str("its declaration cannot be read"),
            Self::DirectReference => formatter.write_str("a direct reference"),
            Self::OtherVersion => formatter.write_str("another version is in the set"),
            Self::NoExtra(extra) => write!(formatter, "no extra `{extra}` in the set"),
            Self::Unavailable => formatter.write_str("no usable wheel"),
        }
    }
}

impl<'r> Graph<'r> {
    /// Every requirement that holds on one of these platforms, each as it stands on these alone, by who
    /// requires, then by what is required. Platforms are indices into the repository's.
    pub fn relations(&self, on: &BTreeSet<usize>) -> Vec<Relation<'r>> {
        type Key<'r> = (
            &'r ProjectName,
            &'r ProjectName,
            String,
            Option<&'r ExtraName>,
        );
        let mut relations: BTreeMap<Key<'r>, Relation<'r>> = BTreeMap::new();
        for need in &self.needs {
            let platforms: BTreeSet<usize> = need.platforms.intersection(on).copied().collect();
            if platforms.is_empty() {
                continue;
            }
            let requirement = &need.dependency.value;
            let key = (
                &need.declaration.project,
                &requirement.name,
                requirement.to_string(),
                need.extra,
            );
            let shortfall = self.shortfall(need, &platforms);
            let relation = relations.entry(key).or_insert_with(|| Relation {
                from: need.declaration,
                requirement,
                extra: need.extra,
                platforms: BTreeSet::new(),
                file: &need.wheel.file,
                span: need.dependency.span.clone(),
                shortfall: None,
            });
            relation.platforms.extend(platforms);
            relation.shortfall = relation.shortfall.take().or(shortfall);
        }
        relations.into_values().collect()
    }

    /// The platforms on which a project can be had, as indices into the repository's platforms.
    pub fn covered(&self, project: &ProjectName) -> BTreeSet<usize> {
        (0..self.platforms.len())
            .filter(|platform| {
                matches!(
                    self.availability(project, *platform),
                    Availability::Wheels(_)
                )
            })
            .collect()
    }

    /// The platforms on which an installer may take the wheel of this index, as indices into the
    /// repository's platforms.
    pub fn used_on(&self, project: &ProjectName, wheel: usize) -> BTreeSet<usize> {
        (0..self.platforms.len())
            .filter(|platform| self.availability(project, *platform).has(wheel))
            .collect()
    }

    fn shortfall(&self, need: &Need<'r>, platforms: &BTreeSet<usize>) -> Option<Shortfall> {
        let requirement = &need.dependency.value;
        let Constraint::Specifiers(specifiers) = &requirement.constraint else {
            return Some(Shortfall::DirectReference);
        };
        let Some(target) = self.target(need) else {
            return Some(if self.repository.unreadable.contains(&requirement.name) {
                Shortfall::Unreadable
            } else {
                Shortfall::Missing
            });
        };
        let mut is_unavailable = false;
        let offers = self.offers(target);
        for offer in platforms.iter().map(|platform| &offers[*platform]) {
            if offer.wheels.is_empty() {
                is_unavailable = true;
                continue;
            }
            let mut versions = offer.versions.iter().map(|wheel| wheel.file_name.version());
            if !versions.all(|version| specifiers_contain(specifiers, version)) {
                return Some(Shortfall::OtherVersion);
            }
            let mut extras = requirement.extras.iter();
            if let Some(extra) = extras.find(|extra| !offer.extras.contains(extra)) {
                return Some(Shortfall::NoExtra(extra.clone()));
            }
        }
        if is_unavailable && !specifiers_contain(specifiers, target.version()) {
            return Some(Shortfall::OtherVersion);
        }
        is_unavailable.then_some(Shortfall::Unavailable)
    }
}
