//! `ipwhl diff`: two states of the set, by the real program, real archives, gateways and a real git.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use ipwhl::dag::{Cid, Profile};
use serde_json::{Value, json};

use crate::hollow_command::{lose_the_wheels, small_with_newer_library};
use crate::reuse::{address, open, read, serving};
use crate::support::history::History;
use crate::support::loopback_index::LoopbackIndex;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::{Ran, Workshop, native, pure, small};

/// A newer `application` that has something of every risk.
fn tampered() -> WheelBuilder {
    let entry_points =
        "[console_scripts]\napplication = application:main\n[plugins]\none = application:plug\n";
    pure("application", "1.1")
        .requires_python(">=3.9")
        .requires("library>=2,<3")
        .requires("native-thing")
        .requires("helper")
        .member("application_startup.pth", "import application\n")
        .member("application_speed.so", b"text, and its name says otherwise")
        .member("hidden.bin", b"\x7fELF\x02\x01\x01")
        .member("other_package/__init__.py", "")
        .member(
            "application-1.1.data/scripts/application-setup",
            "#!python\n",
        )
        .member("application-1.1.data/data/etc/application.conf", "a = 1\n")
        .member("application-1.1.dist-info/entry_points.txt", entry_points)
}

/// The set after [`small`]: `application` has a new version, `helper` is new, `large` has gone.
fn later() -> RepositoryBuilder {
    with_application(tampered()).project(Project::automatic(pure("helper", "0.1")))
}

fn with_application(application: WheelBuilder) -> RepositoryBuilder {
    let mut native = native().into_iter();
    let first = Project::automatic(native.next().unwrap());
    RepositoryBuilder::new()
        .platforms(&["cp312"], &["manylinux_2_28_x86_64", "win_amd64"])
        .project(Project::wanted(application))
        .project(Project::automatic(pure("library", "2.1.post1")))
        .project(native.fold(first, Project::wheel))
}

/// Two releases, `old` and `new`, of [`small`] and of this set, and their roots.
fn released(next: &RepositoryBuilder) -> (Workshop, [String; 2]) {
    let workshop = Workshop::small();
    let old = workshop.build(&["--unsigned", "--output", "old"]);
    workshop.write_over(next);
    let new = workshop.build(&["--unsigned", "--output", "new"]);
    (workshop, [old, new])
}

#[track_caller]
fn difference(workshop: &Workshop, arguments: &[&str]) -> Value {
    let ran = workshop.run(&[&["diff", "--format", "json"], arguments].concat());
    serde_json::from_str(ran.line()).unwrap()
}

/// What is printed, without roots, and without the line that counts pages.
#[track_caller]
fn printed(ran: &Ran, roots: &[String; 2]) -> String {
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let lines = ran.output.lines();
    let lines: Vec<String> = lines
        .filter(|line| !line.contains("a mirror moves"))
        .map(|line| line.replace(&roots[0], "OLD").replace(&roots[1], "NEW"))
        .collect();
    lines.join("\n")
}

/// The program with the variables by which git is found and works.
fn with_git(workshop: &Workshop, arguments: &[&str]) -> Ran {
    let mut command: Command = workshop.command(arguments);
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    Ran::of(&command.output().unwrap())
}

fn texts<'v>(values: &'v Value, key: &str) -> Vec<&'v str> {
    let values = values.as_array().unwrap();
    values
        .iter()
        .map(|one| one[key].as_str().unwrap())
        .collect()
}

#[test]
fn two_releases_are_told_apart_with_what_is_risky_first() {
    let (workshop, roots) = released(&later());
    let text = workshop.run(&["diff", "old", "new"]);
    insta::assert_snapshot!("text", printed(&text, &roots));
    let in_full = workshop.run(&["diff", "-v", "old", "new"]);
    insta::assert_snapshot!("in_full", printed(&in_full, &roots));
    let markdown = workshop.run(&["diff", "old", "new", "--format", "markdown"]);
    insta::assert_snapshot!("markdown", printed(&markdown, &roots));
    let coloured = workshop.run(&["diff", "old", "new", "--color", "always"]);
    let bare = anstream::adapter::strip_str(&coloured.output).to_string();
    assert!(bare == text.output && coloured.output.contains("\u{1b}[1m"));

    let value = difference(&workshop, &["old", "new"]);
    assert_eq!(value["old"]["root"], json!(roots[0]));
    assert_eq!(value["new"]["kind"], "release");
    assert_eq!(
        texts(&value["projects"], "name"),
        ["application", "helper", "large"]
    );
    assert_eq!(
        texts(&value["projects"], "change"),
        ["changed", "added", "removed"]
    );
    let wheel = &value["projects"][0]["wheels"][0];
    let members = &wheel["members"]["members"];
    assert_eq!(
        texts(members, "risk")[..7],
        [
            "startup",
            "native-code",
            "native-code",
            "entry-points",
            "script",
            "outside-package",
            "outside-package"
        ]
    );
    assert_eq!(
        texts(members, "path")[..3],
        [
            "application_startup.pth",
            "application_speed.so",
            "hidden.bin"
        ]
    );
    assert_eq!(
        wheel["members"]["entry_points"][0]["new"],
        "application:main"
    );
    assert_eq!(wheel["old"]["requires_python"], ">=3.8");
    assert_eq!(value["unchanged_projects"], 2);
}

