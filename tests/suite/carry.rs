//! Somebody else's set, carried: `ipwhl init --carry`, and `ipwhl publish` with nothing but a name,
//! keys and targets.

use std::fs;
use std::path::Path;

use ipwhl::command::ExitStatus;
use ipwhl::release::signature::SigningKey;

use crate::clients::Pip;
use crate::publish_kubo::{installable_with, settings, succeeded};
use crate::support::http;
use crate::support::nodes::Node;
use crate::support::program::Program;
use crate::support::workshop::{Workshop, files};

/// The keys of a set's maintainers.
fn keys() -> [SigningKey; 2] {
    [1, 2].map(|seed| SigningKey::from_seed(&[seed; 32]).unwrap())
}

/// Signs the release in the repository with both keys, as their statement asks.
fn release(workshop: &Workshop) -> String {
    let mut lines = Vec::new();
    for (name, key) in ["one", "two"].iter().zip(keys()) {
        fs::write(workshop.path(name), key.to_openssh().unwrap()).unwrap();
        lines.push(format!("    \"{}\",\n", key.public().line(name)));
    }
    let trusted = format!("[signing]\ntrusted = [\n{}]\nthreshold = 2", lines.concat());
    settings(workshop, &trusted);
    let root = workshop.build(&["--key", "../one"]);
    let sign = ["sign", "release/release.toml", "--key", "../two"];
    succeeded(workshop.run(&sign));
    root
}

/// A set whose releases two keys sign, and its first one.
fn kept() -> (Workshop, String) {
    let workshop = Workshop::with(&installable_with("2.1"));
    let root = release(&workshop);
    (workshop, root)
}

/// A web server with the files of a folder.
fn served(folder: &Path) -> String {
    let folder = folder.to_owned();
    http::respond(move |request| {
        match fs::read(folder.join(request.path.trim_start_matches('/'))) {
            Ok(bytes) => http::whole("200 OK", &[], &bytes),
            Err(_) => http::whole("404 Not Found", &[], b""),
        }
    })
}

#[test]
fn a_set_is_kept_by_one_and_carried_by_another() {
    let (keeper, root) = kept();
    let address = served(&keeper.repository().join("release"));
    let carrier = Workshop::empty();
    let statement = format!("{address}/release.toml");
    // The site does as well.
    succeeded(carrier.run(&["init", "--carry", &address, "other"]));
    let ran = succeeded(carrier.run(&["init", "--carry", &statement, "repository"]));
    assert!(files(&carrier.path("other")) == files(&carrier.repository()));
    assert_eq!(ran.output, "");
    for key in keys() {
        ran.said(&key.public().fingerprint());
    }
    ran.said(
        "sequence 1 of the set \"example\"; each release needs the signatures of 2 of these keys",
    );
    ran.said("warning: the 2 keys come from the statement itself, which proves nothing: compare");
    ran.said("run `ipwhl fetch LOCATION` to download the newest release, and `ipwhl publish` to publish it");
    let written: Vec<String> = files(&carrier.repository()).into_keys().collect();
    assert_eq!(written, [".gitignore", "ipwhl.toml"]);

    // No target yet; and what needs a set says that there is none.
    let fetch = || succeeded(carrier.run(&["fetch", &statement]));
    fetch();
    carrier.run(&["publish"]).refused(2, &["has no targets"]);
    succeeded(carrier.run(&["verify", "release", "--statement", "release/release.toml"]));
    for command in ["check", "build"] {
        let ran = carrier.run(&[command]);
        assert_eq!(ran.code, Some(1), "{command}: {}", ran.error);
        ran.said("`platforms` is missing, but `ipwhl.toml` needs it");
    }

    let node = Node::start();
    let targets = format!(
        "[publish.site]\nkind = \"directory\"\npath = \"../site\"\n[publish.node]\nkind \
         = \"kubo\"\napi = \"{}\"\ngateway = \"{}\"\n",
        node.api, node.gateway
    );
    settings(&carrier, &targets);
    let ran = succeeded(carrier.run(&["publish"]));
    assert!(!ran.error.contains("platforms"), "{}", ran.error);
    let shown = fs::read_link(carrier.path("site/latest")).unwrap();
    assert_eq!(shown.to_str(), Some(&*root));
    let pip = Pip::new();
    pip.install(&format!("{}/ipfs/{root}/", node.gateway), &["application"]);

    // The next one, by the same keys.
    keeper.write_over(&installable_with("2.2"));
    let next = release(&keeper);
    assert_ne!(next, root);
    fetch();
    // What it changes can be seen before it is published.
    let here = "../site/statements/1/release.hollow.car";
    let ran = carrier.run(&["diff", here, "release/release.car"]);
    assert!(ran.output.contains("library 2.1 -> 2.2"), "{ran:?}");
    succeeded(carrier.run(&["publish"]));
    let latest = || fs::read_link(carrier.path("site/latest")).unwrap();
    assert_eq!(latest().to_str(), Some(&*next));
    // And one that a stranger has signed in the place of one of them, as whoever serves the files
    // could.
    keeper.write_over(&installable_with("2.3"));
    release(&keeper);
    fetch();
    let stranger = SigningKey::from_seed(&[3; 32]).unwrap();
    let signature =
        ipwhl::release::signature::sign(&stranger, &carrier.read("release.toml")).unwrap();
    fs::write(carrier.release("release.toml.sig"), signature).unwrap();
    carrier
        .run(&["publish"])
        .refused(1, &["has 1 of the 2 trusted signatures that it needs"]);
    assert_eq!(latest().to_str(), Some(&*next));
}

