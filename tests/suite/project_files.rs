//! Files at the door of the project: what forges, editors, hooks and installers read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ipwhl::command::ExitStatus;

use crate::harness;
use crate::support::program::Program;
use crate::support::repository_builder::RepositoryBuilder;
use crate::support::tool;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The value of `key = "value"`, the first in the text.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let start = format!("{key} = \"");
    text.lines()
        .find_map(|line| line.strip_prefix(&start)?.split('"').next())
        .unwrap_or_else(|| panic!("no `{key}` in {text}"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[track_caller]
fn assert_accepts(command: &mut Command) {
    let output = command.current_dir(root()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn actionlint_accepts_the_workflows_of_the_project() {
    let actionlint = tool("actionlint");
    let workflows = files(".github/workflows");
    assert!(workflows.len() >= 2, "{workflows:?}");
    assert_accepts(Command::new(actionlint).arg("-no-color").args(workflows));
}

/// A tag can be moved to other code, a commit cannot.
#[test]
fn actions_are_pinned_by_commit() {
    let mut count = 0;
    for file in files(".github/workflows") {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            count += 1;
            let (_, version) = action.split_once('@').unwrap();
            let (commit, comment) = version.split_once(" # ").unwrap();
            let is_commit = commit.len() == 40 && commit.bytes().all(|one| one.is_ascii_hexdigit());
            assert!(is_commit && comment.starts_with('v'), "{line}");
        }
    }
    assert!(count > 0);
}

#[test]
fn the_forge_takes_the_forms_and_the_updates() {
    let check = tool("check-jsonschema");
    let schema = |name: &str| {
        let mut command = Command::new(&check);
        command.args(["--builtin-schema", name]);
        command
    };
    assert_accepts(schema("vendor.dependabot").arg(".github/dependabot.yml"));
    assert_accepts(schema("vendor.github-issue-config").arg(".github/ISSUE_TEMPLATE/config.yml"));
    let forms = files(".github/ISSUE_TEMPLATE")
        .into_iter()
        .filter(|file| !file.ends_with("config.yml"));
    assert_accepts(schema("vendor.github-issue-forms").args(forms));
}

/// The compiler of `rust-toolchain.toml` is one that the package accepts.
#[test]
fn the_pinned_compiler_is_new_enough() {
    let numbers = |version: &str| -> Vec<u64> {
        version
            .split('.')
            .map(|number| number.parse().unwrap())
            .collect()
    };
    let toolchain = read("rust-toolchain.toml");
    let (pinned, package) = (value(&toolchain, "channel"), read("Cargo.toml"));
    let oldest = value(&package, "rust-version");
    assert!(numbers(pinned) >= numbers(oldest), "{pinned} {oldest}");
}

/// `cargo binstall` looks for the very name that `ci/dist` gives the archive and the folder in it.
#[test]
fn installers_look_for_the_name_that_dist_writes() {
    let package = read("Cargo.toml");
    let [address, folder] = ["pkg-url", "bin-dir"].map(|key| {
        value(&package, key)
            .replace("{ name }", "ipwhl")
            .replace("{ version }", "<version>")
            .replace("{ target }", "<triple>")
    });
    let archive = address.rsplit('/').next().unwrap();
    assert!(read("ci/dist").contains(&format!("\n    {archive} ")));
    let stem = archive.strip_suffix(".tar.gz").unwrap();
    assert_eq!(folder, format!("{stem}/{{ bin }}{{ binary-ext }}"));
}

/// The wheel's name stands in `pyproject.toml` and nowhere else.
#[test]
fn the_name_of_the_wheel_stands_in_one_place() {
    let project = read("pyproject.toml");
    let name = value(&project, "name");
    for spelling in [name.to_owned(), name.replace('-', "_")] {
        let output = Command::new("git")
            .args(["grep", "-lF", &spelling, "--", ":!fuzz"])
            .current_dir(root())
            .output()
            .unwrap();
        let found = String::from_utf8(output.stdout).unwrap();
        assert!(["", "pyproject.toml\n"].contains(&&*found), "{found}");
    }
}

/// Each hook's command line does on a repository what it promises, as pre-commit would call it.
#[test]
fn hooks_run_on_a_repository() {
    let hooks = read(".pre-commit-hooks.yaml");
    let entries: Vec<Vec<&str>> = hooks
        .lines()
        .filter_map(|line| line.strip_prefix("  entry: ipwhl "))
        .map(|line| line.split(' ').collect())
        .collect();
    assert_eq!(entries, [&["fmt"][..], &["check", "--deny", "warnings"]]);
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path());
    let formatted = ["fmt", "declarations/damson.toml"];
    program.run(&formatted).expect(ExitStatus::Clean);
    program.run(&entries[1]).expect(ExitStatus::Clean);
}

/// The licence that the package names is there, and so is each file that it includes.
#[test]
fn the_package_has_what_it_includes() {
    let package = read("Cargo.toml");
    let list = package
        .split_once("\ninclude = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .unwrap()
        .0;
    let mut count = 0;
    for entry in list.split('"').skip(1).step_by(2) {
        let path = entry.trim_start_matches('/').replace('*', "MIT");
        assert!(root().join(&path).exists(), "{entry}");
        count += 1;
    }
    assert!(count > 5);
    // What the program's texts are made of lies in one of them.
    for folder in ["ci/github", "schemas", "src"] {
        assert!(Path::new(&root()).join(folder).is_dir());
        assert!(list.contains(&format!("\"/{folder}\"")), "{folder}");
    }
}

/// Each row of the threat model names tests, and each of them is one of this suite.
#[test]
fn each_attack_of_the_threat_model_has_its_tests() {
    let known: BTreeSet<String> = harness::paths().collect();
    let text = read("docs/security.md");
    let mut attacks = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [attack, _, _, tests] = cells[..] else {
            continue;
        };
        if attack == "attack" {
            continue;
        }
        attacks += 1;
        assert!(!tests.is_empty(), "{attack}");
        for test in tests.split(", ") {
            assert!(known.contains(test.trim_matches('`')), "{attack}: {test}");
        }
    }
    assert!(attacks > 30, "{attacks}");
}
