//! `ipwhl publish` of releases that do, or do not, follow what a target holds, by the statements in
//! between.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::publish_kubo::{installable_with, settings, succeeded};
use crate::reuse::{key, trusted};
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::nodes::Node;
use crate::support::workshop::Workshop;

/// A maintainer's folder, with two keys of which the first is trusted.
fn workshop(targets: &str) -> Workshop {
    let workshop = Workshop::with(&installable_with("2.0").configuration(&trusted()));
    for seed in [1, 2] {
        let text = key(seed).to_openssh().unwrap();
        fs::write(workshop.path(&format!("key-{seed}")), text).unwrap();
    }
    settings(&workshop, targets);
    workshop
}

/// Builds a release with this version of `library` into a folder beside the repository, on top of
/// that of another one.
fn release(workshop: &Workshop, version: &str, output: &str, previous: Option<&str>) -> String {
    let configuration = fs::read(workshop.repository().join("ipwhl.toml")).unwrap();
    workshop.write_over(&installable_with(version));
    fs::write(workshop.repository().join("ipwhl.toml"), configuration).unwrap();
    let output = format!("../{output}");
    let previous = previous.map(|folder| format!("../{folder}/release.toml"));
    let mut arguments = vec!["--key", "../key-1", "--output", &output];
    if let Some(previous) = &previous {
        arguments.extend(["--previous", previous]);
    }
    workshop.build(&arguments)
}

fn publish<'a>(release: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["publish", "--release", release], more].concat()
}

fn node_target(node: &Node) -> String {
    format!("[publish.node]\nkind = \"kubo\"\napi = \"{}\"\n", node.api)
}

#[test]
fn a_fork_that_is_longer_is_refused_and_nothing_is_changed() {
    let node = Node::start();
    let site = "[publish.site]\nkind = \"directory\"\npath = \"../site\"\n";
    let workshop = workshop(&(node_target(&node) + site));
    release(&workshop, "2.0", "one", None);
    let second = release(&workshop, "2.1", "two", Some("one"));
    succeeded(workshop.run(&publish("../one", &[])));
    succeeded(workshop.run(&publish("../two", &[])));
    let pins = node.pins();

    // Somebody else builds on the first release, and then on theirs.
    let other = release(&workshop, "2.2", "other-two", Some("one"));
    release(&workshop, "2.3", "other-three", Some("other-two"));
    assert_ne!(second, other);
    for arguments in [&[][..], &["--dry-run"], &["node"], &["site"]] {
        let ran = workshop.run(&publish("../other-three", arguments));
        ran.refused(
            1,
            &[
                &format!("it has {second} as sequence 2"),
                &format!("another one of that sequence, {other}"),
                "with its statement in `--previous`",
            ],
        );
    }
    // Directly on top of a release of the same sequence, it cannot be told by the sequence alone
    // either.
    fs::remove_dir_all(workshop.path("other-three/statements")).unwrap();
    workshop
        .run(&publish("../other-three", &["node"]))
        .refused(1, &[&format!("another one of that sequence, {other}")]);
    assert_eq!(node.pins(), pins);
    let latest = fs::read_link(workshop.path("site/latest")).unwrap();
    assert_eq!(latest, Path::new(&second));
}

