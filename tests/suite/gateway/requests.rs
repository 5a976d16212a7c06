//! Requests that are malformed.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use super::{Server, release};

#[test]
fn requests_that_are_none_are_refused_and_the_server_lives() {
    let server = Server::start(&release());
    let long_path = format!(
        "GET /ipfs/{} HTTP/1.1\r\nHost: x\r\n\r\n",
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
