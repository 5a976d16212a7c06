//! The JSON Schema of a declaration: the text form that `parse` reads.

use schemars::JsonSchema;

use crate::foundation::schema;

/// The path of the schema of declarations, from the repository's folder, with `/`.
pub const DECLARATION_SCHEMA_FILE: &str = "schemas/declaration.schema.json";

/// A file name of a wheel, as precisely as a pattern can describe it.
macro_rules! wheel_name {
    () => {
        r"[A-Za-z0-9]([A-Za-z0-9._]*[A-Za-z0-9])?-[A-Za-z0-9.!+_]+(-[0-9][A-Za-z0-9_.]*)?(-[A-Za-z0-9_.]+){3}\.whl"
    };
}

/// A source of each kind. If the text is percent-encoded, the wheel's name is not checked.
const SOURCE: &str = concat!(
    r"^(pkg:pypi/[^?@]+@[^?]+\?file_name=(",
    wheel_name!(),
    r"|[^&]*%[^&]*)|https?://[^?#\s\\%]*/",
    wheel_name!(),
    r"([?#][^\s\\%]*)?|https?://.*[\s\\%].*|file:(([^./\\:]|\.[^./\\:]|\.\.[^/\\:])[^/\\:]*/)*",
    wheel_name!(),
    ")$"
);

/// The JSON Schema of a declaration in the layout `package`, as text.
pub fn declaration_schema() -> String {
    schema::of_read::<DeclarationText>()
}

/// One project in one version: the sources, CID and metadata of each wheel.
///
/// A single wheel has its keys at the top. Several wheels have a `[[wheel]]` table each, with
/// shared values at the top.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(
    title = "A declaration of `ipwhl`",
    rename_all = "kebab-case",
    deny_unknown_fields,
    extend(
        "if" = { "required": ["wheel"] },
        "then" = {
            "properties": {
                "source": false, "content-id": false, "sha256": false, "size": false,
                "uploaded": false
            },
            "allOf": [
                { "anyOf": [
                    { "required": ["extras"] },
                    { "properties": { "wheel": { "items": { "required": ["extras"] } } } }
                ] },
                { "anyOf": [
                    { "required": ["dependencies"] },
                    { "properties": { "wheel": { "items": { "required": ["dependencies"] } } } }
                ] }
            ]
        },
        "else" = { "required": ["source", "content-id", "extras", "dependencies"] }
    )
)]
struct DeclarationText {
    source: Option<SourceText>,
    content_id: Option<ContentIdText>,
    requires_python: Option<RequiresPythonText>,
    extras: Option<ExtrasText>,
    dependencies: Option<DependenciesText>,
    sha256: Option<Sha256Text>,
    size: Option<SizeText>,
    uploaded: Option<UploadedText>,
    only: Option<OnlyText>,
    publisher: Option<PublisherText>,
    /// Whether a person has reviewed the declaration (format 2). `false` if a machine has taken it
    /// in.
    #[schemars(extend("default" = true))]
    reviewed: Option<bool>,
    /// The project is in the set only because another project needs it. If absent, the project is
    /// wanted.
    automatic: Option<bool>,
    /// A wheel of a project with several. Its keys override the same keys at the top.
    #[schemars(length(min = 1))]
    wheel: Option<Vec<WheelText>>,
}

/// One wheel of several.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct WheelText {
    source: SourceText,
    content_id: ContentIdText,
    requires_python: Option<RequiresPythonText>,
    extras: Option<ExtrasText>,
    dependencies: Option<DependenciesText>,
    sha256: Option<Sha256Text>,
    size: Option<SizeText>,
    uploaded: Option<UploadedText>,
    only: Option<OnlyText>,
}

/// The source of the wheel: one or several, in order of preference.
///
/// `pkg:pypi/NAME@VERSION?file_name=WHEEL` (resolved through the index), `https://…`, or `file:…`
/// inside the repository. All sources of a wheel end in the same file name.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(
    untagged,
    example = "pkg:pypi/click@8.1.7?file_name=click-8.1.7-py3-none-any.whl",
    example = [
        "https://example.org/click-8.1.7-py3-none-any.whl",
        "file:wheels/click-8.1.7-py3-none-any.whl",
    ]
)]
enum SourceText {
    One(#[schemars(regex(pattern = SOURCE))] String),
    Several(
        #[schemars(length(min = 1), inner(regex(pattern = SOURCE)), extend("uniqueItems" = true))]
        Vec<String>,
    ),
}

/// The CID of the wheel as a UnixFS file, as `ipwhl cid FILE` prints it: version 0, or version 1 in
/// base32; sha2-256.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(example = &"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")]
struct ContentIdText(#[schemars(regex(pattern = schema::CONTENT_ID))] String);

/// The wheel's Requires-Python. Absent exactly if the wheel has none.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(example = ">=3.9", example = ">=3.9, <4")]
struct RequiresPythonText(#[schemars(regex(pattern = schema::SPECIFIERS))] String);

/// The extras of the wheel that this repository has reviewed; `[]` for none.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(example = [""; 0], example = ["http2"])]
struct ExtrasText(
    #[schemars(inner(regex(pattern = schema::NAME)), extend("uniqueItems" = true))] Vec<String>,
);

/// The requirements of the wheel, as dependency specifiers; `[]` for none. Every Requires-Dist that
/// can apply, and nothing that the wheel does not have.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(
    example = [""; 0],
    example = ["certifi", "colorama; platform_system == \"Windows\""]
)]
struct DependenciesText(#[schemars(inner(regex(pattern = schema::REQUIREMENT)))] Vec<String>);

/// The SHA-256 of the wheel, for comparison with an index or by a reviewer.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(example = &"ae74fb96c20a0277a1d615f1e4d73c8414f5a98db8b799a7931d1582f3390c28")]
struct Sha256Text(#[schemars(regex(pattern = schema::SHA256))] String);

/// The size of the wheel in bytes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(example = 97941)]
struct SizeText(#[schemars(range(min = 1))] u64);

/// The time of the file's upload to the index, in UTC (format 2). Index pages state it, so that
/// installers can leave newer files out.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(extend("format" = "date-time"), example = &"2023-08-17T17:29:11Z")]
struct UploadedText(#[schemars(regex(pattern = schema::UTC_TIME))] String);

/// The platforms on which the set offers the project or the wheel, as a marker (format 2).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(example = &"sys_platform != 'win32'")]
struct OnlyText(#[schemars(regex(pattern = schema::LINE))] String);

/// The publisher of the wheels, such as the identity of a trusted publisher (format 2).
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only the schema uses its shape")]
#[schemars(example = &"https://github.com/pallets/click")]
struct PublisherText(#[schemars(regex(pattern = schema::LINE))] String);
