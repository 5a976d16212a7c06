//! The gateway on a loopback port, over an archive made here, asked in raw HTTP.

use std::io::{self, Cursor, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ipwhl::car::{CarReader, CarWriter};
use ipwhl::dag::{
    BlockSink, Cid, Codec, DirectoryDag, DirectoryEntry, FileDag, FileHasher, Link, Profile,
};
use ipwhl::gateway::{Gateway, Limits, RequestRecord};
use tokio::sync::oneshot;

// A small release.

enum Tree {
    File(FileDag, Vec<u8>),
    Folder(DirectoryDag, Vec<(String, Tree)>),
}

const PROFILE: Profile = Profile::KuboCidV1;

fn file(bytes: &[u8]) -> Tree {
    let mut hasher = FileHasher::new(PROFILE);
    hasher.update(bytes);
    Tree::File(hasher.finish().0, bytes.to_vec())
}

fn folder<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
    folder_of(
        entries
            .into_iter()
            .map(|(name, tree)| (name.to_owned(), tree))
            .collect(),
    )
}

fn folder_of(entries: Vec<(String, Tree)>) -> Tree {
    let links = entries
        .iter()
        .map(|(name, tree)| DirectoryEntry {
            name: name.clone(),
            link: tree.link(),
        })
        .collect();
    Tree::Folder(DirectoryDag::build(PROFILE, links).unwrap(), entries)
}

impl Tree {
    fn link(&self) -> Link {
        match self {
            Self::File(file, _) => file.link(),
            Self::Folder(folder, _) => folder.link(),
        }
    }

    fn emit(&self, sink: &mut dyn BlockSink) -> io::Result<()> {
        match self {
            Self::File(file, bytes) => file.emit(sink, &mut bytes.as_slice()),
            Self::Folder(folder, entries) => {
                folder.emit(sink, &mut |sink, index| entries[index].1.emit(sink))
            }
        }
    }

    fn cid(&self, path: &str) -> Cid {
        let names = path.split('/').filter(|name| !name.is_empty());
        let tree = names.fold(self, |tree, name| match tree {
            Self::Folder(_, entries) => &entries.iter().find(|(own, _)| own == name).unwrap().1,
            Self::File(..) => panic!("{path} leads through a file"),
        });
        tree.link().cid
    }

    fn car(&self) -> Vec<u8> {
        let mut writer = CarWriter::new(Vec::new(), self.link().cid).unwrap();
        self.emit(&mut writer).unwrap();
        writer.finish().unwrap().0
    }
}

/// Bytes without a pattern, so that no two blocks are the same (`SplitMix64`).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(length);
    bytes
}

const WHEEL: &str = "click/click-8.1.7-py3-none-any.whl";
/// Three leaves and a half.
const WHEEL_SIZE: usize = 3 * 256 * 1024 + 100_000;

fn release() -> Tree {
    folder([
        (
            "_ipwhl",
            folder([
                ("release.json", file(b"{}")),
                ("a b&<c>?#%.txt", file(b"odd")),
                ("empty", file(b"")),
            ]),
        ),
        (
            "click",
            folder([
                ("click-8.1.7-py3-none-any.whl", file(&noise(WHEEL_SIZE))),
                (
                    "click-8.1.7-py3-none-any.whl.metadata",
                    file(b"Metadata-Version: 2.1\n"),
                ),
                ("declaration.toml", file(b"extras = []\n")),
                ("index.html", file(b"<a href=\"click\">click</a>\n")),
                ("index.v1_json", file(b"{\"name\": \"click\"}")),
            ]),
        ),
        ("index.html", file(b"<a href=\"click/\">click</a>\n")),
        ("index.v1_json", file(b"{\"projects\": []}")),
        ("plain", folder([("index.html", file(b"only html\n"))])),
    ])
}

// A server and what it answers.

struct Server {
    address: SocketAddr,
    root: Cid,
    requests: Arc<Mutex<Vec<RequestRecord>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<io::Result<()>>>,
}

impl Server {
    fn start(tree: &Tree) -> Self {
        Self::with(tree.car(), Limits::default())
    }

