//! `ipwhl fill` from several gateways at once: slow and silent ones are overtaken, liars are named,
//! and the result is the archive that a build writes.

use std::fs;
use std::process::Stdio;

use ipwhl::release::archive::ReleaseArchive;
use ipwhl_unixfs::car::Blocks;
use ipwhl_unixfs::{Cid, Profile};

use crate::dag::Seeded;
use crate::hollow_command::{lose_the_wheels, small_with_newer_library};
use crate::kubo::Kubo;
use crate::reuse::{open, serving};
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::loopback_index::{Answer, LoopbackIndex};
use crate::support::nodes::Node;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::throttling_proxy::{Rate, ThrottlingProxy};
use crate::support::workshop::{Ran, Workshop, files, small, stored};

const HOLLOW: &str = "release/release.hollow.car";

/// A hollow release of this repository, and its full archive, which is gone; neither cache nor
/// wheels are left.
fn hollowed(repository: &RepositoryBuilder) -> (Workshop, Vec<u8>) {
    let workshop = Workshop::with(repository);
    workshop.build(&["--unsigned"]);
    let full = workshop.read("release.car");
    workshop.run(&["hollow", "release"]).line();
    fs::remove_file(workshop.release("release.car")).unwrap();
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    fs::remove_dir_all(workshop.repository().join("wheels")).unwrap();
    (workshop, full)
}

/// Wheels that are one block each, of so many bytes and a few more.
fn wheels(count: usize, size: usize) -> RepositoryBuilder {
    (0..count).fold(RepositoryBuilder::new(), |repository, number| {
        let project = format!("project-{number}");
        let wheel = stored(&project, "1").member("data.bin", Seeded::bytes(&project, size));
        repository.project(Project::wanted(wheel))
    })
}

/// The blocks that the hollow archive lacks.
fn lacking(workshop: &Workshop) -> Vec<Cid> {
    let survey = open(&workshop.read("release.hollow.car")).survey().unwrap();
    survey.lacking.into_iter().map(|one| one.cid).collect()
}

fn path(cid: &Cid) -> String {
    format!("/ipfs/{cid}?format=raw")
}

/// Fills an archive from these gateways. The result is the full archive, and the cache keeps
/// nothing.
#[track_caller]
fn fills(workshop: &Workshop, full: &[u8], archive: &str, gateways: &[&str]) -> Ran {
    let from = gateways.iter().flat_map(|url| ["--from", url]);
    let line: Vec<&str> = ["fill", archive].into_iter().chain(from).collect();
    let ran = workshop.run(&line);
    assert_eq!(ran.line(), open(full).root().to_string());
    assert!(workshop.read("release.car") == full, "the archives differ");
    fs::remove_file(workshop.release("release.car")).unwrap();
    let blocks = workshop.path("cache/blocks");
    assert!(!blocks.exists() || files(&blocks).is_empty());
    ran
}

/// The warning of a run about this gateway.
#[track_caller]
fn warning<'r>(ran: &'r Ran, url: &str) -> &'r str {
    let start = format!("warning: gateway {url}/ ");
    let mut lines = ran
        .error
        .lines()
        .filter_map(|line| line.strip_prefix(&start));
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("no `{start}` in {}", ran.error));
    assert_eq!(lines.next(), None, "{}", ran.error);
    line
}

fn is_named(ran: &Ran, url: &str) -> bool {
    ran.error.contains(&format!("gateway {url}"))
}

#[test]
fn a_slow_gateway_is_overtaken_whatever_the_order() {
    let (workshop, full) = hollowed(&small());
    let kubo = Kubo::new(Profile::default());
    kubo.import(&full);
    let node = Node::over(kubo, &[]);
    for is_first in [true, false] {
        let slow = ThrottlingProxy::start(&node.gateway, Rate::OfEach);
        let good = CuttingProxy::start(&node.gateway, Cut::Never);
        let mut gateways = [&*slow.url, &*good.url];
        if !is_first {
            gateways.reverse();
        }
        let ran = fills(&workshop, &full, HOLLOW, &gateways);
        let said = warning(&ran, &slow.url);
        assert!(
            said.starts_with("was overtaken by other gateways "),
            "{said}"
        );
        assert!(said.contains(" KiB/s for each request"), "{said}");
        assert!(!is_named(&ran, &good.url), "{}", ran.error);
        // Every block of the large wheel takes the slow one more than a minute.
        assert!(good.received() > 2_500_000, "{}", good.received());
        assert!(slow.passed() < 500_000, "{}", slow.passed());
    }
}

