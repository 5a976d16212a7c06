//! Sets of version specifiers: parsing, containment and equality.
//!
//! Specification: "Version specifiers". `pep440_rs` parses a single clause and orders versions.
//! Containment is decided here, because `pep440_rs` says that `==1.0.1.*` contains `1.0`, and reads
//! `===1.0-1` as `===1.0.post1`, which is another text.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use pep440_rs::{Operator, Version, VersionSpecifier};
use thiserror::Error;

/// A set of version specifiers, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionSpecifiers(Vec<Clause>);

/// One clause of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Clause {
    /// Compares versions.
    Version(VersionSpecifier),
    /// `===`, "arbitrary equality": compares texts, so its own is kept as written.
    Text(String),
}

impl VersionSpecifiers {
    /// Whether the set contains any version, because it has no clause.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some clause names a version that is not final. Then versions that are not final are
    /// accepted.
    pub fn name_a_prerelease(&self) -> bool {
        self.0.iter().any(|clause| match clause {
            Clause::Version(specifier) => specifier.any_prerelease(),
            Clause::Text(_) => clause.version().is_some_and(|one| one.any_prerelease()),
        })
    }

    /// The clauses as text.
    pub fn clauses(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Clause> {
        self.0.iter()
    }
}

impl FromIterator<Clause> for VersionSpecifiers {
    fn from_iter<T: IntoIterator<Item = Clause>>(clauses: T) -> Self {
        Self(clauses.into_iter().collect())
    }
}

impl fmt::Display for VersionSpecifiers {
    /// The clauses as written, their versions in normal form.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.clauses().collect::<Vec<_>>().join(", "))
    }
}

impl Clause {
    /// The version in the clause; `None` for a text that is not a version.
    pub(super) fn version(&self) -> Option<Version> {
        match self {
            Self::Version(specifier) => Some(specifier.version().clone()),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(specifier) => specifier.fmt(formatter),
            Self::Text(text) => write!(formatter, "==={text}"),
        }
    }
}

/// A text that is not a set of version specifiers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct SpecifierError {
    /// One sentence about the error.
    pub message: String,
    /// The affected bytes of the text.
    pub span: Range<usize>,
}

/// Parses a set of version specifiers, such as `>=3.9, <4`.
///
/// Empty clauses (`>=3.9,`) are ignored: installers accept them and real metadata has them.
pub fn parse_specifiers(text: &str) -> Result<VersionSpecifiers, SpecifierError> {
    let mut specifiers = Vec::new();
    for (span, clause) in clauses(text) {
        if !clause.is_empty() {
            specifiers.push(parse_clause(clause, span)?);
        }
    }
    Ok(specifiers.into_iter().collect())
}

/// The clauses between the commas of `text`, trimmed, each with its place in `text`.
pub(super) fn clauses(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut next = 0;
    text.split(',').map(move |raw| {
        let start = next + (raw.len() - raw.trim_start().len());
        next += raw.len() + 1;
        let clause = raw.trim();
        (start..start + clause.len(), clause)
    })
}

/// Reads one clause, such as `>=3.9`.
pub(super) fn parse_clause(clause: &str, span: Range<usize>) -> Result<Clause, SpecifierError> {
    if let Some(text) = clause.strip_prefix("===") {
        let text = text.trim();
        return if is_arbitrary(text) {
            Ok(Clause::Text(text.to_owned()))
        } else {
            Err(SpecifierError {
                message: format!(
                    "{clause:?} is not a version specifier: `===` must be followed by a text \
                     without white space, `;` and `)`"
                ),
                span,
            })
        };
    }
    let read = VersionSpecifier::from_str(clause).map(Clause::Version);
    read.map_err(|error| {
        // The reason may be a message in sentence case, over more than one line.
        let reason = error.to_string();
        let reason = reason.lines().next().unwrap_or_default();
        SpecifierError {
            message: format!(
                "{clause:?} is not a version specifier: {}",
                lower_case_first(reason)
            ),
            span,
        }
    })
}

/// Whether a text is allowed after `===`, as in installers. Within a set it contains no comma.
pub(super) fn is_arbitrary(text: &str) -> bool {
    let ends_it = |sign: char| sign.is_whitespace() || sign.is_control() || ";)".contains(sign);
    !text.is_empty() && !text.contains(ends_it)
}

/// Whether `===` holds between the text after it and the normal form of a version. "Simple string
/// equality operations which do not take into account any of the semantic information", except for
/// case.
pub(super) fn is_same_text(text: &str, version: &str) -> bool {
    text.to_lowercase() == version.to_lowercase()
}

