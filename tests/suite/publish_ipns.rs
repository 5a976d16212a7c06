//! `ipwhl publish` of IPNS records: files that Kubo believes, nodes that lead to the release, and
//! what is refused.

use std::cell::RefCell;
use std::fs;
use std::process::Stdio;

use data_encoding::BASE64;
use ipwhl::release::signature::{IpnsContent, IpnsName, IpnsRecord, SigningKey};
use ipwhl_unixfs::Profile;

use crate::ipns::inspected;
use crate::kubo::Kubo;
use crate::publish_kubo::{installable_with, settings, succeeded};
#[cfg(unix)]
use crate::support::agent::WrittenAgent;
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::http;
use crate::support::nodes::Node;
use crate::support::workshop::{Ran, Workshop};

const FILE: &str =
    "[publish.name]\nkind = \"ipns\"\nholders = []\nfile = \"../site/ipns-record\"\n";

/// A workshop with a key, and a first release of it with this target.
struct Place {
    workshop: Workshop,
    key: SigningKey,
    name: IpnsName,
    root: String,
}

/// Lets the keys of these seeds sign the releases of the repository.
fn trust(workshop: &Workshop, seeds: &[u8]) {
    let line = |seed: &u8| {
        SigningKey::from_seed(&[*seed; 32])
            .unwrap()
            .public()
            .line("me")
    };
    let lines: Vec<String> = seeds.iter().map(line).collect();
    let path = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("[signing]\ntrusted = {lines:?}\n{text}")).unwrap();
}

impl Place {
    fn new(target: &str) -> Self {
        let workshop = Workshop::with(&installable_with("2.1.post1"));
        settings(&workshop, target);
        let key = SigningKey::from_seed(&[3; 32]).unwrap();
        let home = workshop.path("home/.config/ipwhl");
        fs::create_dir_all(&home).unwrap();
        fs::write(workshop.path("key"), key.to_openssh().unwrap()).unwrap();
        let name = IpnsName::of(&key.public()).unwrap();
        let root = workshop.build(&["--key", "../key"]);
        Self {
            workshop,
            key,
            name,
            root,
        }
    }

    fn publish(&self, arguments: &[&str]) -> Ran {
        let arguments = [&["publish", "--key", "../key"], arguments].concat();
        self.workshop.run(&arguments)
    }

    /// The next release, with another version of a wheel.
    fn next(&self, version: &str, target: &str) -> String {
        let previous = self.workshop.path("previous.toml");
        fs::copy(self.workshop.release("release.toml"), &previous).unwrap();
        fs::copy(
            self.workshop.release("release.toml.sig"),
            self.workshop.path("previous.toml.sig"),
        )
        .unwrap();
        self.workshop.write_over(&installable_with(version));
        settings(&self.workshop, target);
        let arguments = ["--key", "../key", "--previous", "../previous.toml"];
        self.workshop.build(&arguments)
    }

    fn record(&self, bytes: &[u8]) -> IpnsContent {
        IpnsRecord::verify(&self.name, bytes).unwrap().content
    }

    /// A record by the same key that says something else.
    fn other(&self, value: &str, sequence: u64) -> Vec<u8> {
        let content = IpnsContent {
            value: value.to_owned(),
            sequence,
            expires: "2126-11-20T00:00:00Z".parse().unwrap(),
            ttl: 300_000_000_000,
        };
        let record = IpnsRecord::sign(&self.key, content).unwrap();
        record.bytes().to_vec()
    }
}

#[test]
fn kubo_believes_a_record_in_a_file() {
    let kubo = Kubo::new(Profile::UnixfsV1_2025);
    let place = Place::new(FILE);
    succeeded(place.publish(&[]));
    let record = fs::read(place.workshop.path("site/ipns-record")).unwrap();
    let content = place.record(&record);
    let answer = inspected(&kubo, &place.name.to_string(), &record);
    assert_eq!(answer["Validation"]["Valid"], true, "{answer}");
    assert_eq!(answer["Entry"]["Value"], content.value.as_str(), "{answer}");
}

