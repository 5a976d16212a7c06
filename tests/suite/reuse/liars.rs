//! Gateways that lie cost time and never a wrong byte.

use std::collections::HashMap;
use std::fs;

use ipwhl_unixfs::car::Blocks;

use super::{address, forget, open, read, released, serving, trusted};
use crate::support::loopback_index::{Answer, LoopbackIndex, message};
use crate::support::workshop::{Workshop, small};

/// A gateway that gives the same answer for every block of an archive.
fn always(archive: &[u8], answer: &Answer) -> LoopbackIndex {
    let gateway = LoopbackIndex::start();
    for cid in open(archive).cids() {
        gateway.always(&format!("/ipfs/{cid}?format=raw"), answer.clone());
    }
    gateway
}

fn endless() -> Answer {
    Answer::Endless(message("200 OK", &[], b""))
}

#[test]
fn a_gateway_that_lies_costs_time_and_never_a_wrong_byte() {
    let first = small().configuration(&trusted());
    let (workshop, root) = released(&first, &first, "");
    let archive = read(&workshop, "first/release.car");
    let good = serving(&archive);
    let run = |workshop: &Workshop, releases: &[&str]| {
        let _ = fs::remove_dir_all(workshop.path("cache"));
        let mut line = vec!["build", "--root-only", "--reuse-unsigned"];
        for release in releases {
            line.extend(["--reuse", release]);
        }
        workshop.run(&line)
    };
    let html = [("Content-Type", "text/html")];
    for (answer, words) in [
        (
            Answer::whole("200 OK", &html, b"<h1>hello</h1>"),
            "has other bytes",
        ),
        (Answer::cut(&[7; 1000], 10, &[]), "its answer was cut"),
        (endless(), "its answer is larger than"),
        (
            Answer::redirect("/ipfs/elsewhere"),
            "the server answered 404",
        ),
        (Answer::status("404 Not Found"), "is missing"),
        (
            Answer::status("500 Internal Server Error"),
            "the server answered 500",
        ),
        (Answer::status("403 Forbidden"), "credentials are missing"),
        (
            Answer::whole("429 Too Many Requests", &[("Retry-After", "3600")], b""),
            "asks to wait 3600 s",
        ),
        (
            Answer::Raw(b"nonsense\r\n\r\n".to_vec()),
            "the connection broke",
        ),
        (
            Answer::Stall(message("200 OK", &[("Content-Length", "100")], b"abc")),
            "no byte came within 15 s",
        ),
    ] {
        let liar = always(&archive, &answer);
        let bad = address(&liar, &archive);
        // Everything has its source.
        let ran = run(&workshop, &[&bad]);
        assert_eq!(ran.line(), root, "{words}");
        ran.said("warning: ");
        ran.said("cannot be read; its wheels are looked for elsewhere");
        if !words.contains("404") {
            ran.said(words);
        }
        assert!(liar.paths().len() < 5, "{words}: {:?}", liar.paths().len());
    }
    // The next release says the same, and no wheel has to be read.
    forget(&workshop, "nothing");
    let liar = always(&archive, &Answer::whole("200 OK", &[], b"other bytes"));
    let ran = run(
        &workshop,
        &[&address(&liar, &archive), &address(&good, &archive)],
    );
    assert_eq!(ran.line(), root);
    ran.said("reused 5 wheels from ");
    assert_eq!(liar.paths().len(), 1, "one lie is enough");
}

#[test]
fn a_redirect_in_circles_and_a_busy_gateway() {
    let first = small().configuration(&trusted());
    let (workshop, root) = released(&first, &first, "nothing");
    let archive = read(&workshop, "first/release.car");
    let gateway = serving(&archive);
    // Busy once for each block.
    let busy = Answer::whole("503 Service Unavailable", &[("Retry-After", "0")], b"");
    for cid in open(&archive).cids() {
        gateway.queue(
            &format!("/ipfs/{cid}?format=raw"),
            [busy.clone(), busy.clone()],
        );
    }
    let line = [
        "build",
        "--root-only",
        "--reuse-statement",
        "first/release.toml",
        "--reuse",
    ];
    let good = address(&gateway, &archive);
    let ran = workshop.run(&[&line[..], &[&good]].concat());
    assert_eq!(ran.line(), root);
    ran.said("reused 5 wheels from ");
    let circle = LoopbackIndex::start();
    for cid in open(&archive).cids() {
        let path = format!("/ipfs/{cid}?format=raw");
        circle.always(&path, Answer::redirect(&path));
    }
    let bad = address(&circle, &archive);
    let ran = workshop.run(&[&line[..], &[&bad]].concat());
    ran.refused(1, &["it redirects more than 5 times"]);
}

#[test]
fn a_delta_to_what_a_gateway_says_is_right_or_none() {
    let first = small().configuration(&trusted());
    let (workshop, root) = released(&first, &first, "");
    let archive = read(&workshop, "first/release.car");
    let run = |release: &str| {
        let _ = fs::remove_dir_all(workshop.path("cache"));
        let line = ["build", "--unsigned", "--car", "delta", "--previous-car"];
        workshop.run(&[&line[..], &[release]].concat())
    };
    assert_eq!(run("first/release.car").line(), root);
    let delta = workshop.read("release.delta.car");
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    let good = serving(&archive);
    assert_eq!(run(&address(&good, &archive)).line(), root);
    assert!(workshop.read("release.delta.car") == delta);
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    let walked = good.paths();
    assert!(walked.len() > 3, "{walked:?}");
    let blocks: HashMap<String, Vec<u8>> = {
        let reader = open(&archive);
        let cids = reader.cids().into_iter();
        cids.map(|cid| {
            (
                format!("/ipfs/{cid}?format=raw"),
                reader.require(&cid).unwrap(),
            )
        })
        .collect()
    };
    // Each node that is walked is another one of the release once, or is missing.
    for (place, path) in walked.iter().enumerate() {
        let other = &blocks[&walked[(place + 1) % walked.len()]];
        for answer in [
            Answer::whole("200 OK", &[], other),
            Answer::status("404 Not Found"),
        ] {
            let liar = serving(&archive);
            liar.always(path, answer);
            run(&address(&liar, &archive)).refused(3, &["cannot be read"]);
            assert!(!workshop.release("release.delta.car").exists());
        }
    }
}
