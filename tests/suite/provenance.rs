//! Provenance of an index (PEP 740): the publisher of a declaration, changes of it, and signatures.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use data_encoding::BASE64;
use ipwhl::command::ExitStatus;
use ipwhl::source::{
    Cache, ClientSettings, FetchSettings, Fetcher, IndexSearch, Limits, Provenance, Publisher,
    VERIFIER,
};
use ipwhl_unixfs::{Profile, Sha256Digest};
use serde_json::{Value, json};

use crate::support::bench::{Bench, native, pure};
use crate::support::history::History;
use crate::support::loopback_index::{Answer, LoopbackIndex};
use crate::support::program::Run;
use crate::support::repository_builder::RepositoryBuilder;
use crate::support::wheel_builder::WheelBuilder;

const OURS: &str = "GitHub plum/plum release.yaml";

fn workflow(owner: &str) -> Value {
    json!({"kind": "GitHub", "repository": format!("{owner}/plum"), "workflow": "release.yaml",
           "environment": null})
}

/// An attestation about a file, which nobody has signed.
fn attestation(file_name: &str, sha256: &str) -> Value {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file_name, "digest": {"sha256": sha256}}],
        "predicateType": "https://docs.example.org/attestations/publish/v1",
        "predicate": null,
    });
    json!({
        "version": 1,
        "envelope": {"statement": BASE64.encode(statement.to_string().as_bytes()), "signature": "AA=="},
        "verification_material": {"certificate": "AA==", "transparency_entries": []},
    })
}

/// A provenance with an attestation for each publisher.
fn provenance(publishers: &[Value], file_name: &str, sha256: &str) -> Value {
    let bundles = publishers.iter().map(
        |publisher| json!({"publisher": publisher, "attestations": [attestation(file_name, sha256)]}),
    );
    json!({"version": 1, "attestation_bundles": bundles.collect::<Vec<_>>()})
}

fn bench() -> Bench {
    Bench::of(&RepositoryBuilder::new().format_2())
}

/// Offers a wheel of plum with the provenance that these publishers make.
fn offer(bench: &Bench, wheel: &WheelBuilder, publishers: &[Value]) {
    let (name, sha256) = (wheel.file_name(), Sha256Digest::of(&wheel.build()));
    let body = provenance(publishers, &name, &sha256.to_string());
    offer_body(bench, wheel, body.to_string().as_bytes());
}

fn offer_body(bench: &Bench, wheel: &WheelBuilder, body: &[u8]) {
    let path = format!("/provenance/{}", wheel.file_name());
    bench.index.put(&path, body);
    offer_at(bench, wheel, &bench.index.url(&path));
}

fn offer_at(bench: &Bench, wheel: &WheelBuilder, url: &str) {
    bench.offer_as("plum", wheel, |hosted| {
        hosted.provenance = Some(url.to_owned());
    });
}

/// The line of the declaration.
fn publisher(bench: &Bench) -> Option<String> {
    let table: toml_edit::DocumentMut = bench.text("plum").parse().unwrap();
    table
        .get("publisher")
        .map(|line| line.as_str().unwrap().to_owned())
}

#[track_caller]
fn says(run: &Run, text: &str) {
    assert!(run.stderr.contains(text), "{text}\n--- in\n{}", run.stderr);
}

