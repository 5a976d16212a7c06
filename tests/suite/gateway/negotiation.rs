//! Index pages in the format that a client asks for, and raw blocks.

use super::{Server, WHEEL, release};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "application/vnd.pypi.simple.v1+html";
const OLD_HTML: &str = "text/html; charset=utf-8";

#[test]
fn pages_are_negotiated_as_pep_691_says() {
    let tree = release();
    let server = Server::start(&tree);
    let table = [
        // pip, uv, a browser, curl.
        (
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, \
             text/html; q=0.01",
            JSON,
        ),
        (
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, \
             text/html;q=0.01",
            JSON,
        ),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            OLD_HTML,
        ),
        ("*/*", OLD_HTML),
        ("", OLD_HTML),
        ("text/html", OLD_HTML),
        ("TEXT/HTML", OLD_HTML),
        (JSON, JSON),
        (HTML, HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/vnd.pypi.simple.latest+html", HTML),
        ("application/*", HTML),
        ("text/*", OLD_HTML),
        // Names beat wildcards of the same weight, and weights beat names.
        ("*/*, application/vnd.pypi.simple.v1+json", JSON),
        ("*/*, application/vnd.pypi.simple.v1+json;q=0.5", OLD_HTML),
        (
            "text/html;q=0.5, application/vnd.pypi.simple.v1+json;q=0.501",
            JSON,
        ),
        (
            "text/html;q=0.501, application/vnd.pypi.simple.v1+json;q=0.5",
            OLD_HTML,
        ),
        ("text/html, application/vnd.pypi.simple.v1+json", OLD_HTML),
        // The most specific range decides, even where it says no.
        ("*/*, text/html;q=0", HTML),
        (
            "*/*;q=0.1, text/*;q=0, application/vnd.pypi.simple.v1+html;q=0",
            JSON,
        ),
        ("application/vnd.pypi.simple.v1+json;version=1;Q=1.0", JSON),
        // What cannot be read is missing.
        (
            "nonsense, text/html;q=2, application/vnd.pypi.simple.v1+json;q=0.1",
            JSON,
        ),
        ("nonsense", OLD_HTML),
    ];
    for (accept, content_type) in table {
        for (path, folder) in [("", ""), ("click/", "click/")] {
            let reply = server.ask("GET", &server.path(path), &[("Accept", accept)]);
            assert_eq!(
                (reply.status, reply.header("content-type")),
                (200, content_type),
                "{accept}"
            );
            let name = if content_type == JSON {
                "index.v1_json"
            } else {
                "index.html"
            };
            assert_eq!(
                reply.header("etag"),
                format!("\"{}\"", tree.cid(&format!("{folder}{name}")))
            );
            assert_eq!(reply.header("vary"), "Accept");
        }
    }
    for accept in [
        "image/png",
        "text/html;q=0",
        "*/*;q=0",
        "application/vnd.pypi.simple.v2+json",
        "text/html;q=0.0, image/*",
    ] {
        let reply = server.ask("GET", &server.path("click/"), &[("Accept", accept)]);
        assert_eq!(
            (reply.status, reply.header("vary")),
            (406, "Accept"),
            "{accept}"
        );
    }
    // Several lines are one list.
    let two = [("Accept", "text/html;q=0.1"), ("Accept", JSON)];
    assert_eq!(
        server
            .ask("GET", &server.path(""), &two)
            .header("content-type"),
        JSON
    );
}

#[test]
fn each_variant_has_its_own_entity_tag() {
    let tree = release();
    let server = Server::start(&tree);
    let json = format!("\"{}\"", tree.cid("index.v1_json"));
    let ask = |accept: &str| {
        server.ask(
            "GET",
            &server.path(""),
            &[("Accept", accept), ("If-None-Match", &json)],
        )
    };
    let unchanged = ask(JSON);
    assert_eq!(
        (unchanged.status, unchanged.header("vary")),
        (304, "Accept")
    );
    assert_eq!(ask("text/html").status, 200);
}

#[test]
fn the_query_may_name_the_format() {
    let server = Server::start(&release());
    for (format, content_type) in [
        (JSON, JSON),
        ("application/vnd.pypi.simple.v1%2Bjson", JSON),
        ("application/vnd.pypi.simple.latest+html", HTML),
        ("text/html", OLD_HTML),
    ] {
        let target = server.path(&format!("click/?format={format}"));
        assert_eq!(
            server
                .ask("GET", &target, &[("Accept", "image/png")])
                .header("content-type"),
            content_type
        );
    }
    for format in [
        "car",
        "tar",
        "dag-json",
        "application/vnd.pypi.simple.v2+json",
    ] {
        assert_eq!(
            server
                .get(&server.path(&format!("click/?format={format}")))
                .status,
            406,
            "{format}"
        );
    }
}

#[test]
fn a_page_in_one_format_is_not_negotiated() {
    let server = Server::start(&release());
    let reply = server.ask("GET", &server.path("plain/"), &[("Accept", JSON)]);
    assert_eq!(
        (
            reply.status,
            reply.header("content-type"),
            reply.header("vary")
        ),
        (200, OLD_HTML, "")
    );
}

#[test]
fn a_raw_block_hashes_to_its_cid() {
    let tree = release();
    let server = Server::start(&tree);
    for path in ["", "click/", "click", WHEEL] {
        let cid = tree.cid(path);
        for (query, accept) in [("?format=raw", "*/*"), ("", "application/vnd.ipld.raw")] {
            let reply = server.ask(
                "GET",
                &server.path(&format!("{path}{query}")),
                &[("Accept", accept)],
            );
            assert_eq!(
                (reply.status, reply.header("content-type")),
                (200, "application/vnd.ipld.raw"),
                "{path}"
            );
            assert!(cid.matches(&reply.body), "{path}");
            assert_eq!(reply.header("etag"), format!("\"{cid}.raw\""));
            assert_eq!(
                reply.header("content-disposition"),
                format!("attachment; filename=\"{cid}.bin\"")
            );
        }
    }
    assert_eq!(
        server
            .ask(
                "GET",
                &server.path(""),
                &[("Accept", "application/vnd.ipld.car; version=1")]
            )
            .status,
        406
    );
}
