//! What is served: files, folders, redirects, lists.

use std::io::{Read as _, Write as _};

use ipwhl_unixfs::{Cid, Codec};

use super::{Reply, Server, Tree, WHEEL, WHEEL_SIZE, file, folder, folder_of, noise, release};

#[test]
fn a_file_comes_whole_with_everything_that_caches_need() {
    let tree = release();
    let server = Server::start(&tree);
    let reply = server.get(&server.path(WHEEL));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, noise(WHEEL_SIZE));
    let cid = tree.cid(WHEEL);
    for (name, value) in [
        ("content-length", WHEEL_SIZE.to_string()),
        ("content-type", "application/octet-stream".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("accept-ranges", "bytes".to_owned()),
        ("etag", format!("\"{cid}\"")),
        (
            "cache-control",
            "public, max-age=29030400, immutable".to_owned(),
        ),
        ("x-ipfs-path", server.path(WHEEL)),
        (
            "x-ipfs-roots",
            format!("{},{},{cid}", server.root, tree.cid("click")),
        ),
        ("vary", String::new()),
        ("transfer-encoding", String::new()),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert_eq!(server.get(&server.path("_ipwhl/empty")).body, b"");
    for (path, content_type) in [
        (
            "click/click-8.1.7-py3-none-any.whl.metadata",
            "text/plain; charset=utf-8",
        ),
        ("click/declaration.toml", "application/toml"),
        ("click/index.html", "text/html; charset=utf-8"),
        ("click/index.v1_json", "application/vnd.pypi.simple.v1+json"),
        ("_ipwhl/release.json", "application/json"),
        ("_ipwhl/empty", "application/octet-stream"),
    ] {
        let reply = server.get(&server.path(path));
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, content_type),
            "{path}"
        );
        assert_eq!(reply.header("vary"), "", "{path}");
    }
}

#[test]
fn head_has_the_headers_and_no_body() {
    let server = Server::start(&release());
    let headers = |reply: &Reply| {
        let mut headers = reply.headers.clone();
        headers.retain(|(name, _)| name != "date");
        headers
    };
    for path in [
        WHEEL,
        "",
        "click/",
        "click",
        "missing",
        "_ipwhl/",
        "click/declaration.toml?format=raw",
    ] {
        let get = server.get(&server.path(path));
        let head = server.ask("HEAD", &server.path(path), &[]);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(headers(&head), headers(&get), "{path}");
    }
    // On a kept connection a body after a HEAD would be taken for the next response.
    let mut stream = server.connect();
    for close in ["", "", "Connection: close\r\n"] {
        let target = server.path(WHEEL);
        let request = format!("HEAD {target} HTTP/1.1\r\nHost: example.org\r\n{close}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
    }
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    assert_eq!(replies.matches("HTTP/1.1 200 OK\r\n").count(), 3);
    assert!(replies.ends_with("\r\n\r\n"));
}

#[test]
fn other_methods_are_told_which_ones_there_are() {
    let server = Server::start(&release());
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let reply = server.ask(method, &server.path(""), &[("Content-Length", "0")]);
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, "GET, HEAD"),
            "{method}"
        );
    }
}

#[test]
fn redirects_lead_to_the_root_and_to_folders() {
    let server = Server::start(&release());
    let root = server.root;
    for (target, status, location) in [
        ("/".to_owned(), 302, format!("/ipfs/{root}/")),
        (format!("/ipfs/{root}"), 301, format!("/ipfs/{root}/")),
        (
            format!("/ipfs/{root}?a=b&c"),
            301,
            format!("/ipfs/{root}/?a=b&c"),
        ),
        (server.path("click"), 301, server.path("click/")),
        (
            server.path("%63lick?x=%2F"),
            301,
            server.path("%63lick/?x=%2F"),
        ),
    ] {
        let reply = server.get(&target);
        assert_eq!(
            (reply.status, reply.header("location")),
            (status, location.as_str()),
            "{target}"
        );
    }
}

