//! A page of a project, held against the wheels beside it.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{WheelFileName, parse_specifiers};
use ipwhl_unixfs::Sha256Digest;
use serde_json::Value;
use url::Url;

use super::bytes::WheelFacts;
use super::declared::{self, RequiresPython};
use super::project::{Files, Wheels};
use crate::source::{CoreMetadataFile, IndexFile, ProjectPage};

/// One page against the wheels.
pub(super) fn compare(
    project: &str,
    is_json: bool,
    body: &[u8],
    files: &Files<'_>,
    wheels: &Wheels<'_>,
    declared: &RequiresPython,
) -> Vec<String> {
    // Addresses are relative, so any base will do; it only has to be recognised again.
    let base = format!("http://release.example.org/{project}/");
    let Ok(base) = Url::parse(&base) else {
        return vec!["the project's name is no part of an address".to_owned()];
    };
    let content_type = if is_json {
        "application/vnd.pypi.simple.v1+json"
    } else {
        "text/html"
    };
    let parsed = match ProjectPage::parse(body, content_type, &base) {
        Ok(parsed) => parsed,
        Err(reason) => return vec![reason],
    };
    let mut mismatches = Vec::new();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for file in &parsed.files {
        let name = file.file_name.as_str();
        listed.insert(name);
        let Some(wheel) = wheels.get(name) else {
            mismatches.push(format!("it names `{name}`, which is not there"));
            continue;
        };
        let is_beside = file.url.as_str().starts_with(base.as_str())
            && file.url.path_segments().map(Iterator::count)
                == base.path_segments().map(Iterator::count);
        if !is_beside {
            mismatches.push(format!("its address of `{name}` leads elsewhere"));
        }
        mismatches.extend(compare_file(file, wheel, declared));
    }
    for name in wheels.keys() {
        if !listed.contains(name) {
            mismatches.push(format!("it does not name `{name}`"));
        }
    }
    if is_json {
        mismatches.extend(json_only(project, body, files, wheels));
    } else {
        mismatches.extend(html_only(body, wheels));
    }
    mismatches
}

/// The metadata's digest stands on the page under two names (PEP 658 and 714), of which the reader of
/// pages takes the newer one.
fn html_only(body: &[u8], wheels: &Wheels<'_>) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let mut expected = BTreeMap::new();
    for wheel in wheels.values() {
        let digest = Sha256Digest::of(&wheel.metadata);
        *expected
            .entry(format!("data-dist-info-metadata=\"sha256={digest}\""))
            .or_insert(0) += 1;
    }
    if !is_plain(&text, wheels.len()) {
        return vec![
            "it has tags that pages of this format do not have, which readers may take differently"
                .to_owned(),
        ];
    }
    let is_right = text.matches("data-dist-info-metadata").count() == wheels.len()
        && expected
            .iter()
            .all(|(attribute, count)| text.matches(attribute).count() == *count);
    if is_right {
        Vec::new()
    } else {
        vec!["it has another SHA-256 of metadata in `data-dist-info-metadata`".to_owned()]
    }
}

/// Whether a page has the tags that pages of a release have, and as many links as it lists. Readers of HTML
/// differ in what else means: pip finds a link inside a title or a comment, a browser does not.
pub(super) fn is_plain(page: &str, links: usize) -> bool {
    const TAGS: [&str; 14] = [
        "!DOCTYPE html>",
        "html lang=\"en\">",
        "/html>",
        "head>",
        "/head>",
        "meta charset=\"utf-8\">",
        "meta name=\"pypi:repository-version\" content=\"1.",
        "/title>",
        "body>",
        "/body>",
        "h1>",
        "/h1>",
        "/a>",
        "br>",
    ];
    let mut tags = page.split('<').skip(1).peekable();
    let mut found = 0;
    while let Some(tag) = tags.next() {
        if tag.starts_with("a href=\"") {
            found += 1;
        } else if tag.starts_with("title>") {
            // What follows is no tag to a browser, until the title ends.
            if !tags.peek().is_some_and(|next| next.starts_with("/title>")) {
                return false;
            }
        } else if !TAGS.iter().any(|known| tag.starts_with(known)) {
            return false;
        }
    }
    found == links
}

fn compare_file(file: &IndexFile, wheel: &WheelFacts, declared: &RequiresPython) -> Vec<String> {
    let name = file.file_name.as_str();
    let mut mismatches = Vec::new();
    if file.sha256.is_none() || wheel.sha256.is_some_and(|one| file.sha256 != Some(one)) {
        mismatches.push(format!("it has another SHA-256 of `{name}`"));
    }
    let sizes = file.size.zip(wheel.size);
    if sizes.is_some_and(|(said, size)| said != size) {
        mismatches.push(format!("it has another size of `{name}`"));
    }
    if file.yanked.is_some() {
        mismatches.push(format!("it says that `{name}` was yanked"));
    }
    let metadata = Sha256Digest::of(&wheel.metadata);
    if file.core_metadata != CoreMetadataFile::Sha256(metadata) {
        mismatches.push(format!(
            "it has another SHA-256 of the metadata of `{name}`"
        ));
    }
    let of_page = file.requires_python.as_deref().map(parse_specifiers);
    let declared = declared.get(name).and_then(Option::as_ref);
    let agree = match &of_page {
        None => declared::same(None, declared),
        Some(Ok(of_page)) => declared::same(Some(of_page), declared),
        Some(Err(_)) => false,
    };
    if !agree {
        mismatches.push(format!("it has another Requires-Python of `{name}`"));
    }
    mismatches
}

/// What only the JSON page has: the project's name, its versions, and `_ipwhl.content-id` of each file.
fn json_only(project: &str, body: &[u8], files: &Files<'_>, wheels: &Wheels<'_>) -> Vec<String> {
    let page: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut mismatches = Vec::new();
    if page["name"] != project {
        mismatches.push(format!("it is of the project {}", page["name"]));
    }
    let versions: BTreeSet<String> = wheels
        .keys()
        .filter_map(|name| Some(name.parse::<WheelFileName>().ok()?.version().to_string()))
        .collect();
    let listed = page["versions"].as_array().cloned().unwrap_or_default();
    let listed: BTreeSet<String> = listed
        .iter()
        .map(|version| version.as_str().unwrap_or_default().to_owned())
        .collect();
    if listed != versions {
        mismatches.push("it lists other versions than those of the wheels".to_owned());
    }
    let listed = page["files"].as_array().cloned().unwrap_or_default();
    mismatches.extend(listed.iter().filter_map(|file| {
        let name = file["filename"].as_str()?;
        let cid = file["_ipwhl"]["content-id"].as_str().unwrap_or_default();
        let is_right = files
            .get(name)
            .is_some_and(|link| link.cid.to_string() == cid);
        (!is_right).then(|| format!("it has another content-id of `{name}`"))
    }));
    mismatches
}
