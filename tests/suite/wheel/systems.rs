//! Names that are one place, or no name, on Windows or macOS: refused where a supported platform is
//! such a system.

use serde_json::Value;

use super::facts;
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;

const LINUX: &str = "manylinux_2_28_x86_64";
const MACOS: &str = "macosx_12_0_arm64";
const WINDOWS: &str = "win_amd64";

fn plum() -> WheelBuilder {
    WheelBuilder::new("plum", "1.0").member("plum/__init__.py", b"")
}

fn with(members: &[&str]) -> WheelBuilder {
    members.iter().fold(plum(), |wheel, member| {
        let bytes: &[u8] = if member.ends_with('/') { b"" } else { b"x" };
        wheel.member(member, bytes)
    })
}

/// The findings of a set for these systems, with this one wheel.
fn found(wheel: &WheelBuilder, systems: &[&str]) -> Vec<Value> {
    let repository = RepositoryBuilder::new()
        .platforms(&["cp312"], systems)
        .project(Project::wanted(wheel.clone()))
        .build();
    Program::new(repository.path())
        .run(&["check", "--wheels", "--offline", "--message-format", "json"])
        .findings()
}

fn messages(wheel: &WheelBuilder, systems: &[&str]) -> Vec<String> {
    let found = found(wheel, systems);
    found
        .iter()
        .map(|finding| {
            assert_eq!(finding["code"], "invalid-archive", "{finding}");
            let message = finding["message"].as_str().unwrap();
            let start = "`plum-1.0-py3-none-any.whl`: ";
            message.strip_prefix(start).unwrap().to_owned()
        })
        .collect()
}

/// These members are refused on macOS or not, on Windows or not, and always accepted on Linux.
#[track_caller]
fn case(members: &[&str], macos: bool, windows: bool, message: &str) {
    let wheel = with(members);
    assert_eq!(messages(&wheel, &[LINUX]), [""; 0]);
    let one = |expected: bool, system: &str| {
        let expected = expected.then(|| format!("{message} on {system}"));
        Vec::from_iter(expected)
    };
    assert_eq!(messages(&wheel, &[LINUX, MACOS]), one(macos, "macOS"));
    assert_eq!(messages(&wheel, &[WINDOWS]), one(windows, "Windows"));
    let both = match (macos, windows) {
        (true, true) => "macOS and Windows",
        (true, false) => "macOS",
        (false, _) => "Windows",
    };
    assert_eq!(
        messages(&wheel, &[LINUX, WINDOWS, MACOS]),
        one(macos || windows, both)
    );
}

#[test]
fn files_that_differ_in_case() {
    case(
        &["A.py", "a.py"],
        true,
        true,
        "`A.py` and `a.py` are one file",
    );
    case(
        &["plum/ÄRA.py", "plum/ära.py"],
        true,
        true,
        "`plum/ÄRA.py` and `plum/ära.py` are one file",
    );
    // After installation.
    case(
        &["plum-1.0.data/purelib/A.py", "a.py"],
        true,
        true,
        "`plum-1.0.data/purelib/A.py` and `a.py` are one file",
    );
    case(
        &["plum-1.0.data/scripts/Tool", "plum-1.0.data/data/bin/tool"],
        true,
        true,
        "`plum-1.0.data/scripts/Tool` and `plum-1.0.data/data/bin/tool` are one file",
    );
    // A file and a folder.
    case(
        &["Data", "data/x"],
        true,
        true,
        "`Data` and `data/x` are a file and a folder of one name",
    );
}

#[test]
fn folders_that_differ_in_case() {
    case(
        &["Plums/a.py", "plums/b.py", "Plums/c.py", "plums/d.py"],
        true,
        true,
        "the folders of `Plums/a.py` and `plums/b.py` are one",
    );
    case(
        &["plum/x/Y/a.py", "plum/x/y/"],
        true,
        true,
        "the folders of `plum/x/y/` and `plum/x/Y/a.py` are one",
    );
    // One that importlib.metadata knows in any case is refused on every system.
    let wheel = with(&["PLUM-1.0.DIST-INFO/METADATA"]);
    for systems in [&[LINUX][..], &[LINUX, WINDOWS, MACOS]] {
        let found = messages(&wheel, systems);
        assert!(
            found[0].contains("`PLUM-1.0.DIST-INFO` is taken for the metadata"),
            "{found:?}"
        );
    }
}

