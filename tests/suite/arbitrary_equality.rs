//! `===`, which compares texts: `check`, `add`, `fmt` and the pages of a release, against pip
//! itself.

use std::fs;
use std::process::Command;

use ipwhl::command::ExitStatus;
use ipwhl_packaging::{
    MarkerEnvironment, Platform, Requirement, Truth, parse_specifiers, same_specifiers,
    specifiers_text,
};

use crate::support::bench::{Bench, pure};
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::tool;
use crate::support::wheel_builder::WheelBuilder;

/// What a wheel asks of `plum`, whose version is 1.0.post1.
const ASKED: &[(&str, bool)] = &[
    ("===1.0.post1", true),
    ("===1.0.POST1", true),
    ("=== 1.0.post1", true),
    ("===1.0-1", false),
    ("===v1.0.post1", false),
    ("===1.0.post01", false),
    ("===1.0.*", false),
    ("===foobar", false),
    ("===1.0.post1,>=1", true),
    ("===1.0.post1,>=2", false),
    ("==1.0-1", true),
];

fn apple(index: usize, asked: &str) -> WheelBuilder {
    WheelBuilder::new(&format!("apple{index}"), "1.0").requires(&format!("plum{asked}"))
}

/// `check` finds those requirements unsatisfied that pip refuses, and no other.
#[test]
fn check_and_pip_agree() {
    let mut builder = RepositoryBuilder::new()
        .project(Project::automatic(WheelBuilder::new("plum", "1.0.post1")));
    for (index, (asked, _)) in ASKED.iter().enumerate() {
        builder = builder.project(Project::wanted(apple(index, asked)));
    }
    let repository = builder.build();
    let run = Program::new(repository.path()).run(&[
        "check",
        "--wheels",
        "--offline",
        "--message-format",
        "json",
    ]);
    let findings: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["type"] == "finding")
        .collect();
    for (index, (asked, satisfied)) in ASKED.iter().enumerate() {
        let project = format!("apple{index}");
        let codes: Vec<&str> = findings
            .iter()
            .filter(|finding| finding["project"] == project.as_str())
            .map(|finding| finding["code"].as_str().unwrap())
            .collect();
        let expected: &[&str] = if *satisfied {
            &[]
        } else {
            &["unsatisfied-dependency"]
        };
        assert_eq!(codes, expected, "{asked}");
    }
    let python = tool("python3");
    let wheels = repository.path().join("wheels");
    for (index, (asked, satisfied)) in ASKED.iter().enumerate() {
        let output = Command::new(&python)
            .args(["-m", "pip", "--isolated", "--disable-pip-version-check"])
            .args([
                "--no-cache-dir",
                "install",
                "--dry-run",
                "--ignore-installed",
            ])
            .args(["--no-index", "--find-links"])
            .arg(&wheels)
            .arg(format!("apple{index}"))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), *satisfied, "{asked}\n{error}");
        assert!(*satisfied || error.contains("plum"), "{error}");
    }
}

/// The text after `===` is nowhere written otherwise, and compared but for the case of letters.
#[test]
fn the_text_stays_as_it_is_written() {
    for (text, canonical) in [
        ("b===1.0-1", "b===1.0-1"),
        (
            "B === V1.0.Post1 ; os_name=='nt'",
            "b===V1.0.Post1; os_name == \"nt\"",
        ),
        ("b (===foobar)", "b===foobar"),
        ("b <2, ===1.0-1, >=1", "b>=1,===1.0-1,<2"),
        ("b===x,===1.0", "b===x,===1.0"),
        ("b===1.0/a@b", "b===1.0/a@b"),
    ] {
        let read: Requirement = text.parse().unwrap();
        assert_eq!(read.to_string(), canonical);
        assert_eq!(canonical.parse::<Requirement>().unwrap(), read);
    }
    let specifiers = parse_specifiers("===3.12.01").unwrap();
    assert_eq!(specifiers_text(&specifiers), "===3.12.01");
    for (left, right, same) in [
        ("===1.0", "===1.0.0", false),
        ("===1.0-1", "===1.0.post1", false),
        ("===1.0.POST1", "===1.0.post1", true),
        ("===1.0", "==1.0", false),
    ] {
        let [left_set, right_set] = [left, right].map(|text| parse_specifiers(text).unwrap());
        assert_eq!(
            same_specifiers(&left_set, &right_set),
            same,
            "{left} {right}"
        );
    }
    for text in ["===", "===a b", "===a;b", "===a)", "=== ,>=1"] {
        let error = parse_specifiers(text).unwrap_err();
        assert!(
            error
                .message
                .ends_with("`===` must be followed by a text without white space, `;` and `)`"),
            "{error}"
        );
    }
}

