//! The JSON Schema of `ipwhl.toml`: the text form that `configuration` reads.

mod publish;

use std::borrow::Cow;

use ipwhl_unixfs::Profile;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use crate::foundation::diagnostic::Code;
use crate::foundation::schema;
use crate::set::declaration::FormatVersion;
use publish::PublishTables;

/// The path of the schema of `ipwhl.toml`, from the repository's folder, with `/`.
pub const CONFIGURATION_SCHEMA_FILE: &str = "schemas/ipwhl.schema.json";

/// A platform tag that can be supported.
macro_rules! system {
    () => {
        "(manylinux(1|2010|2014|_[0-9]+_[0-9]+)_(x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x|loongarch64|riscv64)\
         |musllinux_[0-9]+_[0-9]+_[a-z0-9_]+|linux_[a-z0-9_]+|macosx_[0-9]+_[0-9]+_(arm64|x86_64)\
         |win32|win_amd64|win_arm64)"
    };
}

/// An interpreter, optionally with its oldest patch version.
const PYTHON: &str = r"^(cp|pp)3[0-9]+t?(\s*>=.+)?$";
/// A system.
const SYSTEM: &str = concat!("^", system!(), "$");
/// Both.
const PLATFORM: &str = concat!(r"^(cp|pp)3[0-9]+t?(\s*>=[^-]+)?-", system!(), "$");
/// One licence, perhaps with an exception.
const LICENCE: &str = r"^\s*[A-Za-z0-9.-]+(\s+[Ww][Ii][Tt][Hh]\s+[A-Za-z0-9.-]+)?\s*$";
/// A folder inside the repository.
const FOLDER: &str =
    r"^([^./\\]|\.[^./\\]|\.\.[^/\\])[^/\\]*(/([^./\\]|\.[^./\\]|\.\.[^/\\])[^/\\]*)*$";
/// A usable address.
const ADDRESS: &str = r"^\s*[Hh][Tt][Tt][Pp][Ss]?:.+$";

/// The JSON Schema of `ipwhl.toml`, as text.
pub fn configuration_schema() -> String {
    schema::of_read::<ConfigurationText>()
}

/// The file that makes a folder a repository: its name, its platforms, its trusted keys.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(title = "`ipwhl.toml`", deny_unknown_fields)]
struct ConfigurationText {
    repository: RepositoryTable,
    platforms: Option<PlatformsTable>,
    index: Option<IndexTable>,
    licenses: Option<LicensesTable>,
    mirrors: Option<MirrorsTable>,
    signing: Option<SigningTable>,
    publish: Option<PublishTables>,
    severity: Option<SeverityRules>,
    /// A finding that is accepted until a day. A waiver should cover as little as possible.
    waiver: Option<Vec<WaiverTable>>,
    /// A file or a release that the maintainers no longer stand behind (format 2). The next statement
    /// names it, and so does each later one.
    withdrawn: Option<Vec<WithdrawnTable>>,
    audit: Option<AuditTable>,
}

/// The comparison of declared versions with a database of advisories (format 2).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct AuditTable {
    /// The database: a folder or a ZIP archive, by its path from the repository's folder, or the
    /// address of an archive.
    #[schemars(
        regex(pattern = r"\S"),
        example = "../advisory-database",
        example = "https://example.org/PyPI/all.zip"
    )]
    database: Option<String>,
    /// The age of the database's newest entry from which on it is reported as old.
    #[schemars(
        regex(pattern = r"^0*[1-9][0-9]* (hours?|days?|weeks?)$"),
        extend("default" = "14 days")
    )]
    maximum_age: Option<String>,
    /// The severity from which on a vulnerability is an error.
    #[schemars(extend("enum" = ["none", "low", "medium", "high", "critical"]))]
    error_from: Option<String>,
}

/// A withdrawn file or release.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [{ "required": ["sha256"] }, { "required": ["root"] }])
)]
struct WithdrawnTable {
    /// The SHA-256 of the withdrawn file.
    #[schemars(regex(pattern = schema::SHA256))]
    sha256: Option<String>,
    /// The root of the withdrawn release.
    #[schemars(regex(pattern = schema::CONTENT_ID))]
    root: Option<String>,
    /// The reason: one line of text.
    #[schemars(regex(pattern = schema::LINE))]
    reason: String,
    /// The day.
    #[schemars(regex(pattern = schema::DAY), extend("format" = "date"))]
    date: String,
}

/// The identity of the repository.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields)]
struct RepositoryTable {
    /// The version of this format.
    #[schemars(extend("enum" = FormatVersion::ALL.map(FormatVersion::number)))]
    format: u64,
    /// The repository's name, which each signed statement contains.
    #[schemars(regex(pattern = schema::LINE), example = "floating-cheeses")]
    name: String,
    /// The folder of the declarations, from the repository's folder, with `/`.
    #[schemars(regex(pattern = FOLDER), example = &"declarations")]
    declarations: Option<String>,
    /// The layout of the declarations.
    layout: Option<LayoutText>,
    /// The UnixFS import parameters, which make the root CID reproducible.
    #[schemars(extend(
        "enum" = Profile::ALL.map(Profile::as_str),
        "default" = Profile::UnixfsV1_2025.as_str()
    ))]
    profile: Option<String>,
}

