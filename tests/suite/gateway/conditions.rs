//! Conditions on entity tags, and ranges.

use super::{Server, WHEEL, WHEEL_SIZE, noise, release};

#[test]
fn conditions_on_the_entity_tag() {
    let tree = release();
    let server = Server::start(&tree);
    let tag = format!("\"{}\"", tree.cid(WHEEL));
    let weak = format!("W/{tag}");
    let list = format!("\"a,b\", W/\"x\" ,{weak}");
    for (header, value, status) in [
        ("If-None-Match", tag.as_str(), 304),
        ("If-None-Match", &weak, 304),
        ("If-None-Match", &list, 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"other\"", 200),
        ("If-None-Match", tag.trim_matches('"'), 200),
        ("If-Match", &tag, 200),
        ("If-Match", "*", 200),
        ("If-Match", &weak, 412),
        ("If-Match", "\"other\"", 412),
        ("If-Modified-Since", "Fri, 20 Nov 2026 00:00:00 GMT", 200),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = server.ask(method, &server.path(WHEEL), &[(header, value)]);
            assert_eq!(reply.status, status, "{method} {header}: {value}");
            if status == 304 {
                assert_eq!((reply.header("etag"), reply.body.len()), (tag.as_str(), 0));
                assert!(reply.header("cache-control").ends_with("immutable"));
            }
        }
    }
    // Two lines are one list.
    let two = [("If-None-Match", "\"x\""), ("If-None-Match", tag.as_str())];
    assert_eq!(server.ask("GET", &server.path(WHEEL), &two).status, 304);
}

#[test]
fn a_single_range() {
    let server = Server::start(&release());
    let bytes = noise(WHEEL_SIZE);
    let last = WHEEL_SIZE - 1;
    let leaf = 256 * 1024;
    for (range, start, end) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=0-".to_owned(), 0, WHEEL_SIZE),
        (format!("bytes={}-{}", leaf - 1, leaf), leaf - 1, leaf + 1),
        (format!("bytes={leaf}-{}", 2 * leaf - 1), leaf, 2 * leaf),
        (
            format!("bytes={}-{}", leaf - 5, 3 * leaf + 5),
            leaf - 5,
            3 * leaf + 6,
        ),
        (format!("bytes={last}-"), last, WHEEL_SIZE),
        (
            format!("bytes={last}-99999999999999999999999"),
            last,
            WHEEL_SIZE,
        ),
        ("bytes=-1".to_owned(), last, WHEEL_SIZE),
        ("bytes=-99999999999999999999999".to_owned(), 0, WHEEL_SIZE),
        ("Bytes = 5 - 9 ".to_owned(), 5, 10),
    ] {
        let reply = server.ask("GET", &server.path(WHEEL), &[("Range", &range)]);
        assert_eq!(reply.status, 206, "{range}");
        assert_eq!(
            reply.header("content-range"),
            format!("bytes {start}-{}/{WHEEL_SIZE}", end - 1),
            "{range}"
        );
        assert_eq!(
            reply.header("content-length"),
            (end - start).to_string(),
            "{range}"
        );
        assert!(reply.body == bytes[start..end], "{range}");
    }
    for range in [
        format!("bytes={WHEEL_SIZE}-"),
        "bytes=99999999999999999999999-".to_owned(),
        "bytes=-0".to_owned(),
    ] {
        let reply = server.ask("GET", &server.path(WHEEL), &[("Range", &range)]);
        assert_eq!(
            (reply.status, reply.header("content-range")),
            (416, format!("bytes */{WHEEL_SIZE}").as_str()),
            "{range}"
        );
    }
    assert_eq!(
        server
            .ask(
                "GET",
                &server.path("_ipwhl/empty"),
                &[("Range", "bytes=0-")]
            )
            .status,
        416
    );
    // What cannot be read, and what is more than one range, is the whole.
    for range in [
        "bytes=0-1,3-4",
        "bytes=5-4",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=+1-2",
        "lines=0-1",
        "0-1",
        "bytes",
    ] {
        let reply = server.ask("GET", &server.path(WHEEL), &[("Range", range)]);
        assert_eq!(
            (reply.status, reply.body.len()),
            (200, WHEEL_SIZE),
            "{range}"
        );
    }
    let head = server.ask("HEAD", &server.path(WHEEL), &[("Range", "bytes=0-0")]);
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, WHEEL_SIZE.to_string().as_str())
    );
}

#[test]
fn a_range_only_while_if_range_holds() {
    let tree = release();
    let server = Server::start(&tree);
    let tag = format!("\"{}\"", tree.cid(WHEEL));
    for (condition, status) in [
        (tag.clone(), 206),
        (format!("W/{tag}"), 200),
        ("\"other\"".to_owned(), 200),
        ("Fri, 20 Nov 2026 00:00:00 GMT".to_owned(), 200),
    ] {
        let headers = [("Range", "bytes=1-2"), ("If-Range", condition.as_str())];
        assert_eq!(
            server.ask("GET", &server.path(WHEEL), &headers).status,
            status,
            "{condition}"
        );
    }
}
