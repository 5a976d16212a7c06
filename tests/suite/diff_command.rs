//! `ipwhl diff`: two states of the set, by the real program, real archives, gateways and a real
//! git.

use std::fs;
use std::process::Command;

use ipwhl::command::ExitStatus;
use ipwhl_packaging::WheelFileName;
use ipwhl_unixfs::car::{Blocks, CarReader, CarWriter, FileReader, Tree};
use ipwhl_unixfs::{BlockSink, Cid, Codec, DirectoryDag, DirectoryEntry, Profile, Sha256Digest};
use serde_json::{Value, json};

use crate::hollow_command::{lose_the_wheels, small_with_newer_library};
use crate::reuse::{address, open, read, serving};
use crate::support::declared_set::DeclaredSet;
use crate::support::history::History;
use crate::support::loopback_index::LoopbackIndex;
use crate::support::program::Program;
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
        .filter(|line| !line.contains("a mirror transfers"))
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
    let mut bare = String::new();
    for part in coloured.output.split('\u{1b}') {
        bare += part
            .split_once('m')
            .filter(|_| part.starts_with('['))
            .map_or(part, |(_, rest)| rest);
    }
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
fn commands_startup_files_and_bytecode_of_an_attack_are_marked() {
    let shared = "[console_scripts]\nshared = library:main\n";
    let with_library = |application| {
        with_application(application).change("library", |library| {
            library.rebuild(|wheel| {
                wheel.member("library-2.1.post1.dist-info/entry_points.txt", shared)
            })
        })
    };
    let workshop = Workshop::with(&with_library(
        pure("application", "1.0")
            .requires("library")
            .requires("native-thing"),
    ));
    workshop.build(&["--unsigned", "--output", "old"]);
    let old_wheel = workshop
        .repository()
        .join("wheels/application-1.0-py3-none-any.whl");
    let old_bytes = fs::read(&old_wheel).unwrap();
    // Nobody looks into `library`, which is as before.
    let entry_points = "[console_scripts]\ngit = application:main\nShared = application:main\nfine \
                        = application:main\n\
                        # a comment\u{b}sudo = application:main\n";
    let application = pure("application", "1.1")
        .requires("library")
        .requires("native-thing")
        .member("application.start", "application:main\n")
        .member("application_core.pyc", b"")
        .member("application-1.1.data/purelib/Library/hidden.py", "")
        .member("application-1.1.data/scripts/python3", "#!python\n")
        .member("application-1.1.dist-info/entry_points.txt", entry_points);
    workshop.write_over(&with_library(application));
    fs::write(&old_wheel, old_bytes).unwrap();
    let ran = workshop.run(&["diff", "old"]);
    let expected = [
        "    commands whose names are already in use",
        "      ! Shared, also installed by library",
        "      ! git, a command of Python environments or shells",
        "      ! python3, a command of Python environments or shells",
        "      ! sudo, a command of Python environments or shells",
        "    packages whose names are already in use",
        "      ! Library/hidden, also in library",
        "    runs at every start of Python: 1",
        "      ! added application.start, 17 B",
        "    bytecode: 1",
        "      ! added application_core.pyc, 0 B",
        "    entry points: 5",
        "      ! line 5 of entry_points.txt has the character U+000B, which installers read differently: \
         `# a comment\\u{b}sudo = application:main`",
    ];
    let lines: Vec<&str> = ran.output.lines().collect();
    let start = lines.iter().position(|line| *line == expected[0]);
    let start = start.unwrap_or_else(|| panic!("{}", ran.output));
    assert_eq!(lines[start..][..expected.len()], expected);
    assert!(
        !ran.output.contains("names of new commands"),
        "{}",
        ran.output
    );
    let markdown = workshop.run(&["diff", "old", "--format", "markdown"]);
    for line in [
        "      - \u{26a0} `Shared`, also installed by `library`\n",
        "      - \u{26a0} added `application_core.pyc`, 0 B\n",
    ] {
        assert!(markdown.output.contains(line), "{}", markdown.output);
    }
    let value = difference(&workshop, &["old"]);
    let members = &value["projects"][0]["wheels"][0]["members"];
    assert_eq!(
        members["command_conflicts"][0],
        json!({ "name": "Shared", "in_environment": false, "projects": ["library"] })
    );
    assert_eq!(
        members["package_conflicts"][0],
        json!({ "name": "Library/hidden", "in_environment": false, "projects": ["library"] })
    );
    assert_eq!(members["members"][1]["risk"], "bytecode");
    assert_eq!(members["unclear_entry_points"].as_array().unwrap().len(), 1);
    assert_eq!(value["unknown_names"], 0);

    // Without the archive and the cache nothing is known of wheels that have not changed, until
    // somebody looks.
    workshop.run(&["hollow", "old"]).line();
    fs::remove_file(workshop.repository().join("old/release.car")).unwrap();
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    let words = "\nnames of new commands and packages not compared with those of 3 wheels: `ipwhl \
                 check --wheels` has not read them here\n";
    let archive = ["diff", "old/release.hollow.car", "--members", "fetch"];
    let ran = workshop.run(&archive);
    assert!(ran.output.contains(words), "{ran:?}");
    workshop.run(&["check", "--wheels"]);
    let ran = workshop.run(&archive);
    assert!(
        !ran.output.contains(words)
            && ran.output.contains(expected[1])
            && ran.output.contains(expected[6]),
        "{ran:?}"
    );
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
        // A release does not say whom its repository trusts.
        let words = match arguments {
            ["old", "old"] | [".", "path:."] => "no difference",
            _ => "no difference in the compared parts",
        };
        assert_eq!(ran.output.lines().nth(2), Some(words), "{ran:?}");
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
        let bytes = |archive: &CarReader<_>, cids: &[Cid]| -> u64 {
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
        "not read: 1 wheel, because the new wheel is not available here (`--members fetch` fetches it)",
        "not read: 1 wheel, because the old wheel is not available here (`--members fetch` fetches it)",
        "    ~ different bytes, not read",
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
    let place = workshop.repository().display().to_string();
    assert!(!ran.output.contains(&place), "{}", ran.output);
    assert!(
        ran.output.contains("the old wheel could not be fetched"),
        "{}",
        ran.output
    );
    let ran = workshop.run(&["diff", "old", "new", "--members", "none"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.output
            .contains("\nnot read: 2 wheels, because of `--members none`\n"),
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
    // What a client that fetches wheels asks for.
    for (gateway, archive, side) in [(&gateways[0], &old, "old"), (&gateways[1], &new, "new")] {
        for project in expected["projects"].as_array().unwrap() {
            let Some(cid) = project["wheels"][0][side]["content_id"].as_str() else {
                continue;
            };
            let wheel = FileReader::read_whole(&open(archive), &cid.parse().unwrap(), 1 << 24);
            gateway.put(&format!("/ipfs/{cid}"), &wheel.unwrap());
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
            .contains("is not available here")
    );
    let fetched = difference(&workshop, &[&names[..], &["--members", "fetch"]].concat());
    assert_eq!(fetched["projects"], expected["projects"]);
    // The cache has them now.
    let again = difference(&workshop, &names);
    assert_eq!(again["projects"], expected["projects"]);
    // A root is read through the gateways of the repository, and not without the network.
    workshop
        .run(&["diff", &roots[0]])
        .refused(2, &["no gateway is configured", &roots[0]]);
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
        .refused(2, &["`--offline` forbids the network"]);
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
    let history = History::begin(&workshop.repository());
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
        lines[2].starts_with("projects: 1 changed, 1 removed, 2 unchanged"),
        "{lines:?}"
    );
    assert_eq!(lines[3], "findings: 2 new, 0 gone, 0 unchanged");
    assert!(lines.contains(&"new findings"), "{lines:?}");
    let error = "! error[missing-dependency]: `application` requires `not-there`";
    assert!(
        lines.iter().any(|line| line.starts_with(error)),
        "{lines:#?}"
    );
    assert!(
        lines[4].starts_with("a mirror transfers about "),
        "{lines:?}"
    );
    let ran = with_git(&workshop, &["diff", "HEAD"]);
    let lines: Vec<&str> = ran.output.lines().collect();
    assert_eq!(
        lines[2..4],
        ["no difference", "findings: 0 new, 0 gone, 2 unchanged"]
    );
    assert!(!lines.contains(&"new findings"), "{lines:?}");
    // The other way round they are gone, and nobody else is asked for what is missing.
    let ran = with_git(&workshop, &["diff", "HEAD", "v1", "--format", "json"]);
    let value: Value = serde_json::from_str(ran.line()).unwrap();
    assert_eq!(
        texts(&value["findings"]["gone"], "code"),
        ["missing-dependency"; 2]
    );
    assert_eq!(value["old"]["kind"], "revision");
    assert_eq!(value["new"]["commit"], json!(first));
}

#[test]
fn a_name_is_a_path_then_a_root_then_a_revision_unless_it_says_what_it_is() {
    let workshop = Workshop::small();
    let root = workshop.build(&["--unsigned", "--output", "both"]);
    // Without a history there are no revisions.
    let ran = with_git(&workshop, &["diff", "nothing"]);
    ran.refused(
        2,
        &["`nothing` must be an existing path, a root CID or a revision, but there is no revision"],
    );
    fs::write(workshop.repository().join(".gitignore"), "/both/\n").unwrap();
    let history = History::begin(&workshop.repository());
    history.run(&["branch", "both"]);
    let kind = |name: &str| {
        let ran = with_git(&workshop, &["diff", name, "--format", "json"]);
        let value: Value = serde_json::from_str(ran.line()).unwrap();
        (value["old"]["kind"].as_str().unwrap().to_owned(), ran.error)
    };
    // A change could bring a folder that is called as the main branch.
    with_git(&workshop, &["diff", "both"]).refused(
        2,
        &[
            "`both` is both a path here and a revision of git",
            "write `git:both` or `path:both`",
        ],
    );
    for (name, expected) in [
        ("git:both", "revision"),
        ("path:both", "release"),
        ("both/release.car", "release"),
        ("path:.", "working-tree"),
        ("HEAD", "revision"),
        ("HEAD^{tree}^{commit}", ""),
    ] {
        if expected.is_empty() {
            assert_eq!(with_git(&workshop, &["diff", name]).code, Some(2), "{name}");
        } else {
            assert_eq!(kind(name), (expected.to_owned(), String::new()), "{name}");
        }
    }
    for (name, words) in [
        (
            "nothing",
            "`nothing` must be an existing path, a root CID or a revision, but there is no \
             revision `nothing`",
        ),
        (
            "wheels",
            "`wheels` must be an archive, a folder with one, a repository, a root CID or a \
             revision, but there is no revision `wheels`",
        ),
        ("path:nothing", "`nothing` is neither an archive"),
        ("cid:nothing", "`nothing` is not a CID"),
        ("git:nothing", "no revision `nothing`"),
        ("git:--output=written", "no revision `--output=written`"),
        ("git:", "no revision ``"),
        (
            "https://example.org/",
            "must be `<gateway>/ipfs/<root CID>/`",
        ),
        (&root, "no gateway is configured"),
    ] {
        with_git(&workshop, &["diff", name]).refused(2, &[words]);
    }
    assert!(!workshop.repository().join("written").exists());
    // A commit from before there was a repository is no state of it.
    history.run(&["rm", "--quiet", "ipwhl.toml"]);
    history.commit("without");
    history.run(&["checkout", "--quiet", "HEAD^", "--", "ipwhl.toml"]);
    with_git(&workshop, &["diff", "HEAD", "HEAD^"]).refused(2, &["has no `ipwhl.toml` here"]);
}

#[test]
fn what_is_no_release_is_refused() {
    let (workshop, _) = released(&later());
    let delta = [
        "--car",
        "delta",
        "--previous-car",
        "old",
        "--output",
        "delta",
    ];
    workshop.build(&[&["--unsigned"], &delta[..]].concat());
    workshop
        .run(&["diff", "old", "delta/release.delta.car"])
        .refused(1, &["lacks the block", "`ipwhl fill`"]);
    workshop
        .run(&["diff", "ipwhl.toml"])
        .refused(1, &["ipwhl.toml"]);
    let gateway = LoopbackIndex::start();
    let bytes = b"no folder at all";
    let root = Cid::v1(Codec::Raw, Sha256Digest::of(bytes));
    gateway.put(&format!("/ipfs/{root}?format=raw"), bytes);
    workshop
        .run(&["diff", &gateway.url(&format!("/ipfs/{root}"))])
        .refused(1, &["is a file, not a release's tree"]);
    // A damaged leaf is not taken for one that is missing.
    let path = workshop.repository().join("new/release.car");
    let mut archive = fs::read(&path).unwrap();
    let at = archive
        .windows(15)
        .rposition(|bytes| bytes == b"import applicat")
        .unwrap();
    archive[at] ^= 1;
    fs::write(&path, archive).unwrap();
    lose_the_wheels(&workshop);
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    let ran = workshop.run(&["diff", "old", "new"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.output
            .contains("because the new wheel cannot be read in new/release.car"),
        "{}",
        ran.output
    );
}

#[test]
fn nothing_of_a_stranger_is_obeyed() {
    let workshop = Workshop::small();
    fs::rename(workshop.repository(), workshop.path("before")).unwrap();
    let member = "application/`@team` <img src=x> ::error:: [a](b) \u{fe0f}.pth";
    workshop.write(&with_application(
        pure("application", "1.1")
            .requires("library>=2")
            .member(member, "")
            .member(
                "application-1.1.dist-info/entry_points.txt",
                "[console_scripts]\n\u{1b}[31mred|`x` = a:b\n",
            ),
    ));
    let text = workshop.run(&["diff", "path:../before"]);
    assert_eq!(text.code, Some(0), "{text:?}");
    assert!(
        !text.output.contains(['\u{1b}', '\u{fe0f}']),
        "{}",
        text.output
    );
    assert!(
        text.output.contains("\\u{1b}[31mred|`x` = a:b"),
        "{}",
        text.output
    );
    let markdown = workshop
        .run(&["diff", "path:../before", "--format", "markdown"])
        .output;
    // All of it is in spans that its own backticks do not end.
    let span = "`` [console_scripts] \\u{1b}[31mred|`x` ``";
    assert!(markdown.contains(span), "{markdown}");
    let other = workshop
        .run(&["diff", "-v", "path:../before", "--format", "markdown"])
        .output;
    let line = other.lines().find(|line| line.contains("@team")).unwrap();
    assert!(
        line.contains("``application/`@team` <img src=x> ::error:: [a](b) \\u{fe0f}.pth``"),
        "{line}"
    );
}

#[test]
fn large_differences_stay_short_unless_all_is_asked_for() {
    let workshop = Workshop::small();
    fs::rename(workshop.repository(), workshop.path("before")).unwrap();
    let many = (0..3000).fold(pure("application", "1.1"), |wheel, number| {
        wheel.member(&format!("application_{number:04}.so"), "")
    });
    workshop.write(&with_application(many.member("zzz.pth", "")));
    let text = workshop.run(&["diff", "path:../before"]).output;
    assert!(text.lines().count() < 60, "{text}");
    for line in [
        "    native code: 3000",
        "      and 2988 more (`-v` shows them)",
        "      ! added zzz.pth, 0 B",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}: {text}");
    }
    let in_full = workshop.run(&["diff", "-v", "path:../before"]).output;
    assert!(in_full.lines().count() > 3000);
    let markdown = workshop
        .run(&["diff", "-v", "path:../before", "--format", "markdown"])
        .output;
    assert!(
        markdown.len() < 65_536 && markdown.contains("changed: `application`"),
        "{}",
        markdown.len()
    );

    // More projects than a comment has room for.
    let set = (0..1500).fold(DeclaredSet::new(), |set, number| {
        set.wanted(&format!("project-with-a-name-{number} 1.0"), &[])
    });
    let (few, many) = (DeclaredSet::new().wanted("a 1.0", &[]).build(), set.build());
    let program = Program::new(many.path());
    let old = format!("path:{}", few.path().display());
    let run = program.run(&["diff", &old, "--members", "none", "--format", "markdown"]);
    assert_eq!(run.status, ExitStatus::Clean, "{}", run.stderr);
    assert!(
        (50_000..65_536).contains(&run.stdout.len()),
        "{}",
        run.stdout.len()
    );
    assert!(
        run.stdout
            .contains(" more do not fit here: `ipwhl diff` shows all of them.")
    );
}

#[test]
fn settings_platforms_and_places_that_change_are_told() {
    let workshop = Workshop::with(&RepositoryBuilder::sound());
    fs::rename(workshop.repository(), workshop.path("before")).unwrap();
    workshop.write(
        &RepositoryBuilder::sound()
            .platforms(&["cp313"], &["manylinux_2_28_x86_64", "win_amd64"])
            .configuration("\n[severity]\nunneeded = \"off\"\n")
            .change("cherry", |cherry| {
                cherry.set(
                    "source",
                    "\"https://elsewhere.example.org/cherry-0.3-py3-none-any.whl\"",
                )
            }),
    );
    let ran = workshop.run(&["diff", "path:../before"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for line in [
        "settings",
        // What follows from the platforms alone is not told of each project.
        "projects: 1 changed, 3 unchanged; wheels: 1 changed, 5 unchanged",
        "  + unneeded = off",
        "~ cherry 0.3",
        "      ! now https://elsewhere.example.org",
    ] {
        assert!(
            ran.output.lines().any(|one| one == line),
            "{line}: {}",
            ran.output
        );
    }
    for format in ["text", "markdown", "json"] {
        let ran = workshop.run(&["diff", "-v", "path:../before", "--format", format]);
        assert!(
            !ran.output.contains("secret") && !ran.error.contains("secret"),
            "{format}: {ran:?}"
        );
    }
}

fn put(workshop: &Workshop, file: &str, text: &str) {
    fs::write(workshop.repository().join(file), text).unwrap();
}

/// Two keys in OpenSSH's form; whoever reads them otherwise than as text looks at them elsewhere.
const MAINTAINER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKMaintainer maintainer";
const STRANGER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKStranger stranger";

/// Settings that say something with every key.
fn every_setting() -> String {
    format!(
        r#"[repository]
format = 2
name = "example"
declarations = "declarations"
layout = "package"
profile = "unixfs-v1-2025"
[platforms]
python = ["cp312>=3.12.1", "cp313"]
system = ["manylinux_2_28_x86_64", "win_amd64"]
[index]
url = "https://index.example.org/simple/"
cooldown = "7 days"
[mirrors]
gateways = ["https://one.example.org", "https://two.example.org"]
[signing]
trusted = ["{MAINTAINER}", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKSecond second"]
threshold = 2
[publish.node]
kind = "kubo"
api = "https://node.example.org"
gateway = "https://gateway.example.org"
keep = 3
mfs = "/releases/latest"
[publish.cluster]
kind = "cluster"
api = "https://cluster.example.org"
gateway = "https://gateway.example.org"
replication-min = 2
replication-max = 3
metadata = {{ team = "curators" }}
[publish.service]
kind = "pinning-service"
endpoint = "https://pins.example.org"
gateway = "https://gateway.example.org"
origins = ["/ip4/203.0.113.7/tcp/4001"]
[publish.folder]
kind = "directory"
path = "public"
links = true
latest = "latest"
keep = 3
[publish.record]
kind = "ipns"
file = "name.ipns"
api = "https://node.example.org"
lifetime = "36h"
ttl = "5m"
[publish.statements]
kind = "git"
repository = "statements"
branch = "releases"
tag = "statement-{{sequence}}"
remote = "origin"
[publish.domain]
kind = "dnslink"
domain = "index.example.org"
name = "names.example.org"
resolver = "192.0.2.53"
[severity]
unneeded = "off"
uncovered-platform = "off"
[[waiver]]
code = "unneeded"
project = "damson"
reason = "kept for now"
expires = 2999-01-01
[[withdrawn]]
sha256 = "92beae6f8d8b647d6f40279c6762f6506d336052c396d31a44261500c4ce4327"
reason = "a leak"
date = 2026-11-20
"#
    )
}

#[test]
fn each_setting_that_changes_is_shown_and_marked() {
    let workshop = Workshop::with(&RepositoryBuilder::sound());
    let settings = every_setting();
    put(&workshop, "ipwhl.toml", &settings);
    let before = workshop.path("before");
    fs::create_dir_all(&before).unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .args([workshop.repository().join("."), before])
        .status();
    assert!(copied.unwrap().success());
    // A comment and a space are no change of what is meant.
    let other_form = format!(
        "# a comment\n{}",
        settings.replace("threshold = 2", "threshold   = 2 # two")
    );
    put(&workshop, "ipwhl.toml", &other_form);
    let ran = workshop.run(&["diff", "--exit-code", "path:../before"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.output.lines().nth(2), Some("no difference"), "{ran:?}");
    let two = "\"https://one.example.org\", \"https://two.example.org\"";
    let turned = "\"https://two.example.org\", \"https://one.example.org\"";
    for (key, was, is) in [
        ("trusted", MAINTAINER, STRANGER),
        ("threshold", "threshold = 2", "threshold = 1"),
        ("publish", "[publish.node]", "[publish.other-node]"),
        (
            "publish",
            "https://node.example.org\"\ngateway",
            "https://stranger.example.org\"\ngateway",
        ),
        (
            "publish",
            "https://gateway.example.org\"\nkeep",
            "https://stranger.example.org\"\nkeep",
        ),
        ("publish", "keep = 3", "keep = 1"),
        ("publish", "/releases/latest", "/releases/newest"),
        (
            "publish",
            "https://cluster.example.org",
            "https://stranger.example.org",
        ),
        (
            "publish",
            "https://gateway.example.org\"\nreplication",
            "https://stranger.example.org\"\nreplication",
        ),
        ("publish", "replication-min = 2", "replication-min = 1"),
        ("publish", "replication-max = 3", "replication-max = 4"),
        ("publish", "team = \"curators\"", "team = \"others\""),
        (
            "publish",
            "https://pins.example.org",
            "https://stranger.example.org",
        ),
        (
            "publish",
            "https://gateway.example.org\"\norigins",
            "https://stranger.example.org\"\norigins",
        ),
        ("publish", "203.0.113.7", "203.0.113.8"),
        ("publish", "path = \"public\"", "path = \"elsewhere\""),
        ("publish", "links = true", "links = false"),
        ("publish", "keep = 3", "keep = 2"),
        ("publish", "latest = \"latest\"", "latest = \"\""),
        ("publish", "name.ipns", "other.ipns"),
        (
            "publish",
            "https://node.example.org\"\nlifetime",
            "https://stranger.example.org\"\nlifetime",
        ),
        ("publish", "36h", "37h"),
        ("publish", "5m", "6m"),
        ("publish", "\"statements\"", "\"others\""),
        ("publish", "branch = \"releases\"", "branch = \"main\""),
        ("publish", "statement-{sequence}", "v{sequence}"),
        ("publish", "remote = \"origin\"", "remote = \"upstream\""),
        (
            "publish",
            "domain = \"index.example.org\"",
            "domain = \"stranger.example.org\"",
        ),
        ("publish", "names.example.org", "stranger.example.org"),
        ("publish", "192.0.2.53", "192.0.2.54"),
        ("publish", "kind = \"kubo\"", "kind = \"ipns\""),
        (
            "index",
            "https://index.example.org/simple/",
            "https://stranger.example.org/simple/",
        ),
        ("cooldown", "7 days", "6 days"),
        ("withdrawn", "a leak", "another leak"),
        (
            "gateways",
            "https://one.example.org",
            "https://stranger.example.org",
        ),
        ("gateways", two, turned),
        ("name", "name = \"example\"", "name = \"other\""),
        (
            "declarations",
            "declarations = \"declarations\"",
            "declarations = \"others\"",
        ),
        ("layout", "layout = \"package\"", "layout = \"ipwhl-1\""),
        ("profile", "unixfs-v1-2025", "unixfs-v0-2015"),
        ("platforms", "cp312>=3.12.1", "cp312"),
        ("platforms", ", \"cp313\"", ""),
        ("severity", "unneeded = \"off\"", "unneeded = \"error\""),
        ("waiver", "project = \"damson\"", "project = \"cherry\""),
        ("waiver", "kept for now", "kept for ever"),
        ("waiver", "2999", "2998"),
    ] {
        let mut changed = settings.replacen(was, is, 1);
        assert_ne!(changed, settings, "{was}");
        if is == "kind = \"ipns\"" {
            let of_kubo =
                "gateway = \"https://gateway.example.org\"\nkeep = 3\nmfs = \"/releases/latest\"\n";
            changed = changed.replacen(of_kubo, "", 1);
        }
        put(&workshop, "ipwhl.toml", &changed);
        let ran = workshop.run(&["diff", "--exit-code", "path:../before"]);
        assert_eq!(ran.code, Some(1), "{was}: {ran:?}");
        let marked = format!("! {key}");
        let mut lines = ran.output.lines().skip(2);
        assert_eq!(lines.next(), Some(""), "{was}: {}", ran.output);
        assert_eq!(lines.next(), Some("settings"), "{was}: {}", ran.output);
        assert!(lines.any(|line| line == marked), "{was}: {}", ran.output);
        assert!(!ran.output.contains("nothing"), "{was}: {}", ran.output);
    }
}

#[test]
fn trust_threshold_and_targets_come_first_in_every_format() {
    let workshop = Workshop::with(&RepositoryBuilder::sound());
    let settings = every_setting();
    put(&workshop, "ipwhl.toml", &settings);
    let before = workshop.path("before");
    fs::rename(workshop.repository(), &before).unwrap();
    // Everything else changes, too, and much of it: more waivers than a comment has room for.
    workshop.write(&RepositoryBuilder::sound().change("cherry", |cherry| {
        cherry.set("requires-python", "\">=3.8\"")
    }));
    let many: Vec<String> = (0..2000)
        .map(|number| {
            format!(
                "[[waiver]]\ncode = \"unneeded\"\nproject = \"a{number}\"\nreason \
                     = \"{number}\"\nexpires = 2999-01-01\n"
            )
        })
        .collect();
    let changed = settings
        .replace(MAINTAINER, STRANGER)
        .replace("threshold = 2", "threshold = 1")
        .replace("https://pins.example.org", "https://stranger.example.org")
        .replace("path = \"public\"", "path = \"elsewhere\"")
        .replace("name = \"example\"", "name = \"another\"")
        .replace(
            "index.example.org/simple",
            "user:secret@stranger.example.org/simple",
        );
    put(&workshop, "ipwhl.toml", &(changed + &many.concat()));
    let text = workshop.run(&["diff", "path:../before"]).output;
    let first: Vec<&str> = text.lines().skip(2).take(6).collect();
    assert_eq!(
        first,
        [
            "",
            "settings",
            "! trusted",
            &format!("  - {MAINTAINER}"),
            &format!("  + {STRANGER}"),
            "! threshold",
        ],
        "{text}"
    );
    let markdown = workshop
        .run(&["diff", "path:../before", "--format", "markdown"])
        .output;
    assert!(markdown.len() <= 65_000, "{}", markdown.len());
    let mut from = 0;
    for words in [
        "#### settings\n\n- \u{26a0} trusted\n",
        STRANGER,
        "- \u{26a0} threshold\n",
        "- \u{26a0} publish\n",
        "elsewhere",
        "- \u{26a0} index\n",
        "- \u{26a0} waiver (too long for a comment: `ipwhl diff` shows it)\n",
        "\n- projects: 1 changed",
        "#### projects",
    ] {
        let place = markdown[from..].find(words);
        from += place.unwrap_or_else(|| panic!("{words}: {markdown}"));
    }
    let value = difference(&workshop, &["path:../before"]);
    let keys = texts(&value["settings"], "key");
    assert_eq!(
        keys,
        ["trusted", "threshold", "publish", "index", "name", "waiver"]
    );
    for text in [&text, &markdown, &value.to_string()] {
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn what_could_not_be_compared_is_never_called_the_same() {
    let workshop = Workshop::with(&RepositoryBuilder::sound());
    let settings = every_setting();
    put(&workshop, "ipwhl.toml", &settings);
    fs::rename(workshop.repository(), workshop.path("before")).unwrap();
    workshop.write(&RepositoryBuilder::sound());
    // The default threshold is what both are read as.
    let broken = settings.replace("threshold = 2", "threshold = \"none\"");
    put(&workshop, "ipwhl.toml", &broken);
    fs::write(
        workshop.path("before/ipwhl.toml"),
        settings.replace("threshold = 2", "threshold = 1"),
    )
    .unwrap();
    let ran = workshop.run(&["diff", "path:../before"]);
    assert_eq!(
        ran.output.lines().nth(2),
        Some("no difference in the compared parts"),
        "{ran:?}"
    );
    assert!(
        ran.output.contains(
            "\nnot compared in full: the settings of the working tree, because its \
                             `ipwhl.toml` has errors"
        ),
        "{ran:?}"
    );
    // A requirement that is none is left out of what is known of its wheel.
    put(
        &workshop,
        "ipwhl.toml",
        &settings.replace("threshold = 2", "threshold = 1"),
    );
    let damson = RepositoryBuilder::sound().change("damson", |damson| {
        damson.set("dependencies", "[\"not; a ; requirement\"]")
    });
    damson.write_to(&workshop.repository());
    put(
        &workshop,
        "ipwhl.toml",
        &settings.replace("threshold = 2", "threshold = 1"),
    );
    let ran = workshop.run(&["diff", "path:../before"]);
    assert!(!ran.output.contains("no difference\n"), "{ran:?}");
    assert!(
        ran.output.contains(
            "\nnot compared in full: declarations with errors in the working tree: damson\n"
        ),
        "{ran:?}"
    );
}

#[test]
fn what_a_declaration_states_of_the_same_bytes_is_told() {
    let workshop = Workshop::with(&RepositoryBuilder::sound());
    fs::rename(workshop.repository(), workshop.path("before")).unwrap();
    workshop.write(&RepositoryBuilder::sound().change("cherry", |cherry| cherry.unset("sha256")));
    let ran = workshop.run(&["diff", "--exit-code", "path:../before"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.output.contains("~ sha256: "), "{ran:?}");
    assert!(ran.output.contains(" -> not stated"), "{ran:?}");
}

/// The archive of a release like this one, with other entries in its folders: at the top, which
/// has no name, and in the projects'.
fn rebuilt(
    archive: &[u8],
    change: impl Fn(&str, Vec<DirectoryEntry>) -> Vec<DirectoryEntry>,
) -> Vec<u8> {
    let reader = open(archive);
    let build = |entries| DirectoryDag::build(Profile::default(), entries).unwrap();
    let mut top = change("", reader.list(&reader.root()).unwrap().unwrap());
    let mut folders = Vec::new();
    for entry in &mut top {
        if let Some(entries) = reader.list(&entry.link.cid).unwrap() {
            let folder = build(change(&entry.name, entries));
            entry.link = folder.link();
            folders.push(folder);
        }
    }
    let root = build(top);
    let mut writer = CarWriter::new(Vec::new(), root.cid()).unwrap();
    for folder in [root].iter().chain(&folders) {
        folder.emit(&mut writer, &mut |_, _| Ok(())).unwrap();
    }
    for cid in reader.cids() {
        writer.put(&cid, &reader.require(&cid).unwrap()).unwrap();
    }
    writer.finish().unwrap().0
}

#[test]
fn a_release_without_declarations_is_compared_as_far_as_it_goes() {
    let (workshop, _) = released(&later());
    let archive = read(&workshop, "old/release.car");
    let reader = open(&archive);
    let bare = rebuilt(&archive, |folder, mut entries| {
        entries.retain(|entry| match folder {
            "" => !entry.name.starts_with('_') && reader.list(&entry.link.cid).unwrap().is_some(),
            _ => entry.name.parse::<WheelFileName>().is_ok(),
        });
        entries
    });
    fs::write(workshop.repository().join("bare.car"), bare).unwrap();
    let value = difference(&workshop, &["bare.car", "old"]);
    assert_eq!(value["projects"], json!([]));
    assert_eq!([&value["findings"], &value["settings"]], [&Value::Null; 2]);
    let text = workshop.run(&["diff", "bare.car", "old", "--exit-code"]);
    assert_eq!(text.code, Some(1), "{text:?}");
    for words in [
        "\nthe roots differ, but no difference in the compared parts; ",
        "\nfindings: not compared, because a release of the layout `ipwhl-1` has no declarations\n",
        "\nnot compared: settings and declarations, because",
    ] {
        assert!(text.output.contains(words), "{words}: {}", text.output);
    }
    let value = difference(&workshop, &["bare.car", "new"]);
    assert_eq!(
        texts(&value["projects"], "change"),
        ["changed", "added", "removed"]
    );
    let wheel = &value["projects"][0]["wheels"][0];
    assert_eq!(wheel["old"].get("requirements"), None);
    assert_eq!(wheel["members"]["members"][0]["risk"], "startup");
    assert_eq!(value["transfer"]["exact"], true);
}

/// What is done to the entries of a folder.
type Change<'c> = &'c dyn Fn(&mut Vec<DirectoryEntry>);

#[test]
fn a_release_that_contradicts_itself_is_refused() {
    let (workshop, _) = released(&later());
    let archive = read(&workshop, "new/release.car");
    let place = |name: &str, entries: &[DirectoryEntry]| {
        let found = entries.iter().position(|entry| entry.name.ends_with(name));
        found.unwrap()
    };
    let library = {
        let reader = open(&archive);
        let top = reader.list(&reader.root()).unwrap().unwrap();
        let folder = top[place("library", &top)].link.cid;
        let entries = reader.list(&folder).unwrap().unwrap();
        entries[place(".whl", &entries)].link
    };
    let cases: [(Change<'_>, &str); 4] = [
        (
            &|entries| {
                let wheel = place(".whl", entries);
                entries[wheel].link = library;
            },
            "`application-1.1-py3-none-any.whl` differs from the declaration beside it",
        ),
        (
            &|entries| {
                let mut more = entries[place(".whl", entries)].clone();
                more.name = "application-1.1-py2-none-any.whl".to_owned();
                entries.push(more);
            },
            "`application-1.1-py2-none-any.whl` differs from the declaration beside it",
        ),
        (
            &|entries| drop(entries.remove(place(".toml", entries))),
            "`application` has no `declaration.toml`",
        ),
        (
            &|entries| entries.retain(|entry| !entry.name.contains(".whl")),
            "`application` has no wheel",
        ),
    ];
    for (change, words) in cases {
        let forged = rebuilt(&archive, |folder, mut entries| {
            if folder == "application" {
                change(&mut entries);
            }
            entries
        });
        fs::write(workshop.repository().join("forged.car"), forged).unwrap();
        workshop
            .run(&["diff", "old", "forged.car"])
            .refused(1, &[words]);
    }
    let odd = rebuilt(&archive, |folder, mut entries| {
        if folder.is_empty() {
            let at = place("helper", &entries);
            entries[at].name = "Hel\u{1b}per".to_owned();
        }
        entries
    });
    fs::write(workshop.repository().join("forged.car"), odd).unwrap();
    workshop
        .run(&["diff", "old", "forged.car"])
        .refused(1, &["`Hel\\u{1b}per` is not a normalised name"]);
}

#[test]
fn what_all_wheels_of_a_project_have_in_common_is_said_once() {
    let workshop = Workshop::with(&RepositoryBuilder::sound());
    fs::rename(workshop.repository(), workshop.path("before")).unwrap();
    let damson = WheelBuilder::new("damson", "5.0.1").member("damson.py", "COLOUR = 'blue'\n");
    workshop.write(
        &RepositoryBuilder::sound()
            .change("banana", |banana| {
                let text = "COLOUR = 'yellow'\n";
                banana.rebuild(|wheel| wheel.requires("damson").member("banana/colour.py", text))
            })
            .change("damson", |_| {
                let mirror = "[\"file:wheels/damson-5.0.1-py3-none-any.whl\", \"https://example.org/damson-5.0.1-py3-none-any.whl\"]";
                Project::wanted(damson.clone()).set("source", mirror)
            }),
    );
    let ran = workshop.run(&["diff", "path:../before"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let projects = ran.output.split_once("\nprojects\n").unwrap().1;
    insta::assert_snapshot!("in_common", projects);
}
