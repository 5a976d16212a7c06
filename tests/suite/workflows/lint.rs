//! What the ready files promise, whatever they run: their forges' own linters, and what keeps
//! strangers out.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::yaml::{entries, read, text};
use super::{FORGES, sources};
use crate::support::tool;

#[track_caller]
fn assert_accepts(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Forgejo's own validator is in no registry that is reached; its workflows are GitHub's but for
/// the label of the runner, which `actionlint.yaml` names. The scripts go to shellcheck.
#[test]
fn actionlint_accepts_the_workflows() {
    let (actionlint, shellcheck) = (tool("actionlint"), tool("shellcheck"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci");
    for forge in ["github", "forgejo"] {
        let mut command = Command::new(&actionlint);
        command.current_dir(&folder).arg("-no-color");
        command.arg("-shellcheck").arg(&shellcheck);
        if forge == "forgejo" {
            command.args(["-config-file", "forgejo/actionlint.yaml"]);
        }
        for (name, _) in sources(forge) {
            command.arg(format!("{forge}/{name}"));
        }
        assert_accepts(&mut command);
    }
}

/// What `zizmor` looks for: secrets within reach, triggers that hand them out, actions that are not
/// pinned, permissions that are not stated, texts of strangers in scripts. Also in the files that
/// `init` writes, with a line that installs.
#[test]
fn zizmor_finds_nothing() {
    let zizmor = tool("zizmor");
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("my-wheels");
    let made = Command::new(env!("CARGO_BIN_EXE_ipwhl"))
        .args(["init", "--ci", "github,forgejo", "--install"])
        .arg("git+https://git.example.org/ipwhl@0123456789abcdef0123456789abcdef01234567")
        .arg(&written)
        .status();
    assert!(made.unwrap().success());
    let mut workflows = Vec::new();
    for place in [
        project.join("ci/github"),
        project.join("ci/forgejo"),
        project.join(".github/workflows"),
        written.join(".github/workflows"),
        written.join(".forgejo/workflows"),
    ] {
        let before = workflows.len();
        let files = fs::read_dir(&place)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        workflows.extend(files.filter(|file| {
            file.extension().is_some_and(|ending| ending == "yml")
                && !file.ends_with("actionlint.yaml")
        }));
        assert!(workflows.len() > before, "{}", place.display());
    }
    // It would ask the forge about commits and known flaws of actions.
    assert_accepts(
        Command::new(&zizmor)
            .args(["--offline", "--no-progress", "--color=never"])
            .args(&workflows),
    );
    // And it does find what is wrong.
    let text = fs::read_to_string(project.join("ci/github/ipwhl-check.yml")).unwrap();
    let unpinned = folder.path().join("unpinned.yml");
    let commit = text
        .lines()
        .find(|line| line.contains("uses: actions/checkout@"))
        .unwrap();
    fs::write(
        &unpinned,
        text.replace(commit, "        uses: actions/checkout@v7"),
    )
    .unwrap();
    let ran = Command::new(&zizmor)
        .args(["--offline", "--no-progress"])
        .arg(&unpinned)
        .output()
        .unwrap();
    assert!(!ran.status.success());
    assert!(String::from_utf8_lossy(&ran.stdout).contains("unpinned-uses"));
}

#[test]
fn the_schema_of_gitlab_accepts_the_pipeline() {
    let check = tool("check-jsonschema");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/gitlab/gitlab-ci.yml");
    let command = &mut Command::new(check);
    assert_accepts(
        command
            .args(["--builtin-schema", "vendor.gitlab-ci"])
            .arg(file),
    );
}

/// Every script of the forges whose linter does not look into them.
#[test]
fn shellcheck_accepts_the_scripts() {
    let shellcheck = tool("shellcheck");
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    let mut assert_script = |script: &str| {
        let file = folder.path().join(format!("{count}.sh"));
        count += 1;
        fs::write(&file, format!("#!/usr/bin/env bash\nset -e\n{script}\n")).unwrap();
        // Their variables are the manifest's (SC2154), and ~/.buildenv is to have `$HOME` as it
        // stands (SC2016).
        let command = &mut Command::new(&shellcheck);
        assert_accepts(command.arg("--exclude=SC2154,SC2016").arg(file));
    };
    let (_, pipeline) = sources("gitlab").remove(0);
    let pipeline = read(&pipeline);
    for job in ["default", "check", "release", "publish", "expiry"] {
        for lines in [&pipeline[job]["before_script"], &pipeline[job]["script"]] {
            let lines: Vec<&str> = lines
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            assert_script(&lines.join("\n"));
        }
    }
    for (_, manifest) in sources("sourcehut") {
        for task in read(&manifest)["tasks"].as_array().unwrap() {
            for (_, script) in entries(task) {
                assert_script(script.as_str().unwrap());
            }
        }
    }
}

/// All that stands in a YAML value, as `path: text`.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                leaves(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for item in items {
                leaves(item, path, found);
            }
        }
        other => found.push((path.to_owned(), text(other))),
    }
}

/// A name that a stranger could register installs nothing: there is one line that says how, and it
/// is empty.
#[test]
fn each_file_says_what_to_set_and_how_to_install() {
    let mut count = 0;
    for forge in FORGES {
        for (name, text) in sources(forge) {
            assert!(text.starts_with("# "), "{forge}/{name}");
            if name != "ipwhl-comment.yml" {
                let lines: Vec<&str> = text
                    .lines()
                    .filter(|line| line.trim_start().starts_with("IPWHL_INSTALL:"))
                    .collect();
                let line = match forge {
                    "gitlab" => "  IPWHL_INSTALL: { value: '', expand: false }",
                    _ => "  IPWHL_INSTALL: ''",
                };
                assert_eq!(lines, [line], "{forge}/{name}");
                let code = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with('#'));
                for line in code {
                    assert!(!line.contains("cargo install"), "{forge}/{name}: {line}");
                }
            }
            count += 1;
        }
    }
    assert_eq!(count, 8);
}

