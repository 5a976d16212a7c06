//! Requirements between projects, and whether the set satisfies them: the only relation type of the
//! graph.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Marker, MarkerEnvironment, ProjectName, Requirement, Truth};

use super::wheels::Availability;
use crate::set::declaration::{Declaration, DeclaredWheel, Spanned};

/// One requirement of a project under one extra or none, with all wheels that state it.
#[derive(Debug, Clone)]
pub struct Relation<'r> {
    /// The requiring project.
    pub from: &'r Declaration,
    /// The requirement; its project may be missing from the set.
    pub requirement: &'r Requirement,
    /// The extra under which it applies; `None` if it needs none.
    pub extra: Option<&'r ExtraName>,
    /// The platforms on which it applies, as indices into the repository's platforms; never empty.
    pub platforms: BTreeSet<usize>,
    /// The reason why the set does not satisfy it on one of them, if so.
    pub unsatisfied: Option<UnsatisfiedReason>,
    /// The statements of the requirement, in the order of the project's wheels; never empty.
    pub(in crate::set) statements: Vec<Statement<'r>>,
}

/// A requirement as one wheel states it.
#[derive(Debug, Clone)]
pub(in crate::set) struct Statement<'r> {
    /// The wheel.
    pub(in crate::set) wheel: &'r DeclaredWheel,
    /// The requirement, with its place.
    pub(in crate::set) requirement: &'r Spanned<Requirement>,
    /// The platforms on which it applies; never empty.
    pub(in crate::set) platforms: BTreeSet<usize>,
    /// Its position among all statements of the project.
    pub(super) position: usize,
}

/// The reason why a requirement is not satisfied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnsatisfiedReason {
    /// The project is not in the set.
    Missing,
    /// The project is declared, but its declaration cannot be read.
    Unreadable,
    /// The requirement names an address, which no declaration satisfies.
    DirectReference,
    /// The version in the set is outside the specifiers.
    OtherVersion,
    /// The project does not declare this extra.
    NoExtra(ExtraName),
    /// The project has no usable wheel on one of the platforms.
    Unavailable,
}

impl UnsatisfiedReason {
    /// The code of its finding; unreadable declarations have separate findings.
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

impl std::fmt::Display for UnsatisfiedReason {
    /// A few words, for use after the requirement.
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

impl<'r> Relation<'r> {
    /// The required project.
    pub fn to(&self) -> &'r ProjectName {
        &self.requirement.name
    }

    /// Whether a project requires it of itself, as extras that include other extras do.
    pub fn is_own(&self) -> bool {
        self.from.project == self.requirement.name
    }

    /// Whether it requires all of these extras.
    pub fn asks_for(&self, extras: &BTreeSet<ExtraName>) -> bool {
        self.requirement.extras.is_superset(extras)
    }

    /// The file of the first wheel that states it.
    pub fn file(&self) -> &'r Arc<str> {
        &self.statements[0].wheel.file
    }

    /// Its span in that file, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.statements[0].requirement.span.clone()
    }

    /// The same relation limited to these platforms, unsatisfied for the same reason; `None` if it
    /// applies on none of them.
    pub(super) fn on(&self, platforms: &BTreeSet<usize>) -> Option<Self> {
        let statements: Vec<Statement<'r>> = self
            .statements
            .iter()
            .map(|statement| Statement {
                platforms: &statement.platforms & platforms,
                ..*statement
            })
            .filter(|statement| !statement.platforms.is_empty())
            .collect();
        (!statements.is_empty()).then(|| Self {
            requirement: &statements[0].requirement.value,
            platforms: &self.platforms & platforms,
            unsatisfied: self.unsatisfied.clone(),
            statements,
            ..*self
        })
    }
}

/// Whether a requirement can apply in an environment, with an extra or without one.
pub(in crate::set) fn applies(
    requirement: &Requirement,
    environment: &MarkerEnvironment,
    extra: Option<&ExtraName>,
) -> bool {
    requirement.marker.as_ref().is_none_or(|marker| {
        // A requirement whose marker is unknown must be satisfied too.
        marker.evaluate(environment, extra) != Truth::False
    })
}

