//! `ipwhl publish --status` and `--format json`: what targets hold, for people and for what watches
//! them.

use std::fs;

use serde_json::Value;

use crate::publish_kubo::{installable_with, settings, succeeded};
use crate::reuse::{key, trusted};
use crate::support::http;
use crate::support::nodes::Node;
use crate::support::workshop::{Ran, Workshop};

fn parsed(ran: &Ran) -> Value {
    let line = ran.output.strip_suffix('\n').expect("a line");
    assert!(!line.contains('\n'), "{ran:?}");
    serde_json::from_str(line).unwrap()
}

fn target<'v>(value: &'v Value, name: &str) -> &'v Value {
    let mut targets = value["targets"].as_array().unwrap().iter();
    targets.find(|target| target["name"] == name).unwrap()
}

#[test]
#[cfg(unix)]
fn each_target_says_what_it_holds_since_when_and_until_when() {
    let node = Node::start();
    let workshop = Workshop::with(&installable_with("2.0").configuration(&trusted()));
    fs::write(workshop.path("key"), key(1).to_openssh().unwrap()).unwrap();
    let targets = format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\ngateway = \"{}\"\n\n[publish.site]\nkind \
         = \"directory\"\npath = \"../site\"\nurl \
         = \"https://index.example.org/wheels\"\n\n[publish.name]\nkind = \"ipns\"\nfile \
         = \"../record\"\n",
        node.api, node.gateway
    );
    settings(&workshop, &targets);
    let configuration = fs::read(workshop.repository().join("ipwhl.toml")).unwrap();
    // Nothing is there yet, and no release is needed to ask.
    let ran = workshop.run(&["publish", "--status"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.output, "node: empty\nsite: empty\nname: empty\n");

    let expires = ["--key", "../key", "--expires", "20d"];
    let first = workshop.build(&expires);
    let ran = succeeded(workshop.run(&["publish", "--key", "../key", "--format", "json"]));
    let value = parsed(&ran);
    assert_eq!(value["root"], first.as_str());
    assert_eq!(value["sequence"], 1);
    let of_node = target(&value, "node");
    assert_eq!(of_node["state"], "published");
    assert!(of_node["held"].is_null() && of_node["error"].is_null());
    assert!(of_node["moved"]["blocks"].as_u64().unwrap() > 0);
    assert!(of_node["read_back"]["bytes"].as_u64().unwrap() > 0);
    assert!(target(&value, "site")["moved"]["files"].as_u64().unwrap() > 0);
    assert!(
        target(&value, "name")["results"][0]
            .as_str()
            .unwrap()
            .starts_with("/ipns/")
    );
    // What pip is given.
    let addresses = [
        format!("{}/ipfs/{first}/", node.gateway),
        "https://index.example.org/wheels/latest/".to_owned(),
        format!("https://index.example.org/wheels/{first}/"),
    ];
    assert_eq!(value["addresses"], serde_json::json!(addresses));
    let ran = succeeded(workshop.run(&["publish", "--key", "../key"]));
    for address in &addresses {
        let line = format!("pip install --index-url {address} NAME\n");
        assert!(ran.output.contains(&line), "{ran:?}");
    }
    let value = parsed(&succeeded(
        workshop.run(&["publish", "node", "--format", "json"]),
    ));
    assert_eq!(target(&value, "node")["state"], "unchanged");

    // Of a second release, two targets have the first one.
    workshop.write_over(&installable_with("2.1"));
    fs::write(workshop.repository().join("ipwhl.toml"), configuration).unwrap();
    let second = workshop.build(&expires);
    succeeded(workshop.run(&["publish", "node"]));
    let ran = workshop.run(&["publish", "--status"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    // A moment may have gone by since, or not.
    let output = ran.output.replace("in 20 days", "in 19 days");
    let lines: Vec<&str> = output.lines().collect();
    let times = "created less than an hour ago, expires in 19 days";
    assert_eq!(
        lines,
        [
            format!("node: current: sequence 2, {second}, {times}; 1 older release"),
            format!("site: behind: sequence 1, {first}, {times}"),
            format!("name: behind: sequence 1, {first}, {times}"),
        ]
    );
    // Watched by somebody who has the settings alone.
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    fs::remove_file(workshop.path("key")).unwrap();
    let ran = workshop.run(&["publish", "--status", "--format", "json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let value = parsed(&ran);
    let states = ["node", "site", "name"].map(|name| target(&value, name)["state"].clone());
    assert_eq!(states, ["current", "behind", "behind"]);
    let held = &target(&value, "node")["releases"];
    assert_eq!(held[0]["root"], second.as_str());
    assert_eq!(held[1]["sequence"], 1);
    // The folder keeps the first statement, and nobody at hand has the second.
    assert!(held[0]["expires"].is_null() && held[1]["expires"].is_string());

    // One that cannot be asked is named, and the others are.
    let text = fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    let text = text.replace(&node.api, &http::closed());
    fs::write(workshop.repository().join("ipwhl.toml"), text).unwrap();
    let ran = workshop.run(&["publish", "--status"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.output
            .starts_with("node: unknown\nsite: current: sequence 1"),
        "{ran:?}"
    );
    ran.said("node: no connection to");
}

/// What readers use is looked at, and not only what is pinned or lies there.
#[test]
#[cfg(unix)]
fn a_path_or_a_link_that_leads_elsewhere_and_a_fork_are_seen() {
    let (one, two) = (Node::start(), Node::start());
    let workshop = Workshop::with(&installable_with("2.0").configuration(&trusted()));
    fs::write(workshop.path("key"), key(1).to_openssh().unwrap()).unwrap();
    let targets = format!(
        "[publish.one]\nkind = \"kubo\"\napi = \"{}\"\nmfs = \"/latest\"\n\n[publish.two]\nkind \
         = \"kubo\"\napi = \"{}\"\n\n[publish.site]\nkind = \"directory\"\npath = \"../site\"\n",
        one.api, two.api
    );
    settings(&workshop, &targets);
    let configuration = fs::read(workshop.repository().join("ipwhl.toml")).unwrap();
    let build = |version: &str, more: &[&str]| {
        workshop.write_over(&installable_with(version));
        fs::write(workshop.repository().join("ipwhl.toml"), &configuration).unwrap();
        workshop.build(&[&["--key", "../key"], more].concat())
    };
    let first = build("2.0", &[]);
    succeeded(workshop.run(&["publish"]));
    let second = build("2.1", &[]);
    succeeded(workshop.run(&["publish", "one", "site"]));

    let link = workshop.path("site/latest");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&first, &link).unwrap();
    one.text(&["files", "rm", "-r", "/latest"]);
    let ran = workshop.run(&["publish", "--status", "one", "site"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    ran.said("one: `/latest` in the MFS is missing, but the newest release is");
    ran.said(&format!(
        "refers to `{first}`, but the newest release is {second}"
    ));
    succeeded(workshop.run(&["publish", "one", "site"]));
    succeeded(workshop.run(&["publish", "--status", "one", "site"]));

    // Another second release at the other node.
    let previous = "release/statements/1/release.toml";
    build("2.2", &["--previous", previous, "--output", "../fork"]);
    succeeded(workshop.run(&["publish", "--release", "../fork", "two"]));
    let ran = workshop.run(&["publish", "--status"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for name in ["one", "two", "site"] {
        assert!(
            ran.output.contains(&format!("{name}: forked: sequence 2")),
            "{ran:?}"
        );
    }
    // A secret that cannot be used is what it is everywhere.
    let mut command = workshop.command(&["publish", "--status"]);
    command.env("IPWHL_PUBLISH_ONE_BASIC", "no pair");
    let ran = Ran::of(&command.output().unwrap());
    assert_eq!(ran.code, Some(2), "{ran:?}");
}
