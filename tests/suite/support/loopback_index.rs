//! An index on the loopback address, written on bare sockets so that it can misbehave at every
//! byte.
//!
//! It serves `/simple/<project>/` (JSON and HTML, or HTML only), `/files/<file name>` with ranges
//! (`bytes=5-`, `bytes=5-8` and `bytes=-5`) and strong ETags, and whatever a test puts at other paths. For each path a test may queue
//! [`Answer`]s that are given, one a request, instead of the proper one. It counts requests,
//! connections and the bytes that it sends.
//!
//! `loopback.certificate.pem` and `loopback.key.pem` are for 127.0.0.1, of no other use, and were
//! made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500
//! -subj /CN=loopback.example.org -addext subjectAltName=IP:127.0.0.1
//! -addext basicConstraints=critical,CA:FALSE`.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use ipwhl_unixfs::Sha256Digest;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub use super::http::message;
use super::http::{Request, whole};

/// What is given instead of the proper answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The proper one.
    Proper,
    /// These bytes, which are a whole answer; the connection goes on.
    Whole(Vec<u8>),
    /// These bytes; then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes; then the connection stays open, with nothing more.
    Stall(Vec<u8>),
    /// These bytes; then zeros, as long as somebody reads.
    Endless(Vec<u8>),
    /// The proper one, as soon as this is true.
    Held(Arc<AtomicBool>),
}

impl Answer {
    /// A whole answer with this status, these headers and this body.
    pub fn whole(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::Whole(whole(status, headers, body))
    }

    /// An answer with exactly these headers.
    pub fn raw(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::Raw(message(status, headers, body))
    }

    /// An answer with a status, and nothing to read.
    pub fn status(status: &str) -> Self {
        Self::whole(status, &[], b"")
    }

    /// The start of a file of `whole` bytes, cut.
    pub fn cut(whole: &[u8], after: usize, headers: &[(&str, &str)]) -> Self {
        let length = whole.len().to_string();
        let mut headers = headers.to_vec();
        headers.push(("Content-Length", &length));
        Self::raw("200 OK", &headers, &whole[..after])
    }

    /// Its bytes, as far as they are fixed.
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Proper | Self::Held(_) => &[],
            Self::Whole(bytes) | Self::Raw(bytes) | Self::Stall(bytes) | Self::Endless(bytes) => {
                bytes
            }
        }
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        Self::whole("302 Found", &[("Location", to)], b"")
    }
}

/// The strong ETag that this server gives to these bytes.
pub fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", Sha256Digest::of(bytes))
}

/// A file that the index offers.
#[derive(Clone, Debug)]
pub struct Hosted {
    pub project: String,
    pub file_name: String,
    pub bytes: Vec<u8>,
    pub requires_python: Option<String>,
    pub yanked: Option<String>,
    /// The time of the upload, as the pages state it.
    pub uploaded: Option<String>,
    /// METADATA, served beside the file (PEP 658).
    pub metadata: Option<Vec<u8>>,
    /// Whether the page has the digest of METADATA.
    pub metadata_digest: bool,
    /// Whether the page has the digest of the file.
    pub digest: bool,
    /// The address of its provenance, as the page states it.
    pub provenance: Option<String>,
}

impl Hosted {
    pub fn new(project: &str, file_name: &str, bytes: &[u8]) -> Self {
        Self {
            project: project.to_owned(),
            file_name: file_name.to_owned(),
            bytes: bytes.to_vec(),
            requires_python: None,
            yanked: None,
            uploaded: None,
            metadata: None,
            metadata_digest: true,
            digest: true,
            provenance: None,
        }
    }
}

#[derive(Default)]
struct State {
    html_only: bool,
    no_ranges: bool,
    credentials: Option<String>,
    hosted: Vec<Hosted>,
    /// The status and the reason of a project.
    statuses: HashMap<String, (String, String)>,
    paths: HashMap<String, Vec<u8>>,
    queued: HashMap<String, VecDeque<Answer>>,
    always: HashMap<String, Answer>,
    requests: Vec<Request>,
    /// The number of bytes of the answer to each request, heads included.
    sent: Vec<usize>,
    connections: Vec<TcpStream>,
    accepted: usize,
}

