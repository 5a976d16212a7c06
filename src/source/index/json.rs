//! Project pages in JSON (PEP 691, 700, 714, 740, 792).

use std::borrow::Cow;
use std::collections::BTreeMap;

use ipwhl_unixfs::Sha256Digest;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::file::{CoreMetadataFile, IndexFile, check_api_version, resolve};
use super::page::ProjectPage;
use super::status::ProjectStatus;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawPage<'a> {
    meta: RawMeta,
    #[serde(borrow, default)]
    files: Vec<RawFile<'a>>,
    // An invalid status hides no page, so any value is read.
    project_status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawMeta {
    #[serde(rename = "api-version")]
    api_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawFile<'a> {
    filename: String,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    requires_python: Option<String>,
    size: Option<u64>,
    // An invalid time hides no file, so any value is read.
    upload_time: Option<&'a RawValue>,
    // Each of these three is a boolean or a more specific value.
    yanked: Option<&'a RawValue>,
    core_metadata: Option<&'a RawValue>,
    dist_info_metadata: Option<&'a RawValue>,
    provenance: Option<&'a RawValue>,
}

/// Reads a page from `base`.
pub(super) fn parse(body: &[u8], base: &Url) -> Result<ProjectPage, String> {
    let page: RawPage = serde_json::from_slice(body)
        .map_err(|error| format!("its JSON page cannot be read: {error}"))?;
    check_api_version(&page.meta.api_version)?;
    // An index that writes the status itself, or an odd reason, still means the status.
    let stated = read::<Value>(page.project_status).unwrap_or_default();
    let marker = stated.as_str().or_else(|| stated.get("status")?.as_str());
    let reason = stated.get("reason").and_then(Value::as_str);
    let files = page.files.into_iter().map(|raw| file(raw, base));
    Ok(ProjectPage {
        files: files.collect::<Result<_, _>>()?,
        status: ProjectStatus::of(marker, reason),
    })
}

fn file(raw: RawFile<'_>, base: &Url) -> Result<IndexFile, String> {
    let Some((url, _)) = resolve(base, &raw.url) else {
        return Err(format!(
            "its page has no usable address of {}",
            raw.filename
        ));
    };
    let sha256 = sha256(&raw.hashes, &raw.filename)?;
    // PEP 714: the newer name takes precedence.
    let stated = raw.core_metadata.or(raw.dist_info_metadata);
    let core_metadata = if stated.is_some_and(|stated| stated.get() == "true") {
        CoreMetadataFile::Unverifiable
    } else if let Some(hashes) = read::<BTreeMap<String, Box<RawValue>>>(stated) {
        let hashes = hashes
            .into_iter()
            .filter_map(|(name, value)| Some((name, read(Some(&value))?)))
            .collect();
        match self::sha256(&hashes, &raw.filename)? {
            Some(digest) => CoreMetadataFile::Sha256(digest),
            None => CoreMetadataFile::Unverifiable,
        }
    } else {
        CoreMetadataFile::Absent
    };
    let yanked = match raw.yanked.map(RawValue::get) {
        Some("true") => Some(String::new()),
        // A text that cannot be read is a reason, too.
        Some(text) if text.starts_with('"') => Some(read(raw.yanked).unwrap_or_default()),
        _ => None,
    };
    Ok(IndexFile {
        file_name: raw.filename,
        url,
        sha256,
        size: raw.size,
        uploaded: read::<String>(raw.upload_time).and_then(|text| text.parse().ok()),
        requires_python: raw.requires_python.filter(|text| !text.trim().is_empty()),
        yanked,
        core_metadata,
        provenance: read::<String>(raw.provenance).and_then(|text| Some(resolve(base, &text)?.0)),
    })
}

/// A value, if it is of this type.
fn read<T: DeserializeOwned>(value: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(value?.get()).ok()
}

