//! JSON Schemas of the formats that the program reads and writes, made from types (draft-07, which
//! every TOML editor supports), and the patterns that several of them share.
//!
//! A pattern never refuses text that the program accepts: a false alarm in an editor is worse than
//! none, and `ipwhl check` finds the rest.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// The folder for schemas in a repository, beside `ipwhl.toml`.
pub const FOLDER: &str = "schemas";

/// The name of a project or an extra, in any spelling.
pub const NAME: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";

/// A CID of version 0, or of version 1 in base32 with the codec raw or dag-pb; sha2-256.
pub const CONTENT_ID: &str =
    "^(Qm[1-9A-HJ-NP-Za-km-z]{44}|baf(kre|ybe)i[a-h][a-z2-7]{50}[aeimquy4])$";

/// A SHA-256 as 64 hexadecimal digits.
pub const SHA256: &str = "^[0-9A-Fa-f]{64}$";

/// A dependency specifier: a name and the parts that can follow it.
pub const REQUIREMENT: &str = r"^[ \t]*[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?[ \t]*(\[[^\]]*\][ \t]*)?((@|\(|;|===?|[!~<>]=|[<>]).*)?$";

/// A set of version specifiers that is not empty.
pub const SPECIFIERS: &str = r"^[\s,]*((~=|[!=<>]=|[<>])\s*[A-Za-z0-9.*+!_-]+|===\s*[^\s,;)]+)(\s*,[\s,]*((~=|[!=<>]=|[<>])\s*[A-Za-z0-9.*+!_-]+|===\s*[^\s,;)]+))*[\s,]*$";

/// A day, as in `2027-03-01`.
pub const DAY: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// A time in UTC, as in `2023-08-17T17:29:11Z`.
pub const UTC_TIME: &str =
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$";

/// A line of text that is not empty.
pub const LINE: &str = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$";

/// The schema of a format that the program reads.
pub fn of_read<T: JsonSchema>() -> String {
    text::<T>(SchemaSettings::draft07().for_deserialize())
}

/// The schema of a format that the program writes.
pub fn of_written<T: JsonSchema>() -> String {
    text::<T>(SchemaSettings::draft07().for_serialize())
}

/// The schema as text, with two spaces for each level, sorted keys and a line feed at the end.
fn text<T: JsonSchema>(settings: SchemaSettings) -> String {
    let schema = settings
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(RecursiveTransform(plain))
        .into_generator()
        .into_root_schema_for::<T>();
    // A schema consists of objects, lists and strings, so this cannot fail.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// Removes details of the Rust types: optional keys are never null, the width of integers does not
/// matter, and the line breaks of a description have no meaning.
fn plain(schema: &mut Schema) {
    let is_null = |kind: &Value| kind == "null";
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(kinds)) = schema.get_mut("type") {
        kinds.retain(|kind| !is_null(kind));
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            schema.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| !is_null(&choice["type"]));
        if let [choice] = choices.as_slice() {
            let choice = choice.clone();
            schema.remove("anyOf");
            for (key, value) in choice.as_object().into_iter().flatten() {
                // The description of the key is more specific than that of its type.
                if schema.get(key).is_none() {
                    schema.insert(key.clone(), value.clone());
                }
            }
        }
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        let paragraphs: Vec<String> = description
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "))
            .collect();
        *description = paragraphs.join("\n\n");
    }
    let is_width = schema
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|format| format.starts_with("uint") || format.starts_with("int"));
    if is_width {
        schema.remove("format");
    }
}

/// The values of an enumeration with their meanings, in the keywords that editors read.
pub fn choices<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Schema {
    let (names, meanings): (Vec<&str>, Vec<&str>) = values.into_iter().unzip();
    schemars::json_schema!({
        "type": "string",
        "enum": names,
        "enumDescriptions": meanings,
        "x-taplo": { "docs": { "enumValues": meanings } }
    })
}