#[test]
fn a_release_follows_over_statements_that_are_beside_it_or_named() {
    let node = Node::start();
    let workshop = workshop(&node_target(&node));
    let first = release(&workshop, "2.0", "one", None);
    succeeded(workshop.run(&publish("../one", &[])));
    release(&workshop, "2.1", "two", Some("one"));
    release(&workshop, "2.2", "three", Some("two"));
    // As a runner has it: the archive, its statement and the one before.
    let kept = workshop.path("three/statements");
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&kept), ["2"]);
    assert_eq!(names(&kept.join("2")), ["release.toml", "release.toml.sig"]);

    // Without it nothing shows that the third follows the first.
    fs::rename(&kept, workshop.path("aside")).unwrap();
    workshop.run(&publish("../three", &[])).refused(
        1,
        &[
            &format!("it has sequence 1 ({first})"),
            "the statement of sequence 2",
            "is not available",
            "`--follow FILE`",
        ],
    );
    // Another's signature under it does not show it.
    let statement = workshop.path("aside/2/release.toml");
    let text = fs::read(&statement).unwrap();
    let by_other = workshop.path("by-other.toml");
    fs::write(&by_other, &text).unwrap();
    let signature = ipwhl::release::signature::sign(&key(2), &text).unwrap();
    fs::write(workshop.path("by-other.toml.sig"), signature).unwrap();
    let follow = ["--follow", "../by-other.toml"];
    workshop.run(&publish("../three", &follow)).refused(
        1,
        &["sequence 2 is not signed by keys that the next one trusts"],
    );
    let follow = ["--follow", "../aside/2/release.toml", "--dry-run"];
    succeeded(workshop.run(&publish("../three", &follow)));
    // Beside the archive it is found by itself.
    fs::rename(workshop.path("aside"), &kept).unwrap();
    succeeded(workshop.run(&publish("../three", &[])));
    assert!(
        node.pins()
            .iter()
            .any(|(_, name)| name == "ipwhl/example/3")
    );
}

#[test]
#[cfg(unix)]
fn folders_and_branches_show_what_is_in_between() {
    let node = Node::start();
    let site = "[publish.site]\nkind = \"directory\"\npath = \"../site\"\n";
    let history = "[publish.history]\nkind = \"git\"\nrepository = \"../git\"\n";
    let run_git = |workshop: &Workshop, arguments: &[&str]| {
        let git = crate::support::tool("git");
        let mut command = std::process::Command::new(git);
        command.args(arguments).current_dir(workshop.path(""));
        command.env("GIT_CONFIG_GLOBAL", "/dev/null");
        assert!(command.status().unwrap().success());
    };
    for (name, target) in [("site", site), ("history", history)] {
        let targets = format!(
            "{}{site}{}",
            node_target(&node),
            if name == "site" { "" } else { target }
        );
        let workshop = workshop(&targets);
        run_git(&workshop, &["init", "--quiet", "git"]);
        for (key, value) in [("user.name", "A"), ("user.email", "a@example.org")] {
            run_git(&workshop, &["-C", "git", "config", key, value]);
        }
        release(&workshop, "2.0", "one", None);
        release(&workshop, "2.1", "two", Some("one"));
        release(&workshop, "2.2", "three", Some("two"));
        // The node misses the second one.
        let key = ["--key", "../key-1"];
        succeeded(workshop.run(&publish("../one", &key)));
        succeeded(workshop.run(&publish("../two", &[&key[..], &["site", name]].concat())));
        fs::remove_dir_all(workshop.path("three/statements")).unwrap();
        if name == "history" {
            fs::remove_dir_all(workshop.path("site")).unwrap();
        }
        let ran = succeeded(workshop.run(&publish("../three", &[&key[..], &["node"]].concat())));
        ran.said("pinned ");
        for (cid, name) in node.pins() {
            if name.starts_with("ipwhl/") {
                node.text(&["pin", "rm", &cid]);
            }
        }
    }
}

/// Two who publish at once: the one that comes second sees what the first one has done.
#[test]
fn of_two_runs_at_once_one_sees_that_the_other_was_faster() {
    let node = Node::start();
    let workshop = workshop(&node_target(&node));
    release(&workshop, "2.0", "one", None);
    succeeded(workshop.run(&publish("../one", &[])));
    let proxy = CuttingProxy::start(&node.api, Cut::Meanwhile("/pin/add"));
    release(&workshop, "2.1", "two", Some("one"));
    release(&workshop, "2.2", "other-two", Some("one"));
    let configuration = workshop.repository().join("ipwhl.toml");
    let direct = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, direct.replace(&node.api, &proxy.url)).unwrap();
    let mut command = workshop.command(&publish("../other-two", &[]));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = std::cell::RefCell::new(command.spawn().unwrap());
    let is_over = || child.borrow_mut().try_wait().unwrap().is_some();
    let is_met = proxy.when_cut(is_over, || {
        fs::write(&configuration, &direct).unwrap();
        succeeded(workshop.run(&publish("../two", &[])));
    });
    assert!(is_met);
    let output = child.into_inner().wait_with_output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(
        words.contains("it has another release with the sequence 2"),
        "{words}"
    );
}
