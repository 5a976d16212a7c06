//! Statements, keys, SSHSIG signatures and trust, with the real `ssh-keygen` as the other side.

use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;
use ipwhl::release::signature::{
    KeyError, NAMESPACE, PrivateKeyText, PublicKey, SignatureError, SigningKey, TrustedKey, sign,
    verify,
};
use ipwhl::release::statement::{
    ChainError, Draft, Newness, Statement, StatementError, parse_lifetime,
};
use ipwhl::release::trust::{TrustError, TrustPolicy};
use ipwhl::set::repository::{Withdrawal, Withdrawn};
use ipwhl_unixfs::{Cid, Sha256Digest};
use jiff::Timestamp;

use crate::support::tool;
use crate::support::workshop::feed;

const ROOT: &str = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
const OTHER_ROOT: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn trusted(seed: u8, name: &str) -> TrustedKey {
    TrustedKey {
        key: key(seed).public(),
        name: name.to_owned(),
    }
}

fn cid(text: &str) -> Cid {
    text.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn draft(root: &str) -> Draft {
    Draft {
        name: "floating-cheeses".to_owned(),
        root: cid(root),
        created: time("2026-11-20T00:00:00Z"),
        expires: Some(time("2027-05-20T00:00:00Z")),
        checks: Some(3),
        trusted: vec![trusted(1, "maintainer")],
        threshold: 1,
        withdrawn: Vec::new(),
        renew: false,
        renew_by: None,
    }
}

fn first() -> Statement {
    Statement::following(None, draft(ROOT)).unwrap().unwrap()
}

/// Only its owner may read a private key file, or ssh-keygen refuses it.
fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

// The statement.

#[test]
fn statement_text_is_the_format_to_the_byte() {
    let line = key(1).public().line("maintainer");
    assert_eq!(
        first().to_toml(),
        format!(
            "format = 1\nname = \"floating-cheeses\"\nroot = \"{ROOT}\"\nsequence = 1\n\
             created = 2026-11-20T00:00:00Z\nexpires = 2027-05-20T00:00:00Z\n\
             checks = 3\ntrusted = [\"{line}\"]\nthreshold = 1\n"
        )
    );
    let mut next = draft(OTHER_ROOT);
    next.trusted = vec![trusted(1, "a"), trusted(2, "")];
    next.expires = None;
    let next = Statement::following(Some(&first()), next).unwrap().unwrap();
    assert_eq!(
        next.to_toml(),
        format!(
            "format = 1\nname = \"floating-cheeses\"\nroot = \"{OTHER_ROOT}\"\nsequence = 2\n\
             previous = \"{ROOT}\"\ncreated = 2026-11-20T00:00:00Z\nchecks = 3\ntrusted = \
             [\n    \"{}\",\n    \"{}\",\n]\n\
             threshold = 1\n",
            key(1).public().line("a"),
            key(2).public().line(""),
        )
    );
}

#[test]
fn statement_survives_the_round_trip() {
    let mut odd = draft(OTHER_ROOT);
    odd.name = "a \"quoted\" \\ näme".to_owned();
    odd.trusted = vec![trusted(1, "it's \"me\" \\ here"), trusted(2, "")];
    odd.threshold = 2;
    let odd = Statement::following(None, odd).unwrap().unwrap();
    for statement in [first(), odd] {
        assert_eq!(Statement::parse(&statement.to_toml()).unwrap(), statement);
    }
    // One that was made before statements said which checks were passed.
    let old = first().to_toml().replace("checks = 3\n", "");
    let read = Statement::parse(&old).unwrap();
    assert_eq!((read.checks, read.to_toml()), (None, old));
}

#[test]
fn statement_drops_fractions_of_a_second() {
    let mut draft = draft(ROOT);
    draft.created = time("2026-11-20T00:00:00.987654321Z");
    let statement = Statement::following(None, draft).unwrap().unwrap();
    assert!(
        statement
            .to_toml()
            .contains("created = 2026-11-20T00:00:00Z\n")
    );
}

#[test]
fn statement_reads_other_spellings_of_the_same_instant() {
    let text = first()
        .to_toml()
        .replace("2026-11-20T00:00:00Z", "2026-11-20 01:00:00+01:00");
    assert_eq!(Statement::parse(&text).unwrap(), first());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table is as long as it is")]
fn statement_refuses_what_breaks_the_format() {
    let good = first().to_toml();
    let line = key(1).public().line("maintainer");
    let cases = [
        (
            "sequence = 1",
            "sequence = 0",
            "`sequence` of the statement is 0, out of its range",
        ),
        (
            "sequence = 1",
            "sequence = -1",
            "`sequence` of the statement is -1, but the first is 1",
        ),
        (
            "sequence = 1",
            "sequence = \"1\"",
            "`sequence` of the statement is not a whole number",
        ),
        (
            "sequence = 1",
            "sequence = 2",
            "the statement has no `previous`",
        ),
        (
            "sequence = 1",
            &format!("sequence = 1\nprevious = \"{ROOT}\""),
            "`previous` of the statement is present, though `sequence` is 1",
        ),
        (
            "format = 1",
            "format = 3",
            "`format` of the statement is 3, but this program reads 1 and 2",
        ),
        ("format = 1\n", "", "the statement has no `format`"),
        (
            "format = 1",
            "format = 1\nextra = 1",
            "the statement has the key \"extra\", which its format does not know",
        ),
        (
            "format = 1",
            "format = 1\nformat = 1",
            "the statement is not TOML: duplicate key",
        ),
        (
            "checks = 3",
            "checks = 0",
            "`checks` of the statement is 0, but the first version is 1",
        ),
        (
            "checks = 3",
            "checks = -1",
            "`checks` of the statement is -1, out of its range",
        ),
        (
            "checks = 3",
            "checks = \"3\"",
            "`checks` of the statement is not a whole number",
        ),
        (
            "threshold = 1",
            "threshold = 0",
            "`threshold` of the statement is 0, but must be at least 1",
        ),
        (
            "threshold = 1",
            "threshold = 2",
            "`threshold` of the statement is 2, but the number of trusted keys is 1",
        ),
        (
            "threshold = 1",
            "[threshold]",
            "`threshold` of the statement is a table",
        ),
        (
            "2027-05-20T00:00:00Z",
            "2026-11-20T00:00:00Z",
            "`expires` of the statement is not after `created`",
        ),
        (
            "2027-05-20T00:00:00Z",
            "2027-05-20",
            "`expires` of the statement is 2027-05-20, which is not an instant: write 2026-11-20T00:00:00Z",
        ),
        (
            "2027-05-20T00:00:00Z",
            "2027-05-20T00:00:00",
            "`expires` of the statement is 2027-05-20T00:00:00, which is not an instant: write \
             2026-11-20T00:00:00Z",
        ),
        (
            "2026-11-20T00:00:00Z",
            "1926-11-20T00:00:00Z",
            "`created` of the statement is before 1970",
        ),
        (
            "floating-cheeses",
            " ",
            "`name` of the statement is empty or longer than 255 bytes",
        ),
        (
            "floating-cheeses",
            "a\\u001b[2J",
            "`name` of the statement has a control character",
        ),
        (
            "ssh-ed25519",
            "ssh-rsa",
            "a line in `trusted` of the statement is not a key",
        ),
        (
            "ssh-ed25519",
            "x\\nssh-ed25519",
            "a line in `trusted` of the statement is not a key",
        ),
    ];
    for (from, to, message) in cases {
        assert!(good.contains(from), "{from}");
        let error = Statement::parse(&good.replace(from, to)).unwrap_err();
        assert_eq!(error.to_string(), message, "{to}");
    }
    let twice = good.replace(
        &format!("[\"{line}\"]"),
        &format!("[\"{line}\", \"{line} again\"]"),
    );
    assert!(matches!(
        Statement::parse(&twice),
        Err(StatementError::InvalidValue { key: "trusted", .. })
    ));
    let broken_cid = Statement::parse(&good.replace(ROOT, "bafy"))
        .unwrap_err()
        .to_string();
    assert!(
        broken_cid.starts_with("`root` of the statement is \"bafy\", which is not a CID: "),
        "{broken_cid}"
    );
    assert!(matches!(
        Statement::parse(&format!("# {}\n{good}", "x".repeat(70_000))),
        Err(StatementError::TooLarge(_))
    ));
}

/// Withdrawals are repeated for good. A statement without them is of format 1, with them of 2.
#[test]
fn withdrawals_are_carried_forward() {
    let withdrawal = |subject: Withdrawn, reason: &str| Withdrawal {
        subject,
        reason: reason.to_owned(),
        date: jiff::civil::date(2026, 11, 20),
    };
    let file = withdrawal(Withdrawn::File(Sha256Digest::of(b"wheel")), "a \"leak\"");
    let release = withdrawal(Withdrawn::Release(cid(OTHER_ROOT)), "a stolen key");
    let following = |previous: Option<&Statement>, withdrawn: &[&Withdrawal]| {
        let draft = Draft {
            withdrawn: withdrawn.iter().copied().cloned().collect(),
            expires: None,
            ..draft(ROOT)
        };
        Statement::following(previous, draft).unwrap()
    };
    let first = following(None, &[]).unwrap();
    assert!(first.to_toml().starts_with("format = 1\n"));
    // A new withdrawal is a reason to sign, and the same one again is not.
    let second = following(Some(&first), &[&file]).unwrap();
    let text = second.to_toml();
    assert!(text.starts_with("format = 2\n"));
    assert!(
        text.ends_with(&format!(
            "threshold = 1\n\n[[withdrawn]]\nsha256 = \"{}\"\nreason = \"a \\\"leak\\\"\"\n\
             date = 2026-11-20\n",
            Sha256Digest::of(b"wheel")
        )),
        "{text}"
    );
    assert_eq!(Statement::parse(&text), Ok(second.clone()));
    assert_eq!(following(Some(&second), &[]), None);
    let reworded = withdrawal(file.subject, "other words");
    assert_eq!(following(Some(&second), &[&reworded]), None);
    let third = following(Some(&second), &[&release]).unwrap();
    assert_eq!(third.withdrawn, [file.clone(), release]);
    assert_eq!(Statement::parse(&third.to_toml()), Ok(third.clone()));
    assert_eq!(third.check_successor_of(&second), Ok(()));
    // A later statement that lost or changed one contradicts the known one.
    for withdrawn in [Vec::new(), vec![reworded], third.withdrawn[1..].to_vec()] {
        let lost = Statement {
            withdrawn,
            ..third.clone()
        };
        let error = lost.check_successor_of(&second).unwrap_err();
        assert!(
            matches!(error, ChainError::LostWithdrawal { .. }),
            "{error}"
        );
        let later = Statement {
            sequence: 9,
            ..lost
        };
        assert!(later.check_newer_than(&second).is_err());
    }
    for (from, to) in [
        ("format = 2", "format = 1"),
        ("date = 2026-11-20", "date = 2026-11-20T00:00:00Z"),
        ("date = 2026-11-20", "day = 2026-11-20"),
        ("reason = \"a", "reason = \"\\n"),
        ("sha256 = \"", "sha256 = \"x"),
        ("sha256 = ", "root = "),
        ("sha256 = ", "size = 1\nsha256 = "),
        ("[[withdrawn]]", "[withdrawn]"),
    ] {
        assert!(text.contains(from));
        assert!(
            Statement::parse(&text.replacen(from, to, 1)).is_err(),
            "{to}"
        );
    }
    let (head, tables) = text.split_once("\n[[").unwrap();
    assert!(
        Statement::parse(head).is_err(),
        "format 2 without withdrawals"
    );
    assert!(
        Statement::parse(&format!("{text}\n[[{tables}")).is_err(),
        "a withdrawal twice"
    );
}

#[test]
fn statement_follows_the_one_before() {
    let first = first();
    // The same root: nothing to sign, unless asked for.
    let same = Draft {
        expires: None,
        ..draft(ROOT)
    };
    assert_eq!(Statement::following(Some(&first), same.clone()), Ok(None));
    // Unless it says something else, or the one before holds no longer.
    let drafts = [
        draft(ROOT),
        Draft {
            created: time("2027-05-20T00:00:00Z"),
            ..same.clone()
        },
        Draft {
            trusted: vec![trusted(1, "maintainer"), trusted(2, "second")],
            ..same.clone()
        },
        Draft {
            trusted: vec![trusted(2, "maintainer")],
            ..same.clone()
        },
        // Stricter checks than those that the one before speaks of.
        Draft {
            checks: Some(4),
            ..same.clone()
        },
    ];
    let older_checks = Draft {
        checks: Some(2),
        ..same
    };
    assert_eq!(Statement::following(Some(&first), older_checks), Ok(None));
    for draft in drafts {
        let next = Statement::following(Some(&first), draft.clone())
            .unwrap()
            .unwrap();
        assert_eq!(next.check_successor_of(&first), Ok(()));
        assert_eq!(
            (next.root, next.expires, next.trusted),
            (draft.root, draft.expires, draft.trusted)
        );
    }
    let two = Statement {
        trusted: vec![trusted(1, "maintainer"), trusted(2, "second")],
        ..first.clone()
    };
    let both = Draft {
        trusted: two.trusted.clone(),
        expires: None,
        threshold: 2,
        ..draft(ROOT)
    };
    let next = Statement::following(Some(&two), both).unwrap().unwrap();
    assert_eq!((next.sequence, next.threshold), (2, 2));
    let renewed = Draft {
        renew: true,
        created: time("2026-12-01T00:00:00Z"),
        ..draft(ROOT)
    };
    let renewed = Statement::following(Some(&first), renewed)
        .unwrap()
        .unwrap();
    assert_eq!((renewed.sequence, renewed.previous), (2, Some(cid(ROOT))));
    let second = Statement::following(Some(&first), draft(OTHER_ROOT))
        .unwrap()
        .unwrap();
    assert_eq!((second.sequence, second.previous), (2, Some(cid(ROOT))));
    assert_eq!(second.check_successor_of(&first), Ok(()));
    let third = Statement::following(Some(&second), draft(ROOT))
        .unwrap()
        .unwrap();
    assert_eq!((third.sequence, third.previous), (3, Some(cid(OTHER_ROOT))));

    let other_name = Draft {
        name: "other".to_owned(),
        ..draft(OTHER_ROOT)
    };
    assert_eq!(
        Statement::following(Some(&first), other_name)
            .unwrap_err()
            .to_string(),
        "the previous statement is of \"floating-cheeses\", but this repository is \"other\""
    );
    let last = Statement {
        sequence: i64::MAX.unsigned_abs(),
        previous: Some(cid(ROOT)),
        ..first
    };
    assert!(Statement::following(Some(&last), draft(OTHER_ROOT)).is_err());
}

/// What is known, what comes, and what is said of it: a step, a newer one, or why it is none.
#[test]
fn a_statement_that_is_not_the_next_one_is_told_why() {
    let first = first();
    let next = |previous: &Statement, root| {
        let draft = Draft {
            renew: true,
            ..draft(root)
        };
        Statement::following(Some(previous), draft)
            .unwrap()
            .unwrap()
    };
    let second = next(&first, OTHER_ROOT);
    let third = next(&second, ROOT);
    let fourth = next(&third, ROOT);
    let other = Statement {
        root: cid(OTHER_ROOT),
        ..first.clone()
    };
    let other_name = Statement {
        name: "other".to_owned(),
        ..second.clone()
    };
    let shorter = Statement {
        expires: None,
        ..second.clone()
    };
    for (known, comes, is_newer, words) in [
        (&first, &second, true, ""),
        (
            &first,
            &third,
            true,
            "the statement has the sequence 3, but the known one has 1: the one of sequence 2 is missing",
        ),
        (
            &first,
            &fourth,
            true,
            "the statement has the sequence 4, but the known one has 1: those of sequence 2 to 3 are missing",
        ),
        (
            &third,
            &second,
            false,
            "the statement has the sequence 2, but one with the sequence 3 is known already: it is older",
        ),
        (
            &first,
            &other,
            false,
            &format!(
                "two statements have the sequence 1: this one is of {OTHER_ROOT}, the known one is of {ROOT}"
            ),
        ),
        (
            &second,
            &shorter,
            false,
            &format!(
                "the statement differs from the known one of the same sequence 2, though both are \
                 of {OTHER_ROOT}"
            ),
        ),
        (
            &other,
            &second,
            false,
            &format!(
                "the statement, sequence 2, follows the root {ROOT}, but the known one of sequence \
                 1 is of {OTHER_ROOT}"
            ),
        ),
        (
            &first,
            &other_name,
            false,
            "the statement is of \"other\", but the known one is of \"floating-cheeses\"",
        ),
    ] {
        let said = comes.check_successor_of(known);
        let said = said.map_or_else(|error| error.to_string(), |()| String::new());
        assert_eq!(said, words);
        let newness = comes.check_newer_than(known);
        assert_eq!(newness == Ok(Newness::Newer), is_newer, "{newness:?}");
        assert!(is_newer || newness.is_err(), "{newness:?}");
    }
    assert_eq!(second.check_newer_than(&second), Ok(Newness::Same));
    assert!(second.check_successor_of(&second).is_err());
}

#[test]
fn statement_expires_at_the_instant() {
    let statement = first();
    assert!(!statement.is_expired(time("2027-05-19T23:59:59Z")));
    assert!(statement.is_expired(time("2027-05-20T00:00:00Z")));
    assert!(
        !Statement {
            expires: None,
            ..statement
        }
        .is_expired(time("2999-01-01T00:00:00Z"))
    );
}

#[test]
fn lifetimes_are_read_or_explained() {
    for (text, hours) in [
        ("180d", 4320),
        ("26w", 4368),
        ("36h", 36),
        ("1 day", 24),
        (" 2 weeks ", 336),
    ] {
        assert_eq!(parse_lifetime(text).unwrap().as_hours(), hours, "{text}");
    }
    for (text, reason) in [
        ("", "it does not start with a number"),
        ("d", "it does not start with a number"),
        ("-1d", "it does not start with a number"),
        ("180", "the unit is missing"),
        ("6m", "months differ in length; use days"),
        ("1y", "years differ in length; use days"),
        ("1.5d", "the units are h, d and w"),
        ("0d", "a lifetime cannot be zero"),
        ("99999999999999999999w", "it is longer than a hundred years"),
        ("9223372036854775807w", "it is longer than a hundred years"),
        ("1é", "the units are h, d and w"),
    ] {
        let message = parse_lifetime(text).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("{text:?} is not a lifetime such as 180d, 26w or 36h: {reason}")
        );
    }
}

// Keys.

#[test]
fn key_survives_the_round_trip_and_never_shows_itself() {
    let key = SigningKey::generate().unwrap().with_comment("a\nb");
    let text = key.to_openssh().unwrap();
    let again = SigningKey::from_openssh(&text).unwrap();
    assert_eq!((again.public(), again.comment()), (key.public(), "a b"));
    // As a secret of a CI system may hand it on.
    let mangled = format!("  {}  ", text.trim_end().replace('\n', "\r\n  "));
    assert_eq!(
        SigningKey::from_openssh(&mangled).unwrap().public(),
        key.public()
    );
    assert_ne!(SigningKey::generate().unwrap().public(), key.public());
    assert_eq!(
        format!("{key:?}"),
        format!("SigningKey({})", key.public().fingerprint())
    );
}

#[test]
fn key_lines_are_strict() {
    let line = key(1).public().line("a name");
    assert_eq!(line.parse::<TrustedKey>().unwrap(), trusted(1, "a name"));
    assert_eq!(
        key(1).public().line("").parse::<TrustedKey>().unwrap(),
        trusted(1, "")
    );
    assert!(matches!(
        "ssh-rsa AAAAB3NzaC1yc2E= x".parse::<TrustedKey>(),
        Err(KeyError::Algorithm(_))
    ));
    let encoded = line.split(' ').nth(1).unwrap();
    for wrong in [
        String::new(),
        "ssh-ed25519".to_owned(),
        "ssh-ed25519 ".to_owned(),
        format!("ssh-ed25519 {}", &encoded[..encoded.len() - 4]),
        format!("ssh-ed25519 {encoded}AAAA"),
        format!("ssh-ed25519 {}", encoded.replacen("AAAAC3", "AAAAD3", 1)),
        format!("{line}\nssh-ed25519 {encoded}"),
        format!("maintainer {line}"),
        format!("ssh-ed25519 {encoded} {}", "x".repeat(300)),
    ] {
        assert!(
            matches!(
                wrong.parse::<TrustedKey>(),
                Err(KeyError::NotAPublicKey { .. })
            ),
            "{wrong}"
        );
    }
    for wrong in ["", " ", "a\"b", "a,b", "*", "a\nb"] {
        assert!(
            key(1).public().allowed_signers_line(wrong).is_err(),
            "{wrong:?}"
        );
    }
}

#[test]
fn what_is_no_key_is_named_and_not_quoted() {
    for (text, what) in [
        ("", "an empty text"),
        ("hunter2", "something else"),
        ("ssh-ed25519 AAAA", "a public key"),
        (
            "-----BEGIN PRIVATE KEY-----\nhunter2",
            "a private key in another format",
        ),
    ] {
        let message = SigningKey::from_openssh(text).unwrap_err().to_string();
        assert!(message.contains(what), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let cut = &key(1).to_openssh().unwrap()[..200];
    assert!(matches!(
        SigningKey::from_openssh(cut),
        Err(KeyError::Malformed(_))
    ));
}

// Signatures.

#[test]
fn signature_holds_over_the_bytes_and_nothing_else() {
    let text = first().to_toml();
    let signature = sign(&key(1), text.as_bytes()).unwrap();
    assert_eq!(verify(&signature, text.as_bytes()), Ok(key(1).public()));
    assert_eq!(sign(&key(1), text.as_bytes()).unwrap(), signature);
    for index in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[index] ^= 1;
        assert_eq!(
            verify(&signature, &changed),
            Err(SignatureError::Mismatch(key(1).public()))
        );
    }
    assert!(matches!(
        verify(&"x".repeat(20_000), b""),
        Err(SignatureError::TooLarge(20_000))
    ));
}

#[test]
fn signature_with_any_byte_changed_is_refused_without_a_panic() {
    let text = first().to_toml();
    let signature = sign(&key(1), text.as_bytes()).unwrap();
    let body: String = signature
        .lines()
        .filter(|line| !line.starts_with("---"))
        .collect();
    let blob = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    let armour = |blob: &[u8]| {
        let lines: Vec<String> = data_encoding::BASE64
            .encode(blob)
            .as_bytes()
            .chunks(70)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        format!(
            "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
            lines.join("\n")
        )
    };
    // The armour of this test is the real one, so that what follows tests the inside.
    assert_eq!(armour(&blob), signature);
    for index in 0..blob.len() {
        for mask in [1, 0x80, 0xff] {
            let mut changed = blob.clone();
            changed[index] ^= mask;
            assert!(
                verify(&armour(&changed), text.as_bytes()).is_err(),
                "byte {index} ^ {mask}"
            );
        }
        assert!(
            verify(&armour(&blob[..index]), text.as_bytes()).is_err(),
            "cut at {index}"
        );
    }
    assert!(verify(&armour(&[&blob[..], b"x"].concat()), text.as_bytes()).is_err());
    // And the text itself.
    for index in 0..signature.len() {
        let mut changed = signature.clone().into_bytes();
        changed[index] ^= 1;
        if let Ok(changed) = String::from_utf8(changed) {
            assert!(
                verify(&changed, text.as_bytes()).is_err(),
                "character {index}"
            );
        }
        assert!(
            verify(&signature[..index], text.as_bytes()).is_err() || index + 1 >= signature.len()
        );
    }
}

// Trust.

/// The library that takes keys apart reads the first byte of each, and stops where it has enough.
#[test]
fn a_key_has_one_wire_form() {
    let plain = key(1).public();
    let mut hardware = b"\x00\x00\x00\x1ask-ssh-ed25519@openssh.com\x00\x00\x00\x20".to_vec();
    hardware.extend([7; 32]);
    let with_application = |text: &[u8]| {
        let length = u32::try_from(text.len()).unwrap();
        [&hardware[..], &length.to_be_bytes(), text].concat()
    };
    for blob in [plain.blob(), with_application(b"ssh:")] {
        let public = PublicKey::from_blob(&blob).unwrap();
        assert_eq!(public.blob(), blob);
        assert_eq!(PublicKey::from_blob(&[&blob[..], b"\0"].concat()), None);
        for length in 0..blob.len() {
            assert_eq!(PublicKey::from_blob(&blob[..length]), None);
        }
        // Any length that is not that of what follows.
        let name = 4 + public.algorithm().len();
        for (at, more) in [(3, 1), (3, 255), (name + 3, 1), (name + 3, 255), (name, 1)] {
            let mut blob = blob.clone();
            blob[at] = blob[at].wrapping_add(more);
            assert_eq!(PublicKey::from_blob(&blob), None, "{at}");
        }
    }
    for application in ["", "with space", "ä", &"x".repeat(256)] {
        let blob = with_application(application.as_bytes());
        assert_eq!(PublicKey::from_blob(&blob), None, "{application}");
    }
    assert_eq!(PublicKey::from_blob(&with_application(b"\xff")), None);
    for kind in [
        "ssh-rsa",
        "ssh-dss",
        "ecdsa-sha2-nistp256",
        "own@example.org",
    ] {
        let length = u32::try_from(kind.len()).unwrap();
        let rest = &plain.blob()[15..];
        let blob = [&length.to_be_bytes()[..], kind.as_bytes(), rest].concat();
        assert_eq!(PublicKey::from_blob(&blob), None, "{kind}");
    }
}

/// What `SshSig` reads in the library and is refused here.
#[test]
fn a_signature_is_held_to_more_than_the_library_asks_for() {
    let text = sign(&key(1), b"bytes").unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    let blob = BASE64.decode(lines.collect::<String>().as_bytes()).unwrap();
    let refused = |blob: &[u8]| {
        let body = BASE64.encode(blob);
        let body: Vec<&str> = (0..body.len())
            .step_by(70)
            .map(|at| &body[at..body.len().min(at + 70)])
            .collect();
        let text = format!(
            "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
            body.join("\n")
        );
        assert!(ssh_key::SshSig::from_pem(&text).is_ok(), "{text}");
        verify(&text, b"bytes").unwrap_err()
    };
    // Version 0, which never was.
    let mut old = blob.clone();
    old[9] = 0;
    assert_eq!(refused(&old), SignatureError::Version(0));
    // A key and a signature that are said to be longer than what is in them.
    let lengths = SignatureError::Malformed("its lengths do not match its content");
    for at in [13, 13 + 51 + 4 + 13 + 4 + 4 + 6 + 4] {
        let mut longer = blob.clone();
        longer[at] += 1;
        assert_eq!(refused(&longer), lengths);
    }
    // Data of a later format.
    let reserved = 10 + 4 + 51 + 4 + 13 + 3;
    let mut later = blob.clone();
    later[reserved] = 1;
    later.insert(reserved + 1, b'x');
    assert_eq!(
        refused(&later),
        SignatureError::Malformed("it has data of a later format")
    );
    // Other lengths of lines are read, which the library refuses.
    let narrow: String = BASE64
        .encode(&blob)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned() + "\n")
        .collect();
    let narrow = format!("-----BEGIN SSH SIGNATURE-----\n{narrow}-----END SSH SIGNATURE-----\n");
    assert!(ssh_key::SshSig::from_pem(&narrow).is_err());
    assert_eq!(verify(&narrow, b"bytes"), Ok(key(1).public()));
}

#[test]
fn each_key_counts_once_and_only_trusted_ones_count() {
    let statement = first().to_toml();
    let by = |seed| sign(&key(seed), statement.as_bytes()).unwrap();
    let now = time("2026-11-20T00:00:00Z");
    let keys = [
        trusted(1, "one"),
        trusted(2, "two"),
        trusted(1, "one again"),
    ];
    let policy = TrustPolicy::of_keys(&keys, 2).unwrap();
    let verdict = policy.evaluate(statement.as_bytes(), &[by(1), by(1)], now);
    assert!(!verdict.is_reached());
    assert_eq!(verdict.signers.len(), 1);

    let of_other_bytes = sign(&key(2), b"other").unwrap();
    let verdict = policy.evaluate(
        statement.as_bytes(),
        &[by(1), of_other_bytes, by(3), "x".to_owned()],
        now,
    );
    assert!(!verdict.is_reached());
    assert_eq!(verdict.unknown, [key(3).public()]);
    let refused: Vec<usize> = verdict.refused.iter().map(|(index, _)| *index).collect();
    assert_eq!(refused, [1, 3]);

    let verdict = policy.evaluate(statement.as_bytes(), &[by(2), by(1)], now);
    assert!(verdict.is_reached());
    let names: Vec<&str> = verdict
        .signers
        .iter()
        .map(|signer| signer.name.as_str())
        .collect();
    assert_eq!(names, ["two", "one"]);

    assert_eq!(TrustPolicy::of_keys(&[], 1), Err(TrustError::NoKeys));
    assert_eq!(
        TrustPolicy::of_keys(&keys, 0),
        Err(TrustError::Threshold {
            threshold: 0,
            keys: 2
        })
    );
    assert_eq!(
        TrustPolicy::of_keys(&keys, 3),
        Err(TrustError::Threshold {
            threshold: 3,
            keys: 2
        })
    );
    assert!(policy.trusts(&key(1).public(), now) && !policy.trusts(&key(3).public(), now));
}

#[test]
fn the_previous_statement_says_who_signs_the_next() {
    let policy = first().successor_policy().unwrap().unwrap();
    let next = Statement::following(Some(&first()), draft(OTHER_ROOT))
        .unwrap()
        .unwrap()
        .to_toml();
    let now = time("2026-11-21T00:00:00Z");
    let by = |seed| [sign(&key(seed), next.as_bytes()).unwrap()];
    assert!(policy.evaluate(next.as_bytes(), &by(1), now).is_reached());
    assert!(!policy.evaluate(next.as_bytes(), &by(2), now).is_reached());
    let nobody = Statement {
        trusted: Vec::new(),
        ..first()
    };
    assert_eq!(nobody.successor_policy(), Ok(None));
    assert_eq!(Statement::parse(&nobody.to_toml()).unwrap(), nobody);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table is as long as it is")]
fn allowed_signers_are_read_as_openssh_reads_them() {
    let now = time("2026-11-20T00:00:00Z");
    let public = |seed| key(seed).public().line("");
    let trusts = |line: &str| {
        // A second key, so that a line that trusts nobody still leaves a policy.
        let text = format!("# comment\n\n{line}\nsecond@example.org {}\n", public(9));
        TrustPolicy::from_allowed_signers(&text, 1)
            .map(|policy| policy.trusts(&key(1).public(), now))
    };
    for (options, expected) in [
        ("", true),
        ("namespaces=\"ipwhl-release\" ", true),
        ("NAMESPACES=\"git,ipwhl-*\" ", true),
        ("namespaces=\"ipwhl-releas?\" ", true),
        ("namespaces=\"git\" ", false),
        ("namespaces=\"*,!ipwhl-release\" ", false),
        ("namespaces=\"ipwhl-release-2\" ", false),
        ("valid-after=\"20261120Z\" ", true),
        ("valid-after=\"20261121Z\" ", false),
        ("valid-before=\"20261119Z\" ", false),
        ("valid-before=\"202611200000Z\" ", true),
        ("valid-before=\"20261119235959Z\" ", false),
        (
            "namespaces=\"ipwhl-release\",valid-after=\"20260101Z\",valid-before=\"20270101Z\" ",
            true,
        ),
        ("   ", true),
        ("\t", true),
    ] {
        let line = format!(
            "a@example.org,b@example.org {options}{} a comment",
            public(1)
        );
        assert_eq!(trusts(&line), Ok(expected), "{options:?}");
    }
    assert_eq!(trusts(&format!("\"a name\"\t{}", public(1))), Ok(true));
    assert_eq!(
        trusts("a@example.org ssh-rsa AAAAB3NzaC1yc2E= x"),
        Ok(false)
    );
    for (line, reason) in [
        (
            format!("a@example.org cert-authority {}", public(1)),
            "cert-authority",
        ),
        (
            format!(
                "a@example.org cert-authority,namespaces=\"x\" {}",
                public(1)
            ),
            "cert-authority",
        ),
        (
            format!("a@example.org valid-after=\"20260101\" {}", public(1)),
            "unnamed time zone",
        ),
        (
            format!("a@example.org valid-after=\"2026Z\" {}", public(1)),
            "not a time",
        ),
        (
            format!("a@example.org valid-after=\"20261332Z\" {}", public(1)),
            "not a time",
        ),
        (
            format!(
                "a@example.org valid-after=\"20270101Z\",valid-before=\"20260101Z\" {}",
                public(1)
            ),
            "not after",
        ),
        (
            format!(
                "a@example.org namespaces=\"a\",namespaces=\"b\" {}",
                public(1)
            ),
            "twice",
        ),
        (
            format!("a@example.org namespaces=git {}", public(1)),
            "without a value",
        ),
        (
            format!("a@example.org namespaces {}", public(1)),
            "without a value",
        ),
        (
            format!("a@example.org namespaces=\"git\"x {}", public(1)),
            "after the option",
        ),
        (
            format!("a@example.org namespaces=\"git\", {}", public(1)),
            "comma",
        ),
        (format!("a@example.org wrong {}", public(1)), "\"wrong\""),
        (
            format!("a@example.org namespaces=\"git {}", public(1)),
            "quotation mark",
        ),
        ("a@example.org".to_owned(), "no key"),
        ("a@example.org ssh-ed25519".to_owned(), "no key"),
        (
            "a@example.org ssh-ed25519 AAAA".to_owned(),
            "an invalid key",
        ),
    ] {
        let error = trusts(&line).unwrap_err();
        let TrustError::AllowedSigners(error) = error else {
            panic!("{line}: {error}")
        };
        assert_eq!(error.line, 3, "{line}");
        assert!(error.reason.contains(reason), "{line}: {error}");
    }
    assert_eq!(
        TrustPolicy::from_allowed_signers("# nobody\n", 1),
        Err(TrustError::NoKeys)
    );
}

#[test]
fn a_lapsed_key_is_told_apart_from_an_unknown_one() {
    let text = format!(
        "a@example.org valid-before=\"20260101Z\" {}",
        key(1).public().line("")
    );
    let policy = TrustPolicy::from_allowed_signers(&text, 1).unwrap();
    let signature = [sign(&key(1), b"x").unwrap()];
    let verdict = policy.evaluate(b"x", &signature, time("2026-11-20T00:00:00Z"));
    assert!(!verdict.is_reached() && verdict.unknown.is_empty());
    assert_eq!(verdict.outside_validity[0].name, "a@example.org");
    assert!(
        policy
            .evaluate(b"x", &signature, time("2025-11-20T00:00:00Z"))
            .is_reached()
    );
}

// The real ssh-keygen.

#[test]
fn ssh_keygen_accepts_our_signature_and_refuses_a_changed_statement() {
    let ssh_keygen = tool("ssh-keygen");
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::generate().unwrap();
    let statement = first().to_toml();
    let signature = folder.path().join("release.toml.sig");
    let allowed = folder.path().join("allowed_signers");
    fs::write(&signature, sign(&key, statement.as_bytes()).unwrap()).unwrap();
    let check = |principal: &str, namespace: &str, statement: &str| {
        let line = key.public().allowed_signers_line(principal).unwrap();
        fs::write(&allowed, line + "\n").unwrap();
        let mut command = Command::new(&ssh_keygen);
        command.args(["-Y", "verify", "-I", principal, "-n", namespace]);
        feed(
            command.arg("-f").arg(&allowed).arg("-s").arg(&signature),
            statement.as_bytes(),
        )
    };
    for principal in ["maintainer", "a maintainer"] {
        let output = check(principal, NAMESPACE, &statement);
        assert!(output.status.success(), "{output:?}");
        let words = String::from_utf8(output.stdout).unwrap();
        assert!(words.contains(&key.public().fingerprint()), "{words}");
    }
    assert!(
        !check(
            "maintainer",
            NAMESPACE,
            &statement.replace("sequence = 1", "sequence = 2")
        )
        .status
        .success()
    );
    assert!(!check("maintainer", "file", &statement).status.success());
}

#[test]
fn we_verify_what_ssh_keygen_signed() {
    let ssh_keygen = tool("ssh-keygen");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let sign_with = |options: &[&str]| {
        let mut command = Command::new(&ssh_keygen);
        let output = feed(
            command
                .args(["-Y", "sign"])
                .args(options)
                .arg("-f")
                .arg(&path),
            b"statement",
        );
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    write_private(&path, &key(1).to_openssh().unwrap());
    let signature = sign_with(&["-n", NAMESPACE]);
    assert_eq!(verify(&signature, b"statement"), Ok(key(1).public()));
    assert_eq!(
        signature,
        sign(&key(1), b"statement").unwrap(),
        "both sign alike"
    );
    let sha256 = sign_with(&["-n", NAMESPACE, "-O", "hashalg=sha256"]);
    assert_eq!(verify(&sha256, b"statement"), Ok(key(1).public()));
    assert!(matches!(
        verify(&sha256, b"Statement"),
        Err(SignatureError::Mismatch(_))
    ));
    assert_eq!(
        verify(&sign_with(&["-n", "file"]), b"statement"),
        Err(SignatureError::Namespace {
            found: "file".to_owned(),
            wanted: NAMESPACE.to_owned()
        })
    );
}

#[test]
fn ssh_keygen_loads_the_key_that_we_made() {
    let ssh_keygen = tool("ssh-keygen");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let key = SigningKey::generate().unwrap().with_comment("made here");
    write_private(&path, &key.to_openssh().unwrap());
    let output = feed(
        Command::new(&ssh_keygen).arg("-y").arg("-f").arg(&path),
        b"",
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().trim_end(),
        key.public().line("made here")
    );
    fs::write(folder.path().join("key.pub"), key.public().line("x")).unwrap();
    let output = feed(
        Command::new(&ssh_keygen)
            .arg("-l")
            .arg("-f")
            .arg(folder.path().join("key.pub")),
        b"",
    );
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.contains(&key.public().fingerprint()), "{words}");
}

#[test]
fn we_load_the_keys_that_ssh_keygen_made_or_say_why_not() {
    let ssh_keygen = tool("ssh-keygen");
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, options: &[&str]| {
        let path = folder.path().join(name);
        let mut command = Command::new(&ssh_keygen);
        let output = feed(
            command
                .args(["-q", "-C", "a comment"])
                .args(options)
                .arg("-f")
                .arg(&path),
            b"",
        );
        assert!(output.status.success(), "{output:?}");
        let public = fs::read_to_string(folder.path().join(format!("{name}.pub"))).unwrap();
        (fs::read_to_string(&path).unwrap(), public)
    };
    let (private, public) = make("plain", &["-t", "ed25519", "-N", ""]);
    let key = SigningKey::from_openssh(&private).unwrap();
    assert_eq!(key.comment(), "a comment");
    assert_eq!(key.public().line("a comment"), public.trim_end());
    assert_eq!(
        public.trim_end().parse::<TrustedKey>().unwrap().key,
        key.public()
    );
    let signature = sign(&key, b"x").unwrap();
    assert_eq!(verify(&signature, b"x"), Ok(key.public()));

    let (private, _) = make("protected", &["-t", "ed25519", "-N", "secret"]);
    assert_eq!(
        SigningKey::from_openssh(&private).unwrap_err(),
        KeyError::Protected
    );
    assert_eq!(
        SigningKey::from_protected(&private, "Secret").unwrap_err(),
        KeyError::WrongPassphrase
    );
    let key = SigningKey::from_protected(&private, "secret").unwrap();
    assert_eq!(key.comment(), "a comment");
    let read = PrivateKeyText::parse(&private).unwrap();
    assert_eq!((&read.public, read.is_protected), (&key.public(), true));
    // Its public half stands in the clear: one that was exchanged is no key.
    let (other, _) = make("other", &["-t", "ed25519", "-N", "secret"]);
    let other = SigningKey::from_protected(&other, "secret")
        .unwrap()
        .public();
    let body: String = private
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    let mut blob = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    let place = blob
        .windows(32)
        .position(|part| Some(part) == key.public().ed25519().map(|key| &key[..]));
    let place = place.unwrap();
    blob[place..place + 32].copy_from_slice(other.ed25519().unwrap());
    let exchanged = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        data_encoding::BASE64
            .encode(&blob)
            .as_bytes()
            .chunks(70)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(matches!(
        SigningKey::from_protected(&exchanged, "secret"),
        Err(KeyError::Malformed(_))
    ));
    // A header may ask for a year of hashing.
    let rounds = blob
        .windows(8)
        .position(|part| part == b"\0\0\0\x18\0\0\0\x10")
        .unwrap()
        + 8
        + 16;
    blob[rounds..rounds + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    let endless = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        data_encoding::BASE64.encode(&blob)
    );
    assert_eq!(
        SigningKey::from_protected(&endless, "secret").unwrap_err(),
        KeyError::TooManyRounds(u32::MAX)
    );
    for (name, options, algorithm) in [
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""][..], "ssh-rsa"),
        (
            "protected-rsa",
            &["-t", "rsa", "-b", "2048", "-N", "secret"],
            "ssh-rsa",
        ),
        ("ecdsa", &["-t", "ecdsa", "-N", ""], "ecdsa-sha2-nistp256"),
    ] {
        let (private, _) = make(name, options);
        let error = SigningKey::from_openssh(&private).unwrap_err();
        assert_eq!(
            error,
            KeyError::Algorithm(algorithm.to_owned()),
            "{name}: {error}"
        );
    }
    let (pem, _) = make("pem", &["-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"]);
    assert!(matches!(
        SigningKey::from_openssh(&pem),
        Err(KeyError::NotAPrivateKey(_))
    ));
}