fn lower_case_first(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

/// Whether each clause of `specifiers` contains `version`; pre-releases are treated like other
/// versions.
pub fn specifiers_contain(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    specifiers
        .iter()
        .all(|clause| clause_contains(clause, version))
}

/// Whether one clause contains `version`.
pub(super) fn clause_contains(clause: &Clause, version: &Version) -> bool {
    match clause {
        Clause::Version(specifier) => specifier_contains(specifier, version),
        Clause::Text(text) => is_same_text(text, &version.to_string()),
    }
}

/// Whether a clause other than `===` contains `version`.
pub(super) fn specifier_contains(specifier: &VersionSpecifier, version: &Version) -> bool {
    let wanted = specifier.version();
    // Local version labels are ignored, except where the specifier has one itself.
    let public = if wanted.local().is_empty() {
        version.clone().without_local()
    } else {
        version.clone()
    };
    match specifier.operator() {
        Operator::Equal => public == *wanted,
        Operator::NotEqual => public != *wanted,
        Operator::EqualStar => has_prefix(&public, wanted.epoch(), wanted.release()),
        Operator::NotEqualStar => !has_prefix(&public, wanted.epoch(), wanted.release()),
        // Unreachable: `===` is a `Clause::Text`.
        Operator::ExactEqual => version == wanted,
        Operator::TildeEqual => {
            // "~= V.N" is ">= V.N, == V.*"; suffixes of the version do not affect the prefix.
            let release = wanted.release();
            let prefix = &release[..release.len().saturating_sub(1)];
            public >= *wanted && has_prefix(&public, wanted.epoch(), prefix)
        }
        Operator::LessThanEqual => public <= *wanted,
        Operator::GreaterThanEqual => public >= *wanted,
        // "The exclusive ordered comparison <V MUST NOT allow a pre-release of the specified
        // version unless the specified version is itself a pre-release": the first of those is
        // V.dev0.
        Operator::LessThan if wanted.any_prerelease() => version < wanted,
        Operator::LessThan => *version < wanted.clone().with_dev(Some(0)),
        // ">V MUST NOT allow a post-release of the given version unless V itself is a post
        // release", and "MUST NOT match a local version of the specified version".
        Operator::GreaterThan => public > *wanted && !is_post_release_of(&public, wanted),
    }
}

/// Whether `version` is `of` with a post-release number; not if `of` is a post-release or a
/// developmental release.
fn is_post_release_of(version: &Version, of: &Version) -> bool {
    let unposted = version.clone().with_post(None).with_dev(None);
    version.is_post() && unposted == *of
}

/// Whether epoch and release of `version`, padded with zeros, begin with `prefix`.
fn has_prefix(version: &Version, epoch: u64, prefix: &[u64]) -> bool {
    let padded = version.release().iter().chain(std::iter::repeat(&0));
    version.epoch() == epoch && prefix.iter().zip(padded).all(|(wanted, is)| wanted == is)
}

/// Whether two sets of specifiers are equal.
///
/// The order of clauses, repeated clauses and the spelling of versions do not matter, nor do
/// trailing zeros (`>=1.0` is `>=1.0.0`), except after `~=` and before `.*`, where they have a
/// meaning. After `===` only the case of letters does not matter.
pub fn same_specifiers(left: &VersionSpecifiers, right: &VersionSpecifiers) -> bool {
    comparable(left) == comparable(right)
}

/// The comparable form of a set of specifiers.
pub(super) fn comparable(specifiers: &VersionSpecifiers) -> BTreeSet<String> {
    let comparable = |clause: &Clause| match clause {
        Clause::Text(text) => format!("==={}", text.to_lowercase()),
        Clause::Version(specifier) => comparable_specifier(specifier),
    };
    specifiers.iter().map(comparable).collect()
}

fn comparable_specifier(specifier: &VersionSpecifier) -> String {
    match specifier.operator() {
        Operator::TildeEqual | Operator::EqualStar | Operator::NotEqualStar => {
            specifier.to_string()
        }
        operator => {
            let version = specifier.version();
            let release = version.release();
            let kept = release
                .iter()
                .rposition(|number| *number != 0)
                .map_or(1, |last| last + 1);
            let trimmed = version.clone().with_release(&release[..kept]);
            format!("{operator}{trimmed}")
        }
    }
}

/// The specifiers as text: each once, by version and then by operator, joined by commas.
///
/// Versions are in the normal form of the specification, with their trailing zeros as written; a
/// text after `===` is unchanged.
pub fn specifiers_text(specifiers: &VersionSpecifiers) -> String {
    let mut clauses: Vec<_> = specifiers.iter().collect();
    clauses.sort_by_cached_key(|clause| {
        let rank = match clause {
            Clause::Text(_) => 0,
            Clause::Version(specifier) => operator_rank(*specifier.operator()),
        };
        (clause.version(), rank, clause.to_string())
    });
    let mut texts: Vec<_> = clauses.iter().map(ToString::to_string).collect();
    texts.dedup();
    texts.join(",")
}

/// Lower bounds first, as people write them: `>=1,!=1.*,<1`.
fn operator_rank(operator: Operator) -> u8 {
    match operator {
        Operator::ExactEqual => 0,
        Operator::Equal => 1,
        Operator::EqualStar => 2,
        Operator::TildeEqual => 3,
        Operator::GreaterThanEqual => 4,
        Operator::GreaterThan => 5,
        Operator::NotEqual => 6,
        Operator::NotEqualStar => 7,
        Operator::LessThanEqual => 8,
        Operator::LessThan => 9,
    }
}
