//! `ipwhl publish` to DNS: the record that is printed, and what a name server (RFC 1035, written
//! here) says of it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::publish_kubo::{installable_with, settings, succeeded};
use crate::support::workshop::{Ran, Workshop};

/// What a server says of every name.
#[derive(Clone)]
enum Says {
    /// These TXT records, each of some strings.
    Records(Vec<Vec<Vec<u8>>>),
    /// The same behind another name (CNAME).
    Alias(Vec<Vec<Vec<u8>>>),
    /// That they do not fit into a datagram, and then, over TCP, these.
    Truncated(Vec<Vec<Vec<u8>>>),
    /// This code, and no record: 3 where there is no such name, 2 where the server has failed, 5
    /// where it refuses.
    Code(u8),
    /// Nothing at all.
    Silence,
    /// Bytes that are no message.
    Noise,
}

/// A name server on a loopback port, over UDP and TCP.
struct NameServer {
    address: SocketAddr,
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    fn start() -> Self {
        let (datagrams, streams) = loop {
            let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
            // Somebody else may have that port.
            if let Ok(streams) = TcpListener::bind(datagrams.local_addr().unwrap()) {
                break (datagrams, streams);
            }
        };
        let server = Self {
            address: datagrams.local_addr().unwrap(),
            says: Arc::new(Mutex::new(Says::Silence)),
            asked: Arc::default(),
        };
        let (says, asked) = (server.says.clone(), server.asked.clone());
        thread::spawn(move || {
            let mut question = [0; 4096];
            while let Ok((length, from)) = datagrams.recv_from(&mut question) {
                let says = says.lock().unwrap().clone();
                if let Some(answer) = answer(&question[..length], &says, false, &asked) {
                    datagrams.send_to(&answer, from).unwrap();
                }
            }
        });
        let (says, asked) = (server.says.clone(), server.asked.clone());
        thread::spawn(move || {
            for stream in streams.incoming() {
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut question).unwrap();
                let says = says.lock().unwrap().clone();
                if let Some(answer) = answer(&question, &says, true, &asked) {
                    let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                    stream.write_all(&[&length, &answer[..]].concat()).unwrap();
                }
            }
        });
        server
    }

    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// TXT records of one string each.
    fn records(&self, texts: &[&str]) {
        let records = texts.iter().map(|text| vec![text.as_bytes().to_vec()]);
        self.says(Says::Records(records.collect()));
    }
}

/// The answer to a question (RFC 1035, section 4).
fn answer(
    question: &[u8],
    says: &Says,
    is_stream: bool,
    asked: &Mutex<Vec<String>>,
) -> Option<Vec<u8>> {
    let mut end = 12;
    let mut name = String::new();
    while question[end] != 0 {
        let length = usize::from(question[end]);
        name += std::str::from_utf8(&question[end + 1..=end + length]).unwrap();
        name += ".";
        end += 1 + length;
    }
    assert_eq!(question[end + 1..end + 5], [0, 16, 0, 1], "TXT and IN");
    asked.lock().unwrap().push(name.to_ascii_lowercase());
    let (records, code, is_truncated, is_alias) = match says {
        Says::Silence => return None,
        Says::Noise => return Some(b"noise".to_vec()),
        Says::Records(records) => (&records[..], 0, false, false),
        Says::Alias(records) => (&records[..], 0, false, true),
        Says::Truncated(records) if is_stream => (&records[..], 0, false, false),
        Says::Truncated(_) => (&[][..], 0, true, false),
        Says::Code(code) => (&[][..], *code, false, false),
    };
    let mut message = question[..2].to_vec();
    // An answer, recursion desired and available.
    message.push(0x81 | if is_truncated { 2 } else { 0 });
    message.push(0x80 | code);
    let count = u16::try_from(records.len() + usize::from(is_alias)).unwrap();
    for number in [1, count, 0, 0] {
        message.extend(number.to_be_bytes());
    }
    message.extend(&question[12..end + 5]);
    // The name of the question; or, behind an alias, the one that the alias leads to.
    let mut owner = vec![0xc0, 12];
    if is_alias {
        let other = b"\x05other\x07example\x03org\x00";
        message.extend(&owner);
        message.extend([0, 5, 0, 1, 0, 0, 0, 60]);
        message.extend(u16::try_from(other.len()).unwrap().to_be_bytes());
        message.extend(other);
        owner = other.to_vec();
    }
    for record in records {
        let mut data = Vec::new();
        for string in record {
            data.push(u8::try_from(string.len()).unwrap());
            data.extend(string);
        }
        message.extend(&owner);
        message.extend([0, 16, 0, 1, 0, 0, 0, 60]);
        message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend(data);
    }
    Some(message)
}

/// A release, with a target that this server is asked for.
fn first(server: SocketAddr, more: &str) -> (Workshop, String) {
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(
        &workshop,
        &format!(
            "[publish.domain]\nkind = \"dnslink\"\nholders = []\ndomain \
             = \"Index.Example.org.\"\nresolver = \"{server}\"\n{more}"
        ),
    );
    let root = workshop.build(&[]);
    (workshop, root)
}

