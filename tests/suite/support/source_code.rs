//! The project's own source as text: its files, and which paths they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The project's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the project.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The folders with the code of the packages, and what a path to their root begins with.
pub const CODE: [&str; 3] = ["src", "crates/packaging/src", "crates/unixfs/src"];

/// Every Rust file of the packages: its path from the project's folder, with `/`, and its text.
pub fn sources() -> Vec<(String, String)> {
    let files: Vec<(String, String)> = CODE.into_iter().flat_map(sources_below).collect();
    assert!(files.len() > 50, "{}", files.len());
    files
}

/// Every Rust file below `folder`, sorted.
pub fn sources_below(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, name: &str, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let below = format!("{name}/{}", entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &below, files);
            } else if entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "rs")
            {
                files.push((below, fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    walk(&root().join(folder), folder, &mut files);
    files.sort();
    files
}

/// The text without comments.
pub fn code(text: &str) -> String {
    text.lines()
        .map(|line| {
            if line.trim_start().starts_with("//") {
                ""
            } else {
                line.split(" // ").next().unwrap_or_default()
            }
        })
        .fold(String::new(), |all, line| all + line + "\n")
}

/// A path that a file names, from the root of its package, and the name that it gives to the end
/// of the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub path: Vec<String>,
    pub name: String,
}

/// All paths in the code of a file of these modules that begin with `crate::`, `super::`, `self::`
/// or the name of one of its `children`.
pub fn imports(code: &str, modules: &[&str], children: &[&str]) -> BTreeSet<Import> {
    let mut imports = BTreeSet::new();
    let keywords = ["crate", "super", "self"];
    for start in keywords.iter().chain(children) {
        let prefix = format!("{start}::");
        for (at, _) in code.match_indices(&prefix) {
            // `$crate::`, `my_crate::` and the middle of a longer path are other things.
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || matches!(before, '_' | '$' | ':') {
                continue;
            }
            let mut rest = &code[at..];
            let mut base = modules;
            match *start {
                "crate" => (rest, base) = (&rest[prefix.len()..], &[]),
                "self" => rest = &rest[prefix.len()..],
                _ => {}
            }
            while let Some(above) = rest.strip_prefix("super::") {
                (rest, base) = (above, &base[..base.len().saturating_sub(1)]);
            }
            let base: Vec<String> = base.iter().map(|name| (*name).to_owned()).collect();
            imports_of_tree(rest, &base, &mut imports);
        }
    }
    imports
}

/// What the tree of a `use` at the start of `rest` stands for below `base`.
fn imports_of_tree(rest: &str, base: &[String], imports: &mut BTreeSet<Import>) {
    let Some(list) = rest.strip_prefix('{') else {
        let (name, rest) = rest.split_at(end_of_word(rest));
        let mut path = base.to_vec();
        path.extend((!name.is_empty() && name != "self").then(|| name.to_owned()));
        if let Some(rest) = rest.strip_prefix("::") {
            imports_of_tree(rest, &path, imports);
        } else {
            let renamed = rest.strip_prefix(" as ");
            let renamed = renamed.map(|rest| rest[..end_of_word(rest)].to_owned());
            let name = renamed.or_else(|| path.last().cloned()).unwrap_or_default();
            imports.insert(Import { path, name });
        }
        return;
    };
    let (mut nested, mut is_start) = (0, true);
    for (at, character) in list.char_indices() {
        match character {
            '{' => nested += 1,
            '}' if nested == 0 => return,
            '}' => nested -= 1,
            ',' if nested == 0 => is_start = true,
            _ if is_start && !character.is_whitespace() => {
                imports_of_tree(&list[at..], base, imports);
                is_start = false;
            }
            _ => {}
        }
    }
}

fn end_of_word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}
