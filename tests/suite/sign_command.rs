//! `ipwhl sign`: one more signature beside a statement, where it says what it should.

use std::fs;

use ipwhl::command::ExitStatus;
use ipwhl::release::signature::SigningKey;

use crate::support::program::Program;
use crate::support::workshop::{Ran, Workshop, files, installable_from};

fn key(seed: u8) -> SigningKey {
    let key = SigningKey::from_seed(&[seed; 32]).unwrap();
    key.with_comment(&format!("key-{seed}"))
}

/// A release signed by the first of two keys that both have to sign, and a third key.
fn signed() -> Workshop {
    let lines = [1, 2].map(|seed| format!("{:?}", key(seed).public().line(&format!("key-{seed}"))));
    let signing = format!(
        "\n[signing]\ntrusted = [{}]\nthreshold = 2\n",
        lines.join(", ")
    );
    let workshop = Workshop::with(&installable_from(None).configuration(&signing));
    for seed in 1..=3 {
        let path = workshop.path(&format!("key-{seed}"));
        fs::write(path, key(seed).to_openssh().unwrap()).unwrap();
    }
    workshop.build(&["--key", "../key-1"]);
    workshop
}

const VERIFY: [&str; 4] = ["verify", "release", "--statement", "release/release.toml"];

fn sign(workshop: &Workshop, key: &str, more: &[&str]) -> Ran {
    let arguments = ["sign", "release/release.toml", "--key", key];
    workshop.run(&[&arguments[..], more].concat())
}

#[test]
fn a_second_signature_completes_a_statement_and_a_third_time_changes_nothing() {
    let workshop = signed();
    workshop.run(&VERIFY).refused(1, &["has 1 of the 2"]);
    // By the one who has signed already.
    let kept = files(&workshop.repository().join("release"));
    let again = sign(&workshop, "../key-1", &[]);
    assert_eq!(again.line(), "release/release.toml.sig");
    again.said("is already a signature with this key: nothing was changed");
    again.said("the statement has 1 of 2 needed signatures");
    assert_eq!(files(&workshop.repository().join("release")), kept);

    let name = format!("release/release.toml.{}.sig", key(2).public().file_digits());
    let second = sign(&workshop, "../key-2", &[]);
    assert_eq!(second.line(), name);
    let text = String::from_utf8(workshop.read("release.toml")).unwrap();
    let root = text.split('"').nth(3).unwrap();
    for word in [
        "name      example",
        "sequence  1",
        &format!("root      {root}"),
        "previous  none (first release)",
        "expires   never",
        "the statement has 2 of 2 needed signatures: it is complete",
    ] {
        second.said(word);
    }
    workshop.run(&VERIFY).line();
    let kept = files(&workshop.repository().join("release"));
    assert_eq!(sign(&workshop, "../key-2", &[]).line(), name);
    assert_eq!(files(&workshop.repository().join("release")), kept);
    // Without a first signature, the next one takes its name; a broken one is nobody's to replace.
    fs::remove_file(workshop.repository().join(&name)).unwrap();
    fs::write(workshop.release("release.toml.sig"), "broken").unwrap();
    assert_eq!(sign(&workshop, "../key-2", &[]).line(), name);
    fs::remove_file(workshop.release("release.toml.sig")).unwrap();
    assert_eq!(
        sign(&workshop, "../key-1", &[]).line(),
        "release/release.toml.sig"
    );
    workshop.run(&VERIFY).line();
}

