//! Sets of platforms in few words: `all 12 platforms`, `cp311–cp313 on win_amd64`.

use std::collections::BTreeMap;

use ipwhl_packaging::Platform;

/// The words for `some` of the platforms `all`; `None` for no platform.
pub fn fold(some: &[String], all: &[Platform]) -> Option<String> {
    if some.is_empty() {
        return None;
    }
    if all.len() > 1 && some.len() == all.len() {
        return Some(format!("all {} platforms", all.len()));
    }
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
        if some.contains(&platform.to_string()) {
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

/// Neighbours in the list of interpreters become a range.
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