/// The layout of the declarations.
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
                "One file a wheel, as in the original ipwhl: \
                 `pkgs/<prefix>/<Project>/<wheel name without .whl>.toml`.",
            ),
        ]);
        schema.insert("default".to_owned(), "package".into());
        schema
    }
}

/// The supported platforms: each of `python` on each of `system`, and those of `also`.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
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
    /// Interpreters, `cp312`; with a minimum patch version, `cp311>=3.11.5`.
    #[schemars(inner(regex(pattern = PYTHON)), example = ["cp311>=3.11.5", "cp312", "cp313"])]
    python: Option<Vec<String>>,
    /// Platform tags of the oldest supported system of each kind.
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

/// The index for package URLs.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields)]
struct IndexTable {
    /// Its address. `--index-url` and `IPWHL_INDEX_URL` take precedence; without any of them, pip's
    /// settings apply.
    #[schemars(regex(pattern = ADDRESS), example = "https://example.org/simple/")]
    url: Option<String>,
    /// The age that each wheel needs before `ipwhl check` accepts it (format 2).
    #[schemars(
        regex(pattern = r"^0*[1-9][0-9]* (hours?|days?|weeks?)$"),
        example = "7 days"
    )]
    cooldown: Option<String>,
}

/// The licences of wheels that the set accepts (format 2).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields)]
struct LicensesTable {
    /// The allowed licences: SPDX identifiers, each perhaps with an exception. Without it, each licence
    /// is allowed that `deny` does not name.
    #[schemars(
        inner(regex(pattern = LICENCE)),
        example = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "LicenseRef-Proprietary"]
    )]
    allow: Option<Vec<String>>,
    /// The forbidden licences.
    #[schemars(inner(regex(pattern = LICENCE)), example = ["AGPL-3.0-only"])]
    deny: Option<Vec<String>>,
    /// Whether the licence of a wheel may be unknown.
    #[schemars(extend("enum" = ["deny", "allow"], "default" = "deny"))]
    unknown: Option<String>,
    /// Licences that are allowed for one project.
    exception: Option<Vec<ExceptionTable>>,
    /// The licence of a project whose metadata does not state it.
    clarify: Option<Vec<ClarifyTable>>,
}

/// Licences that are allowed for one project, even if `deny` names them.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields)]
struct ExceptionTable {
    /// The project.
    #[schemars(regex(pattern = schema::NAME))]
    project: String,
    /// The licences.
    #[schemars(inner(regex(pattern = LICENCE)), example = ["MPL-2.0"])]
    allow: Vec<String>,
    /// The reason why they are acceptable.
    #[schemars(regex(pattern = schema::LINE))]
    reason: String,
}

/// The licence of a project whose metadata does not state it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields)]
struct ClarifyTable {
    /// The project.
    #[schemars(regex(pattern = schema::NAME))]
    project: String,
    /// Only this version.
    #[schemars(example = "1.26.4")]
    version: Option<String>,
    /// The licence, as an SPDX expression.
    #[schemars(example = "BSD-3-Clause AND MIT")]
    expression: String,
    /// Where the licence is stated.
    #[schemars(regex(pattern = schema::LINE))]
    reason: String,
}

/// Other places that may have the wheels by content-id.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields)]
struct MirrorsTable {
    /// Gateways, tried if every source of a wheel fails; each byte is verified.
    #[schemars(inner(regex(pattern = ADDRESS)), example = ["http://127.0.0.1:8080"])]
    gateways: Option<Vec<String>>,
}

/// The keys that may sign a release.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields, extend("dependencies" = { "threshold": ["trusted"] }))]
struct SigningTable {
    /// OpenSSH Ed25519 keys, in files or in hardware, as `ipwhl key show` prints them.
    #[schemars(
        inner(regex(pattern = r"^\s*(ssh-ed25519|sk-ssh-ed25519@openssh\.com)\s+\S+")),
        example = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f maintainer"]
    )]
    trusted: Option<Vec<String>>,
    /// The number of them that must sign.
    #[schemars(range(min = 1), extend("default" = 1))]
    threshold: Option<u64>,
}

/// The severity of codes in this repository.
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
            "description": "The severity of findings in this repository, by code.",
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

/// A finding that is accepted until a day.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(deny_unknown_fields)]
struct WaiverTable {
    /// The code of the findings that it covers.
    code: WaivableCode,
    /// The project that would have to change: if a requirement is not satisfied, the requiring
    /// project.
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
    /// Only findings about this vulnerability, by one of its identifiers (format 2).
    #[schemars(example = &"PYSEC-2024-48")]
    advisory: Option<String>,
    /// Only findings on these platforms: whole ones, interpreters or systems.
    #[schemars(example = ["win_amd64", "cp312", "cp313-win_amd64"])]
    platforms: Option<Vec<String>>,
    /// The reason why the finding is acceptable.
    #[schemars(
        regex(pattern = r"\S"),
        example = "foo works with bar 1.9, see its changelog"
    )]
    reason: String,
    /// The last day on which it is valid: a TOML date, without quotes.
    #[schemars(regex(pattern = schema::DAY), extend("format" = "date"), example = "2027-03-01")]
    expires: String,
}
