//! The build manifests of SourceHut, run.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::site::{Change, NAME, Site, copy, executable, shell, shown};
use super::yaml::{entries, read, text};
use crate::support::workshop::Ran;

/// How the tasks of a build ended, in their order: those that ran.
pub(super) type Tasks = Vec<(String, Ran)>;

/// Runs a manifest for a pushed reference; `secret` is the file that the job is given.
pub(super) fn build(site: &Site, manifest: &str, reference: &str, secret: Option<&str>) -> Tasks {
    let manifest = read(&site.read(&format!(".builds/ipwhl-{manifest}.yml")));
    let (folder, mut variables) = site.machine("sourcehut");
    let home = folder.join("home");
    variables.insert("GIT_REF".to_owned(), format!("refs/heads/{reference}"));
    for (name, value) in entries(&manifest["environment"]) {
        variables.insert(
            name.clone(),
            text(value).replace("/home/build", &shown(&home)),
        );
    }
    fs::write(home.join(".buildenv"), "").unwrap();
    if let Some(secret) = secret {
        fs::write(home.join(".ipwhl-signing-key"), secret).unwrap();
    }
    let mark = shown(&folder.join("complete"));
    let complete = site.path("bin/complete-build");
    fs::write(&complete, format!("#!/bin/sh\ntouch '{mark}'\nexit 255\n")).unwrap();
    executable(&complete);
    let git = |arguments: &[&str]| {
        let output = Command::new(site.path("bin/git"))
            .args(arguments)
            .current_dir(&home)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["clone", "--quiet", &site.origin(), NAME]);
    git(&[
        "-C",
        NAME,
        "checkout",
        "--quiet",
        "--detach",
        &format!("origin/{reference}"),
    ]);
    let mut ran = Tasks::new();
    for task in manifest["tasks"].as_array().unwrap() {
        let (name, script) = entries(task).next().unwrap();
        let script = format!(". ~/.buildenv\nset -xe\n{}", script.as_str().unwrap());
        let one = shell(&home, &[], &script, &variables);
        let is_success = one.code == Some(0);
        let is_complete = folder.join("complete").exists();
        ran.push((name.clone(), one));
        if is_complete || !is_success {
            return ran;
        }
    }
    let store = site.path("state/artifacts/release");
    let _ = fs::remove_dir_all(&store);
    for path in manifest["artifacts"].as_array().into_iter().flatten() {
        let path = home.join(path.as_str().unwrap());
        copy(&path, &store.join(path.file_name().unwrap()));
    }
    ran
}

/// The names of the tasks that ran, each with its exit code.
fn codes(tasks: &Tasks) -> Vec<(&str, i32)> {
    let tasks = tasks.iter();
    tasks
        .map(|(name, ran)| (name.as_str(), ran.code.unwrap()))
        .collect()
}

#[test]
fn what_is_pushed_is_checked() {
    let site = Site::new("sourcehut");
    // The very first push: there is nothing to compare with.
    let tasks = build(&site, "check", "main", None);
    assert_eq!(
        codes(&tasks),
        [("program", 0), ("form", 0), ("check", 0)],
        "{tasks:#?}"
    );
    site.propose("clean", Change::Clean);
    let tasks = build(&site, "check", "clean", None);
    assert_eq!(
        codes(&tasks),
        [("program", 0), ("form", 0), ("check", 0)],
        "{tasks:#?}"
    );
    tasks[2].1.said("1 wheel of changed declarations");
    site.propose("change", Change::Breaking);
    let tasks = build(&site, "check", "change", None);
    assert_eq!(
        codes(&tasks),
        [("program", 0), ("form", 0), ("check", 1)],
        "{tasks:#?}"
    );
    tasks[2].1.said("--> declarations/application.toml:");
    site.propose("form", Change::Unformatted);
    let tasks = build(&site, "check", "form", None);
    assert_eq!(codes(&tasks), [("program", 0), ("form", 1)], "{tasks:#?}");
    // On the main branch, the commit before.
    site.land(Change::Clean);
    let tasks = build(&site, "check", "main", None);
    assert_eq!(
        codes(&tasks),
        [("program", 0), ("form", 0), ("check", 0)],
        "{tasks:#?}"
    );
    tasks[2].1.said("1 wheel of changed declarations");
}

