//! The entries of the tree by name.

use super::input::ReleaseInput;
use super::locks::TreeLocks;
use super::pages;
use super::release_json::ReleaseJson;
use crate::release::names::{DECLARATION, HTML, JSON, LOCK, METADATA, RELEASE_FILE};
use crate::set::declaration::LARGEST_DECLARATION;
use crate::set::declaration::{Declaration, DeclaredWheel, Layout, canonical, without_directives};
use crate::set::gather::ReleaseFacts;

/// The contents of an entry of the tree.
#[derive(Debug, Clone)]
pub enum Content<'r> {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The declared wheel, unchanged from its source.
    Wheel(&'r DeclaredWheel, ReleaseFacts<'r>),
}

/// A file of a folder.
#[derive(Debug, Clone)]
pub struct NamedContent<'r> {
    /// Its name.
    pub name: String,
    /// Its contents.
    pub content: Content<'r>,
}

fn bytes<'r>(name: impl Into<String>, bytes: Vec<u8>) -> NamedContent<'r> {
    NamedContent {
        name: name.into(),
        content: Content::Bytes(bytes),
    }
}

/// The files of a project's folder, sorted by name. `None` if the facts of a wheel are missing.
pub(super) fn project<'r>(
    input: &ReleaseInput<'r>,
    locks: &TreeLocks,
    declaration: &'r Declaration,
) -> Option<Vec<NamedContent<'r>>> {
    let mut wheels = Vec::with_capacity(declaration.wheels.len());
    for wheel in &declaration.wheels {
        wheels.push((wheel, (input.facts)(wheel)?));
    }
    let mut entries = Vec::new();
    let layout = input.repository.configuration.layout;
    for (wheel, facts) in &wheels {
        let name = match (layout, &wheel.stem) {
            (Layout::Ipwhl1, Some(stem)) => format!("{stem}.whl"),
            _ => wheel.file_name.as_str().to_owned(),
        };
        if layout == Layout::Package {
            entries.push(bytes(format!("{name}{METADATA}"), facts.metadata.to_vec()));
        }
        entries.push(NamedContent {
            name,
            content: Content::Wheel(wheel, *facts),
        });
    }
    if layout == Layout::Package {
        let text = input
            .repository
            .texts
            .get(&declaration.file)
            .map_or("", |text| text.as_str());
        // The canonical form may be longer than the text, and exceed the limit for a release.
        let text = canonical(text)
            .filter(|canonical| canonical.len() as u64 <= LARGEST_DECLARATION)
            .unwrap_or_else(|| text.to_owned());
        let text = without_directives(&text);
        entries.push(bytes(DECLARATION, text.as_bytes().to_vec()));
        entries.push(bytes(HTML, pages::project_html(declaration, &wheels)));
        entries.push(bytes(JSON, pages::project_json(declaration, &wheels)));
        let lock = locks.projects.get(&declaration.project);
        entries.extend(lock.map(|text| bytes(LOCK, text.clone())));
    }
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    // The original had wheels declared under two spellings of one name. If both have the same
    // bytes, the release has them once; otherwise two entries with one name are refused.
    entries.dedup_by(|later, earlier| match (&later.content, &earlier.content) {
        (Content::Wheel(later_wheel, _), Content::Wheel(earlier_wheel, _)) => {
            layout == Layout::Ipwhl1
                && later.name == earlier.name
                && later_wheel.content_id.value == earlier_wheel.content_id.value
        }
        _ => false,
    });
    Some(entries)
}

/// The files at the top, sorted by name; none in the layout `ipwhl-1`.
pub(super) fn top<'r>(input: &ReleaseInput<'r>, locks: &TreeLocks) -> Vec<NamedContent<'r>> {
    if input.repository.configuration.layout == Layout::Ipwhl1 {
        return Vec::new();
    }
    let projects: Vec<&str> = input
        .repository
        .declarations
        .keys()
        .map(ipwhl_packaging::ProjectName::as_str)
        .collect();
    let mut entries = vec![
        bytes(HTML, pages::root_html(&projects)),
        bytes(JSON, pages::root_json(&projects)),
    ];
    let lock = locks.whole.iter();
    entries.extend(lock.map(|text| bytes(LOCK, text.clone())));
    entries
}

/// The files about the release itself; none in the layout `ipwhl-1`.
pub(super) fn about<'r>(input: &ReleaseInput<'r>) -> Vec<NamedContent<'r>> {
    if input.repository.configuration.layout == Layout::Ipwhl1 {
        return Vec::new();
    }
    vec![bytes(RELEASE_FILE, ReleaseJson::of(input).to_bytes())]
}
