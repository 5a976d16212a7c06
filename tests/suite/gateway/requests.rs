//! Requests that are malformed.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use super::{Reply, Server, release};

#[test]
fn requests_that_are_none_are_refused_and_the_server_lives() {
    let server = Server::start(&release());
    let long_path = format!(
        "GET /ipfs/{} HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "a/".repeat(60_000)
    );
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(5000));
    for request in [
        &b"\r\n\r\n\r\n"[..],
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nA b\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        long_path.as_bytes(),
        many_headers.as_bytes(),
    ] {
        let mut stream = server.connect();
        let _ = stream.write_all(request);
        let _ = stream.shutdown(Shutdown::Write);
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        let reply = String::from_utf8_lossy(&reply);
        let shown = String::from_utf8_lossy(&request[..request.len().min(40)]);
        assert!(
            reply.is_empty() || reply.starts_with("HTTP/1.1 4"),
            "{shown:?}: {reply}"
        );
    }
    for (target, status) in [
        ("*", 404),
        ("http://example.org/", 302),
        ("/ipfs/é", 400),
        ("/\"<>", 400),
    ] {
        assert_eq!(server.get(target).status, status, "{target}");
    }
    assert_eq!(
        server
            .ask("GET", "/", &[("Accept", "\u{e9}"), ("Range", "\u{e9}")])
            .status,
        302
    );
    assert_eq!(server.get(&server.path("plain/")).status, 200);
}

/// The status of the answer to these lines, after which the server must have closed, too.
fn status(server: &Server, lines: &[&str], body: &str) -> u16 {
    let request = lines.join("\r\n") + "\r\n\r\n" + body;
    let reply = server.exchange(request.as_bytes());
    let text = String::from_utf8_lossy(&reply);
    assert_eq!(text.matches("\r\ndate: ").count(), 1, "{request:?}: {text}");
    Reply::parse(&reply).status
}

#[test]
fn a_request_of_http_1_1_has_one_host() {
    let server = Server::start(&release());
    let target = server.path("plain/");
    let close = "Connection: close";
    let line = |version: &str| format!("GET {target} HTTP/{version}");
    let (new, old) = (line("1.1"), line("1.0"));
    let absolute = format!("GET http://example.org{target} HTTP/1.1");
    for (lines, expected) in [
        (&[&new[..], "Host: example.org", close][..], 200),
        (&[&new, "Host: example.org:8503", close], 200),
        (&[&new, "Host: [::1]:8503", close], 200),
        (&[&new, "Host:", close], 200),
        (&[&new, close], 400),
        (&[&new, "Host: a", "Host: a", close], 400),
        (&[&new, "Host: a", "Host: b", close], 400),
        (&[&new, "Host: a b", close], 400),
        (&[&new, "Host: a/b", close], 400),
        (&[&new, "Host: user@a", close], 400),
        (&[&absolute, "Host: other.example.org", close], 200),
        (&[&absolute, close], 400),
        (&[&old], 200),
        (&[&old, "Host: example.org"], 200),
        (&[&old, "Host: other.example.org"], 421),
        (&[&old, "Host: a", "Host: b"], 400),
    ] {
        assert_eq!(status(&server, lines, ""), expected, "{lines:?}");
    }
}

#[test]
fn a_request_whose_end_is_in_doubt_is_refused_and_nothing_is_read_after_it() {
    let server = Server::start(&release());
    let smuggled = format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", server.path("plain/"));
    let chunked = "Transfer-Encoding: chunked";
    let length = format!("Content-Length: {}", 5 + smuggled.len());
    let body = format!("0\r\n\r\n{smuggled}");
    for method in ["GET", "HEAD", "POST"] {
        let line = format!("{method} / HTTP/1.1");
        for headers in [
            &[chunked, &length][..],
            &[&length, chunked],
            &[chunked],
            &["Transfer-Encoding: gzip, chunked"],
            &["Transfer-Encoding: identity", &length],
            &["Transfer-Encoding : chunked", &length],
            &["Content-Length: 1", "Content-Length: 2"],
            &["Content-Length: +1"],
        ] {
            let lines = [&[&line[..], "Host: a"], headers].concat();
            assert_eq!(status(&server, &lines, &body), 400, "{lines:?}");
        }
    }
    // A body of known length is passed over.
    let line = format!("GET {} HTTP/1.1", server.path("plain/"));
    let lines = [
        &line[..],
        "Host: example.org",
        "Content-Length: 3",
        "Connection: close",
    ];
    assert_eq!(status(&server, &lines, "abc"), 200);
}

/// What a browser sends while a stranger's name leads to this machine.
#[test]
fn a_stranger_s_name_gets_nothing_of_the_release() {
    let server = Server::start(&release());
    let file = server.path("_ipwhl/release.json");
    for (host, expected) in [
        ("rebound.example.net", 421),
        ("rebound.example.net:8503", 421),
        ("example.org.rebound.example.net", 421),
        ("localhost.rebound.example.net", 421),
        ("notlocalhost", 421),
        ("127.0.0.1.rebound.example.net", 421),
        ("0x7f.1", 421),
        ("example.org", 200),
        ("EXAMPLE.org.:8503", 200),
        ("localhost", 200),
        ("LOCALHOST:8503", 200),
        ("set.localhost:8503", 200),
        ("127.0.0.1:8503", 200),
        ("192.0.2.10", 200),
        ("[::1]:8503", 200),
        ("[fe80::1%25eth0]:8503", 200),
    ] {
        for (target, headers) in [
            (file.clone(), format!("Host: {host}")),
            // The address in the first line is the one that counts.
            (format!("http://{host}{file}"), "Host: 127.0.0.1".to_owned()),
        ] {
            for format in ["", "?format=raw"] {
                let request = format!(
                    "GET {target}{format} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n"
                );
                let reply = server.exchange(request.as_bytes());
                let parsed = Reply::parse(&reply);
                assert_eq!(parsed.status, expected, "{request}");
                if expected == 421 {
                    let text = String::from_utf8_lossy(&reply);
                    assert!(
                        text.contains("add it with `ipwhl serve --host NAME`"),
                        "{text}"
                    );
                    assert!(!text.contains("{}"), "{text}");
                }
            }
        }
    }
}
