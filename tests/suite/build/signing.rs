//! Who signs a release, what the statement says, and what it follows.

use std::fs;
use std::path::Path;
use std::process::Command;

use ipwhl::release::signature::{PublicKey, SigningKey, sign};
use ipwhl::release::statement::Statement;

use crate::support::loopback_index::LoopbackIndex;
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::tool;
use crate::support::workshop::{Ran, Workshop, feed, files, installable_from, pure};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
        .unwrap()
        .with_comment(&format!("key-{seed}"))
}

/// A line of `trusted`, quoted.
fn line(seed: u8) -> String {
    format!("{:?}", key(seed).public().line(&format!("key-{seed}")))
}

/// A small repository with the keys 1 to 3 in `key-1` to `key-3` beside it.
pub fn workshop(signing: &str) -> Workshop {
    let workshop = Workshop::with(&installable_from(None).configuration(signing));
    for seed in 1..=3 {
        fs::write(
            workshop.path(&format!("key-{seed}")),
            key(seed).to_openssh().unwrap(),
        )
        .unwrap();
    }
    workshop
}

pub fn trusted(seeds: &[u8], threshold: u8) -> String {
    let lines: Vec<String> = seeds.iter().map(|&seed| line(seed)).collect();
    format!(
        "\n[signing]\ntrusted = [{}]\nthreshold = {threshold}\n",
        lines.join(", ")
    )
}

pub fn statement(workshop: &Workshop) -> Statement {
    Statement::parse(&String::from_utf8(workshop.read("release.toml")).unwrap()).unwrap()
}

fn signer(workshop: &Workshop) -> PublicKey {
    let signature = String::from_utf8(workshop.read("release.toml.sig")).unwrap();
    ipwhl::release::signature::verify(&signature, &workshop.read("release.toml")).unwrap()
}

