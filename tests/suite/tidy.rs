//! What the architecture promises of the source itself (docs/architecture.md, "Invariants").

use std::collections::BTreeSet;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::{Code, Severity, Stage};
use ipwhl::set::declaration::canonical;
use ipwhl::set::repository::Repository;

use crate::support::program::Program;
use crate::support::source_code::{CODE, code, imports, read, root, sources, sources_below};

/// The longest file, in lines before its unit tests: past about 400 it is two rooms.
const LONGEST_FILE: usize = 450;

/// The modules that a file lists as `pub mod`, in its order.
fn public_modules(path: &str) -> Vec<String> {
    read(path)
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(ToOwned::to_owned)
        .collect()
}

/// The rooms, in their order, each as the modules that lead to it: the boxes of `src/lib.rs`, and
/// in place of a box that has rooms of its own those, as it lists them.
fn rooms() -> Vec<Vec<String>> {
    let mut rooms = Vec::new();
    for place in public_modules("src/lib.rs") {
        let inner = public_modules(&format!("src/{place}.rs"));
        if inner.is_empty() {
            rooms.push(vec![place]);
        } else {
            rooms.extend(inner.into_iter().map(|room| vec![place.clone(), room]));
        }
    }
    rooms
}

/// All paths from the crate's root in a file of these modules, whether they begin with `crate::` or
/// climb by `super::`.
fn paths_from_the_root(text: &str, modules: &[&str]) -> BTreeSet<Vec<String>> {
    let imports = imports(&code(text), modules, &[]);
    imports.into_iter().map(|import| import.path).collect()
}

/// The modules that lead to what is in a file of `src`.
fn modules(path: &str) -> Vec<&str> {
    path.trim_start_matches("src/")
        .trim_end_matches(".rs")
        .split('/')
        .collect()
}

fn is_in(path: &[impl AsRef<str>], room: &[String]) -> bool {
    path.len() >= room.len() && path.iter().zip(room).all(|(name, of)| name.as_ref() == of)
}

/// The rooms that a file uses though they come after its own.
fn rooms_below(path: &str, text: &str, rooms: &[Vec<String>]) -> Vec<String> {
    let modules = modules(path);
    let used = paths_from_the_root(text, &modules);
    // A box's own file lists its rooms and is in none of them.
    let own = rooms.iter().position(|room| is_in(&modules, room));
    let own = own.or_else(|| rooms.iter().rposition(|room| room[0] == modules[0]));
    let own = own.unwrap_or_else(|| panic!("{path} is of no room of src/lib.rs"));
    rooms[own + 1..]
        .iter()
        .filter(|room| used.iter().any(|path| is_in(path, room)))
        .map(|room| room.join("::"))
        .collect()
}

/// Invariant 1.
#[test]
fn a_room_uses_only_rooms_above_it() {
    let rooms = rooms();
    assert!(rooms.len() > 10, "{rooms:?}");
    let mut used = BTreeSet::new();
    for (path, text) in sources_below("src") {
        if path == "src/lib.rs" || path == "src/main.rs" {
            continue;
        }
        assert_eq!(rooms_below(&path, &text, &rooms), [""; 0], "{path}");
        used.extend(paths_from_the_root(&text, &modules(&path)));
    }
    // Nearly every room is used by another one, so the paths are really seen.
    let is_used = |room: &&Vec<String>| used.iter().any(|path| is_in(path, room));
    assert!(rooms.iter().filter(is_used).count() + 4 > rooms.len());
}

/// What a box has is in its rooms: nothing goes around their order by way of the box.
#[test]
fn a_box_with_rooms_has_nothing_else() {
    for place in public_modules("src/lib.rs") {
        let path = format!("src/{place}.rs");
        if public_modules(&path).is_empty() {
            continue;
        }
        for line in code(&read(&path)).lines() {
            let is_room = line.is_empty() || line.starts_with("pub mod ");
            assert!(is_room, "{path}: {line}");
        }
    }
}

