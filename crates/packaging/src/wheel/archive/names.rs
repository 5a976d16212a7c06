//! Checks the names of the members: each must be a plain relative path, and no two may be the same
//! file.

use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed};

use super::member::Member;
use crate::wheel::Limits;
use crate::wheel::places::in_tree_order;
use crate::wheel::problems::{Problems, shown};

const CATEGORIES: CodePointMapDataBorrowed<'static, GeneralCategory> =
    CodePointMapData::<GeneralCategory>::new();

/// Checks every name by itself, then all together.
pub(super) fn check_names(members: &[Member], limits: &Limits, problems: &mut Problems) {
    for member in members {
        if let Some(reason) = unsafe_path(&member.name) {
            problems.archive(format!("{} {reason}", member.shown()));
        } else if let Some(reason) = too_long(&member.name, limits) {
            problems.archive(format!("{} {reason}", member.shown()));
        }
    }
    // With `/` sorted before every other byte, a name is followed by its copies and then by the
    // contents of a folder of that name, so it is enough to compare neighbours.
    let mut names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    names.sort_unstable_by(|left, right| in_tree_order(left).cmp(in_tree_order(right)));
    for same in names.chunk_by(|left, right| left == right) {
        if let [name, _, ..] = same {
            problems.archive(format!("{} is there {} times", shown(name), same.len()));
        }
    }
    for pair in names.windows(2) {
        // `a` is a file and so cannot be a folder too, by `a/` or by `a/b`.
        if let [file, inside] = pair
            && inside
                .strip_prefix(file)
                .is_some_and(|rest| rest.starts_with('/') && !file.ends_with('/'))
        {
            problems.archive(format!("{} is both a file and a folder", shown(file)));
        }
    }
}

/// The reason why a path could leave the folder that it is unpacked in, or mean different files on
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
    // pip splits RECORD at line and paragraph separators, too, and removes the file named by the
    // second half of a row.
    let ends_line = |sign: char| sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}');
    if path.chars().any(ends_line) {
        return Some("has a control character in its name");
    }
    // As in uv: invisible, unassigned and private-use characters are refused.
    let is_other = |character| GeneralCategoryGroup::Other.contains(CATEGORIES.get(character));
    if path.chars().any(is_other) {
        return Some("has a character in its name that is not shown");
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

/// The reason why a path is too long for file systems.
fn too_long(path: &str, limits: &Limits) -> Option<String> {
    if path.len() > limits.path {
        return Some(format!(
            "has a path of {} bytes, more than the limit of {}",
            path.len(),
            limits.path
        ));
    }
    let longest = path.split('/').map(str::len).max()?;
    (longest > limits.component).then(|| {
        format!(
            "has a component of {longest} bytes in its path, more than the limit of {}",
            limits.component
        )
    })
}