    fn with(car: Vec<u8>, limits: Limits) -> Self {
        let reader = CarReader::open(Cursor::new(car)).unwrap();
        let root = reader.root();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let gateway = Gateway::new(Arc::new(reader), root)
            .with_limits(limits)
            .on_request(move |request| log.lock().unwrap().push(request.clone()));
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                tell.send(listener.local_addr()?).unwrap();
                gateway
                    .serve(listener, async { stopped.await.unwrap_or_default() })
                    .await
            })
        });
        Self {
            address: told.recv().unwrap(),
            root,
            requests,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream
    }

    /// Sends bytes and reads until the server closes.
    fn exchange(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        let _ = stream.write_all(request);
        let mut reply = Vec::new();
        // A connection that is cut with a reset has still delivered what came before.
        let _ = stream.read_to_end(&mut reply);
        reply
    }

    fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request =
            format!("{method} {target} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        Reply::parse(&self.exchange((request + "\r\n").as_bytes()))
    }

    fn get(&self, target: &str) -> Reply {
        self.ask("GET", target, &[])
    }

    /// Below the root.
    fn path(&self, path: &str) -> String {
        format!("/ipfs/{}/{path}", self.root)
    }

    /// Asks for the end; the result is the server's.
    fn stop(&mut self) -> io::Result<()> {
        let _ = self.stop.take().unwrap().send(());
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.stop.is_some() {
            let _ = self.stop();
        }
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end =
            end.unwrap_or_else(|| panic!("no headers in {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
            (name.to_lowercase(), value.to_owned())
        });
        Self {
            status,
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// The one value of a header; empty where it is absent.
    fn header(&self, name: &str) -> &str {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
            .collect();
        assert!(values.len() < 2, "{name} twice");
        values.first().copied().unwrap_or_default()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

// What is served.

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
                "GET {} HTTP/1.1\r\nConnection: close\r\n\r\n",
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

// Conditions and ranges.

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

// Negotiation.

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
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
            JSON,
        ),
        (
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
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
        // What cannot be read is not there.
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

// What is damaged.

/// The archive with one bit changed in the first place where these bytes are.
fn damaged(tree: &Tree, at: &[u8]) -> Vec<u8> {
    let mut car = tree.car();
    let place = car
        .windows(at.len())
        .position(|window| window == at)
        .unwrap();
    car[place + at.len() / 2] ^= 1;
    car
}

#[test]
fn a_changed_byte_in_a_later_block_cuts_the_body() {
    let bytes = noise(WHEEL_SIZE);
    let third_leaf = 2 * 256 * 1024;
    let car = damaged(&release(), &bytes[third_leaf + 1000..third_leaf + 1064]);
    let server = Server::with(car, Limits::default());
    let reply = server.get(&server.path(WHEEL));
    assert_eq!(
        (reply.status, reply.header("content-length")),
        (200, WHEEL_SIZE.to_string().as_str())
    );
    assert_eq!(reply.body.len(), third_leaf, "nothing of the damaged block");
    assert!(bytes.starts_with(&reply.body));
    // A range that starts there is refused in words.
    let start = format!("bytes={}-", third_leaf + 200_000);
    let reply = server.ask("GET", &server.path(WHEEL), &[("Range", &start)]);
    assert_eq!(reply.status, 500);
    assert!(
        reply.text().contains("are not what its CID says"),
        "{}",
        reply.text()
    );
    // One that does not touch it is served.
    let reply = server.ask("GET", &server.path(WHEEL), &[("Range", "bytes=-1000")]);
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (206, &bytes[WHEEL_SIZE - 1000..])
    );
}

#[test]
fn a_changed_byte_in_the_first_block_is_said() {
    let tree = release();
    for (at, path) in [
        (noise(64), WHEEL),
        (
            b"Metadata-Version".to_vec(),
            "click/click-8.1.7-py3-none-any.whl.metadata",
        ),
        (b"href=\"click\"".to_vec(), "click/"),
        // A name in a folder's block.
        (b"declaration.toml".to_vec(), "click/declaration.toml"),
        (b"_ipwhl".to_vec(), ""),
    ] {
        let server = Server::with(damaged(&tree, &at), Limits::default());
        let reply = server.get(&server.path(path));
        assert_eq!(
            (reply.status, reply.header("cache-control")),
            (500, "no-store"),
            "{path}"
        );
        assert!(
            reply.text().contains("are not what its CID says"),
            "{}",
            reply.text()
        );
        assert_eq!(reply.header("etag"), "", "{path}");
    }
}

#[test]
fn a_block_that_is_missing_is_said() {
    let tree = release();
    let Tree::Folder(folder, _) = &tree else {
        unreachable!()
    };
    // The root's own block and nothing below it.
    let mut writer = CarWriter::new(Vec::new(), folder.cid()).unwrap();
    folder.emit(&mut writer, &mut |_, _| Ok(())).unwrap();
    let server = Server::with(writer.finish().unwrap().0, Limits::default());
    let reply = server.get(&server.path("click/"));
    assert_eq!(reply.status, 500);
    assert!(
        reply.text().contains("does not have block"),
        "{}",
        reply.text()
    );
}

// Clients that do not behave.

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

#[test]
fn a_client_that_sends_no_whole_request_is_let_go() {
    let limits = Limits {
        connections: 1,
        header_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::with(release().car(), limits);
    for start in ["", "GET / HTTP/1.1\r\nHost: exam"] {
        let mut slow = server.connect();
        slow.write_all(start.as_bytes()).unwrap();
        // There is room for one: this one waits until the slow one is gone.
        let started = Instant::now();
        assert_eq!(server.get(&server.path("plain/")).status, 200, "{start:?}");
        assert!(started.elapsed() >= Duration::from_millis(200), "{start:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{start:?}");
        drop(slow);
    }
}

#[test]
fn a_client_that_stops_reading_is_let_go() {
    // Enough to fill every buffer on the way.
    let tree = folder([
        ("large", file(&vec![0; 64 << 20])),
        ("small", file(b"small")),
    ]);
    let limits = Limits {
        connections: 1,
        write_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::with(tree.car(), limits);
    let mut stuck = server.connect();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: example.org\r\n\r\n",
        server.path("large")
    );
    stuck.write_all(request.as_bytes()).unwrap();
    let started = Instant::now();
    assert_eq!(server.get(&server.path("small")).text(), "small");
    assert!(started.elapsed() < Duration::from_secs(10));
    let mut rest = Vec::new();
    let _ = stuck.read_to_end(&mut rest);
    assert!(rest.len() < 64 << 20);
}

#[test]
fn many_clients_at_once_get_the_same_bytes() {
    let server = Server::start(&release());
    let bytes = noise(WHEEL_SIZE);
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| assert!(server.get(&server.path(WHEEL)).body == bytes));
        }
    });
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 40);
    let expected = RequestRecord {
        method: "GET".to_owned(),
        target: server.path(WHEEL),
        status: 200,
        length: Some(WHEEL_SIZE as u64),
    };
    assert_eq!(requests[0], expected);
}

