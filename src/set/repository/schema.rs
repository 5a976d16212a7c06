//! The JSON Schema of `ipwhl.toml`: the text form that `configuration` reads.

mod publish;

use std::borrow::Cow;

use ipwhl_unixfs::Profile;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::foundation::diagnostic::Code;
use crate::foundation::schema;
use publish::PublishTables;

/// Where a repository keeps the schema of its `ipwhl.toml`, from its folder, with `/`.
pub const CONFIGURATION_SCHEMA_FILE: &str = "schemas/ipwhl.schema.json";

/// A platform tag that can be supported.
macro_rules! system {
    () => {
        "(manylinux(1|2010|2014|_[0-9]+_[0-9]+)_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x|loongarch64|riscv64)\
         |musllinux_[0-9]+_[0-9]+_[a-z0-9_]+|linux_[a-z0-9_]+|macosx_[0-9]+_[0-9]+_(arm64|x86_64)\
         |win32|win_amd64|win_arm64)"
    };
}

/// An interpreter, with the oldest patch version of it where one is named.
const PYTHON: &str = r"^(cp|pp)3[0-9]+t?(\s*>=.+)?$";
/// A system.
const SYSTEM: &str = concat!("^", system!(), "$");
/// Both.
const PLATFORM: &str = concat!(r"^(cp|pp)3[0-9]+t?(\s*>=[^-]+)?-", system!(), "$");
/// A folder inside the repository.
const FOLDER: &str =
    r"^([^./\\]|\.[^./\\]|\.\.[^/\\])[^/\\]*(/([^./\\]|\.[^./\\]|\.\.[^/\\])[^/\\]*)*$";
/// An address that can be asked.
const ADDRESS: &str = r"^\s*[Hh][Tt][Tt][Pp][Ss]?:.+$";

/// The JSON Schema of `ipwhl.toml`, as text.
pub fn configuration_schema() -> String {
    schema::of_read::<ConfigurationText>()
}

/// The file that makes a folder a repository: its name, the platforms that it supports, whom it
/// trusts.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
#[schemars(title = "`ipwhl.toml`", deny_unknown_fields)]
struct ConfigurationText {
    repository: RepositoryTable,
    platforms: Option<PlatformsTable>,
    index: Option<IndexTable>,
    mirrors: Option<MirrorsTable>,
    signing: Option<SigningTable>,
    publish: Option<PublishTables>,
    severity: Option<SeverityRules>,
    /// A finding that someone answers for, until a day. A waiver covers as little as it can say.
    waiver: Option<Vec<WaiverTable>>,
}

/// What the repository is.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
#[schemars(deny_unknown_fields)]
struct RepositoryTable {
    /// The version of this format.
    #[schemars(extend("const" = 1))]
    format: u64,
    /// The repository's name, which goes into each signed statement.
    #[schemars(regex(pattern = schema::LINE), example = "floating-cheeses")]
    name: String,
    /// The folder of the declarations, from the repository's folder, with `/`.
    #[schemars(regex(pattern = FOLDER), example = &"declarations")]
    declarations: Option<String>,
    /// How the declarations are laid out.
    layout: Option<LayoutText>,
    /// The UnixFS import parameters, which make the root CID reproducible.
    #[schemars(extend(
        "enum" = Profile::ALL.map(Profile::as_str),
        "default" = Profile::UnixfsV1_2025.as_str()
    ))]
    profile: Option<String>,
}

/// How the declarations are laid out.
struct LayoutText;

impl JsonSchema for LayoutText {
    fn schema_name() -> Cow<'static, str> {
        "Layout".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = schema::choices([
            (
                "package",
                "One file a project: `declarations/<project>.toml`.",
            ),
            (
                "ipwhl-1",
                "The original's, one file a wheel: `pkgs/<prefix>/<Project>/<wheel stem>.toml`.",
            ),
        ]);
        schema.insert("default".to_owned(), "package".into());
        schema
    }
}

