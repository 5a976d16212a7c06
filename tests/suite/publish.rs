//! `ipwhl publish` before it comes to a target, and over several of them.

use std::fs;

use crate::publish_kubo::{installable_with, settings};
use crate::reuse::{key, trusted};
use crate::support::http;
use crate::support::loopback_index::LoopbackIndex;
use crate::support::pinning_service::PinningService;
use crate::support::workshop::{Ran, Workshop};

const TOKEN: &str = "t0ken";

fn workshop(service: &PinningService) -> Workshop {
    let workshop = Workshop::with(&installable_with("2.1.post1").configuration(&trusted()));
    for seed in [1, 2] {
        let name = format!("key-{seed}");
        fs::write(workshop.path(&name), key(seed).to_openssh().unwrap()).unwrap();
    }
    settings(
        &workshop,
        &format!(
            "[publish.first]\nkind = \"kubo\"\napi = \"{}\"\n\n[publish.second]\nkind \
             = \"pinning-service\"\nholders = []\nendpoint = \"{}\"\n",
            http::closed(),
            service.url
        ),
    );
    workshop
}

fn publish(workshop: &Workshop, arguments: &[&str]) -> Ran {
    let mut command = workshop.command(&[&["publish"], arguments].concat());
    command.env("IPWHL_PUBLISH_SECOND_TOKEN", TOKEN);
    Ran::of(&command.output().unwrap())
}

#[test]
fn a_target_that_fails_does_not_stop_the_next_one() {
    let service = PinningService::start(TOKEN);
    let workshop = workshop(&service);
    workshop.build(&["--key", "../key-1"]);
    service.becomes(&[("pinned", "")]);
    let ran = publish(&workshop, &[]);
    ran.refused(
        3,
        &[
            "first: no connection to http://127.0.0.1:",
            "check that it is running",
            "second: asked for a pin of",
            "1 target failed: `ipwhl publish first`",
        ],
    );
    assert_eq!(service.pins().len(), 1);
    // What is typed as it is said publishes the same release.
    fs::rename(
        workshop.repository().join("release"),
        workshop.path("its release"),
    )
    .unwrap();
    let elsewhere = ["--release", "../its release", "--key", "../key-1"];
    let ran = publish(&workshop, &elsewhere);
    ran.said("`ipwhl publish --release '../its release' --key ../key-1 first` continues this run");
    publish(&workshop, &["--release", "../its release", "--unsigned"])
        .said("second: it has sequence 1");
    let dry = publish(&workshop, &[&elsewhere[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, Some(3), "{dry:?}");
    dry.said("first: no connection to");
    assert!(!dry.error.contains("continues this run"), "{dry:?}");
    fs::rename(
        workshop.path("its release"),
        workshop.repository().join("release"),
    )
    .unwrap();
    // Only what is named is asked.
    service.requests();
    assert_eq!(publish(&workshop, &["first"]).code, Some(3));
    assert!(service.requests().is_empty());
    publish(&workshop, &["secnd"])
        .refused(2, &["there is no target `secnd`", "did you mean `second`?"]);
    publish(&workshop, &["elsewhere"]).refused(2, &["the targets are `first`, `second`"]);
}

#[test]
fn what_is_not_whole_and_vouched_for_goes_nowhere() {
    let service = PinningService::start(TOKEN);
    let workshop = workshop(&service);
    // What should not go there is there at once.
    service.becomes(&[("pinned", ""); 20]);
    publish(&workshop, &[]).refused(
        3,
        &["has no `release.car`", "`ipwhl build` builds a release"],
    );
    workshop.build(&["--unsigned"]);
    publish(&workshop, &[]).refused(1, &["the release has no statement", "`--unsigned`"]);
    workshop.build(&["--key", "../key-1", "--output", "other"]);
    workshop.run(&["hollow", "other"]).line();
    fs::remove_file(workshop.repository().join("other/release.car")).unwrap();
    publish(&workshop, &["--release", "other"])
        .refused(3, &["`ipwhl fill ", "release.hollow.car` completes it"]);
    // A part under the name of the whole.
    let part = workshop.repository().join("other/release.hollow.car");
    fs::rename(part, workshop.repository().join("other/release.car")).unwrap();
    publish(&workshop, &["--release", "other"])
        .refused(1, &["lacks ", "only `release.delta.car` may be incomplete"]);

    workshop.build(&["--key", "../key-1"]);
    let archive = fs::read(workshop.release("release.car")).unwrap();
    let mut damaged = archive.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(workshop.release("release.car"), damaged).unwrap();
    assert_eq!(publish(&workshop, &[]).code, Some(1));
    fs::write(workshop.release("release.car"), archive).unwrap();

    // By somebody whom the repository does not trust; of another release; changed.
    let statement = fs::read_to_string(workshop.release("release.toml")).unwrap();
    fs::write(
        workshop.release("release.toml"),
        statement.replace("sequence = 1", "sequence = 7"),
    )
    .unwrap();
    assert_eq!(publish(&workshop, &[]).code, Some(1));
    fs::write(workshop.release("release.toml"), &statement).unwrap();
    let signed = fs::read(workshop.release("release.toml.sig")).unwrap();
    let by_other = ipwhl::release::signature::sign(&key(2), statement.as_bytes()).unwrap();
    fs::write(workshop.release("release.toml.sig"), by_other).unwrap();
    assert_eq!(publish(&workshop, &[]).code, Some(1));
    fs::write(workshop.release("release.toml.sig"), signed).unwrap();
    let lines: Vec<String> = statement
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("created", _)) => {
                "created = 2026-01-01T00:00:00Z\nexpires = 2026-02-01T00:00:00Z".to_owned()
            }
            _ => line.to_owned(),
        })
        .collect();
    let expired = lines.join("\n") + "\n";
    let signature = ipwhl::release::signature::sign(&key(1), expired.as_bytes()).unwrap();
    fs::write(workshop.release("release.toml"), &expired).unwrap();
    fs::write(workshop.release("release.toml.sig"), signature).unwrap();
    let ran = publish(&workshop, &[]);
    ran.refused(1, &["expired on 2026-02-01", "--renew"]);
    // The way out that is said is one.
    let line = "build --renew --after-expiry --previous release/release.toml";
    ran.said(&format!("`ipwhl {line}`"));
    let words: Vec<&str> = line.split(' ').collect();
    let out = ["--key", "../key-1", "--output", "../renewed"];
    workshop.run(&[&words[..], &out].concat()).line();
    fs::create_dir(workshop.path("kept")).unwrap();
    for name in ["release.car", "release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), workshop.path("kept").join(name)).unwrap();
    }
    publish(&workshop, &["--release", "../kept"]).said(" --output ");
    // Nothing of all this was ever asked for.
    assert!(service.pins().is_empty());
    assert!(
        service
            .requests()
            .iter()
            .all(|request| request == "GET /pins")
    );
}