/// A running server; it ends when this value goes.
pub struct LoopbackIndex {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
}

impl LoopbackIndex {
    /// Starts a server without TLS.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server with TLS, whose certificate is [`LoopbackIndex::certificate`].
    pub fn start_tls() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_file(Self::certificate()).unwrap();
        let key = PrivateKeyDer::from_pem_file(support_file("loopback.key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::start_with(Some(Arc::new(config)))
    }

    /// The certificate of [`LoopbackIndex::start_tls`].
    pub fn certificate() -> PathBuf {
        support_file("loopback.certificate.pem")
    }

    fn start_with(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let index = Self {
            address: listener.local_addr().unwrap(),
            scheme: if tls.is_some() { "https" } else { "http" },
            state: Arc::default(),
            ended: Arc::default(),
        };
        let (state, ended) = (Arc::clone(&index.state), Arc::clone(&index.ended));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let state = Arc::clone(&state);
                {
                    let mut state = state.lock().unwrap();
                    state.accepted += 1;
                    state.connections.extend(stream.try_clone());
                }
                let tls = tls.clone();
                thread::spawn(move || {
                    let closer = stream.try_clone().unwrap();
                    match tls {
                        None => serve(stream, &state),
                        Some(config) => {
                            let connection = ServerConnection::new(config).unwrap();
                            serve(StreamOwned::new(connection, stream), &state);
                        }
                    }
                    // The list of connections has a handle too, so leaving does not close.
                    let _ = closer.shutdown(Shutdown::Both);
                });
            }
        });
        index
    }

    /// From now on, pages are in HTML whatever is asked for.
    pub fn html_only(&self) {
        self.state.lock().unwrap().html_only = true;
    }

    /// From now on, files come whole whatever range is asked for.
    pub fn no_ranges(&self) {
        self.state.lock().unwrap().no_ranges = true;
    }

    /// From now on, everything needs this user name and password.
    pub fn require_credentials(&self, user: &str, password: &str) {
        let pair = BASE64.encode(format!("{user}:{password}").as_bytes());
        self.state.lock().unwrap().credentials = Some(format!("Basic {pair}"));
    }

    /// Offers a file.
    pub fn host(&self, file: Hosted) {
        self.state.lock().unwrap().hosted.push(file);
    }

    /// Yanks the files of a project.
    pub fn yank(&self, project: &str, reason: &str) {
        let mut state = self.state.lock().unwrap();
        for file in state
            .hosted
            .iter_mut()
            .filter(|file| file.project == project)
        {
            file.yanked = Some(reason.to_owned());
        }
    }

    /// Removes the files of a project.
    pub fn remove(&self, project: &str) {
        let mut state = self.state.lock().unwrap();
        state.hosted.retain(|file| file.project != project);
    }

    /// Gives a project a status, with a reason.
    pub fn set_status(&self, project: &str, status: &str, reason: &str) {
        let status = (status.to_owned(), reason.to_owned());
        let mut state = self.state.lock().unwrap();
        state.statuses.insert(project.to_owned(), status);
    }

    /// Serves bytes at a path.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.paths.insert(path.to_owned(), bytes.to_vec());
    }

    /// Gives these answers to the next requests for a path, one each.
    pub fn queue(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        let mut state = self.state.lock().unwrap();
        state
            .queued
            .entry(path.to_owned())
            .or_default()
            .extend(answers);
    }

    /// Drops the queued answers that were not sent yet.
    pub fn forget_queued(&self) {
        self.state.lock().unwrap().queued.clear();
    }

    /// Gives this answer to every request for a path.
    pub fn always(&self, path: &str, answer: Answer) {
        let mut state = self.state.lock().unwrap();
        state.always.insert(path.to_owned(), answer);
    }

    /// `http://127.0.0.1:<port><path>`.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The address to give as an index.
    pub fn index_url(&self) -> String {
        self.url("/simple/")
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The paths of all requests so far.
    pub fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|one| one.path).collect()
    }

    /// All requests so far, each with the number of bytes of its answer: head and body. Of an answer
    /// without an end, only the start counts.
    pub fn sent(&self) -> Vec<(Request, usize)> {
        let state = self.state.lock().unwrap();
        let sent = state.sent.iter().copied();
        state.requests.iter().cloned().zip(sent).collect()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        let mut state = self.state.lock().unwrap();
        state.requests.clear();
        state.sent.clear();
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().accepted
    }
}

