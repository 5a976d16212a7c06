//! `ipwhl key`: makes a key that OpenSSH reads, and shows the lines that trust it.

use std::fs;
use std::process::Command;

use ipwhl::release::signature::SigningKey;

use crate::support::tool;
use crate::support::workshop::{Ran, Workshop};

#[test]
fn a_new_key_is_private_and_is_never_replaced() {
    let workshop = Workshop::empty();
    let made = workshop.run(&["key", "new"]);
    assert_eq!(made.code, Some(0), "{}", made.error);
    let path = workshop.path("home/.config/ipwhl/signing-key");
    made.said(&format!("created the key `{}`", path.display()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let text = fs::read_to_string(&path).unwrap();
    let key = SigningKey::from_openssh(&text).unwrap().public();
    made.said(&key.fingerprint());
    let lines = made.output;
    assert_eq!(
        lines,
        format!(
            "\"{}\"\n{}\n",
            key.line("ipwhl"),
            key.allowed_signers_line("ipwhl").unwrap()
        )
    );
    workshop
        .run(&["key", "new"])
        .refused(3, &["signing-key", "a lost key cannot be recovered"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(workshop.run(&["key", "show"]).output, lines);
    // What is shown tells nothing of the secret.
    assert!(
        !workshop
            .run(&["key", "show", "-v"])
            .error
            .contains("PRIVATE")
    );
    let other = workshop.run(&["key", "new", "--key", "folder/mine"]);
    assert_eq!(other.code, Some(0), "{}", other.error);
    assert!(workshop.path("folder/mine").is_file());
    assert_ne!(other.output, lines);
}

#[test]
fn a_key_is_shown_under_the_name_that_is_asked_for() {
    let workshop = Workshop::empty();
    workshop
        .run(&["key", "show"])
        .refused(3, &["there is no key yet", "ipwhl key new"]);
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    fs::write(workshop.path("key"), key.to_openssh().unwrap()).unwrap();
    let shown = workshop.run(&["key", "show", "--key", "key", "--name", "me@example.org"]);
    let public = key.public();
    let expected = format!(
        "\"{}\"\n{}\n",
        public.line("me@example.org"),
        public.allowed_signers_line("me@example.org").unwrap()
    );
    assert_eq!(shown.output, expected);
    let from_variable = workshop
        .command(&["key", "show", "--name", "me@example.org"])
        .env("IPWHL_SIGNING_KEY", key.to_openssh().unwrap())
        .output();
    assert_eq!(Ran::of(&from_variable.unwrap()).output, expected);
    // A key without a name of its own has one that works.
    assert!(
        workshop
            .run(&["key", "show", "--key", "key"])
            .output
            .contains(" maintainer\"\n")
    );
    // A name that would end the line or the field, or stand for others.
    for name in ["a\nb", "a,b", "*", "?", "!a", "\"", " "] {
        let ran = workshop.run(&["key", "show", "--key", "key", "--name", name]);
        ran.refused(2, &[]);
    }
}

#[test]
fn openssh_reads_the_key_and_gives_it_the_same_fingerprint() {
    let ssh_keygen = tool("ssh-keygen");
    let workshop = Workshop::empty();
    let made = workshop.run(&["key", "new", "--key", "mine"]);
    let public = Command::new(&ssh_keygen)
        .args(["-y", "-f"])
        .arg(workshop.path("mine"))
        .output()
        .unwrap();
    assert!(public.status.success());
    let line = String::from_utf8(public.stdout).unwrap();
    assert_eq!(
        made.output.lines().next().unwrap(),
        format!("\"{}\"", line.trim_end())
    );
    let fingerprint = Command::new(&ssh_keygen)
        .args(["-l", "-f"])
        .arg(workshop.path("mine"))
        .output()
        .unwrap();
    let text = String::from_utf8(fingerprint.stdout).unwrap();
    made.said(text.split_whitespace().nth(1).unwrap());
    // And the other way round.
    let theirs = Command::new(&ssh_keygen)
        .args([
            "-q",
            "-t",
            "ed25519",
            "-N",
            "",
            "-C",
            "their own name",
            "-f",
        ])
        .arg(workshop.path("theirs"))
        .status()
        .unwrap();
    assert!(theirs.success());
    let shown = workshop.run(&["key", "show", "--key", "theirs", "--name", "them"]);
    let public = fs::read_to_string(workshop.path("theirs.pub")).unwrap();
    let blob = public.split_whitespace().nth(1).unwrap();
    assert!(shown.output.contains(blob), "{shown:?}");
    // A comment of several words is no name of a signer, and that is said.
    let plain = workshop.run(&["key", "show", "--key", "theirs"]);
    assert!(
        plain.code == Some(0) || plain.error.contains("their own name"),
        "{plain:?}"
    );
    // A passphrase protects the private half only, and the name beside it is the key's.
    let made = |name: &str, kind: &str, passphrase: &str| {
        let made = Command::new(&ssh_keygen)
            .args(["-q", "-t", kind, "-N", passphrase, "-C", "a name", "-f"])
            .arg(workshop.path(name))
            .status()
            .unwrap();
        assert!(made.success());
    };
    made("locked", "ed25519", "secret");
    let public = fs::read_to_string(workshop.path("locked.pub")).unwrap();
    let shown = workshop.run(&["key", "show", "--key", "locked"]);
    assert!(shown.output.contains(public.trim()), "{shown:?}");
    // A key of another kind.
    made("ecdsa", "ecdsa", "");
    for name in ["ecdsa", "ecdsa.pub"] {
        let ran = workshop.run(&["key", "show", "--key", name]);
        ran.refused(3, &[name, "cannot sign", "help: "]);
    }
}

/// With a passphrase, which the environment gives: OpenSSH opens the key with it and not without.
#[test]
fn a_new_key_is_protected_by_a_passphrase() {
    let ssh_keygen = tool("ssh-keygen");
    let workshop = Workshop::empty();
    let new = ["key", "new", "--key", "mine", "--passphrase"];
    workshop
        .run(&new)
        .refused(2, &["needs a terminal", "IPWHL_SIGNING_KEY_PASSPHRASE"]);
    let mut command = workshop.command(&new);
    command.env("IPWHL_SIGNING_KEY_PASSPHRASE", "a secret");
    let made = Ran::of(&command.output().unwrap());
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(!made.error.contains("a secret"), "{made:?}");
    let opens = |passphrase: &str| {
        let output = Command::new(&ssh_keygen)
            .args(["-y", "-P", passphrase, "-f"])
            .arg(workshop.path("mine"))
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (is_open, line) = opens("a secret");
    assert!(
        is_open && made.output.contains(line.trim()),
        "{line} {made:?}"
    );
    assert!(!opens("").0 && !opens("another").0);
}
