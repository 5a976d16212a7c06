//! `ipwhl publish` to a pinning service, played from its specification with its errors; and what
//! becomes of secrets.

use std::fs;
use std::process::Stdio;

use crate::publish_kubo::{installable_with, second, settings, succeeded};
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::pinning_service::{Fault, PinningService};
use crate::support::serving::Serving;
use crate::support::workshop::{Ran, Workshop};

const TOKEN: &str = "t0ken-of-the-service";
const ORIGIN: &str =
    "/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWHEZN6WR5GWdfQFKdcmoq6EZvYtNzgysS3Vm9grkLQdab";

fn target(endpoint: &str, more: &str) -> String {
    format!(
        "[publish.service]\nkind = \"pinning-service\"\nholders = []\nendpoint = \"{endpoint}\"\n{more}\n"
    )
}

fn publish(workshop: &Workshop, arguments: &[&str]) -> Ran {
    let arguments = [&["publish"], arguments].concat();
    let mut command = workshop.command(&arguments);
    command.env("IPWHL_PUBLISH_SERVICE_TOKEN", TOKEN);
    Ran::of(&command.output().unwrap())
}

/// A built release, and a service that pins at once.
fn ready(service: &PinningService) -> (Workshop, String) {
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(&workshop, &target(&service.url, ""));
    let root = workshop.build(&[]);
    service.becomes(&[("pinned", "")]);
    (workshop, root)
}

#[test]
fn a_pin_is_asked_for_waited_for_and_replaced() {
    let service = PinningService::start(TOKEN);
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    let plain = fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    let first = workshop.build(&[]);
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    let gateway = |serving: &Serving| serving.url.split("/ipfs/").next().unwrap().to_owned();
    let more = format!(
        "origins = [\"{ORIGIN}\"]\ngateway = \"{}\"",
        gateway(&serving)
    );
    settings(&workshop, &target(&service.url, &more));

    let dry = publish(&workshop, &["--dry-run"]);
    assert!(
        dry.output
            .contains(&format!("would ask for a pin of {first}")),
        "{dry:?}"
    );
    assert_eq!(service.requests(), ["GET /pins"]);

    service.becomes(&[
        ("queued", "Queue position: 7 of 9"),
        ("pinning", ""),
        ("pinned", ""),
    ]);
    let ran = succeeded(publish(&workshop, &[]));
    ran.said("the pin is queued: Queue position: 7 of 9");
    ran.said("the pin is pinning");
    ran.said("read back the root and 3 wheels");
    let one = "GET /pins/request-1";
    assert_eq!(
        service.requests(),
        ["GET /pins", "POST /pins", one, one, one]
    );
    let pin = service.pins()[0]["pin"].clone();
    assert_eq!(pin["cid"], first.as_str());
    assert_eq!(pin["name"], "ipwhl/example");
    assert_eq!(pin["origins"], serde_json::json!([ORIGIN]));
    assert_eq!(pin["meta"]["sequence"], "1");

    // The same again asks for nothing new.
    succeeded(publish(&workshop, &[]));
    assert_eq!(service.requests(), ["GET /pins"]);

    // The next release takes the place of this one.
    drop(serving);
    fs::write(workshop.repository().join("ipwhl.toml"), plain).unwrap();
    let root = second(&workshop, "");
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    let more = format!("gateway = \"{}\"", gateway(&serving));
    settings(&workshop, &target(&service.url, &more));
    service.becomes(&[("pinned", "")]);
    let ran = succeeded(publish(&workshop, &[]));
    ran.said("asked for a pin of");
    assert_eq!(
        service.requests(),
        [
            "GET /pins",
            "POST /pins",
            "GET /pins/request-2",
            "DELETE /pins/request-1"
        ]
    );
    let pins = service.pins();
    assert_eq!(pins.len(), 1);
    assert_eq!(pins[0]["pin"]["cid"], root.as_str());

    // A service that holds something newer is left alone.
    service.becomes(&[("pinned", "")]);
    service.change(|pins| {
        pins[0]["pin"]["meta"]["sequence"] = "9".into();
        pins[0]["pin"]["cid"] = first.as_str().into();
    });
    publish(&workshop, &[]).refused(
        1,
        &["it has sequence 9", "has the sequence 2", "--previous"],
    );
    assert_eq!(service.requests(), ["GET /pins"]);
}

