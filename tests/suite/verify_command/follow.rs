//! A reader follows keys from one statement to the next; what breaks the chain is told in words of
//! its own.

use std::fs;

use ipwhl::command::ExitStatus;
use ipwhl::release::signature::{SigningKey, sign};

use crate::support::program::{Program, Run};
use crate::support::workshop::{Workshop, installable_from, release_files};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// Statements 1 to 4 in folders of their number, over which the key 1 gives way to the key 2: each
/// is of the same root, and says who may sign the next.
struct Chain {
    workshop: Workshop,
}

impl Chain {
    fn new() -> Self {
        let workshop = Workshop::with(&installable_from(None));
        let chain = Self { workshop };
        for (number, by, trusted) in [
            (1, 1, &[1][..]),
            (2, 1, &[1, 2]),
            (3, 2, &[2]),
            (4, 2, &[2]),
        ] {
            chain.make(number, by, trusted, 1, "1w");
        }
        // A reader elsewhere: no repository speaks for anybody.
        fs::rename(
            chain.workshop.repository().join("ipwhl.toml"),
            chain.workshop.path("kept.toml"),
        )
        .unwrap();
        chain
    }

    fn make(&self, number: u64, by: u8, trusted: &[u8], threshold: u8, lifetime: &str) {
        let workshop = &self.workshop;
        let lines: Vec<String> = trusted
            .iter()
            .map(|&seed| format!("{:?}", key(seed).public().line(&format!("key-{seed}"))))
            .collect();
        let path = workshop.repository().join("ipwhl.toml");
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("\n[signing]").next().unwrap().to_owned();
        // What a build asks of the statement before is tested elsewhere: here each is made as it is
        // wanted.
        fs::write(&path, &text).unwrap();
        let secret = workshop.path("key");
        // A build follows its own statements, where no key is trusted.
        let builder = if number > 1 {
            self.signer(&(number - 1).to_string())
        } else {
            by
        };
        fs::write(&secret, key(builder).to_openssh().unwrap()).unwrap();
        let output = format!("../{number}");
        let previous = format!("../{}/release.toml", number - 1);
        let mut arguments = vec![
            "build",
            "--expires",
            lifetime,
            "--key",
            "../key",
            "--output",
            &output,
        ];
        if number > 1 {
            arguments.extend(["--previous", &previous, "--renew"]);
        }
        let program = Program::new(&workshop.repository()).now("2026-11-20T00:00:00Z");
        program.run(&arguments).expect(ExitStatus::Clean);
        // The list of this statement, signed again.
        let statement = workshop.path(&format!("{number}/release.toml"));
        let made = fs::read_to_string(&statement).unwrap();
        let made = made.replace("trusted = []", &format!("trusted = [{}]", lines.join(", ")));
        let made = made.replace("threshold = 1", &format!("threshold = {threshold}"));
        fs::write(&statement, &made).unwrap();
        self.sign(&number.to_string(), by, ".sig");
    }

    /// Whose signature a statement has.
    fn signer(&self, folder: &str) -> u8 {
        let read = |name| fs::read_to_string(self.workshop.path(&format!("{folder}/{name}")));
        let (text, signature) = (read("release.toml"), read("release.toml.sig"));
        let by = ipwhl::release::signature::verify(&signature.unwrap(), text.unwrap().as_bytes())
            .unwrap();
        (1..9).find(|&seed| key(seed).public() == by).unwrap()
    }

    fn sign(&self, folder: &str, by: u8, suffix: &str) {
        let text = fs::read(self.workshop.path(&format!("{folder}/release.toml"))).unwrap();
        let path = self
            .workshop
            .path(&format!("{folder}/release.toml{suffix}"));
        fs::write(path, sign(&key(by), &text).unwrap()).unwrap();
    }

    /// A statement with other words, in a folder of its own.
    fn changed(&self, number: u64, folder: &str, from: &str, to: &str, by: Option<u8>) {
        let target = self.workshop.path(folder);
        fs::create_dir_all(&target).unwrap();
        for (name, bytes) in release_files(&self.workshop.path(&number.to_string())) {
            fs::write(target.join(name), bytes).unwrap();
        }
        let path = target.join("release.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        if let Some(by) = by {
            self.sign(folder, by, ".sig");
        }
    }

    /// Verifies the release of a folder, from a statement that is trusted, over those between.
    fn verify(&self, trusted: &str, between: &[&str], last: &str) -> Run {
        self.verify_at("2026-11-21T00:00:00Z", trusted, between, last)
    }

    fn verify_at(&self, now: &str, trusted: &str, between: &[&str], last: &str) -> Run {
        let place = |folder: &str| format!("{folder}/release.toml");
        let (release, statement, trusted) = ("4", place(last), place(trusted));
        let between: Vec<String> = between.iter().map(|folder| place(folder)).collect();
        let mut arguments = vec!["verify", release, "--statement", &statement];
        if trusted.starts_with('@') {
            arguments.extend(["--allowed-signers", "signers"]);
        } else {
            arguments.extend(["--trusted-statement", &trusted]);
        }
        arguments.extend(between.iter().flat_map(|one| ["--follow", one]));
        Program::new(&self.workshop.path(""))
            .now(now)
            .run(&arguments)
    }
}