#[test]
fn a_signature_by_an_rsa_key_is_refused_by_name() {
    let ssh_keygen = tool("ssh-keygen");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rsa");
    let made = feed(
        Command::new(&ssh_keygen)
            .args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f"])
            .arg(&path),
        b"",
    );
    assert!(made.status.success(), "{made:?}");
    let mut command = Command::new(&ssh_keygen);
    let output = feed(
        command
            .args(["-Y", "sign", "-n", NAMESPACE, "-f"])
            .arg(&path),
        b"x",
    );
    assert!(output.status.success(), "{output:?}");
    let signature = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        verify(&signature, b"x"),
        Err(SignatureError::Algorithm("ssh-rsa".to_owned()))
    );
}

#[test]
fn allowed_signers_options_mean_the_same_to_ssh_keygen() {
    let ssh_keygen = tool("ssh-keygen");
    let folder = tempfile::tempdir().unwrap();
    let signature = folder.path().join("x.sig");
    let allowed = folder.path().join("allowed_signers");
    let text = sign(&key(1), b"x").unwrap();
    fs::write(&signature, &text).unwrap();
    let public = key(1).public().line("");
    for options in [
        "",
        "namespaces=\"ipwhl-release\"",
        "namespaces=\"git\"",
        "namespaces=\"git,ipwhl-*\"",
        "namespaces=\"*,!ipwhl-release\"",
        "namespaces=\"ipwhl-releas?\"",
        "namespaces=\"ipwhl-release?\"",
        "namespaces=\"*\"",
        "NameSpaces=\"ipwhl-release\"",
        "wrong",
        "namespaces=git",
        "valid-after=\"20260101\",valid-before=\"20250101\"",
    ] {
        let line = format!("maintainer {options} {public}\n");
        fs::write(&allowed, &line).unwrap();
        let mut command = Command::new(&ssh_keygen);
        command.args(["-Y", "verify", "-I", "maintainer", "-n", NAMESPACE]);
        let theirs = feed(
            command.arg("-f").arg(&allowed).arg("-s").arg(&signature),
            b"x",
        )
        .status
        .success();
        let ours = TrustPolicy::from_allowed_signers(&line, 1).is_ok_and(|policy| {
            policy
                .evaluate(b"x", &[&text], time("2026-11-20T00:00:00Z"))
                .is_reached()
        });
        assert_eq!(ours, theirs, "{options:?}");
    }
}
