//! Keeps comments when a declaration is rewritten: comments on the file, on keys with unchanged
//! values, on elements of lists, and on wheels.
//!
//! A comment on a changed value is dropped, because it was about the old value.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, RawString, Table, Value};

use super::comments::{comments, end_comment, prefix};
use super::spelling::spell;
use super::{canonical, file_name, list};
use crate::set::declaration::Layout;

/// The canonical form of `text` with those comments of `before` that belong to the file or to
/// unchanged values. If `before` is not TOML, the comment lines at its top are kept.
pub fn keep_comments(before: &str, text: &str) -> String {
    let before = before.strip_prefix('\u{feff}').unwrap_or(before);
    let before = before.replace("\r\n", "\n");
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return text.to_owned();
    };
    let mut header = comments_at_top(&before);
    if let Ok(mut old) = before.parse::<DocumentMut>() {
        header = take_header(&mut old);
        let mut keeper = Keeper {
            top: old.as_table(),
            taken: BTreeSet::new(),
        };
        keeper.keep(document.as_table_mut());
        let trailing = old.trailing().as_str().unwrap_or_default();
        document.set_trailing(comments(trailing));
    }
    let mut kept = document.to_string();
    if !header.is_empty() {
        kept = format!("{header}\n{}", kept.trim_start_matches('\n'));
    }
    canonical(&kept).unwrap_or(kept)
}

fn comments_at_top(text: &str) -> String {
    text.lines()
        .take_while(|line| line.starts_with('#'))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// The comments at the very top. Comments below a blank line belong to the first key; without a
/// blank line all of them count as comments on the file.
fn take_header(document: &mut DocumentMut) -> String {
    let first = document.iter().next().map(|(key, _)| key.to_owned());
    let Some(first) = first else {
        return String::new();
    };
    let split = |raw: &str| match raw.rsplit_once("\n\n") {
        Some((header, rest)) => (comments(header), rest.to_owned()),
        None => (comments(raw), String::new()),
    };
    if let Some(Item::ArrayOfTables(tables)) = document.get_mut(&first) {
        let Some(table) = tables.get_mut(0) else {
            return String::new();
        };
        let (header, rest) = split(&prefix(table.decor()));
        table.decor_mut().set_prefix(rest);
        return header;
    }
    let Some(mut key) = document.as_table_mut().key_mut(&first) else {
        return String::new();
    };
    let (header, rest) = split(&prefix(key.leaf_decor()));
    key.leaf_decor_mut().set_prefix(rest);
    header
}

/// Assigns the comments of an earlier text, each once.
struct Keeper<'o> {
    top: &'o Table,
    /// The keys whose comments were assigned: by the wheel's file name, empty for the top.
    taken: BTreeSet<(String, String)>,
}

impl<'o> Keeper<'o> {
    fn keep(&mut self, document: &mut Table) {
        let own = file_name(document);
        self.keep_table(&own, document);
        let Some(Item::ArrayOfTables(wheels)) = document.get_mut("wheel") else {
            return;
        };
        for wheel in wheels.iter_mut() {
            let own = file_name(wheel);
            if let Some(old) = self.wheel(&own) {
                let after = end_comment(old.decor());
                wheel
                    .decor_mut()
                    .set_prefix(format!("\n{}", comments(&prefix(old.decor()))));
                wheel.decor_mut().set_suffix(after);
            }
            self.keep_table(&own, wheel);
        }
    }

    /// The earlier table of a wheel.
    fn wheel(&self, own: &str) -> Option<&'o Table> {
        let Some(Item::ArrayOfTables(wheels)) = self.top.get("wheel") else {
            return None;
        };
        wheels
            .iter()
            .find(|wheel| !own.is_empty() && file_name(wheel) == own)
    }

    fn keep_table(&mut self, own: &str, table: &mut Table) {
        let tables = [
            self.wheel(own).map(|wheel| (own.to_owned(), wheel)),
            Some((String::new(), self.top)),
        ];
        for (mut key, item) in table.iter_mut() {
            let name = key.get().to_owned();
            let Item::Value(value) = item else { continue };
            let old = tables.iter().flatten().find_map(|(place, old)| {
                let (old_key, old_item) = old.get_key_value(&name)?;
                Some((place, old_key, old_item.as_value()?))
            });
            let Some((place, old_key, old_value)) = old else {
                continue;
            };
            if !self.taken.insert((place.clone(), name.clone()))
                || !is_same(&name, old_value, value)
            {
                continue;
            }
            let above = comments(
                old_key
                    .leaf_decor()
                    .prefix()
                    .and_then(RawString::as_str)
                    .unwrap_or_default(),
            );
            key.leaf_decor_mut().set_prefix(above);
            let after = end_comment(old_value.decor());
            if let (Value::Array(old), Value::Array(new)) = (old_value, &mut *value) {
                list::keep_comments(&name, old, new);
            }
            value.decor_mut().set_suffix(after);
        }
    }
}

/// Whether a key has the same value. Lists are compared by element elsewhere.
fn is_same(key: &str, old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Array(_), Value::Array(_)) => true,
        (Value::String(old), Value::String(new)) => {
            spell(key, old.value(), Layout::Package) == spell(key, new.value(), Layout::Package)
        }
        (Value::Integer(old), Value::Integer(new)) => old.value() == new.value(),
        (Value::Boolean(old), Value::Boolean(new)) => old.value() == new.value(),
        (Value::Datetime(old), Value::Datetime(new)) => old.value() == new.value(),
        _ => false,
    }
}
