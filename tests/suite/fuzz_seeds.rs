//! The seeds of the fuzz targets, `fuzz/seeds/<target>/<name>`: each is made here, and the files
//! are held to what is made. `IPWHL_WRITE_SEEDS=1 cargo test --test suite fuzz_seeds` writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use ipwhl::release::archive::ReleaseArchive;
use ipwhl::release::signature::{IpnsContent, IpnsRecord, SigningKey, sign};
use ipwhl::release::statement::Statement;
use ipwhl_unixfs::Profile;
use ipwhl_unixfs::car::CarReader;

use crate::dag::Blocks;
use crate::declarations::shapes;
use crate::kubo::{file, folder, sharded_folder};
use crate::requirements::TABLE;
use crate::wheel::good_wheels;
use crate::wheel::layout::odd_wheels;

/// The key of the targets that have one, and what they sign.
const SEED: [u8; 32] = [7; 32];
const MESSAGE: &[u8] = b"format = 1\n";

const STATEMENT: &str = "format = 1\nname = \"cheeses\"\n\
    root = \"bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e\"\nsequence = 2\n\
    previous = \"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku\"\n\
    created = 2026-11-20T12:00:00Z\nexpires = 2027-11-20T12:00:00Z\nchecks = 1\n";

const SETTINGS: &str = "[repository]\nformat = 1\nname = \"cheeses\"\nprofile = \"kubo-cidv1\"\n\n[platforms]\n\
    python = [\"cp311>=3.11.5\", \"cp312\"]\nsystem = [\"manylinux_2_28_x86_64\", \"win_amd64\"]\n\
    also = [\"cp313t-macosx_12_0_arm64\"]\n\n[index]\nurl = \"https://example.org/simple/\"\n\n[mirrors]\n\
    gateways = [\"http://127.0.0.1:8080\"]\n\n[severity]\nuncovered-platform = \"off\"\n\n[[waiver]]\n\
    code = \"unsatisfied-dependency\"\nproject = \"x\"\nrequirement = \"y>=2\"\nplatforms = [\"win_amd64\"]\n\
    reason = \"seen\"\nexpires = 2027-03-01\n\n[publish.site]\nkind = \"directory\"\npath = \"/srv/www\"\nkeep = 5\n";

const WITHDRAWN: &str = "\n[[withdrawn]]\n\
    sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n\
    reason = \"a leak\"\ndate = 2026-11-20\n";

const KEYS_OF_FORMAT_2: &str = "uploaded = 2023-08-17T17:29:11.5Z\n\
    only = 'sys_platform != \"win32\"'\npublisher = \"x\"\nreviewed = false\n";

/// Seeds by target and name.
#[derive(Default)]
struct Seeds(BTreeMap<PathBuf, Vec<u8>>);

impl Seeds {
    fn add(&mut self, target: &str, name: impl AsRef<str>, bytes: impl AsRef<[u8]>) {
        let place = Path::new(target).join(name.as_ref());
        let was = self.0.insert(place, bytes.as_ref().to_vec());
        assert!(was.is_none(), "two seeds of one name");
    }

    /// Texts, each under its number.
    fn texts<T: AsRef<[u8]>>(&mut self, target: &str, texts: impl IntoIterator<Item = T>) {
        for (number, text) in texts.into_iter().enumerate() {
            self.add(target, format!("text-{number:02}"), text);
        }
    }

    fn archives(&mut self) {
        let wheel = || file([7; 60]);
        let small = folder([
            ("index.html", file("<!DOCTYPE html>")),
            (
                "odd",
                folder([("empty", file("")), ("twice", file("same"))]),
            ),
            (
                "x",
                folder([
                    ("x-1-py3-none-any.whl", wheel()),
                    ("x-1-py3-none-any.whl.metadata", file("same")),
                ]),
            ),
        ]);
        for profile in Profile::ALL {
            let built = small.build(profile);
            let car = built.car();
            let reader = CarReader::open(std::io::Cursor::new(&car[..])).unwrap();
            let (hollow, _) = reader.hollow(Vec::new()).unwrap();
            self.add("car", format!("full-{profile}"), &car);
            self.add("car", format!("hollow-{profile}"), hollow);
            self.add(
                "car",
                format!("file-{profile}"),
                file("one").build(profile).car(),
            );
            let mut blocks = Blocks::default();
            built.emit(&mut blocks).unwrap();
            for (number, (_, block)) in blocks.0.iter().enumerate() {
                if profile == Profile::UnixfsV0_2015 {
                    self.add("dag_pb", format!("small-{number:02}"), block);
                }
            }
        }
        // The nodes of a file of several leaves, and some of a HAMT.
        let profile = Profile::KuboCidV1;
        let large = file(vec![0; 3 * profile.chunk_size()]);
        let sharded = sharded_folder(1200);
        for (name, tree) in [("file", &large), ("shard", &sharded)] {
            let mut blocks = Blocks::default();
            tree.build(profile).emit(&mut blocks).unwrap();
            let nodes = blocks.0.iter().map(|(_, block)| block);
            let small = nodes.filter(|block| (20..2_000).contains(&block.len()));
            for (number, block) in small.take(3).enumerate() {
                self.add("dag_pb", format!("{name}-{number}"), block);
            }
        }
    }

