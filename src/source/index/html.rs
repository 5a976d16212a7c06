//! Project pages in HTML (PEP 503, 592, 629, 658, 714, 740, 792), with `data-upload-time` as uv reads
//! it.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use ipwhl_unixfs::Sha256Digest;
use percent_encoding::percent_decode_str;
use url::Url;

use super::file::{CoreMetadataFile, IndexFile, check_api_version, resolve};
use super::page::ProjectPage;
use super::status::ProjectStatus;

/// Reads a page from `address`.
pub(super) fn parse(body: &[u8], address: &Url) -> Result<ProjectPage, String> {
    let mut emitter = DefaultEmitter::default();
    // Without this, text in a `<script>` would be read as tags.
    emitter.naively_switch_states(true);
    let mut base: Option<Url> = None;
    let mut files = Vec::new();
    let (mut status, mut reason) = (None, None);
    for token in Tokenizer::new_with_emitter(body, emitter) {
        let Ok(token) = token;
        let Token::StartTag(tag) = token else {
            continue;
        };
        match tag.name.as_slice() {
            b"base" if base.is_none() => {
                base = attribute(&tag, "href").and_then(|href| address.join(&href).ok());
            }
            b"meta" => {
                let content = attribute(&tag, "content");
                match attribute(&tag, "name").as_deref() {
                    Some("pypi:repository-version") => {
                        check_api_version(&content.unwrap_or_default())?;
                    }
                    Some("pypi:project-status") if status.is_none() => status = content,
                    Some("pypi:project-status-reason") if reason.is_none() => reason = content,
                    _ => {}
                }
            }
            b"a" => files.extend(file(&tag, base.as_ref().unwrap_or(address))?),
            _ => {}
        }
    }
    Ok(ProjectPage {
        files,
        status: ProjectStatus::of(status.as_deref(), reason.as_deref()),
    })
}

/// The value of an attribute; the tokenizer has decoded its entities.
fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The file that an anchor refers to; other anchors, such as one to a home page, are skipped.
fn file(tag: &StartTag<()>, base: &Url) -> Result<Option<IndexFile>, String> {
    let Some((url, fragment)) = attribute(tag, "href").and_then(|href| resolve(base, &href)) else {
        return Ok(None);
    };
    let last = url
        .path_segments()
        .and_then(|mut segments| segments.next_back())
        .unwrap_or_default();
    let file_name = percent_decode_str(last).decode_utf8_lossy().into_owned();
    if file_name.is_empty() {
        return Ok(None);
    }
    // PEP 503: `#<hash name>=<hash value>`; some servers write several, joined by `&`.
    let sha256 = fragment
        .iter()
        .flat_map(|fragment| fragment.split('&'))
        .find_map(|part| part.strip_prefix("sha256="))
        .map(|text| digest(text, &file_name))
        .transpose()?;
    // PEP 714: the newer name takes precedence.
    let core_metadata =
        attribute(tag, "data-core-metadata").or_else(|| attribute(tag, "data-dist-info-metadata"));
    let core_metadata = match core_metadata.as_deref().map(str::trim) {
        None | Some("false") => CoreMetadataFile::Absent,
        Some(text) => match text.strip_prefix("sha256=") {
            Some(text) => CoreMetadataFile::Sha256(digest(text, &file_name)?),
            None => CoreMetadataFile::Unverifiable,
        },
    };
    Ok(Some(IndexFile {
        file_name,
        url,
        sha256,
        size: None,
        uploaded: attribute(tag, "data-upload-time").and_then(|text| text.trim().parse().ok()),
        requires_python: attribute(tag, "data-requires-python")
            .filter(|text| !text.trim().is_empty()),
        yanked: attribute(tag, "data-yanked"),
        core_metadata,
        provenance: attribute(tag, "data-provenance")
            .and_then(|text| Some(resolve(base, &text)?.0)),
    }))
}

fn digest(text: &str, file_name: &str) -> Result<Sha256Digest, String> {
    text.to_ascii_lowercase()
        .parse()
        .map_err(|_| format!("its page has no valid sha256 of {file_name}: `{text}`"))
}
