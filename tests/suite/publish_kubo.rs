//! `ipwhl publish` to real Kubo nodes: what is moved, what is pinned, and what a cut run leaves.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::clients::Pip;
use crate::dag::Seeded;
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::nodes::Node;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Ran, Workshop, installable, pure, stored};

/// What pip can install, and a wheel of several blocks that stays the same; `library` in this
/// version.
pub fn installable_with(library: &str) -> RepositoryBuilder {
    let [application, _] = installable();
    let large = stored("large", "1.0")
        .member("large.py", "size = 3500000\n")
        .member("large.bin", Seeded::bytes("large", 3_500_000));
    RepositoryBuilder::new()
        .project(Project::wanted(application))
        .project(Project::automatic(pure("library", library)))
        .project(Project::wanted(large))
}

/// Adds to the settings.
pub fn settings(workshop: &Workshop, text: &str) {
    let path = workshop.repository().join("ipwhl.toml");
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    write!(file, "\n{text}\n").unwrap();
}

/// Builds the second release on top of the one in `release`, with these settings besides.
pub fn second(workshop: &Workshop, text: &str) -> String {
    for name in ["release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), workshop.path(name)).unwrap();
    }
    workshop.write_over(&installable_with("2.2"));
    settings(workshop, text);
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    let previous = workshop.path("release.toml");
    workshop.build(&["--previous", previous.to_str().unwrap()])
}

/// The blocks of `moved N blocks` in what a run said.
#[track_caller]
pub fn moved(ran: &Ran) -> u64 {
    let words = ran.error.split("transferred ").nth(1);
    let words = words.unwrap_or_else(|| panic!("nothing was moved: {}", ran.error));
    words.split(' ').next().unwrap().parse().unwrap()
}

#[track_caller]
pub fn succeeded(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    ran
}

#[test]
fn a_release_is_moved_pinned_and_read_back_and_the_next_one_moves_what_is_new() {
    let node = Node::start();
    let pip = Pip::new();
    let target = format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\ngateway = \"{}\"\nkeep = 2\nmfs \
         = \"/releases/latest\"\n",
        node.api, node.gateway
    );
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(&workshop, &target);
    let first = workshop.build(&[]);
    // A pin and a folder of somebody else's.
    let other = node.text(&["pin", "ls", "--type", "recursive", "-q"]);
    let before = node.blocks();

    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(
        dry.output.contains("has no release of this repository"),
        "{dry:?}"
    );
    assert!(
        dry.output
            .contains(&format!("would pin {first} as `ipwhl/example/1`")),
        "{dry:?}"
    );
    assert!(
        dry.output.contains("would set `/releases/latest`"),
        "{dry:?}"
    );
    assert_eq!(node.blocks(), before);

    let ran = succeeded(workshop.run(&["publish"]));
    let index = format!("{}/ipfs/{first}/", node.gateway);
    assert_eq!(
        ran.output,
        format!("pip install --index-url {index} NAME\n")
    );
    let all = moved(&ran);
    ran.said("read back the root and 3 wheels");
    // The folders of the MFS come besides.
    let gained = node.blocks() - before;
    assert!(
        (all..=all + 8).contains(&(gained as u64)),
        "{gained} of {all}"
    );
    let ours = |pins: Vec<(String, String)>| -> Vec<(String, String)> {
        let named = pins.into_iter().filter(|(_, name)| !name.is_empty());
        named.collect()
    };
    assert_eq!(
        ours(node.pins()),
        [(first.clone(), "ipwhl/example/1".to_owned())]
    );
    let shown = |path: &str| node.text(&["files", "stat", "--hash", path]);
    assert_eq!(shown("/releases/latest"), first);

    // The same again: nothing to move, nothing to change.
    let again = succeeded(workshop.run(&["publish", "node"]));
    again.said("already has the whole release");
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains("nothing to do"), "{dry:?}");

    pip.install(&format!("{}/ipfs/{first}/", node.gateway), &["application"]);
    assert_eq!(
        pip.python("import library; print(library.version)"),
        "2.1.post1"
    );

    // One wheel is another: its block, its metadata and pages on the way to it.
    let root = second(&workshop, &target);
    let ran = succeeded(workshop.run(&["publish"]));
    let new = moved(&ran);
    assert!(new <= 12 && new * 2 < all + 12, "{new} of {all} blocks");
    assert_eq!(shown("/releases/latest"), root);
    let gained = (node.blocks() - before) as u64;
    assert!(
        (all + new..=all + new + 16).contains(&gained),
        "{gained} of {all} and {new}"
    );
    pip.install(
        &format!("{}/ipfs/{root}/", node.gateway),
        &["--upgrade", "application", "library"],
    );
    assert_eq!(pip.python("import library; print(library.version)"), "2.2");

    // The first release is older than what the node holds.
    let release = workshop.path("old");
    fs::create_dir(&release).unwrap();
    let car = node
        .command(&["dag", "export", "--progress=false", &first])
        .output()
        .unwrap();
    fs::write(release.join("release.car"), car.stdout).unwrap();
    for name in ["release.toml", "release.toml.sig"] {
        fs::copy(workshop.path(name), release.join(name)).unwrap();
    }
    let old = ["publish", "--release", release.to_str().unwrap()];
    workshop.run(&old).refused(
        1,
        &["it has sequence 2", "has the sequence 1", "--previous"],
    );

    // Renewed, the same root has a new name; of more than two the oldest goes.
    let newest = workshop.release("release.toml");
    let newest = newest.to_str().unwrap();
    workshop.build(&["--previous", newest, "--renew"]);
    succeeded(workshop.run(&["publish"])).said("as `ipwhl/example/3`");
    workshop.write_over(&installable_with("2.3"));
    settings(&workshop, &target);
    fs::copy(newest, workshop.path("release.toml")).unwrap();
    fs::copy(format!("{newest}.sig"), workshop.path("release.toml.sig")).unwrap();
    let previous = workshop.path("release.toml");
    let third = workshop.build(&["--previous", previous.to_str().unwrap()]);
    succeeded(workshop.run(&["publish"])).said(&format!("unpinned `ipwhl/example/1`, {first}"));
    let mut kept = vec![
        (root, "ipwhl/example/3".to_owned()),
        (third, "ipwhl/example/4".to_owned()),
    ];
    kept.sort();
    assert_eq!(ours(node.pins()), kept);
    // What somebody else has pinned is there still.
    assert!(node.pins().iter().any(|(cid, _)| other.contains(cid)) || other.is_empty());
}