#[test]
fn names_that_differ_in_how_they_are_composed() {
    case(
        &["plum/caf\u{e9}.py", "plum/cafe\u{301}.py"],
        true,
        false,
        "`plum/cafe\\u{301}.py` and `plum/café.py` are one file",
    );
    // Both at once.
    case(
        &["plum/CAF\u{c9}.py", "plum/cafe\u{301}.py"],
        true,
        false,
        "`plum/CAFÉ.py` and `plum/cafe\\u{301}.py` are one file",
    );
}

#[test]
fn names_that_windows_does_not_have() {
    for name in ["plum/a.py.", "plum/a ", "plum/a. /x"] {
        let shown = name.trim_end_matches("/x");
        let message = format!("`{shown}` ends with a dot or a space, which is dropped");
        case(&[name], false, true, &message);
    }
    for name in [
        "plum/__init__.py::$DATA",
        "plum/a?.py",
        "plum/a*",
        "plum/<a>",
        "plum/a|b",
        "plum/a\"b",
    ] {
        let message = format!("`{name}` has a character that no file name has");
        case(&[name], false, true, &message);
    }
    for name in [
        "NUL",
        "plum/nul.txt",
        "plum/CON",
        "plum/con.tar.gz",
        "plum/Aux.py",
        "plum/prn .py",
        "plum/COM0",
        "plum/com9.py",
        "plum/LPT¹.py",
        "plum/CONIN$",
        "plum/conout$.x",
        "plum-1.0.data/data/aux",
    ] {
        case(
            &[name],
            false,
            true,
            &format!("`{name}` is the name of a device"),
        );
    }
    // A folder is named once, whatever is in it.
    case(
        &["plum/aux/a.py", "plum/aux/b.py"],
        false,
        true,
        "`plum/aux` is the name of a device",
    );
    let harmless = with(&[
        "plum/auxiliary.py",
        "plum/com10.py",
        "plum/com.py",
        "plum/nul_.py",
        "plum/.con",
        "plum/a.con",
        "plum/lpt¹²",
    ]);
    assert_eq!(messages(&harmless, &[LINUX, WINDOWS, MACOS]), [""; 0]);
}

/// The wheel's own tags and its Requires-Python decide where it is installed.
#[test]
fn a_wheel_that_is_not_installed_on_such_a_system_is_accepted() {
    let linux = with(&["A.py", "a.py"]).tag("py3-none-manylinux_2_17_x86_64");
    let windows = with(&["B.py"]).tag("py3-none-win_amd64");
    let repository = RepositoryBuilder::new()
        .platforms(&["cp312"], &[LINUX, WINDOWS])
        .project(Project::wanted(linux).wheel(windows))
        .build();
    let run = Program::new(repository.path()).run(&["check", "--wheels", "--offline"]);
    assert_eq!(run.findings(), [] as [Value; 0]);
    let of_another_python = with(&["A.py", "a.py"]).requires_python("<3.12");
    let codes: Vec<Value> = found(&of_another_python, &[LINUX, WINDOWS])
        .iter()
        .map(|finding| finding["code"].clone())
        .collect();
    assert!(
        !codes.contains(&Value::from("invalid-archive")),
        "{codes:?}"
    );
}

#[test]
fn the_finding_names_the_platforms() {
    let found = found(&with(&["A.py", "a.py"]), &[LINUX, WINDOWS, MACOS]);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0]["platforms"],
        serde_json::json!(["cp312-macosx_12_0_arm64", "cp312-win_amd64"])
    );
}

/// Facts are kept by the bytes' hash, and say the same in every set.
#[test]
fn facts_know_of_all_systems() {
    let wheel = with(&["A.py", "a.py", "plum/é", "plum/e\u{301}", "NUL"]);
    let facts = facts(&wheel.build());
    assert_eq!(facts.problems, []);
    let systems: Vec<String> = facts
        .name_conflicts
        .iter()
        .map(|conflict| serde_json::to_string(&conflict.systems).unwrap())
        .collect();
    assert_eq!(
        systems,
        [r#"["mac-os","windows"]"#, r#"["mac-os"]"#, r#"["windows"]"#]
    );
}
