//! The JSON Schemas of a release's JSON files.

use schemars::JsonSchema;

use super::pages::{ProjectJson, RootJson};
use super::release_json::ReleaseJson;
use crate::foundation::schema;

/// The JSON Schema of `_ipwhl/release.json`, as text.
pub fn release_schema() -> String {
    schema::of_written::<ReleaseJson>()
}

/// The JSON Schema of the pages `index.v1_json`, as text.
pub fn index_schema() -> String {
    schema::of_written::<IndexJson<'_>>()
}

/// A page of the index as PEP 691 has it, with the private key `_ipwhl` of each file.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(title = "`index.v1_json`", untagged)]
enum IndexJson<'r> {
    Root(RootJson<'r>),
    Project(ProjectJson<'r>),
}