#[test]
fn a_platform_and_a_marker_compare_the_text_too() {
    let platform: Platform = "cp312>=3.12.1-win_amd64".parse().unwrap();
    for (specifiers, satisfied) in [
        ("===3.12.1", false),
        ("===foobar", false),
        (">=3.12,===3.12.1", false),
    ] {
        let specifiers = parse_specifiers(specifiers).unwrap();
        assert_eq!(platform.satisfies(&specifiers), satisfied, "{specifiers}");
    }
    let environment = MarkerEnvironment::for_platform(&platform);
    for (marker, truth) in [
        ("python_version === '3.12'", Truth::True),
        ("'3.12' === python_version", Truth::True),
        ("python_version === '3.12.0'", Truth::False),
        ("python_version === 'v3.12'", Truth::False),
        ("python_version === 'foobar'", Truth::False),
        ("python_full_version === '3.12.4'", Truth::Unknown),
        ("python_full_version === '3.12.04'", Truth::False),
        ("python_full_version === '3.12.0'", Truth::False),
        // Not a text that can stand after `===`.
        ("python_version === ''", Truth::Unknown),
        ("python_version === '3.12)'", Truth::Unknown),
    ] {
        let read: Requirement = format!("b; {marker}").parse().unwrap();
        let read = read.marker.unwrap();
        assert_eq!(read.evaluate(&environment, None), truth, "{marker}");
        let is_undefined = !read.undefined_comparisons().is_empty();
        assert_eq!(
            is_undefined,
            marker.ends_with("''") || marker.contains(')'),
            "{marker}"
        );
    }
}

/// `fmt` leaves the text alone, and so do the declaration and the pages in a release.
#[test]
fn fmt_and_a_release_keep_the_text() {
    let builder = RepositoryBuilder::new()
        .platforms(&["cp312"], &["win_amd64"])
        .configuration("[severity]\nunavailable-dependency = \"off\"\n")
        .project(Project::automatic(WheelBuilder::new("plum", "1.0.post1")))
        .project(Project::wanted(
            WheelBuilder::new("apple", "1.0")
                .requires("plum===1.0.POST1")
                .requires_python("===3.12.01"),
        ));
    let repository = builder.build();
    let program = Program::new(repository.path());
    program.run(&["fmt"]).expect(ExitStatus::Clean);
    let text = fs::read_to_string(repository.join("declarations/apple.toml")).unwrap();
    assert!(
        text.contains("dependencies = [\"plum===1.0.POST1\"]"),
        "{text}"
    );
    assert!(text.contains("requires-python = \"===3.12.01\""), "{text}");
    program
        .run(&["build", "--unsigned", "--offline", "--tree", "tree"])
        .expect(ExitStatus::Clean);
    let page = fs::read_to_string(repository.join("tree/apple/index.html")).unwrap();
    assert!(
        page.contains("data-requires-python=\"===3.12.01\""),
        "{page}"
    );
    let page = fs::read_to_string(repository.join("tree/apple/index.v1_json")).unwrap();
    assert!(
        page.contains("\"requires-python\": \"===3.12.01\""),
        "{page}"
    );
    let text = fs::read_to_string(repository.join("tree/apple/declaration.toml")).unwrap();
    assert!(text.contains("\"plum===1.0.POST1\""), "{text}");
    program
        .run(&["verify", "release/release.car"])
        .expect(ExitStatus::Clean);
}

/// `add` takes the version whose text it is, with those that something else requires too.
#[test]
fn add_takes_the_version_of_that_text() {
    let bench = Bench::new();
    for version in ["1.0", "1.0.post1", "2.0", "3.0rc1"] {
        bench.offer("plum", &pure("plum", version));
    }
    for (wish, version) in [
        ("plum===1.0", "1.0"),
        ("plum===1.0.Post1", "1.0.post1"),
        ("plum===3.0RC1", "3.0rc1"),
    ] {
        bench.add(&[wish]).expect(ExitStatus::Clean);
        let file = format!("plum-{version}-py3-none-any.whl");
        assert_eq!(bench.wheels("plum"), [file], "{wish}");
    }
    for wish in ["plum===1.0-1", "plum===foobar"] {
        let run = bench.add(&[wish]).expect(ExitStatus::Findings);
        let asked = wish.trim_start_matches("plum");
        assert!(run.stderr.contains(asked), "{}", run.stderr);
    }
}