    /// Bytes that make a store of blocks of each kind; what they are read as is the target's
    /// business.
    fn stores(&mut self) {
        let steps = |step: usize, length: usize| -> Vec<u8> {
            (0..length)
                .map(|at| u8::try_from(at * step % 256).unwrap())
                .collect()
        };
        for step in [0, 1, 3, 37, 101, 255] {
            self.add("unixfs", format!("steps-{step}"), steps(step, 400));
        }
        for kind in 0..8_u8 {
            self.add("unixfs", format!("kind-{kind}"), [kind; 120]);
        }
    }

    fn wheels(&mut self) {
        for (number, builder) in good_wheels().into_iter().enumerate() {
            self.add("wheel", format!("good-{number:02}"), builder.build());
        }
        for (number, builder) in odd_wheels().into_iter().enumerate() {
            self.add("wheel", format!("odd-{number:02}"), builder.build());
        }
        let builder = good_wheels().swap_remove(0);
        self.add("metadata", "plain", builder.metadata_bytes());
        self.add(
            "metadata",
            "full",
            "Metadata-Version: 2.4\r\nName: Foo.Bar\r\nVersion: 1.0.post1\r\nSummary: x\r\n\
             Requires-Python: >=3.8, !=3.9.*\r\nRequires-Dist: a (>=1) ; extra == 'b'\r\n\
             Requires-Dist: c[d]\r\nProvides-Extra: b\r\nDescription: x\r\n        |y\r\n\r\nbody\r\n",
        );
        self.add(
            "metadata",
            "legacy",
            "Metadata-Version: 1.2\nName: x\nVersion: 1\nRequires-Dist: a >1.*\nProvides-Extra: a b\n\
             Requires-Python: >=3.6.*\nLicense: a\n\tb\n",
        );
        let digest = "sha256=CX1XOQKkAWYz_TeF3iQeRRsNfgZ9PZeyWb1MJ0LgCmo";
        self.add(
            "record",
            "plain",
            format!(
                "x.py,{digest},6\nx-1.dist-info/METADATA,,\nx-1.dist-info/WHEEL,sha512=abc,60\nx-1.dist-info/RECORD,,\n"
            ),
        );
        self.add(
            "record",
            "quoted",
            "\"x.py\",\"a\"\"b\",6\r\n\"x\ny\",,\r\n\r\n",
        );
        let wheel_file = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\n";
        self.add(
            "dist_info",
            "plain",
            format!("{wheel_file}Tag: py2.py3-none-any\nTag: cp312-cp312-win_amd64\n\0[console_scripts]\nx = x:main\n"),
        );
        self.add(
            "dist_info",
            "odd",
            format!("{wheel_file}Build: 1\n\nTag: a\n\0# x\n[ a b ]\nx=y [z]\n;\n[gui_scripts]\n q = r = s\n"),
        );
        self.add(
            "dist_info",
            "hidden",
            format!("{wheel_file}\0[console_scripts]\r\na = b:c [d]\n# \u{b}e = f:g\u{2028}[DEFAULT]\n  h = i\n"),
        );
    }

    fn signatures(&mut self) {
        let key = SigningKey::from_seed(&SEED)
            .unwrap()
            .with_comment("maintainer");
        let text = sign(&key, MESSAGE).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("-----"));
        let blob = BASE64.decode(lines.collect::<String>().as_bytes()).unwrap();
        self.add("sshsig", "text", &text);
        self.add("sshsig", "blob", &blob);
        self.add("sshsig", "git", key.sign("git", MESSAGE).unwrap());