/// That the record was printed, and that DNS does not have it.
#[track_caller]
fn not_there(ran: &Ran, root: &str, words: &[&str]) {
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let line = format!("_dnslink.index.example.org. IN TXT \"dnslink=/ipfs/{root}\"\n");
    assert_eq!(ran.output, line);
    for word in words {
        ran.said(word);
    }
}

#[test]
fn the_record_is_printed_and_looked_for() {
    let server = NameServer::start();
    let (workshop, root) = first(server.address, "");
    let record = format!("dnslink=/ipfs/{root}");
    let missing = [
        "there is no such record at _dnslink.index.example.org yet",
        "put the printed line into the zone",
    ];
    for says in [
        Says::Code(3),
        Says::Records(Vec::new()),
        Says::Records(vec![
            vec![b"v=spf1 -all".to_vec()],
            vec![b"\xff\xfe".to_vec()],
        ]),
    ] {
        server.says(says);
        not_there(&workshop.run(&["publish"]), &root, &missing);
    }
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains("has no release"), "{dry:?}");
    assert!(
        dry.output.contains(&format!(
            "would print `_dnslink.index.example.org. IN TXT \"{record}\"`"
        )),
        "{dry:?}"
    );
    let asked = server.asked.lock().unwrap().clone();
    assert!(
        asked
            .iter()
            .all(|name| name == "_dnslink.index.example.org."),
        "{asked:?}"
    );

    // There, whether in one string or in several, behind an alias, or too large for a datagram.
    let (head, tail) = record.split_at(11);
    let strings = vec![vec![head.as_bytes().to_vec(), tail.as_bytes().to_vec()]];
    let large = |length: usize| vec![vec![b'x'; 250]; length];
    for says in [
        Says::Records(strings.clone()),
        Says::Alias(strings.clone()),
        Says::Truncated([strings.clone(), vec![large(8), large(8)]].concat()),
        Says::Records(vec![
            vec![format!("{record}/").into_bytes()],
            vec![b"v=spf1".to_vec()],
        ]),
        Says::Records([strings.clone(), strings].concat()),
    ] {
        server.says(says);
        let ran = succeeded(workshop.run(&["publish"]));
        assert!(ran.output.contains(&record), "{ran:?}");
        ran.said(&format!(
            "_dnslink.index.example.org refers to `/ipfs/{root}"
        ));
        let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
        assert!(dry.output.contains("nothing to do"), "{dry:?}");
    }
}

#[test]
fn what_dns_has_instead_is_said() {
    let server = NameServer::start();
    let (workshop, root) = first(server.address, "");
    let other = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    server.records(&[&format!("dnslink=/ipfs/{other}")]);
    not_there(
        &workshop.run(&["publish"]),
        &root,
        &[&format!("refers to `/ipfs/{other}`"), "its time to live"],
    );
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains(&format!("has {other}")), "{dry:?}");
    // A path below the release is not the release.
    server.records(&[&format!("dnslink=/ipfs/{root}/simple")]);
    not_there(&workshop.run(&["publish"]), &root, &["/simple`"]);
    server.records(&[
        &format!("dnslink=/ipfs/{root}"),
        "dnslink=/ipns/example.org",
    ]);
    workshop.run(&["publish"]).refused(
        1,
        &[
            "refers to several paths",
            "/ipns/example.org",
            "keep one TXT record",
        ],
    );

    // Nobody knows: that is not the same as that there is nothing.
    for says in [Says::Code(2), Says::Code(5), Says::Silence] {
        server.says(says);
        not_there(
            &workshop.run(&["publish"]),
            &root,
            &["cannot query DNS for ", "`resolver` names another one"],
        );
    }
    server.says(Says::Noise);
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains("cannot query DNS for "), "{dry:?}");
}

#[test]
fn a_record_may_lead_to_a_name() {
    let server = NameServer::start();
    let name = "k51qzi5uqu5djcm80kevqxt2lfnk2rsxmnfani0vpyr9rtxid9vyel4un41ijp";
    let (workshop, root) = first(server.address, &format!("name = \"/ipns/{name}\"\n"));
    server.records(&[&format!("dnslink=/ipfs/{root}")]);
    let ran = workshop.run(&["publish"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(
        ran.output,
        format!("_dnslink.index.example.org. IN TXT \"dnslink=/ipns/{name}\"\n")
    );
    server.records(&[&format!("dnslink=/ipns/{name}")]);
    succeeded(workshop.run(&["publish"])).said("refers to `/ipns/k51");
    // It stays the same for every release.
    let path = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    workshop.write_over(&installable_with("2.2"));
    fs::write(&path, text).unwrap();
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    workshop.build(&[]);
    succeeded(workshop.run(&["publish"])).said("already has the whole release");
}