#[test]
fn a_secret_for_this_machine_passes_no_proxy() {
    let service = PinningService::start(TOKEN);
    let workshop = workshop(&service);
    workshop.build(&["--key", "../key-1"]);
    service.becomes(&[("pinned", ""); 20]);
    let proxy = LoopbackIndex::start();
    for variable in [
        "http_proxy",
        "HTTP_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "PIP_PROXY",
    ] {
        let mut command = workshop.command(&["publish", "second"]);
        command
            .env("IPWHL_PUBLISH_SECOND_TOKEN", TOKEN)
            .env(variable, proxy.url(""));
        let ran = Ran::of(&command.output().unwrap());
        assert_eq!(ran.code, Some(0), "{variable}: {ran:?}");
        assert!(!service.requests().is_empty(), "{variable}");
    }
    assert_eq!(proxy.connections(), 0, "{:?}", proxy.paths());

    // Anywhere else, encryption is wanted, and nobody is asked.
    settings(
        &workshop,
        "\n[publish.third]\nkind = \"pinning-service\"\nholders = []\nendpoint \
         = \"http://service.example.org/psa\"\n",
    );
    let mut command = workshop.command(&["publish", "third"]);
    command
        .env("IPWHL_PUBLISH_THIRD_TOKEN", TOKEN)
        .env("http_proxy", proxy.url(""));
    Ran::of(&command.output().unwrap()).refused(
        1,
        &["the secret of this target would be sent to", "`https://`"],
    );
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn where_one_target_refuses_a_release_none_is_changed() {
    let service = PinningService::start(TOKEN);
    let workshop = workshop(&service);
    settings(
        &workshop,
        "[publish.site]\nkind = \"directory\"\npath = \"../site\"",
    );
    let configuration = fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    workshop.build(&["--key", "../key-1"]);
    assert_eq!(publish(&workshop, &["site"]).code, Some(0));
    // Another first release.
    fs::remove_file(workshop.release("release.toml")).unwrap();
    fs::remove_file(workshop.release("release.toml.sig")).unwrap();
    workshop.write_over(&installable_with("2.2"));
    fs::write(workshop.repository().join("ipwhl.toml"), configuration).unwrap();
    workshop.build(&["--key", "../key-1"]);
    service.becomes(&[("pinned", ""); 20]);
    for arguments in [&["second", "site"][..], &[], &["--dry-run"]] {
        service.requests();
        let ran = publish(&workshop, arguments);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.said("site: it has another release with the sequence 1");
        if arguments != ["--dry-run"] {
            ran.said("`site` refused the release, so no target was changed");
        }
        assert!(!ran.error.contains("continues this run"), "{ran:?}");
        assert_eq!(service.requests(), ["GET /pins"], "{arguments:?}");
    }
    assert!(service.pins().is_empty());
    // Alone, the other one takes it.
    assert_eq!(publish(&workshop, &["second"]).code, Some(0));
}