#[test]
fn a_use_of_a_room_below_is_seen() {
    let rooms = [
        vec!["python"],
        vec!["dag"],
        vec!["set", "check"],
        vec!["set", "graph"],
        vec!["command"],
    ]
    .map(|room| room.into_iter().map(ToOwned::to_owned).collect());
    let below = |path: &str, text: &str| rooms_below(path, text, &rooms);
    for text in [
        "use crate::set::check::Graph;",
        "use crate::{dag::Cid, set::check};",
        "use crate::{\n    dag::{Cid, Link},\n    set::{check::{Graph, set}},\n};",
        "fn f() { let _ = crate::set::check::set(); }",
        "pub(crate) use crate::set::check;",
        "use super::set::check;",
        "use super::{set::check, python};",
        "    crate::set::check::set() // why",
    ] {
        assert_eq!(below("src/dag.rs", text), ["set::check"], "{text}");
        assert_eq!(below("src/command.rs", text), [""; 0], "{text}");
    }
    assert_eq!(
        below(
            "src/dag/cid/text.rs",
            "use super::super::super::set::check;"
        ),
        ["set::check"]
    );
    for text in [
        "use crate::set::graph::Graph;",
        "use super::super::graph::Graph;",
        "use super::super::{check::Rule, graph::Graph};",
    ] {
        assert_eq!(
            below("src/set/check/rule.rs", text),
            ["set::graph"],
            "{text}"
        );
    }
    for text in [
        "// use crate::set::check;",
        "/// See [`crate::set::check`].",
        "use super::super::set::check;",
        "use crate::dag::set::check;",
        "use crate::{python::check, dag::{check}};",
        "$crate::set::check::set()",
        "other_crate::set::check",
    ] {
        assert_eq!(below("src/dag/cid/text.rs", text), [""; 0], "{text}");
    }
}

/// Crates are for others, too, and pure: they read and write through what they are given.
#[test]
fn crates_touch_nothing_ambient() {
    for (path, text) in sources() {
        if path.starts_with("src/") {
            continue;
        }
        let code = code(&text);
        for word in [
            "std::env",
            "std::net",
            "std::process",
            "std::time",
            "Instant",
            "tokio",
        ] {
            assert!(!code.contains(word), "{path} has `{word}`");
        }
    }
}

#[test]
fn files_are_named_and_sized_as_the_architecture_says() {
    for (path, text) in sources() {
        assert!(!path.ends_with("/mod.rs"), "{path}");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().count();
        assert!(lines <= LONGEST_FILE, "{path} has {lines} lines");
        assert!(
            text.starts_with("//!"),
            "{path} does not say in its first line what it is for"
        );
        let (folder, _) = path.rsplit_once('/').unwrap();
        if !CODE.contains(&folder) {
            let room = format!("{folder}.rs");
            assert!(
                root().join(&room).is_file(),
                "{folder}/ has no {room} beside it"
            );
        }
    }
}

/// Invariant 9: the terminal belongs to `command`, which writes to the environment's streams.
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
            assert!(!is_there, "{path} has `{word}`");
        }
    }
}

fn text_ends_in_word(text: &str) -> bool {
    text.ends_with(|last: char| last.is_alphanumeric() || last == '_')
}

/// `doctest = false`: code in a comment would be compiled by nothing. The crates have doc tests.
#[test]
fn comments_hold_no_code_that_nothing_runs() {
    for (path, text) in sources_below("src") {
        let mut fences = text
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("//")?.split_once("```"));
        // Every other one opens a block.
        let is_code = fences.by_ref().step_by(2).any(|(_, kind)| kind != "text");
        assert!(!is_code, "{path}: make the example a test");
    }
}

/// A lint is let go with a reason, and only as long as it would speak.
#[test]
fn lints_are_expected_not_allowed() {
    for (path, text) in sources() {
        let code = code(&text);
        assert!(!code.contains("[allow("), "{path} has `allow`");
        for (at, _) in code.match_indices("[expect(") {
            let end = code[at..]
                .find(")]")
                .map_or(code.len(), |length| at + length);
            assert!(
                code[at..end].contains("reason"),
                "{path}: {}",
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
        (Stage::Advisories, "advisories"),
        (Stage::Index, "index"),
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
        assert!(code.may_be_overridden() || code.default_severity() == Severity::Error);
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
    // The cooldown counts from today.
    Program::new(&root())
        .now(&jiff::Timestamp::now().to_string())
        .run(&["check", "--deny", "warnings"])
        .expect(ExitStatus::Clean);
}
