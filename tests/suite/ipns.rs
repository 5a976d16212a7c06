//! IPNS records: ours before Kubo, Kubo's here, and those that neither believes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ipwhl::release::signature::{
    DEFAULT_RECORD_LIFETIME, DEFAULT_RECORD_TTL, IpnsContent, IpnsError, IpnsName, IpnsRecord,
    MAXIMUM_RECORD_SIZE, PublicKey, SigningKey,
};
use ipwhl::release::statement::Statement;
use ipwhl_unixfs::Profile;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

use crate::kubo::Kubo;
use crate::support::nodes::Node;

const SEED: [u8; 32] = [7; 32];
const ROOT: &str = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

fn key() -> SigningKey {
    SigningKey::from_seed(&SEED).unwrap()
}

fn name() -> IpnsName {
    IpnsName::of(&key().public()).unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn content() -> IpnsContent {
    IpnsContent {
        value: format!("/ipfs/{ROOT}"),
        sequence: 7,
        expires: instant("2126-11-20T00:00:00Z"),
        ttl: 300_000_000_000,
    }
}

fn record() -> IpnsRecord {
    IpnsRecord::sign(&key(), content()).unwrap()
}

/// A file for Kubo to read.
struct Written {
    _folder: TempDir,
    path: PathBuf,
}

impl Written {
    fn new(bytes: &[u8]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, bytes).unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// A node that is online, as one has to be that is asked for a record; it knows no other node.
fn online(kubo: Kubo) -> Node {
    Node::over(kubo, &[("Routing.Type", "\"dhtclient\"")])
}

/// What Kubo says of a record, held to a name.
pub fn inspected(kubo: &Kubo, name: &str, record: &[u8]) -> Value {
    let record = Written::new(record);
    let answer = kubo.text(&[
        "name",
        "inspect",
        "--enc=json",
        "--dump=false",
        "--verify",
        name,
        record.text(),
    ]);
    serde_json::from_str(&answer).unwrap()
}

/// The foreign vectors: what is the matter with each, its name and its bytes.
fn vectors() -> BTreeMap<String, (IpnsName, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ipns_records");
    let mut vectors = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let Some(stem) = file.strip_suffix(".ipns-record") else {
            continue;
        };
        let (name, matter) = stem.split_once('_').unwrap();
        let bytes = fs::read(&path).unwrap();
        vectors.insert(matter.to_owned(), (name.parse().unwrap(), bytes));
    }
    assert_eq!(vectors.len(), 6);
    vectors
}

#[test]
fn records_of_another_implementation_are_believed_or_not_as_the_specification_says() {
    let mut verdicts = BTreeMap::new();
    for (matter, (name, bytes)) in vectors() {
        let verdict = match IpnsRecord::verify(&name, &bytes) {
            Ok(record) => {
                assert_eq!(record.bytes(), bytes);
                assert_eq!(record.content.sequence, 0);
                assert_eq!(record.content.ttl, 1_800_000_000_000);
                assert_eq!(
                    record.content.expires,
                    instant("2123-08-14T12:17:03.694052Z")
                );
                record.content.value
            }
            Err(error) => error.to_string(),
        };
        verdicts.insert(matter, verdict);
    }
    let expected = [
        ("v1", IpnsError::OldSignature.to_string()),
        ("v1-v2", "/ipfs/bafkqaddwgevxmmraojswg33smq".to_owned()),
        (
            "v1-v2-broken-signature-v1",
            "/ipfs/bafkqahtwgevxmmrao5uxi2bamjzg623fnyqhg2lhnzqxi5lsmuqhmmi".to_owned(),
        ),
        (
            "v1-v2-broken-signature-v2",
            "the IPNS record has a signature that is not Ed25519's".to_owned(),
        ),
        (
            "v1-v2-broken-v1-value",
            IpnsError::Disagreement("value").to_string(),
        ),
        ("v2", "/ipfs/bafkqadtwgiww63tmpeqhezldn5zgi".to_owned()),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(key, value)| (key.to_owned(), value)).into();
    assert_eq!(verdicts, expected);
}

/// Kubo gave this name to this key.
#[test]
fn a_name_is_written_and_read_as_kubo_does() {
    for (_, (name, _)) in vectors() {
        let text = name.to_string();
        assert_eq!(text.len(), 62);
        assert_eq!(text.parse::<IpnsName>().unwrap(), name);
        assert_eq!(name.path().parse::<IpnsName>().unwrap(), name);
    }
    for refused in [
        "",
        "k",
        // A key of RSA, a name in another base, a capital letter, one character more, and less.
        "k2k4r8jl0yz8qjgqbmc2cdu5hkqek5rj6flgnlkyywynci20j0iuyfuj",
        "bafzaajaiaejca4syrpdu6gdx4wsdnokxkprgzxf4wrstuc34gxw5k5jrag2so5gk",
        "k51QZI5UQU5DLVJ2BAF4SKTOYAKQD7XY6T1SHD5IWQDSVXX2B6WUTHYKI7DT4C",
        &format!("{}a", name()),
        &name().to_string()[..61],
        "kzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    ] {
        assert!(refused.parse::<IpnsName>().is_err(), "{refused}");
    }
    let kubo = Kubo::new(Profile::UnixfsV1_2025);
    assert_eq!(imported(&kubo), name().to_string());
}

/// Gives Kubo our key, as libp2p writes private keys; the name that it has there.
fn imported(kubo: &Kubo) -> String {
    let public = key().public();
    let key = [&[8, 1, 18, 64][..], &SEED, public.ed25519().unwrap()].concat();
    kubo.text(&["key", "import", "ours", Written::new(&key).text()])
}

#[test]
fn a_key_in_hardware_has_no_name() {
    let key = PublicKey::Hardware {
        key: [1; 32],
        application: "ssh:".to_owned(),
    };
    assert_eq!(IpnsName::of(&key), None);
}

#[test]
fn kubo_believes_stores_and_resolves_our_record() {
    let kubo = Kubo::new(Profile::UnixfsV1_2025);
    let name = name().to_string();
    for sequence in [
        1,
        7,
        23,
        24,
        255,
        256,
        65_536,
        4_294_967_296,
        i64::MAX.cast_unsigned(),
    ] {
        let record = IpnsRecord::sign(
            &key(),
            IpnsContent {
                sequence,
                ..content()
            },
        )
        .unwrap();
        let seen = inspected(&kubo, &name, record.bytes());
        assert_eq!(seen["Validation"]["Valid"], true, "{seen}");
        assert_eq!(seen["SignatureType"], "V1+V2");
        assert_eq!(seen["Entry"]["Value"], format!("/ipfs/{ROOT}"));
        assert_eq!(seen["Entry"]["Sequence"], sequence);
        assert_eq!(seen["Entry"]["Validity"], "2126-11-20T00:00:00Z");
        assert_eq!(seen["Entry"]["TTL"], 300_000_000_000_u64);
    }
    let node = online(kubo);
    let kubo = &node.kubo;
    let written = Written::new(record().bytes());
    let put = ["name", "put", "--allow-offline", &name, written.text()];
    kubo.asked(&put);
    assert_eq!(kubo.asked(&["name", "get", &name]), record().bytes());
    assert_eq!(
        kubo.asked(&["name", "resolve", "--offline", &name]),
        format!("/ipfs/{ROOT}\n").as_bytes()
    );
    // The same again is taken, an older one is not, and a newer one is.
    kubo.asked(&put);
    for (sequence, is_taken) in [(6, false), (8, true)] {
        let other = IpnsRecord::sign(
            &key(),
            IpnsContent {
                sequence,
                ..content()
            },
        )
        .unwrap();
        let written = Written::new(other.bytes());
        let put = ["name", "put", "--allow-offline", &name, written.text()];
        let output = kubo.online(&put).output().unwrap();
        assert_eq!(output.status.success(), is_taken, "{output:?}");
        assert_eq!(other.content.supersedes(&content()), is_taken);
    }
}

#[test]
fn what_kubo_would_write_with_our_key_is_what_is_written_here() {
    let kubo = Kubo::new(Profile::UnixfsV1_2025);
    let own = kubo.text(&["key", "gen", "--type=ed25519", "own"]);
    let keys = [("ours", imported(&kubo)), ("own", own)];
    let node = online(kubo);
    let kubo = &node.kubo;
    for (key, name) in keys {
        let value = format!("/ipfs/{ROOT}");
        kubo.asked(&[
            "name",
            "publish",
            "--allow-offline",
            "--resolve=false",
            "--lifetime=1000h",
            "--ttl=90s",
            "--sequence=300",
            "--key",
            key,
            &value,
        ]);
        let bytes = kubo.asked(&["name", "get", &name]);
        let record = IpnsRecord::verify(&name.parse().unwrap(), &bytes).unwrap();
        assert_eq!(record.content.value, value);
        assert_eq!(record.content.sequence, 300);
        assert_eq!(record.content.ttl, 90_000_000_000);
        assert_eq!(record.content.root(), Some(ROOT.parse().unwrap()));
        if key == "ours" {
            // Signatures are deterministic, so the same content has the same bytes, whoever writes
            // them.
            let again = IpnsRecord::sign(&self::key(), record.content.clone()).unwrap();
            assert_eq!(again.bytes(), bytes);
        }
    }
}

#[test]
fn a_damaged_record_is_refused() {
    let whole = record();
    let bytes = whole.bytes().to_vec();
    assert_eq!(IpnsRecord::verify(&name(), &bytes), Ok(whole));
    let mut accepted = Vec::new();
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= bit;
            match IpnsRecord::verify(&name(), &damaged) {
                Err(_) => {}
                Ok(record) => {
                    assert_eq!(record.content, content());
                    accepted.push(at);
                }
            }
        }
        assert!(IpnsRecord::verify(&name(), &bytes[..at]).is_err(), "{at}");
    }
    // The signature of version 1 is the one thing that nobody looks at any more: 64 bytes after the
    // value.
    let value = 2 + content().value.len();
    let expected: Vec<usize> = (value + 2..value + 66).flat_map(|at| [at, at]).collect();
    assert_eq!(accepted, expected);

    let other = SigningKey::from_seed(&[8; 32]).unwrap();
    let other = IpnsName::of(&other.public()).unwrap();
    assert_eq!(IpnsRecord::verify(&other, &bytes), Err(IpnsError::Mismatch));
    let long = [&bytes[..], &vec![0; MAXIMUM_RECORD_SIZE]].concat();
    assert_eq!(
        IpnsRecord::verify(&name(), &long),
        Err(IpnsError::TooLarge(long.len()))
    );
}

