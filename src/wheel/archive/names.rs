//! The names of the members: each a plain relative path, no two of them the same place.

use super::Member;
use crate::wheel::problems::{Problems, shown};

/// Every name by itself, then all together.
pub(super) fn check_names(members: &[Member], problems: &mut Problems) {
    for member in members {
        if let Some(reason) = unsafe_path(&member.name) {
            problems.archive(format!("{} {reason}", member.shown()));
        }
    }
    // With `/` before every other byte, a name is followed by its copies and then by what is in a
    // folder of that name, so that neighbours tell all.
    let mut names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    names.sort_unstable_by(|left, right| order(left).cmp(order(right)));
    for same in names.chunk_by(|left, right| left == right) {
        if let [name, _, ..] = same {
            problems.archive(format!("{} is there {} times", shown(name), same.len()));
        }
    }
    for pair in names.windows(2) {
        // `a` is a file and so cannot be a folder too, be it by `a/` or by `a/b`.
        if let [file, inside] = pair
            && inside
                .strip_prefix(file)
                .is_some_and(|rest| rest.starts_with('/') && !file.ends_with('/'))
        {
            problems.archive(format!("{} is both a file and a folder", shown(file)));
        }
    }
}

fn order(name: &str) -> impl Iterator<Item = u16> {
    name.bytes().map(|byte| match byte {
        b'/' => 0,
        other => u16::from(other) + 1,
    })
}

/// Why a path could leave the folder that it is unpacked in, or mean different places on
/// different systems.
fn unsafe_path(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is an empty name");
    }
    if path.starts_with('/') {
        return Some("is an absolute path");
    }
    if path.contains('\\') {
        return Some("has a backslash in its name");
    }
    if path.chars().any(char::is_control) {
        return Some("has a control character in its name");
    }
    if let [drive, b':', ..] = path.as_bytes()
        && drive.is_ascii_alphabetic()
    {
        return Some("has a drive letter in its name");
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').find_map(|component| match component {
        "" => Some("has an empty component in its path"),
        "." => Some("has a `.` in its path"),
        ".." => Some("has a `..` in its path"),
        _ => None,
    })
}