#[test]
fn a_slow_archive_is_overtaken_and_the_mirrors_are_asked_at_once() {
    let profile = Profile::default();
    let workshop = Workshop::small();
    workshop.build(&["--output", "first"]);
    let first = fs::read(workshop.repository().join("first/release.car")).unwrap();
    let kubo = Kubo::new(profile);
    kubo.import(&first);
    let node = Node::over(kubo, &[]);
    let slow = ThrottlingProxy::start(&node.gateway, Rate::OfEach);
    let good = CuttingProxy::start(&node.gateway, Cut::Never);
    let mirrors = format!("\n[mirrors]\ngateways = [{:?}, {:?}]\n", slow.url, good.url);
    workshop.write_over(&small_with_newer_library(profile).configuration(&mirrors));
    let previous = ["--previous", "first/release.toml"];
    workshop.build(&[&["--output", "full"], &previous[..]].concat());
    workshop.build(&[&["--car", "delta"], &previous[..]].concat());
    let full = fs::read(workshop.repository().join("full/release.car")).unwrap();
    lose_the_wheels(&workshop);
    let ran = fills(&workshop, &full, "release/release.delta.car", &["mirrors"]);
    let said = warning(&ran, &slow.url);
    assert!(
        said.starts_with("was overtaken by other gateways "),
        "{said}"
    );
    assert!(!is_named(&ran, &good.url), "{}", ran.error);
    assert!(good.received() > 2_500_000, "{}", good.received());
}

#[test]
fn a_gateway_that_never_answers_is_overtaken() {
    let (workshop, full) = hollowed(&small());
    let (good, silent) = (serving(&full), LoopbackIndex::start());
    for cid in lacking(&workshop) {
        silent.always(&path(&cid), Answer::Stall(Vec::new()));
    }
    for gateways in [
        [&*silent.url(""), &*good.url("")],
        [&*good.url(""), &*silent.url("")],
    ] {
        let ran = fills(&workshop, &full, HOLLOW, &gateways);
        let said = warning(&ran, &silent.url(""));
        assert!(
            said.starts_with("was overtaken by other gateways "),
            "{said}"
        );
        assert!(said.ends_with(", before its first byte"), "{said}");
        assert!(!is_named(&ran, &good.url("")), "{}", ran.error);
    }
    assert!(!silent.paths().is_empty());
}

#[test]
fn what_only_a_slow_gateway_has_is_waited_for() {
    // At 5 KiB a second a block of 40 KiB takes longer than it should.
    let (workshop, full) = hollowed(&wheels(4, 40 * 1024));
    let good = LoopbackIndex::start();
    let missing = lacking(&workshop);
    for cid in &missing[1..] {
        good.put(&path(cid), &open(&full).require(cid).unwrap());
    }
    let all = serving(&full);
    let slow = ThrottlingProxy::start(&all.url(""), Rate::OfEach);
    fills(&workshop, &full, HOLLOW, &[&slow.url, &good.url("")]);
    assert!(slow.passed() > 40 * 1024, "{}", slow.passed());
    let of_first = |gateway: &LoopbackIndex| {
        let paths = gateway.paths().into_iter();
        paths.filter(|one| *one == path(&missing[0])).count()
    };
    assert_eq!((of_first(&all), of_first(&good)), (1, 1));
}

#[test]
fn two_slow_gateways_are_better_than_none_and_a_thin_line_is_shared() {
    // Eight requests at once, each with an eighth of 5 KiB a second: longer than any of them may
    // bring so little.
    let thin = hollowed(&wheels(8, 16 * 1024));
    // More than one request is to bring in its time.
    let two = hollowed(&wheels(8, 40 * 1024));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (workshop, full) = &thin;
            let all = serving(full);
            let slow = ThrottlingProxy::start(&all.url(""), Rate::OfAll);
            let ran = fills(workshop, full, HOLLOW, &[&slow.url]);
            assert!(!is_named(&ran, &slow.url), "{}", ran.error);
        });
        scope.spawn(|| {
            let (workshop, full) = &two;
            let all = serving(full);
            let slow = [(); 2].map(|()| ThrottlingProxy::start(&all.url(""), Rate::OfEach));
            fills(workshop, full, HOLLOW, &[&slow[0].url, &slow[1].url]);
            for one in slow {
                assert!(one.passed() > 40 * 1024, "{}", one.passed());
            }
        });
    });
}

