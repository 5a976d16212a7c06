//! The names of pins, by which the releases of a repository are known on a node and in a cluster.

use std::collections::BTreeMap;

use ipwhl_unixfs::Cid;

use crate::publish::published_release::PublishedRelease;

/// How a pin's name begins.
const OURS: &str = "ipwhl";
/// Stands for the sequence of a release without a statement.
const UNSIGNED: &str = "unsigned";

/// How the names of a repository's pins begin.
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

/// What the name of a pin of a repository says.
pub(super) struct Named {
    /// The sequence; `None` for a release that was published without a statement.
    pub(super) sequence: Option<u64>,
}

/// What a pin's name says, where it is one of this repository's.
pub(super) fn named(repository: &str, name: &str) -> Option<Named> {
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

/// Of these pins those beyond the newest of as many as are kept, where `root` is the newest of all.
pub(super) fn outdated(pins: &BTreeMap<Cid, Option<u64>>, root: Cid, keep: u64) -> Vec<Cid> {
    let keep = usize::try_from(keep.saturating_sub(1)).unwrap_or(usize::MAX);
    let others = newest_first(pins).into_iter();
    let others = others.filter(|release| release.root != root);
    others.skip(keep).map(|release| release.root).collect()
}