impl Drop for LoopbackIndex {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        for connection in &self.state.lock().unwrap().connections {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn support_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/suite/support")
        .join(name)
}

fn serve(stream: impl Read + Write, state: &Mutex<State>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = Request::read(&mut stream) {
        let answer = {
            let mut state = state.lock().unwrap();
            state.requests.push(request.clone());
            let queued = state
                .queued
                .get_mut(&request.path)
                .and_then(VecDeque::pop_front);
            let answer = queued.or_else(|| state.always.get(&request.path).cloned());
            let answer = answer.unwrap_or(Answer::Proper);
            let length = match &answer {
                Answer::Proper | Answer::Held(_) => proper(&state, &request).len(),
                other => other.bytes().len(),
            };
            state.sent.push(length);
            answer
        };
        if let Answer::Held(gate) = &answer {
            while !gate.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
        }
        let answer = match answer {
            Answer::Proper | Answer::Held(_) => {
                Answer::Whole(proper(&state.lock().unwrap(), &request))
            }
            other => other,
        };
        let out = stream.get_mut();
        let written = out.write_all(answer.bytes()).and_then(|()| out.flush());
        if written.is_err() {
            return;
        }
        match answer {
            Answer::Endless(_) => {
                while out.write_all(&[0; 4096]).is_ok() && out.flush().is_ok() {}
                return;
            }
            Answer::Stall(_) => {
                // Until the other side has had enough.
                let _ = stream.read(&mut [0]);
                return;
            }
            Answer::Raw(_) => return,
            Answer::Proper | Answer::Held(_) | Answer::Whole(_) => {}
        }
    }
}

/// What a server without faults answers.
fn proper(state: &State, request: &Request) -> Vec<u8> {
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    let error = |status: &str| whole(status, &[], b"");
    if state.credentials.is_some() && state.credentials.as_deref() != header("authorization") {
        return error("401 Unauthorized");
    }
    if let Some(project) = request
        .path
        .strip_prefix("/simple/")
        .and_then(|rest| rest.strip_suffix('/'))
    {
        let files: Vec<&Hosted> = state
            .hosted
            .iter()
            .filter(|file| file.project == project)
            .collect();
        let status = state.statuses.get(project);
        if files.is_empty() && status.is_none() {
            return error("404 Not Found");
        }
        let json = "application/vnd.pypi.simple.v1+json";
        let wants_json = header("accept").is_some_and(|accept| accept.contains(json));
        let (content_type, body) = if wants_json && !state.html_only {
            (json, json_page(project, &files, status))
        } else {
            ("text/html", html_page(&files, status))
        };
        return whole("200 OK", &[("Content-Type", content_type)], body.as_bytes());
    }
    let named = request.path.strip_prefix("/files/").and_then(|name| {
        state.hosted.iter().find_map(|file| {
            if file.file_name == name {
                return Some(&file.bytes);
            }
            let metadata = file.metadata.as_ref()?;
            (format!("{}.metadata", file.file_name) == name).then_some(metadata)
        })
    });
    let Some(bytes) = named.or_else(|| state.paths.get(&request.path)) else {
        return error("404 Not Found");
    };
    let tag = etag(bytes);
    let range = header("range")
        .filter(|_| !state.no_ranges)
        .filter(|_| header("if-range").is_none_or(|wanted| wanted == tag))
        .and_then(|range| requested(range, bytes.len()));
    let mut headers = vec![("ETag", tag.as_str())];
    let Some((start, end)) = range else {
        return whole("200 OK", &headers, bytes);
    };
    let told = format!("bytes {start}-{}/{}", end - 1, bytes.len());
    headers.push(("Content-Range", &told));
    whole("206 Partial Content", &headers, &bytes[start..end])
}

/// The requested range of a file with this length, which is not empty.
fn requested(range: &str, length: usize) -> Option<(usize, usize)> {
    let (start, end) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (start.parse::<usize>(), end.parse::<usize>()) {
        (Ok(start), Ok(last)) => (start, last + 1),
        (Ok(start), Err(_)) => (start, length),
        (Err(_), Ok(suffix)) => (length.saturating_sub(suffix), length),
        (Err(_), Err(_)) => return None,
    };
    let end = end.min(length);
    (start < end).then_some((start, end))
}

fn json_page(project: &str, files: &[&Hosted], status: Option<&(String, String)>) -> String {
    let files: Vec<_> = files
        .iter()
        .map(|file| {
            let mut hashes = serde_json::json!({});
            if file.digest {
                hashes["sha256"] = Sha256Digest::of(&file.bytes).to_string().into();
            }
            let mut listed = serde_json::json!({
                "filename": file.file_name,
                "url": format!("../../files/{}", file.file_name),
                "hashes": hashes,
                "size": file.bytes.len(),
                "requires-python": file.requires_python,
                "yanked": match &file.yanked {
                    Some(reason) => serde_json::json!(reason),
                    None => serde_json::json!(false),
                },
                "core-metadata": match &file.metadata {
                    Some(_) if !file.metadata_digest => serde_json::json!(true),
                    Some(bytes) => serde_json::json!({ "sha256": Sha256Digest::of(bytes).to_string() }),
                    None => serde_json::json!(false),
                },
            });
            if let Some(provenance) = &file.provenance {
                listed["provenance"] = serde_json::json!(provenance);
            }
            if let Some(uploaded) = &file.uploaded {
                listed["upload-time"] = serde_json::json!(uploaded);
            }
            listed
        })
        .collect();
    let mut page =
        serde_json::json!({ "meta": { "api-version": "1.1" }, "name": project, "files": files });
    if let Some((marker, reason)) = status {
        page["project-status"] = serde_json::json!({ "status": marker, "reason": reason });
    }
    page.to_string()
}

fn html_page(files: &[&Hosted], status: Option<&(String, String)>) -> String {
    let mut page = String::from("<!DOCTYPE html><html>");
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
    };
    if let Some((marker, reason)) = status {
        for (name, content) in [("status", marker), ("status-reason", reason)] {
            let content = escaped(content);
            write!(
                page,
                "<meta name=\"pypi:project-{name}\" content=\"{content}\">"
            )
            .unwrap();
        }
    }
    page.push_str("<body>\n");
    for file in files {
        let name = &file.file_name;
        let sha256 = Sha256Digest::of(&file.bytes);
        write!(page, "<a href=\"../../files/{name}#sha256={sha256}\"").unwrap();
        if let Some(text) = &file.requires_python {
            write!(page, " data-requires-python=\"{}\"", escaped(text)).unwrap();
        }
        if let Some(reason) = &file.yanked {
            write!(page, " data-yanked=\"{}\"", escaped(reason)).unwrap();
        }
        if let Some(provenance) = &file.provenance {
            write!(page, " data-provenance=\"{}\"", escaped(provenance)).unwrap();
        }
        if let Some(uploaded) = &file.uploaded {
            write!(page, " data-upload-time=\"{}\"", escaped(uploaded)).unwrap();
        }
        if let Some(bytes) = &file.metadata {
            let sha256 = Sha256Digest::of(bytes);
            write!(page, " data-core-metadata=\"sha256={sha256}\"").unwrap();
        }
        writeln!(page, ">{name}</a><br>").unwrap();
    }
    page.push_str("</body></html>\n");
    page
}