        let content = IpnsContent {
            value: "/ipfs/bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e".to_owned(),
            sequence: 3,
            expires: "2027-11-20T12:00:00.5Z".parse().unwrap(),
            ttl: 300_000_000_000,
        };
        let record = IpnsRecord::sign(&key, content).unwrap();
        self.add("ipns_record", "whole", [b"\0", record.bytes()].concat());
        // Its last field is the CBOR, with a length of two bytes.
        let start = record
            .bytes()
            .windows(6)
            .rposition(|window| window == b"\xa5cTTL\x1b");
        let data = &record.bytes()[start.unwrap()..];
        self.add("ipns_record", "data", [b"\x01", data].concat());
        let more = [b"\x01\xa6cTTL\x01", &data[14..]].concat();
        self.add(
            "ipns_record",
            "data-more",
            [&more[..], b"lZZZZZZZZZZZZ\x82\xf6\x81\x01"].concat(),
        );

        let openssh = key.to_openssh().unwrap();
        self.add("private_key", "text", [b"\0", openssh.as_bytes()].concat());
        let lines = openssh.lines().filter(|line| !line.starts_with("-----"));
        let blob = BASE64.decode(lines.collect::<String>().as_bytes()).unwrap();
        self.add("private_key", "blob", [b"\x01", &blob[..]].concat());