/// A group keeps one run that waits. Who only publishes must not push a waiting release out of it,
/// and two runs must not publish at the same time.
#[test]
fn publishing_alone_takes_no_waiting_releases_place() {
    for (name, source) in sources("github") {
        if name == "ipwhl-release.yml" {
            let workflow = read(&source);
            let group = "${{ inputs.publish-only && 'ipwhl-publish-only' || 'ipwhl-release' }}";
            let expected = json!({"group": group, "cancel-in-progress": false});
            assert_eq!(workflow["concurrency"], expected);
            let expected = json!({"group": "ipwhl-publish", "cancel-in-progress": false});
            assert_eq!(workflow["jobs"]["publish"]["concurrency"], expected);
        }
    }
}

/// GitHub stops schedules after 60 days in which nothing happens. By then the statement was
/// renewed, and holds for long.
#[test]
fn a_statement_is_renewed_before_schedules_stop() {
    for forge in ["github", "forgejo", "gitlab"] {
        let (name, source) = sources(forge).pop().unwrap();
        let file = read(&source);
        let variables = [&file["env"], &file["variables"]];
        let variables = variables.into_iter().find(|one| one.is_object()).unwrap();
        let days = |key: &str| -> u32 {
            text(&variables[key])
                .strip_suffix('d')
                .unwrap()
                .parse()
                .unwrap()
        };
        let (holds, within) = (days("IPWHL_EXPIRES"), days("IPWHL_RENEW_WITHIN"));
        let renewed_on = holds - within;
        assert!(
            renewed_on < 60 && renewed_on + holds - 60 >= 60,
            "{forge}/{name}"
        );
    }
}

/// What a stranger controls is never a part of a script, and has no secret and no permission at
/// hand.
#[test]
fn strangers_reach_nothing() {
    for forge in ["github", "forgejo"] {
        for (name, source) in sources(forge) {
            let workflow = read(&source);
            let place = format!("{forge}/{name}");
            assert!(workflow["on"]["pull_request_target"].is_null(), "{place}");
            let mut found = Vec::new();
            leaves(&workflow, "", &mut found);
            let is_release = name == "ipwhl-release.yml";
            for (path, text) in &found {
                if path.ends_with("/run") {
                    assert!(!text.contains("${{"), "{place}{path}: {text}");
                }
                // The key is at hand where releases are signed. The targets' secrets are lines that
                // a maintainer adds.
                let is_build = is_release && path.starts_with("/jobs/build/steps/env");
                assert!(
                    !text.contains("secrets.") || is_build,
                    "{place}{path}: {text}"
                );
            }
            // Permissions: none to write but where they are the job, and there is no key.
            if forge == "github" {
                assert!(workflow["permissions"].is_object(), "{place}");
                let writes: Vec<&str> = found
                    .iter()
                    .filter(|(path, text)| path.contains("/permissions/") && text == "write")
                    .map(|(path, _)| path.as_str())
                    .collect();
                let expected = match name.as_str() {
                    "ipwhl-check.yml" => &[][..],
                    "ipwhl-comment.yml" => &["/jobs/comment/permissions/pull-requests"][..],
                    _ => &["/jobs/keep/permissions/contents"][..],
                };
                assert_eq!(writes, expected, "{place}");
            }
            // Nothing of a proposed change starts a job that has secrets.
            if is_release {
                let events: Vec<&String> =
                    entries(&workflow["on"]).map(|(event, _)| event).collect();
                assert_eq!(events, ["push", "schedule", "workflow_dispatch"], "{place}");
                assert_eq!(
                    workflow["on"]["push"],
                    json!({"branches": ["main"]}),
                    "{place}"
                );
            }
            for (job, value) in entries(&workflow["jobs"]) {
                if forge == "github" {
                    let environment = match (is_release, job.as_str()) {
                        (true, "build") => json!("release"),
                        (true, "publish") => json!("publish"),
                        _ => Value::Null,
                    };
                    assert_eq!(value["environment"], environment, "{place}: {job}");
                }
                assert!(value["timeout-minutes"].is_number(), "{place}: {job}");
                for step in value["steps"].as_array().unwrap() {
                    let action = step["uses"].as_str().unwrap_or_default();
                    // The program that runs beside the key, or beside the targets' secrets, comes
                    // from no cache.
                    if is_release && action.starts_with("actions/cache@") {
                        assert_eq!(job, "build", "{place}");
                        assert_eq!(step["with"]["path"], "~/.cache/ipwhl", "{place}: {job}");
                    }
                    if action.starts_with("actions/checkout") {
                        assert_eq!(step["with"]["persist-credentials"], false, "{place}: {job}");
                        let has_checkout = ["check", "build", "targets", "publish"];
                        assert!(has_checkout.contains(&job.as_str()), "{place}: {job}");
                    }
                }
            }
        }
    }
    let [(_, check), _] = sources("sourcehut").try_into().unwrap();
    let check = read(&check);
    assert!(check["secrets"].is_null() && check["oauth"].is_null());
    assert!(!check.to_string().contains("SIGNING_KEY"));
    let (_, pipeline) = sources("gitlab").remove(0);
    let check = &read(&pipeline)["check"];
    assert!(!check.to_string().contains("SIGNING_KEY"));
}
