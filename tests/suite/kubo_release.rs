//! A real Kubo takes, gives back, computes and serves what a build makes.

use std::fs;
use std::process::Command;

use ipwhl_unixfs::Profile;

use crate::clients::{Pip, Uv, release_of_2023};
use crate::hollow_command::small_with_newer_library;
use crate::kubo::Kubo;
use crate::reuse::{released, trusted};
use crate::support::http::get;
use crate::support::nodes::Node;
use crate::support::workshop::{Workshop, installable_from, small};

#[test]
fn kubo_imports_the_release_and_exports_it_byte_for_byte() {
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        let workshop = Workshop::with(&small().profile(profile));
        let root = workshop.build(&["--unsigned"]);
        let car = workshop.read("release.car");
        // `import` reads the answer, which is a success with the error in it when the pin fails.
        let imported = kubo.import(&car);
        assert_eq!(imported.to_string(), root);
        assert!(
            kubo.export(&imported) == car,
            "{profile}: the archives differ"
        );
        kubo.text(&["pin", "verify", "--quiet"]);
        let pinned = kubo.text(&["pin", "ls", "--type", "recursive", "--quiet"]);
        assert!(pinned.lines().any(|line| line == root), "{pinned}");
    }
}

#[test]
fn an_archive_that_lacks_a_block_is_not_pinned() {
    let kubo = Kubo::new(Profile::UnixfsV1_2025);
    let workshop = Workshop::with(&small());
    workshop.build(&["--unsigned"]);
    let whole = workshop.read("release.car");
    // Without its last block, cut where that block begins.
    let mut position = 0;
    let mut last = 0;
    while position < whole.len() {
        last = position;
        let mut length = 0;
        let mut shift = 0;
        loop {
            let byte = whole[position];
            position += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        position += length;
    }
    let cut = whole[..last].to_vec();
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| kubo.import(&cut)));
    assert!(refused.is_err(), "an archive with a hole was pinned");
    fs::write(workshop.release("release.car"), cut).unwrap();
    workshop
        .run(&["verify", "release/release.car"])
        .refused(1, &["release.car`"]);
}

#[test]
fn kubo_gives_the_tree_the_same_root() {
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        let workshop = Workshop::with(&small().profile(profile));
        let root = workshop.build(&["--unsigned", "--tree", "tree"]);
        let tree = workshop.repository().join("tree");
        let added = kubo.text(&[
            "add",
            "-r",
            "-Q",
            "--progress=false",
            tree.to_str().unwrap(),
        ]);
        assert_eq!(added, root, "{profile}");
    }
}

#[test]
fn pip_installs_through_kubos_own_gateway() {
    let kubo = Kubo::new(Profile::UnixfsV1_2025);
    let pip = Pip::new();
    let workshop = Workshop::with(&installable_from(None));
    let root = workshop.build(&["--unsigned"]);
    kubo.import(&workshop.read("release.car"));
    let node = Node::over(kubo, &[]);
    let url = format!("{}/ipfs/{root}/", node.gateway);
    // What is said to whoever wants to verify what a gateway has is typed as it stands.
    let refused = workshop.run(&["verify", &url]);
    refused.refused(2, &["an archive", "`curl --fail -o release.car '"]);
    let line = refused
        .error
        .split('`')
        .find(|part| part.starts_with("curl "));
    let fetched = Command::new("sh")
        .args(["-c", line.unwrap()])
        .current_dir(workshop.path(""))
        .output()
        .unwrap();
    assert!(fetched.status.success(), "{fetched:?}");
    assert_eq!(workshop.run(&["verify", "../release.car"]).line(), root);
    let (head, page) = get(&format!("{url}application/"), "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(
        String::from_utf8(page)
            .unwrap()
            .contains("application-1.0-py3-none-any.whl")
    );
    pip.install(&url, &["application"]);
    assert_eq!(
        pip.python("import application, library; print(library.version)"),
        "2.1.post1"
    );
    pip.check();
}

