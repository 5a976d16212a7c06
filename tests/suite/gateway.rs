//! The gateway on a loopback port, over an archive made here, asked in raw HTTP.

mod conditions;
mod connections;
mod content;
mod damage;
mod kubo;
mod negotiation;
mod requests;

use std::io::{self, Cursor, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ipwhl::gateway::{Gateway, Limits, RequestRecord};
use ipwhl_unixfs::car::{CarReader, CarWriter};
use ipwhl_unixfs::{
    BlockSink, Cid, DirectoryDag, DirectoryEntry, FileDag, FileHasher, Link, Profile,
};
use tokio::sync::oneshot;

// A small release.

enum Tree {
    File(FileDag, Vec<u8>),
    Folder(DirectoryDag, Vec<(String, Tree)>),
}

const PROFILE: Profile = Profile::KuboCidV1;

fn file(bytes: &[u8]) -> Tree {
    file_of(PROFILE, bytes)
}

fn file_of(profile: Profile, bytes: &[u8]) -> Tree {
    let mut hasher = FileHasher::new(profile);
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
            .with_hosts(["example.org".parse().unwrap()])
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