#[test]
fn the_main_branch_is_released_and_nothing_else() {
    let site = Site::new("sourcehut");
    let all = [("branch", 0), ("program", 0), ("build", 0), ("verify", 0)];
    let tasks = build(&site, "release", "main", Some(&site.key));
    assert_eq!(codes(&tasks), all, "{tasks:#?}");
    let kept = site.path("state/artifacts/release");
    let first = site.assert_release(&kept, 1);
    // As a maintainer does with the address where releases are published.
    let manifest = site.path(NAME).join(".builds/ipwhl-release.yml");
    let text = fs::read_to_string(&manifest).unwrap();
    let previous = site.path("published");
    copy(&kept, &previous);
    let filled = text.replacen(
        "previous: \"\"",
        &format!("previous: \"{}\"", shown(&previous.join("release.toml"))),
        1,
    );
    assert_ne!(filled, text);
    fs::write(manifest, filled).unwrap();
    // The same again, as somebody submits it each month, signs nothing while most of the year is
    // left.
    let lifetime = first.expires.unwrap().duration_since(first.created);
    assert_eq!(lifetime.as_hours(), 365 * 24);
    let tasks = build(&site, "release", "main", Some(&site.key));
    assert_eq!(codes(&tasks), all, "{tasks:#?}");
    assert_eq!(site.assert_release(&kept, 1), first);
    site.land(Change::Clean);
    let tasks = build(&site, "release", "main", Some(&site.key));
    assert_eq!(codes(&tasks), all, "{tasks:#?}");
    assert_eq!(site.assert_release(&kept, 2).previous, Some(first.root));

    let tasks = build(&site, "release", "main", None);
    assert_eq!(
        codes(&tasks),
        [("branch", 0), ("program", 0), ("build", 1)],
        "{tasks:#?}"
    );
    tasks[2].1.said("there is no key in ");
    fs::remove_dir_all(&kept).unwrap();
    site.propose("clean", Change::Clean);
    let tasks = build(&site, "release", "clean", Some(&site.key));
    assert_eq!(codes(&tasks), [("branch", 255)], "{tasks:#?}");
    assert!(!kept.exists());
}

/// No registry has a schema of the manifests: their keys are held to the documentation of
/// builds.sr.ht.
#[test]
fn the_manifests_have_the_keys_that_are_documented() {
    let known: BTreeSet<&str> = [
        "arch",
        "artifacts",
        "environment",
        "image",
        "oauth",
        "packages",
        "repositories",
        "secrets",
        "shell",
        "sources",
        "submitter",
        "tasks",
        "triggers",
    ]
    .into();
    for (name, text) in super::sources("sourcehut") {
        let manifest = read(&text);
        for (key, _) in entries(&manifest) {
            assert!(known.contains(key.as_str()), "{name}: {key}");
        }
        assert!(manifest["image"].is_string());
        let tasks = manifest["tasks"].as_array().unwrap();
        for task in tasks {
            let all: Vec<_> = entries(task).collect();
            assert_eq!(all.len(), 1, "{name}: {task}");
            let is_named = all[0]
                .0
                .chars()
                .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'));
            assert!(is_named && all[0].1.is_string(), "{name}: {task}");
        }
        for (_, value) in entries(&manifest["environment"]) {
            assert!(value.is_string(), "{name}: {value}");
        }
        for (service, settings) in entries(&manifest["submitter"]) {
            assert_eq!(service, "git.sr.ht");
            for (key, _) in entries(settings) {
                assert!(
                    ["enabled", "allow-refs"].contains(&key.as_str()),
                    "{name}: {key}"
                );
            }
        }
    }
}
