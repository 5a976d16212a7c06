//! `ipwhl verify`: every way in which a release can contradict itself is named, and so is who vouches.

use std::fs;
use std::path::Path;

use ipwhl::car::CarReader;
use ipwhl::command::ExitStatus;
use ipwhl::dag::{Profile, Sha256Digest};
use ipwhl::signature::{SigningKey, sign};

use crate::kubo::Tree;
use crate::support::program::Program;
use crate::support::workshop::{Ran, Workshop, installable, installable_from, small};

const STATEMENT: [&str; 4] = [
    "verify",
    "release/release.car",
    "--statement",
    "release/release.toml",
];

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

#[test]
fn a_release_of_each_profile_holds() {
    for profile in Profile::ALL {
        let workshop = Workshop::with(&small().profile(profile));
        let root = workshop.build(&["--unsigned"]);
        let ran = workshop.run(&["verify", "release/release.car"]);
        assert_eq!(ran.line(), root);
        ran.said("4 projects, 5 wheels: all as their hashes and pages say");
        assert_eq!(
            workshop.run(&["verify", "release/release.car", "-q"]).error,
            ""
        );
    }
}

/// A file system's folder as a tree that can be changed and archived, hashes and all.
pub fn tree_of(folder: &Path) -> Tree {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let tree = if entry.file_type().unwrap().is_dir() {
            tree_of(&entry.path())
        } else {
            Tree::File(fs::read(entry.path()).unwrap())
        };
        entries.push((name, tree));
    }
    Tree::Folder(entries)
}

type Change = Box<dyn Fn(&Path)>;

fn replace(path: &'static str, from: String, to: &'static str) -> Change {
    Box::new(move |tree| {
        let text = fs::read_to_string(tree.join(path)).unwrap();
        assert!(text.contains(&from), "no `{from}` in {text}");
        fs::write(tree.join(path), text.replace(&from, to)).unwrap();
    })
}

fn remove(path: &'static str) -> Change {
    Box::new(move |tree| {
        let path = tree.join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    })
}

fn write(path: &'static str, bytes: Vec<u8>) -> Change {
    Box::new(move |tree| {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &bytes).unwrap();
    })
}

const HTML: &str = "application/index.html";
const JSON: &str = "application/index.v1_json";
const WHEEL: &str = "application/application-1.0-py3-none-any.whl";