/// Another root: a project more.
pub fn add_a_project(workshop: &Workshop, name: &str) {
    let other = Workshop::with(&RepositoryBuilder::new().project(Project::wanted(pure(name, "1"))));
    for (path, bytes) in files(&other.repository()) {
        if path != "ipwhl.toml" {
            fs::write(workshop.repository().join(path), bytes).unwrap();
        }
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_build_makes_a_key_and_says_so() {
    let workshop = workshop("");
    let ran = workshop.run(&["build"]);
    let root = ran.line();
    let path = workshop.path("home/.config/ipwhl/signing-key");
    let own = SigningKey::from_openssh(&fs::read_to_string(&path).unwrap()).unwrap();
    ran.said("created your own signing key, ");
    ran.said(path.to_str().unwrap());
    ran.said(&own.public().fingerprint());
    #[cfg(unix)]
    assert_eq!(mode(&path), 0o600);
    assert_eq!(signer(&workshop), own.public());
    let first = statement(&workshop);
    assert_eq!(first.name, "example");
    assert_eq!(first.root.to_string(), root);
    assert_eq!((first.sequence, first.previous), (1, None));
    assert_eq!(first.expires, None);
    assert!(first.trusted.is_empty());
    // The next build takes it and does not speak of it.
    let ran = workshop.run(&["build"]);
    ran.line();
    assert!(!ran.error.contains("your own signing key"), "{}", ran.error);
    assert_eq!(signer(&workshop), own.public());
}

#[test]
fn in_ci_no_key_is_made() {
    let workshop = workshop("");
    let build = |ci: &str, more: &[&str]| {
        let arguments = [&["build"], more].concat();
        Ran::of(&workshop.command(&arguments).env("CI", ci).output().unwrap())
    };
    for ci in ["1", "true"] {
        build(ci, &[]).refused(
            3,
            &[
                "there is no key to sign the release with",
                "IPWHL_SIGNING_KEY",
                "--unsigned",
            ],
        );
    }
    assert!(!workshop.repository().join("release").exists());
    assert!(files(&workshop.path("home")).is_empty());
    build("1", &["--unsigned"]).line();
    assert!(!workshop.release("release.toml").exists());
    // A key that is there is used, in CI as elsewhere.
    build("1", &["--key", "../key-1"]).line();
    assert_eq!(signer(&workshop), key(1).public());
    fs::remove_file(workshop.release("release.toml")).unwrap();
    fs::remove_file(workshop.release("release.toml.sig")).unwrap();
    build("false", &[]).line();
    assert_ne!(signer(&workshop), key(1).public());
    build("1", &[]).line();
}

#[test]
fn a_key_is_named_by_path_or_given_as_it_is() {
    let workshop = workshop("");
    let build = |value: &str, more: &[&str]| {
        let arguments = [&["build"], more].concat();
        let output = workshop
            .command(&arguments)
            .env("IPWHL_SIGNING_KEY", value)
            .output();
        Ran::of(&output.unwrap())
    };
    let again = |value: &str, more: &[&str]| {
        fs::remove_file(workshop.release("release.toml")).unwrap();
        fs::remove_file(workshop.release("release.toml.sig")).unwrap();
        build(value, more)
    };
    build(workshop.path("key-1").to_str().unwrap(), &[]).line();
    assert_eq!(signer(&workshop), key(1).public());
    again("../key-2", &[]).line();
    assert_eq!(signer(&workshop), key(2).public());
    again(&key(3).to_openssh().unwrap(), &[]).line();
    assert_eq!(signer(&workshop), key(3).public());
    // The command line has the last word.
    again("../key-2", &["--key", "../key-1"]).line();
    assert_eq!(signer(&workshop), key(1).public());
    let before = files(&workshop.repository().join("release"));
    let secret = key(3).to_openssh().unwrap().replace("-----END", "-----EN");
    let broken = build(&secret, &[]);
    broken.refused(3, &["the key in IPWHL_SIGNING_KEY cannot sign"]);
    let middle = secret.lines().nth(2).unwrap();
    assert!(!broken.error.contains(middle), "a secret was shown");
    // Without its first line, without any, and with the lines as one.
    let text = key(3).to_openssh().unwrap();
    let body = text.split_once('\n').unwrap().1;
    for part in [
        body.to_owned(),
        body.replace('\n', ""),
        body.lines().next().unwrap().to_owned(),
    ] {
        let ran = build(&part, &[]);
        ran.refused(2, &["`IPWHL_SIGNING_KEY` is neither", "-----BEGIN"]);
        assert!(
            !ran.error.contains(middle) && !ran.error.contains("b3BlbnNz"),
            "{ran:?}"
        );
    }
    build("../nothing", &[]).refused(3, &["nothing` cannot be read"]);
    build("../repository/ipwhl.toml", &[]).refused(3, &["ipwhl.toml cannot sign"]);
    assert_eq!(files(&workshop.repository().join("release")), before);
    assert!(files(&workshop.path("home")).is_empty());
}

#[test]
fn a_key_that_the_repository_does_not_trust_signs_nothing() {
    let workshop = workshop(&trusted(&[1, 2], 1));
    let ran = workshop.run(&["build", "--key", "../key-3"]);
    ran.refused(
        1,
        &[
            &key(3).public().fingerprint(),
            "is not one of the repository's `trusted` keys",
            &key(3).public().line("key-3"),
        ],
    );
    assert!(!workshop.repository().join("release").exists());
    workshop.build(&["--key", "../key-2"]);
    let made = statement(&workshop);
    let names: Vec<&str> = made.trusted.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["key-1", "key-2"]);
}

#[test]
fn a_statement_follows_the_one_before() {
    let workshop = workshop(&trusted(&[1, 2], 1));
    let first = workshop.build(&["--key", "../key-1"]);
    let kept = files(&workshop.repository().join("release"));
    let previous = ["--previous", "release/release.toml", "--key", "../key-2"];

    // The same root: nothing new is signed, and what there is stays as it is to the byte.
    let ran = workshop.run(&[&["build"], &previous[..]].concat());
    assert_eq!(ran.line(), first);
    ran.said("no new statement was signed (`--renew` signs one)");
    assert_eq!(files(&workshop.repository().join("release")), kept);

    // Unless it is asked for.
    assert_eq!(
        workshop.build(&[&previous[..], &["--renew"]].concat()),
        first
    );
    let renewed = statement(&workshop);
    assert_eq!(renewed.sequence, 2);
    assert_eq!(renewed.previous.unwrap().to_string(), first);
    assert_eq!(signer(&workshop), key(2).public());

    // Another root, and the statement before it from the web.
    let index = LoopbackIndex::start();
    for name in ["release.toml", "release.toml.sig"] {
        index.put(&format!("/old/{name}"), &workshop.read(name));
    }
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    add_a_project(&workshop, "another");
    let url = index.url("/old/release.toml");
    let root = workshop.build(&["--previous", &url, "--key", "../key-1"]);
    assert_ne!(root, first);
    let next = statement(&workshop);
    next.check_successor_of(&renewed).unwrap();
    assert_eq!((next.sequence, next.root.to_string()), (3, root));

    let offline = workshop.run(&["build", "--previous", &url, "--offline"]);
    offline.refused(2, &["--offline"]);
    let gone = workshop.run(&[
        "build",
        "--previous",
        &index.url("/none"),
        "--key",
        "../key-1",
    ]);
    gone.refused(
        3,
        &["the statement of `--previous` cannot be read", "/none"],
    );
    let nothing = workshop.run(&["build", "--previous", "nothing.toml", "--key", "../key-1"]);
    nothing.refused(3, &["nothing.toml` cannot be read"]);
}

#[test]
fn all_signatures_of_a_statement_stay_with_it() {
    let workshop = workshop(&trusted(&[1, 2], 2));
    let ran = workshop.run(&["build", "--key", "../key-1"]);
    let root = ran.line().to_owned();
    let text = workshop.read("release.toml");
    let second = sign(&key(2), &text).unwrap();
    let name = format!("release.toml.{}.sig", key(2).public().file_digits());
    ran.said("the statement has 1 of 2 needed signatures");
    ran.said(&format!("{name} by key-2 (SHA256:"));
    let own = key(1).public().file_digits();
    assert!(!ran.error.contains(&own), "{}", ran.error);
    let shown = workshop.run(&["key", "show", "--key", "../key-2"]);
    shown.said(&name);
    // Who has signed is told apart from nobody.
    let verify = ["verify", "release", "--statement", "release/release.toml"];
    let ran = workshop.run(&verify);
    ran.refused(
        1,
        &[
            "has 1 of the 2 trusted signatures that it needs: key-1 (SHA256:",
            "it has no other signature beside it",
        ],
    );
    let previous = [
        "build",
        "--previous",
        "release/release.toml",
        "--key",
        "../key-1",
    ];
    // One of two signatures is not enough to be followed.
    workshop.run(&previous).refused(
        1,
        &[
            "the previous statement has 1 of the 2 trusted signatures",
            "key-1 (SHA256:",
            "it has no other signature beside it",
        ],
    );
    fs::write(workshop.release(&name), sign(&key(3), &text).unwrap()).unwrap();
    workshop
        .run(&previous)
        .refused(1, &["is not trusted", &key(3).public().fingerprint()]);
    fs::write(workshop.release(&name), "hello").unwrap();
    workshop.run(&verify).refused(
        1,
        &[&format!(
            "`…{}` is invalid: ",
            &name["release.toml".len()..]
        )],
    );
    fs::write(workshop.release(&name), second).unwrap();
    workshop.run(&verify).line();
    let kept = files(&workshop.repository().join("release"));
    assert_eq!(workshop.run(&previous).line(), root);
    assert_eq!(files(&workshop.repository().join("release")), kept);
    // From the web too, which lists no folders.
    let index = LoopbackIndex::start();
    for (name, bytes) in &kept {
        index.put(&format!("/old/{name}"), bytes);
    }
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    let url = index.url("/old/release.toml");
    assert_eq!(
        workshop.build(&["--previous", &url, "--key", "../key-1"]),
        root
    );
    assert_eq!(files(&workshop.repository().join("release")), kept);
    // A new root needs new signatures.
    add_a_project(&workshop, "another");
    workshop.build(&["--previous", &url, "--key", "../key-1"]);
    assert!(!workshop.release(&name).exists());
    let arguments = [
        "verify",
        "release/release.car",
        "--statement",
        "release/release.toml",
    ];
    workshop
        .run(&arguments)
        .refused(1, &["has 1 of the 2 trusted signatures that it needs"]);
}

#[test]
fn a_previous_statement_is_believed_only_when_it_is_signed() {
    let workshop = workshop(&trusted(&[1], 1));
    workshop.build(&["--key", "../key-1"]);
    add_a_project(&workshop, "another");
    let before = files(&workshop.repository().join("release"));
    let previous = workshop.path("previous.toml");
    let signature = workshop.path("previous.toml.sig");
    let text = String::from_utf8(workshop.read("release.toml")).unwrap();
    let build = || {
        workshop.run(&[
            "build",
            "--previous",
            previous.to_str().unwrap(),
            "--key",
            "../key-1",
        ])
    };
    // Changed, after it was signed.
    fs::write(&previous, text.replace("sequence = 1", "sequence = 9")).unwrap();
    fs::write(&signature, workshop.read("release.toml.sig")).unwrap();
    assert!(!build().error.contains("signed release.toml"));
    assert_ne!(build().code, Some(0));
    // By somebody else.
    fs::write(&previous, &text).unwrap();
    fs::write(&signature, sign(&key(3), text.as_bytes()).unwrap()).unwrap();
    build().refused(1, &["0 of the 1 trusted signatures"]);
    // By nobody.
    fs::remove_file(&signature).unwrap();
    build().refused(1, &["0 of the 1 trusted signatures"]);
    // Of another repository.
    let other = text.replace("name = \"example\"", "name = \"other\"");
    fs::write(&previous, &other).unwrap();
    fs::write(&signature, sign(&key(1), other.as_bytes()).unwrap()).unwrap();
    build().refused(1, &["the previous statement is of \"other\""]);
    // No statement at all.
    fs::write(&previous, "format = 1\n").unwrap();
    build().refused(1, &["previous.toml` is not a statement"]);
    assert_eq!(files(&workshop.repository().join("release")), before);
}

/// Where the repository trusts no key, the statement before may still say who goes on.
#[test]
fn the_previous_statement_says_who_may_sign_the_next() {
    let workshop = workshop(&trusted(&[1, 2], 1));
    workshop.build(&["--key", "../key-1"]);
    for name in ["release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), workshop.path(name)).unwrap();
    }
    // The repository's own list is gone, the one that readers know is not.
    let configuration = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    let (text, _) = text.split_once("\n[signing]").unwrap();
    fs::write(&configuration, text).unwrap();
    add_a_project(&workshop, "another");
    let build = |key| workshop.run(&["build", "--previous", "../release.toml", "--key", key]);
    // A statement that names its own followers vouches for nothing, where no key is trusted that
    // has signed it.
    build("../key-2").refused(
        1,
        &[
            "the previous statement is signed by ",
            &key(1).public().fingerprint(),
            "which is not your key ",
            &key(2).public().fingerprint(),
            "`ipwhl.toml` trusts no key",
        ],
    );
    build("../key-1").line();
    // And a list of the repository alone does not help against it.
    fs::write(&configuration, format!("{text}{}", trusted(&[1, 3], 1))).unwrap();
    build("../key-3").refused(1, &["the previous statement does not allow the key"]);
    build("../key-1").line();
    // Without a list anywhere, a signature has to be there at least.
    fs::write(&configuration, text).unwrap();
    fs::remove_file(workshop.path("release.toml.sig")).unwrap();
    build("../key-1").refused(
        1,
        &["the previous statement has no valid signature beside it"],
    );
}

#[test]
fn an_expiry_is_a_time_from_now() {
    let workshop = workshop("");
    fs::create_dir_all(workshop.path("home")).unwrap();
    let program = Program::new(&workshop.repository()).now("2026-11-20T00:00:00Z");
    let build = |lifetime: &str| {
        program.run(&["build", "--key=../key-1", &format!("--expires={lifetime}")])
    };
    build("180d").expect(ipwhl::command::ExitStatus::Clean);
    assert_eq!(
        statement(&workshop).expires,
        Some("2027-05-19T00:00:00Z".parse().unwrap())
    );
    let before = files(&workshop.repository().join("release"));
    for wrong in ["180", "d", "-1d", "0d", "99999999999999d", "soon"] {
        let run = build(wrong).expect(ipwhl::command::ExitStatus::Usage);
        assert!(run.stderr.contains(wrong), "{}", run.stderr);
    }
    assert_eq!(files(&workshop.repository().join("release")), before);
    // One that has expired may be an old one that somebody held on to: it is followed only where
    // that is said.
    let late = |more: &[&str]| {
        let follow = ["build", "--key=../key-1", "--renew"];
        Program::new(&workshop.repository())
            .now("2028-01-01T00:00:00Z")
            .run(&[&follow[..], more].concat())
    };
    let refused = late(&[]).expect(ipwhl::command::ExitStatus::Findings);
    for word in [
        "`release/release.toml` expired on 2027-05-19T00:00:00Z",
        "make sure that it is the newest statement",
        "`--after-expiry`",
    ] {
        assert!(refused.stderr.contains(word), "{}", refused.stderr);
    }
    assert_eq!(files(&workshop.repository().join("release")), before);
    late(&["--after-expiry"]).expect(ipwhl::command::ExitStatus::Clean);
    assert_eq!(statement(&workshop).sequence, 2);
}

/// A statement is what a reader gets: one that has lapsed, or says something else than was asked
/// for, is no answer.
#[test]
fn the_same_root_gets_a_new_statement_where_the_old_one_does_not_do() {
    use ipwhl::command::ExitStatus;
    let workshop = workshop(&trusted(&[1], 1));
    fs::create_dir_all(workshop.path("home")).unwrap();
    let build = |now: &str, more: &[&str]| {
        let key = ["build", "--key", "../key-1"];
        let program = Program::new(&workshop.repository()).now(now);
        program
            .run(&[&key[..], more].concat())
            .expect(ExitStatus::Clean);
        statement(&workshop)
    };
    let follow = ["--previous", "release/release.toml"];
    let first = build("2026-11-20T00:00:00Z", &["--expires", "7d"]);
    let next = build("2026-11-21T00:00:00Z", &follow);
    assert_eq!(next, first);
    // A new expiry.
    let longer = [&follow[..], &["--expires", "9d"]].concat();
    let second = build("2026-11-21T00:00:00Z", &longer);
    second.check_successor_of(&first).unwrap();
    assert_eq!(
        second.expires,
        Some("2026-11-30T00:00:00Z".parse().unwrap())
    );
    // It has lapsed.
    let third = build(
        "2026-11-30T00:00:00Z",
        &[&follow[..], &["--after-expiry"]].concat(),
    );
    third.check_successor_of(&second).unwrap();
    assert_eq!((third.root, third.expires), (first.root, None));
    // Other keys, then another threshold.
    let path = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (text, _) = text.split_once("\n[signing]").unwrap();
    fs::write(&path, format!("{text}{}", trusted(&[1, 2], 1))).unwrap();
    let fourth = build("2026-12-01T00:00:00Z", &follow);
    fourth.check_successor_of(&third).unwrap();
    assert_eq!((fourth.root, fourth.trusted.len()), (first.root, 2));
    assert_eq!(build("2026-12-01T00:00:00Z", &follow), fourth);
}

/// What runs again and again signs what is new, and what is about to expire: nothing else.
#[test]
fn an_unchanged_root_is_renewed_when_it_is_due_and_not_before() {
    use ipwhl::command::ExitStatus;
    let workshop = workshop("");
    fs::create_dir_all(workshop.path("home")).unwrap();
    let run = |now: &str, more: &[&str]| {
        let key = ["build", "--key", "../key-1"];
        let program = Program::new(&workshop.repository()).now(now);
        program.run(&[&key[..], more].concat())
    };
    let lasting = ["--expires", "90d", "--renew-within", "30d"];
    let build = |now: &str| {
        let run = run(now, &lasting).expect(ExitStatus::Clean);
        (statement(&workshop), run.stderr)
    };
    // One that never expires is due, whenever it was made.
    run("2026-01-01T00:00:00Z", &[]).expect(ExitStatus::Clean);
    let (first, _) = build("2026-01-01T00:00:00Z");
    assert_eq!(first.sequence, 2);
    assert_eq!(first.expires, Some("2026-04-01T00:00:00Z".parse().unwrap()));
    for early in ["2026-01-01T00:00:01Z", "2026-03-01T23:59:59Z"] {
        let (statement, said) = build(early);
        assert_eq!(statement, first, "{early}");
        assert!(said.contains("no new statement was signed"), "{said}");
        assert!(
            said.contains("is valid until 2026-04-01T00:00:00Z"),
            "{said}"
        );
    }
    let (second, _) = build("2026-03-02T00:00:00Z");
    second.check_successor_of(&first).unwrap();
    assert_eq!(second.root, first.root);
    assert_eq!(
        second.expires,
        Some("2026-05-31T00:00:00Z".parse().unwrap())
    );
    // Another root is signed at once.
    let path = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}\n[severity]\nunneeded = \"off\"\n")).unwrap();
    let (third, _) = build("2026-03-02T00:00:01Z");
    third.check_successor_of(&second).unwrap();
    assert_ne!(third.root, second.root);
    // What has expired is followed only where somebody says so: nobody can tell whether it is the
    // last one.
    run("2026-06-01T00:00:00Z", &lasting).expect(ExitStatus::Findings);
    let before = files(&workshop.repository().join("release"));
    for (wrong, word) in [
        (&["--renew-within", "30d"][..], "--expires"),
        (
            &["--expires", "30d", "--renew-within", "30d"],
            "not shorter than",
        ),
        (&["--expires", "9d", "--renew-within", "soon"], "soon"),
        (
            &["--expires", "9d", "--renew-within", "1d", "--renew"],
            "--renew",
        ),
    ] {
        let run = run("2026-03-03T00:00:00Z", wrong).expect(ExitStatus::Usage);
        assert!(run.stderr.contains(word), "{}", run.stderr);
    }
    assert_eq!(files(&workshop.repository().join("release")), before);
}

