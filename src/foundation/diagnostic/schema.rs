//! The JSON Schema of findings as JSON.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{Code, JsonLine};
use crate::foundation::schema;

/// The JSON Schema of each line of `--message-format json`, as text.
pub fn findings_schema() -> String {
    schema::of_written::<JsonLine>()
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema::choices(Self::ALL.iter().map(|code| (code.as_str(), code.summary())))
    }
}
