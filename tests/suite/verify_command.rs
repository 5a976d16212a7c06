//! `ipwhl verify`: every way in which a release can contradict itself is named, and so is who
//! vouches.

pub mod contradictions;
pub mod follow;
pub mod trust;

use std::fs;

use ipwhl::command::ExitStatus;
use ipwhl::release::signature::{SigningKey, sign};
use ipwhl_unixfs::Profile;

use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;
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
        ran.said("4 projects, 5 wheels: all match their hashes and pages");
        assert_eq!(
            workshop.run(&["verify", "release/release.car", "-q"]).error,
            ""
        );
    }
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
        verify(&changed).refused(1, &["release.car`: ", "fetch the release again"]);
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

#[test]
fn a_folder_stands_for_the_archive_in_it() {
    let workshop = Workshop::with(&installable_from(None));
    let root = workshop.build(&["--unsigned"]);
    let ran = workshop.run(&["verify", "release"]);
    assert_eq!(ran.line(), root);
    ran.said("release/release.car: ");
    workshop.run(&["verify", "declarations"]).refused(
        3,
        &[
            "`declarations` has no `release.car`",
            "or a folder with a `release.car`",
        ],
    );
    // What cannot be read is not damaged.
    fs::create_dir_all(workshop.path("odd/release.car")).unwrap();
    let ran = workshop.run(&["verify", "../odd"]);
    ran.refused(3, &["release.car` cannot be read"]);
    assert!(
        !ran.error.contains("fetch the release again"),
        "{}",
        ran.error
    );
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
            "is not trusted",
            &key(3).public().fingerprint(),
        ],
    );
    fs::remove_file(workshop.release("release.toml.sig")).unwrap();
    workshop
        .run(&STATEMENT)
        .refused(1, &["it has no signature beside it"]);
    fs::write(workshop.release("release.toml.sig"), "hello").unwrap();
    workshop
        .run(&STATEMENT)
        .refused(1, &["has 0 of the 1 trusted signatures that it needs"]);
}

#[test]
fn without_a_statement_it_says_that_nobody_was_asked() {
    let workshop = vouched(&[1]);
    let note =
        "note: the release is consistent, but its author is unknown: no signature was verified";
    for (arguments, command) in [
        (
            ["verify", "release"],
            "help: `ipwhl verify release --statement release/release.toml` verifies the signatures",
        ),
        (
            ["verify", "release/release.car"],
            "help: `ipwhl verify release/release.car --statement release/release.toml` verifies \
             the signatures",
        ),
    ] {
        let ran = workshop.run(&arguments);
        ran.line();
        ran.said(note);
        ran.said(command);
        // It is a command that works.
        let words: Vec<&str> = command
            .split('`')
            .nth(1)
            .unwrap()
            .split(' ')
            .skip(1)
            .collect();
        let ran = workshop.run(&words);
        ran.line();
        assert!(!ran.error.contains("no signature was verified"), "{ran:?}");
    }
    fs::remove_file(workshop.release("release.toml")).unwrap();
    let ran = workshop.run(&["verify", "release"]);
    ran.line();
    ran.said("help: `ipwhl verify release --statement FILE` verifies the signatures");
}

#[test]
fn where_no_key_is_trusted_no_signature_is_enough() {
    let workshop = vouched(&[]);
    let any = [&STATEMENT[..], &["--any-signer"]].concat();
    let ran = workshop.run(&STATEMENT);
    ran.refused(
        1,
        &[
            "but no key is trusted here, and anyone can make a key and sign with it",
            &key(1).public().fingerprint(),
            &format!("trusted = [\"{}\"]", key(1).public().line("")),
            "--allowed-signers FILE",
            "--any-signer",
        ],
    );
    let ran = workshop.run(&any);
    ran.line();
    ran.said("warning: sequence 1 is signed with ");
    ran.said(&key(1).public().fingerprint());
    // A signature that does not hold is no signature of anyone.
    let text = workshop.read("release.toml");
    let place = workshop.release("release.toml.sig");
    fs::write(&place, sign(&key(1), b"other").unwrap()).unwrap();
    workshop
        .run(&any)
        .refused(1, &["a signature of ", "is invalid"]);
    fs::remove_file(&place).unwrap();
    workshop
        .run(&any)
        .refused(1, &["has no signature beside it"]);
    fs::write(&place, sign(&key(1), &text).unwrap()).unwrap();
    workshop.run(&["verify", "release/release.toml"]).refused(
        2,
        &[
            "is a statement, and `ipwhl verify` needs the release itself",
            "ipwhl verify release.car --statement release.toml",
        ],
    );
    // The same where there is no repository at all.
    let elsewhere = Workshop::empty();
    for name in ["release.car", "release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), elsewhere.path(name)).unwrap();
    }
    let verify = ["verify", "release.car", "--statement", "release.toml"];
    elsewhere
        .run(&verify)
        .refused(1, &["no key is trusted here", "ask the maintainers"]);
    let any = [&verify[..], &["--any-signer"]].concat();
    elsewhere.run(&any).line();
    // The option contradicts every other that names whom to trust, and widens no repository's
    // `trusted`.
    for other in ["--allowed-signers", "--trusted-statement", "--follow"] {
        let both = [&any[..], &[other, "release.toml"]].concat();
        elsewhere.run(&both).refused(2, &["--any-signer"]);
    }
    let workshop = vouched(&[1]);
    let text = workshop.read("release.toml");
    let place = workshop.release("release.toml.sig");
    fs::write(place, sign(&key(3), &text).unwrap()).unwrap();
    workshop
        .run(&[&STATEMENT[..], &["--any-signer"]].concat())
        .refused(1, &["has 0 of the 1 trusted signatures"]);
}