/// Each kind, in both formats of pages; the word of the index is never called more than that.
#[test]
fn the_publisher_of_the_index_is_declared() {
    for (stated, line) in [
        (workflow("plum"), OURS.to_owned()),
        (
            json!({"kind": "GitHub", "repository": "a/b", "workflow": "c.yml", "environment": "py pi"}),
            "GitHub a/b c.yml (environment \"py pi\")".to_owned(),
        ),
        (
            json!({"kind": "GitLab", "repository": "a/b/c", "workflow_filepath": ".gitlab-ci.yml",
                   "environment": "release"}),
            "GitLab a/b/c .gitlab-ci.yml (environment release)".to_owned(),
        ),
        (
            json!({"kind": "Google", "email": "us@example.org"}),
            "Google us@example.org".to_owned(),
        ),
        (
            json!({"kind": "CircleCI", "project_id": "1-2", "pipeline_definition_id": "3-4",
                   "vcs_origin": "example.org/a", "vcs_ref": "refs/tags/v1"}),
            "CircleCI 1-2 3-4 (origin example.org/a)".to_owned(),
        ),
        (
            json!({"kind": "New", "zone": "a,b", "account": "us", "claims": {"x": 1}, "level": 3}),
            "New account=us zone=\"a,b\"".to_owned(),
        ),
        // A terminal, an editor and a parser of TOML see nothing but letters.
        (
            json!({"kind": "no\u{1b}[31m", "x": "\u{202e}\n\"\\"}),
            r#""no\u001b[31m" x="\u202e\u000a\"\\""#.to_owned(),
        ),
        (json!({"kind": "none"}), "\"none\"".to_owned()),
    ] {
        for html_only in [false, true] {
            let bench = bench();
            if html_only {
                bench.index.html_only();
            }
            offer(&bench, &pure("plum", "1.0"), std::slice::from_ref(&stated));
            let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
            assert_eq!(publisher(&bench), Some(line.clone()), "{stated}");
            says(&run, "warning: the index says that plum is published by ");
            says(&run, ", and that is not verified: ");
            assert!(!run.stderr.contains("verified by"), "{}", run.stderr);
            assert!(
                !run.stderr.contains(['\u{1b}', '\u{202e}']),
                "{}",
                run.stderr
            );
            bench.is_sound();
        }
    }
}

/// The publishers of all wheels, each once and sorted; wheels without one are not passed over.
#[test]
fn publishers_of_several_wheels_are_one_line() {
    let linux = native("plum", "1.0", "cp312-cp312-manylinux_2_28_x86_64");
    let windows = native("plum", "1.0", "cp312-cp312-win_amd64");
    let set = RepositoryBuilder::new()
        .platforms(&["cp312"], &["manylinux_2_28_x86_64", "win_amd64"])
        .format_2();
    let bench = Bench::of(&set);
    let google = json!({"kind": "Google", "email": "us@example.org"});
    offer(&bench, &linux, &[google.clone(), workflow("plum"), google]);
    offer(&bench, &windows, &[workflow("plum")]);
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    let line = format!("{OURS}, Google us@example.org");
    assert_eq!(publisher(&bench), Some(line));
    let bench = Bench::of(&set);
    offer(&bench, &linux, &[workflow("plum")]);
    bench.offer("plum", &windows);
    let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(publisher(&bench), Some(format!("{OURS}, none")));
    says(
        &run,
        "`plum-1.0-cp312-cp312-manylinux_2_28_x86_64.whl`: an attestation is refused: ",
    );
    says(&run, "and 1 more reason");
}

