//! YAML, as far as entries of a database use it: one document of mappings, lists and texts.
//!
//! The events of the parser are counted, so a text of any depth or size needs bounded memory.
//! References to anchors are refused: a small text could stand for a huge one. Scalars stay text,
//! so that the version `1.10` does not become the number 1.1.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The deepest nesting.
const DEEPEST: usize = 32;

/// The most values of a document.
const MOST_VALUES: usize = 500_000;

/// A collection that is not complete.
enum Open {
    List(Vec<Value>),
    /// The mapping, and the key that waits for its value.
    Mapping(Map<String, Value>, Option<String>),
}

/// The only document of a text. The error is a clause.
pub(super) fn value(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut open: Vec<Open> = Vec::new();
    let mut whole: Option<Value> = None;
    let mut documents = 0;
    let mut values = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let line = span.start.line();
        let complete = match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err("it has more than one document".to_owned());
                }
                None
            }
            Event::Alias(_) => return Err(format!("line {line} refers to an anchor")),
            Event::Scalar(text, style, _, tag) => {
                let is_null = style == ScalarStyle::Plain
                    && tag.is_none()
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                Some(if is_null {
                    Value::Null
                } else {
                    Value::String(text.into_owned())
                })
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(Map::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(list)) => Some(Value::Array(list)),
                Some(Open::Mapping(mapping, _)) => Some(Value::Object(mapping)),
                None => None,
            },
            _ => None,
        };
        if open.len() > DEEPEST {
            return Err(format!("line {line} is nested more than {DEEPEST} deep"));
        }
        let Some(complete) = complete else {
            continue;
        };
        values += 1;
        if values > MOST_VALUES {
            return Err(format!("it has more than {MOST_VALUES} values"));
        }
        match open.last_mut() {
            None => whole = Some(complete),
            Some(Open::List(list)) => list.push(complete),
            Some(Open::Mapping(mapping, key)) => match (key.take(), complete) {
                (Some(key), value) => {
                    if mapping.contains_key(&key) {
                        return Err(format!("line {line} repeats a key"));
                    }
                    mapping.insert(key, value);
                }
                (None, Value::String(text)) => *key = Some(text),
                (None, _) => return Err(format!("line {line} has a key that is not a text")),
            },
        }
    }
    whole.ok_or_else(|| "it is empty".to_owned())
}