/// From the key 1 to the key 2: each release is signed by whom the one before names.
#[test]
fn keys_are_changed_over_one_release_that_names_both() {
    let workshop = workshop(&trusted(&[1], 1));
    workshop.build(&["--key", "../key-1"]);
    let path = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (text, _) = text.split_once("\n[signing]").unwrap();
    let trust = |seeds: &[u8]| fs::write(&path, format!("{text}{}", trusted(seeds, 1))).unwrap();
    let build = |key| {
        let previous = ["build", "--previous", "release/release.toml", "--key", key];
        workshop.run(&previous)
    };
    let first = statement(&workshop);
    // The new key alone, at once: nobody who followed the first statement would know it.
    trust(&[2]);
    build("../key-2").refused(1, &["0 of the 1 trusted signatures"]);
    trust(&[1, 2]);
    build("../key-2").refused(1, &["does not allow the key"]);
    build("../key-1").line();
    let second = statement(&workshop);
    second.check_successor_of(&first).unwrap();
    trust(&[1, 2]);
    build("../key-2").line();
    assert_eq!(statement(&workshop), second, "nothing new was to be said");
    let renewed = [
        "--previous",
        "release/release.toml",
        "--renew",
        "--key",
        "../key-2",
    ];
    workshop.build(&renewed);
    let third = statement(&workshop);
    third.check_successor_of(&second).unwrap();
    trust(&[2]);
    build("../key-2").line();
    let fourth = statement(&workshop);
    fourth.check_successor_of(&third).unwrap();
    assert_eq!((fourth.root, fourth.trusted.len()), (first.root, 1));
    assert_eq!(signer(&workshop), key(2).public());
    let arguments = [
        "verify",
        "release/release.car",
        "--statement",
        "release/release.toml",
    ];
    workshop.run(&arguments).line();
}