#[test]
fn a_record_is_a_file() {
    let place = Place::new(FILE);
    let workshop = &place.workshop;
    let file = workshop.path("site/ipns-record");
    let dry = succeeded(place.publish(&["--dry-run"]));
    assert!(
        dry.output.contains(&format!(
            "would write the record of {} with the sequence 1",
            place.name
        )),
        "{dry:?}"
    );
    assert!(!workshop.path("site").exists());

    let ran = succeeded(place.publish(&[]));
    assert_eq!(ran.output, format!("{}\n", place.name.path()));
    ran.said("read back the record from");
    let first = fs::read(&file).unwrap();
    let content = place.record(&first);
    assert_eq!(content.value, format!("/ipfs/{}", place.root));
    assert_eq!(content.sequence, 1);

    // The same again: the same bytes, not even written.
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    succeeded(place.publish(&[])).said("already has the whole release");
    let dry = succeeded(place.publish(&["--dry-run"]));
    assert!(dry.output.contains("nothing to do"), "{dry:?}");
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), written);

    let old = workshop.path("old");
    fs::create_dir(&old).unwrap();
    for name in ["release.car", "release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), old.join(name)).unwrap();
    }
    let next = place.next("2.2", FILE);
    succeeded(place.publish(&[]));
    let second = fs::read(&file).unwrap();
    assert_eq!(place.record(&second).value, format!("/ipfs/{next}"));
    assert_eq!(place.record(&second).sequence, 2);
    place
        .publish(&["--release", "../old"])
        .refused(1, &["it has sequence 2", "has the sequence 1"]);
    // A killed run leaves at most this, and the next one takes it over.
    fs::write(workshop.path("site/.ipns-record.partial"), b"half").unwrap();
    fs::write(&file, &first).unwrap();
    succeeded(place.publish(&[]));
    assert_eq!(fs::read(&file).unwrap(), second);
    assert!(!workshop.path("site/.ipns-record.partial").exists());
}

#[test]
fn what_is_not_its_own_record_stays() {
    let place = Place::new(FILE);
    trust(&place.workshop, &[3, 4]);
    let workshop = &place.workshop;
    let file = workshop.path("site/ipns-record");
    succeeded(place.publish(&[]));
    let ours = fs::read(&file).unwrap();
    let refused = |bytes: &[u8], words: &[&str]| {
        fs::write(&file, bytes).unwrap();
        for run in [&["--dry-run"][..], &[]] {
            place.publish(run).refused(1, words);
            assert_eq!(fs::read(&file).unwrap(), bytes);
        }
    };
    refused(b"mine", &["is not a record of", "is not replaced"]);
    let mut damaged = ours.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    refused(&damaged, &["is not a record of", "is not replaced"]);
    refused(&vec![0; 20_000], &["at most 10240 are allowed"]);
    // Another root under the same sequence, another end, a later sequence, and something that is no
    // release.
    let root = format!("/ipfs/{}", place.root);
    let elsewhere = "/ipfs/bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    refused(
        &place.other(elsewhere, 1),
        &["another release with the sequence 1"],
    );
    refused(
        &place.other(&root, 1),
        &["another record of the sequence 1", "2126-11-20", "--renew"],
    );
    refused(&place.other(&root, 2), &["it has sequence 2"]);
    refused(
        &place.other("/ipns/example.org", 1),
        &["refers to `/ipns/example.org`, which is not a release"],
    );
    // An older record of another value is replaced.
    fs::write(&file, place.other(elsewhere, 0)).unwrap();
    succeeded(place.publish(&[]));
    assert_eq!(fs::read(&file).unwrap(), ours);

    place
        .publish(&["--unsigned"])
        .refused(1, &["there is no statement"]);
    // Another key has another name, which is not this release's: a machine may have one of its own.
    let other = SigningKey::from_seed(&[4; 32]).unwrap();
    fs::write(workshop.path("other"), other.to_openssh().unwrap()).unwrap();
    let elsewhere = |words: &[&str]| {
        for run in [
            &["publish", "--key", "../other", "--dry-run"][..],
            &["publish", "--key", "../other"],
        ] {
            workshop.run(run).refused(1, words);
        }
    };
    elsewhere(&[
        "has not signed the statement",
        "its name, k51",
        "`ipwhl sign`",
    ]);
    fs::remove_file(&file).unwrap();
    elsewhere(&["has not signed the statement"]);
    assert!(!file.exists());
    succeeded(place.publish(&[]));
    let signed = workshop.run(&["sign", "release/release.toml", "--key", "../other"]);
    elsewhere(&["is not a record of", "another key with `--key`"]);
    fs::remove_file(workshop.repository().join(signed.line())).unwrap();

    // How long it holds: a lifetime that is over, and one that is new under the same sequence.
    let path = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}lifetime = \"30d\"\nttl = \"10m\"\n")).unwrap();
    place
        .publish(&[])
        .refused(1, &["another record of the sequence 1"]);
    fs::remove_file(&file).unwrap();
    succeeded(place.publish(&[]));
    let content = place.record(&fs::read(&file).unwrap());
    assert_eq!(content.ttl, 600_000_000_000);
    let statement = String::from_utf8(workshop.read("release.toml")).unwrap();
    let statement = ipwhl::release::statement::Statement::parse(&statement).unwrap();
    let month = jiff::SignedDuration::from_hours(30 * 24);
    assert_eq!(content.expires, statement.created + month);

    // A statement that was made long ago, and never expires.
    let text = String::from_utf8(workshop.read("release.toml")).unwrap();
    let created = format!("created = {}", statement.created);
    assert!(text.contains(&created), "{text}");
    let text = text.replace(&created, "created = 2001-02-03T04:05:06Z");
    let signature = ipwhl::release::signature::sign(&place.key, text.as_bytes()).unwrap();
    fs::write(workshop.release("release.toml"), text).unwrap();
    fs::write(workshop.release("release.toml.sig"), signature).unwrap();
    fs::remove_file(&file).unwrap();
    place.publish(&[]).refused(
        1,
        &["the record would have expired on 2001-03-05", "--renew"],
    );
    assert!(!file.exists());
}

