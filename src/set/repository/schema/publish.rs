//! The shape of `[publish.NAME]`: a kind, and the keys of that kind.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::set::repository::PublishKind;

/// An address without a user name, a password, a query and a fragment.
const ADDRESS: &str = r"^\s*[Hh][Tt][Tt][Pp][Ss]?:[^@?#]+$";
/// The name of a target.
const NAME: &str = "^[a-z]([a-z0-9-]*[a-z0-9])?$";

/// Where releases go, by the targets' names.
pub(super) struct PublishTables;

impl JsonSchema for PublishTables {
    fn schema_name() -> Cow<'static, str> {
        "Publish".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds: Vec<Value> = PublishKind::WORDS.iter().map(|word| kind(word)).collect();
        json_schema!({
            "type": "object",
            "description": "Where `ipwhl publish` brings releases to, by the targets' names.",
            "propertyNames": { "pattern": NAME },
            "additionalProperties": {
                "type": "object",
                "required": ["kind"],
                "properties": {
                    "kind": {
                        "enum": PublishKind::WORDS,
                        "description": "What the target is; its other keys follow from it.",
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
    let gateway = || address("What is read back through: a gateway of the target's own.");
    let (mut properties, required) = match word {
        "kubo" => (
            json!({
                "api": address("The RPC API, without `/api/v0`; `http://127.0.0.1:5001` where none is named."),
                "gateway": gateway(),
                "keep": { "type": "integer", "minimum": 1, "description": "How many releases stay pinned; all where none is said." },
                "pinned-by": { "type": "string", "pattern": "^([a-z]([a-z0-9-]*[a-z0-9])?)?$", "description": "The target of the cluster that pins on this node, empty for none; the node is asked where nothing is said." },
                "mfs": { "type": "string", "pattern": "^/[^/]", "description": "The path in the MFS that shows the newest release.", "examples": ["/releases/latest"] },
            }),
            vec!["kind"],
        ),
        "cluster" => (
            json!({
                "api": address("The REST API; `http://127.0.0.1:9094` where none is named."),
                "gateway": gateway(),
                "replication-min": replication("On how many peers the release must be at least."),
                "replication-max": replication("On how many peers it should be."),
                "keep": { "type": "integer", "minimum": 1, "description": "How many releases stay pinned; all where none is said." },
                "metadata": { "type": "object", "maxProperties": 100, "additionalProperties": { "type": "string" }, "description": "What the pin is given besides." },
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
                "path": text("The folder; a relative one begins at the repository's."),
                "links": { "type": "boolean", "default": true, "description": "Whether files that are the same in two releases are one, with hard links." },
                "url": address("The address that a web server serves the folder at, for what is printed."),
                "latest": { "type": "string", "pattern": r"^[^/\\]*$", "default": "latest", "description": "The name that leads to the newest release; empty for none." },
                "keep": { "type": "integer", "minimum": 1, "description": "How many releases' trees stay; all where none is said." },
            }),
            vec!["kind", "path"],
        ),
        "ipns" => (
            json!({
                "file": text("The file that the record goes to; a relative path begins at the repository's folder."),
                "api": address("The RPC API of a Kubo that the record is put to, without `/api/v0`."),
                "lifetime": span("How long the record holds where the statement does not expire."),
                "ttl": span("How long a resolver may keep it."),
            }),
            vec!["kind"],
        ),
        "git" => (
            json!({
                "repository": text("The git repository; the one around this repository where none is named."),
                "branch": text("The branch that statements are committed to."),
                "tag": { "type": "string", "pattern": r"\{sequence\}", "description": "The name of a release's tag.", "examples": ["statement-{sequence}"] },
                "remote": text("The remote that both are pushed to."),
            }),
            vec!["kind"],
        ),
        "dnslink" => (
            json!({
                "domain": text("The domain, without `_dnslink.`."),
                "name": text("The IPNS name that the record leads to; without one it leads to the root."),
                "resolver": text("The address of the name server that is asked; the system's where none is named."),
            }),
            vec!["kind", "domain"],
        ),
        // A kind that is forgotten here has no keys, so that its first test fails.
        _ => (json!({}), vec!["kind"]),
    };
    properties["kind"] = json!({ "const": word });
    if PublishKind::NEEDING_HOLDERS.contains(&word) {
        properties["holders"] = json!({ "type": "array", "items": { "type": "string", "pattern": NAME }, "description": "The targets of which one has to hold the release before; empty where it is held elsewhere." });
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