#[test]
fn a_liar_is_named_although_the_run_ends_well() {
    let (workshop, full) = hollowed(&small());
    let (good, liar) = (serving(&full), LoopbackIndex::start());
    let missing = lacking(&workshop);
    for cid in &missing {
        liar.always(&path(cid), Answer::whole("200 OK", &[], b"lies, all lies"));
    }
    for gateways in [
        [&*liar.url(""), &*good.url("")],
        [&*good.url(""), &*liar.url("")],
    ] {
        liar.forget();
        let ran = fills(&workshop, &full, HOLLOW, &gateways);
        let said = warning(&ran, &liar.url(""));
        assert!(said.starts_with("sent wrong bytes for block baf"), "{said}");
        assert!(said.ends_with(", and was not asked again"), "{said}");
        // It is asked no more after the first lie has come.
        let asked = liar.paths().len();
        assert!((1..missing.len()).contains(&asked), "{asked}");
        assert!(!is_named(&ran, &good.url("")), "{}", ran.error);
    }
    // Alone it gives nothing, and none of it is kept.
    let url = liar.url("");
    let line = ["fill", HOLLOW, "--jobs", "1", "--from", &url];
    let ran = workshop.run(&line);
    ran.refused(3, &["sent wrong bytes and is no longer used"]);
    assert!(warning(&ran, &url).starts_with("sent wrong bytes for block baf"));
    for (name, bytes) in files(&workshop.path("cache")) {
        let has_lies = bytes.windows(4).any(|part| part == b"lies");
        assert!(!has_lies, "{name}");
    }
    // With `--quiet` there are errors only.
    let ran = workshop.run(&[&line[..], &["--quiet"]].concat());
    ran.refused(3, &["sent wrong bytes and is no longer used"]);
    assert!(!ran.error.contains("warning: "), "{}", ran.error);
}

#[test]
fn two_gateways_with_half_of_the_blocks_each_are_enough() {
    let (workshop, full) = hollowed(&wheels(12, 1000));
    let halves = [LoopbackIndex::start(), LoopbackIndex::start()];
    for (number, cid) in lacking(&workshop).iter().enumerate() {
        let block = open(&full).require(cid).unwrap();
        halves[number / 6].put(&path(cid), &block);
    }
    let urls = halves.each_ref().map(|half| half.url(""));
    let ran = fills(&workshop, &full, HOLLOW, &[&urls[0], &urls[1]]);
    assert!(!ran.error.contains("warning: "), "{}", ran.error);
    assert_eq!(ran.error.matches("requesting ").count(), 1, "{}", ran.error);
    for half in &halves {
        // In one round a block that one lacks goes to the other, and neither is asked twice for it.
        let mut paths = half.paths();
        let asked = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), asked);
        assert!(asked >= 6, "{asked}");
    }
    // One half is not enough, and its blocks are not asked for again.
    let ran = workshop.run(&["fill", HOLLOW, "--from", &urls[0]]);
    ran.refused(
        3,
        &[
            "404 Not Found",
            "nothing was written: 6 blocks were not found",
        ],
    );
    halves.iter().for_each(LoopbackIndex::forget);
    fills(&workshop, &full, HOLLOW, &[&urls[1]]);
    assert_eq!(halves[1].paths().len(), 6);
}

#[test]
fn a_run_that_is_cut_goes_on() {
    let (workshop, full) = hollowed(&wheels(6, 1000));
    let (silent, all) = (LoopbackIndex::start(), serving(&full));
    for cid in lacking(&workshop) {
        silent.always(&path(&cid), Answer::Stall(Vec::new()));
    }
    // It is cut when the good one is asked for the fourth block.
    let good = CuttingProxy::start(&all.url(""), Cut::Before(4));
    let silent = silent.url("");
    let line = [
        "fill", HOLLOW, "--jobs", "1", "--from", &silent, "--from", &good.url,
    ];
    let mut command = workshop.command(&line);
    let child = command.stderr(Stdio::null()).spawn().unwrap();
    assert!(good.cuts(child), "it was not cut");
    let kept: Vec<String> = files(&workshop.path("cache/blocks")).into_keys().collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
    all.forget();
    fills(&workshop, &full, HOLLOW, &[&silent, &all.url("")]);
    let asked = all.paths();
    assert_eq!(asked.len(), 3, "{asked:?}");
    for cid in kept {
        assert!(!asked.contains(&format!("/ipfs/{cid}?format=raw")), "{cid}");
    }
}
