//! `tag-mismatch`: the tags in WHEEL differ from those of the file name.

use std::collections::BTreeSet;

use ipwhl_packaging::wheel::ArchiveFacts;

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::{DeclaredWheel, Layout};

pub(super) fn check(
    declared: &DeclaredWheel,
    facts: &ArchiveFacts,
    layout: Layout,
    findings: &mut Vec<Finding>,
) {
    // WHEEL has no tag, or could not be read, so it contradicts nothing.
    if facts.wheel_tags.is_empty() {
        return;
    }
    // In the layout `ipwhl-1` the release names the wheel by the stem of its TOML file.
    let stem = match (layout, &declared.stem) {
        (Layout::Ipwhl1, Some(stem)) => Some(stem),
        _ => None,
    };
    let of_name: BTreeSet<String> = declared.tags().iter().map(ToString::to_string).collect();
    let of_wheel: BTreeSet<String> = facts
        .wheel_tags
        .iter()
        .map(|tag| tag.to_ascii_lowercase())
        .collect();
    // The stem has the three sets that the tags of WHEEL are built from, in any combination.
    let compressed = compressed(&of_wheel);
    let is_same = match (stem, &compressed) {
        (Some(stem), Some(tags)) => sorted_tags(stem) == *tags,
        _ => of_name == of_wheel,
    };
    if is_same {
        return;
    }
    let list = |tags: &BTreeSet<String>, others: &BTreeSet<String>| {
        let only: Vec<&str> = tags.difference(others).map(String::as_str).collect();
        only.join(", ")
    };
    let mut finding = Finding::new(
        Code::TagMismatch,
        format!(
            "WHEEL of `{}` has other tags than its file name",
            declared.file_name
        ),
    )
    .help("declare another version, unless you know that the wheel works");
    if let (Some(stem), Some(tags)) = (stem, compressed) {
        let start: Vec<&str> = stem.splitn(3, '-').take(2).collect();
        finding = finding.help(format!(
            "or name the declaration for the tags in WHEEL: `{}-{tags}.toml`",
            start.join("-")
        ));
    }
    for (only, place) in [
        (list(&of_name, &of_wheel), "the file name"),
        (list(&of_wheel, &of_name), "WHEEL"),
    ] {
        if !only.is_empty() {
            finding = finding.note(format!("only in {place}: {only}"));
        }
    }
    findings.push(about(declared, finding, declared.span(), ""));
}

/// The three sets of tags at the end of a stem, each sorted. Their spelling is checked elsewhere.
fn sorted_tags(stem: &str) -> String {
    let sets = stem.rsplitn(4, '-').take(3).map(|set| {
        let members: BTreeSet<&str> = set.split('.').collect();
        members.into_iter().collect::<Vec<_>>().join(".")
    });
    let mut sets: Vec<String> = sets.collect();
    sets.reverse();
    sets.join("-")
}

/// The sets of the tags' three components, each sorted; `None` if one is not a tag.
fn compressed(tags: &BTreeSet<String>) -> Option<String> {
    let mut sets: [BTreeSet<&str>; 3] = Default::default();
    for tag in tags {
        let parts: [&str; 3] = tag.split('-').collect::<Vec<_>>().try_into().ok()?;
        for (set, part) in sets.iter_mut().zip(parts) {
            set.insert(part);
        }
    }
    let joined = sets.map(|set| set.into_iter().collect::<Vec<_>>().join("."));
    (!tags.is_empty()).then(|| joined.join("-"))
}
