//! Connections: slow ones, idle ones, many of them, and how they end.

use std::io::{ErrorKind, Read as _, Write as _};
#[cfg(target_os = "linux")]
use std::net::SocketAddr;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use ipwhl::gateway::{Limits, RequestRecord};
use ipwhl_unixfs::Profile;
#[cfg(target_os = "linux")]
use socket2::{Domain, Socket, Type};

use super::{Reply, Server, WHEEL, WHEEL_SIZE, file, file_of, folder, noise, release};

/// A request on a connection that is kept.
fn send(stream: &mut TcpStream, target: &str) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: example.org\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
}

/// Whether the server has closed, or does so soon.
fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Ok(0)) || !is_open(stream)
}

/// Whether the server has not closed yet. Nothing may be under way to the client.
fn is_open(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.read(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn a_client_that_sends_no_whole_request_is_let_go() {
    let limits = Limits {
        header_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Server::with(release().car(), limits);
    for start in ["", "GET / HTTP/1.1\r\nHost: exam"] {
        let mut slow = server.connect();
        slow.write_all(start.as_bytes()).unwrap();
        assert!(is_closed(&mut slow), "{start:?}");
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

/// With a send buffer that grows as Linux likes, 4 MiB are taken at once, and room for more is not
/// reported until this client has read a third of them, which takes it longer than it may.
#[test]
fn a_slow_client_that_keeps_reading_gets_its_whole_file() {
    let bytes = noise(8 << 20);
    let limits = Limits {
        write_time: Duration::from_secs(4),
        ..Limits::default()
    };
    let server = Server::with(folder([("large", file(&bytes))]).car(), limits);
    let mut slow = server.connect();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n",
        server.path("large")
    );
    slow.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    // 200 kB/s for 9 seconds, then as fast as it goes.
    for _ in 0..450 {
        thread::sleep(Duration::from_millis(20));
        let mut part = [0; 4000];
        slow.read_exact(&mut part).unwrap();
        reply.extend(part);
    }
    slow.read_to_end(&mut reply).unwrap();
    assert!(Reply::parse(&reply).body == bytes);
}

#[test]
fn a_client_that_reads_too_slowly_is_let_go() {
    let tree = folder([("large", file(&vec![0; 64 << 20]))]);
    let limits = Limits {
        write_time: Duration::from_secs(1),
        minimum_rate: 64 << 20,
        ..Limits::default()
    };
    let server = Server::with(tree.car(), limits);
    let mut slow = server.connect();
    send(&mut slow, &server.path("large"));
    let mut count = 0;
    let mut part = vec![0; 32 << 10];
    // 1.6 MB/s or less: all of it would take 40 seconds.
    while let Ok(more @ 1..) = slow.read(&mut part) {
        count += more;
        thread::sleep(Duration::from_millis(20));
    }
    assert!(count < 32 << 20, "{count}");
}

#[test]
fn a_thousand_idle_connections_make_room_for_a_request() {
    rlimit::increase_nofile_limit(8192).unwrap();
    let server = Server::start(&release());
    let started = Instant::now();
    let mut half_open: Vec<TcpStream> = (0..1000)
        .map(|number| {
            let mut stream = server.connect();
            let start: &[u8] = if number % 2 == 0 {
                b""
            } else {
                b"GET / HTTP/1.1\r\nHo"
            };
            // One that had to make room may be closed already.
            let _ = stream.write_all(start);
            stream
        })
        .collect();
    assert_eq!(server.get(&server.path("plain/")).status, 200);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    // Those that have been idle longest are closed, and no more of them than needed.
    assert!(is_closed(&mut half_open[0]));
    assert!(is_open(&mut half_open[999]));
    // The last of them may still be on its way to this end.
    let mut open = || -> usize {
        let open = half_open.iter_mut().map(is_open);
        open.map(usize::from).sum()
    };
    while open() >= Limits::default().connections && started.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(open(), Limits::default().connections - 1);
}

/// A response is under way until its last byte has left the program, and then its connection is
/// idle.
#[test]
fn a_response_under_way_does_not_make_room() {
    // One leaf, more than the sockets between here and there take.
    let bytes = noise(1 << 20);
    let large = file_of(Profile::UnixfsV1_2025, &bytes);
    let tree = folder([("large", large), ("small", file(b"small"))]);
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let server = Server::with(tree.car(), limits);
    let mut busy = server.connect();
    send(&mut busy, &server.path("large"));
    let mut reply = vec![0; 1000];
    busy.read_exact(&mut reply).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| server.get(&server.path("small")));
        thread::sleep(Duration::from_millis(500));
        assert!(!waiting.is_finished());
        busy.read_to_end(&mut reply).unwrap();
        assert_eq!(waiting.join().unwrap().text(), "small");
    });
    assert!(Reply::parse(&reply).body == bytes);
}

/// A connection from another address of this machine.
#[cfg(target_os = "linux")]
fn connect_from(server: &Server, last: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let own = SocketAddr::from(([127, 0, 0, last], 0));
    socket.bind(&own.into()).unwrap();
    socket.connect(&server.address.into()).unwrap();
    let patience = Some(Duration::from_secs(20));
    socket.set_read_timeout(patience).unwrap();
    socket.into()
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_has_a_share_of_the_places() {
    let tree = folder([
        ("large", file(&vec![0; 16 << 20])),
        ("small", file(b"small")),
    ]);
    let limits = |exempt: &[&str]| Limits {
        connections: 4,
        connections_per_address: 2,
        exempt: exempt.iter().map(|one| one.parse().unwrap()).collect(),
        ..Limits::default()
    };
    let server = Server::with(tree.car(), limits(&[]));
    let answer = |stream: &mut TcpStream, target: &str| {
        send(stream, &server.path(target));
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        String::from_utf8(start[9..].to_vec()).unwrap()
    };
    let mut other = connect_from(&server, 3);
    assert_eq!(answer(&mut other, "small"), "200");
    // The longest idle of the address makes room for its third, and that of another does not.
    let mut first = connect_from(&server, 2);
    let mut second = connect_from(&server, 2);
    assert_eq!(answer(&mut second, "large"), "200");
    let mut third = connect_from(&server, 2);
    assert!(is_closed(&mut first));
    assert_eq!(answer(&mut third, "large"), "200");
    // None of the address is idle now.
    let mut refused = Vec::new();
    connect_from(&server, 2).read_to_end(&mut refused).unwrap();
    let refused = Reply::parse(&refused);
    assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));
    drop(second);
    let mut rest = [0; 1024];
    while third.read(&mut rest).unwrap() == rest.len() {}
    let mut rest = vec![0; 1024];
    let more = other.read(&mut rest).unwrap();
    assert!(rest[..more].ends_with(b"small"));
    assert_eq!(answer(&mut other, "small"), "200");

    // A proxy may have all.
    let server = Server::with(tree.car(), limits(&["127.0.0.2/31"]));
    let mut all: Vec<TcpStream> = (0..4).map(|_| connect_from(&server, 2)).collect();
    for stream in &mut all {
        send(stream, &server.path("large"));
        stream.read_exact(&mut [0; 12]).unwrap();
    }
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
        unknown_host: None,
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
