//! The canonical form of a declaration (FORMATS 2): one key order, wheels sorted by file name,
//! requirements in their canonical spelling, comments kept.

use std::fmt::Write as _;

use toml_edit::{Array, ArrayOfTables, Decor, DocumentMut, Item, RawString, Table, Value};

use crate::python::{ExtraName, Requirement};

use super::{Declaration, DeclaredWheel, Source};

/// The order of the keys, of the top and of each wheel.
const KEYS: [&str; 9] = [
    "source",
    "content-id",
    "requires-python",
    "extras",
    "dependencies",
    "sha256",
    "size",
    "automatic",
    "wheel",
];

/// The canonical form of a declaration's text; `None` when it is not TOML.
///
/// Keys that the format does not have are kept, after the others; values of the wrong type stay
/// as they are. The result is its own canonical form.
pub fn canonical(text: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let header = take_header(&mut document);
    let trailing = comments(document.trailing().as_str().unwrap_or_default());
    format_table(document.as_table_mut());
    if let Some(Item::ArrayOfTables(tables)) = document.get_mut("wheel") {
        format_wheels(tables);
    }
    document.set_trailing("");
    let mut result = String::new();
    if !header.is_empty() {
        result.push_str(&header);
        result.push('\n');
    }
    result.push_str(document.to_string().trim_start_matches('\n'));
    result.push_str(&trailing);
    Some(result)
}

