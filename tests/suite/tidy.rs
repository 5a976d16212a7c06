//! What the architecture promises of the source itself (docs/architecture.md, "Invariants").

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ipwhl::command::ExitStatus;
use ipwhl::declaration::canonical;
use ipwhl::diagnostic::{Code, Severity, Stage};
use ipwhl::repository::Repository;

use crate::support::program::Program;

/// The longest file, in lines before its unit tests: past about 400 it is two rooms.
const LONGEST_FILE: usize = 450;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Every Rust file below `src`: its path from there, with `/`, and its text.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, name: &str, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let below = format!("{name}{}", entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{below}/"), files);
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
    walk(&root().join("src"), "", &mut files);
    files.sort();
    assert!(files.len() > 50, "{}", files.len());
    files
}

/// The rooms, in the order of `src/lib.rs`.
fn rooms() -> Vec<String> {
    read("src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(ToOwned::to_owned)
        .collect()
}

/// The text without comments.
fn code(text: &str) -> String {
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

/// The first names of all paths from the crate's root in a file that lies `depth` modules deep,
/// whether they begin with `crate::` or climb there by `super::`.
fn paths_from_the_root(text: &str, depth: usize) -> BTreeSet<String> {
    let code = code(text);
    let mut names = BTreeSet::new();
    let climbing = "super::".repeat(depth);
    for start in ["crate::", &climbing] {
        for (at, _) in code.match_indices(start) {
            // `$crate::`, `my_crate::` and the middle of a longer climb are other things.
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || matches!(before, '_' | '$' | ':') {
                continue;
            }
            first_names(&code[at + start.len()..], &mut names);
        }
    }
    names
}

/// The name that `rest` begins with, or the first name of each path in its braces.
fn first_names(rest: &str, names: &mut BTreeSet<String>) {
    let Some(list) = rest.strip_prefix('{') else {
        let name = rest
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next();
        names.extend(name.filter(|name| !name.is_empty()).map(ToOwned::to_owned));
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
                first_names(&list[at..], names);
                is_start = false;
            }
            _ => {}
        }
    }
}

/// The rooms that a file uses though they come after its own.
fn rooms_below(path: &str, text: &str, rooms: &[String]) -> Vec<String> {
    let modules: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    let own = rooms
        .iter()
        .position(|room| room == modules[0])
        .unwrap_or_else(|| panic!("src/{path} is of no room of src/lib.rs"));
    paths_from_the_root(text, modules.len())
        .into_iter()
        .filter(|name| rooms[own + 1..].contains(name))
        .collect()
}

/// Invariant 1.
#[test]
fn a_room_uses_only_rooms_above_it() {
    let rooms = rooms();
    assert!(rooms.len() > 10, "{rooms:?}");
    let mut seen = BTreeSet::new();
    for (path, text) in sources() {
        if path == "lib.rs" || path == "main.rs" {
            continue;
        }
        assert_eq!(rooms_below(&path, &text, &rooms), [""; 0], "src/{path}");
        seen.extend(paths_from_the_root(&text, path.split('/').count()));
    }
    // Nearly every room is used by another one, so the paths are really seen.
    let used = rooms.iter().filter(|room| seen.contains(*room)).count();
    assert!(used + 4 > rooms.len(), "{seen:?}");
}

