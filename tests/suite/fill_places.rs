//! `ipwhl fill` from each kind of place: an index, the web, the mirrors of a repository, with a
//! repository around and without one; and gateways of every temper.

use std::collections::HashSet;
use std::fs;
use std::process::Command;

use ipwhl::release::archive::ReleaseArchive;
use ipwhl_unixfs::car::Blocks;

use crate::reuse::{open, serving};
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex, message};
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::{Ran, Workshop, installable, installable_from, small};

const HOLLOW: &str = "release/release.hollow.car";

/// A hollow release of this repository; neither cache nor wheels are left.
fn hollowed(repository: &RepositoryBuilder, arguments: &[&str]) -> (Workshop, Vec<u8>) {
    let workshop = Workshop::with(repository);
    workshop.build(&[&["--unsigned"], arguments].concat());
    let full = workshop.read("release.car");
    workshop.run(&["hollow", "release"]).line();
    fs::remove_file(workshop.release("release.car")).unwrap();
    forget(&workshop);
    let _ = fs::remove_dir_all(workshop.repository().join("wheels"));
    (workshop, full)
}

fn forget(workshop: &Workshop) {
    fs::remove_dir_all(workshop.path("cache")).unwrap();
}

/// Runs it, and looks at what it wrote.
fn fills(workshop: &Workshop, command: &mut Command, full: &[u8]) {
    let ran = Ran::of(&command.output().unwrap());
    assert_eq!(ran.line(), open(full).root().to_string());
    assert!(workshop.read("release.car") == full, "the archives differ");
    fs::remove_file(workshop.release("release.car")).unwrap();
    forget(workshop);
}

/// A repository whose wheels are in an index.
fn of_index(wheels: &[WheelBuilder], index: &LoopbackIndex) -> RepositoryBuilder {
    let mut repository = RepositoryBuilder::new();
    for wheel in wheels {
        let name = wheel.file_name();
        let mut parts = name.split('-');
        let (project, version) = (parts.next().unwrap(), parts.next().unwrap());
        index.host(Hosted::new(project, &name, &wheel.build()));
        let source = format!("pkg:pypi/{project}@{version}?file_name={name}");
        repository = repository.project(Project::wanted(Wheel::elsewhere(wheel.clone(), &source)));
    }
    repository
}

#[test]
fn wheels_are_had_from_an_index_with_a_repository_around_and_without() {
    let index = LoopbackIndex::start();
    let url = ["--index-url", &index.index_url()];
    let (workshop, full) = hollowed(&of_index(&installable(), &index), &url);
    let line = [&["fill", HOLLOW], &url[..]].concat();
    fills(&workshop, &mut workshop.command(&line), &full);
    // The release carries its declarations.
    for name in ["ipwhl.toml", "declarations"] {
        let path = workshop.repository().join(name);
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
    }
    index.forget();
    fills(&workshop, &mut workshop.command(&line), &full);
    assert!(index.paths().iter().any(|path| path.starts_with("/files/")));
    // Without an index nothing is known of where they are.
    let ran = workshop.run(&["fill", HOLLOW, "--offline"]);
    ran.refused(3, &["nothing was written", "--offline"]);
}

#[test]
fn wheels_are_had_from_the_web() {
    let index = LoopbackIndex::start_tls();
    for wheel in installable() {
        index.host(Hosted::new("any", &wheel.file_name(), &wheel.build()));
    }
    let source = index.url("/files/{}");
    let workshop = Workshop::with(&installable_from(Some(&source)));
    let run = |line: &[&str]| {
        let mut command = workshop.command(line);
        command.env("SSL_CERT_FILE", LoopbackIndex::certificate());
        command
    };
    let built = run(&["build", "--unsigned"]).output().unwrap();
    Ran::of(&built).line();
    let full = workshop.read("release.car");
    workshop.run(&["hollow", "release"]).line();
    fs::remove_file(workshop.release("release.car")).unwrap();
    forget(&workshop);
    fills(&workshop, &mut run(&["fill", HOLLOW]), &full);
    fs::remove_file(workshop.repository().join("ipwhl.toml")).unwrap();
    fills(&workshop, &mut run(&["fill", HOLLOW]), &full);
}