/// Another publisher, none, and one for the first time: in `add`, in `update` and in a review.
#[test]
fn a_changed_publisher_is_a_finding_of_the_change() {
    let commands: [&[&str]; 3] = [
        &["add", "plum"],
        &["update"],
        &["update", "--one-by-one", "--make", "plum"],
    ];
    for command in commands {
        let bench = bench();
        offer(&bench, &pure("plum", "1.0"), &[workflow("plum")]);
        bench.add(&["plum"]).expect(ExitStatus::Clean);
        let history = History::begin(bench.repository.path());
        let review = |codes: &[&str]| {
            let check = ["check", "--since", "HEAD", "--message-format", "json"];
            let run = bench.program.run(&check).expect(ExitStatus::Clean);
            assert_eq!(run.codes(), codes, "{}", run.stdout);
            run
        };
        review(&[]);
        // The same.
        offer(&bench, &pure("plum", "1.1"), &[workflow("plum")]);
        let run = bench.program.run(command).expect(ExitStatus::Clean);
        assert!(!run.stderr.contains("changed-publisher"), "{}", run.stderr);
        review(&[]);
        history.commit("1.1");
        // Another one.
        offer(&bench, &pure("plum", "1.2"), &[workflow("plum-dev")]);
        let run = bench.program.run(command).expect(ExitStatus::Clean);
        says(
            &run,
            "warning[changed-publisher]: `plum` 1.2 has another publisher than 1.1\n",
        );
        says(&run, "--> declarations/plum.toml:7:13");
        says(&run, "note: before: GitHub plum/plum release.yaml\n");
        says(&run, "note: now: GitHub plum-dev/plum release.yaml\n");
        let run = review(&["changed-publisher"]);
        assert_eq!(run.findings()[0]["baseline"], "new");
        assert_eq!(run.findings()[0]["places"][0]["line"], 7);
        history.commit("1.2");
        review(&[]);
        // None.
        bench.offer("plum", &pure("plum", "1.3"));
        let run = bench.program.run(command).expect(ExitStatus::Clean);
        says(
            &run,
            "warning[changed-publisher]: `plum` 1.3 has no publisher, unlike 1.2\n",
        );
        says(
            &run,
            "the publisher of plum is not known: `plum-1.3-py3-none-any.whl` has no \
             provenance",
        );
        assert_eq!(publisher(&bench), None);
        review(&["changed-publisher"]);
        history.commit("1.3");
        // The first one.
        offer(&bench, &pure("plum", "1.4"), &[workflow("plum")]);
        let run = bench.program.run(command).expect(ExitStatus::Clean);
        assert!(!run.stderr.contains("changed-publisher"), "{}", run.stderr);
        assert_eq!(publisher(&bench), Some(OURS.to_owned()));
        review(&[]);
    }
}

/// The severity is the repository's choice, and a waiver that covers it stays valid.
#[test]
fn severities_and_waivers_cover_a_changed_publisher() {
    let bench = Bench::of(
        &RepositoryBuilder::new()
            .format_2()
            .configuration("\n[severity]\nchanged-publisher = \"error\"\n"),
    );
    offer(&bench, &pure("plum", "1.0"), &[workflow("plum")]);
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    offer(&bench, &pure("plum", "1.1"), &[workflow("else")]);
    let run = bench.add(&["plum"]).expect(ExitStatus::Findings);
    says(&run, "error[changed-publisher]");
    let settings = bench.repository.read("ipwhl.toml");
    let waiver = "\n[[waiver]]\ncode = \"changed-publisher\"\nproject = \"plum\"\n\
                  reason = \"it has moved\"\nexpires = 2027-01-01\n";
    bench.repository.write("ipwhl.toml", settings + waiver);
    offer(&bench, &pure("plum", "1.2"), &[workflow("plum")]);
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    bench.is_clean();
}

