//! Connections: slow ones, idle ones, many of them, and how they end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use ipwhl::gateway::{Limits, RequestRecord};

use super::{Reply, Server, WHEEL, WHEEL_SIZE, file, folder, noise, release};

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