/// The supported platforms: each of `python` on each of `system`, and those of `also`.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
#[schemars(
    deny_unknown_fields,
    extend("anyOf" = [
        {
            "required": ["python", "system"],
            "properties": { "python": { "minItems": 1 }, "system": { "minItems": 1 } }
        },
        {
            "required": ["also"],
            "properties": { "python": { "maxItems": 0 }, "system": { "maxItems": 0 }, "also": { "minItems": 1 } }
        }
    ])
)]
struct PlatformsTable {
    /// Interpreters, `cp312`; with a floor for the patch version, `cp311>=3.11.5`.
    #[schemars(inner(regex(pattern = PYTHON)), example = ["cp311>=3.11.5", "cp312", "cp313"])]
    python: Option<Vec<String>>,
    /// Platform tags of the oldest system of each kind.
    #[schemars(
        inner(regex(pattern = SYSTEM)),
        example = ["manylinux_2_28_x86_64", "macosx_12_0_arm64", "win_amd64"]
    )]
    system: Option<Vec<String>>,
    /// Single platforms, beside the product of the other two.
    #[schemars(
        inner(regex(pattern = PLATFORM)),
        example = ["cp313t-manylinux_2_28_x86_64", "pp311-win_amd64"]
    )]
    also: Option<Vec<String>>,
}

/// The index that package URLs are resolved through.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
#[schemars(deny_unknown_fields)]
struct IndexTable {
    /// Its address. `--index-url` and `IPWHL_INDEX_URL` go before it; without one, pip's settings
    /// count.
    #[schemars(regex(pattern = ADDRESS), example = "https://example.org/simple/")]
    url: Option<String>,
}

/// Other places that may have the wheels by content-id.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
#[schemars(deny_unknown_fields)]
struct MirrorsTable {
    /// Gateways, tried when every source of a wheel fails; each byte is verified.
    #[schemars(inner(regex(pattern = ADDRESS)), example = ["http://127.0.0.1:8080"])]
    gateways: Option<Vec<String>>,
}

/// Who may sign a release.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
#[schemars(deny_unknown_fields, extend("dependencies" = { "threshold": ["trusted"] }))]
struct SigningTable {
    /// OpenSSH Ed25519 keys, in files or in hardware, as `ipwhl key show` prints them.
    #[schemars(
        inner(regex(pattern = r"^\s*(ssh-ed25519|sk-ssh-ed25519@openssh\.com)\s+\S+")),
        example = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f maintainer"]
    )]
    trusted: Option<Vec<String>>,
    /// How many of them have to.
    #[schemars(range(min = 1), extend("default" = 1))]
    threshold: Option<u64>,
}

/// What codes weigh in a repository, by code.
pub(crate) struct SeverityRules;

impl JsonSchema for SeverityRules {
    fn schema_name() -> Cow<'static, str> {
        "Severity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let rules: Map<String, Value> = Code::ALL
            .iter()
            .map(|code| {
                let levels: &[&str] = if code.may_be_overridden() {
                    &["error", "warning", "off"]
                } else {
                    &["error"]
                };
                let rule = json_schema!({
                    "type": "string",
                    "enum": levels,
                    "default": code.default_severity().to_string(),
                    "description": code.summary(),
                });
                (code.to_string(), rule.to_value())
            })
            .collect();
        json_schema!({
            "type": "object",
            "description": "What findings weigh here, by their codes.",
            "properties": rules,
            "additionalProperties": false
        })
    }
}

/// The codes that a waiver may cover.
pub(crate) struct WaivableCode;

impl JsonSchema for WaivableCode {
    fn schema_name() -> Cow<'static, str> {
        "WaivableCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes = Code::ALL.iter().filter(|code| code.may_be_overridden());
        schema::choices(codes.map(|code| (code.as_str(), code.summary())))
    }
}

/// A finding that someone answers for.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
#[schemars(deny_unknown_fields)]
struct WaiverTable {
    /// The code of the findings that it covers.
    code: WaivableCode,
    /// The project that would have to change: the one that requires, where a requirement is not
    /// satisfied.
    #[schemars(regex(pattern = schema::NAME))]
    project: String,
    /// Only findings about this requirement.
    #[schemars(regex(pattern = schema::REQUIREMENT), example = "bar>=2")]
    requirement: Option<String>,
    /// Only findings about this wheel: its file name.
    #[schemars(example = "foo-1.0-cp312-cp312-win_amd64.whl")]
    wheel: Option<String>,
    /// Only findings under this extra.
    #[schemars(regex(pattern = schema::NAME), example = &"all")]
    extra: Option<String>,
    /// Only findings on these platforms: whole ones, interpreters or systems.
    #[schemars(example = ["win_amd64", "cp312", "cp313-win_amd64"])]
    platforms: Option<Vec<String>>,
    /// Why it is right to go on.
    #[schemars(
        regex(pattern = r"\S"),
        example = "foo works with bar 1.9, see its changelog"
    )]
    reason: String,
    /// The last day on which it holds: a TOML date, without quotes.
    #[schemars(regex(pattern = schema::DAY), extend("format" = "date"), example = "2027-03-01")]
    expires: String,
}