fn sha256(
    hashes: &BTreeMap<String, String>,
    file_name: &str,
) -> Result<Option<Sha256Digest>, String> {
    let Some(text) = hashes.get("sha256") else {
        return Ok(None);
    };
    match text.to_ascii_lowercase().parse() {
        Ok(digest) => Ok(Some(digest)),
        Err(_) => Err(format!(
            "its page has no valid sha256 of {file_name}: `{text}`"
        )),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// A page with one file that has this value under this key.
    fn with(key: &str, value: &str) -> IndexFile {
        let page = format!(
            r#"{{"meta": {{"api-version": "1.1"}}, "name": "a", "files":
                [{{"filename": "a-1.zip", "url": "a-1.zip", "other": [1], "{key}": {value}}}]}}"#
        );
        let base = "https://example.org/simple/a/".parse().unwrap();
        parse(page.as_bytes(), &base).unwrap().files.remove(0)
    }

    #[test]
    fn values_of_other_types_hide_no_file() {
        let digest = Sha256Digest::of(b"");
        for (value, yanked) in [
            ("true", Some("")),
            (r#""it \u0062roke""#, Some("it broke")),
            (r#""\ud800""#, Some("")),
            ("false", None),
            ("null", None),
            ("[\"old\"]", None),
            ("1.5", None),
        ] {
            assert_eq!(with("yanked", value).yanked.as_deref(), yanked, "{value}");
        }
        for (value, expected) in [
            ("true".to_owned(), CoreMetadataFile::Unverifiable),
            (
                format!(r#"{{"md5": 5, "sha256": "{digest}"}}"#),
                CoreMetadataFile::Sha256(digest),
            ),
            (
                r#"{"sha256": 5}"#.to_owned(),
                CoreMetadataFile::Unverifiable,
            ),
            ("{}".to_owned(), CoreMetadataFile::Unverifiable),
            ("false".to_owned(), CoreMetadataFile::Absent),
            ("null".to_owned(), CoreMetadataFile::Absent),
            (format!("[\"{digest}\"]"), CoreMetadataFile::Absent),
        ] {
            for key in ["core-metadata", "dist-info-metadata"] {
                assert_eq!(with(key, &value).core_metadata, expected, "{key} {value}");
            }
        }
        let address = r#""https://example.org/p""#;
        assert!(with("provenance", address).provenance.is_some());
        for value in ["null", "true", "5", "{}", r#""ftp://example.org/p""#] {
            assert_eq!(with("provenance", value).provenance, None, "{value}");
        }
        let time = r#""2023-08-17T17:29:11Z""#;
        assert!(with("upload-time", time).uploaded.is_some());
        for value in ["{}", "5", r#""soon""#, "null"] {
            assert_eq!(with("upload-time", value).uploaded, None, "{value}");
        }
    }

    #[test]
    fn a_status_of_another_type_is_none() {
        for (value, marker, reason) in [
            (r#"{"status": "archived"}"#, "archived", None),
            (
                r#"{"status": "quarantined", "reason": " bad "}"#,
                "quarantined",
                Some("bad"),
            ),
            (
                r#"{"status": "deprecated", "reason": null}"#,
                "deprecated",
                None,
            ),
            (r#"{"status": "new", "reason": ""}"#, "new", None),
            ("{}", "active", None),
            (r#""archived""#, "archived", None),
            (
                r#"{"status": "quarantined", "reason": 5}"#,
                "quarantined",
                None,
            ),
            ("[5]", "active", None),
            (r#"{"status": 5}"#, "active", None),
            ("null", "active", None),
        ] {
            let page = format!(
                r#"{{"meta": {{"api-version": "1.4"}}, "files": [], "project-status": {value}}}"#
            );
            let base = "https://example.org/simple/a/".parse().unwrap();
            let status = parse(page.as_bytes(), &base).unwrap().status;
            assert_eq!(status.marker.to_string(), marker, "{value}");
            assert_eq!(status.reason.as_deref(), reason, "{value}");
        }
    }
}
