//! The HTTP/1.1 that servers and clients of the tests speak, on bare sockets so that they can
//! misbehave.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// The next one of a connection, with its whole body; `None` at the end.
    pub fn read(stream: &mut impl BufRead) -> Option<Self> {
        let first = line(stream)?;
        let mut words = first.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let header = line(stream)?;
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let mut request = Self {
            method,
            path,
            headers,
            body: Vec::new(),
        };
        if request.header("transfer-encoding") == "chunked" {
            loop {
                let size = usize::from_str_radix(&line(stream)?, 16).ok()?;
                request.take(stream, size)?;
                line(stream)?;
                if size == 0 {
                    break;
                }
            }
        } else {
            let length = request.header("content-length").parse().unwrap_or(0);
            request.take(stream, length)?;
        }
        Some(request)
    }

    /// The value of a header, empty without one.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn take(&mut self, stream: &mut impl Read, length: usize) -> Option<()> {
        let start = self.body.len();
        self.body.resize(start + length, 0);
        stream.read_exact(&mut self.body[start..]).ok()
    }
}

fn line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    stream
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    Some(line.trim_end().to_owned())
}

/// The bytes of an answer.
pub fn message(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The same, with the length of the body.
pub fn whole(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    message(
        status,
        &[headers, &[("Content-Length", &length)]].concat(),
        body,
    )
}

/// Listens on a free loopback port as long as the suite runs, each connection on a thread of its
/// own; the address, `http://127.0.0.1:<port>`.
pub fn listen(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(client));
        }
    });
    url
}

/// Listens for whole requests, and closes each connection after its first answer.
pub fn respond(answer: impl Fn(&Request) -> Vec<u8> + Clone + Send + 'static) -> String {
    listen(move |mut client| {
        let mut stream = BufReader::new(client.try_clone().unwrap());
        let Some(request) = Request::read(&mut stream) else {
            return;
        };
        let bytes = answer(&request);
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let (status, rest) = bytes.split_at(line);
        // The one who asked may be gone.
        let _ = client.write_all(&[status, b"Connection: close\r\n", rest].concat());
    })
}

/// An address of this machine where nobody listens.
pub fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// `GET` of a loopback address, with these header lines: the answer's head in lower case, and its
/// body.
pub fn get(url: &str, headers: &str) -> (String, Vec<u8>) {
    ask("GET", url, headers)
}

/// `POST` of nothing to a loopback address: the answer's body.
pub fn post(url: &str) -> String {
    let (_, body) = ask("POST", url, "Content-Length: 0\r\n");
    String::from_utf8(body).unwrap()
}

fn ask(method: &str, url: &str, headers: &str) -> (String, Vec<u8>) {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap();
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap().to_lowercase(), body)
}