/// The comment block at the very top, where a blank line parts it from the first key.
fn take_header(document: &mut DocumentMut) -> String {
    let first = document.iter().next().map(|(key, _)| key.to_owned());
    let Some(first) = first else {
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
    let Some((header, rest)) = prefix.rsplit_once("\n\n") else {
        return String::new();
    };
    let header = comments(header);
    decor.set_prefix(rest.to_owned());
    header
}

fn prefix(decor: &Decor) -> String {
    decor
        .prefix()
        .and_then(RawString::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The comment lines of a stretch of white space and comments, each with its line feed.
fn comments(raw: &str) -> String {
    raw.lines()
        .map(str::trim)
        .filter(|line| line.starts_with('#'))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// The comment at the end of a value's line, with the two spaces before it.
fn end_comment(decor: &Decor) -> String {
    let suffix = decor
        .suffix()
        .and_then(RawString::as_str)
        .unwrap_or_default()
        .trim();
    if suffix.starts_with('#') {
        format!("  {suffix}")
    } else {
        String::new()
    }
}

fn rank(key: &str) -> usize {
    KEYS.iter()
        .position(|known| *known == key)
        .unwrap_or(KEYS.len())
}

fn format_table(table: &mut Table) {
    table.sort_values_by(|left, _, right, _| {
        rank(left.get())
            .cmp(&rank(right.get()))
            .then_with(|| left.get().cmp(right.get()))
    });
    for (mut key, item) in table.iter_mut() {
        let above = comments(&prefix(key.leaf_decor()));
        let name = key.get().to_owned();
        if let Item::Value(value) = item {
            *key.leaf_decor_mut() = Decor::new(above, " ");
            format_value(&name, value);
        }
    }
}

fn format_value(key: &str, value: &mut Value) {
    let after = end_comment(value.decor());
    match value {
        Value::Array(array) => format_array(key, array),
        Value::String(text) => {
            let plain = spell(key, text.value());
            *value = Value::from(plain);
        }
        _ => {}
    }
    *value.decor_mut() = Decor::new(" ", after);
}

/// A string in the spelling of its key.
fn spell(key: &str, text: &str) -> String {
    match key {
        "dependencies" => text
            .parse::<Requirement>()
            .map_or_else(|_| text.to_owned(), |requirement| requirement.to_string()),
        "extras" => text
            .parse::<ExtraName>()
            .map_or_else(|_| text.to_owned(), |extra| extra.to_string()),
        "sha256" => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    }
}

/// Lists are sets, but for `source`, which is in order of preference.
fn format_array(key: &str, array: &mut Array) {
    let rest = comments(array.trailing().as_str().unwrap_or_default());
    let mut elements: Vec<(String, String, Value)> = Vec::with_capacity(array.len());
    for value in array.iter() {
        let raw = value
            .decor()
            .prefix()
            .and_then(RawString::as_str)
            .unwrap_or_default();
        let after = value
            .decor()
            .suffix()
            .and_then(RawString::as_str)
            .unwrap_or_default();
        let above = comments(raw) + &comments(after);
        let spelt = match value.as_str() {
            Some(text) => Value::from(spell(key, text)),
            None => value.clone(),
        };
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), |text| spell(key, text));
        elements.push((text, above, spelt));
    }
    if matches!(key, "extras" | "dependencies") {
        elements.sort_by(|left, right| left.0.cmp(&right.0));
        elements.dedup_by(|later, earlier| later.0 == earlier.0 && later.1.is_empty());
    }
    let has_comments = !rest.is_empty() || elements.iter().any(|(_, above, _)| !above.is_empty());
    let is_tall = has_comments || (elements.len() > 1 && key != "extras");
    array.clear();
    for (index, (_, above, mut value)) in elements.into_iter().enumerate() {
        let before = match (is_tall, index) {
            (true, _) => {
                let mut before = String::from("\n    ");
                for line in above.lines() {
                    let _ = write!(before, "{line}\n    ");
                }
                before
            }
            (false, 0) => String::new(),
            (false, _) => String::from(" "),
        };
        *value.decor_mut() = Decor::new(before, "");
        array.push_formatted(value);
    }
    array.set_trailing_comma(is_tall && !array.is_empty());
    let mut trailing = String::new();
    for line in rest.lines() {
        let _ = write!(trailing, "\n    {line}");
    }
    if is_tall {
        trailing.push('\n');
    }
    array.set_trailing(trailing);
}

fn format_wheels(tables: &mut ArrayOfTables) {
    let mut wheels: Vec<Table> = tables.iter().cloned().collect();
    wheels.sort_by_key(file_name);
    tables.clear();
    for (position, mut wheel) in wheels.into_iter().enumerate() {
        let above = comments(&prefix(wheel.decor()));
        let after = end_comment(wheel.decor());
        *wheel.decor_mut() = Decor::new(format!("\n{above}"), after);
        format_table(&mut wheel);
        wheel.set_position(Some(isize::try_from(position).unwrap_or(isize::MAX)));
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

/// The canonical text of a declaration that nobody has written yet. What all wheels share is
/// stated once.
pub fn write_declaration(declaration: &Declaration) -> String {
    let mut text = String::new();
    match declaration.wheels.as_slice() {
        [wheel] => {
            write_places(&mut text, wheel);
            write_requirements(&mut text, wheel, None);
            write_digests(&mut text, wheel);
            write_automatic(&mut text, declaration);
        }
        wheels => {
            let shared = most_frequent(wheels);
            if let Some(shared) = shared {
                write_requirements(&mut text, shared, None);
            }
            write_automatic(&mut text, declaration);
            for wheel in wheels {
                text.push_str("\n[[wheel]]\n");
                write_places(&mut text, wheel);
                write_requirements(&mut text, wheel, shared);
                write_digests(&mut text, wheel);
            }
        }
    }
    canonical(&text).unwrap_or(text)
}

/// The wheel whose requirements most wheels have, so that they are written once. A wheel without
/// `requires-python` cannot override one that has it, so those shares are not taken together.
fn most_frequent(wheels: &[DeclaredWheel]) -> Option<&DeclaredWheel> {
    let any_without = wheels.iter().any(|wheel| wheel.requires_python.is_none());
    wheels
        .iter()
        .filter(|wheel| !any_without || wheel.requires_python.is_none())
        .rev()
        .max_by_key(|wheel| {
            wheels
                .iter()
                .filter(|other| requirements(other) == requirements(wheel))
                .count()
        })
}

/// What a wheel needs, as it is written; what several wheels share is compared by it.
#[derive(PartialEq, Eq)]
struct Requirements {
    python: Option<String>,
    extras: Vec<String>,
    dependencies: Vec<String>,
}

fn requirements(wheel: &DeclaredWheel) -> Requirements {
    Requirements {
        python: wheel
            .requires_python
            .as_ref()
            .map(|specifiers| specifiers.value.to_string()),
        extras: wheel
            .extras
            .iter()
            .map(|extra| extra.value.to_string())
            .collect(),
        dependencies: wheel
            .dependencies
            .iter()
            .map(|dependency| dependency.value.to_string())
            .collect(),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn write_places(text: &mut String, wheel: &DeclaredWheel) {
    let sources: Vec<String> = wheel
        .sources
        .iter()
        .map(|source| source.value.to_string())
        .collect();
    let source = match sources.as_slice() {
        [one] => quoted(one),
        several => list(several),
    };
    let _ = writeln!(text, "source = {source}");
    let _ = writeln!(
        text,
        "content-id = {}",
        quoted(&wheel.content_id.value.to_string())
    );
}

fn write_requirements(text: &mut String, wheel: &DeclaredWheel, above: Option<&DeclaredWheel>) {
    let own = requirements(wheel);
    let shared = above.map(requirements);
    let differs = |is_other: &dyn Fn(&Requirements) -> bool| shared.as_ref().is_none_or(is_other);
    if let Some(specifiers) = &own.python
        && differs(&|shared| shared.python != own.python)
    {
        let _ = writeln!(text, "requires-python = {}", quoted(specifiers));
    }
    if differs(&|shared| shared.extras != own.extras) {
        let _ = writeln!(text, "extras = {}", list(&own.extras));
    }
    if differs(&|shared| shared.dependencies != own.dependencies) {
        let _ = writeln!(text, "dependencies = {}", list(&own.dependencies));
    }
}

fn write_digests(text: &mut String, wheel: &DeclaredWheel) {
    if let Some(sha256) = &wheel.sha256 {
        let _ = writeln!(text, "sha256 = {}", quoted(&sha256.value.to_string()));
    }
    if let Some(size) = &wheel.size {
        let _ = writeln!(text, "size = {}", size.value);
    }
}

fn write_automatic(text: &mut String, declaration: &Declaration) {
    if declaration.automatic {
        text.push_str("automatic = true\n");
    }
}