/// The requirements of a project on the platforms where each of its wheels is used, sorted by
/// required project, then by the text of the requirement and the extra. Whether the set satisfies
/// them is decided later.
pub(super) fn relations_of<'r>(
    declaration: &'r Declaration,
    availability: &[Availability],
    environments: &[MarkerEnvironment],
) -> Vec<Relation<'r>> {
    let mut by_project: BTreeMap<&ProjectName, Vec<(Option<&ExtraName>, Statement<'r>)>> =
        BTreeMap::new();
    for (extra, statement) in statements_of(declaration, availability, environments) {
        let stated = by_project.entry(&statement.requirement.value.name);
        stated.or_default().push((extra, statement));
    }
    let mut relations = Vec::new();
    for stated in by_project.into_values() {
        relations.extend(merged(declaration, stated));
    }
    relations
}

/// Merges the statements about one project into relations.
fn merged<'r>(
    from: &'r Declaration,
    stated: Vec<(Option<&'r ExtraName>, Statement<'r>)>,
) -> impl Iterator<Item = Relation<'r>> {
    // Most projects state a requirement of another in one place only; then the text need not be
    // compared.
    let place = |statement: &Statement<'r>| {
        let file: *const str = &raw const *statement.wheel.file;
        (file, statement.requirement.span.start)
    };
    let first = place(&stated[0].1);
    let is_one = stated.iter().all(|(_, other)| place(other) == first);
    let mut relations: BTreeMap<(String, Option<&'r ExtraName>), Relation<'r>> = BTreeMap::new();
    for (extra, statement) in stated {
        let requirement = &statement.requirement.value;
        let text = if is_one {
            String::new()
        } else {
            requirement.to_string()
        };
        let relation = relations.entry((text, extra)).or_insert_with(|| Relation {
            from,
            requirement,
            extra,
            platforms: BTreeSet::new(),
            unsatisfied: None,
            statements: Vec::new(),
        });
        relation.platforms.extend(&statement.platforms);
        relation.statements.push(statement);
    }
    relations.into_values()
}

/// The statements of a project's wheels, in their order, on the platforms where each is used.
fn statements_of<'r>(
    declaration: &'r Declaration,
    availability: &[Availability],
    environments: &[MarkerEnvironment],
) -> Vec<(Option<&'r ExtraName>, Statement<'r>)> {
    let mut statements = Vec::new();
    for (index, wheel) in declaration.wheels.iter().enumerate() {
        let used: Vec<usize> = (0..environments.len())
            .filter(|platform| availability[*platform].has(index))
            .collect();
        let own_extras: BTreeMap<&str, &Spanned<ExtraName>> = wheel
            .extras
            .iter()
            .map(|extra| (extra.value.as_str(), extra))
            .collect();
        for requirement in &wheel.dependencies {
            let needed = |platform: usize, extra: Option<&ExtraName>| {
                applies(&requirement.value, &environments[platform], extra)
            };
            let plain: BTreeSet<usize> = used
                .iter()
                .copied()
                .filter(|platform| needed(*platform, None))
                .collect();
            // For an extra that the marker does not name, it evaluates as for none.
            let marker = requirement.value.marker.as_ref();
            let asked_by_name = marker.map_or(Some(BTreeSet::new()), Marker::named_extras);
            let asked: Vec<&Spanned<ExtraName>> = match &asked_by_name {
                Some(names) => names
                    .iter()
                    .filter_map(|name| own_extras.get(name).copied())
                    .collect(),
                None => wheel.extras.iter().collect(),
            };
            let extras = asked.into_iter().map(|extra| {
                let platforms = used
                    .iter()
                    .copied()
                    .filter(|platform| {
                        !plain.contains(platform) && needed(*platform, Some(&extra.value))
                    })
                    .collect();
                (Some(&extra.value), platforms)
            });
            let all: Vec<(Option<&ExtraName>, BTreeSet<usize>)> =
                std::iter::once((None, plain.clone()))
                    .chain(extras)
                    .collect();
            for (extra, platforms) in all {
                if !platforms.is_empty() {
                    let statement = Statement {
                        wheel,
                        requirement,
                        platforms,
                        position: statements.len(),
                    };
                    statements.push((extra, statement));
                }
            }
        }
    }
    statements
}
