//! The commands and plugins of a wheel.

use ipwhl_packaging::wheel::{EntryPoint, EntryPoints};
use serde::Serialize;

use super::Kind;

/// An entry point that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryPointChange {
    /// Whether it is added, removed or changed.
    pub kind: Kind,
    /// The entry point.
    #[serde(flatten)]
    pub entry_point: EntryPoint,
    /// The object of the old entry point.
    pub old: Option<String>,
    /// The object of the new entry point.
    pub new: Option<String>,
}

/// The entry points that differ, commands first.
pub(super) fn entry_point_changes(old: &EntryPoints, new: &EntryPoints) -> Vec<EntryPointChange> {
    let mut all: Vec<&EntryPoint> = old.keys().chain(new.keys()).collect();
    all.sort_by_key(|entry_point| (!entry_point.is_script(), *entry_point));
    all.dedup();
    all.into_iter()
        .filter(|entry_point| old.get(*entry_point) != new.get(*entry_point))
        .map(|entry_point| {
            let (old, new) = (old.get(entry_point), new.get(entry_point));
            EntryPointChange {
                kind: Kind::of(old.is_some(), new.is_some()),
                entry_point: entry_point.clone(),
                old: old.cloned(),
                new: new.cloned(),
            }
        })
        .collect()
}
