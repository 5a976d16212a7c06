//! Index pages: PEP 503 (HTML, with PEP 629's version, PEP 658 and 714) and PEP 691 (JSON, with PEP 700).

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::dag::Sha256Digest;
use crate::declaration::{Declaration, DeclaredWheel};
use crate::python::specifiers_text;
use crate::wheel::Facts;

/// The version of the simple API that the pages keep to (PEP 629, 700, 708, 714, 740's numbering).
const API_VERSION: &str = "1.4";

/// What an address's path segment keeps as it is: RFC 3986's unreserved characters.
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
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"pypi:repository-version\" content=\"{API_VERSION}\">\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n"
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
    wheels: &[(&DeclaredWheel, &Facts)],
) -> Vec<u8> {
    let mut body = String::new();
    for (wheel, facts) in wheels {
        let name = wheel.file_name.as_str();
        let metadata = Sha256Digest::of(&facts.archive.metadata);
        let _ = write!(body, "<a href=\"{}#sha256={}\"", href(name), facts.sha256);
        if let Some(specifiers) = &wheel.requires_python {
            let text = escape(&specifiers_text(&specifiers.value));
            let _ = write!(body, " data-requires-python=\"{text}\"");
        }
        let _ = writeln!(
            body,
            " data-core-metadata=\"sha256={metadata}\" data-dist-info-metadata=\"sha256={metadata}\">{}</a><br>",
            escape(name)
        );
    }
    page(&format!("Links for {}", declaration.project), &body)
}

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: &'static str,
}

#[derive(Serialize)]
struct RootJson<'r> {
    meta: Meta,
    projects: Vec<RootProject<'r>>,
}

#[derive(Serialize)]
struct RootProject<'r> {
    name: &'r str,
}

#[derive(Serialize)]
struct ProjectJson<'r> {
    meta: Meta,
    name: &'r str,
    versions: Vec<String>,
    files: Vec<FileJson<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FileJson<'r> {
    filename: &'r str,
    url: String,
    hashes: Hashes,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<String>,
    core_metadata: Hashes,
    #[serde(rename = "_ipwhl")]
    ipwhl: Private,
}

#[derive(Serialize)]
struct Hashes {
    sha256: String,
}

/// The keys that are this format's own; PEP 691 leaves names with an underscore to the index.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Private {
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
    wheels: &[(&DeclaredWheel, &Facts)],
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
                requires_python: wheel
                    .requires_python
                    .as_ref()
                    .map(|specifiers| specifiers_text(&specifiers.value)),
                core_metadata: Hashes {
                    sha256: Sha256Digest::of(&facts.archive.metadata).to_string(),
                },
                ipwhl: Private {
                    content_id: wheel.content_id.value.to_string(),
                },
            })
            .collect(),
    })
}

/// Two spaces a level and a line feed at the end: pages are read by people too.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    // The values are structs, strings and numbers, which JSON can always hold.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}