#[test]
fn no_password_of_an_address_is_shown() {
    let workshop = workshop("");
    let addresses = [
        (
            "http://bob:s3cret@127.0.0.1:9/x?t=s3cret",
            2,
            &["--offline"][..],
        ),
        ("HTTP://bob:s3cret@127.0.0.1:9/x", 2, &["--offline"]),
        ("http:/bob:s3cret@127.0.0.1:9/x", 2, &["--offline"]),
        ("http://bob:s3cret@127.0.0.1:9/x?t=s3cret", 3, &[]),
        ("ftp://bob:s3cret@127.0.0.1:9/x", 2, &[]),
        ("http://bob:s3cret@127.0.0.1:99999/x", 2, &[]),
    ];
    for (address, code, more) in addresses {
        let build = [&["build", "--key", "../key-1", "--previous", address], more].concat();
        let ran = workshop.run(&build);
        ran.refused(code, &["previous"]);
        assert!(!ran.error.contains("s3cret"), "{}", ran.error);
    }
}

/// Options that contradict each other are told before anything is done.
#[test]
fn options_that_exclude_each_other() {
    let workshop = workshop("");
    for arguments in [
        &["--unsigned", "--key", "../key-1"][..],
        &["--unsigned", "--previous", "x"],
        &["--unsigned", "--expires", "1d"],
        &["--renew"],
        &["--after-expiry"],
        &["--root-only", "--tree", "tree"],
        &["--root-only", "--key", "../key-1"],
        &["--jobs", "0"],
        &["--profile", "unixfs"],
    ] {
        let ran = workshop.run(&[&["build"], arguments].concat());
        ran.refused(2, &[]);
    }
    assert!(!workshop.repository().join("release").exists());
}