#[test]
fn names_beyond_ascii_work_escaped_or_not() {
    let server = Server::start(&folder([("é", folder([("ü", file(b"x"))]))]));
    for path in ["%C3%A9", "é"] {
        let reply = server.exchange(
            format!(
                "GET {} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n",
                server.path(path)
            )
            .as_bytes(),
        );
        let reply = String::from_utf8(reply).unwrap();
        let location = format!("location: {}/\r\n", server.path(path));
        assert!(
            reply.starts_with("HTTP/1.1 301 ") && reply.contains(&location),
            "{reply}"
        );
        assert_eq!(
            server.get(&server.path(&format!("{path}/%C3%BC"))).text(),
            "x"
        );
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let server = Server::start(&release());
    let other = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    for target in [
        "/index.html".to_owned(),
        "/favicon.ico".to_owned(),
        "/ipns/example.org/".to_owned(),
        "//ipfs/".to_owned(),
        format!("/ipfs/{other}"),
        format!("/ipfs/{other}/click/"),
        server.path("missing"),
        server.path("missing/"),
        server.path("click/missing"),
        server.path("click/declaration.toml/"),
        server.path("click/declaration.toml/index.html"),
        server.path("click//declaration.toml"),
        server.path("../click/"),
        server.path("click/../index.html"),
        server.path("./index.html"),
        server.path("%2e%2e/"),
        server.path("click%2Fdeclaration.toml"),
        server.path("click/%ff"),
        server.path("click/%00"),
        server.path("Click/"),
    ] {
        let reply = server.get(&target);
        assert_eq!(reply.status, 404, "{target}");
        assert_eq!(reply.header("cache-control"), "no-store", "{target}");
        assert_eq!(
            reply.header("content-type"),
            "text/plain; charset=utf-8",
            "{target}"
        );
    }
    for target in ["/ipfs/", "/ipfs/wrong/", "/ipfs/bafy", "/ipfs//"] {
        assert_eq!(server.get(target).status, 400, "{target}");
    }
}

#[test]
fn names_are_percent_decoded() {
    let server = Server::start(&release());
    let target = server.path("%5Fipwhl/a%20b&%3Cc%3E%3F%23%25.txt");
    let reply = server.get(&target);
    assert_eq!((reply.status, reply.text()), (200, "odd"));
    assert_eq!(reply.header("x-ipfs-path"), target);
}

#[test]
fn another_spelling_of_a_cid_and_any_cid_in_the_release_work() {
    let tree = release();
    let server = Server::start(&tree);
    let v0 = Cid::v0(server.root.digest());
    assert_eq!(
        server.get(&format!("/ipfs/{v0}/plain/")).text(),
        "only html\n"
    );
    // A mirror is asked for wheels by content-id.
    assert_eq!(
        server.get(&format!("/ipfs/{}", tree.cid(WHEEL))).body,
        noise(WHEEL_SIZE)
    );
    // As raw, the digest of a folder is that of no block here.
    let raw = Cid::v1(Codec::Raw, server.root.digest());
    assert_eq!(server.get(&format!("/ipfs/{raw}")).status, 404);
}

#[test]
fn a_folder_without_a_page_has_a_list() {
    let tree = release();
    let server = Server::start(&tree);
    let reply = server.get(&server.path("_ipwhl/"));
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("etag"),
        format!("\"DirIndex-1_CID-{}\"", tree.cid("_ipwhl"))
    );
    assert_eq!(reply.header("cache-control"), "public, max-age=604800");
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    let link = "<a href=\"./a%20b%26%3Cc%3E%3F%23%25.txt\">a b&amp;&lt;c&gt;?#%.txt</a>";
    assert!(reply.text().contains(link), "{}", reply.text());
    let tag = reply.header("etag").to_owned();
    assert_eq!(
        server
            .ask("GET", &server.path("_ipwhl/"), &[("If-None-Match", &tag)])
            .status,
        304
    );
}

#[test]
fn a_sharded_folder_is_a_folder() {
    let entries = (0..6000)
        .map(|index| (format!("project-{index:050}"), file(b"x")))
        .collect();
    let tree = folder_of(entries);
    let Tree::Folder(folder, _) = &tree else {
        unreachable!()
    };
    assert!(folder.is_sharded());
    let server = Server::start(&tree);
    assert_eq!(
        server
            .get(&server.path(&format!("project-{:050}", 4321)))
            .text(),
        "x"
    );
    assert_eq!(
        server
            .get(&server.path(&format!("project-{:050}", 6000)))
            .status,
        404
    );
    assert_eq!(
        server.get(&server.path("")).text().matches("<a ").count(),
        6000
    );
}
