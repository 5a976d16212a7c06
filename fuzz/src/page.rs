//! What holds of every page of an index that was read.

use ipwhl::source::{CoreMetadataFile, ProjectPage};
use serde_json::{Value, json};
use url::Url;

const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// Reads a page and holds what was read to the page's promises; then writes it again as JSON and as
/// HTML.
///
/// # Panics
/// Where one does not hold.
pub fn check(body: &[u8], content_type: &str) {
    let address =
        Url::parse("https://user:pa55w0rd-of-it@example.org/simple/x/").expect("an address");
    let page = match ProjectPage::parse(body, content_type, &address) {
        Ok(page) => page,
        Err(reason) => {
            assert!(is_kept(&reason, body), "{reason}");
            return;
        }
    };
    for file in &page.files {
        assert!(
            matches!(file.url.scheme(), "http" | "https"),
            "{}",
            file.url
        );
        assert_eq!(file.url.fragment(), None);
        assert!(
            file.requires_python
                .as_ref()
                .is_none_or(|text| !text.trim().is_empty())
        );
        assert!(page.file(&file.file_name).is_some());
        assert!(is_kept(&format!("{file:?}"), body), "{file:?}");
    }
    let again = ProjectPage::parse(&as_json(&page), JSON, &address);
    assert_eq!(
        again.as_ref(),
        Ok(&page),
        "another page when written again as JSON"
    );
    // In HTML a file has no size, and the name that its address ends in.
    let html = as_html(&page);
    let again =
        ProjectPage::parse(html.as_bytes(), "text/html", &address).expect("it was written here");
    let named = |page: &ProjectPage| -> Vec<(Url, Option<String>)> {
        let files = page.files.iter();
        files
            .map(|file| {
                (
                    file.url.clone(),
                    file.sha256.map(|digest| digest.to_string()),
                )
            })
            .collect()
    };
    let addressed: Vec<_> = page
        .files
        .iter()
        .filter(|file| !file.url.path().ends_with('/'))
        .cloned()
        .collect();
    assert_eq!(named(&again), named(&ProjectPage { files: addressed, ..ProjectPage::default() }));
}

/// Whether a text keeps the password of the page's address; the page itself may have it.
fn is_kept(text: &str, body: &[u8]) -> bool {
    !text.contains("pa55w0rd-of-it") || body.windows(14).any(|window| window == b"pa55w0rd-of-it")
}

fn as_json(page: &ProjectPage) -> Vec<u8> {
    let files: Vec<Value> = page
        .files
        .iter()
        .map(|file| {
            json!({
                "filename": file.file_name,
                "url": file.url.as_str(),
                "hashes": file.sha256.map_or_else(|| json!({}), |digest| json!({"sha256": digest})),
                "size": file.size,
                "requires-python": file.requires_python,
                "yanked": file.yanked,
                "provenance": file.provenance.as_ref().map(Url::as_str),
                "core-metadata": match file.core_metadata {
                    CoreMetadataFile::Absent => json!(false),
                    CoreMetadataFile::Unverifiable => json!(true),
                    CoreMetadataFile::Sha256(digest) => json!({"sha256": digest}),
                },
            })
        })
        .collect();
    let status = json!({"status": page.status.marker.to_string(), "reason": page.status.reason});
    json!({"meta": {"api-version": "1.1"}, "files": files, "project-status": status})
        .to_string()
        .into_bytes()
}

fn as_html(page: &ProjectPage) -> String {
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
    };
    let mut html = String::from("<!DOCTYPE html><html><body>");
    for file in &page.files {
        let mut href = file.url.to_string();
        if let Some(digest) = &file.sha256 {
            href += &format!("#sha256={digest}");
        }
        html += &format!("<a href=\"{}\">file</a>", escape(&href));
    }
    html
}