#[cfg(unix)]
#[test]
fn a_hardware_key_is_told_that_it_cannot() {
    let place = Place::new(FILE);
    trust(&place.workshop, &[3]);
    let folder = place.workshop.path("agent");
    fs::create_dir(&folder).unwrap();
    let agent = WrittenAgent::start(&folder, 7, Some("ssh:"));
    let mut command = place
        .workshop
        .command(&["publish", "--key", &agent.public.line("me")]);
    command.env("SSH_AUTH_SOCK", &agent.socket);
    Ran::of(&command.output().unwrap()).refused(
        1,
        &[
            "is in hardware, which cannot sign IPNS records",
            "ssh-ed25519",
        ],
    );
    // It need not be at hand for that.
    place
        .workshop
        .run(&["publish", "--key", &agent.public.line("me")])
        .refused(
            3,
            &["is in hardware, which cannot sign IPNS records", "for tags"],
        );
    assert!(!place.workshop.path("site").exists());
}

fn target(api: &str) -> String {
    format!(
        "[publish.name]\nkind = \"ipns\"\nholders = []\napi = \"{api}\"\nfile = \"../record\"\n"
    )
}

/// A node that keeps records, and knows no other one.
fn node() -> Node {
    Node::start_with(&[("Routing.Type", "\"dhtclient\"")])
}

