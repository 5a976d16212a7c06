//! Short texts for sets of platforms, as `all 12 platforms` and `cp311–cp313 on win_amd64`, and the
//! entries of a waiver's `platforms`.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::Platform;

/// A short text for the platforms `some` among `all`; `None` if there are none.
pub fn summarize_platforms(some: &[impl ToString], all: &[Platform]) -> Option<String> {
    if some.is_empty() {
        return None;
    }
    if all.len() > 1 && some.len() == all.len() {
        return Some(format!("all {} platforms", all.len()));
    }
    let names: BTreeSet<String> = some.iter().map(ToString::to_string).collect();
    let mut pythons: Vec<String> = Vec::new();
    let mut systems: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for platform in all {
        let python = platform.python_tag();
        let index = pythons
            .iter()
            .position(|known| *known == python)
            .unwrap_or_else(|| {
                pythons.push(python);
                pythons.len() - 1
            });
        if names.contains(&platform.to_string()) {
            systems.entry(platform.system()).or_default().push(index);
        }
    }
    let mut by_pythons: BTreeMap<Vec<usize>, Vec<&str>> = BTreeMap::new();
    for (system, mut indices) in systems {
        indices.sort_unstable();
        by_pythons.entry(indices).or_default().push(system);
    }
    let parts: Vec<String> = by_pythons
        .into_iter()
        .map(|(indices, systems)| {
            format!("{} on {}", ranges(&indices, &pythons), systems.join(", "))
        })
        .collect();
    Some(parts.join("; "))
}

/// Adjacent interpreters in the list become a range.
fn ranges(indices: &[usize], pythons: &[String]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut rest = indices;
    while let Some(first) = rest.first() {
        let length = rest
            .iter()
            .enumerate()
            .take_while(|(offset, index)| **index == first + offset)
            .count();
        let (from, to) = (&pythons[*first], &pythons[first + length - 1]);
        parts.push(match length {
            1 => from.clone(),
            2 => format!("{from}, {to}"),
            _ => format!("{from}\u{2013}{to}"),
        });
        rest = &rest[length..];
    }
    parts.join(", ")
}

/// Whether a waiver's entry matches a platform: `win_amd64`, `cp312` and `cp312-win_amd64` all
/// cover `cp312-win_amd64`.
pub fn covers_platform(covered: &str, platform: &Platform) -> bool {
    covers_name(covered, &platform.to_string())
}

/// The same for a platform's name.
pub(crate) fn covers_name(covered: &str, platform: &str) -> bool {
    covered == platform
        || platform
            .split_once('-')
            .is_some_and(|(python, system)| covered == python || covered == system)
}
