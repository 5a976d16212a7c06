//! The differences between a lock file and what the set says now.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use toml_edit::{DocumentMut, Item, TableLike};

use crate::foundation::diagnostic::visible;

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
    /// A project has several entries: an installer may take another one than the one compared.
    Repeated(String),
    /// A project has another value of this key: its name and the key.
    PackageKey(String, String),
    /// Another value of this key, which is about the whole file.
    Key(String),
}

impl fmt::Display for LockChange {
    /// One line of visible text: the file may be from anyone.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Added(name, version) => format!("{name} {version} is new"),
            Self::Removed(name, version) => format!("{name} {version} is gone"),
            Self::Version(name, old, new) => format!("{name} {old} -> {new}"),
            Self::Wheels(name) => format!("{name}: other wheels"),
            Self::Marker(name) => format!("{name}: needed by others, or elsewhere"),
            Self::Repeated(name) => format!("{name}: more than one entry"),
            Self::PackageKey(name, key) => format!("{name}: another value of `{key}`"),
            Self::Key(key) => format!("another value of `{key}`"),
        };
        formatter.write_str(&visible(&text, &[]))
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
    let (old, repeated) = packages(&before);
    let (new, _) = packages(&after);
    let mut changes: Vec<LockChange> = repeated.into_iter().map(LockChange::Repeated).collect();
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
                    changes.push(LockChange::Marker(name.clone()));
                }
                for key in differing(&package.others, &other.others) {
                    changes.push(LockChange::PackageKey(name.clone(), key.to_owned()));
                }
            }
        }
    }
    let added = new.iter().filter(|(name, _)| !old.contains_key(*name));
    changes.extend(added.map(|(name, one)| LockChange::Added(name.clone(), one.version.clone())));
    let keys = |document: &DocumentMut| {
        let keys = document.iter().filter(|(key, _)| *key != PACKAGES);
        keys.map(|(key, item)| (key.to_owned(), value(item)))
            .collect()
    };
    let (before, after) = (keys(&before), keys(&after));
    changes.extend(differing(&before, &after).map(|key| LockChange::Key(key.to_owned())));
    changes.sort();
    Ok(changes)
}

/// The values of keys, without comments and layout.
type Fields = BTreeMap<String, String>;

/// The keys with different values, or with one in only one of them.
fn differing<'f>(before: &'f Fields, after: &'f Fields) -> impl Iterator<Item = &'f str> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let other = keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key));
    other.map(String::as_str)
}

const PACKAGES: &str = "packages";

/// The keys of a wheel that say where it is. Its digest says what it is.
const PLACES: [&str; 2] = ["path", "url"];

/// A package of a lock file.
struct Package {
    version: String,
    marker: Option<String>,
    /// All that is said about each wheel except for its places, sorted.
    wheels: Vec<Fields>,
    /// All other keys.
    others: Fields,
}

/// The packages by name, and the names that more than one has. Of these, the first counts.
fn packages(document: &DocumentMut) -> (BTreeMap<String, Package>, BTreeSet<String>) {
    let (mut packages, mut repeated) = (BTreeMap::new(), BTreeSet::new());
    for table in document.get(PACKAGES).map(tables).unwrap_or_default() {
        let text = |key: &str| table.get(key)?.as_str().map(ToOwned::to_owned);
        let name = text("name").unwrap_or_else(|| "a package without a name".to_owned());
        let wheels = table.get("wheels").map(tables).unwrap_or_default();
        let mut wheels: Vec<Fields> = wheels
            .into_iter()
            .map(|wheel| fields(wheel, &PLACES))
            .collect();
        wheels.sort();
        let package = Package {
            version: text("version").unwrap_or_default(),
            marker: text("marker"),
            wheels,
            others: fields(table, &["name", "version", "marker", "wheels"]),
        };
        match packages.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(package);
            }
            Entry::Occupied(entry) => {
                repeated.insert(entry.key().clone());
            }
        }
    }
    (packages, repeated)
}

/// The tables of an array, in either of its spellings.
fn tables(item: &Item) -> Vec<&dyn TableLike> {
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|table| table as &dyn TableLike).collect();
    }
    let values = item.as_array().into_iter().flatten();
    let tables = values.filter_map(toml_edit::Value::as_inline_table);
    tables.map(|table| table as &dyn TableLike).collect()
}

/// A value without its comments and its layout.
fn value(item: &Item) -> String {
    if let Some(table) = item.as_table_like() {
        return format!("{:?}", fields(table, &[]));
    }
    if item.is_array_of_tables() {
        let tables = tables(item).into_iter();
        let tables = tables.map(|table| format!("{:?}", fields(table, &[])));
        return format!("[{}]", tables.collect::<Vec<_>>().join(","));
    }
    match item.as_array() {
        Some(values) => {
            let values = values.iter().map(|one| value(&Item::Value(one.clone())));
            format!("[{}]", values.collect::<Vec<_>>().join(","))
        }
        None => match (item.as_str(), item.as_integer()) {
            (Some(text), _) => format!("{text:?}"),
            (_, Some(number)) => number.to_string(),
            _ => item.to_string().trim().to_owned(),
        },
    }
}

fn fields(table: &dyn TableLike, except: &[&str]) -> Fields {
    let fields = table.iter().filter(|(key, _)| !except.contains(key));
    fields
        .map(|(key, item)| (key.to_owned(), value(item)))
        .collect()
}