/// A field of bytes.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 128);
    [&[tag, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

#[test]
fn a_record_that_can_be_read_in_two_ways_is_refused() {
    let bytes = record().bytes().to_vec();
    let with = |more: &[u8]| IpnsRecord::verify(&name(), &[&bytes[..], more].concat());
    let public = key().public();
    let sent = [&[8, 1, 18, 32][..], public.ed25519().unwrap()].concat();
    // The key may be sent along, and fields of the future may be there.
    assert!(with(&field(0x3a, &sent)).is_ok());
    assert!(with(&field(0x52, b"something")).is_ok());
    let mut other = sent;
    other[10] ^= 1;
    assert_eq!(with(&field(0x3a, &other)), Err(IpnsError::OtherKey));
    for (more, reason) in [
        (field(0x0a, b"/ipfs/other"), "has field 1 twice"),
        (field(0x4a, b"\xa0"), "has field 9 twice"),
        (vec![0x28, 9], "has field 5 twice"),
        (vec![0x38, 9], "has field 7 of another type"),
        (vec![0x55, 0, 0, 0, 0], "has a field of wire type 5"),
        (vec![0x50, 0x80], "has a number that is cut"),
    ] {
        let error = with(&more).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

/// A record of version 2 with this data, rightly signed.
fn signed(data: &[u8]) -> Result<IpnsRecord, IpnsError> {
    let signature = key()
        .sign_ed25519(&[b"ipns-signature:", data].concat())
        .unwrap();
    IpnsRecord::verify(
        &name(),
        &[field(0x42, &signature), field(0x4a, data)].concat(),
    )
}

#[test]
fn what_is_signed_has_to_be_a_record_too() {
    let ttl = b"\x63TTL\x18\x3c";
    let value = b"\x65Value\x4e/ipfs/bafkqaaa";
    let sequence = b"\x68Sequence\x01";
    let validity = b"\x68Validity\x542126-11-20T00:00:00Z";
    let validity_type = b"\x6cValidityType\x00";
    let map = |parts: &[&[u8]]| {
        let count = 0xa0 | u8::try_from(parts.len()).unwrap();
        [&[count], &parts.concat()[..]].concat()
    };
    let record = signed(&map(&[ttl, value, sequence, validity, validity_type])).unwrap();
    assert_eq!(record.content.sequence, 1);
    assert_eq!(record.content.ttl, 60);
    // What it says besides is passed over: a map with a list, a link, a float and nothing.
    let more = b"\x62_a\xa1\x61b\x84\xd8\x2a\x41\x00\xfb\x3f\xf8\0\0\0\0\0\0\xf6\x29";
    let extended = signed(&map(&[more, ttl, value, sequence, validity, validity_type])).unwrap();
    assert_eq!(extended.content, record.content);
    let deep = [&b"\x62_a"[..], &[0x81; 17], &[0]].concat();
    let cases: [(&[&[u8]], &str); 14] = [
        (&[value, ttl, sequence, validity, validity_type], "order"),
        (
            &[ttl, ttl, value, sequence, validity, validity_type],
            "order",
        ),
        (&[value, sequence, validity, validity_type], "without `TTL`"),
        (&[ttl, sequence, validity, validity_type], "without `Value`"),
        (&[ttl, value, validity, validity_type], "without `Sequence`"),
        (&[ttl, value, sequence, validity_type], "without `Validity`"),
        (&[ttl, value, sequence, validity], "without `ValidityType`"),
        (
            &[ttl, value, sequence, validity, b"\x6cValidityType\x01"],
            "validity type 1",
        ),
        (&[b"\x63TTL\x20", value], "out of range"),
        (
            &[b"\x63TTL\x1b\xff\xff\xff\xff\xff\xff\xff\xff", value],
            "out of range",
        ),
        (&[b"\x63TTL\x18\x05", value], "shortest form"),
        (&[b"\x63TTL\x61a", value], "of another shape"),
        (&[b"\x63TTL\x00", b"\x65Value\x5f"], "indefinite length"),
        (&[&deep], "nested deeper"),
    ];
    for (parts, reason) in cases {
        let error = signed(&map(parts)).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}, not {reason}");
    }
    for (data, reason) in [
        (&b"\x80"[..], "not a map"),
        (
            b"\xa1\x62_a\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
            "cut short",
        ),
        (b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", "cut short"),
        (b"\xa1\x7b\xff\xff\xff\xff\xff\xff\xff\xff", "cut short"),
    ] {
        let error = signed(data).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}, not {reason}");
    }
    let whole = map(&[ttl, value, sequence, validity, validity_type]);
    let error = signed(&[&whole[..], b"\0"].concat()).unwrap_err();
    assert!(error.to_string().contains("after its data"), "{error}");
}

#[test]
fn a_record_depends_on_its_statement_and_nothing_else() {
    let text = |expires: &str| {
        format!(
            "format = 1\nname = \"example\"\nroot = \"{ROOT}\"\nsequence = 3\nprevious = \"{ROOT}\"\n\
             created = 2026-11-20T00:00:00Z\n{expires}trusted = []\nthreshold = 1\n"
        )
    };
    let of = |expires: &str| {
        let statement = Statement::parse(&text(expires)).unwrap();
        IpnsContent::of_statement(&statement, DEFAULT_RECORD_LIFETIME, DEFAULT_RECORD_TTL)
    };
    let content = of("expires = 2027-05-20T00:00:00Z\n");
    assert_eq!(content.value, format!("/ipfs/{ROOT}"));
    assert_eq!(content.sequence, 3);
    assert_eq!(content.expires, instant("2027-05-20T00:00:00Z"));
    assert_eq!(content.ttl, 300_000_000_000);
    assert!(!content.is_expired(instant("2027-05-19T23:59:59.999999999Z")));
    assert!(content.is_expired(instant("2027-05-20T00:00:00Z")));
    let endless = of("");
    assert_eq!(endless.expires, instant("2027-11-20T00:00:00Z"));
    assert!(endless.supersedes(&content));
    assert!(!content.supersedes(&endless) && !content.supersedes(&content));
    let statement = Statement::parse(&text("")).unwrap();
    let forever = SignedDuration::MAX;
    let last = IpnsContent::of_statement(&statement, forever, forever);
    assert_eq!(last.expires, Timestamp::MAX);
}
