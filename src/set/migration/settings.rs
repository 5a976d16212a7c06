//! The settings of a repository that leaves the layout `ipwhl-1`.

use std::collections::BTreeSet;

use ipwhl_packaging::Platform;
use toml_edit::{Array, Document, DocumentMut, Item, Table, TableLike, Value, value};

use crate::set::declaration::FormatVersion;
use crate::set::repository::Configuration;

/// The default settings for a repository of the original, which has no settings file.
pub fn original_settings(name: &str) -> String {
    let name = Value::from(name);
    format!("[repository]\nformat = 1\nname = {name}\nlayout = \"ipwhl-1\"\n")
}

/// The text of `ipwhl.toml` for the layout `package` with the declarations in `folder`; the other
/// settings keep their meaning, and comments are kept. `None` if the text is not that of a
/// repository.
pub(super) fn package_settings(
    text: &str,
    configuration: &Configuration,
    folder: &str,
) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let position = match document.get("repository") {
        Some(Item::Table(table)) => table.position(),
        _ => None,
    };
    let repository = document.get_mut("repository")?.as_table_like_mut()?;
    put(repository, "layout", "package");
    if repository.contains_key("declarations") || folder != Configuration::default().declarations {
        put(repository, "declarations", folder);
    }
    // The two layouts have different defaults.
    if !repository.contains_key("profile") {
        put(repository, "profile", &configuration.profile.to_string());
    }
    if !document.contains_key("platforms") {
        let mut table = platforms(&configuration.platforms);
        table.set_position(position);
        table.decor_mut().set_prefix("\n");
        document.insert("platforms", Item::Table(table));
    }
    Some(document.to_string())
}

/// The text of `ipwhl.toml` with another version of the formats; no other byte changes. `None` if
/// the text does not state a version that is known.
pub fn settings_in_format(text: &str, format: FormatVersion) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let repository = document.get("repository")?.as_table_like()?;
    let old = repository.get("format")?.as_value()?;
    FormatVersion::from_number(old.as_integer()?.try_into().ok()?)?;
    // The document itself would be written with other line ends.
    let span = old.span()?;
    let (before, after) = (text.get(..span.start)?, text.get(span.end..)?);
    Some(format!("{before}{}{after}", format.number()))
}

/// Changes the value of a key, and keeps the comments around it.
fn put(table: &mut dyn TableLike, key: &str, text: &str) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = Value::from(text);
            *old.decor_mut() = decor;
        }
        None => drop(table.insert(key, value(text))),
    }
}

/// `[platforms]`: the product of interpreters and systems if possible, otherwise each platform by
/// itself.
fn platforms(all: &[Platform]) -> Table {
    let pythons: BTreeSet<String> = all.iter().map(Platform::python_tag).collect();
    let systems: BTreeSet<&str> = all.iter().map(Platform::system).collect();
    let list = |texts: &mut dyn Iterator<Item = String>| value(texts.collect::<Array>());
    let mut table = Table::new();
    if pythons.len() * systems.len() == all.len() {
        let mut ordered: Vec<String> = all.iter().map(Platform::python_tag).collect();
        ordered.dedup();
        table.insert("python", list(&mut ordered.into_iter()));
        table.insert("system", list(&mut systems.iter().map(ToString::to_string)));
    } else {
        table.insert("also", list(&mut all.iter().map(ToString::to_string)));
    }
    table
}