/// A delta goes where the rest is. Where it is not, or not all of it, nothing is pinned.
#[test]
fn a_delta_is_pinned_where_the_node_has_what_it_leaves_out() {
    let node = Node::start();
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    let target = format!("[publish.node]\nkind = \"kubo\"\napi = \"{}\"", node.api);
    settings(&workshop, &target);
    workshop.build(&[]);
    let release = workshop.repository().join("release");
    let first = workshop.path("first");
    fs::rename(&release, &first).unwrap();
    workshop.write_over(&installable_with("2.2"));
    settings(&workshop, &target);
    let previous = first.join("release.toml");
    let previous = ["--previous", previous.to_str().unwrap()];
    let root = workshop.build(&[&previous[..], &["--car", "delta"]].concat());
    assert!(!release.join("release.car").exists());
    let ours = |node: &Node| {
        let pins = node.pins().into_iter();
        pins.filter(|(_, name)| name.starts_with("ipwhl/"))
            .collect::<Vec<_>>()
    };
    workshop.run(&["publish"]).refused(
        1,
        &[
            "blocks that this delta depends on",
            "`ipwhl fill release/release.delta.car --from ARCHIVE`",
        ],
    );

    // All but a block of a wheel that has not changed.
    node.text(&[
        "dag",
        "import",
        "--pin-roots=false",
        first.join("release.car").to_str().unwrap(),
    ]);
    let file = fs::File::open(first.join("release.car")).unwrap();
    let archive = ipwhl_unixfs::car::CarReader::open(file).unwrap();
    let cids = archive.cids();
    let leaf = cids.iter().max_by_key(|cid| archive.length_of(cid));
    node.text(&["block", "rm", &leaf.unwrap().to_string()]);
    workshop.run(&["publish"]).refused(
        3,
        &[
            "node: ",
            "`ipwhl fill release/release.delta.car --from ARCHIVE`",
        ],
    );
    assert_eq!(ours(&node), []);

    let publish = ["publish", "--release", first.to_str().unwrap()];
    succeeded(workshop.run(&publish));
    let ran = succeeded(workshop.run(&["publish"]));
    ran.said("read back the root and 1 wheel: ");
    assert_eq!(ours(&node)[..].len(), 2);
    assert!(ours(&node).iter().any(|(cid, _)| *cid == root));
}

