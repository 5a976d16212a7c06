//! What a release says of itself beside its pages: its declarations and its totals.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::bytes::WheelBytes;
use super::pages::Count;
use crate::dag::Cid;
use crate::declaration::{Layout, parse};
use crate::diagnostic::{Code, Severity};
use crate::python::{CoreMetadata, VersionSpecifiers, same_specifiers};

/// The version of the format that is understood.
const FORMAT: u64 = 1;

/// The Requires-Python that a release gives to its wheels, by file name.
pub(super) type RequiresPython = BTreeMap<String, Option<VersionSpecifiers>>;

/// What `declaration.toml` says of the Requires-Python of its wheels.
pub(super) fn requires_python(text: &[u8]) -> RequiresPython {
    let text = String::from_utf8_lossy(text);
    let parsed = parse(&"declaration.toml".into(), &text, Layout::Package);
    parsed
        .wheels
        .into_iter()
        .map(|wheel| {
            let specifiers = wheel.requires_python.map(|specifiers| specifiers.value);
            (wheel.file_name.to_string(), specifiers)
        })
        .collect()
}

/// Whether two Requires-Python say the same; none is as good as an empty one.
pub(super) fn same(one: Option<&VersionSpecifiers>, other: Option<&VersionSpecifiers>) -> bool {
    match (one, other.filter(|specifiers| !specifiers.is_empty())) {
        (None, None) => true,
        (Some(one), Some(other)) => same_specifiers(one, other),
        _ => false,
    }
}

/// The projects whose declared Requires-Python somebody answers for, though it is not the wheel's.
#[derive(Debug, Default)]
pub(super) struct Answered {
    projects: BTreeSet<String>,
    all: bool,
}

impl Answered {
    /// As `release.json` lists them: its waivers, and a softened code.
    pub(super) fn of(release: &[u8]) -> Self {
        let page: Value = serde_json::from_slice(release).unwrap_or_default();
        let code = Code::RequiresPythonMismatch.as_str();
        let waivers = page["waivers"].as_array().cloned().unwrap_or_default();
        Self {
            projects: waivers
                .iter()
                .filter(|waiver| waiver["code"] == code)
                .filter_map(|waiver| Some(waiver["project"].as_str()?.to_owned()))
                .collect(),
            all: page["severity"][code]
                .as_str()
                .is_some_and(|severity| severity != "error"),
        }
    }

    fn has(&self, project: &str) -> bool {
        self.all || self.projects.contains(project)
    }
}

/// What a project's `declaration.toml` declares, held against the wheels beside it.
pub(super) fn declaration(
    project: &str,
    text: &[u8],
    files: &BTreeMap<&str, Cid>,
    wheels: &BTreeMap<&str, WheelBytes>,
    answered: &Answered,
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
        let declared_python = wheel.requires_python.as_ref().map(|one| &one.value);
        let metadata = CoreMetadata::parse_with_legacy(&bytes.metadata).ok();
        // What could not be read says nothing.
        let is_legacy = metadata
            .as_ref()
            .is_some_and(|(_, legacy)| legacy.iter().any(|one| one.field == "Requires-Python"));
        let of_wheel = metadata.and_then(|(metadata, _)| metadata.requires_python);
        for (is_right, what) in [
            (
                is_legacy || answered.has(project) || same(declared_python, of_wheel.as_ref()),
                "Requires-Python",
            ),
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
