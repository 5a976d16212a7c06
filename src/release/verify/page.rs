//! Compares a page of a project with the wheels beside it.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{WheelFileName, parse_specifiers};
use ipwhl_unixfs::Sha256Digest;
use serde_json::Value;
use url::Url;

use super::bytes::{Files, WheelFacts, Wheels};
use super::contradiction::{FileContradiction, PageFormat, WheelFact};
use super::declared::{self, StatedValues};
use crate::source::{CoreMetadataFile, IndexFile, ProjectPage};

/// Compares one page with the wheels.
pub(super) fn compare(
    project: &str,
    format: PageFormat,
    body: &[u8],
    files: &Files<'_>,
    wheels: &Wheels<'_>,
    declared: &StatedValues,
) -> Vec<FileContradiction> {
    // Addresses are relative, so any base works if it can be recognised again.
    let base = format!("http://release.example.org/{project}/");
    let Ok(base) = Url::parse(&base) else {
        return vec![FileContradiction::NoAddress];
    };
    let content_type = match format {
        PageFormat::Html => "text/html",
        PageFormat::Json => "application/vnd.pypi.simple.v1+json",
    };
    let parsed = match ProjectPage::parse(body, content_type, &base) {
        Ok(parsed) => parsed,
        Err(reason) => return vec![FileContradiction::UnreadablePage(reason)],
    };
    let mut found = Vec::new();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for file in &parsed.files {
        let name = file.file_name.as_str();
        listed.insert(name);
        let Some(wheel) = wheels.get(name) else {
            found.push(FileContradiction::ListsMissing(name.to_owned()));
            continue;
        };
        let is_beside = file.url.as_str().starts_with(base.as_str())
            && file.url.path_segments().map(Iterator::count)
                == base.path_segments().map(Iterator::count);
        if !is_beside {
            found.push(FileContradiction::LeadsElsewhere(name.to_owned()));
        }
        found.extend(compare_file(file, wheel, declared));
    }
    for name in wheels.keys() {
        if !listed.contains(name) {
            found.push(FileContradiction::NotListed((*name).to_owned()));
        }
    }
    match format {
        PageFormat::Html => found.extend(html_only(body, wheels, declared)),
        PageFormat::Json => found.extend(json_only(project, body, files, wheels, declared)),
    }
    found
}

/// The page has the digest of METADATA under two names (PEP 658 and 714); the reader of pages uses
/// only the newer one.
fn html_only(
    body: &[u8],
    wheels: &Wheels<'_>,
    declared: &StatedValues,
) -> Option<FileContradiction> {
    let text = String::from_utf8_lossy(body);
    let mut expected = BTreeMap::new();
    for wheel in wheels.values() {
        let digest = Sha256Digest::of(&wheel.metadata);
        *expected
            .entry(format!("data-dist-info-metadata=\"sha256={digest}\""))
            .or_insert(0) += 1;
    }
    if !is_plain(&text, wheels.len()) {
        return Some(FileContradiction::UnknownTags);
    }
    let is_right = text.matches("data-dist-info-metadata").count() == wheels.len()
        && expected
            .iter()
            .all(|(attribute, count)| text.matches(attribute).count() == *count);
    if !is_right {
        return Some(FileContradiction::OtherDistInfoMetadata);
    }
    // A time that cannot be read counts too.
    let times = declared.values().filter(|stated| stated.uploaded.is_some());
    let is_right = text.matches("data-upload-time").count() == times.count();
    (!is_right).then_some(FileContradiction::OtherUploadTimes)
}

/// Whether a page has exactly the tags that pages of a release have, and as many links as it lists.
/// Readers of HTML disagree about other markup: pip finds a link inside a title or a comment, a
/// browser does not.
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
            // To a browser, tags before the end of the title are text.
            if !tags.peek().is_some_and(|next| next.starts_with("/title>")) {
                return false;
            }
        } else if !TAGS.iter().any(|known| tag.starts_with(known)) {
            return false;
        }
    }
    found == links
}

fn compare_file(
    file: &IndexFile,
    wheel: &WheelFacts,
    declared: &StatedValues,
) -> Vec<FileContradiction> {
    let name = file.file_name.as_str();
    let other = |fact| FileContradiction::Other {
        fact,
        wheel: name.to_owned(),
    };
    let mut found = Vec::new();
    if file.sha256.is_none() || wheel.sha256.is_some_and(|one| file.sha256 != Some(one)) {
        found.push(other(WheelFact::Sha256));
    }
    let sizes = file.size.zip(wheel.size);
    if sizes.is_some_and(|(said, size)| said != size) {
        found.push(other(WheelFact::Size));
    }
    if file.yanked.is_some() {
        found.push(FileContradiction::Yanked(name.to_owned()));
    }
    let metadata = Sha256Digest::of(&wheel.metadata);
    if file.core_metadata != CoreMetadataFile::Sha256(metadata) {
        found.push(other(WheelFact::MetadataSha256));
    }
    let of_page = file.requires_python.as_deref().map(parse_specifiers);
    let stated = declared.get(name);
    let declared = stated.and_then(|stated| stated.requires_python.as_ref());
    let agree = match &of_page {
        None => declared::same(None, declared),
        Some(Ok(of_page)) => declared::same(Some(of_page), declared),
        Some(Err(_)) => false,
    };
    if !agree {
        found.push(other(WheelFact::RequiresPython));
    }
    if file.uploaded != stated.and_then(|stated| stated.uploaded) {
        found.push(other(WheelFact::UploadTime));
    }
    found
}

/// Compares the values that only the JSON page has: the project's name, its versions, and
/// `_ipwhl.content-id` of each file. Also whether it has upload times that are none.
fn json_only(
    project: &str,
    body: &[u8],
    files: &Files<'_>,
    wheels: &Wheels<'_>,
    declared: &StatedValues,
) -> Vec<FileContradiction> {
    let page: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut found = Vec::new();
    if page["name"] != project {
        found.push(FileContradiction::OtherProject(page["name"].to_string()));
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
        found.push(FileContradiction::OtherVersions);
    }
    let listed = page["files"].as_array().cloned().unwrap_or_default();
    // A time that cannot be read counts too.
    let has_other_times = listed.iter().any(|file| {
        let name = file["filename"].as_str().unwrap_or_default();
        let is_stated = declared.get(name).is_some_and(|one| one.uploaded.is_some());
        file.get("upload-time").is_some() != is_stated
    });
    if has_other_times {
        found.push(FileContradiction::OtherUploadTimes);
    }
    found.extend(listed.iter().filter_map(|file| {
        let name = file["filename"].as_str()?;
        let cid = file["_ipwhl"]["content-id"].as_str().unwrap_or_default();
        let is_right = files
            .get(name)
            .is_some_and(|link| link.cid.to_string() == cid);
        (!is_right).then(|| FileContradiction::Other {
            fact: WheelFact::ContentId,
            wheel: name.to_owned(),
        })
    }));
    found
}