#[test]
fn a_use_of_a_room_below_is_seen() {
    let rooms = ["python", "dag", "check", "command"].map(ToOwned::to_owned);
    let below = |path: &str, text: &str| rooms_below(path, text, &rooms);
    for text in [
        "use crate::check::Graph;",
        "use crate::{dag::Cid, check};",
        "use crate::{\n    dag::{Cid, Link},\n    check::{Graph, set},\n};",
        "fn f() { let _ = crate::check::set(); }",
        "pub(crate) use crate::check;",
        "use super::check;",
        "use super::{check, python};",
        "    crate::check::set() // why",
    ] {
        assert_eq!(below("dag.rs", text), ["check"], "{text}");
        assert_eq!(below("command.rs", text), [""; 0], "{text}");
    }
    assert_eq!(
        below("dag/cid/text.rs", "use super::super::super::check;"),
        ["check"]
    );
    for text in [
        "// use crate::check;",
        "/// See [`crate::check`].",
        "use super::super::check;",
        "use crate::dag::check;",
        "use crate::{python::check, dag::{check}};",
        "$crate::check::set()",
        "other_crate::check",
    ] {
        assert_eq!(below("dag/cid/text.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn files_are_named_and_sized_as_the_architecture_says() {
    for (path, text) in sources() {
        assert!(!path.ends_with("/mod.rs"), "src/{path}");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().count();
        assert!(lines <= LONGEST_FILE, "src/{path} has {lines} lines");
        assert!(
            text.starts_with("//!"),
            "src/{path} does not say in its first line what it is for"
        );
        if let Some((folder, _)) = path.rsplit_once('/') {
            let room = root().join("src").join(format!("{folder}.rs"));
            assert!(
                room.is_file(),
                "src/{folder}/ has no src/{folder}.rs beside it"
            );
        }
    }
}

/// Invariant 8: the terminal belongs to `command`, which writes to the environment's streams.
#[test]
fn nothing_prints_by_itself() {
    for (path, text) in sources() {
        for word in [
            "print!",
            "println!",
            "eprint!",
            "eprintln!",
            "dbg!",
            "std::process::exit",
        ] {
            let is_there = code(&text)
                .match_indices(word)
                .any(|(at, _)| !text_ends_in_word(&code(&text)[..at]));
            assert!(!is_there, "src/{path} has `{word}`");
        }
    }
}

fn text_ends_in_word(text: &str) -> bool {
    text.ends_with(|last: char| last.is_alphanumeric() || last == '_')
}

/// `doctest = false`: code in a comment would be compiled by nothing.
#[test]
fn comments_hold_no_code_that_nothing_runs() {
    for (path, text) in sources() {
        let mut fences = text
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("//")?.split_once("```"));
        // Every other one opens a block.
        let is_code = fences.by_ref().step_by(2).any(|(_, kind)| kind != "text");
        assert!(!is_code, "src/{path}: make the example a test");
    }
}

/// A lint is let go with a reason, and only as long as it would speak.
#[test]
fn lints_are_expected_not_allowed() {
    for (path, text) in sources() {
        let code = code(&text);
        assert!(!code.contains("[allow("), "src/{path} has `allow`");
        for (at, _) in code.match_indices("[expect(") {
            let end = code[at..]
                .find(")]")
                .map_or(code.len(), |length| at + length);
            assert!(
                code[at..end].contains("reason"),
                "src/{path}: {}",
                &code[at..end]
            );
        }
    }
}

/// The part of docs/formats.md from one heading to the next.
fn section(number: usize) -> String {
    let text = read("docs/formats.md");
    let start = text.find(&format!("\n## {number}. ")).unwrap();
    let end = text[start + 1..]
        .find("\n## ")
        .map_or(text.len(), |length| start + 1 + length);
    text[start..end].to_owned()
}

/// The words in backticks that could be codes.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            word.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        })
        .collect()
}

/// The table of section 3 has each code in the row of its stage, and nothing else.
#[test]
fn every_code_is_documented_in_its_stage() {
    let section = section(3);
    for (stage, word) in [
        (Stage::Text, "text"),
        (Stage::Uniqueness, "uniqueness"),
        (Stage::Wheel, "wheel"),
        (Stage::Graph, "graph"),
        (Stage::Waivers, "waivers"),
    ] {
        let row = section
            .lines()
            .find(|line| line.starts_with(&format!("| {word}")))
            .unwrap_or_else(|| panic!("no row for {word}"));
        let codes: BTreeSet<&str> = Code::ALL
            .iter()
            .filter(|code| code.stage() == stage)
            .map(|code| code.as_str())
            .collect();
        assert_eq!(quoted(row), codes, "{word}");
        for code in &codes {
            let rest = row.split(&format!("`{code}`")).nth(1).unwrap();
            let says_warning = rest
                .split('`')
                .next()
                .is_some_and(|words| words.contains("warning"));
            let code: Code = code.parse().unwrap();
            assert_eq!(
                says_warning,
                code.default_severity() == Severity::Warning,
                "{code}"
            );
        }
    }
}

#[test]
fn codes_are_unique_and_say_what_they_mean() {
    let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let summaries: BTreeSet<&str> = Code::ALL.iter().map(|code| code.summary()).collect();
    assert_eq!(
        (texts.len(), summaries.len()),
        (Code::ALL.len(), Code::ALL.len())
    );
    for code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert!(code.summary().ends_with('.'), "{code}");
        // What says that bytes are not what was declared is never anything but an error.
        assert!(code.may_be_softened() || code.default_severity() == Severity::Error);
    }
}

/// The commands of `ipwhl --help`, each with its line.
fn commands() -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let run = Program::new(folder.path())
        .run(&["--help"])
        .expect(ExitStatus::Clean);
    let commands: Vec<(String, String)> = run
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(name, words)| (name.to_owned(), words.trim().to_owned()))
        .filter(|(name, _)| name != "help")
        .collect();
    assert!(commands.len() > 5, "{}", run.stdout);
    commands
}

#[test]
fn every_command_is_in_the_readme_and_says_what_it_does() {
    let readme = read("README.md");
    for (name, words) in commands() {
        assert!(!words.is_empty(), "{name}");
        let is_there =
            readme.contains(&format!("ipwhl {name}")) || readme.contains(&format!("-- {name}"));
        assert!(is_there, "README.md does not mention `ipwhl {name}`");
    }
}

/// The project's own set is written as `ipwhl add` writes it, and has no finding.
#[test]
fn the_real_set_is_canonical_and_clean() {
    let repository = Repository::load(&root()).unwrap();
    assert!(repository.declarations.len() > 80);
    for (file, text) in &repository.texts {
        if &**file != "ipwhl.toml" {
            let text = text.as_str();
            assert_eq!(canonical(text).as_deref(), Some(text), "{file}");
        }
    }
    Program::new(&root())
        .run(&["check", "--deny", "warnings"])
        .expect(ExitStatus::Clean);
}
