//! Whom `ipwhl verify` believes: the repository's own word, and only where that is understood.

use std::fs;

use ipwhl::command::ExitStatus;

use super::{STATEMENT, key, vouched, with_signers};
use crate::support::program::Program;
use crate::support::workshop::Workshop;

fn configuration(workshop: &Workshop) -> (std::path::PathBuf, String) {
    let path = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    let (text, _) = text.split_once("\n[signing]").unwrap();
    (path, text.to_owned())
}

#[test]
fn a_wrong_configuration_trusts_nobody() {
    let workshop = vouched(&[1]);
    workshop.run(&STATEMENT).line();
    let (path, text) = configuration(&workshop);
    for (signing, word) in [
        ("[signing]\ntrusted = [\"ssh-rsa AAAA me\"]\n", "ssh-rsa"),
        ("[signing]\ntrustd = [\"ssh-ed25519 AAAA me\"]\n", "trustd"),
        ("[signing]\ntrusted = \"x\"\n", "trusted"),
        ("[signing]\ntrusted = [\n", "ipwhl.toml"),
        ("[signing]\nthreshold = 1\n", "threshold"),
        ("[singing]\ntrusted = []\n", "singing"),
        ("[[signing]]\ntrusted = []\n", "signing"),
    ] {
        fs::write(&path, format!("{text}\n{signing}")).unwrap();
        let ran = workshop.run(&STATEMENT);
        ran.refused(1, &[word, "the trusted keys of the repository are unknown"]);
    }
    // Bytes that are no text.
    fs::write(&path, [text.as_bytes(), b"\n# \xff\n"].concat()).unwrap();
    workshop.run(&STATEMENT).refused(1, &["not UTF-8"]);
    // Without a statement nobody has to be trusted.
    workshop.run(&["verify", "release/release.car"]).line();
}

#[test]
fn a_wrong_declaration_says_nothing_about_trust() {
    let workshop = vouched(&[1]);
    let declarations = workshop.repository().join("declarations");
    fs::write(declarations.join("broken.toml"), "[[").unwrap();
    let ran = workshop.run(&STATEMENT);
    ran.line();
    ran.said("is vouched for by key-1");
}

#[test]
fn a_key_without_a_comment_is_named_by_its_fingerprint() {
    let workshop = vouched(&[1]);
    let path = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(" key-1\"", "\"")).unwrap();
    let ran = workshop.run(&STATEMENT);
    ran.line();
    ran.said("is vouched for by SHA256:");
}

#[test]
fn a_statement_of_another_repository_is_refused_though_its_key_is_trusted() {
    let workshop = vouched(&[1]);
    let (path, _) = configuration(&workshop);
    let text = fs::read_to_string(&path).unwrap();
    let renamed = text.replace("name = \"example\"", "name = \"other\"");
    assert_ne!(renamed, text);
    fs::write(&path, renamed).unwrap();
    workshop.run(&STATEMENT).refused(
        1,
        &[
            "is of \"example\", but this repository is \"other\"",
            "--allowed-signers",
        ],
    );
    // Whoever names the signers has said what they are trusted for.
    let signer = key(1).public().allowed_signers_line("maintainer").unwrap();
    with_signers(&workshop, &signer).line();
}

#[test]
fn a_statement_from_the_future_is_worth_a_word() {
    let workshop = vouched(&[1]);
    let at = |now: &str| {
        let program = Program::new(&workshop.repository()).now(now);
        program.run(&STATEMENT).expect(ExitStatus::Clean).stderr
    };
    let program = Program::new(&workshop.repository()).now("2026-11-20T00:00:00Z");
    let build = ["build", "--key", "../key", "--renew"];
    program.run(&build).expect(ExitStatus::Clean);
    let said = at("2026-11-18T23:59:59Z");
    for words in [
        "was created on 2026-11-20T00:00:00Z, which is in the future: the clock of this machine \
         says 2026-11-18T23:59:59Z",
        "help: set the clock of this machine, or ask the maintainers",
        "set the clock of this machine, or ask the maintainers",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!at("2026-11-19T00:00:00Z").contains("clock"));
}

/// Two names for one key, which count for one signature and read like two people.
#[test]
fn a_key_under_two_names_is_one_signer_and_it_is_said() {
    let workshop = vouched(&[1]);
    let one = key(1).public();
    let lines = [
        one.allowed_signers_line("alice").unwrap(),
        one.allowed_signers_line("bob").unwrap(),
        key(2).public().allowed_signers_line("carol").unwrap(),
    ];
    let ran = with_signers(&workshop, &lines.join("\n"));
    ran.line();
    let words = format!(
        "lists the key {} under the names `alice` and `bob`: it counts as one signer",
        one.fingerprint()
    );
    ran.said(&words);
    let ran = with_signers(&workshop, &lines[0]);
    ran.line();
    assert!(!ran.error.contains("one signer"), "{ran:?}");
    // In `trusted` it is a mistake: with a threshold of two it looks as if two people had to sign.
    let (path, text) = configuration(&workshop);
    let trusted = [one.line("alice"), one.line("bob")];
    let twice = format!("{text}\n[signing]\ntrusted = {trusted:?}\nthreshold = 2\n");
    fs::write(&path, twice).unwrap();
    for command in [&["check"][..], &STATEMENT] {
        let ran = workshop.run(command);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let all = format!("{}{}", ran.output, ran.error);
        for words in [
            "one key is listed twice in `trusted`, as `alice` and as `bob`",
            "one key is one signer",
            "remove one of the two entries",
        ] {
            assert!(all.contains(words), "{words}: {all}");
        }
    }
}

/// Anybody can put an `ipwhl.toml` into a folder that all can write, above that of a reader.
#[cfg(unix)]
#[test]
fn a_repository_of_somebody_else_above_trusts_nobody() {
    let workshop = vouched(&[1]);
    let (path, _) = configuration(&workshop);
    workshop.run(&STATEMENT).said("trusted in `ipwhl.toml`");
    let reader = workshop.repository().join("reader");
    fs::create_dir(&reader).unwrap();
    let run = |arguments: &[&str]| {
        let statement = [
            "verify",
            "../release",
            "--statement",
            "../release/release.toml",
        ];
        Program::new(&reader).run(&[&statement[..], arguments].concat())
    };
    let ran = run(&[]).expect(ExitStatus::Clean);
    assert!(ran.stderr.contains("ipwhl.toml`"), "{}", ran.stderr);
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
        crate::harness::skip("a file cannot be given away: run as root");
    }
    let ran = run(&[]).expect(ExitStatus::Findings);
    for words in [
        "ipwhl.toml` belongs to another user, so its trusted keys do not apply to you",
        "--allowed-signers FILE",
        "--repository ",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    // Nor does it say what is built and published.
    for command in [&["build", "--unsigned"][..], &["publish"], &["check"]] {
        let ran = Program::new(&reader).run(command).expect(ExitStatus::Usage);
        for words in ["belongs to another user", "--repository "] {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        }
        assert!(!reader.join("release").exists());
    }
    // Whoever names it, or stands in it, means it.
    run(&["--repository", ".."]).expect(ExitStatus::Clean);
    workshop.run(&STATEMENT).line();
}