#[test]
fn the_end_lets_downloads_finish_and_idle_connections_go() {
    let tree = folder([("large", file(&vec![0; 16 << 20]))]);
    let mut server = Server::with(
        tree.car(),
        Limits {
            shutdown_time: Duration::from_secs(20),
            ..Limits::default()
        },
    );
    let mut idle = server.connect();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: example.org\r\n\r\n",
        server.path("missing")
    );
    idle.write_all(request.as_bytes()).unwrap();
    idle.read_exact(&mut [0; 16]).unwrap();
    let mut busy = server.connect();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: example.org\r\n\r\n",
        server.path("large")
    );
    busy.write_all(request.as_bytes()).unwrap();
    let mut start = vec![0; 1024];
    busy.read_exact(&mut start).unwrap();

    let started = Instant::now();
    let address = server.address;
    let reading = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        assert!(
            TcpStream::connect(address).is_err(),
            "nobody listens any more"
        );
        busy.read_to_end(&mut start).unwrap();
        start
    });
    server.stop().unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "the idle connection was not waited for"
    );
    assert_eq!(Reply::parse(&reading.join().unwrap()).body.len(), 16 << 20);
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let tree = folder([("large", file(&vec![0; 64 << 20]))]);
    let mut server = Server::with(
        tree.car(),
        Limits {
            shutdown_time: Duration::from_millis(300),
            ..Limits::default()
        },
    );
    let mut stuck = server.connect();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: example.org\r\n\r\n",
        server.path("large")
    );
    stuck.write_all(request.as_bytes()).unwrap();
    stuck.read_exact(&mut [0; 1024]).unwrap();
    let started = Instant::now();
    server.stop().unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
}
