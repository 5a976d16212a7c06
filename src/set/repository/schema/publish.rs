//! The schema of `[publish.NAME]`: a kind, and the keys of that kind.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::set::repository::PublishKind;

/// An address without a user name, a password, a query and a fragment.
const ADDRESS: &str = r"^\s*[Hh][Tt][Tt][Pp][Ss]?:[^@?#]+$";
/// The name of a target.
const NAME: &str = "^[a-z]([a-z0-9-]*[a-z0-9])?$";

/// Publish targets, by name.
pub(super) struct PublishTables;

impl JsonSchema for PublishTables {
    fn schema_name() -> Cow<'static, str> {
        "Publish".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds: Vec<Value> = PublishKind::WORDS.iter().map(|word| kind(word)).collect();
        json_schema!({
            "type": "object",
            "description": "The targets of `ipwhl publish`, by name.",
            "propertyNames": { "pattern": NAME },
            "additionalProperties": {
                "type": "object",
                "required": ["kind"],
                "properties": {
                    "kind": {
                        "enum": PublishKind::WORDS,
                        "description": "The kind of the target, which defines its other keys.",
                    },
                },
                "oneOf": kinds,
            },
        })
    }
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

fn address(description: &str) -> Value {
    json!({ "type": "string", "pattern": ADDRESS, "description": description })
}

fn span(description: &str) -> Value {
    json!({ "type": "string", "pattern": "^[0-9]+[smhdw]$", "examples": ["36h"], "description": description })
}

fn replication(description: &str) -> Value {
    let numbers = json!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 });
    json!({ "anyOf": [numbers, { "const": "all" }], "description": description })
}

/// The keys of a kind.
fn kind(word: &str) -> Value {
    let gateway = || address("The gateway for reading back.");
    let (mut properties, required) = match word {
        "kubo" => (
            json!({
                "api": address("The RPC API, without `/api/v0`; `http://127.0.0.1:5001` by default."),
                "gateway": gateway(),
                "keep": { "type": "integer", "minimum": 1, "description": "How many releases stay pinned; all by default." },
                "pinned-by": { "type": "string", "pattern": "^([a-z]([a-z0-9-]*[a-z0-9])?)?$", "description": "The cluster target that pins on this node, empty for none; the node is asked by default." },
                "mfs": { "type": "string", "pattern": "^/[^/]", "description": "The path in the MFS that shows the newest release.", "examples": ["/releases/latest"] },
            }),
            vec!["kind"],
        ),
        "cluster" => (
            json!({
                "api": address("The REST API; `http://127.0.0.1:9094` by default."),
                "gateway": gateway(),
                "replication-min": replication("The least number of peers with the release."),
                "replication-max": replication("The desired number of peers with the release."),
                "keep": { "type": "integer", "minimum": 1, "description": "How many releases stay pinned; all by default." },
                "metadata": { "type": "object", "maxProperties": 100, "additionalProperties": { "type": "string" }, "description": "Additional metadata of the pin." },
            }),
            vec!["kind"],
        ),
        "pinning-service" => (
            json!({
                "endpoint": address("The service's address, without `/pins`."),
                "origins": { "type": "array", "maxItems": 20, "items": { "type": "string", "pattern": "^/[^/]+/[^/]+" }, "description": "Multiaddresses of nodes that have the blocks." },
                "gateway": gateway(),
            }),
            vec!["kind", "endpoint"],
        ),
        "directory" => (
            json!({
                "path": text("The folder; relative to the repository's folder."),
                "links": { "type": "boolean", "default": true, "description": "Whether equal files of two releases share their storage by hard links." },
                "url": address("The address at which a web server serves the folder, for messages."),
                "latest": { "type": "string", "pattern": r"^[^/\\]*$", "default": "latest", "description": "The name that refers to the newest release; empty for none." },
                "keep": { "type": "integer", "minimum": 1, "description": "How many releases' trees stay; all by default." },
            }),
            vec!["kind", "path"],
        ),
        "ipns" => (
            json!({
                "file": text("The file for the record; relative to the repository's folder."),
                "api": address("The RPC API of a Kubo node that receives the record, without `/api/v0`."),
                "lifetime": span("How long the record is valid if the statement does not expire."),
                "ttl": span("How long a resolver may cache the record."),
            }),
            vec!["kind"],
        ),
        "git" => (
            json!({
                "repository": text("The git repository; by default the one that contains this repository."),
                "branch": text("The branch for commits of statements."),
                "tag": { "type": "string", "pattern": r"\{sequence\}", "description": "The name of a release's tag.", "examples": ["statement-{sequence}"] },
                "remote": text("The remote that both are pushed to."),
            }),
            vec!["kind"],
        ),
        "dnslink" => (
            json!({
                "domain": text("The domain, without `_dnslink.`."),
                "name": text("The IPNS name that the record refers to; by default it refers to the root."),
                "resolver": text("The address of the DNS server to query; the system's by default."),
            }),
            vec!["kind", "domain"],
        ),
        // A kind that is forgotten here has no keys, so that its first test fails.
        _ => (json!({}), vec!["kind"]),
    };
    properties["kind"] = json!({ "const": word });
    if PublishKind::NEEDING_HOLDERS.contains(&word) {
        properties["holders"] = json!({ "type": "array", "items": { "type": "string", "pattern": NAME }, "description": "The targets of which one must hold the release first; empty if it is held elsewhere." });
    }
    let mut schema = json!({
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if word == "ipns" {
        schema["anyOf"] = json!([{ "required": ["file"] }, { "required": ["api"] }]);
    }
    schema
}