        let public = key.public();
        let line = public.line("maintainer");
        let statement = format!("{STATEMENT}trusted = [\"{line}\"]\nthreshold = 1\n");
        Statement::parse(&statement).unwrap();
        self.add("statement", "statement", &statement);
        self.add(
            "statement",
            "first",
            format!("{STATEMENT}trusted = []\nthreshold = 1\n"),
        );
        let withdrawn = format!(
            "{}trusted = []\nthreshold = 1\n{WITHDRAWN}",
            STATEMENT.replacen("format = 1", "format = 2", 1)
        );
        Statement::parse(&withdrawn).unwrap();
        self.add("statement", "withdrawn", withdrawn);
        self.add("statement", "line", &line);
        self.add("statement", "blob", public.blob());
        self.add(
            "statement",
            "allowed",
            public.allowed_signers_line("someone").unwrap(),
        );
        self.add(
            "statement",
            "allowed-more",
            format!("# who\n\"a b\",c namespaces=\"git,ipwhl-*\",valid-after=\"20260101Z\" {line}\nx ssh-rsa AAAA\n"),
        );
    }

    fn pages(&mut self) {
        let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        self.add(
            "index_html",
            "plain",
            format!(
                "<!DOCTYPE html><html><head><meta name=\"pypi:repository-version\" content=\"1.0\"></head><body>\
                 <a href=\"../../files/x-1-py3-none-any.whl#sha256={digest}\" data-requires-python=\"&gt;=3.8\" \
                 data-core-metadata=\"sha256={digest}\" data-yanked=\"old &amp; bad\">x</a><br>\
                 <a href=\"https://example.org/\">home</a></body></html>"
            ),
        );
        self.add(
            "index_html",
            "odd",
            "<base href=/a/b/><script><a href=x.whl></script><!-- <a href=y.whl> --><A HREF='z%20z.whl#a=1&sha256='>\
             <a href=&#47;q.whl data-dist-info-metadata=true>",
        );
        self.add(
            "index_json",
            "plain",
            format!(
                "{{\"meta\": {{\"api-version\": \"1.1\"}}, \"name\": \"x\", \"files\": [{{\"filename\": \"x-1-py3-none-any.whl\", \
                 \"url\": \"../../files/x-1-py3-none-any.whl\", \"hashes\": {{\"sha256\": \"{digest}\"}}, \
                 \"requires-python\": \">=3.8\", \"size\": 3, \"yanked\": \"old\", \"core-metadata\": {{\"sha256\": \"{digest}\"}}}}]}}"
            ),
        );
        self.add(
            "index_json",
            "short",
            "{\"meta\":{\"api-version\":\"1.0\"},\"files\":[{\"filename\":\"a\",\"url\":\"b#c\",\"hashes\":{},\
             \"dist-info-metadata\":true,\"yanked\":true}]}",
        );
        self.texts(
            "http",
            [
                "GET / HTTP/1.1\r\nHost: x",
                "GET /ipfs/~/ HTTP/1.1\r\nHost: x\r\nAccept: application/vnd.pypi.simple.v1+json, text/html;q=0.5",
                "GET /ipfs/~/x/x-1-py3-none-any.whl HTTP/1.1\r\nHost: x\r\nRange: bytes=90-110\r\nIf-Range: \"a\"",
                "GET /ipfs/~/x/x-1-py3-none-any.whl HTTP/1.1\r\nHost: x\r\nRange: bytes=-7",
                "HEAD /ipfs/~/odd/a%20b%26%3Cc%3E%3F%23%25.txt HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/\"a\", *",
                "GET /ipfs/~/odd?format=raw HTTP/1.1\r\nHost: x",
                "GET /ipfs/~/odd/ HTTP/1.0\r\nAccept: */*",
                "GET /ipfs/~/x HTTP/1.1\r\nHost: x\r\nAccept: application/vnd.ipld.raw\r\nIf-Match: \"b\"",
                "POST /ipfs/~ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x",
                "GET /ipfs/QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn/../%2e%2e//a HTTP/1.1\r\nHost: x",
            ],
        );
    }

    fn others(&mut self) {
        let entry = "{\"id\": \"A-1\", \"modified\": \"2026-11-01T00:00:00Z\", \"aliases\": [\"CVE-1\"], \
            \"summary\": \"x\", \"severity\": [{\"type\": \"CVSS_V3\", \
            \"score\": \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}], \"affected\": [{\"package\": \
            {\"ecosystem\": \"PyPI\", \"name\": \"plum\"}, \"ranges\": [{\"type\": \"ECOSYSTEM\", \"events\": \
            [{\"introduced\": \"0\"}, {\"fixed\": \"1.0\"}, {\"introduced\": \"2.0a1\"}, {\"last_affected\": \
            \"2.5\"}, {\"limit\": \"9\"}]}], \"versions\": [\"1.0.0\", \"x\"]}], \"withdrawn\": null}";
        self.add("advisories", "json", [b"\0", entry.as_bytes()].concat());
        let yaml = format!("\x01{}", crate::advisories::YAML);
        self.add("advisories", "yaml", yaml);
        let provenance = include_bytes!("../attestations/github.provenance");
        self.add("provenance", "github", provenance);
        self.texts(
            "declaration",
            shapes().iter().filter(|text| !text.contains('\r')),
        );
        self.texts("requirement", TABLE.iter().step_by(2));
        for (choice, name, text) in [
            (
                0,
                "requirements",
                "-r more.txt\nfoo[a]>=1 ; os_name == 'nt' \\\n --hash=sha256:1\n-e ./x\n",
            ),
            (
                1,
                "pyproject",
                include_str!("../requested/workspace/pyproject.toml"),
            ),
            (
                1,
                "pyproject-poetry",
                include_str!("../requested/poetry/pyproject.toml"),
            ),
            (2, "uv", include_str!("../requested/workspace/uv.lock")),
            (3, "poetry", include_str!("../requested/poetry/poetry.lock")),
            (
                4,
                "pylock",
                include_str!("../requested/workspace/pylock.pip.toml"),
            ),
        ] {
            let bytes = [&[choice], text.as_bytes(), b"\0[project]\0foo\nbar<2 # x"].concat();
            self.add("requested", name, bytes);
        }
        self.texts(
            "names",
            [
                "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
                "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
                "k51qzi5uqu5dhvmvr5wrz0d7shknq16slnb2jxo84fj7jo8v6u0l64c1p4c30u",
                "foo-1.0-1-cp312.cp313-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                "py2.py3-none-any",
                "cp311>=3.11.5-manylinux_2_28_x86_64",
                "pkg:pypi/foo@1.0?file_name=foo-1.0-py3-none-any.whl",
                "https://example.org/a/foo-1.0-py3-none-any.whl?x#y",
                "file:wheels/foo-1.0-py3-none-any.whl",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "90d",
                "unixfs-v1-2025",
            ],
        );
        let all = shapes();
        let plain = all.iter().find(|text| text.starts_with("source = "));
        let newer = format!("{}{KEYS_OF_FORMAT_2}", plain.unwrap());
        self.add("declaration", "format-2", &newer);
        let settings = SETTINGS.replacen("format = 1", "format = 2", 1);
        let settings = settings.replacen("[index]\n", "[index]\ncooldown = \"7 days\"\n", 1);
        self.add(
            "repository",
            "format-2",
            [settings + WITHDRAWN, newer].join("\0"),
        );
        let one = &shapes()[4];
        self.add("repository", "package", [SETTINGS, one, one].join("\0"));
        let original = "[repository]\nformat = 1\nname = \"x\"\nlayout = \"ipwhl-1\"\n";
        self.add(
            "repository",
            "original",
            [
                original,
                "",
                "",
                "# x\ncp39 win_amd64\ncp310 manylinux_2_17_x86_64\n",
                one,
            ]
            .join("\0"),
        );
        let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        self.add(
            "stored_facts",
            "facts",
            format!(
                "{{\"sha256\":\"{digest}\",\"dag\":{{\"profile\":\"kubo-cidv1\",\"size\":3,\
                 \"leaves\":\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"}},\"archive\":{{\"dist_info\":\"x-1\",\
                 \"metadata\":\"TmFtZTogeA==\",\"wheel_tags\":[\"py3-none-any\"],\"commands\":[\"x\"],\"members\":4,\"unpacked_size\":9,\
                 \"problems\":[{{\"kind\":\"invalid-archive\",\"message\":\"x\"}}],\
                 \"name_conflicts\":[{{\"systems\":[\"windows\"],\"message\":\"x\"}}]}}}}"
            ),
        );
        self.add(
            "stored_facts",
            "members",
            format!(
                "{{\"members\":[{{\"name\":\"x.py\",\"size\":3,\"sha256\":\"{digest}\",\"is_native\":false,\"is_bytecode\":false}}],\"entry_points\":\"[a]\\n\"}}"
            ),
        );
    }
}

