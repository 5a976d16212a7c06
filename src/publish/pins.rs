//! The names of pins, which identify the releases of a repository on a node and in a cluster.

use std::collections::BTreeMap;

use ipwhl_unixfs::Cid;

use crate::publish::published_release::PublishedRelease;

/// The start of a pin's name.
const OURS: &str = "ipwhl";
/// The sequence part of the name of a release without a statement.
const UNSIGNED: &str = "unsigned";

/// The start of the names of a repository's pins.
fn prefix(repository: &str) -> String {
    format!("{OURS}/{repository}/")
}

/// The name of a pin.
pub(super) fn name(repository: &str, sequence: Option<u64>) -> String {
    let prefix = prefix(repository);
    match sequence {
        Some(sequence) => format!("{prefix}{sequence}"),
        None => format!("{prefix}{UNSIGNED}"),
    }
}

/// The parts of a pin's name.
pub(super) struct Named {
    /// The sequence; `None` for a release that was published without a statement.
    pub(super) sequence: Option<u64>,
}

/// Parses a pin's name, if it is one of this repository's.
pub(super) fn parse_name(repository: &str, name: &str) -> Option<Named> {
    let rest = name.strip_prefix(&prefix(repository))?;
    let sequence = rest.parse().ok();
    (sequence.is_some() || rest == UNSIGNED).then_some(Named { sequence })
}

/// The releases of these pins, the newest first.
pub(super) fn newest_first(pins: &BTreeMap<Cid, Option<u64>>) -> Vec<PublishedRelease> {
    let mut releases: Vec<PublishedRelease> = pins
        .iter()
        .map(|(root, sequence)| PublishedRelease {
            root: *root,
            sequence: *sequence,
        })
        .collect();
    releases.sort_unstable_by_key(|release| std::cmp::Reverse((release.sequence, release.root)));
    releases
}

/// The pins beyond the newest that are kept, where `root` is the newest of all.
pub(super) fn outdated(pins: &BTreeMap<Cid, Option<u64>>, root: Cid, keep: u64) -> Vec<Cid> {
    let keep = usize::try_from(keep.saturating_sub(1)).unwrap_or(usize::MAX);
    let others = newest_first(pins).into_iter();
    let others = others.filter(|release| release.root != root);
    others.skip(keep).map(|release| release.root).collect()
}
