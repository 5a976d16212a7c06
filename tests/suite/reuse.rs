//! `ipwhl build --reuse`: what a release before says of unchanged wheels is taken over, and the
//! root is the same.

mod amounts;
mod liars;
mod vouching;

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ipwhl::release::archive::ReleaseArchive;
use ipwhl::release::signature::SigningKey;
use ipwhl_packaging::wheel::FACTS_VERSION;
use ipwhl_unixfs::car::{Blocks, CarReader};
use ipwhl_unixfs::{Cid, Profile};

use crate::hollow_command::small_with_newer_library;
use crate::support::loopback_index::{Answer, LoopbackIndex};
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::workshop::{Ran, Workshop, files, pure, small};

pub fn open(bytes: &[u8]) -> CarReader<Cursor<Vec<u8>>> {
    CarReader::open(Cursor::new(bytes.to_vec())).unwrap()
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
        .unwrap()
        .with_comment(&format!("key-{seed}"))
}

/// Settings that trust the key 1.
pub fn trusted() -> String {
    format!(
        "\n[signing]\ntrusted = [{:?}]\n",
        key(1).public().line("key-1")
    )
}

/// Builds `repository` into `first`, signed by the trusted key, beside a hollow archive of it; then
/// writes `next` in its place, and gives back the root that it has from nothing. The cache is empty
/// then, and of the wheels there are those whose name has `kept`.
pub fn released(
    repository: &RepositoryBuilder,
    next: &RepositoryBuilder,
    kept: &str,
) -> (Workshop, String) {
    let workshop = Workshop::with(repository);
    fs::write(workshop.path("key-1"), key(1).to_openssh().unwrap()).unwrap();
    workshop.build(&["--output", "first", "--key", "../key-1"]);
    workshop.run(&["hollow", "first"]).line();
    workshop.write_over(next);
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    let root = workshop.build(&["--root-only"]);
    forget(&workshop, kept);
    (workshop, root)
}

/// Empties the cache, and takes away the wheels whose name does not have `kept`.
pub fn forget(workshop: &Workshop, kept: &str) {
    let _ = fs::remove_dir_all(workshop.path("cache"));
    for entry in fs::read_dir(workshop.repository().join("wheels")).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_str().unwrap().contains(kept) {
            fs::remove_file(path).unwrap();
        }
    }
}

pub fn read(workshop: &Workshop, path: &str) -> Vec<u8> {
    fs::read(workshop.repository().join(path)).unwrap()
}

/// A gateway that has the blocks of an archive.
pub fn serving(archive: &[u8]) -> LoopbackIndex {
    let gateway = LoopbackIndex::start();
    let reader = open(archive);
    for cid in reader.cids() {
        let block = reader.require(&cid).unwrap();
        gateway.put(&format!("/ipfs/{cid}?format=raw"), &block);
    }
    gateway
}

/// The address of a release behind a gateway.
pub fn address(gateway: &LoopbackIndex, archive: &[u8]) -> String {
    gateway.url(&format!("/ipfs/{}/", open(archive).root()))
}