#[test]
fn a_node_leads_to_the_release() {
    let node = node();
    let place = Place::new(&target(&node.api));
    let name = place.name.to_string();
    let dry = succeeded(place.publish(&["--dry-run"]));
    assert!(dry.output.contains("would put the record of"), "{dry:?}");
    assert!(!place.workshop.path("record").exists());
    let get = ["name", "get", &name];
    assert!(!node.command(&get).output().unwrap().status.success());

    succeeded(place.publish(&[])).said(&format!(
        "{} refers to /ipfs/{}",
        place.name.path(),
        place.root
    ));
    let held = || node.command(&get).output().unwrap().stdout;
    assert_eq!(held(), fs::read(place.workshop.path("record")).unwrap());
    let resolved = || node.text(&["name", "resolve", "--nocache", &name]);
    assert_eq!(resolved(), format!("/ipfs/{}", place.root));
    let before = held();
    succeeded(place.publish(&[])).said("again, so that others keep it");
    assert_eq!(held(), before);

    // The file is gone, the node has it still, and the other way round: what is lacking comes back.
    fs::remove_file(place.workshop.path("record")).unwrap();
    succeeded(place.publish(&[]));
    assert_eq!(held(), fs::read(place.workshop.path("record")).unwrap());

    let next = place.next("2.2", &target(&node.api));
    // Cut before the record is put: the file has it, and the next run puts it.
    let path = place.workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    for cut in [Cut::Before(1), Cut::Before(2)] {
        let proxy = CuttingProxy::start(&node.api, cut);
        fs::write(&path, text.replace(&node.api, &proxy.url)).unwrap();
        let mut command = place.workshop.command(&["publish", "--key", "../key"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = RefCell::new(command.spawn().unwrap());
        let is_over = || child.borrow_mut().try_wait().unwrap().is_some();
        let was_cut = proxy.when_cut(is_over, || {
            let mut child = child.borrow_mut();
            child.kill().unwrap();
            child.wait().unwrap();
        });
        assert!(was_cut, "{cut:?}");
        assert_eq!(place.record(&held()).sequence, 1);
    }
    fs::write(&path, &text).unwrap();
    assert_eq!(
        place
            .record(&fs::read(place.workshop.path("record")).unwrap())
            .sequence,
        2
    );
    succeeded(place.publish(&[])).said("put the record with the sequence 2");
    assert_eq!(resolved(), format!("/ipfs/{next}"));

    // Somebody with the same key has gone on from another machine.
    let newer = place.other(&format!("/ipfs/{}", place.root), 9);
    let file = place.workshop.path("newer");
    fs::write(&file, &newer).unwrap();
    node.text(&["name", "put", &name, file.to_str().unwrap()]);
    place
        .publish(&[])
        .refused(1, &["it has sequence 9", "has the sequence 2"]);
    assert_eq!(held(), newer);
}

#[test]
fn a_node_that_keeps_no_records() {
    let node = Node::start();
    let place = Place::new(&target(&node.api));
    let ran = place.publish(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    ran.said("only nodes that take part in routing keep records");
    // The file was written before.
    assert!(place.workshop.path("record").exists());
}

#[test]
fn a_node_that_shows_another_record() {
    let place = Place::new("");
    let path = place.workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    let with = |api: &str| fs::write(&path, format!("{text}\n{}", target(api))).unwrap();
    // Another key's record under our name, one cut short, and no record at all.
    let other = SigningKey::from_seed(&[9; 32]).unwrap();
    let content = place.record(&place.other(&format!("/ipfs/{}", place.root), 1));
    let foreign = IpnsRecord::sign(&other, content).unwrap();
    for bytes in [foreign.bytes(), &foreign.bytes()[..100], b"mine"] {
        with(&lying(bytes));
        place
            .publish(&[])
            .refused(3, &["the record of ", "is invalid: "]);
    }
    assert!(!place.workshop.path("record").exists());
    // It takes the record, and shows nothing afterwards.
    with(&lying(b""));
    let ran = place.publish(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    ran.said("accepted the record, but does not have it");
    // It shows another one afterwards, by our key.
    let place = Place::new("");
    let path = place.workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    let older = place.other(&format!("/ipfs/{}", place.root), 0);
    fs::write(&path, format!("{text}\n{}", target(&lying(&older)))).unwrap();
    let ran = place.publish(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    ran.said("has another record than the one that was put");
}

/// Answers each question for a record with these bytes.
fn lying(record: &[u8]) -> String {
    let extra = BASE64.encode(record);
    let event = format!("{{\"ID\":\"\",\"Type\":5,\"Responses\":null,\"Extra\":\"{extra}\"}}\n");
    let nothing = "{\"Message\":\"routing: not found\",\"Code\":0,\"Type\":\"error\"}\n";
    let is_empty = record.is_empty();
    http::respond(move |request| {
        let (status, answer) = if request.path.contains("routing/get") && is_empty {
            ("500 Internal Server Error", nothing)
        } else {
            ("200 OK", event.as_str())
        };
        let headers = [("Content-Type", "application/json")];
        http::whole(status, &headers, answer.as_bytes())
    })
}
