//! Keys that an agent keeps, in software and in hardware: OpenSSH's own agent and security key, and
//! an agent that does wrong.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ipwhl::release::signature::{
    KeyError, NAMESPACE, PublicKey, SignatureError, SigningKey, TrustedKey, verify, verify_for,
};

use crate::support::agent::{Does, OpensshAgent, Socket, WrittenAgent};
use crate::support::workshop::{Ran, Workshop, feed, files, installable_from};
use crate::support::{given_file, tool};

/// Runs the program with an agent.
fn with(workshop: &Workshop, socket: &Path, arguments: &[&OsStr]) -> Ran {
    let mut command = workshop.command(arguments);
    Ran::of(&command.env("SSH_AUTH_SOCK", socket).output().unwrap())
}

/// A first release: without the one before, since each key is tried on its own.
fn build(workshop: &Workshop, socket: &Path, key: impl AsRef<OsStr>) -> Ran {
    let _ = fs::remove_dir_all(workshop.repository().join("release"));
    let arguments = [OsStr::new("build"), OsStr::new("--key"), key.as_ref()];
    with(workshop, socket, &arguments)
}

/// Whether the real ssh-keygen accepts a signature by this key.
fn is_accepted(workshop: &Workshop, key: &PublicKey, text: &[u8], signature: &[u8]) -> bool {
    let ssh_keygen = tool("ssh-keygen");
    let (signers, beside) = (workshop.path("signers"), workshop.path("beside.sig"));
    fs::write(&signers, key.allowed_signers_line("me").unwrap() + "\n").unwrap();
    fs::write(&beside, signature).unwrap();
    let mut command = Command::new(ssh_keygen);
    command.args(["-Y", "verify", "-I", "me", "-n", NAMESPACE, "-f"]);
    let output = feed(command.arg(signers).arg("-s").arg(beside), text);
    output.status.success()
}

/// Makes a key with the real ssh-keygen: its public half.
fn make(folder: &Path, name: &str, options: &[&OsStr]) -> TrustedKey {
    let mut command = Command::new(tool("ssh-keygen"));
    let made = command
        .arg("-q")
        .args(options)
        .arg("-f")
        .arg(folder.join(name));
    let output = made.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let line = fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap();
    line.trim().parse().unwrap()
}

/// Options of ssh-keygen, which need not be UTF-8.
fn words<'w>(options: &[&'w str]) -> Vec<&'w OsStr> {
    options.iter().copied().map(OsStr::new).collect()
}

