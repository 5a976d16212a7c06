//! What is known about one version of a project: the advisories about it, those of one
//! vulnerability as one.

use std::collections::BTreeMap;

use ipwhl_packaging::Version;

use super::advisory::Advisory;
use super::severity::{Rating, Score};

/// A vulnerability that a version has, from one advisory or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVulnerability {
    /// The identifier of its most specific advisory.
    pub id: String,
    /// Its other identifiers, in order.
    pub aliases: Vec<String>,
    /// Whether the version was made to do harm.
    pub is_malicious: bool,
    /// One line of text.
    pub summary: Option<String>,
    /// The highest score.
    pub score: Option<Score>,
    /// The severity in a word: that of the score, else that of a database.
    pub rating: Option<Rating>,
    /// Newer versions that are named as fixed, and that it does not affect, in order.
    pub fixed: Vec<Version>,
}

/// The vulnerabilities that these advisories about a project know of one of its versions. Malicious
/// ones come first, then they are in the order of their identifiers.
pub fn vulnerabilities(advisories: &[Advisory], version: &Version) -> Vec<KnownVulnerability> {
    let mut groups: BTreeMap<usize, Vec<&Advisory>> = BTreeMap::new();
    for advisory in advisories {
        if advisory.affected.contains(version) {
            groups.entry(advisory.group).or_default().push(advisory);
        }
    }
    let mut known: Vec<KnownVulnerability> = groups
        .into_iter()
        .map(|(group, affecting)| {
            let others = advisories.iter().filter(|one| one.group == group);
            merged(&affecting, &others.collect::<Vec<_>>(), version)
        })
        .collect();
    known.sort_by(|one, other| {
        let key = |one: &KnownVulnerability| (!one.is_malicious, one.id.clone());
        key(one).cmp(&key(other))
    });
    known
}

/// The oldest newer version that is named as fixed and has none of the vulnerabilities that these
/// advisories know.
pub(super) fn fixed_version(
    advisories: &[Advisory],
    known: &[KnownVulnerability],
) -> Option<Version> {
    let mut fixed: Vec<&Version> = known.iter().flat_map(|one| &one.fixed).collect();
    fixed.sort_unstable();
    let is_sound = |version: &&Version| {
        let mut affected = advisories.iter().map(|one| &one.affected);
        !affected.any(|affected| affected.contains(version))
    };
    fixed.into_iter().find(is_sound).cloned()
}

/// The place of a database among others: the more specific, the smaller.
fn rank(id: &str) -> usize {
    let prefixes = ["MAL-", "PYSEC-", "GHSA-", "CVE-"];
    let position = prefixes.iter().position(|prefix| id.starts_with(prefix));
    position.unwrap_or(prefixes.len())
}

fn merged(affecting: &[&Advisory], all: &[&Advisory], version: &Version) -> KnownVulnerability {
    let mut names: Vec<&String> = all.iter().flat_map(|one| &one.names).collect();
    names.sort_unstable();
    names.dedup();
    let ids = affecting.iter().map(|one| &one.id);
    let id = ids
        .min_by_key(|id| (rank(id), *id))
        .cloned()
        .unwrap_or_default();
    let scores = affecting.iter().flat_map(|one| &one.scores);
    let scores = scores.filter_map(|vector| Score::of(vector));
    let score =
        scores.max_by(|one, other| (one.tenths, &one.vector).cmp(&(other.tenths, &other.vector)));
    let rating = score.as_ref().map(Score::rating);
    let word = affecting.iter().filter_map(|one| one.rating).max();
    let ranges = affecting.iter().flat_map(|one| &one.affected.ranges);
    let ranges = ranges.filter(|range| range.contains(version));
    let mut fixed: Vec<Version> = ranges
        .flat_map(|range| range.fixes_after(version))
        .filter(|fix| !all.iter().any(|one| one.affected.contains(fix)))
        .cloned()
        .collect();
    fixed.sort_unstable();
    fixed.dedup();
    KnownVulnerability {
        is_malicious: names.iter().any(|name| name.starts_with("MAL-")),
        aliases: names
            .into_iter()
            .filter(|name| **name != id)
            .cloned()
            .collect(),
        id,
        summary: affecting.iter().find_map(|one| one.summary.clone()),
        rating: rating.or(word),
        score,
        fixed,
    }
}
