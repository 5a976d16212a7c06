//! Formats a text only if the result means the same: values and comments are compared before the
//! file is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Marker, Requirement};
use toml::de::{DeTable, DeValue};
use toml_edit::DocumentMut;
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::reader::Reader;
use super::{Layout, canonical_in};
use crate::foundation::diagnostic::{Code, Finding};

/// The reason why a text was not formatted.
#[derive(Debug)]
pub enum Unformatted {
    /// The text is not TOML: a `syntax` finding for each mistake.
    Syntax(Vec<Finding>),
    /// The canonical form would lose this: `a comment` or `a value`. This is a bug of this program.
    Unfaithful(&'static str),
}

/// The canonical form of a declaration's text. `file` is its name for findings.
///
/// # Errors
/// When the text is not TOML, or its canonical form would have another meaning.
pub fn formatted(file: &Arc<str>, text: &str, layout: Layout) -> Result<String, Unformatted> {
    let reader = Reader::new(file);
    let (_, is_toml) = reader.parse_document(text);
    if !is_toml {
        return Err(Unformatted::Syntax(reader.into_findings()));
    }
    let Some(canonical) = canonical_in(text, layout) else {
        return Err(syntax(file, text));
    };
    if comments(text) != comments(&canonical) {
        return Err(Unformatted::Unfaithful("a comment"));
    }
    if meaning(text, layout) != meaning(&canonical, layout) {
        return Err(Unformatted::Unfaithful("a value"));
    }
    Ok(canonical)
}

/// The findings for a text that has no canonical form.
pub(super) fn syntax(file: &Arc<str>, text: &str) -> Unformatted {
    Unformatted::Syntax(vec![unwritable(file, text)])
}

/// The finding for a value that TOML allows but that cannot be written back, such as a number of 30
/// digits.
fn unwritable(file: &Arc<str>, text: &str) -> Finding {
    let (message, span) = match text.parse::<DocumentMut>() {
        Ok(_) => (String::from("it cannot be written again"), None),
        Err(error) => (error.message().trim().replace('\n', ", "), error.span()),
    };
    Finding::new(Code::Syntax, format!("the file is not TOML: {message}")).at(
        file,
        span.unwrap_or(0..0),
        "",
    )
}

/// The comments of a text, trimmed and sorted.
pub(super) fn comments(text: &str) -> Vec<&str> {
    let mut comments: Vec<&str> = Source::new(text)
        .lex()
        .filter(|token| token.kind() == TokenKind::Comment)
        .filter_map(|token| text.get(token.span().start()..token.span().end()))
        .map(str::trim)
        .collect();
    comments.sort_unstable();
    comments
}

/// The meaning of a value: values that mean the same are equal.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    Text(String),
    List(Vec<Meaning>),
    Table(BTreeMap<String, Meaning>),
    /// A number, a date or a boolean, as the parser prints it.
    Other(String),
}

/// The meaning of a text; `None` if it is not TOML.
fn meaning(text: &str, layout: Layout) -> Option<Meaning> {
    let document = DeTable::parse(text).ok()?;
    let mut meaning = of_table(document.get_ref(), layout);
    // The default means the same as its absence.
    if let Meaning::Table(entries) = &mut meaning
        && layout == Layout::Package
        && document
            .get_ref()
            .get("reviewed")
            .is_some_and(|reviewed| reviewed.get_ref().as_bool() == Some(true))
    {
        entries.remove("reviewed");
    }
    Some(meaning)
}

fn of_table(table: &DeTable<'_>, layout: Layout) -> Meaning {
    let entries = table.iter().map(|(key, value)| {
        let key: &str = key.get_ref();
        (key.to_owned(), of_value(key, value.get_ref(), layout))
    });
    Meaning::Table(entries.collect())
}

fn of_value(key: &str, value: &DeValue<'_>, layout: Layout) -> Meaning {
    match value {
        DeValue::String(text) => Meaning::Text(of_text(key, text, layout)),
        DeValue::Array(array) => {
            let mut values: Vec<Meaning> = array
                .iter()
                .map(|one| of_value(key, one.get_ref(), layout))
                .collect();
            if matches!(key, "extras" | "dependencies" | "wheel") {
                values.sort();
            }
            if matches!(key, "extras" | "dependencies") {
                values.dedup();
            }
            Meaning::List(values)
        }
        DeValue::Table(table) => of_table(table, layout),
        other => Meaning::Other(format!("{other:?}")),
    }
}

fn of_text(key: &str, text: &str, layout: Layout) -> String {
    let spelt = match key {
        _ if layout == Layout::Ipwhl1 => None,
        "dependencies" => text
            .parse::<Requirement>()
            .ok()
            .map(|requirement| requirement.to_string()),
        "extras" => text
            .parse::<ExtraName>()
            .ok()
            .map(|extra| extra.to_string()),
        "only" => text.parse::<Marker>().ok().map(|marker| marker.to_string()),
        "sha256" => Some(text.to_ascii_lowercase()),
        _ => None,
    };
    spelt.unwrap_or_else(|| text.to_owned())
}
