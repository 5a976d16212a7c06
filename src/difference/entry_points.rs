//! The commands and plugins that a wheel brings.
//!
//! Specification: <https://packaging.python.org/en/latest/specifications/entry-points/>.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Kind;

/// An entry point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EntryPoint {
    /// Its group, as `console_scripts`.
    pub group: String,
    /// Its name: of a script, the command.
    pub name: String,
}

/// An entry point that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryPointChange {
    /// Whether it is added, removed or changed.
    pub kind: Kind,
    /// Which one it is.
    #[serde(flatten)]
    pub entry_point: EntryPoint,
    /// The object that it referred to.
    pub old: Option<String>,
    /// The object that it refers to.
    pub new: Option<String>,
}

impl EntryPoint {
    /// Whether an installer makes a command of it.
    pub fn is_script(&self) -> bool {
        matches!(self.group.as_str(), "console_scripts" | "gui_scripts")
    }
}

/// The entry points of a text. A line that is none is left out: installers refuse or skip it.
fn parse(text: &str) -> BTreeMap<EntryPoint, String> {
    let mut group = String::new();
    let mut found = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        let section = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(section) = section {
            section.trim().clone_into(&mut group);
        } else if let Some((name, object)) = line.split_once('=') {
            let entry_point = EntryPoint {
                group: group.clone(),
                name: name.trim().to_owned(),
            };
            found.insert(entry_point, object.trim().to_owned());
        }
    }
    found
}

/// What differs, commands first.
pub(super) fn entry_point_changes(old: Option<&str>, new: Option<&str>) -> Vec<EntryPointChange> {
    let (old, new) = (
        parse(old.unwrap_or_default()),
        parse(new.unwrap_or_default()),
    );
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
