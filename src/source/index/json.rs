//! Project pages in JSON (PEP 691, 700, 714).

use std::collections::BTreeMap;

use ipwhl_unixfs::Sha256Digest;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::file::{CoreMetadataFile, IndexFile, check_api_version, resolve};

#[derive(Deserialize)]
struct RawPage {
    meta: RawMeta,
    #[serde(default)]
    files: Vec<RawFile>,
}

#[derive(Deserialize)]
struct RawMeta {
    #[serde(rename = "api-version")]
    api_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    requires_python: Option<String>,
    size: Option<u64>,
    // An invalid time hides no file, so any value is read.
    #[serde(default)]
    upload_time: Value,
    // Each of these three is a boolean or a more specific value.
    #[serde(default)]
    yanked: Value,
    core_metadata: Option<Value>,
    dist_info_metadata: Option<Value>,
}

/// Reads a page from `base`.
pub(super) fn parse(body: &[u8], base: &Url) -> Result<Vec<IndexFile>, String> {
    let page: RawPage = serde_json::from_slice(body)
        .map_err(|error| format!("its JSON page cannot be read: {error}"))?;
    check_api_version(&page.meta.api_version)?;
    page.files.into_iter().map(|raw| file(raw, base)).collect()
}

fn file(raw: RawFile, base: &Url) -> Result<IndexFile, String> {
    let Some((url, _)) = resolve(base, &raw.url) else {
        return Err(format!(
            "its page has no usable address of {}",
            raw.filename
        ));
    };
    let sha256 = sha256(&raw.hashes, &raw.filename)?;
    // PEP 714: the newer name takes precedence.
    let core_metadata = match raw.core_metadata.or(raw.dist_info_metadata) {
        Some(Value::Bool(true)) => CoreMetadataFile::Unverifiable,
        Some(Value::Object(hashes)) => {
            let hashes = hashes
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                .collect();
            match self::sha256(&hashes, &raw.filename)? {
                Some(digest) => CoreMetadataFile::Sha256(digest),
                None => CoreMetadataFile::Unverifiable,
            }
        }
        _ => CoreMetadataFile::Absent,
    };
    let yanked = match raw.yanked {
        Value::Bool(true) => Some(String::new()),
        Value::String(reason) => Some(reason),
        _ => None,
    };
    Ok(IndexFile {
        file_name: raw.filename,
        url,
        sha256,
        size: raw.size,
        uploaded: raw.upload_time.as_str().and_then(|text| text.parse().ok()),
        requires_python: raw.requires_python.filter(|text| !text.trim().is_empty()),
        yanked,
        core_metadata,
    })
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