#[test]
fn keys_are_followed_from_a_statement_that_is_trusted() {
    let chain = Chain::new();
    for (trusted, between) in [
        ("1", &["2", "3"][..]),
        ("2", &["3"]),
        ("3", &[]),
        ("4", &[]),
    ] {
        let run = chain
            .verify(trusted, between, "4")
            .expect(ExitStatus::Clean);
        let by = if trusted == "4" {
            "the statement that you trust already".to_owned()
        } else {
            format!("vouched for by key-2 ({})", key(2).public().fingerprint())
        };
        let words = format!("example, sequence 4, is {by}");
        assert!(run.stderr.contains(&words), "{}", run.stderr);
    }
    // The statement that is trusted may stand among those between as well.
    chain
        .verify("1", &["1", "2", "3"], "4")
        .expect(ExitStatus::Clean);
    // From keys: the first statement is theirs, the last one need not be.
    let line = key(1).public().allowed_signers_line("first").unwrap();
    fs::write(chain.workshop.path("signers"), line).unwrap();
    chain
        .verify("@", &["1", "2", "3"], "4")
        .expect(ExitStatus::Clean);
    let run = chain.verify("@", &[], "4").expect(ExitStatus::Findings);
    assert!(run.stderr.contains("is not trusted"), "{}", run.stderr);
    // Statements between may have expired long ago.
    chain.changed(4, "lasting", "expires = ", "# ", Some(2));
    let late = "2027-11-21T00:00:00Z";
    chain
        .verify_at(late, "1", &["2", "3"], "lasting")
        .expect(ExitStatus::Clean);
}

/// Each way in which a chain can break, and what is said.
#[test]
fn a_broken_chain_is_refused_with_a_message_of_its_own() {
    let chain = Chain::new();
    let other = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
    let root = fs::read_to_string(chain.workshop.path("4/release.toml")).unwrap();
    let root = root.split('"').nth(3).unwrap().to_owned();
    let line = format!("root = \"{root}\"");
    chain.changed(4, "unknown", "format", "format", Some(3));
    chain.changed(4, "altered", "sequence = 4", "sequence = 4 # later", None);
    chain.changed(4, "fork", "checks", "# \nchecks", Some(2));
    chain.changed(4, "forked", "expires = ", "# ", Some(2));
    chain.changed(
        3,
        "other-root",
        &line,
        &format!("root = \"{other}\""),
        Some(2),
    );
    chain.changed(3, "two", "threshold = 1", "threshold = 2", Some(2));
    let second = format!(
        "trusted = [{:?}, {:?}]",
        key(2).public().line("key-2"),
        key(3).public().line("key-3")
    );
    let only = format!("trusted = [{:?}]", key(2).public().line("key-2"));
    chain.changed(3, "two", "threshold = 1", "threshold = 2", Some(2));
    let two = chain.workshop.path("two/release.toml");
    let text = fs::read_to_string(&two).unwrap().replace(&only, &second);
    fs::write(&two, text).unwrap();
    chain.sign("two", 2, ".sig");
    chain.changed(3, "nobody", &only, "trusted = []", Some(2));
    chain.changed(
        4,
        "name",
        "name = \"example\"",
        "name = \"another\"",
        Some(2),
    );
    chain.changed(3, "unsigned", "format", "format", None);
    fs::remove_file(chain.workshop.path("unsigned/release.toml.sig")).unwrap();
    let mut said = String::new();
    for (what, now, trusted, between, last) in [
        ("expiry", "2026-11-28T00:00:00Z", "3", &[][..], "4"),
        ("rollback", "", "4", &[], "3"),
        ("rollback between", "", "2", &["3", "2"], "4"),
        ("gap", "", "2", &[], "4"),
        ("a longer gap", "", "1", &[], "4"),
        ("unknown signer", "", "3", &[], "unknown"),
        ("old key", "", "1", &["2", "3"], "unknown"),
        ("threshold not met", "", "two", &[], "4"),
        ("changed statement", "", "3", &[], "altered"),
        ("changed between", "", "1", &["2", "altered"], "4"),
        ("fork", "", "forked", &[], "4"),
        ("another root before", "", "other-root", &[], "4"),
        ("nobody may go on", "", "nobody", &[], "4"),
        ("another name", "", "3", &[], "name"),
        ("no signature", "", "2", &["unsigned"], "4"),
        (
            "a trusted statement without a signature",
            "",
            "unsigned",
            &[],
            "4",
        ),
    ] {
        let now = if now.is_empty() {
            "2026-11-21T00:00:00Z"
        } else {
            now
        };
        let run = chain
            .verify_at(now, trusted, between, last)
            .expect(ExitStatus::Findings);
        assert_eq!(run.stdout, "", "{what}");
        let words: Vec<&str> = run
            .stderr
            .lines()
            .filter(|line| !line.contains("match their hashes"))
            .collect();
        let words = words.join("\n");
        let folder = chain.workshop.path("").display().to_string();
        said += &format!(
            "{what}\n{}\n\n",
            words.replace(&folder, "").replace(&root, "ROOT")
        );
    }
    insta::assert_snapshot!("broken-chains", said);
    // The second of two signatures that the statement before asks for mends it.
    let digits = format!(".{}.sig", key(3).public().file_digits());
    chain.sign("4", 3, &digits);
    chain.verify("two", &[], "4").expect(ExitStatus::Clean);
}

#[test]
fn following_needs_somebody_to_begin_with() {
    let chain = Chain::new();
    let run = |arguments: &[&str]| {
        let statement = ["verify", "4", "--statement", "4/release.toml"];
        Program::new(&chain.workshop.path(""))
            .now("2026-11-21T00:00:00Z")
            .run(&[&statement[..], arguments].concat())
    };
    let alone = run(&["--follow", "3/release.toml"]).expect(ExitStatus::Findings);
    assert!(
        alone.stderr.contains("no key is trusted here"),
        "{}",
        alone.stderr
    );
    let both = [
        "--trusted-statement",
        "3/release.toml",
        "--allowed-signers",
        "x",
    ];
    run(&both).expect(ExitStatus::Usage);
}
