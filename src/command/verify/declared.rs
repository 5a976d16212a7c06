//! What a release says of itself beside its pages: its declarations and its totals.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::pages::{Count, WheelBytes};
use crate::dag::Cid;
use crate::declaration::{Layout, parse};
use crate::diagnostic::Severity;

/// The version of the format that is understood.
const FORMAT: u64 = 1;

/// What a project's `declaration.toml` declares, held against the wheels beside it.
pub(super) fn declaration(
    text: &[u8],
    files: &BTreeMap<&str, Cid>,
    wheels: &BTreeMap<&str, WheelBytes>,
) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(text) else {
        return vec!["it is not text".to_owned()];
    };
    let parsed = parse(&"declaration.toml".into(), text, Layout::Package);
    if parsed.wheels.is_empty() {
        let mut findings = parsed.findings.into_iter();
        let error = findings.find(|finding| finding.severity == Severity::Error);
        return vec![
            error.map_or_else(|| "it declares no wheel".to_owned(), |error| error.message),
        ];
    }
    let mut mismatches = Vec::new();
    let mut declared: BTreeSet<&str> = BTreeSet::new();
    for wheel in &parsed.wheels {
        let name = wheel.file_name.as_str();
        declared.insert(name);
        let (Some(bytes), Some(cid)) = (wheels.get(name), files.get(name)) else {
            mismatches.push(format!("it declares `{name}`, which is not there"));
            continue;
        };
        let sha256 = wheel.sha256.as_ref().map(|sha256| sha256.value);
        let size = wheel.size.as_ref().map(|size| size.value);
        for (is_right, what) in [
            (wheel.content_id.value == *cid, "content-id"),
            (
                sha256.is_none_or(|sha256| sha256 == bytes.sha256),
                "SHA-256",
            ),
            (size.is_none_or(|size| size == bytes.size), "size"),
        ] {
            if !is_right {
                mismatches.push(format!("it has another {what} of `{name}`"));
            }
        }
    }
    for name in wheels.keys().filter(|name| !declared.contains(*name)) {
        mismatches.push(format!("it does not declare `{name}`"));
    }
    mismatches
}

/// What `release.json` says, held against what was counted.
pub(super) fn release(body: &[u8], count: &Count) -> Vec<String> {
    let page: Value = match serde_json::from_slice(body) {
        Ok(page) => page,
        Err(error) => return vec![format!("it cannot be read: {error}")],
    };
    if page["format"] != json!(FORMAT) {
        return vec![format!(
            "it is of the format {}, and {FORMAT} is known",
            page["format"]
        )];
    }
    let totals = &page["totals"];
    [
        ("projects", json!(count.projects)),
        ("wheels", json!(count.wheels)),
        ("bytes", json!(count.bytes)),
    ]
    .into_iter()
    .filter(|(key, found)| totals[*key] != *found)
    .map(|(key, found)| format!("it has {} {key}, and the release {found}", totals[key]))
    .collect()
}