#[test]
fn a_renewed_statement_gets_a_pin_of_its_own_before_the_old_one_goes() {
    let service = PinningService::start(TOKEN);
    let (workshop, root) = ready(&service);
    succeeded(publish(&workshop, &[]));
    service.requests();
    let newest = workshop.release("release.toml");
    workshop.build(&["--previous", newest.to_str().unwrap(), "--renew"]);
    service.becomes(&[("pinned", "")]);
    succeeded(publish(&workshop, &[])).said("removed the older pin of");
    assert_eq!(
        service.requests(),
        [
            "GET /pins",
            "POST /pins",
            "GET /pins/request-2",
            "DELETE /pins/request-1"
        ]
    );
    // What a cut run has left goes as well.
    service.change(|pins| {
        let mut left = pins[0].clone();
        left["requestid"] = "left".into();
        left["pin"]["meta"]["sequence"] = "1".into();
        pins.insert(0, left);
    });
    let dry = publish(&workshop, &["--dry-run"]);
    assert!(
        dry.output
            .contains(&format!("would remove the older pin of {root}")),
        "{dry:?}"
    );
    succeeded(publish(&workshop, &[]));
    let pins = service.pins();
    assert_eq!(pins.len(), 1, "{pins:?}");
    assert_eq!(pins[0]["pin"]["meta"]["sequence"], "2");
}

#[test]
fn what_a_service_refuses_is_said_in_its_words() {
    let service = PinningService::start(TOKEN);
    let (workshop, root) = ready(&service);
    let error = |reason: &str, details: &str| {
        format!("{{\"error\": {{\"reason\": \"{reason}\", \"details\": \"{details}\"}}}}")
    };
    let faults: [(u16, String, &[&str]); 7] = [
        (
            400,
            error("BAD_REQUEST", "explanation"),
            &["400", "BAD_REQUEST: explanation"],
        ),
        (
            401,
            error("UNAUTHORIZED", "expired"),
            &["UNAUTHORIZED: expired", "the secret in the environment"],
        ),
        (404, error("NOT_FOUND", "gone"), &["NOT_FOUND: gone"]),
        (
            409,
            error("INSUFFICIENT_FUNDS", "no credit"),
            &["INSUFFICIENT_FUNDS: no credit", "the account is full"],
        ),
        (
            418,
            error("A_REASON_OF_ITS_OWN", "\\u001b[2J"),
            &["418", "A_REASON_OF_ITS_OWN"],
        ),
        (
            500,
            error("INTERNAL_SERVER_ERROR", ""),
            &["500", "INTERNAL_SERVER_ERROR"],
        ),
        (
            202,
            "<html>".to_owned(),
            &[
                "does not follow its API",
                "check that this is the address of the API",
            ],
        ),
    ];
    for (status, body, words) in faults {
        service.fails(Some(Fault::Answer(status, body)));
        let ran = publish(&workshop, &[]);
        ran.refused(3, words);
        ran.said("`ipwhl publish service` continues this run");
        assert!(!ran.error.contains('\u{1b}'), "{}", ran.error);
    }
    service.fails(Some(Fault::OtherPin));
    publish(&workshop, &[]).refused(3, &["answered with a pin of bafkrei", &root]);
    service.fails(None);
    service.change(Vec::clear);

    service.becomes(&[("pinning", ""), ("failed", "no node has it")]);
    publish(&workshop, &[]).refused(3, &["has given up pinning", "no node has it", "`origins`"]);
    // What has failed is asked for again, in its own place.
    service.becomes(&[("pinned", "")]);
    succeeded(publish(&workshop, &[]));
    assert_eq!(service.pins().len(), 1);
    service.becomes(&[("lost", "")]);
    service.change(|pins| pins[0]["status"] = "queued".into());
    publish(&workshop, &[]).refused(3, &["the status `lost`, which is not in the API"]);

    // Nobody is let in without a token.
    workshop
        .run(&["publish"])
        .refused(3, &["UNAUTHORIZED", "set `IPWHL_PUBLISH_SERVICE_TOKEN`"]);
}