/// A stranger's signature gets a release past no other command either.
#[test]
fn a_stranger_is_not_published_and_not_followed() {
    let target = "\n[publish.site]\nkind = \"directory\"\npath = \"../site\"\n";
    let workshop = Workshop::with(&installable_from(None).configuration(target));
    for seed in [1, 3] {
        let text = key(seed).to_openssh().unwrap();
        fs::write(workshop.path(&format!("key-{seed}")), text).unwrap();
    }
    workshop.build(&["--key", "../key-3"]);
    let own = ["--key", "../key-1"];
    let stranger = key(3).public().fingerprint();
    let words = [&*stranger, "which is not your key ", "trusts no key"];
    let run = |arguments: &[&str]| workshop.run(&[arguments, &own[..]].concat());
    run(&["publish"]).refused(1, &words);
    run(&["build"]).refused(1, &words);
    run(&["build", "--previous", "release/release.toml"]).refused(1, &words);
    assert!(!workshop.path("site").exists());
    // Whose it is publishes and follows it.
    assert_eq!(
        workshop.run(&["publish", "--key", "../key-3"]).code,
        Some(0)
    );
    workshop.build(&["--key", "../key-3", "--renew"]);
}

#[test]
fn allowed_signers_name_who_may() {
    let workshop = vouched(&[]);
    let good = key(1).public().allowed_signers_line("maintainer").unwrap();
    let ran = with_signers(&workshop, &format!("# who may\n\n{good}\n"));
    ran.line();
    ran.said("is vouched for by maintainer (");
    let other = key(2).public().allowed_signers_line("other").unwrap();
    with_signers(&workshop, &other).refused(1, &["is not trusted"]);
    with_signers(&workshop, "").refused(1, &["signers"]);
    with_signers(&workshop, "maintainer ssh-ed25519 nonsense\n")
        .refused(1, &["signers` cannot be used"]);
    // A key of another time, and one for another purpose.
    let blob = key(1).public().line("");
    let expired = format!("maintainer valid-before=\"20200101Z\" {blob}\n");
    with_signers(&workshop, &expired)
        .refused(1, &["maintainer is not allowed to sign at this time"]);
    let git = format!("maintainer namespaces=\"git\" {blob}\n");
    assert_eq!(with_signers(&workshop, &git).code, Some(1));
    // What the repository trusts does not count then.
    let workshop = vouched(&[1]);
    with_signers(&workshop, &other).refused(1, &["is not trusted"]);
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
    fs::write(
        workshop.release("release.toml"),
        text.replace("sequence = 2", "sequence = 7"),
    )
    .unwrap();
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

/// A declared Requires-Python may differ from the wheel's where a waiver answers for it, and only
/// there.
#[test]
fn a_waived_requires_python_is_not_held_against_the_release() {
    let workshop = Workshop::with(
        &RepositoryBuilder::new().project(Project::wanted(
            WheelBuilder::new("apple", "1.0")
                .tag("py3-none-any")
                .requires_python(">=3.8"),
        )),
    );
    let settings = workshop.repository().join("ipwhl.toml");
    let declaration = workshop.repository().join("declarations/apple.toml");
    let text = fs::read_to_string(&declaration).unwrap();
    let changed: String = text
        .lines()
        .map(|line| match line.strip_prefix("requires-python") {
            Some(_) => "requires-python = \">=3.8,<5\"\n".to_owned(),
            None => format!("{line}\n"),
        })
        .collect();
    assert_ne!(changed, text, "the project has a Requires-Python");
    fs::write(&declaration, changed).unwrap();
    workshop
        .run(&["build", "--unsigned"])
        .refused(1, &["requires-python-mismatch"]);
    let plain = fs::read_to_string(&settings).unwrap();
    for answer in [
        "\n[[waiver]]\ncode = \"requires-python-mismatch\"\nproject = \"apple\"\nreason \
         = \"tried\"\nexpires = 2999-01-01\n",
        "\n[severity]\nrequires-python-mismatch = \"warning\"\n",
    ] {
        fs::write(&settings, format!("{plain}{answer}")).unwrap();
        let root = workshop.build(&["--unsigned"]);
        assert_eq!(
            workshop.run(&["verify", "release/release.car"]).line(),
            root
        );
    }
}
