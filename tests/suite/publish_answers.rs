//! Answers of a Kubo that begin as a success and end otherwise, by a server on loopback that speaks
//! its RPC.

use crate::publish_kubo::{installable_with, settings};
use crate::support::http;
use crate::support::serving::Serving;
use crate::support::workshop::Workshop;

/// A body in chunks, and what stands behind it.
fn chunked(body: &str, trailer: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: \
         chunked\r\nTrailer: X-Stream-Error\r\n\r\n{:x}\r\n{body}\r\n0\r\n{trailer}\r\n",
        body.len()
    )
}

/// A node that has nothing, and answers these commands so.
fn node(answers: Vec<(&'static str, String)>) -> String {
    http::respond(move |request| {
        let path = request.path.strip_prefix("/api/v0/").unwrap();
        let answer = answers
            .iter()
            .find(|(command, _)| path.starts_with(command));
        if let Some((_, answer)) = answer {
            return answer.clone().into_bytes();
        }
        if path.starts_with("block/stat") {
            let body = "{\"Message\": \"block was not found locally (offline)\", \"Code\": \
                        0, \"Type\": \"error\"}";
            return http::whole("500 No", &[], body.as_bytes());
        }
        http::whole("200 OK", &[], b"")
    })
}

#[test]
fn an_error_inside_a_successful_answer_is_one() {
    let import = "dag/import";
    let line = "{\"Root\": {\"Cid\": {\"/\": \"bafkqaaa\"}, \"PinErrorMsg\": \"\"}}\n";
    let plain = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let cut = chunked(line, "");
    let cases: [(&'static str, String, &[&str]); 11] = [
        (
            import,
            plain("{\"Type\": \"error\", \"Message\": \"the disk is full\"}"),
            &["failed: the disk is full"],
        ),
        (
            import,
            chunked(
                &format!("{line}{{\"Type\": \"error\", \"Message\": \"and then\"}}"),
                "",
            ),
            &["failed: and then"],
        ),
        (
            import,
            chunked("{\"Root\": {\"PinErrorMsg\": \"no such block\"}}\n", ""),
            &["failed: no such block"],
        ),
        (
            import,
            chunked(line, "X-Stream-Error: the disk is full\r\n"),
            &["failed: the disk is full"],
        ),
        (
            import,
            chunked("{\"Stats\": {\"BlockCount\": 3}}\n", ""),
            &["has imported 3 of 27 blocks"],
        ),
        (
            import,
            cut[..cut.len() - 6].to_owned(),
            &["the connection to ", " broke"],
        ),
        (
            import,
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html".to_owned(),
            &["does not follow its API"],
        ),
        (
            import,
            chunked(&"x".repeat(2 << 20), ""),
            &["longer than 1048576 bytes"],
        ),
        // All is well, but nobody says that it is pinned.
        (
            "pin/add",
            chunked("{\"Progress\": 27}\n", ""),
            &["does not confirm that it has pinned "],
        ),
        (
            "pin/ls",
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/a?token=x\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
            &[" redirects to http://127.0.0.1:1 (302"],
        ),
        (
            "pin/ls",
            plain("\"a text\""),
            &["does not follow its API", "expected an object"],
        ),
    ];
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    workshop.build(&[]);
    let plain = std::fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    for (command, answer, words) in cases {
        std::fs::write(workshop.repository().join("ipwhl.toml"), &plain).unwrap();
        let api = node(vec![(command, answer)]);
        settings(
            &workshop,
            &format!("[publish.node]\nkind = \"kubo\"\napi = \"{api}\""),
        );
        let ran = workshop.run(&["publish"]);
        ran.refused(3, words);
        ran.said("`ipwhl publish node` continues this run");
    }
}

#[test]
fn what_is_read_back_is_hashed() {
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    let root = workshop.build(&[]);
    let pinned = chunked(&format!("{{\"Pins\": [\"{root}\"]}}\n"), "");
    let lie = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother".to_owned();
    let api = node(vec![("pin/add", pinned), ("block/get", lie)]);
    settings(
        &workshop,
        &format!("[publish.node]\nkind = \"kubo\"\napi = \"{api}\""),
    );
    workshop.run(&["publish"]).refused(
        3,
        &["pinned ", "the target sends other bytes for block ", ""],
    );
}

#[test]
fn an_old_pin_that_another_run_has_removed_is_gone() {
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    let root = workshop.build(&["--output", "../other"]);
    let serving = Serving::start(&workshop, &workshop.path("other/release.car"));
    let gateway = serving.url.split("/ipfs/").next().unwrap();
    let pin = |cid: &str, sequence: u32| {
        format!(
            "{{\"Cid\": \"{cid}\", \"Type\": \"recursive\", \"Name\": \"ipwhl/example/{sequence}\"}}\n"
        )
    };
    let old = ipwhl_unixfs::Cid::v1(
        ipwhl_unixfs::Codec::Raw,
        ipwhl_unixfs::Sha256Digest::of(b"an older release"),
    );
    let pins = chunked(
        &format!("{}{}", pin(&root, 1), pin(&old.to_string(), 0)),
        "",
    );
    let plain = std::fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    for (words, code) in [
        ("not pinned or pinned indirectly", 0),
        ("the disk is full", 3),
    ] {
        let body = format!("{{\"Message\": \"{words}\", \"Code\": 0, \"Type\": \"error\"}}");
        let gone = format!(
            "HTTP/1.1 500 No\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let api = node(vec![("pin/ls", pins.clone()), ("pin/rm", gone)]);
        std::fs::write(workshop.repository().join("ipwhl.toml"), &plain).unwrap();
        settings(
            &workshop,
            &format!(
                "[publish.node]\nkind = \"kubo\"\napi = \"{api}\"\ngateway = \"{gateway}\"\nkeep = 1"
            ),
        );
        let ran = workshop.run(&["publish", "--release", "../other"]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(!ran.error.contains("unpinned"), "{ran:?}");
    }
}