/// A line by hand stays while the wheels stay.
#[test]
fn a_line_of_other_wheels_says_nothing_about_these() {
    let bench = bench();
    bench.offer("plum", &pure("plum", "1.0"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(publisher(&bench), None);
    let text = bench.text("plum") + "publisher = \"our own build\"\n";
    bench.repository.write("declarations/plum.toml", &text);
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(bench.text("plum"), text);
    bench.offer("plum", &pure("plum", "1.1"));
    let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
    says(&run, "note: before: our own build\n");
    assert_eq!(publisher(&bench), None);
    // Format 1 has no publishers, and asks for none.
    let bench = Bench::new();
    offer(&bench, &pure("plum", "1.0"), &[workflow("plum")]);
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(publisher(&bench), None);
    let paths = bench.index.paths();
    assert!(
        paths.iter().all(|path| !path.contains("provenance")),
        "{paths:?}"
    );
}

/// An answer that is none costs the publisher, and never the declaration.
#[test]
fn a_provenance_that_cannot_be_used_is_told() {
    let wheel = pure("plum", "1.0");
    let (name, sha256) = (
        wheel.file_name(),
        Sha256Digest::of(&wheel.build()).to_string(),
    );
    let ours = [workflow("plum")];
    let sound = provenance(&ours, &name, &sha256);
    let with = |pointer: &str, value: Value| {
        let mut other = sound.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        other.to_string().into_bytes()
    };
    let bundles = "/attestation_bundles";
    let statement = "/attestation_bundles/0/attestations/0/envelope/statement";
    let long = "x".repeat(256);
    for (body, reason) in [
        (b"<html>".to_vec(), "it cannot be read: expected value"),
        (vec![b'['; 100_000], "it cannot be read: "),
        (
            vec![b' '; (1 << 20) + 1],
            "its answer is larger than 1048576 bytes",
        ),
        (
            with("/version", json!(2)),
            "it is of version 2, and only 1 is supported",
        ),
        (with(bundles, json!([])), "it names no publisher"),
        (
            with("/attestation_bundles/0/attestations", json!([])),
            "a publisher has no attestation",
        ),
        (
            provenance(&vec![workflow("plum"); 17], &name, &sha256)
                .to_string()
                .into_bytes(),
            "it has 17 publishers, and 16 are the most",
        ),
        (
            with("/attestation_bundles/0/publisher", json!("me")),
            "a publisher is no object",
        ),
        (
            with("/attestation_bundles/0/publisher/workflow", json!(5)),
            "`workflow` of a publisher is no text",
        ),
        (
            with("/attestation_bundles/0/publisher/repository", json!(null)),
            "a publisher has no `repository`",
        ),
        (
            with("/attestation_bundles/0/publisher/repository", json!(long)),
            "`repository` of a publisher has more than 255 bytes",
        ),
        (with(statement, json!("?")), "a statement is not base64"),
        (
            with(statement, json!("AA==")),
            "a statement cannot be read: ",
        ),
        // It is of other bytes, or of another file.
        (
            provenance(&ours, &name, &"0".repeat(64))
                .to_string()
                .into_bytes(),
            "an attestation is about another file",
        ),
        (
            provenance(&ours, "plum-1.1-py3-none-any.whl", &sha256)
                .to_string()
                .into_bytes(),
            "an attestation is about another file",
        ),
    ] {
        let bench = bench();
        offer(&bench, &pure("plum", "0.9"), &ours);
        bench.add(&["plum"]).expect(ExitStatus::Clean);
        offer_body(&bench, &wheel, &body);
        let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
        says(
            &run,
            "the publisher of plum is not known: the provenance of `",
        );
        says(&run, reason);
        says(
            &run,
            "warning[changed-publisher]: `plum` 1.0 has no publisher, unlike 0.9\n",
        );
        assert_eq!(publisher(&bench), None, "{reason}");
        bench.is_sound();
    }
    let bench = bench();
    offer_at(&bench, &wheel, &bench.index.url("/nothing"));
    let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(publisher(&bench), None);
    says(
        &run,
        "the publisher of plum is not known: the provenance of `",
    );
    says(&run, "the server answered 404 Not Found");
    // A name that differs in its spelling only is the same.
    let bench = self::bench();
    let body = provenance(&ours, "PLUM-1.0.0-py3-none-any.whl", &sha256);
    offer_body(&bench, &wheel, body.to_string().as_bytes());
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert_eq!(publisher(&bench), Some(OURS.to_owned()));
}

/// The account of an index is for the index.
#[test]
fn another_host_gets_no_credentials() {
    let wheel = pure("plum", "1.0");
    let (name, sha256) = (
        wheel.file_name(),
        Sha256Digest::of(&wheel.build()).to_string(),
    );
    let body = provenance(&[workflow("plum")], &name, &sha256).to_string();
    for is_redirected in [false, true] {
        let elsewhere = LoopbackIndex::start();
        elsewhere.put("/p", body.as_bytes());
        let mut bench = bench();
        bench.index.require_credentials("me", "pa55w0rd");
        let with_login = bench.index.index_url().replace("://", "://me:pa55w0rd@");
        bench.program = bench.program.index(&with_login);
        if is_redirected {
            let to = Answer::redirect(&elsewhere.url("/p"));
            bench.index.always("/p", to);
            offer_at(&bench, &wheel, &bench.index.url("/p"));
        } else {
            offer_at(&bench, &wheel, &elsewhere.url("/p"));
        }
        let run = bench.add(&["plum"]).expect(ExitStatus::Clean);
        let shown = run.stdout.clone() + &run.stderr;
        assert!(!shown.contains("pa55w0rd"), "{shown}");
        assert_eq!(publisher(&bench), Some(OURS.to_owned()));
        let requests = elsewhere.requests();
        assert_eq!(requests.len(), 1);
        assert!(!requests[0].headers.contains_key("authorization"));
    }
}

/// A host that says nothing has its time, and no more.
#[test]
fn a_silent_host_is_left() {
    let bench = bench();
    bench.index.always("/p", Answer::Stall(Vec::new()));
    offer_at(&bench, &pure("plum", "1.0"), &bench.index.url("/p"));
    let folder = tempfile::tempdir().unwrap();
    let hurried = Limits {
        attempts: 1,
        response_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    // The page has all its time.
    let [patient, hurried] = [Limits::default(), hurried].map(|limits| {
        Fetcher::new(FetchSettings {
            cache: Cache::new(folder.path().join("cache")),
            client: ClientSettings::from_variables(&|_| None, limits),
            index: IndexSearch::new(Some(bench.index.index_url()), None, &|_| None),
            gateways: Vec::new(),
            profile: Profile::UnixfsV1_2025,
            jobs: NonZeroUsize::MIN,
            offline: false,
        })
    });
    let answer = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let index = patient.index().await.unwrap();
        let page = index.project("plum").await.unwrap();
        hurried
            .provenance(&page.files[0], &Sha256Digest::of(b""))
            .await
    });
    let reason = answer.unwrap_err().to_string();
    assert!(reason.contains("no answer within 50 ms"), "{reason}");
}

fn vector(name: &str) -> Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/attestations");
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

/// The name and the SHA-256 that the first attestation is about.
fn subject(provenance: &Value) -> (String, Sha256Digest) {
    let statement =
        &provenance["attestation_bundles"][0]["attestations"][0]["envelope"]["statement"];
    let statement = BASE64
        .decode(statement.as_str().unwrap().as_bytes())
        .unwrap();
    let statement: Value = serde_json::from_slice(&statement).unwrap();
    let subject = &statement["subject"][0];
    let digest = subject["digest"]["sha256"].as_str().unwrap();
    (
        subject["name"].as_str().unwrap().to_owned(),
        digest.parse().unwrap(),
    )
}

fn verified(provenance: &Value) -> Result<(), String> {
    let (name, sha256) = subject(provenance);
    Provenance::parse(provenance.to_string().as_bytes(), &name, &sha256)
        .unwrap()
        .verify()
}

/// Attestations of the real Sigstore. Each change of them is seen.
#[test]
fn real_signatures_are_verified() {
    let github = vector("github.provenance");
    assert_eq!(verified(&github), Ok(()));
    let (name, sha256) = subject(&github);
    let read = Provenance::parse(github.to_string().as_bytes(), &name, &sha256).unwrap();
    let lines: Vec<String> = read.publishers().map(Publisher::to_string).collect();
    assert_eq!(lines, ["GitHub trailofbits/pypi-attestations release.yml"]);
    let gitlab = |publisher: Value| {
        let attestations = [vector("gitlab.attestation")];
        let bundle = json!({"publisher": publisher, "attestations": attestations});
        json!({"version": 1, "attestation_bundles": [bundle]})
    };
    let ours = json!({"kind": "GitLab", "repository": "facutuesca/gitlab-oidc-project",
                      "workflow_filepath": ".gitlab-ci.yml", "environment": "any"});
    assert_eq!(verified(&gitlab(ours)), Ok(()));
    let bundle = "/attestation_bundles/0";
    let with = |path: &str, value: Value| {
        let mut other = github.clone();
        *other.pointer_mut(&format!("{bundle}/{path}")).unwrap() = value;
        verified(&other).expect_err(path)
    };
    let other = "an attestation was signed by another publisher";
    let entry = "attestations/0/verification_material/transparency_entries/0";
    for (path, value, reason) in [
        (
            "publisher/repository",
            json!("someone/pypi-attestations"),
            other,
        ),
        ("publisher/workflow", json!("release.yaml"), other),
        (
            "publisher",
            json!({"kind": "Google", "email": "us@example.org"}),
            "an attestation is refused: ",
        ),
        (
            "publisher",
            json!({"kind": "GitLab", "repository": "trailofbits/pypi-attestations",
                   "workflow_filepath": "release.yml"}),
            "an attestation is refused: ",
        ),
        (
            "publisher",
            json!({"kind": "CircleCI", "project_id": "1", "pipeline_definition_id": "2"}),
            "an attestation is refused: ",
        ),
        (
            "publisher",
            json!({"kind": "New"}),
            "publishers of this kind cannot be verified",
        ),
        (
            "attestations/0/envelope/signature",
            vector("gitlab.attestation")["envelope"]["signature"].clone(),
            "an attestation is refused: ",
        ),
        (
            "attestations/0/verification_material/certificate",
            vector("gitlab.attestation")["verification_material"]["certificate"].clone(),
            "an attestation is refused: ",
        ),
        (
            "attestations/0/verification_material/transparency_entries",
            json!([]),
            "an attestation is refused: ",
        ),
        (
            &*format!("{entry}/integratedTime"),
            json!("1733354042"),
            "an attestation is refused: ",
        ),
    ] {
        let found = with(path, value);
        assert!(found.starts_with(reason), "{path}: {found}");
    }
    // Another statement under the same signature: another file, or another kind of statement.
    let path = "attestations/0/envelope/statement";
    let statement = github.pointer(&format!("{bundle}/{path}")).unwrap();
    let statement = BASE64
        .decode(statement.as_str().unwrap().as_bytes())
        .unwrap();
    let statement = String::from_utf8(statement).unwrap();
    let zeros = "0".repeat(64);
    for (from, to, reason) in [
        (
            sha256.to_string().as_str(),
            zeros.as_str(),
            "an attestation is refused: ",
        ),
        (
            "/publish/v1",
            "/review/v1",
            "an attestation does not say who published the file",
        ),
    ] {
        let other = BASE64.encode(statement.replace(from, to).as_bytes());
        let found = with(path, json!(other));
        assert!(found.starts_with(reason), "{from}: {found}");
    }
    // One that is verified does not stand for another one.
    let mut both = github.clone();
    let own = both["attestation_bundles"][0].clone();
    both["attestation_bundles"] = json!([own, own]);
    both["attestation_bundles"][1]["publisher"]["repository"] = json!("someone/else");
    assert_eq!(verified(&both), Err(other.to_owned()));
    // The keys of the test instance do not count.
    let staging = json!({"version": 1, "attestation_bundles": [{
        "publisher": workflow("plum"), "attestations": [vector("staging.attestation")],
    }]});
    assert!(
        verified(&staging)
            .unwrap_err()
            .starts_with("an attestation is refused: ")
    );
}

/// The library that the output names is the one that is linked.
#[test]
fn the_verifier_is_named_with_its_version() {
    let lock = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"));
    let (name, version) = VERIFIER.split_once(' ').unwrap();
    let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
    assert!(lock.unwrap().contains(&entry), "{entry}");
}