#[test]
fn what_should_not_be_signed_is_not() {
    let workshop = signed();
    let release = workshop.repository().join("release");
    let kept = files(&release);
    sign(&workshop, "../key-3", &[]).refused(
        1,
        &["is not one of the repository's `trusted` keys", "help: "],
    );
    let text = String::from_utf8(workshop.read("release.toml")).unwrap();
    let statement = workshop.release("release.toml");
    // Not a statement, of another repository, expired.
    for (from, to, word) in [
        ("format = 1", "format = 9", "is not a statement"),
        (
            "name = \"example\"",
            "name = \"other\"",
            "is of \"other\", but this repository is \"example\"",
        ),
    ] {
        fs::write(&statement, text.replace(from, to)).unwrap();
        sign(&workshop, "../key-2", &[]).refused(1, &[word]);
    }
    let mortal = text.replace("checks =", "expires = 2026-11-21T00:00:00Z\nchecks =");
    let mortal = mortal.replace("created = ", "created = 2026-11-20T00:00:00Z # ");
    fs::write(&statement, mortal).unwrap();
    let at = |now: &str| {
        let arguments = ["sign", "release/release.toml", "--key", "../key-2"];
        Program::new(&workshop.repository())
            .now(now)
            .run(&arguments)
    };
    let late = at("2026-11-21T00:00:00Z").expect(ExitStatus::Findings);
    assert!(
        late.stderr.contains("expired on 2026-11-21T00:00:00Z"),
        "{}",
        late.stderr
    );
    assert!(late.stderr.contains("--after-expiry"), "{}", late.stderr);
    fs::write(&statement, &text).unwrap();
    assert_eq!(files(&release), kept);
    // Nothing beside the file may be missing or a folder.
    workshop
        .run(&["sign", "nothing.toml", "--key", "../key-2"])
        .refused(3, &["nothing.toml` cannot be read"]);

    // The statement before has a say where it is named.
    sign(&workshop, "../key-2", &[]).line();
    let before = workshop.path("before");
    fs::create_dir(&before).unwrap();
    for (name, bytes) in files(&release) {
        fs::write(before.join(name), bytes).unwrap();
    }
    let previous = ["--previous", "../before/release.toml"];
    sign(&workshop, "../key-2", &previous).refused(1, &["does not follow `--previous`"]);
    workshop.build(&[&previous[..], &["--renew", "--key", "../key-1"]].concat());
    let next = sign(&workshop, "../key-2", &previous);
    next.said("sequence  2");
    next.said("2 of 2 needed signatures");
    next.line();
}

/// Outside of any repository nothing tells whom to believe, and the statement's own list is what is
/// counted.
#[test]
fn a_statement_can_be_signed_where_there_is_no_repository() {
    let workshop = signed();
    let elsewhere = Workshop::empty();
    for (name, bytes) in files(&workshop.repository().join("release")) {
        fs::write(elsewhere.path(&name), bytes).unwrap();
    }
    fs::write(elsewhere.path("key"), key(2).to_openssh().unwrap()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let set = |mode| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(elsewhere.path("key"), mode).unwrap();
        };
        for mode in [0o640, 0o602] {
            set(mode);
            let ran = elsewhere.run(&["sign", "release.toml", "--key", "key"]);
            ran.said("warning: other users can read or write the key `key`");
            ran.said("help: `chmod 600 key` makes it private");
            fs::remove_file(elsewhere.path(ran.line())).unwrap();
        }
        set(0o600);
    }
    let ran = elsewhere.run(&["sign", "release.toml", "--key", "key"]);
    ran.said("the statement has 2 of 2 needed signatures");
    assert!(!ran.error.contains("warning"), "{}", ran.error);
    assert!(elsewhere.path(ran.line()).is_file());

    // A key that it does not name is none of those, and its owner is told; every time.
    fs::remove_file(elsewhere.path(ran.line())).unwrap();
    fs::write(elsewhere.path("key"), key(3).to_openssh().unwrap()).unwrap();
    for _ in 0..2 {
        let ran = elsewhere.run(&["sign", "release.toml", "--key", "key"]);
        ran.said("warning: `trusted` in `release.toml` does not name the key");
        ran.said("the statement has 1 of 2 needed signatures");
        assert!(elsewhere.path(ran.line()).is_file());
    }
    // Where nothing says whose signatures count, that is said.
    let workshop = Workshop::with(&installable_from(None));
    workshop.build(&[]);
    fs::copy(workshop.release("release.toml"), elsewhere.path("own.toml")).unwrap();
    let ran = elsewhere.run(&["sign", "own.toml", "--key", "key"]);
    ran.said("no list of trusted keys was found for `own.toml`");
    assert!(!ran.error.contains("complete"), "{}", ran.error);
    ran.line();
}

#[test]
fn a_threshold_is_raised_when_the_others_have_signed_the_last_statement() {
    let workshop = signed();
    let path = workshop.repository().join("ipwhl.toml");
    let raised = fs::read_to_string(&path).unwrap();
    fs::write(&path, raised.replace("threshold = 2", "threshold = 1")).unwrap();
    workshop.build(&["--key", "../key-1"]);
    fs::write(&path, raised).unwrap();
    let build = [
        "build",
        "--key",
        "../key-1",
        "--previous",
        "release/release.toml",
    ];
    let ran = workshop.run(&build);
    let line = "ipwhl sign release/release.toml --key KEY";
    ran.refused(1, &["has 1 of the 2 trusted signatures", line]);
    sign(&workshop, "../key-2", &[]).line();
    workshop.run(&build).said("signed release.toml: sequence 3");
    // Nobody whom the repository trusts: then no further signature helps.
    fs::write(
        workshop.release("release.toml.sig"),
        ipwhl::release::signature::sign(&key(3), &workshop.read("release.toml")).unwrap(),
    )
    .unwrap();
    let ran = workshop.run(&build);
    ran.refused(1, &["has 0 of the 2", "name a statement that"]);
}