#[test]
fn what_is_at_the_path_in_the_mfs_and_is_no_release_stays() {
    let node = Node::start();
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(
        &workshop,
        &format!(
            "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\nmfs = \"/mine\"",
            node.api
        ),
    );
    workshop.build(&[]);
    node.text(&["files", "mkdir", "/mine"]);
    let ran = workshop.run(&["publish"]);
    ran.refused(
        1,
        &[
            "`/mine` in the MFS is ",
            "is not replaced",
            "whose pin was removed, run `ipfs files rm -r /mine`",
        ],
    );
    assert!(node.pins().iter().all(|(_, name)| name.is_empty()));
}

#[test]
fn a_run_that_is_cut_anywhere_is_completed_by_the_next_one() {
    let commands = [
        "block/stat",
        "dag/import",
        "pin/add",
        "files/cp",
        "files/mv",
    ];
    let mut cuts: Vec<Cut> = commands[1..]
        .iter()
        .map(|one| Cut::BeforeLine(one))
        .collect();
    cuts.extend(commands.map(Cut::AfterLine));
    cuts.extend([200_000, 2_000_000].map(Cut::Bytes));
    cuts.push(Cut::BeforeLine("block/get"));
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    let plain = fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    let root = workshop.build(&[]);
    let mut node = Node::start();
    let mut cut_at = 0;
    for cut in cuts {
        // An empty node each time.
        node.stop();
        node = Node::start();
        let publish = |api: &str| {
            let target = format!(
                "{plain}\n[publish.node]\nkind = \"kubo\"\napi = \"{api}\"\nmfs = \"/latest\"\n"
            );
            fs::write(workshop.repository().join("ipwhl.toml"), target).unwrap();
            let mut command = workshop.command(&["publish"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let proxy = CuttingProxy::start(&node.api, cut);
        let was_cut = proxy.cuts(publish(&proxy.url));
        cut_at += usize::from(was_cut);
        assert!(was_cut, "{cut:?}: {} requests", proxy.requests());
        let pinned = |node: &Node| {
            let named = node.pins().into_iter().filter(|(_, name)| !name.is_empty());
            named.collect::<Vec<_>>()
        };
        assert!(pinned(&node).len() <= 1);
        let ran = Ran::of(&publish(&node.api).wait_with_output().unwrap());
        succeeded(ran);
        assert_eq!(
            pinned(&node),
            [(root.clone(), "ipwhl/example/1".to_owned())],
            "{cut:?}"
        );
        assert_eq!(
            node.text(&["files", "stat", "--hash", "/latest"]),
            root,
            "{cut:?}"
        );
        assert_eq!(node.text(&["files", "ls", "/"]), "latest", "{cut:?}");
        // All of it is there, without asking anybody.
        node.text(&["--offline", "dag", "stat", "--progress=false", &root]);
    }
    assert!(cut_at >= 10);
}

/// A secret that may use some paths of the RPC API only.
#[test]
fn a_path_that_a_secret_may_not_use_is_named() {
    let authorizations = r#"{"ipwhl": {"AuthSecret": "bearer:sw0rdfish", "AllowedPaths": ["/api/v0/pin/ls", "/api/v0/block/stat"]}, "test": {"AuthSecret": "bearer:test", "AllowedPaths": ["/api/v0"]}}"#;
    let node = Node::start_with(&[("API.Authorizations", authorizations)]);
    let workshop = Workshop::with(&installable_with("2.0"));
    let target = format!("[publish.node]\nkind = \"kubo\"\napi = \"{}\"", node.api);
    settings(&workshop, &target);
    workshop.build(&[]);
    let publish = |name: &str, value: &str| {
        let mut command = workshop.command(&["publish"]);
        let ran = Ran::of(&command.env(name, value).output().unwrap());
        assert!(!format!("{ran:?}").contains("sw0rdfish"), "{ran:?}");
        ran
    };
    let token = "IPWHL_PUBLISH_NODE_TOKEN";
    publish(token, "sw0rdfish").refused(
        3,
        &[
            "403 Forbidden to `/api/v0/dag/import`",
            "that it may use `/api/v0/dag/import`",
        ],
    );
    publish(token, "wrong").refused(3, &["403 Forbidden to `/api/v0/pin/ls`"]);
    succeeded(publish(token, "test"));
    // What no header can hold, and what is no pair.
    publish(token, "sw0rd\nfish").refused(2, &["`IPWHL_PUBLISH_NODE_TOKEN`", "line feed"]);
    publish("IPWHL_PUBLISH_NODE_BASIC", "sw0rdfish").refused(
        2,
        &["`IPWHL_PUBLISH_NODE_BASIC` does not have the form `user:password`"],
    );
}