#[test]
fn nothing_differs_between_a_state_and_itself() {
    let workshop = Workshop::small();
    workshop.build(&["--unsigned", "--output", "old"]);
    for arguments in [
        &["old", "old"][..],
        &["old"],
        &[".", "path:."],
        &["old/release.car", "."],
    ] {
        let ran = workshop.run(&[&["diff", "--exit-code"], arguments].concat());
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        assert_eq!(
            ran.output.lines().nth(2),
            Some("nothing differs"),
            "{ran:?}"
        );
        let value = difference(&workshop, arguments);
        assert_eq!(value["projects"], json!([]));
        assert_eq!(value["transfer"]["bytes"], 0);
    }
}

#[test]
fn what_a_mirror_moves_is_what_a_delta_has() {
    for profile in Profile::ALL {
        let workshop = Workshop::with(&small().profile(profile));
        workshop.build(&["--unsigned", "--output", "old"]);
        workshop.write_over(&small_with_newer_library(profile));
        workshop.build(&["--unsigned", "--output", "new"]);
        let delta = ["--car", "delta", "--previous-car", "old"];
        workshop.build(&[&["--unsigned", "--output", "delta"], &delta[..]].concat());
        let delta = open(&read(&workshop, "delta/release.delta.car"));
        let full = open(&read(&workshop, "new/release.car"));
        let bytes = |archive: &ipwhl::car::CarReader<_>, cids: &[Cid]| -> u64 {
            use ipwhl::car::Blocks;
            let lengths = cids
                .iter()
                .map(|cid| archive.require(cid).unwrap().len() as u64);
            lengths.sum()
        };
        let expected = json!({
            "exact": true,
            "blocks": delta.len(),
            "bytes": bytes(&delta, &delta.cids()),
            "all_blocks": full.len(),
            "all_bytes": bytes(&full, &full.cids()),
            "unknown": 0,
        });
        let value = difference(&workshop, &["old", "new"]);
        assert_eq!(value["transfer"], expected, "{profile}");
        // Without the wheels as much is known.
        for folder in ["old", "new"] {
            workshop.run(&["hollow", folder]).line();
            fs::remove_file(workshop.repository().join(folder).join("release.car")).unwrap();
        }
        let value = difference(&workshop, &["old", "new"]);
        assert_eq!(value["transfer"], expected, "{profile}: of hollow ones");
    }
}