/// What a statement says of itself has to hold at least.
#[test]
fn a_statement_that_does_not_hold_is_not_carried() {
    let (keeper, _) = kept();
    let place = keeper.path("place");
    let release = keeper.repository().join("release");
    let refused = |words: &[&str]| {
        for location in [
            release.clone(),
            Path::new("../repository/release").to_owned(),
        ] {
            let location = location.join("release.toml");
            let _ = fs::remove_dir_all(&place);
            fs::create_dir(&place).unwrap();
            let run = Program::new(&place)
                .now("2100-01-01T00:00:00Z")
                .run(&["init", "--carry", location.to_str().unwrap()])
                .expect(ExitStatus::Findings);
            for word in words {
                assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
            }
            assert!(files(&place).is_empty());
        }
    };
    let digits = keys()[1].public().file_digits();
    let signature = release.join(format!("release.toml.{digits}.sig"));
    let two = fs::read(&signature).unwrap();
    fs::remove_file(&signature).unwrap();
    refused(&["has 1 of the 2 trusted signatures that it needs"]);
    fs::write(&signature, &two).unwrap();
    let text = fs::read_to_string(release.join("release.toml")).unwrap();
    // Another byte than was signed.
    fs::write(
        release.join("release.toml"),
        text.replace("\"example\"", "\"exempla\""),
    )
    .unwrap();
    refused(&["has 0 of the 2 trusted signatures that it needs"]);
    let expired = text.replace("\ntrusted", "\nexpires = 2099-01-01T00:00:00Z\ntrusted");
    assert_ne!(expired, text);
    fs::write(release.join("release.toml"), expired).unwrap();
    refused(&["expired on 2099-01-01T00:00:00Z"]);
    let at = text.find("trusted = [").unwrap();
    let nobody = format!("{}trusted = []\nthreshold = 1\n", &text[..at]);
    fs::write(release.join("release.toml"), nobody).unwrap();
    refused(&["names no `trusted` keys", "write `ipwhl.toml` by hand"]);
    fs::remove_file(release.join("release.toml.sig")).unwrap();
    fs::write(release.join("release.toml"), text).unwrap();

    // A repository stays what it is, and has settings of its own.
    let path = keeper.repository().join("ipwhl.toml");
    let before = fs::read(&path).unwrap();
    let carry = ["init", "--carry", "release/release.toml"];
    keeper
        .run(&[&carry[..], &["."]].concat())
        .refused(2, &["this is already a repository"]);
    assert_eq!(fs::read(&path).unwrap(), before);
    for option in [
        ["--name", "x"],
        ["--python", "cp312"],
        ["--system", "win_amd64"],
        ["--ci", "github"],
    ] {
        keeper
            .run(&[&carry[..], &option[..], &["../place"]].concat())
            .refused(2, &["--carry", option[0]]);
    }
}
