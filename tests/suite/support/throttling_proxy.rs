//! A proxy whose answers come slowly, a few bytes at a time.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::http;

/// The bytes of one piece.
const PIECE: usize = 512;
/// The time between pieces. With [`PIECE`] it makes 5 KiB a second.
const PAUSE: Duration = Duration::from_millis(100);

/// The connections that share 5 KiB a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// Each connection.
    OfEach,
    /// All connections together.
    OfAll,
}

/// A proxy on a loopback port.
pub struct ThrottlingProxy {
    pub url: String,
    passed: Arc<AtomicUsize>,
}

impl ThrottlingProxy {
    /// Stands before `target`, `http://127.0.0.1:<port>`.
    pub fn start(target: &str, rate: Rate) -> Self {
        let target = target.trim_start_matches("http://").to_owned();
        let passed = Arc::new(AtomicUsize::new(0));
        let (line, counter) = (Arc::new(Mutex::new(())), Arc::clone(&passed));
        let url = http::listen(move |client| {
            let Ok(server) = TcpStream::connect(&target) else {
                return;
            };
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            let line = (rate == Rate::OfAll).then_some(&*line);
            slowly(server, client, line, &counter);
        });
        Self { url, passed }
    }

    /// How many bytes have gone to who asked.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}

fn slowly(mut from: TcpStream, mut to: TcpStream, line: Option<&Mutex<()>>, passed: &AtomicUsize) {
    let mut piece = [0; PIECE];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        {
            let _held = line.map(|line| line.lock().unwrap());
            thread::sleep(PAUSE);
        }
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
        passed.fetch_add(count, Ordering::SeqCst);
    }
    let _ = to.shutdown(Shutdown::Both);
}
