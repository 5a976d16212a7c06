//! Requests to the gateway: bytes on a connection, and what comes back over it.
#![no_main]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ipwhl::gateway::{Gateway, Limits};
use ipwhl::release::archive::BlockStore;
use ipwhl_fuzz::node::{RawData, RawLink, block};
use ipwhl_fuzz::store::Store;
use ipwhl_unixfs::{Cid, Codec, Link};
use libfuzzer_sys::fuzz_target;

/// A small release, its gateway, and the files that it has.
struct Served {
    address: SocketAddr,
    root: Cid,
    files: Vec<(String, Vec<u8>)>,
    blocks: Arc<Store>,
}

static SERVED: LazyLock<Served> = LazyLock::new(serve);

fn file(store: &mut Store, bytes: &[u8]) -> Link {
    let cid = store.insert(false, Codec::Raw, bytes.to_vec());
    Link {
        cid,
        cumulative_size: bytes.len() as u64,
    }
}

fn folder(store: &mut Store, entries: &[(&str, Link)]) -> Link {
    let links: Vec<RawLink> = entries
        .iter()
        .map(|(name, link)| RawLink {
            cid: link.cid,
            name: (*name).to_owned(),
            cumulative_size: link.cumulative_size,
        })
        .collect();
    let bytes = block(
        &links,
        &RawData {
            kind: 1,
            ..RawData::default()
        },
    );
    let below: u64 = entries.iter().map(|(_, link)| link.cumulative_size).sum();
    let cumulative_size = below + bytes.len() as u64;
    Link {
        cid: store.insert(false, Codec::DagPb, bytes),
        cumulative_size,
    }
}

fn serve() -> Served {
    let mut store = Store::default();
    let mut files: Vec<(String, Vec<u8>)> = vec![
        (
            "index.html".into(),
            b"<!DOCTYPE html><title>simple</title>".to_vec(),
        ),
        ("index.v1_json".into(), b"{\"projects\":[]}".to_vec()),
        ("odd/a b&<c>?#%.txt".into(), b"odd".to_vec()),
        ("odd/empty".into(), Vec::new()),
        ("x/x-1-py3-none-any.whl".into(), (0..=255).collect()),
    ];
    let html = file(&mut store, &files[0].1);
    let json = file(&mut store, &files[1].1);
    let odd = file(&mut store, &files[2].1);
    let empty = file(&mut store, &files[3].1);
    let halves = [
        file(&mut store, &files[4].1[..100]),
        file(&mut store, &files[4].1[100..]),
    ];
    let links = halves.map(|half| RawLink {
        cid: half.cid,
        name: String::new(),
        cumulative_size: half.cumulative_size,
    });
    let data = RawData {
        kind: 2,
        file_size: Some(256),
        block_sizes: vec![100, 156],
        ..RawData::default()
    };
    let node = block(&links, &data);
    let cumulative_size = node.len() as u64 + 256;
    let wheel = Link {
        cid: store.insert(false, Codec::DagPb, node),
        cumulative_size,
    };
    let odd = folder(&mut store, &[("a b&<c>?#%.txt", odd), ("empty", empty)]);
    let x = folder(&mut store, &[("x-1-py3-none-any.whl", wheel)]);
    let root = folder(
        &mut store,
        &[
            ("index.html", html),
            ("index.v1_json", json),
            ("odd", odd),
            ("x", x),
        ],
    )
    .cid;
    files.sort();

    let blocks = Arc::new(store);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    listener.set_nonblocking(true).expect("it listens");
    // A connection that is kept open for another request costs its time.
    let limits = Limits {
        header_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let gateway = Gateway::new(Arc::clone(&blocks) as Arc<BlockStore>, root).with_limits(limits);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it listens");
            gateway
                .serve(listener, std::future::pending())
                .await
                .expect("it listens");
        });
    });
    Served {
        address,
        root,
        files,
        blocks,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let served = &*SERVED;
    // Closes the connection after the answer, in whatever request it comes to stand.
    let mut request = with_root(bytes, &served.root.to_string());
    request.extend(b"\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(served.address).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a limit");
    stream.set_nodelay(true).expect("it is connected");
    // The other end may have hung up before it has read all of that.
    let _ = stream.write_all(&request);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => first_answer(served, &request, &answer),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("no end of an answer: {error}"),
    }
});

/// `~` stands for the root's CID, which is too long to be found by chance.
fn with_root(bytes: &[u8], root: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 64);
    for byte in bytes {
        match byte {
            b'~' => out.extend_from_slice(root.as_bytes()),
            other => out.push(*other),
        }
    }
    out
}

/// The first answer on a connection: whole, and right where it is one of success.
fn first_answer(served: &Served, request: &[u8], answer: &[u8]) {
    if answer.is_empty() {
        return;
    }
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        panic!(
            "a head that does not end: {:?}",
            String::from_utf8_lossy(answer)
        );
    };
    let head = String::from_utf8_lossy(&answer[..end]);
    let rest = &answer[end + 4..];
    let mut lines = head.split("\r\n");
    let status: u16 = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.get(2..5))
        .and_then(|status| status.parse().ok())
        .expect("a line with a status");
    let headers: Vec<(String, &str)> = lines
        .map(|line| line.split_once(": ").expect("a header has a colon"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let header = |name: &str| {
        headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| *value)
    };
    assert!(status < 500 || status == 505, "{head}");
    let length: usize =
        header("content-length").map_or(0, |length| length.parse().expect("a number"));
    let is_head = request.trim_ascii_start().starts_with(b"HEAD ");
    if is_head || status == 304 {
        return;
    }
    assert!(
        length <= rest.len(),
        "a body of {length} bytes that has {}",
        rest.len()
    );
    if matches!(status, 200 | 206) {
        content(served, &header, status, &rest[..length]);
    }
}

/// What is sent has been hashed: it is a file, a page or a block of the release, or a part of one.
fn content<'h>(
    served: &Served,
    header: &dyn Fn(&str) -> Option<&'h str>,
    status: u16,
    body: &[u8],
) {
    let tag = header("etag").expect("content has a tag").trim_matches('"');
    let is_known = |bytes: &[u8]| match header("content-range") {
        None => bytes == body,
        Some(range) => {
            let (part, size) = range
                .strip_prefix("bytes ")
                .and_then(|range| range.split_once('/'))
                .expect("a range");
            let (start, end) = part.split_once('-').expect("a range");
            let (start, end): (usize, usize) = (
                start.parse().expect("a number"),
                end.parse().expect("a number"),
            );
            size.parse() == Ok(bytes.len()) && bytes.get(start..=end) == Some(body)
        }
    };
    assert_eq!(status == 206, header("content-range").is_some());
    let is_file = served.files.iter().any(|(_, bytes)| is_known(bytes));
    let is_block = tag
        .split('.')
        .next()
        .and_then(|cid| cid.parse::<Cid>().ok())
        .and_then(|cid| {
            ipwhl_unixfs::car::Blocks::block(&*served.blocks, &cid)
                .ok()
                .flatten()
        })
        .is_some_and(|block| is_known(&block));
    // A folder without a page gets a list of links.
    let is_listing = header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
        && tag.parse::<Cid>().is_err();
    assert!(is_file || is_block || is_listing, "{tag}: {body:?}");
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
}
