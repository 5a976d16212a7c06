//! Stands before a service and cuts who asks it: at a request, before it is passed on or after it
//! was answered, or in the middle of an upload.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use super::http;

/// Where who asks is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Nowhere.
    Never,
    /// When this request comes, the first being 1; the service does not see it.
    Before(usize),
    /// When the service has begun to answer this request; nobody sees the answer.
    After(usize),
    /// When the first request comes whose line has this in it; the service does not see it.
    BeforeLine(&'static str),
    /// When the service has begun to answer that request.
    AfterLine(&'static str),
    /// Nobody, but something happens before the first request goes on whose line has this in it.
    Meanwhile(&'static str),
    /// When so many bytes have gone to the service.
    Bytes(usize),
}

struct Shared {
    target: String,
    cut: Cut,
    requests: AtomicUsize,
    sent: AtomicUsize,
    received: AtomicUsize,
    is_cut: AtomicBool,
    /// Tells that it is time, and waits until who asks is gone.
    tell: Mutex<mpsc::Sender<mpsc::Sender<()>>>,
}

/// A proxy on a loopback port.
pub struct CuttingProxy {
    pub url: String,
    shared: Arc<Shared>,
    told: mpsc::Receiver<mpsc::Sender<()>>,
}

impl CuttingProxy {
    /// Stands before `target`, `http://127.0.0.1:<port>`.
    pub fn start(target: &str, cut: Cut) -> Self {
        let (tell, told) = mpsc::channel();
        let shared = Arc::new(Shared {
            target: target.trim_start_matches("http://").to_owned(),
            cut,
            requests: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
            is_cut: AtomicBool::new(false),
            tell: Mutex::new(tell),
        });
        let for_thread = Arc::clone(&shared);
        let url = http::listen(move |client| for_thread.serve(client));
        Self { url, shared, told }
    }

    /// How many requests came.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How many bytes have gone to the service.
    pub fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// How many bytes have come from the service.
    pub fn received(&self) -> usize {
        self.shared.received.load(Ordering::SeqCst)
    }

    /// Kills the child when it is time; whether it was.
    pub fn cuts(&self, child: Child) -> bool {
        let child = RefCell::new(child);
        let is_over = || child.borrow_mut().try_wait().unwrap().is_some();
        self.when_cut(is_over, || {
            let mut child = child.borrow_mut();
            child.kill().unwrap();
            child.wait().unwrap();
        })
    }

    /// Waits until it is time to cut, or until nobody is left who could tell; `cut` ends who asks.
    pub fn when_cut(&self, mut is_over: impl FnMut() -> bool, cut: impl FnOnce()) -> bool {
        loop {
            match self.told.recv_timeout(std::time::Duration::from_millis(20)) {
                Ok(done) => {
                    cut();
                    let _ = done.send(());
                    return true;
                }
                Err(_) if is_over() => return false,
                Err(_) => {}
            }
        }
    }
}

impl Shared {
    /// Tells the test, and waits until it has cut.
    fn cut(&self) {
        if self.is_cut.swap(true, Ordering::SeqCst) {
            return;
        }
        let (done, wait) = mpsc::channel();
        let _ = self.tell.lock().unwrap().send(done);
        let _ = wait.recv();
    }

    fn serve(self: &Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(&self.target) else {
            return;
        };
        let cut_answer = Arc::new(AtomicBool::new(false));
        let back = {
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let (shared, cut_answer) = (Arc::clone(self), Arc::clone(&cut_answer));
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    if cut_answer.load(Ordering::SeqCst) {
                        shared.cut();
                        break;
                    }
                    shared.received.fetch_add(count, Ordering::SeqCst);
                    if to.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            })
        };
        self.forward(client, server, &cut_answer);
        let _ = back.join();
    }

    fn forward(&self, mut client: TcpStream, mut server: TcpStream, cut_answer: &AtomicBool) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            let bytes = &buffer[..count];
            // A client sends the head of a request in one piece, and its body in others.
            let methods: [&[u8]; 3] = [b"POST /", b"GET /", b"DELETE /"];
            if methods.iter().any(|method| bytes.starts_with(method)) {
                let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
                match self.cut {
                    Cut::Before(at) if at == number => {
                        self.cut();
                        break;
                    }
                    Cut::After(at) if at == number => cut_answer.store(true, Ordering::SeqCst),
                    Cut::BeforeLine(part) if line(bytes).contains(part) => {
                        self.cut();
                        break;
                    }
                    Cut::Meanwhile(part) if line(bytes).contains(part) => self.cut(),
                    Cut::AfterLine(part) if line(bytes).contains(part) => {
                        cut_answer.store(true, Ordering::SeqCst);
                    }
                    _ => {}
                }
            }
            let sent = self.sent.fetch_add(count, Ordering::SeqCst) + count;
            if matches!(self.cut, Cut::Bytes(at) if sent >= at) {
                self.cut();
                break;
            }
            if server.write_all(bytes).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    }
}

/// The first line of a request.
fn line(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == b'\r');
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}