#[test]
fn mirrors_are_those_of_the_repository() {
    let gateway = LoopbackIndex::start();
    let none = LoopbackIndex::start();
    let mirrors = format!(
        "\n[mirrors]\ngateways = [{:?}, {:?}]\n",
        none.url(""),
        gateway.url("")
    );
    let (workshop, full) = hollowed(&small().configuration(&mirrors), &[]);
    let reader = open(&full);
    for cid in reader.cids() {
        gateway.put(
            &format!("/ipfs/{cid}?format=raw"),
            &reader.require(&cid).unwrap(),
        );
    }
    // By default after the sources, which are gone.
    fills(&workshop, &mut workshop.command(&["fill", HOLLOW]), &full);
    assert!(!none.paths().is_empty() && !gateway.paths().is_empty());
    let line = ["fill", HOLLOW, "--from", "mirrors"];
    fills(&workshop, &mut workshop.command(&line), &full);
    fs::remove_file(workshop.repository().join("ipwhl.toml")).unwrap();
    workshop
        .run(&line)
        .refused(3, &["there is no place to look for it"]);
}

/// An answer that depends on the path that was asked for.
type Temper<'t> = &'t (dyn Fn(&str) -> Answer + Sync);

#[test]
fn whatever_a_gateway_does_the_next_place_has_it() {
    let unanswered = "failed to answer 2 times and is no longer used";
    let lied = "sent wrong bytes and is no longer used";
    let html = [("Content-Type", "text/html")];
    let late = [("Retry-After", "3600")];
    let cases: [(Temper<'_>, &str, &str); 9] = [
        (
            &|_| Answer::whole("200 OK", &html, b"<h1>Welcome</h1>"),
            "has other bytes",
            lied,
        ),
        (
            &|_| Answer::cut(&[7; 1000], 10, &[]),
            "its answer was cut",
            unanswered,
        ),
        (
            &|_| Answer::Endless(message("200 OK", &[], b"")),
            "its answer is larger than",
            unanswered,
        ),
        (
            &|_| Answer::redirect("https://"),
            "it redirects without a usable address",
            unanswered,
        ),
        (
            &|path| Answer::redirect(path),
            "it redirects more than 5 times",
            unanswered,
        ),
        (
            &|_| Answer::whole("429 Too Many Requests", &late, b""),
            "asks to wait 3600 s",
            unanswered,
        ),
        (
            &|_| Answer::whole("503 Service Unavailable", &late, b""),
            "asks to wait 3600 s",
            unanswered,
        ),
        (
            &|_| Answer::Stall(Vec::new()),
            "no answer within 15 s",
            unanswered,
        ),
        (
            &|_| Answer::Stall(message("200 OK", &[("Content-Length", "9")], b"a")),
            "no byte came within 15 s",
            unanswered,
        ),
    ];
    // At the same time, since two of them are waited for.
    std::thread::scope(|scope| {
        for (temper, reason, afterwards) in cases {
            scope.spawn(move || meets(temper, &[reason, afterwards]));
        }
    });
}

/// A gateway of this temper has nothing, says these words, and does not keep the next one from
/// being asked.
fn meets(temper: Temper<'_>, words: &[&str]) {
    let (workshop, full) = hollowed(&small(), &[]);
    let good = serving(&full);
    let hollow = open(&workshop.read("release.hollow.car"));
    let liar = LoopbackIndex::start();
    for one in hollow.survey().unwrap().lacking {
        let path = format!("/ipfs/{}?format=raw", one.cid);
        liar.always(&path, temper(&path));
    }
    let bad = liar.url("");
    let line = ["fill", HOLLOW, "--jobs", "2", "--from", &bad];
    workshop.run(&line).refused(3, words);
    assert!(!workshop.release("release.car").exists());
    let asked: HashSet<String> = liar.paths().into_iter().collect();
    assert!(asked.len() <= 3, "{words:?}: {asked:?}");
    let _ = fs::remove_dir_all(workshop.path("cache"));
    let good = good.url("");
    let line = [&line[..], &["--from", &good]].concat();
    fills(&workshop, &mut workshop.command(&line), &full);
}

#[test]
fn a_busy_gateway_is_waited_for_and_a_wrong_type_is_no_wrong_byte() {
    let (workshop, full) = hollowed(&small(), &[]);
    let busy = Answer::whole("503 Service Unavailable", &[("Retry-After", "0")], b"");
    let reader = open(&full);
    let gateway = LoopbackIndex::start();
    for cid in reader.cids() {
        let html = [("Content-Type", "text/html")];
        let block = Answer::whole("200 OK", &html, &reader.require(&cid).unwrap());
        let path = format!("/ipfs/{cid}?format=raw");
        gateway.queue(&path, [busy.clone(), busy.clone(), block]);
    }
    let line = ["fill", HOLLOW, "--from", &gateway.url("")];
    fills(&workshop, &mut workshop.command(&line), &full);
    let asked: HashSet<String> = gateway.paths().into_iter().collect();
    assert_eq!(gateway.paths().len(), 3 * asked.len());
}