/// How many facts of wheels the cache has.
fn facts(workshop: &Workshop) -> usize {
    let folder = workshop.path(&format!("cache/facts/{FACTS_VERSION}.json"));
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn only_what_is_new_is_looked_at_and_the_root_is_the_same() {
    for profile in Profile::ALL {
        let first = small().profile(profile).configuration(&trusted());
        let next = small_with_newer_library(profile).configuration(&trusted());
        let (workshop, root) = released(&first, &next, "library-2.2");
        let archive = read(&workshop, "first/release.car");
        let leaves: HashSet<Cid> = open(&read(&workshop, "first/release.hollow.car"))
            .survey()
            .unwrap()
            .lacking
            .into_iter()
            .map(|one| one.cid)
            .collect();
        let gateway = serving(&archive);
        let address = address(&gateway, &archive);
        let statement = ["--reuse-statement", "first/release.toml"];
        for release in ["first", "first/release.hollow.car", &address] {
            let _ = fs::remove_dir_all(workshop.path("cache"));
            let line = [
                &["build", "--root-only", "--reuse", release],
                &statement[..],
            ]
            .concat();
            let ran = workshop.run(&line);
            assert_eq!(ran.line(), root, "{profile}: {release}");
            ran.said("reused 4 wheels from ");
            // What nobody has looked at is not kept as if somebody had.
            assert_eq!(facts(&workshop), 1, "{profile}: {release}");
        }
        // Pages, METADATA and nodes, and each of them once.
        let asked = gateway.paths();
        assert!(!asked.is_empty());
        for cid in &leaves {
            let path = format!("/ipfs/{cid}?format=raw");
            assert!(!asked.contains(&path), "{profile}: a leaf was fetched");
        }
        let once: HashSet<&String> = asked.iter().collect();
        assert_eq!(once.len(), asked.len(), "{profile}: {asked:?}");
    }
}

#[test]
fn a_root_is_read_through_the_gateways_of_the_repository() {
    let first = small().configuration(&trusted());
    let next = small_with_newer_library(Profile::default());
    let (workshop, root) = released(&first, &next, "library-2.2");
    let archive = read(&workshop, "first/release.car");
    let gateway = serving(&archive);
    let none = LoopbackIndex::start();
    let previous = open(&archive).root().to_string();
    let line = [
        "build",
        "--root-only",
        "--reuse",
        &previous,
        "--reuse-unsigned",
    ];
    workshop
        .run(&line)
        .refused(2, &["no gateway is configured", "`[mirrors]`"]);
    workshop
        .run(&[&line[..], &["--offline"]].concat())
        .refused(2, &[]);
    let mirrors = format!(
        "\n[mirrors]\ngateways = [{:?}, {:?}]\n",
        none.url(""),
        gateway.url("")
    );
    next.configuration(&mirrors)
        .write_to(&workshop.repository());
    forget(&workshop, "library-2.2");
    let ran = workshop.run(&line);
    assert_eq!(ran.line(), root);
    ran.said("over the network");
    assert!(!none.paths().is_empty());
}

#[test]
fn parts_of_a_release_need_no_wheel_that_is_reused() {
    for profile in Profile::ALL {
        let first = small().profile(profile).configuration(&trusted());
        let next = small_with_newer_library(profile).configuration(&trusted());
        let (workshop, root) = released(&first, &next, "library-2.2");
        let archive = read(&workshop, "first/release.car");
        // From nothing, with all wheels.
        let whole = Workshop::with(&next);
        fs::create_dir_all(whole.repository().join("first")).unwrap();
        for (name, bytes) in files(&workshop.repository().join("first")) {
            fs::write(whole.repository().join("first").join(name), bytes).unwrap();
        }
        let base = ["--previous-car", "first/release.car"];
        whole.build(&[&["--unsigned", "--car", "delta"], &base[..]].concat());
        whole.build(&["--unsigned", "--car", "hollow"]);

        let gateway = serving(&archive);
        let address = address(&gateway, &archive);
        for release in ["first", &address] {
            for (extent, name) in [
                ("delta", "release.delta.car"),
                ("hollow", "release.hollow.car"),
            ] {
                let _ = fs::remove_dir_all(workshop.path("cache"));
                let built = workshop.build(&[
                    "--car",
                    extent,
                    "--key",
                    "../key-1",
                    "--previous",
                    "first/release.toml",
                    "--reuse",
                    release,
                ]);
                assert_eq!(built, root, "{profile}: {release}");
                assert!(
                    workshop.read(name) == whole.read(name),
                    "{profile}: {extent} by {release} is another one"
                );
            }
        }
        // What the previous release has is asked of a gateway too, where it does not say what its
        // wheels are.
        let ran = workshop.run(&[
            "build",
            "--unsigned",
            "--output",
            "unsigned",
            "--car",
            "delta",
            "--previous-car",
            &address,
            "--reuse",
            "first",
        ]);
        assert_eq!(ran.line(), root);
        let built = workshop.repository().join("unsigned/release.delta.car");
        assert!(fs::read(built).unwrap() == whole.read("release.delta.car"));
    }
}

#[test]
fn a_full_archive_takes_its_wheels_out_of_the_one_before() {
    for profile in Profile::ALL {
        let first = small().profile(profile).configuration(&trusted());
        let next = small_with_newer_library(profile).configuration(&trusted());
        let (workshop, root) = released(&first, &next, "library-2.2");
        let whole = Workshop::with(&next);
        whole.build(&["--unsigned", "--tree", "tree"]);
        let reuse = ["--unsigned", "--tree", "tree", "--reuse", "first"];
        let ran = workshop.run(&[&["build"], &reuse[..]].concat());
        assert_eq!(ran.line(), root);
        ran.said("copied 4 wheels from first/release.car");
        assert!(workshop.read("release.car") == whole.read("release.car"));
        assert!(
            files(&workshop.repository().join("tree")) == files(&whole.repository().join("tree"))
        );
        // A wheel that is damaged there is had from its source, which is missing.
        let _ = fs::remove_dir_all(workshop.path("cache"));
        let mut damaged = read(&workshop, "first/release.car");
        let last = damaged.len() / 2;
        damaged[last] ^= 1;
        fs::write(workshop.repository().join("first/release.car"), &damaged).unwrap();
        workshop
            .run(&[&["build"], &reuse[..]].concat())
            .refused(1, &["large-1.0-py3-none-any.whl", "there is no such file"]);
    }
}

#[test]
fn what_is_declared_is_compared_anew() {
    let first = RepositoryBuilder::sound().configuration(&trusted());
    let without_juice = |project: Project| {
        let needed = "[\"banana>=2\", \"cherry[pit] ; python_version >= \\\"3.8\\\"\"]";
        let needed = needed.replace("\\\\", "\\");
        project.set("extras", "[]").set("dependencies", &needed)
    };
    let next = first.clone().change("apple", without_juice);
    let (workshop, root) = released(&first, &next, "nothing");
    let reuse = ["build", "--root-only", "--reuse", "first"];
    let ran = workshop.run(&reuse);
    assert_eq!(ran.line(), root);
    ran.said("reused 6 wheels from first/release.car");
    // A declaration that says what METADATA does not, told as if the wheel had been read.
    for (change, code) in [
        (("extras", "[\"cider\"]"), "extras-mismatch"),
        (("requires-python", "\">=3.9\""), "requires-python-mismatch"),
        (("dependencies", "[]"), "dependencies-mismatch"),
    ] {
        let broken = first
            .clone()
            .change("apple", |project| project.set(change.0, change.1));
        workshop.write_over(&broken);
        let _ = fs::remove_dir_all(workshop.path("cache"));
        let from_nothing = workshop.run(&["build", "--root-only"]);
        forget(&workshop, "nothing");
        let reused = workshop.run(&reuse);
        reused.refused(1, &[code]);
        let findings = |ran: &Ran| {
            ran.error
                .lines()
                .filter(|line| line.starts_with("error"))
                .map(ToOwned::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(findings(&reused), findings(&from_nothing));
    }
}

#[test]
fn the_same_bytes_under_another_name_are_another_wheel() {
    let wheel = pure("library", "2.1.post1");
    let name = "library-2.1.post1-1-py3-none-any.whl";
    let first = small().configuration(&trusted());
    let source = format!("file:wheels/{name}");
    let next = first
        .clone()
        .project(Project::automatic(Wheel::elsewhere(wheel.clone(), &source)))
        .file(&format!("wheels/{name}"), wheel.build());
    let (workshop, root) = released(&first, &next, name);
    let ran = workshop.run(&["build", "--root-only", "--reuse", "first"]);
    assert_eq!(ran.line(), root);
    ran.said("reused 4 wheels from ");
    // Where it cannot be had nobody says what it is.
    let _ = fs::remove_dir_all(workshop.path("cache"));
    fs::remove_file(workshop.repository().join("wheels").join(name)).unwrap();
    workshop
        .run(&["build", "--root-only", "--reuse", "first"])
        .refused(1, &[name, "there is no such file"]);
}

#[test]
fn a_release_of_many_projects_takes_few_requests_each() {
    let projects = 40;
    let first = (0..projects).fold(
        RepositoryBuilder::new().configuration(&trusted()),
        |repository, number| {
            repository.project(Project::wanted(pure(&format!("project{number}"), "1.0")))
        },
    );
    let (workshop, root) = released(&first, &first, "nothing");
    let archive = read(&workshop, "first/release.car");
    let gateway = serving(&archive);
    let address = address(&gateway, &archive);
    let reuse = ["build", "--root-only", "--reuse", &address];
    let ran = workshop.run(&[&reuse[..], &["--reuse-unsigned"]].concat());
    assert_eq!(ran.line(), root);
    // The root, `release.json` and its folder; of each project the folder, the page and METADATA.
    assert_eq!(gateway.paths().len(), 3 + 3 * projects);
    ran.said(&format!("reused {projects} wheels from "));
    ran.said(&format!(": {} blocks, ", 3 + 3 * projects));

    // What they need does not come one after the other: with a cache of its own, another run asks for
    // many before one is answered.
    let (before, is_open) = (gateway.connections(), Arc::new(AtomicBool::new(false)));
    for path in &gateway.paths()[3..] {
        gateway.always(path, Answer::Held(Arc::clone(&is_open)));
    }
    let mut command = workshop.command(&[&reuse[..], &["--reuse-unsigned"]].concat());
    command.env("IPWHL_CACHE_DIR", workshop.path("other"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while gateway.connections() <= before + 8 {
        assert!(Instant::now() < deadline, "{}", gateway.connections());
        std::thread::sleep(Duration::from_millis(5));
    }
    is_open.store(true, Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    assert_eq!(Ran::of(&output).line(), root);
}

#[test]
fn what_is_no_release_is_refused() {
    let (workshop, _) = released(&small(), &small(), "");
    let reuse = |release: &str| {
        workshop.run(&[
            "build",
            "--root-only",
            "--reuse-unsigned",
            "--reuse",
            release,
        ])
    };
    reuse("nowhere").refused(2, &["`nowhere` is neither an existing file nor a root CID"]);
    reuse("wheels").refused(2, &["`wheels` is a folder without an archive"]);
    reuse("http://me:secret@127.0.0.1:1/").refused(2, &["the address of a release must be"]);
    let ran = reuse("http://me:secret@127.0.0.1:1/");
    assert!(!ran.error.contains("secret"), "{}", ran.error);
    // One in the layout of the original has no pages; a folder of one file is none at all.
    let name = Path::new("first/release.car");
    let bytes = read(&workshop, name.to_str().unwrap());
    let reader = open(&bytes);
    let mut writer = ipwhl_unixfs::car::CarWriter::new(Vec::new(), reader.root()).unwrap();
    let block = reader.require(&reader.root()).unwrap();
    ipwhl_unixfs::BlockSink::put(&mut writer, &reader.root(), &block).unwrap();
    let bytes = writer.finish().unwrap().0;
    fs::write(workshop.repository().join("part.car"), bytes).unwrap();
    let ran = reuse("part.car");
    ran.line();
    ran.said("part.car cannot be read; its wheels are looked for elsewhere: block ");
}