#[test]
fn what_was_not_looked_into_is_said() {
    let (workshop, _) = released(&later());
    for folder in ["old", "new"] {
        workshop.run(&["hollow", folder]).line();
        fs::remove_file(workshop.repository().join(folder).join("release.car")).unwrap();
    }
    lose_the_wheels(&workshop);
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    let ran = workshop.run(&["diff", "old", "new"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for line in [
        "not looked into: 1 wheel, since the new wheel is not at hand (`--members fetch` fetches it)",
        "not looked into: 1 wheel, since the old wheel is not at hand (`--members fetch` fetches it)",
        "    ~ other bytes, not looked into",
    ] {
        assert!(
            ran.output.lines().any(|one| one == line),
            "{line}: {}",
            ran.output
        );
    }
    // Asked for, and not to be had, is a failure.
    let ran = workshop.run(&["diff", "old", "new", "--members", "fetch", "--offline"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.output.contains("the old wheel cannot be had"),
        "{}",
        ran.output
    );
    let ran = workshop.run(&["diff", "old", "new", "--members", "none"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.output
            .contains("\nnot looked into: 2 wheels, as was asked\n"),
        "{}",
        ran.output
    );
}

#[test]
fn a_release_behind_a_gateway_is_read_and_its_wheels_when_they_are_asked_for() {
    let (workshop, roots) = released(&later());
    let [old, new] = ["old", "new"].map(|folder| read(&workshop, &format!("{folder}/release.car")));
    let expected = difference(&workshop, &["old", "new"]);
    let gateways = [serving(&old), serving(&new)];
    for (gateway, archive) in gateways.iter().zip([&old, &new]) {
        let reader = open(archive);
        // What a client that fetches wheels asks for.
        for wheel in fs::read_dir(workshop.path("cache/wheels")).unwrap() {
            let path = wheel.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let Ok(cid) = name.parse::<Cid>() else {
                continue;
            };
            if reader.cids().contains(&cid) {
                gateway.put(&format!("/ipfs/{cid}"), &fs::read(&path).unwrap());
            }
        }
    }
    lose_the_wheels(&workshop);
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    let addresses = [address(&gateways[0], &old), address(&gateways[1], &new)];
    let names = [&*addresses[0], &*addresses[1]];
    let at_hand = difference(&workshop, &names);
    assert_eq!(at_hand["transfer"], expected["transfer"]);
    assert_eq!(at_hand["new"]["root"], json!(roots[1]));
    let wheel = &at_hand["projects"][0]["wheels"][0];
    assert_eq!(wheel["members"], Value::Null);
    assert!(
        wheel["members_unknown"]
            .as_str()
            .unwrap()
            .contains("is not at hand")
    );
    let fetched = difference(&workshop, &[&names[..], &["--members", "fetch"]].concat());
    assert_eq!(fetched["projects"], expected["projects"]);
    // The cache has them now.
    let again = difference(&workshop, &names);
    assert_eq!(again["projects"], expected["projects"]);
    // A root is read through the gateways of the repository, and not without the network.
    workshop
        .run(&["diff", &roots[0]])
        .refused(2, &["no gateway is known", &roots[0]]);
    let settings = format!(
        "\n[mirrors]\ngateways = [{:?}, {:?}]\n",
        gateways[0].url("/"),
        gateways[1].url("/")
    );
    workshop.write_over(&later().configuration(&settings));
    let cid = format!("cid:{}", roots[0]);
    let value = difference(&workshop, &[&cid, &roots[1]]);
    assert_eq!(value["transfer"], expected["transfer"]);
    workshop
        .run(&["diff", &roots[0], "--offline"])
        .refused(2, &["`--offline` leaves the network alone"]);
}

#[test]
fn a_gateway_that_lies_or_lacks_a_block_ends_it() {
    let (workshop, roots) = released(&later());
    let archive = read(&workshop, "old/release.car");
    let gateway = LoopbackIndex::start();
    let address = gateway.url(&format!("/ipfs/{}/", roots[0]));
    let ran = workshop.run(&["diff", &address, "new"]);
    ran.refused(3, &[&roots[0]]);
    gateway.put(&format!("/ipfs/{}?format=raw", roots[0]), b"another block");
    assert_ne!(workshop.run(&["diff", &address, "new"]).code, Some(0));
    let secret = format!(
        "http://user:secret@127.0.0.1:1/ipfs/{}/",
        open(&archive).root()
    );
    let ran = workshop.run(&["diff", "-v", &secret, "new"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        !ran.error.contains("secret") && !ran.output.contains("secret"),
        "{ran:?}"
    );
}

#[test]
fn revisions_and_the_working_tree_are_compared() {
    let workshop = Workshop::small();
    let Some(history) = History::begin(&workshop.repository()) else {
        return;
    };
    history.run(&["tag", "v1"]);
    let first = history.run(&["rev-parse", "HEAD"]);
    let with_finding = tampered().requires("not-there");
    workshop.write_over(&with_application(with_finding));
    history.commit("the next");
    history.run(&["branch", "new"]);
    // The wheels of now are in the folder, those of then are not.
    let ran = with_git(&workshop, &["diff", "v1", "--exit-code"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<&str> = ran.output.lines().collect();
    assert_eq!(lines[0], format!("from v1 ({})", &first[..12]));
    assert_eq!(lines[1], "to the working tree");
    assert!(
        lines[2].starts_with("projects: 1 changed, 1 removed, 2 the same"),
        "{lines:?}"
    );
    assert_eq!(lines[3], "findings: 2 new, 0 gone, 0 as before");
    assert!(lines.contains(&"new findings"), "{lines:?}");
    let error = "! error[missing-dependency]: `application` requires `not-there`";
    assert!(
        lines.iter().any(|line| line.starts_with(error)),
        "{lines:#?}"
    );
    assert!(lines[4].starts_with("a mirror moves about "), "{lines:?}");
    // The other way round they are gone, and nobody else is asked for what is not there.
    let ran = with_git(&workshop, &["diff", "HEAD", "v1", "--format", "json"]);
    let value: Value = serde_json::from_str(ran.line()).unwrap();
    assert_eq!(
        texts(&value["findings"]["gone"], "code"),
        ["missing-dependency"; 2]
    );
    assert_eq!(value["old"]["kind"], "revision");
    assert_eq!(value["new"]["commit"], json!(first));

    // A name of several things is the path, then the root, then the revision.
    workshop.build(&["--unsigned", "--output", "new", "--allow-findings"]);
}