#[test]
fn ssh_keygen_accepts_what_a_build_signed_and_refuses_it_changed() {
    let ssh_keygen = tool("ssh-keygen");
    let workshop = workshop("");
    // A key that ssh-keygen made.
    let made = Command::new(&ssh_keygen)
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "maintainer", "-f"])
        .arg(workshop.path("theirs"))
        .status()
        .unwrap();
    assert!(made.success());
    workshop.build(&["--key", "../theirs", "--expires", "180d"]);
    let shown = workshop.run(&["key", "show", "--key", "../theirs"]);
    let signers = workshop.path("allowed_signers");
    fs::write(&signers, shown.output.lines().nth(1).unwrap()).unwrap();
    let check = |text: &[u8], identity: &str| {
        feed(
            Command::new(&ssh_keygen)
                .args(["-Y", "verify", "-n", "ipwhl-release", "-I", identity, "-f"])
                .arg(&signers)
                .arg("-s")
                .arg(workshop.release("release.toml.sig")),
            text,
        )
    };
    let text = workshop.read("release.toml");
    let good = check(&text, "maintainer");
    assert!(
        good.status.success(),
        "{}",
        String::from_utf8_lossy(&good.stderr)
    );
    assert!(!check(&text, "somebody").status.success());
    for position in [0, text.len() / 2, text.len() - 1] {
        let mut changed = text.clone();
        changed[position] ^= 1;
        assert!(!check(&changed, "maintainer").status.success());
    }
}