/// A release whose every hash is right, and one thing is not as the rest says.
#[test]
fn every_contradiction_between_pages_and_files_is_named() {
    let workshop = Workshop::with(&installable_from(None));
    workshop.build(&["--unsigned", "--tree", "tree"]);
    let [application, library] = installable();
    let bytes = application.build();
    let sha256 = Sha256Digest::of(&bytes).to_string();
    let metadata = Sha256Digest::of(&application.metadata_bytes()).to_string();
    let zeros = "0000000000000000000000000000000000000000000000000000000000000000";
    let content_id = crate::dag::file_dag(Profile::UnixfsV1_2025, &bytes)
        .cid()
        .to_string();
    let other = crate::dag::file_dag(Profile::UnixfsV1_2025, b"other")
        .cid()
        .to_string();
    let other: &'static str = other.leak();
    let mut swapped = bytes.clone();
    // A letter of the module, which is stored as it is.
    let at = swapped
        .windows(7)
        .position(|part| part == b"version")
        .unwrap();
    swapped[at] = b'V';
    let size = format!("\"size\": {}", bytes.len());
    let cases: Vec<(Change, &str)> = vec![
        (
            replace(HTML, sha256.clone(), zeros),
            "application/index.html: it has another SHA-256 of `application-1.0-py3-none-any.whl`",
        ),
        (
            replace(JSON, sha256.clone(), zeros),
            "application/index.v1_json: it has another SHA-256 of `application-1.0-py3-none-any.whl`",
        ),
        (
            replace(HTML, format!("#sha256={sha256}"), ""),
            "application/index.html: it has another SHA-256 of",
        ),
        (
            replace(
                HTML,
                format!("data-core-metadata=\"sha256={metadata}\""),
                "data-core-metadata=\"sha256=0000000000000000000000000000000000000000000000000000000000000000\"",
            ),
            "application/index.html: it has another SHA-256 of the metadata of",
        ),
        (
            replace(
                HTML,
                format!("data-dist-info-metadata=\"sha256={metadata}\""),
                "data-dist-info-metadata=\"sha256=0000000000000000000000000000000000000000000000000000000000000000\"",
            ),
            "application/index.html: it has another SHA-256 of metadata in `data-dist-info-metadata`",
        ),
        (
            replace(JSON, metadata.clone(), zeros),
            "application/index.v1_json: it has another SHA-256 of the metadata of",
        ),
        (
            replace(JSON, size, "\"size\": 1"),
            "application/index.v1_json: it has another size of",
        ),
        (
            replace(JSON, content_id.clone(), other),
            "application/index.v1_json: it has another content-id of",
        ),
        (
            replace(HTML, "&gt;=3.8".to_owned(), "&gt;=3.9"),
            "application/index.html: it has another Requires-Python of",
        ),
        (
            replace(JSON, ">=3.8".to_owned(), ">=3.9"),
            "application/index.v1_json: it has another Requires-Python of",
        ),
        (
            replace(HTML, " data-requires-python=\"&gt;=3.8\"".to_owned(), ""),
            "application/index.html: it has another Requires-Python of",
        ),
        (
            replace(
                HTML,
                "href=\"application".to_owned(),
                "href=\"../library/application",
            ),
            "application/index.html: its address of `application-1.0-py3-none-any.whl` leads elsewhere",
        ),
        (
            replace(
                HTML,
                "href=\"application".to_owned(),
                "href=\"https://example.org/application",
            ),
            "application/index.html: its address of",
        ),
        (
            replace(
                JSON,
                "\"url\": \"application".to_owned(),
                "\"url\": \"https://example.org/application",
            ),
            "application/index.v1_json: its address of",
        ),
        (
            replace(HTML, "<a ".to_owned(), "<a data-yanked=\"\" "),
            "application/index.html: it says that",
        ),
        (
            replace(
                JSON,
                "\"filename\": \"application-1.0".to_owned(),
                "\"filename\": \"application-1.1",
            ),
            "application/index.v1_json: it names `application-1.1-py3-none-any.whl`, which is not there",
        ),
        (
            replace(JSON, "{".to_owned(), "["),
            "application/index.v1_json: ",
        ),
        (
            replace(
                JSON,
                "\"name\": \"application\"".to_owned(),
                "\"name\": \"other\"",
            ),
            "application/index.v1_json: it is of the project \"other\"",
        ),
        (
            replace(JSON, "\"1.0\"".to_owned(), "\"2.0\""),
            "application/index.v1_json: it lists other versions",
        ),
        (
            write(
                "application/application-1.0-py3-none-any.whl.metadata",
                b"Metadata-Version: 2.1\n".to_vec(),
            ),
            "application/application-1.0-py3-none-any.whl.metadata is not METADATA of the wheel",
        ),
        (
            remove("application/application-1.0-py3-none-any.whl.metadata"),
            "application/application-1.0-py3-none-any.whl.metadata is not there",
        ),
        (
            write(
                "application/stray-1.0-py3-none-any.whl.metadata",
                b"x".to_vec(),
            ),
            "application/stray-1.0-py3-none-any.whl.metadata is no file that a release has",
        ),
        (remove(HTML), "application/index.html is not there"),
        (remove(JSON), "application/index.v1_json is not there"),
        (
            remove("application/declaration.toml"),
            "application/declaration.toml is not there",
        ),
        (
            remove(WHEEL),
            "it names `application-1.0-py3-none-any.whl`, which is not there",
        ),
        (
            write(WHEEL, swapped),
            "application/application-1.0-py3-none-any.whl: ",
        ),
        (
            write(WHEEL, b"no wheel at all".to_vec()),
            "application/application-1.0-py3-none-any.whl: ",
        ),
        (
            write(
                "application/library-2.1.post1-py3-none-any.whl",
                library.build(),
            ),
            "application/index.html: it does not name `library-2.1.post1-py3-none-any.whl`",
        ),
        (
            write("stray/index.html", b"<html></html>".to_vec()),
            "does not list the projects that are there",
        ),
        (
            write("stray.txt", b"x".to_vec()),
            "`stray.txt` is a file, not a project's folder",
        ),
        (
            write("application/stray.txt", b"x".to_vec()),
            "application/stray.txt is no file that a release has",
        ),
        (
            write("_ipwhl/stray.txt", b"x".to_vec()),
            "_ipwhl/stray.txt is no file that a release has",
        ),
        (
            replace(
                HTML,
                "<title>".to_owned(),
                "<base href=\"https://example.org/\"><title>",
            ),
            "its address of `application-1.0-py3-none-any.whl` leads elsewhere",
        ),
        (
            replace(
                HTML,
                "</body>".to_owned(),
                "<a href=\"https://example.org/application-9-py3-none-any.whl\">x</a></body>",
            ),
            "it names `application-9-py3-none-any.whl`, which is not there",
        ),
        (
            remove("library"),
            "`index.html` does not list the projects that are there",
        ),
        (remove("index.html"), "the release has no `index.html`"),
        (
            remove("index.v1_json"),
            "the release has no `index.v1_json`",
        ),
        (
            replace("index.v1_json", "\"library\"".to_owned(), "\"libraries\""),
            "`index.v1_json` does not list the projects",
        ),
        (
            replace(
                "index.html",
                "href=\"library/\"".to_owned(),
                "href=\"https://example.org/library/\"",
            ),
            "`index.html` does not list the projects",
        ),
        (remove("_ipwhl"), "the release has no folder `_ipwhl`"),
        (remove("_ipwhl/release.json"), "_ipwhl"),
        (
            replace(
                "_ipwhl/release.json",
                "\"wheels\": 2".to_owned(),
                "\"wheels\": 3",
            ),
            "_ipwhl/release.json: it has 3 wheels, and the release 2",
        ),
        (
            replace(
                "_ipwhl/release.json",
                "\"format\": 1".to_owned(),
                "\"format\": 2",
            ),
            "_ipwhl/release.json: it is of the format 2, and 1 is known",
        ),
        (
            write("_ipwhl/release.json", b"{".to_vec()),
            "_ipwhl/release.json: it cannot be read",
        ),
        (
            replace("application/declaration.toml", sha256.clone(), zeros),
            "application/declaration.toml: it has another SHA-256 of `application-1.0",
        ),
        (
            replace("application/declaration.toml", content_id.clone(), other),
            "application/declaration.toml: it has another content-id of",
        ),
        (
            replace(
                "application/declaration.toml",
                "application-1.0-py3-none".to_owned(),
                "application-1.1-py3-none",
            ),
            "application/declaration.toml: it does not declare `application-1.0-py3-none-any.whl`",
        ),
        (
            write("application/declaration.toml", b"[".to_vec()),
            "application/declaration.toml: ",
        ),
    ];
    let mut missed = Vec::new();
    for (number, (change, words)) in cases.iter().enumerate() {
        let other = Workshop::empty();
        let copy = other.path("tree");
        for (name, bytes) in crate::support::workshop::files(&workshop.repository().join("tree")) {
            let path = copy.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        change(&copy);
        let tree = tree_of(&copy);
        let car = tree.build(Profile::UnixfsV1_2025).car();
        // The archive itself is sound.
        CarReader::open(std::io::Cursor::new(&car))
            .unwrap()
            .verify()
            .unwrap();
        fs::write(other.path("changed.car"), car).unwrap();
        let ran = other.run(&["verify", "changed.car"]);
        if ran.code != Some(1) || !ran.error.contains(words) || !ran.output.is_empty() {
            missed.push(format!(
                "{number}: no `{words}`: {:?} {}",
                ran.code, ran.error
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn damage_of_the_archive_itself_is_named() {
    let workshop = Workshop::with(&installable_from(None));
    workshop.build(&["--unsigned"]);
    let whole = workshop.read("release.car");
    let place = workshop.release("release.car");
    let verify = |bytes: &[u8]| {
        fs::write(&place, bytes).unwrap();
        workshop.run(&["verify", "release/release.car"])
    };
    // Any byte: the file says so, by name.
    for position in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[position] ^= 0x10;
        verify(&changed).refused(1, &["release.car`: ", "fetch the release anew"]);
    }
    for length in [0, 1, 10, whole.len() / 2, whole.len() - 1] {
        verify(&whole[..length]).refused(1, &["release.car`: "]);
    }
    verify(&[&whole[..], b"\0"].concat()).refused(1, &["release.car`: "]);
    // A byte of a wheel names the block.
    let mut changed = whole.clone();
    let at = whole
        .windows(9)
        .position(|part| part == b"name = \"l")
        .unwrap();
    changed[at] ^= 1;
    let [_, library] = installable();
    let cid = crate::dag::file_dag(Profile::UnixfsV1_2025, &library.build()).cid();
    verify(&changed).refused(1, &[&cid.to_string()]);
    verify(&whole).line();
    fs::remove_file(&place).unwrap();
    let gone = workshop.run(&["verify", "release/release.car"]);
    gone.refused(3, &["release.car` cannot be read"]);
}

/// A repository whose `trusted` are these keys, and its release, signed by the first of them.
fn vouched(seeds: &[u8]) -> Workshop {
    let lines: Vec<String> = seeds
        .iter()
        .map(|&seed| key(seed).public().line(&format!("key-{seed}")))
        .collect();
    let signing = if seeds.is_empty() {
        String::new()
    } else {
        format!("\n[signing]\ntrusted = {lines:?}\n")
    };
    let workshop = Workshop::with(&installable_from(None).configuration(&signing));
    fs::write(workshop.path("key"), key(1).to_openssh().unwrap()).unwrap();
    workshop.build(&["--key", "../key"]);
    workshop
}

fn with_signers(workshop: &Workshop, text: &str) -> Ran {
    fs::write(workshop.path("signers"), text).unwrap();
    workshop.run(&[&STATEMENT[..], &["--allowed-signers", "../signers"]].concat())
}

#[test]
fn the_repository_says_whom_it_trusts() {
    let workshop = vouched(&[1, 2]);
    let ran = workshop.run(&STATEMENT);
    ran.line();
    ran.said("example, sequence 1, is vouched for by key-1");
    ran.said(&key(1).public().fingerprint());
    // Signed by somebody else.
    let text = workshop.read("release.toml");
    fs::write(
        workshop.release("release.toml.sig"),
        sign(&key(3), &text).unwrap(),
    )
    .unwrap();
    workshop.run(&STATEMENT).refused(
        1,
        &[
            "has 0 of the 1 trusted signatures that it needs",
            "nothing vouches for the key",
            &key(3).public().fingerprint(),
        ],
    );
    fs::remove_file(workshop.release("release.toml.sig")).unwrap();
    workshop
        .run(&STATEMENT)
        .refused(1, &["there is no signature beside it"]);
    fs::write(workshop.release("release.toml.sig"), "hello").unwrap();
    workshop
        .run(&STATEMENT)
        .refused(1, &["has 0 of the 1 trusted signatures that it needs"]);
}

#[test]
fn without_anyone_trusted_the_signer_is_named_and_nothing_vouches() {
    let workshop = vouched(&[]);
    let ran = workshop.run(&STATEMENT);
    ran.line();
    ran.said("warning: sequence 1 is signed by ");
    ran.said(&key(1).public().fingerprint());
    ran.said("nothing here vouches for that key");
    ran.said("help: name whom you trust");
    // A signature that does not hold is no signature of anyone.
    let text = workshop.read("release.toml");
    fs::write(
        workshop.release("release.toml.sig"),
        sign(&key(1), b"other").unwrap(),
    )
    .unwrap();
    workshop
        .run(&STATEMENT)
        .refused(1, &["a signature of ", "does not hold"]);
    fs::remove_file(workshop.release("release.toml.sig")).unwrap();
    workshop
        .run(&STATEMENT)
        .refused(1, &["has no signature beside it"]);
    fs::write(
        workshop.release("release.toml.sig"),
        sign(&key(1), &text).unwrap(),
    )
    .unwrap();
    // The same where there is no repository at all.
    let elsewhere = Workshop::empty();
    for name in ["release.car", "release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), elsewhere.path(name)).unwrap();
    }
    let ran = elsewhere.run(&["verify", "release.car", "--statement", "release.toml"]);
    ran.line();
    ran.said("nothing here vouches for that key");
}

#[test]
fn allowed_signers_name_who_may() {
    let workshop = vouched(&[]);
    let good = key(1).public().allowed_signers_line("maintainer").unwrap();
    let ran = with_signers(&workshop, &format!("# who may\n\n{good}\n"));
    ran.line();
    ran.said("is vouched for by maintainer (");
    let other = key(2).public().allowed_signers_line("other").unwrap();
    with_signers(&workshop, &other).refused(1, &["nothing vouches for the key"]);
    with_signers(&workshop, "").refused(1, &["signers"]);
    with_signers(&workshop, "maintainer ssh-ed25519 nonsense\n")
        .refused(1, &["signers` cannot be used"]);
    // A key of another time, and one for another purpose.
    let blob = key(1).public().line("");
    let expired = format!("maintainer valid-before=\"20200101Z\" {blob}\n");
    with_signers(&workshop, &expired).refused(1, &["maintainer may not sign at this time"]);
    let git = format!("maintainer namespaces=\"git\" {blob}\n");
    assert_eq!(with_signers(&workshop, &git).code, Some(1));
    // What the repository trusts does not count then.
    let workshop = vouched(&[1]);
    with_signers(&workshop, &other).refused(1, &["nothing vouches for the key"]);
    // Nor is a file without its statement of use.
    let alone = [
        "verify",
        "release/release.car",
        "--allowed-signers",
        "../signers",
    ];
    workshop.run(&alone).refused(2, &["--statement"]);
}

#[test]
fn a_statement_of_another_root_or_time_vouches_for_nothing() {
    let workshop = vouched(&[1]);
    let arguments = ["build", "--key", "../key", "--expires", "1d"];
    workshop.run(&arguments).line();
    workshop.run(&STATEMENT).line();
    let root = workshop.build(&["--root-only"]);
    let program = Program::new(&workshop.repository()).now("2100-01-01T00:00:00Z");
    let run = program.run(&STATEMENT).expect(ExitStatus::Findings);
    assert!(
        run.stderr.contains("release.toml` expired on "),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
    // A changed statement.
    let text = String::from_utf8(workshop.read("release.toml")).unwrap();
    fs::write(workshop.release("release.toml"), text.replace("sequence = 1", "sequence = 7\nprevious = \"bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e\"")).unwrap();
    workshop
        .run(&STATEMENT)
        .refused(1, &["has 0 of the 1 trusted signatures"]);
    // Of another release.
    let other = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    let text = text.replace(&root, other);
    fs::write(workshop.release("release.toml"), &text).unwrap();
    fs::write(
        workshop.release("release.toml.sig"),
        sign(&key(1), text.as_bytes()).unwrap(),
    )
    .unwrap();
    workshop.run(&STATEMENT).refused(
        1,
        &[&format!("vouches for {other}, and the release is {root}")],
    );
    fs::write(workshop.release("release.toml"), "nonsense").unwrap();
    workshop
        .run(&STATEMENT)
        .refused(1, &["release.toml` is not a statement"]);
    fs::remove_file(workshop.release("release.toml")).unwrap();
    workshop
        .run(&STATEMENT)
        .refused(3, &["release.toml` cannot be read"]);
}