#[test]
fn a_key_of_the_real_agent_signs_a_release() {
    use std::os::unix::ffi::OsStrExt as _;
    let workshop = Workshop::with(&installable_from(None));
    let folder = workshop.path("agents");
    fs::create_dir(&folder).unwrap();
    let agent = OpensshAgent::start(&folder, "");
    let protected = words(&["-t", "ed25519", "-N", "secret", "-C", "maintainer"]);
    let trusted = make(&folder, "theirs", &protected);
    // Somebody else's key in the same agent, its name in Latin-1.
    let mut other = words(&["-t", "ecdsa", "-N", "", "-C"]);
    other.push(OsStr::from_bytes(b"J\xfcrgen"));
    let mut command = Command::new(tool("ssh-keygen"));
    let made = command
        .arg("-q")
        .args(&other)
        .arg("-f")
        .arg(folder.join("other"));
    assert!(made.status().unwrap().success());
    agent.run("ssh-add", &["other"], "");

    let public = folder.join("theirs.pub");
    build(&workshop, &agent.socket, &public).refused(
        3,
        &[
            &format!(
                "the agent does not have the key {}",
                trusted.key.fingerprint()
            ),
            "keys that it has: 1",
            "ssh-add FILE",
        ],
    );
    agent.run("ssh-add", &["theirs"], "secret");
    build(&workshop, &agent.socket, &public).line();
    let (text, signature) = (
        workshop.read("release.toml"),
        workshop.read("release.toml.sig"),
    );
    let readable = String::from_utf8(signature.clone()).unwrap();
    assert_eq!(verify(&readable, &text), Ok(trusted.key.clone()));
    assert!(is_accepted(&workshop, &trusted.key, &text, &signature));
    assert!(!is_accepted(
        &workshop,
        &trusted.key,
        b"changed",
        &signature
    ));

    // The key itself, in the variable, and with the passphrase instead of the agent: the same
    // signature.
    for (variable, value) in [
        ("IPWHL_SIGNING_KEY", trusted.to_string()),
        ("IPWHL_SIGNING_KEY", public.display().to_string()),
        (
            "IPWHL_SIGNING_KEY",
            fs::read_to_string(folder.join("theirs")).unwrap(),
        ),
    ] {
        let mut command = workshop.command(&["sign", "release/release.toml"]);
        command
            .env(variable, value)
            .env("IPWHL_SIGNING_KEY_PASSPHRASE", "secret\n")
            .env("SSH_AUTH_SOCK", &agent.socket);
        fs::remove_file(workshop.release("release.toml.sig")).unwrap();
        assert_eq!(
            Ran::of(&command.output().unwrap()).line(),
            "release/release.toml.sig"
        );
        assert_eq!(workshop.read("release.toml.sig"), signature);
    }

    // Signed by hand in another namespace, as Git does it, and bare, as IPNS records are.
    let by_agent = SigningKey::of_agent(
        trusted.key.clone(),
        "",
        Arc::new(Socket(agent.socket.clone())),
    )
    .unwrap();
    assert_eq!(by_agent.comment(), "maintainer");
    assert!(by_agent.is_kept_by_agent());
    assert_eq!(by_agent.to_openssh(), Err(KeyError::KeptByAgent));
    let private = fs::read_to_string(folder.join("theirs")).unwrap();
    let by_file = SigningKey::from_protected(&private, "secret").unwrap();
    let of_git = by_agent.sign("git", b"tag").unwrap();
    assert_eq!(verify_for("git", &of_git, b"tag"), Ok(trusted.key.clone()));
    assert!(matches!(
        verify(&of_git, b"tag"),
        Err(SignatureError::Namespace { .. })
    ));
    assert_eq!(by_file.sign("git", b"tag").unwrap(), of_git);
    let bare = by_agent.sign_ed25519(b"record").unwrap();
    assert_eq!(by_file.sign_ed25519(b"record"), Ok(bare));
    let verifier = ed25519_dalek::VerifyingKey::from_bytes(trusted.key.ed25519().unwrap()).unwrap();
    verifier
        .verify_strict(b"record", &ed25519_dalek::Signature::from_bytes(&bare))
        .unwrap();

    // A real agent that says no: the key was added to be confirmed, and nobody is there.
    agent.run("ssh-add", &["-D"], "");
    agent.run("ssh-add", &["-c", "theirs"], "secret");
    build(&workshop, &agent.socket, &public).refused(3, &["the agent refused to sign", "help: "]);
    // Locked, it shows no key.
    agent.run("ssh-add", &["-x"], "lock");
    build(&workshop, &agent.socket, &public).refused(3, &["keys that it has: 0", "ssh-add -X"]);
}

#[test]
fn an_agent_that_is_not_there_is_told() {
    let workshop = Workshop::with(&installable_from(None));
    let key = SigningKey::from_seed(&[1; 32]).unwrap().public();
    fs::write(workshop.path("key.pub"), key.line("me")).unwrap();
    workshop.run(&["build", "--key", "../key.pub"]).refused(
        3,
        &[
            "the key in ",
            "key.pub cannot sign: the agent cannot be reached: SSH_AUTH_SOCK is not set",
            "help: start an agent and add the key",
        ],
    );
    for name in ["nothing", "key.pub"] {
        build(&workshop, &workshop.path(name), key.line("me")).refused(
            3,
            &[
                "the key in --key cannot sign: the agent cannot be reached: ",
                name,
            ],
        );
    }
    assert!(!workshop.repository().join("release").exists());
    // What shows a key needs no agent.
    let shown = workshop.run(&["key", "show", "--key", "../key.pub"]);
    assert!(shown.output.contains(&key.line("me")), "{shown:?}");
}

