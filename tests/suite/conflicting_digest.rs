//! `conflicting-digest`: content-ids that cannot be those of the wheels that they are declared for.

use ipwhl::command::ExitStatus;
use ipwhl_unixfs::{Cid, Codec, Profile, Sha256Digest};
use serde_json::Value;

use crate::support::content_id;
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::wheel_builder::{Compression, WheelBuilder};

const KIBIBYTE: u64 = 1024;

fn digest(seed: &str) -> Sha256Digest {
    Sha256Digest::of(seed.as_bytes())
}

/// A declaration of a pure wheel of version 1.0 with these digests.
fn declared(name: &str, cid: &str, more: &str) -> (String, String) {
    let text = format!(
        "source = \"https://example.org/{name}-1.0-py3-none-any.whl\"\ncontent-id = \"{cid}\"\n\
         extras = []\ndependencies = []\n{more}\n"
    );
    (format!("declarations/{name}.toml"), text)
}

fn findings(files: &[(String, String)]) -> Vec<Value> {
    let mut builder = RepositoryBuilder::new();
    for (file, text) in files {
        builder = builder.file(file, text);
    }
    let repository = builder.build();
    let program = Program::new(repository.path());
    program
        .run(&["check", "--message-format", "json"])
        .findings()
}

fn codes(found: &[Value]) -> Vec<&str> {
    found
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// What is certain is said, and nothing else: each kind of content-id beside each size and SHA-256.
#[test]
fn a_content_id_fits_what_stands_beside_it() {
    let own = digest("own");
    let raw = Cid::v1(Codec::Raw, own).to_string();
    let node = Cid::v1(Codec::DagPb, own).to_string();
    let old = Cid::v0(own).to_string();
    let sha256 = |digest: Sha256Digest| format!("sha256 = \"{digest}\"");
    let size = |size: u64| format!("size = {size}");
    let other = sha256(digest("other"));
    for (cid, more, is_right) in [
        (&raw, sha256(own), true),
        (&raw, other.clone(), false),
        (&raw, size(1024 * KIBIBYTE), true),
        (&raw, size(256 * KIBIBYTE + 1), true),
        (&raw, size(1024 * KIBIBYTE + 1), false),
        (&node, other.clone(), true),
        (&node, sha256(own), false),
        (&node, size(256 * KIBIBYTE), false),
        (&node, size(256 * KIBIBYTE + 1), true),
        (&node, size(5000 * KIBIBYTE), true),
        (&old, other.clone(), true),
        (&old, sha256(own), false),
        (&old, size(1), true),
        (&old, size(5000 * KIBIBYTE), true),
        // One slip is one finding.
        (&raw, format!("{other}\n{}", size(5000 * KIBIBYTE)), false),
    ] {
        let found = findings(&[declared("plum", cid, &more)]);
        let expected: &[&str] = if is_right {
            &[]
        } else {
            &["conflicting-digest"]
        };
        assert_eq!(codes(&found), expected, "{cid} {more}");
    }
}

/// Every wheel's own content-id under every profile fits its own size and SHA-256.
#[test]
fn no_right_declaration_is_refused() {
    for profile in Profile::ALL {
        for size in [10, 255, 257, 1023, 1025, 2100] {
            let bulk = vec![b'x'; size * 1024];
            let wheel = WheelBuilder::new("plum", "1.0")
                .compression(Compression::Stored)
                .member("plum.bin", bulk);
            let repository = RepositoryBuilder::new()
                .profile(profile)
                .project(Project::wanted(wheel))
                .build();
            let run = Program::new(repository.path()).run(&["check", "--wheels"]);
            run.expect(ExitStatus::Clean);
        }
    }
}

#[test]
fn a_digest_of_two_wheels_is_said_whose_it_is() {
    let plum = content_id("plum");
    let proven = format!("sha256 = \"{}\"", digest("plum"));
    // Copied from the declaration of `plum`, where `sha256` says that it is right there.
    let found = findings(&[
        declared("apple", &plum, &format!("sha256 = \"{}\"", digest("apple"))),
        declared("plum", &plum, &proven),
    ]);
    assert_eq!(codes(&found), ["conflicting-digest"]);
    assert_eq!(
        found[0]["message"],
        "`apple-1.0-py3-none-any.whl` has the content-id of `plum-1.0-py3-none-any.whl`"
    );
    assert_eq!(found[0]["project"], "apple");
    assert_eq!(found[0]["wheel"], "apple-1.0-py3-none-any.whl");
    assert_eq!(found[0]["places"][0]["file"], "declarations/apple.toml");
    assert_eq!(found[0]["places"][1]["file"], "declarations/plum.toml");
    assert_eq!(found[0]["places"][1]["text"], "the content-id of `plum`");
    // Nothing says whose it is.
    let found = findings(&[declared("apple", &plum, ""), declared("plum", &plum, "")]);
    assert_eq!(codes(&found), ["conflicting-digest"]);
    assert_eq!(
        found[0]["message"],
        "`plum-1.0-py3-none-any.whl` and `apple-1.0-py3-none-any.whl` have the same content-id"
    );
    assert_eq!(found[0]["project"], "plum");
    // The other one has a content-id of several blocks, so only its SHA-256 tells.
    let several = Cid::v1(Codec::DagPb, digest("several")).to_string();
    let found = findings(&[
        declared("apple", &plum, &format!("sha256 = \"{}\"", digest("apple"))),
        declared("plum", &several, &proven),
    ]);
    assert_eq!(codes(&found), ["conflicting-digest"]);
    assert_eq!(
        found[0]["message"],
        "`apple-1.0-py3-none-any.whl` has the content-id of `plum-1.0-py3-none-any.whl`"
    );
    // The SHA-256 was copied, and the content-id does not tell.
    let found = findings(&[
        declared("apple", &several, &proven),
        declared("plum", &plum, &proven),
    ]);
    assert_eq!(codes(&found), ["conflicting-digest"]);
    assert_eq!(
        found[0]["message"],
        "`plum-1.0-py3-none-any.whl` and `apple-1.0-py3-none-any.whl` have the same SHA-256"
    );
}

/// Two wheels of one project are two files as well.
#[test]
fn wheels_of_one_project_have_content_ids_of_their_own() {
    let cid = content_id("plum");
    let wheel = |system: &str| {
        format!(
            "[[wheel]]\nsource = \"https://example.org/plum-1.0-py3-none-{system}.whl\"\ncontent-id = \"{cid}\"\n\n"
        )
    };
    let text = format!(
        "extras = []\ndependencies = []\n\n{}{}",
        wheel("manylinux_2_17_x86_64"),
        wheel("win_amd64")
    );
    let found = findings(&[("declarations/plum.toml".to_owned(), text)]);
    assert_eq!(codes(&found), ["conflicting-digest"]);
    assert_eq!(
        found[0]["message"],
        "`plum-1.0-py3-none-win_amd64.whl` and `plum-1.0-py3-none-manylinux_2_17_x86_64.whl` have the same content-id"
    );
}

/// Where the wheel is looked at, its bytes contradict the declaration too: that is one finding, and
/// says which of the two keys is wrong.
#[test]
fn what_the_bytes_say_is_part_of_the_finding() {
    for key in ["content-id", "sha256"] {
        let value = match key {
            "content-id" => content_id("another"),
            _ => digest("another").to_string(),
        };
        let repository = RepositoryBuilder::sound()
            .change("damson", |damson| damson.set(key, &format!("\"{value}\"")))
            .build();
        let program = Program::new(repository.path());
        let run = program.run(&["check", "--wheels", "--message-format", "json"]);
        assert_eq!(run.codes(), ["conflicting-digest"], "{key}");
        let notes = run.findings()[0]["notes"].to_string();
        assert!(notes.contains("does not have the declared"), "{notes}");
        program
            .run(&["build", "--unsigned", "--offline"])
            .expect(ExitStatus::Findings);
    }
}

/// What the cache knows of a content-id is of the wheel that it belongs to, and no defect of
/// another.
#[test]
fn a_content_id_of_another_project_is_one_finding() {
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path());
    program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    let value_of = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("content-id"));
        line.unwrap().to_owned()
    };
    let apple = value_of(&repository.read("declarations/apple.toml"));
    let damson = repository.read("declarations/damson.toml");
    let changed = damson.replace(&value_of(&damson), &apple);
    let changed: Vec<&str> = changed
        .lines()
        .filter(|line| !line.starts_with("sha256") && !line.starts_with("size"))
        .collect();
    repository.write("declarations/damson.toml", changed.join("\n"));
    for arguments in [
        &["check", "--message-format", "json"][..],
        &["check", "--wheels", "--message-format", "json"],
    ] {
        let run = program.run(arguments);
        assert_eq!(run.codes(), ["conflicting-digest"], "{arguments:?}");
    }
}
