//! Sets of version specifiers: reading them, what they contain, when two are the same.
//!
//! Specification: "Version specifiers". `pep440_rs` reads a single clause and orders versions. What a
//! clause contains is decided here, because `pep440_rs` takes `==1.0.1.*` to contain `1.0`.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// A text that is no set of version specifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecifierError {
    /// One sentence about what is wrong.
    pub message: String,
    /// The bytes of the text that it is about.
    pub span: Range<usize>,
}

impl fmt::Display for SpecifierError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for SpecifierError {}

/// Reads a set of version specifiers, such as `>=3.9, <4`.
///
/// Empty clauses (`>=3.9,`) are passed over: installers accept them and real metadata has them.
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
pub(super) fn parse_clause(
    clause: &str,
    span: Range<usize>,
) -> Result<VersionSpecifier, SpecifierError> {
    VersionSpecifier::from_str(clause).map_err(|error| {
        // The reason may be a Rust-like message in sentence case, over more than one line.
        let reason = error.to_string();
        let reason = reason.lines().next().unwrap_or_default();
        SpecifierError {
            message: format!(
                "{clause:?} is no version specifier: {}",
                lower_case_first(reason)
            ),
            span,
        }
    })
}

fn lower_case_first(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

/// Whether each clause of `specifiers` contains `version`; pre-releases are versions like any other.
pub fn specifiers_contain(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    specifiers
        .iter()
        .all(|specifier| clause_contains(specifier, version))
}

/// Whether one clause contains `version`.
pub(super) fn clause_contains(specifier: &VersionSpecifier, version: &Version) -> bool {
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
        Operator::ExactEqual => version
            .to_string()
            .eq_ignore_ascii_case(&wanted.to_string()),
        Operator::TildeEqual => {
            // "~= V.N" is ">= V.N, == V.*"; suffixes of the version play no part in the prefix.
            let release = wanted.release();
            let prefix = &release[..release.len().saturating_sub(1)];
            public >= *wanted && has_prefix(&public, wanted.epoch(), prefix)
        }
        Operator::LessThanEqual => public <= *wanted,
        Operator::GreaterThanEqual => public >= *wanted,
        // "The exclusive ordered comparison <V MUST NOT allow a pre-release of the specified version
        // unless the specified version is itself a pre-release": the first of those is V.dev0.
        Operator::LessThan if wanted.any_prerelease() => version < wanted,
        Operator::LessThan => *version < wanted.clone().with_dev(Some(0)),
        // ">V MUST NOT allow a post-release of the given version unless V itself is a post release", and
        // "MUST NOT match a local version of the specified version".
        Operator::GreaterThan => public > *wanted && !is_post_release_of(&public, wanted),
    }
}

/// Whether `version` is `of` with a post-release number, which no post-release and no developmental
/// release has.
fn is_post_release_of(version: &Version, of: &Version) -> bool {
    let unposted = version.clone().with_post(None).with_dev(None);
    version.is_post() && unposted == *of
}

/// Whether epoch and release of `version`, padded with zeros, begin with `prefix`.
fn has_prefix(version: &Version, epoch: u64, prefix: &[u64]) -> bool {
    let padded = version.release().iter().chain(std::iter::repeat(&0));
    version.epoch() == epoch && prefix.iter().zip(padded).all(|(wanted, is)| wanted == is)
}

/// Whether two sets of specifiers are the same set.
///
/// The order of clauses, repeated clauses and the spelling of versions play no part, nor do trailing
/// zeros (`>=1.0` is `>=1.0.0`), except after `~=`, `===` and before `.*`, where they have a meaning.
pub fn same_specifiers(left: &VersionSpecifiers, right: &VersionSpecifiers) -> bool {
    comparable(left) == comparable(right)
}

/// What two sets of specifiers are compared by.
pub(super) fn comparable(specifiers: &VersionSpecifiers) -> BTreeSet<String> {
    specifiers
        .iter()
        .map(|specifier| match specifier.operator() {
            Operator::TildeEqual
            | Operator::EqualStar
            | Operator::NotEqualStar
            | Operator::ExactEqual => specifier.to_string(),
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
        })
        .collect()
}

/// The specifiers as text: each once, by version and then by operator, joined by commas.
///
/// Versions are in the normal form of the specification, their trailing zeros as they were written.
pub fn specifiers_text(specifiers: &VersionSpecifiers) -> String {
    let mut clauses: Vec<_> = specifiers.iter().collect();
    clauses.sort_by_cached_key(|specifier| {
        (
            specifier.version().clone(),
            operator_rank(*specifier.operator()),
            specifier.to_string(),
        )
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
