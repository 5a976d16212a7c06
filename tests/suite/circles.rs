//! Which files of the source use one another in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::source_code::{CODE, Import, code, imports, sources_below};

/// The files of a package by their modules, and their code without unit tests.
type Files = BTreeMap<Vec<String>, String>;

fn files_of(folder: &str) -> Files {
    let files = sources_below(folder).into_iter().map(|(path, text)| {
        let path = path[folder.len() + 1..].trim_end_matches(".rs").to_owned();
        let modules = match path.as_str() {
            "lib" | "main" => Vec::new(),
            path => path.split('/').map(ToOwned::to_owned).collect(),
        };
        (modules, text)
    });
    files
        .map(|(modules, text)| {
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            // Who may see an item is no use of it.
            (modules, code(text).replace("pub(in crate::", "pub(in _::"))
        })
        .collect()
}

/// All paths in the code of the file of these modules.
fn imports_of(files: &Files, modules: &[String], code: &str) -> BTreeSet<Import> {
    let below = files
        .keys()
        .filter(|one| one.len() == modules.len() + 1 && one.starts_with(modules));
    let children: Vec<&str> = below.filter_map(|one| one.last()).map(|s| &**s).collect();
    let modules: Vec<&str> = modules.iter().map(|name| &**name).collect();
    imports(code, &modules, &children)
}

/// The `use` statements of the code, each with its visibility.
fn use_statements(code: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut start = 0;
    for line in code.split_inclusive('\n') {
        let words = line.trim_start();
        let is_use =
            words.starts_with("use ") || words.starts_with("pub") && words.contains(" use ");
        if is_use && let Some(end) = code[start..].find(';') {
            statements.push(&code[start..=start + end]);
        }
        start += line.len();
    }
    statements
}

/// Whether the code names an item. A module, a field, a method or a variable may have the same
/// name.
fn names(code: &str, item: &str) -> bool {
    code.match_indices(item).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + item.len()..]);
        let is_longer = |c: char| c.is_alphanumeric() || c == '_';
        let is_field = after.starts_with(':') && !after.starts_with("::");
        !before.ends_with("mod ")
            && !before.ends_with('.')
            && !before.ends_with(is_longer)
            && !after.starts_with(is_longer)
            && !after.starts_with('.')
            && !is_field
    })
}

/// Each file with the files that define what it uses. To pass a name on is not to use it, unless
/// the file names it elsewhere, too.
fn uses(files: &Files) -> BTreeMap<&[String], BTreeSet<&[String]>> {
    let mut named = BTreeMap::new();
    for (modules, code) in files {
        for statement in use_statements(code) {
            for import in imports_of(files, modules, statement) {
                named.insert((modules, import.name), import.path);
            }
        }
    }
    let file_of = |path: &[String]| {
        let mut path = path.to_vec();
        // As many steps as there are files: names that lead to one another end.
        for _ in 0..files.len() {
            let length = (0..=path.len())
                .rev()
                .find(|length| files.contains_key(&path[..*length]))?;
            let (file, _) = files.get_key_value(&path[..length])?;
            let Some(next) = path
                .get(length)
                .and_then(|name| named.get(&(file, name.clone())))
                .filter(|next| **next != path)
            else {
                return Some(&**file);
            };
            path = next.iter().chain(&path[length + 1..]).cloned().collect();
        }
        None
    };
    files
        .iter()
        .map(|(modules, code)| {
            let mut rest = code.clone();
            let mut passed_on = BTreeSet::new();
            for statement in use_statements(code) {
                if statement.trim_start().starts_with("pub") {
                    rest = rest.replace(statement, "");
                    passed_on.extend(imports_of(files, modules, statement));
                }
            }
            let mut used = imports_of(files, modules, &rest);
            passed_on.retain(|import| names(&rest, &import.name));
            used.append(&mut passed_on);
            let used = used.iter().filter_map(|import| file_of(&import.path));
            (&**modules, used.filter(|file| file != modules).collect())
        })
        .collect()
}

/// The groups of files that each reach all others of their group.
fn circles(files: &Files) -> Vec<Vec<String>> {
    let uses = uses(files);
    let reached = |from: &[String]| {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&[String]> = uses[from].iter().copied().collect();
        while let Some(file) = open.pop() {
            if reached.insert(file) {
                open.extend(&uses[file]);
            }
        }
        reached
    };
    let reached: BTreeMap<&[String], _> = uses.keys().map(|file| (*file, reached(file))).collect();
    let mut circles = BTreeSet::new();
    for (file, others) in &reached {
        if others.contains(file) {
            let circle = others.iter().filter(|other| reached[*other].contains(file));
            circles.insert(circle.map(|file| file.join("/")).collect());
        }
    }
    circles.into_iter().collect()
}

#[test]
fn no_file_uses_another_in_a_circle() {
    let found: Vec<Vec<String>> = CODE
        .iter()
        .flat_map(|folder| {
            let circles = circles(&files_of(folder)).into_iter();
            circles.map(move |circle| {
                circle
                    .iter()
                    .map(|file| format!("{folder}/{file}.rs"))
                    .collect()
            })
        })
        .collect();
    assert_eq!(found, [[""; 0]; 0], "{found:#?}");
}

#[test]
fn a_circle_is_seen() {
    let circles = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(path, code)| {
            let modules = path.split('/').map(ToOwned::to_owned).collect();
            (modules, (*code).to_owned())
        });
        circles(&files.collect())
    };
    let circle = vec!["a".to_owned(), "a/b".to_owned()];
    for parent in [
        "use b::{B, C};",
        "pub fn f() { b::c() }",
        "use self::b::B as D;",
        "use crate::a::b;\n",
    ] {
        for child in [
            "use super::A;",
            "fn f() -> crate::a::A;",
            "use crate::a::{\n    f,\n    g,\n};",
        ] {
            let files = [("a", parent), ("a/b", child)];
            assert_eq!(
                circles(&files),
                std::slice::from_ref(&circle),
                "{parent} {child}"
            );
        }
    }
    // A name that is passed on is used where the file names it elsewhere.
    let files = [
        ("a", "mod b;\npub use b::B;\nfn f() -> B {}"),
        ("a/b", "use super::f;"),
    ];
    assert_eq!(circles(&files), std::slice::from_ref(&circle));
    // A name that is passed on leads to the file that has it.
    let files = [
        ("a", "pub use b::B;\nmod c;"),
        ("a/b", "use super::c::C;"),
        ("a/c", "use super::B;"),
    ];
    assert_eq!(circles(&files), [["a/b", "a/c"]]);
    let files = [
        ("a", "mod b;\npub(crate) use b::B;"),
        ("a/b", "use super::super::c::A;"),
        ("c", "pub struct A;"),
    ];
    assert_eq!(circles(&files), [[""; 0]; 0]);
}
