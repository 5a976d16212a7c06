//! The canonical form of a declaration (FORMATS 2): one key order, wheels sorted by file name,
//! requirements in their canonical spelling, comments kept.

mod comments;
mod keep;
mod list;
mod merge;
mod spelling;

use toml_edit::{ArrayOfTables, Decor, DocumentMut, Item, Table, Value};

use super::directive::is_directive;
use super::{Layout, Source};
use comments::{comments, end_comment, prefix};
pub use keep::keep_comments;
use list::format_array;
pub use merge::{declares_all_of, differing_keys, merged};
use spelling::spell;

/// The order of the keys, at the top and in each wheel.
const KEYS: [&str; 13] = [
    "source",
    "content-id",
    "requires-python",
    "extras",
    "dependencies",
    "sha256",
    "size",
    "uploaded",
    "only",
    "publisher",
    "reviewed",
    "automatic",
    "wheel",
];

/// The canonical form of a declaration's text in the layout `package`; `None` if it is not TOML.
///
/// Unknown keys are kept, after the others; values of the wrong type stay as they are. Line ends
/// become line feeds, and a byte order mark is removed. The canonical form of the result is the
/// result itself.
pub fn canonical(text: &str) -> Option<String> {
    canonical_in(text, Layout::Package)
}

/// Like [`canonical`], in either layout. In `ipwhl-1` extras and requirements keep their spelling,
/// because the original's tools compare them as text.
pub fn canonical_in(text: &str, layout: Layout) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut document: DocumentMut = text.parse().ok()?;
    let mut header = take_header(&mut document);
    let trailing = comments(document.trailing().as_str().unwrap_or_default());
    forget_positions(document.as_table_mut());
    format_table(document.as_table_mut(), layout);
    if layout == Layout::Package {
        forget_default(document.as_table_mut());
    }
    if let Some(Item::ArrayOfTables(tables)) = document.get_mut("wheel") {
        format_wheels(tables, layout);
    }
    document.set_trailing("");
    // Another key may be the first one now, so a directive may be below it.
    header += &take_header(&mut document);
    let mut result = lines(&header, true) + &lines(&header, false);
    if !result.is_empty() {
        result.push('\n');
    }
    result.push_str(document.to_string().trim_start_matches('\n'));
    result.push_str(&trailing);
    Some(result)
}

/// Takes the comment block at the top, if a blank line separates it from the first key, and the
/// directives above that key.
fn take_header(document: &mut DocumentMut) -> String {
    // Values are written before tables.
    let value = document.iter().find(|(_, item)| item.is_value());
    let first = value.or_else(|| document.iter().next());
    let Some(first) = first.map(|(key, _)| key.to_owned()) else {
        return String::new();
    };
    if let Some(Item::ArrayOfTables(tables)) = document.get_mut(&first) {
        let Some(table) = tables.get_mut(0) else {
            return String::new();
        };
        return split_header(table.decor_mut());
    }
    match document.as_table_mut().key_mut(&first) {
        Some(mut key) => split_header(key.leaf_decor_mut()),
        None => String::new(),
    }
}

fn split_header(decor: &mut Decor) -> String {
    let prefix = prefix(decor).replace("\r\n", "\n");
    let (top, rest) = prefix.rsplit_once("\n\n").unwrap_or(("", &prefix));
    let (top, rest) = (comments(top), comments(rest));
    // A directive belongs to the file even if no blank line separates it from the first key.
    let header = top + &lines(&rest, true);
    if !header.is_empty() {
        decor.set_prefix(lines(&rest, false));
    }
    header
}

/// The directives among comments, or the other comments.
fn lines(comments: &str, directives: bool) -> String {
    comments
        .lines()
        .filter(|line| is_directive(line) == directives)
        .fold(String::new(), |all, line| all + line + "\n")
}

fn rank(key: &str) -> usize {
    KEYS.iter()
        .position(|known| *known == key)
        .unwrap_or(KEYS.len())
}

/// Forgets where tables were in the text, so that they are written in the order of the document.
/// Otherwise a moved table would also move the tables below it.
fn forget_positions(table: &mut Table) {
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => {
                inner.set_position(None);
                forget_positions(inner);
            }
            Item::ArrayOfTables(inner) => {
                for inner in inner.iter_mut() {
                    inner.set_position(None);
                    forget_positions(inner);
                }
            }
            _ => {}
        }
    }
}

fn format_table(table: &mut Table, layout: Layout) {
    table.sort_values_by(|left, _, right, _| {
        rank(left.get())
            .cmp(&rank(right.get()))
            .then_with(|| left.get().cmp(right.get()))
    });
    for (mut key, item) in table.iter_mut() {
        let above = comments(&prefix(key.leaf_decor()));
        let name = key.get().to_owned();
        // A key in quotes does not need them.
        key.fmt();
        if let Item::Value(value) = item {
            *key.leaf_decor_mut() = Decor::new(above, " ");
            format_value(&name, value, layout);
        }
    }
}

/// Removes `reviewed = true`, the default, unless a comment is about it.
fn forget_default(table: &mut Table) {
    let is_plain = table.get_key_value("reviewed").is_some_and(|(key, item)| {
        item.as_value().is_some_and(|value| {
            value.as_bool() == Some(true)
                && comments(&prefix(key.leaf_decor())).is_empty()
                && end_comment(value.decor()).is_empty()
        })
    });
    if is_plain {
        table.remove("reviewed");
    }
}

fn format_value(key: &str, value: &mut Value, layout: Layout) {
    let after = end_comment(value.decor());
    match value {
        Value::Array(array) => format_array(key, array, layout),
        Value::String(text) => {
            let plain = spell(key, text.value(), layout);
            *value = Value::from(plain);
        }
        // The spelling of a time follows from its value.
        Value::Datetime(time) if key == "uploaded" => *value = Value::from(*time.value()),
        _ => {}
    }
    *value.decor_mut() = Decor::new(" ", after);
}

fn format_wheels(tables: &mut ArrayOfTables, layout: Layout) {
    let mut wheels: Vec<Table> = tables.iter().cloned().collect();
    wheels.sort_by_key(file_name);
    tables.clear();
    for mut wheel in wheels {
        let above = comments(&prefix(wheel.decor()));
        let after = end_comment(wheel.decor());
        *wheel.decor_mut() = Decor::new(format!("\n{above}"), after);
        format_table(&mut wheel, layout);
        tables.push(wheel);
    }
}

fn file_name(wheel: &Table) -> String {
    let source = match wheel.get("source") {
        Some(Item::Value(Value::Array(list))) => list.get(0).and_then(Value::as_str),
        Some(item) => item.as_str(),
        None => None,
    };
    source
        .and_then(|source| Source::parse(source).ok())
        .map(|source| source.file_name())
        .unwrap_or_default()
}