fn folder_of_seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

#[test]
fn seeds_are_what_is_made_here() {
    let mut seeds = Seeds::default();
    seeds.archives();
    seeds.stores();
    seeds.wheels();
    seeds.signatures();
    seeds.pages();
    seeds.others();
    let size: usize = seeds.0.values().map(Vec::len).sum();
    assert!(size < 300_000, "{size} bytes");
    let folder = folder_of_seeds();
    if std::env::var_os("IPWHL_WRITE_SEEDS").is_some() {
        let _ = fs::remove_dir_all(&folder);
        for (place, bytes) in &seeds.0 {
            let path = folder.join(place);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    let mut found = BTreeMap::new();
    for target in fs::read_dir(&folder).unwrap() {
        for seed in fs::read_dir(target.unwrap().path()).unwrap() {
            let path = seed.unwrap().path();
            let place = path.strip_prefix(&folder).unwrap().to_path_buf();
            found.insert(place, fs::read(path).unwrap());
        }
    }
    let differing = |place: &&PathBuf| found.get(*place) != seeds.0.get(*place);
    let differing: Vec<&PathBuf> = found
        .keys()
        .chain(seeds.0.keys())
        .filter(differing)
        .collect();
    assert!(
        differing.is_empty(),
        "`IPWHL_WRITE_SEEDS=1 cargo test --test suite fuzz_seeds` writes {differing:?} anew"
    );
}

/// Each target has seeds, and is in the manifest.
#[test]
fn every_target_has_seeds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    let mut count = 0;
    for target in fs::read_dir(root.join("fuzz/targets")).unwrap() {
        let path = target.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}");
        assert!(folder_of_seeds().join(name).is_dir(), "{name}");
        count += 1;
    }
    assert_eq!(fs::read_dir(folder_of_seeds()).unwrap().count(), count);
}

/// What is fuzzed is what is shipped: the targets are built from the same versions.
#[test]
fn the_targets_have_the_projects_dependencies() {
    let packages = |file: &str| -> BTreeSet<(String, String)> {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let blocks = text.split("[[package]]\n").skip(1);
        let value = |block: &str, key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap().trim_matches(&[' ', '=', '"'][..]).to_owned()
        };
        blocks
            .map(|block| (value(block, "name"), value(block, "version")))
            .collect()
    };
    let all = packages("Cargo.lock");
    let own = ["arbitrary", "ipwhl-fuzz", "jobserver", "libfuzzer-sys"];
    let other: Vec<_> = packages("fuzz/Cargo.lock")
        .into_iter()
        .filter(|package| !all.contains(package) && !own.contains(&package.0.as_str()))
        .collect();
    assert!(
        other.is_empty(),
        "copy Cargo.lock to fuzz/Cargo.lock, and run `cargo metadata --manifest-path fuzz/Cargo.toml`: {other:?}"
    );
}