/// Hardware keys, played by an agent in software: `ssh-keygen` has the last word.
#[test]
fn a_hardware_key_signs_through_its_agent() {
    tool("ssh-keygen");
    let workshop = Workshop::with(&installable_from(None));
    for application in ["ssh:", "ssh:releases"] {
        let folder = workshop.path(application);
        fs::create_dir(&folder).unwrap();
        let agent = WrittenAgent::start(&folder, 7, Some(application));
        build(&workshop, &agent.socket, agent.public.line("")).line();
        let (text, signature) = (
            workshop.read("release.toml"),
            workshop.read("release.toml.sig"),
        );
        let readable = String::from_utf8(signature.clone()).unwrap();
        assert_eq!(verify(&readable, &text), Ok(agent.public.clone()));
        assert!(is_accepted(&workshop, &agent.public, &text, &signature));
        assert!(!is_accepted(
            &workshop,
            &agent.public,
            b"changed",
            &signature
        ));
        assert_eq!(
            verify(&readable, b"changed"),
            Err(SignatureError::Mismatch(agent.public.clone()))
        );
        let key = SigningKey::of_agent(
            agent.public.clone(),
            "",
            Arc::new(Socket(agent.socket.clone())),
        )
        .unwrap();
        assert_eq!(key.comment(), "of the agent");
        assert_eq!(key.sign_ed25519(b"record"), Err(KeyError::NoBareSignature));
        let shown = workshop.run(&["key", "show", "--key", &agent.public.line("me")]);
        assert_eq!(
            shown.output,
            format!(
                "\"{}\"\n{}\n",
                agent.public.line("me"),
                agent.public.allowed_signers_line("me").unwrap()
            )
        );
    }
}

/// A repository that trusts a hardware key and one in a file, both of which have to sign.
#[test]
fn a_hardware_key_is_trusted_as_any_other() {
    let folder = Workshop::empty();
    let agent = WrittenAgent::start(&folder.path(""), 8, Some("ssh:"));
    let file = SigningKey::from_seed(&[1; 32]).unwrap();
    let signing = format!(
        "\n[signing]\ntrusted = [\"{}\", \"{}\"]\nthreshold = 2\n",
        agent.public.line("token"),
        file.public().line("file")
    );
    let workshop = Workshop::with(&installable_from(None).configuration(&signing));
    fs::write(workshop.path("key"), file.to_openssh().unwrap()).unwrap();
    let built = build(&workshop, &agent.socket, agent.public.line(""));
    built.line();
    built.said("the statement has 1 of 2 needed signatures");
    built.said("ipwhl sign release/release.toml");
    let verify = ["verify", "release", "--statement", "release/release.toml"];
    workshop
        .run(&verify)
        .refused(1, &["has 1 of the 2 trusted signatures"]);
    workshop
        .run(&["sign", "release/release.toml", "--key", "../key"])
        .said("the statement has 2 of 2 needed signatures");
    workshop.run(&verify).line();
    // It counts each signature, so another one would differ: signing again leaves the one that is
    // there.
    let kept = files(&workshop.repository().join("release"));
    let again = [
        OsStr::new("sign"),
        OsStr::new("release/release.toml"),
        OsStr::new("--key"),
        OsStr::new(&agent.public.line("")),
    ]
    .map(ToOwned::to_owned);
    let again: Vec<&OsStr> = again.iter().map(AsRef::as_ref).collect();
    assert_eq!(
        with(&workshop, &agent.socket, &again).line(),
        "release/release.toml.sig"
    );
    assert_eq!(files(&workshop.repository().join("release")), kept);
    // In a file of signers as well, where nothing lifts the touch.
    let signers = workshop.path("signers");
    let line = agent.public.allowed_signers_line("token").unwrap();
    let arguments = [&verify[..], &["--allowed-signers", "../signers"]].concat();
    fs::write(&signers, &line).unwrap();
    workshop.run(&arguments).line();
    let without = line.replace("namespaces=", "no-touch-required,namespaces=");
    fs::write(&signers, without).unwrap();
    workshop
        .run(&arguments)
        .refused(1, &["no-touch-required", "counts only with a touch"]);
}