#[test]
fn a_run_that_is_cut_leaves_one_pin_when_it_is_run_again() {
    for cut in [
        Cut::Before(1),
        Cut::After(1),
        Cut::Before(2),
        Cut::After(2),
        Cut::Before(3),
        Cut::After(3),
    ] {
        let service = PinningService::start(TOKEN);
        let (workshop, root) = ready(&service);
        let path = workshop.repository().join("ipwhl.toml");
        let straight = fs::read_to_string(&path).unwrap();
        let proxy = CuttingProxy::start(&service.url, cut);
        fs::write(&path, straight.replace(&service.url, &proxy.url)).unwrap();
        let mut command = workshop.command(&["publish"]);
        command.env("IPWHL_PUBLISH_SERVICE_TOKEN", TOKEN);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        assert!(proxy.cuts(child), "{cut:?}");
        fs::write(&path, &straight).unwrap();
        service.becomes(&[("pinned", "")]);
        succeeded(publish(&workshop, &[]));
        let pins = service.pins();
        assert_eq!(pins.len(), 1, "{cut:?}: {pins:?}");
        assert_eq!(pins[0]["pin"]["cid"], root.as_str());
    }
}

#[test]
fn no_secret_is_in_any_output() {
    let service = PinningService::start(TOKEN);
    let (workshop, _) = ready(&service);
    let silent = |ran: &Ran| {
        for text in [&ran.output, &ran.error] {
            assert!(
                !text.contains(TOKEN) && !text.contains("sw0rdfish"),
                "{text}"
            );
        }
    };
    // Servers that send back what they were sent.
    for (status, body) in [
        (
            400,
            "{\"error\": {\"reason\": \"{authorization}\", \"details\": \"got {authorization}\"}}",
        ),
        (403, "{\"error\": \"{authorization}\"}"),
        (500, "the header was: Authorization: {authorization}"),
        (500, "{\"message\": \"{authorization}\"}"),
        (
            202,
            "{\"requestid\": \"{authorization}\", \"status\": \"{authorization}\", \"pin\": \
             {\"cid\": \"{authorization}\"}}",
        ),
        (202, "{\"requestid\": {\"{authorization}\": 1}}"),
        (302, "{authorization}"),
    ] {
        service.fails(Some(Fault::Answer(status, body.to_owned())));
        for arguments in [&[][..], &["-v"], &["-vv"]] {
            let ran = publish(&workshop, arguments);
            assert_eq!(ran.code, Some(3), "{ran:?}");
            silent(&ran);
        }
    }
    service.fails(None);
    service.becomes(&[("queued", &format!("Bearer {TOKEN}")), ("failed", TOKEN)]);
    let ran = publish(&workshop, &["-v"]);
    ran.refused(3, &["has given up pinning", "***"]);
    silent(&ran);
    // Nor when it is the wrong one, or no header can hold it.
    for (name, value) in [
        ("TOKEN", "sw0rdfish"),
        ("TOKEN", "sw0rdfish\nsw0rdfish"),
        ("BASIC", "user:sw0rdfish"),
        ("BASIC", "sw0rdfish"),
    ] {
        let mut command = workshop.command(&["publish", "-v"]);
        command.env(format!("IPWHL_PUBLISH_SERVICE_{name}"), value);
        let ran = Ran::of(&command.output().unwrap());
        assert_ne!(ran.code, Some(0));
        silent(&ran);
    }
    // A secret goes without encryption to this machine only.
    let path = workshop.repository().join("ipwhl.toml");
    let straight = fs::read_to_string(&path).unwrap();
    fs::write(&path, straight.replace(&service.url, "http://example.org")).unwrap();
    publish(&workshop, &[]).refused(1, &["without encryption", "`https://`"]);
    // A password in the file is a mistake, and not repeated.
    for (key, url) in [
        ("endpoint", "https://me:sw0rdfish@example.org/"),
        ("endpoint", "https://example.org/?key=sw0rdfish"),
        ("gateway", "https://me:sw0rdfish@example.org/"),
    ] {
        let line = format!("endpoint = \"{}\"", service.url);
        let mine = if key == "endpoint" {
            straight.replace(&line, &format!("endpoint = \"{url}\""))
        } else {
            straight.replace(&line, &format!("{line}\n{key} = \"{url}\""))
        };
        fs::write(&path, mine).unwrap();
        for command in [
            &["publish", "-v"][..],
            &["check", "--message-format", "json"],
            &["check"],
        ] {
            let ran = workshop.run(command);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            silent(&ran);
        }
    }
}
