//! Index pages: PEP 503 (HTML, with PEP 629's version, PEP 658 and 714) and PEP 691 (JSON, with PEP
//! 700). HTML has the upload times of PEP 700 as `data-upload-time`, which uv reads.

use std::fmt::Write as _;

use ipwhl_packaging::specifiers_text;
use ipwhl_unixfs::Sha256Digest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::foundation::schema;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::gather::ReleaseFacts;

/// The version of the simple API that the pages implement (PEP 629, 700, 708, 714, 740's
/// numbering).
const API_VERSION: &str = "1.4";

/// The characters that are not encoded in a path segment: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn href(name: &str) -> String {
    utf8_percent_encode(name, UNRESERVED).to_string()
}

/// Text for an attribute or an element.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

fn page(title: &str, body: &str) -> Vec<u8> {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         name=\"pypi:repository-version\" content=\"{API_VERSION}\">\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
    )
    .into_bytes()
}

pub(super) fn root_html(projects: &[&str]) -> Vec<u8> {
    let mut body = String::new();
    for project in projects {
        let _ = writeln!(body, "<a href=\"{0}/\">{0}</a><br>", escape(project));
    }
    page("Simple index", &body)
}

pub(super) fn project_html(
    declaration: &Declaration,
    wheels: &[(&DeclaredWheel, ReleaseFacts<'_>)],
) -> Vec<u8> {
    let mut body = String::new();
    for (wheel, facts) in wheels {
        let name = wheel.file_name.as_str();
        let metadata = Sha256Digest::of(facts.metadata);
        let _ = write!(body, "<a href=\"{}#sha256={}\"", href(name), facts.sha256);
        if let Some(specifiers) = &wheel.requires_python {
            let text = escape(&specifiers_text(&specifiers.value));
            let _ = write!(body, " data-requires-python=\"{text}\"");
        }
        if let Some(uploaded) = &wheel.uploaded {
            let text = uploaded.value.on_pages();
            let _ = write!(body, " data-upload-time=\"{text}\"");
        }
        let _ = writeln!(
            body,
            " data-core-metadata=\"sha256={metadata}\" data-dist-info-metadata=\"sha256={metadata}\">{}</a><br>",
            escape(name)
        );
    }
    page(&format!("Links for {}", declaration.project), &body)
}

/// Metadata of the page.
#[derive(Serialize, JsonSchema)]
struct Meta {
    /// The version of the simple API.
    #[serde(rename = "api-version")]
    api_version: &'static str,
}

/// The page of all projects (PEP 691).
#[derive(Serialize, JsonSchema)]
pub(super) struct RootJson<'r> {
    meta: Meta,
    /// Every project, sorted.
    projects: Vec<RootProject<'r>>,
}

/// A project of the index.
#[derive(Serialize, JsonSchema)]
struct RootProject<'r> {
    /// Its normalised name, which is also the name of its folder.
    #[schemars(regex(pattern = schema::NAME))]
    name: &'r str,
}

/// The page of a project (PEP 691, with PEP 700).
#[derive(Serialize, JsonSchema)]
pub(super) struct ProjectJson<'r> {
    meta: Meta,
    /// Its normalised name.
    #[schemars(regex(pattern = schema::NAME))]
    name: &'r str,
    /// The versions of its files, sorted.
    versions: Vec<String>,
    /// Its wheels, sorted by file name.
    files: Vec<FileJson<'r>>,
}

/// A wheel.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct FileJson<'r> {
    /// Its file name.
    #[schemars(example = "click-8.1.7-py3-none-any.whl")]
    filename: &'r str,
    /// Its address relative to this page, percent-encoded.
    url: String,
    /// Hashes of its bytes.
    hashes: Hashes,
    /// Its size in bytes.
    size: u64,
    /// The time of its upload to the index, as declared; absent if it is not.
    #[schemars(regex(pattern = schema::UTC_TIME), extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_time: Option<String>,
    /// Its Requires-Python; absent if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<String>,
    /// Hashes of its METADATA, which is beside it as `<file name>.metadata`.
    core_metadata: Hashes,
    #[serde(rename = "_ipwhl")]
    ipwhl: Private,
}

/// Hashes of some bytes.
#[derive(Serialize, JsonSchema)]
struct Hashes {
    /// Their SHA-256, in 64 lower-case hexadecimal digits.
    #[schemars(regex(pattern = schema::SHA256))]
    sha256: String,
}

/// Keys of this format only; PEP 691 reserves names with an underscore for the index.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Private {
    /// The CID of the wheel's UnixFS file, as declared: the wheel is available in IPFS under it,
    /// too.
    #[schemars(
        regex(pattern = schema::CONTENT_ID),
        example = &"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    )]
    content_id: String,
}

pub(super) fn root_json(projects: &[&str]) -> Vec<u8> {
    json(&RootJson {
        meta: Meta {
            api_version: API_VERSION,
        },
        projects: projects.iter().map(|name| RootProject { name }).collect(),
    })
}

pub(super) fn project_json(
    declaration: &Declaration,
    wheels: &[(&DeclaredWheel, ReleaseFacts<'_>)],
) -> Vec<u8> {
    let mut versions: Vec<_> = wheels
        .iter()
        .map(|(wheel, _)| wheel.file_name.version())
        .collect();
    versions.sort();
    versions.dedup();
    json(&ProjectJson {
        meta: Meta {
            api_version: API_VERSION,
        },
        name: declaration.project.as_str(),
        versions: versions.into_iter().map(ToString::to_string).collect(),
        files: wheels
            .iter()
            .map(|(wheel, facts)| FileJson {
                filename: wheel.file_name.as_str(),
                url: href(wheel.file_name.as_str()),
                hashes: Hashes {
                    sha256: facts.sha256.to_string(),
                },
                size: facts.dag.size(),
                upload_time: wheel
                    .uploaded
                    .as_ref()
                    .map(|uploaded| uploaded.value.on_pages()),
                requires_python: wheel
                    .requires_python
                    .as_ref()
                    .map(|specifiers| specifiers_text(&specifiers.value)),
                core_metadata: Hashes {
                    sha256: Sha256Digest::of(facts.metadata).to_string(),
                },
                ipwhl: Private {
                    content_id: wheel.content_id.value.to_string(),
                },
            })
            .collect(),
    })
}

/// JSON with two spaces for each level and a line feed at the end, because people read pages, too.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    // The values are structs, strings and numbers, which JSON can always represent.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}