/// Whatever the agent answers, only its right signature is used.
#[test]
fn an_agent_that_answers_wrongly_is_told() {
    let workshop = Workshop::with(&installable_from(None));
    let mut other_kind = vec![14];
    other_kind.extend_from_slice(b"\0\0\0\x08\0\0\0\0\0\0\0\0");
    let cases = [
        Does::OtherBytes,
        Does::Refuses,
        Does::Says(vec![14]),
        Does::Says(vec![6]),
        Does::Says(other_kind),
        Does::Says(b"\x0e\0\0\0\x01xy".to_vec()),
        Does::Sends(Vec::new()),
        Does::Sends(b"\0\0\0\x20cut".to_vec()),
        Does::Sends(b"\0\0\0\0".to_vec()),
        Does::Sends(b"\xff\xff\xff\xff".to_vec()),
    ];
    let mut said = String::new();
    for application in [None, Some("ssh:")] {
        let folder = workshop.path(application.unwrap_or("plain"));
        fs::create_dir(&folder).unwrap();
        let agent = WrittenAgent::start(&folder, 9, application);
        let untouched = application.map(|_| Does::Untouched);
        for does in cases.iter().cloned().chain(untouched) {
            agent.does(does.clone());
            let ran = build(&workshop, &agent.socket, agent.public.line(""));
            ran.refused(3, &["the key in --key cannot sign: the agent", "help: "]);
            assert!(!workshop.release("release.toml").exists(), "{does:?}");
            let socket = agent.socket.display().to_string();
            let error = ran.error.replace(&socket, "SOCKET");
            let (_, refusal) = error.split_once("error: ").unwrap();
            said += &format!("{application:?} {does:?}\nerror: {refusal}\n");
        }
        agent.does(Does::Right);
        build(&workshop, &agent.socket, agent.public.line("")).line();
        fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    }
    insta::assert_snapshot!("agent-answers", said);
}

/// What OpenSSH's tests use for hardware: real programs all the way, with no device.
fn authenticator() -> PathBuf {
    given_file("IPWHL_TEST_SK_DUMMY", "`ci/tool sk-dummy` prints one")
}

#[test]
fn openssh_and_its_security_key_sign_and_verify_as_we_do() {
    let provider = authenticator();
    let workshop = Workshop::with(&installable_from(None));
    let folder = workshop.path("agents");
    fs::create_dir(&folder).unwrap();
    let provider = fs::canonicalize(provider).unwrap();
    let provider = provider.to_str().unwrap();
    let agent = OpensshAgent::start(&folder, provider);
    let options = ["-t", "ed25519-sk", "-w", provider, "-N", "", "-C", "token"];
    let touched = make(&folder, "touched", &words(&options));
    let lax = [&options[..], &["-O", "no-touch-required"]].concat();
    let untouched = make(&folder, "untouched", &words(&lax));
    for name in ["touched", "untouched"] {
        agent.run("ssh-add", &["-S", provider, name], "");
    }
    // Our signature, named by the public half or by the handle that ssh-keygen calls the private
    // one.
    for name in ["touched.pub", "touched"] {
        build(&workshop, &agent.socket, folder.join(name)).line();
        let (text, signature) = (
            workshop.read("release.toml"),
            workshop.read("release.toml.sig"),
        );
        assert!(is_accepted(&workshop, &touched.key, &text, &signature));
        let shown = workshop.run(&["key", "show", "--key", folder.join(name).to_str().unwrap()]);
        assert!(shown.output.contains(&touched.to_string()), "{shown:?}");
    }
    // Theirs.
    fs::write(folder.join("text"), "statement").unwrap();
    let theirs = |name: &str| {
        let _ = fs::remove_file(folder.join("text.sig"));
        agent.run(
            "ssh-keygen",
            &["-Y", "sign", "-n", NAMESPACE, "-f", name, "text"],
            "",
        );
        fs::read_to_string(folder.join("text.sig")).unwrap()
    };
    assert_eq!(
        verify(&theirs("touched.pub"), b"statement"),
        Ok(touched.key)
    );
    // ssh-keygen lets a signature without a touch pass, as sshd would not; we do as sshd.
    let without = theirs("untouched.pub");
    assert!(is_accepted(
        &workshop,
        &untouched.key,
        b"statement",
        without.as_bytes()
    ));
    assert_eq!(
        verify(&without, b"statement"),
        Err(SignatureError::Untouched(untouched.key.clone()))
    );
    build(&workshop, &agent.socket, folder.join("untouched.pub"))
        .refused(3, &["without a touch", "ssh-keygen -t ed25519-sk"]);
}
