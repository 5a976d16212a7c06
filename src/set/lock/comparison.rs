//! The differences between a lock file and what the set says now.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml_edit::{DocumentMut, Item, TableLike};

/// A difference between two lock files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockChange {
    /// A project is new: its name and version.
    Added(String, String),
    /// A project is gone: its name and version.
    Removed(String, String),
    /// Another version of a project: its name, the old version and the new one.
    Version(String, String, String),
    /// Other wheels of the same version.
    Wheels(String),
    /// Another marker, so the project is installed for other extras or elsewhere.
    Marker(String),
    /// Another value of this key, which is about the whole file.
    Key(String),
}

impl fmt::Display for LockChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(name, version) => write!(formatter, "{name} {version} is new"),
            Self::Removed(name, version) => write!(formatter, "{name} {version} is gone"),
            Self::Version(name, old, new) => write!(formatter, "{name} {old} -> {new}"),
            Self::Wheels(name) => write!(formatter, "{name}: other wheels"),
            Self::Marker(name) => write!(formatter, "{name}: needed by others, or elsewhere"),
            Self::Key(key) => write!(formatter, "another value of `{key}`"),
        }
    }
}

/// The differences between the texts of two `pylock.toml`, sorted. Comments, order and the places of
/// wheels do not count.
///
/// # Errors
/// When one of them is not TOML.
pub fn lock_changes(before: &str, after: &str) -> Result<Vec<LockChange>, toml_edit::TomlError> {
    let (before, after) = (
        before.parse::<DocumentMut>()?,
        after.parse::<DocumentMut>()?,
    );
    let (old, new) = (packages(&before), packages(&after));
    let mut changes = Vec::new();
    for (name, package) in &old {
        let name = name.clone();
        match new.get(&name) {
            None => changes.push(LockChange::Removed(name, package.version.clone())),
            Some(other) if other.version != package.version => {
                let (old, new) = (package.version.clone(), other.version.clone());
                changes.push(LockChange::Version(name, old, new));
            }
            Some(other) => {
                if other.wheels != package.wheels {
                    changes.push(LockChange::Wheels(name.clone()));
                }
                if other.marker != package.marker {
                    changes.push(LockChange::Marker(name));
                }
            }
        }
    }
    let added = new.iter().filter(|(name, _)| !old.contains_key(*name));
    changes.extend(added.map(|(name, one)| LockChange::Added(name.clone(), one.version.clone())));
    let keys = before.iter().chain(after.iter()).map(|(key, _)| key);
    let keys: BTreeSet<&str> = keys.filter(|key| *key != PACKAGES).collect();
    let plain = |document: &DocumentMut, key: &str| document.get(key).map(value);
    let other = keys
        .into_iter()
        .filter(|key| plain(&before, key) != plain(&after, key));
    changes.extend(other.map(|key| LockChange::Key(key.to_owned())));
    changes.sort();
    Ok(changes)
}

const PACKAGES: &str = "packages";

/// A package of a lock file.
struct Package {
    version: String,
    marker: Option<String>,
    /// The name and the SHA-256 of each wheel.
    wheels: BTreeSet<(String, String)>,
}

fn packages(document: &DocumentMut) -> BTreeMap<String, Package> {
    let tables = document.get(PACKAGES).and_then(Item::as_array_of_tables);
    let tables = tables.into_iter().flatten();
    let each = tables.filter_map(|table| {
        let text = |key: &str| table.get(key)?.as_str().map(ToOwned::to_owned);
        let wheels = table.get("wheels").and_then(Item::as_array);
        let wheels = wheels.into_iter().flatten().filter_map(|wheel| {
            let wheel = wheel.as_inline_table()?;
            let name = wheel.get("name")?.as_str()?.to_owned();
            let sha256 = wheel.get("hashes")?.as_inline_table()?.get("sha256")?;
            Some((name, sha256.as_str()?.to_owned()))
        });
        let package = Package {
            version: text("version").unwrap_or_default(),
            marker: text("marker"),
            wheels: wheels.collect(),
        };
        Some((text("name")?, package))
    });
    each.collect()
}

/// A value without its comments and its layout.
fn value(item: &Item) -> String {
    if let Some(table) = item.as_table_like() {
        return fields(table);
    }
    match item.as_array() {
        Some(values) => {
            let values = values.iter().map(|one| value(&Item::Value(one.clone())));
            format!("[{}]", values.collect::<Vec<_>>().join(","))
        }
        None => item.as_str().map_or_else(
            || item.to_string().trim().to_owned(),
            |text| format!("{text:?}"),
        ),
    }
}

fn fields(table: &dyn TableLike) -> String {
    let fields: BTreeMap<&str, String> =
        table.iter().map(|(key, item)| (key, value(item))).collect();
    format!("{fields:?}")
}