/// A gateway sends HTML to every client: uv reads times there, and pip ends.
#[test]
fn clients_leave_out_what_is_newer_through_kubos_own_gateway() {
    let kubo = Kubo::new(Profile::UnixfsV1_2025);
    let (workshop, _serving, _plain) = release_of_2023();
    let root = kubo.import(&workshop.read("release.car"));
    let node = Node::over(kubo, &[]);
    let url = format!("{}/ipfs/{root}/", node.gateway);
    let (uv, pip) = (Uv::new(), Pip::new());
    let output = uv.install_older(&url, "2023-08-17T17:29:11Z");
    assert!(!output.status.success(), "uv installed a newer wheel");
    let output = uv.install_older(&url, "2023-08-17T17:29:12Z");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let output = pip.install_older(&url, "2023-08-17T17:29:12Z");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && error.contains("does not provide upload-time metadata"),
        "{error}"
    );
}

#[test]
fn hollow_archives_and_deltas_are_filled_through_kubos_own_gateway() {
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        let workshop = Workshop::with(&small().profile(profile));
        let root = workshop.build(&["--output", "first"]);
        let first = fs::read(workshop.repository().join("first/release.car")).unwrap();
        kubo.import(&first);
        let node = Node::over(kubo, &[]);
        let from = ["--from", &node.gateway];
        workshop.run(&["hollow", "first"]).line();
        fs::remove_dir_all(workshop.path("cache")).unwrap();
        let line = ["fill", "first/release.hollow.car", "--output", "again.car"];
        assert_eq!(workshop.run(&[&line[..], &from].concat()).line(), root);
        let again = fs::read(workshop.repository().join("again.car")).unwrap();
        assert!(again == first, "{profile}: the archives differ");
        // The next release, of which the node knows nothing, on top of the one that it has.
        workshop.write_over(&small_with_newer_library(profile));
        let previous = ["--previous", "first/release.toml"];
        workshop.build(&[&["--output", "full"], &previous[..]].concat());
        workshop.build(&[&["--car", "delta"], &previous[..]].concat());
        fs::remove_dir_all(workshop.path("cache")).unwrap();
        let line = ["fill", "release/release.delta.car"];
        workshop.run(&[&line[..], &from].concat()).line();
        let full = fs::read(workshop.repository().join("full/release.car")).unwrap();
        assert!(
            workshop.read("release.car") == full,
            "{profile}: by the delta"
        );
    }
}

#[test]
fn a_runner_that_has_nothing_reuses_what_kubos_own_gateway_has() {
    for profile in Profile::ALL {
        let kubo = Kubo::new(profile);
        let first = small().profile(profile).configuration(&trusted());
        let next = small_with_newer_library(profile).configuration(&trusted());
        let (workshop, root) = released(&first, &next, "library-2.2");
        let archive = fs::read(workshop.repository().join("first/release.car")).unwrap();
        let previous = kubo.import(&archive);
        let node = Node::over(kubo, &[]);
        let release = format!("{}/ipfs/{previous}/", node.gateway);
        let line = [
            "build",
            "--key",
            "../key-1",
            "--previous",
            "first/release.toml",
        ];
        let reuse = [
            "--car",
            "delta",
            "--reuse",
            &release,
            "--previous-car",
            &release,
        ];
        let ran = workshop.run(&[&line[..], &reuse].concat());
        assert_eq!(ran.line(), root, "{profile}");
        ran.said("reused 4 wheels from ");
        // The set has 2.5 MB.
        let (before, _) = ran.error.split_once(" blocks, ").unwrap();
        let blocks: usize = before.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(blocks < 40, "{}", ran.error);
        assert!(ran.error.contains(" KiB over the network"), "{}", ran.error);
        // What is new goes to the node, which has the rest: then it has the whole release.
        assert_eq!(
            node.kubo
                .import(&workshop.read("release.delta.car"))
                .to_string(),
            root
        );
        node.kubo.text(&["pin", "verify", "--quiet"]);
        // And gives it: the hollow archive with what the node has is what a build from nothing
        // writes.
        let whole = Workshop::with(&next);
        assert_eq!(whole.build(&["--unsigned"]), root);
        workshop.build(&[
            "--unsigned",
            "--output",
            "hollow",
            "--car",
            "hollow",
            "--reuse",
            &release,
            "--reuse-statement",
            "first/release.toml",
        ]);
        let _ = fs::remove_dir_all(workshop.path("cache"));
        workshop
            .run(&["fill", "hollow/release.hollow.car", "--from", &node.gateway])
            .line();
        let filled = fs::read(workshop.repository().join("hollow/release.car")).unwrap();
        assert!(filled == whole.read("release.car"), "{profile}");
    }
}
