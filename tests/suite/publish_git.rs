//! `ipwhl publish` to a git repository: what git itself says of the branch and the tag.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::publish_kubo::{installable_with, second, settings, succeeded};
use crate::support::tool;
use crate::support::workshop::{Ran, Workshop};

const TARGET: &str = "[publish.history]\nkind = \"git\"\nholders = []\nrepository \
                      = \"../git\"\nremote = \"origin\"\n";

/// A real git with an identity and nothing else of the machine's configuration.
struct Git {
    program: PathBuf,
    home: PathBuf,
}

impl Git {
    fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.home);
        command
    }

    #[track_caller]
    fn text(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.command(folder, arguments).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {words}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    fn object(&self, folder: &Path, name: &str) -> Option<String> {
        let output = self
            .command(folder, &["rev-parse", "--verify", "--quiet", name])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Everything of a repository that a dry run must leave: references, index, work tree,
    /// configuration.
    fn state(&self, folder: &Path) -> Vec<String> {
        let references = self.text(folder, &["for-each-ref"]);
        let status = self.text(
            folder,
            &["status", "--porcelain=v2", "--branch", "--ignored"],
        );
        let index = fs::read(folder.join(".git/index")).unwrap_or_default();
        let head = fs::read_to_string(folder.join(".git/HEAD")).unwrap();
        let fetched = folder.join(".git/FETCH_HEAD").exists();
        vec![
            references,
            status,
            format!("{index:?}"),
            head,
            format!("{fetched}"),
        ]
    }
}

/// A repository `git` with a commit and an untracked file, its bare remote `remote`, a workshop
/// with one release.
struct Place {
    workshop: Workshop,
    git: Git,
    here: PathBuf,
    there: PathBuf,
    root: String,
}

impl Place {
    fn new() -> Self {
        let program = tool("git");
        let workshop = Workshop::with(&installable_with("2.1.post1"));
        settings(&workshop, TARGET);
        let root = workshop.build(&[]);
        let git = Git {
            program,
            home: workshop.path("home"),
        };
        fs::write(
            git.home.join(".gitconfig"),
            "[user]\n\tname = A Maintainer\n\temail = \
             maintainer@example.org\n[init]\n\tdefaultBranch = main\n[commit]\n\tgpgSign = true\n",
        )
        .unwrap();
        let (here, there) = (workshop.path("git"), workshop.path("remote"));
        for folder in [&here, &there] {
            fs::create_dir(folder).unwrap();
        }
        git.text(&there, &["init", "--quiet", "--bare"]);
        git.text(&here, &["init", "--quiet"]);
        git.text(&here, &["remote", "add", "origin", "../remote"]);
        fs::write(here.join("kept.txt"), "kept\n").unwrap();
        git.text(&here, &["add", "kept.txt"]);
        git.text(
            &here,
            &["commit", "--quiet", "--no-gpg-sign", "-m", "first"],
        );
        fs::write(here.join("kept.txt"), "changed\n").unwrap();
        fs::write(here.join("untracked.txt"), "untracked\n").unwrap();
        Self {
            workshop,
            git,
            here,
            there,
            root,
        }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.workshop.command(arguments);
        command.env("PATH", std::env::var_os("PATH").unwrap());
        Ran::of(&command.output().unwrap())
    }

    /// What git says of a tag, with an allowed signer.
    fn verify_tag(&self, folder: &Path, tag: &str, line: &str) -> (bool, String) {
        let signers = self.workshop.path("allowed_signers");
        fs::write(&signers, line).unwrap();
        let file = format!("gpg.ssh.allowedSignersFile={}", signers.display());
        let program = format!("gpg.ssh.program={}", tool("ssh-keygen").display());
        let arguments = [
            "-c",
            "gpg.format=ssh",
            "-c",
            &program,
            "-c",
            &file,
            "tag",
            "-v",
            tag,
        ];
        let output = self.git.command(folder, &arguments).output().unwrap();
        let words = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(words).unwrap())
    }

    fn public_key(&self) -> String {
        let shown = self.workshop.run(&["key", "show"]);
        let words = shown.output + &shown.error;
        let at = words.find("ssh-ed25519 ").unwrap();
        let end = words[at..].split([' ', '\n', '"']).nth(1).unwrap();
        format!("ssh-ed25519 {end}")
    }

    #[track_caller]
    fn assert_published(&self, folder: &Path, sequence: u64) {
        for name in ["release.toml", "release.toml.sig"] {
            let there = self
                .git
                .text(folder, &["show", &format!("releases:{name}")]);
            let text = String::from_utf8(self.workshop.read(name)).unwrap();
            assert_eq!(there, text.trim_end(), "{name}");
        }
        let tag = format!("statement-{sequence}");
        assert_eq!(
            self.git
                .text(folder, &["rev-parse", &format!("{tag}^{{commit}}")]),
            self.git.text(folder, &["rev-parse", "releases"])
        );
    }
}

#[test]
fn a_release_is_a_commit_and_a_tag_that_git_verifies() {
    let place = Place::new();
    let (git, here, there) = (&place.git, &place.here, &place.there);
    let before = git.state(here);
    let dry = succeeded(place.run(&["publish", "--dry-run"]));
    for words in [
        "has no release of this repository",
        "would commit the statement of sequence 1 to `releases`",
        "would sign the tag `statement-1`",
        "would push `releases` and `statement-1` to `origin`",
    ] {
        assert!(dry.output.contains(words), "no {words} in {}", dry.output);
    }
    assert_eq!(git.state(here), before);
    assert_eq!(git.text(there, &["for-each-ref"]), "");

    succeeded(place.run(&["publish"])).said("read back the statement and its signatures");
    for folder in [here, there] {
        place.assert_published(folder, 1);
        let message = git.text(
            folder,
            &["tag", "-l", "--format=%(contents)", "statement-1"],
        );
        assert!(
            message.contains(&format!("Root: {}", place.root)),
            "{message}"
        );
        assert_eq!(git.text(folder, &["cat-file", "-t", "statement-1"]), "tag");
        git.text(folder, &["fsck", "--strict"]);
    }
    // The work tree, the index and the branch that somebody works on are as they were.
    let after = git.state(here);
    assert_eq!(before[1..], after[1..]);
    let author = git.text(here, &["log", "-1", "--format=%an <%ae> %cn", "releases"]);
    assert_eq!(author, "A Maintainer <maintainer@example.org> A Maintainer");

    // git believes the tag where the key may sign for git, and not where it may sign something else
    // only.
    let key = place.public_key();
    let (is_good, words) = place.verify_tag(here, "statement-1", &format!("maintainer {key}\n"));
    assert!(
        is_good && words.contains("Good \"git\" signature for maintainer"),
        "{words}"
    );
    let line = format!("maintainer namespaces=\"git,ipwhl-release\" {key}\n");
    let (is_good, words) = place.verify_tag(there, "statement-1", &line);
    assert!(is_good, "{words}");
    let line = format!("maintainer namespaces=\"ipwhl-release\" {key}\n");
    let (is_good, words) = place.verify_tag(here, "statement-1", &line);
    assert!(!is_good, "{words}");

    // The same again changes nothing; an added signature is one more commit under the same tag.
    let (refs, refs_there) = (
        git.text(here, &["for-each-ref"]),
        git.text(there, &["for-each-ref"]),
    );
    succeeded(place.run(&["publish"])).said("already has the whole release");
    let dry = succeeded(place.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains("nothing to do"), "{dry:?}");
    assert_eq!(git.text(here, &["for-each-ref"]), refs);
    assert_eq!(git.text(there, &["for-each-ref"]), refs_there);

    let next = second(&place.workshop, TARGET);
    // A file of the branch's own stays.
    git.text(
        here,
        &["worktree", "add", "--quiet", "../other", "releases"],
    );
    let other = place.workshop.path("other");
    fs::write(other.join("README.md"), "releases\n").unwrap();
    git.text(&other, &["add", "README.md"]);
    git.text(
        &other,
        &["commit", "--quiet", "--no-gpg-sign", "-m", "words"],
    );
    place
        .run(&["publish"])
        .refused(1, &["`releases` is checked out", "would not be updated"]);
    git.text(here, &["worktree", "remove", "../other"]);
    succeeded(place.run(&["publish"]));
    place.assert_published(there, 2);
    assert_eq!(git.text(there, &["show", "releases:README.md"]), "releases");
    let message = git.text(there, &["tag", "-l", "--format=%(contents)", "statement-2"]);
    assert!(message.contains(&next), "{message}");
    assert_eq!(git.text(there, &["rev-list", "--count", "releases"]), "3");
}

/// The forge's own release of the same sequence has a tag, on a commit of the source.
#[test]
fn a_forges_tag_of_the_release_is_not_in_the_way() {
    let place = Place::new();
    let (git, here, there) = (&place.git, &place.here, &place.there);
    let release = "refs/tags/release-1";
    let source = git.text(here, &["rev-parse", "main"]);
    git.text(here, &["push", "--quiet", "origin", "main"]);
    git.text(there, &["update-ref", release, "main"]);
    // Somebody has fetched it, too.
    git.text(here, &["fetch", "--quiet", "--tags", "origin"]);
    succeeded(place.run(&["publish"]));
    for folder in [here, there] {
        place.assert_published(folder, 1);
        assert_eq!(git.object(folder, release).as_ref(), Some(&source));
    }
}

#[test]
fn a_run_that_is_cut_goes_on_and_a_fresh_clone_too() {
    let place = Place::new();
    let (git, here, there) = (&place.git, &place.here, &place.there);
    // The remote refuses: both are here, and neither is there.
    let hook = there.join("hooks/update");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\ncase $1 in refs/tags/*) exit 1 ;; esac\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&hook, mode).unwrap();
    place
        .run(&["publish"])
        .refused(3, &["git push failed", "run the same command again"]);
    place.assert_published(here, 1);
    assert_eq!(git.text(there, &["for-each-ref"]), "");
    fs::remove_file(&hook).unwrap();
    let refs = git.text(here, &["for-each-ref", "refs/heads", "refs/tags"]);
    let dry = succeeded(place.run(&["publish", "--dry-run"]));
    assert!(
        dry.output.contains("would push") && !dry.output.contains("would sign"),
        "{dry:?}"
    );
    succeeded(place.run(&["publish"])).said("pushed both");
    assert_eq!(
        git.text(here, &["for-each-ref", "refs/heads", "refs/tags"]),
        refs
    );
    place.assert_published(there, 1);

    // A clone that has neither branch nor tag takes them, makes no other ones.
    fs::remove_dir_all(here).unwrap();
    fs::create_dir(here).unwrap();
    git.text(here, &["init", "--quiet"]);
    git.text(here, &["remote", "add", "origin", "../remote"]);
    let dry = succeeded(place.run(&["publish", "--dry-run"]));
    for words in [
        "has sequence 1",
        "would point `releases` at",
        "would take the tag",
    ] {
        assert!(dry.output.contains(words), "{dry:?}");
    }
    assert!(!dry.output.contains("would push"), "{dry:?}");
    assert_eq!(git.text(here, &["for-each-ref"]), "");
    let refs_there = git.text(there, &["for-each-ref"]);
    let ran = succeeded(place.run(&["publish"]));
    assert!(!ran.error.contains("pushed"), "{ran:?}");
    place.assert_published(here, 1);
    assert_eq!(git.text(there, &["for-each-ref"]), refs_there);

    // The tag is gone here, the branch there: what is left decides.
    git.text(here, &["tag", "-d", "statement-1"]);
    git.text(there, &["update-ref", "-d", "refs/heads/releases"]);
    succeeded(place.run(&["publish"]));
    assert_eq!(git.text(there, &["for-each-ref"]), refs_there);
    place.assert_published(here, 1);

    // Somebody else has published the second release from another clone.
    let first = place.workshop.path("first");
    fs::create_dir(&first).unwrap();
    for name in ["release.car", "release.toml", "release.toml.sig"] {
        fs::copy(place.workshop.release(name), first.join(name)).unwrap();
    }
    second(&place.workshop, TARGET);
    let elsewhere = place.workshop.path("elsewhere");
    git.text(
        &place.workshop.path("home"),
        &["clone", "--quiet", "../remote", "../elsewhere"],
    );
    let there_too = TARGET.replace("../git", "../elsewhere");
    let path = place.workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(TARGET.trim_end(), there_too.trim_end())).unwrap();
    // The clone has the branch checked out where the remote's HEAD leads to it; another one then.
    git.text(&elsewhere, &["checkout", "--quiet", "--orphan", "work"]);
    succeeded(place.run(&["publish"]));
    fs::write(&path, text).unwrap();
    assert_eq!(git.object(here, "refs/tags/statement-2"), None);
    let old = ["publish", "--release", first.to_str().unwrap()];
    place
        .run(&old)
        .refused(1, &["it has sequence 2", "has the sequence 1"]);
    succeeded(place.run(&["publish"]));
    place.assert_published(here, 2);
}

/// Signatures are added, and none is lost: whichever of them is published, and under whichever
/// name.
#[test]
fn signatures_of_the_same_statement_come_together() {
    let place = Place::new();
    let (git, workshop) = (&place.git, &place.workshop);
    succeeded(place.run(&["publish"]));
    let show = |name: &str| git.text(&place.there, &["show", &format!("releases:{name}")]);
    let count = || git.text(&place.there, &["rev-list", "--count", "releases"]);
    let own = show("release.toml.sig");
    let keys =
        [7, 8].map(|seed| ipwhl::release::signature::SigningKey::from_seed(&[seed; 32]).unwrap());
    let statement = workshop.read("release.toml");
    let mut signed = Vec::new();
    for (name, key) in ["second", "third"].into_iter().zip(&keys) {
        fs::write(workshop.path(name), key.to_openssh().unwrap()).unwrap();
        let text = ipwhl::release::signature::sign(key, &statement).unwrap();
        let digits = key.public().file_digits();
        signed.push((format!("release.toml.{digits}.sig"), text));
    }
    let [(second, two), (third, three)] = &signed[..] else {
        unreachable!()
    };
    fs::write(workshop.release(second), two).unwrap();
    succeeded(place.run(&["publish"]));
    assert_eq!(
        (count(), show(second)),
        ("2".to_owned(), two.trim_end().to_owned())
    );
    // The first alone, the second alone under the first's name: nothing is new.
    let refs = git.text(&place.there, &["for-each-ref"]);
    fs::remove_file(workshop.release(second)).unwrap();
    succeeded(place.run(&["publish"])).said("already has the whole release");
    fs::write(workshop.release("release.toml.sig"), two).unwrap();
    let dry = succeeded(place.run(&["publish", "--key", "../second", "--dry-run"]));
    assert!(dry.output.contains("nothing to do"), "{dry:?}");
    succeeded(place.run(&["publish", "--key", "../second"])).said("already has the whole release");
    assert_eq!(git.text(&place.there, &["for-each-ref"]), refs);
    // A third one under the first's name gets its own.
    fs::write(workshop.release("release.toml.sig"), three).unwrap();
    succeeded(place.run(&["publish", "--key", "../third"]));
    assert_eq!(count(), "3");
    for (name, text) in [("release.toml.sig", &own), (second, two), (third, three)] {
        assert_eq!(show(name), text.trim_end(), "{name}");
    }
    fs::write(workshop.release("release.toml.sig"), format!("{own}\n")).unwrap();
    // Another statement of the same release under the same sequence, and the next one, which has
    // its own signatures alone.
    for name in ["release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), workshop.path(name)).unwrap();
    }
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    workshop.build(&["--expires", "30d"]);
    place.run(&["publish"]).refused(
        1,
        &[
            "another statement with the sequence 1",
            "a sequence is used only once",
        ],
    );
    workshop.build(&["--renew", "--previous", "../release.toml"]);
    succeeded(place.run(&["publish"]));
    place.assert_published(&place.there, 2);
    let listing = git.text(&place.there, &["ls-tree", "--name-only", "releases"]);
    assert_eq!(listing, "release.toml\nrelease.toml.sig");
}

#[test]
fn what_is_not_ours_or_has_gone_another_way_is_refused() {
    let place = Place::new();
    let (git, here, there) = (&place.git, &place.here, &place.there);
    let refused = |words: &[&str]| {
        let before = git.state(here);
        let refs = git.text(there, &["for-each-ref"]);
        for run in [&["publish", "--dry-run"][..], &["publish"]] {
            place.run(run).refused(1, words);
        }
        assert_eq!(git.state(here), before);
        assert_eq!(git.text(there, &["for-each-ref"]), refs);
    };
    place
        .run(&["publish", "--unsigned"])
        .refused(1, &["there is no statement"]);
    // A key that has not signed the statement, which one that is trusted has.
    let own = place.run(&["key", "show"]).output;
    let own = own.lines().next().unwrap();
    let path = place.workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("[signing]\ntrusted = [{own}]\n{text}")).unwrap();
    let other = ipwhl::release::signature::SigningKey::from_seed(&[7; 32]).unwrap();
    fs::write(
        place.workshop.path("other-key"),
        other.to_openssh().unwrap(),
    )
    .unwrap();
    place
        .run(&["publish", "--key", "../other-key"])
        .refused(1, &["has not signed the statement"]);

    // Tags of that name that are something else.
    git.text(here, &["tag", "statement-1"]);
    refused(&[
        "the tag `statement-1` exists, and ",
        "no message and no signature",
    ]);
    git.text(here, &["tag", "-d", "statement-1"]);
    git.text(here, &["tag", "-a", "-m", "mine", "statement-1"]);
    refused(&[
        "the tag `statement-1` exists, and ",
        "has no signature in SSH's format",
    ]);
    git.text(here, &["tag", "-d", "statement-1"]);
    succeeded(place.run(&["publish"]));

    // The tag of this release, changed: its message under the same signature.
    let text = git.text(here, &["cat-file", "tag", "statement-1"]) + "\n";
    git.text(here, &["update-ref", "-d", "refs/tags/statement-1"]);
    let changed = place.workshop.path("tag");
    fs::write(&changed, text.replace("Root: ", "Roof: ")).unwrap();
    let object = git.text(
        here,
        &["hash-object", "-w", "-t", "tag", changed.to_str().unwrap()],
    );
    git.text(here, &["update-ref", "refs/tags/statement-1", &object]);
    refused(&[
        "the tag `statement-1` exists, and ",
        "its signature is invalid",
    ]);
    git.text(here, &["update-ref", "-d", "refs/tags/statement-1"]);
    // By a key that has not signed the statement; of another commit; and one that holds, but is not
    // the remote's.
    let own = fs::read_to_string(own_key(&place.workshop)).unwrap();
    let own = ipwhl::release::signature::SigningKey::from_openssh(&own).unwrap();
    let at = text.find("-----BEGIN").unwrap();
    let (commit, elsewhere) = (
        git.text(here, &["rev-parse", "releases"]),
        git.text(here, &["rev-parse", "main"]),
    );
    for (key, from, to, word) in [
        (
            &other,
            "Root: ",
            "Root: ",
            "by a key that has not signed the statement",
        ),
        (&own, &commit[..], &elsewhere[..], "is of another statement"),
        (&own, "Root: ", "Roof: ", "differs here and at `origin`"),
    ] {
        let signed = text[..at].replace(from, to);
        let signature = key.sign("git", signed.as_bytes()).unwrap();
        fs::write(&changed, format!("{signed}{signature}")).unwrap();
        let path = changed.to_str().unwrap();
        let object = git.text(here, &["hash-object", "-w", "-t", "tag", path]);
        git.text(here, &["update-ref", "refs/tags/statement-1", &object]);
        refused(&["`statement-1`", word]);
        git.text(here, &["update-ref", "-d", "refs/tags/statement-1"]);
    }

    // The branch has gone another way at the remote.
    let tree = git.text(there, &["rev-parse", "releases^{tree}"]);
    let commit = git
        .text(
            here,
            &["commit-tree", "--no-gpg-sign", "-m", "another", &tree],
        )
        .clone();
    git.text(
        here,
        &[
            "push",
            "--quiet",
            "--force",
            "origin",
            &format!("{commit}:refs/heads/releases"),
        ],
    );
    refused(&["has diverged here", "keep the remote's"]);
    git.text(here, &["branch", "--force", "releases", &commit]);

    // What stands there is no statement, or of another repository.
    let statement = String::from_utf8(place.workshop.read("release.toml")).unwrap();
    for (text, word) in [
        ("mine\n".to_owned(), "is not a statement"),
        (
            statement.replace("\"example\"", "\"another\""),
            "is of the repository",
        ),
    ] {
        fs::write(&changed, text).unwrap();
        let blob = git.text(here, &["hash-object", "-w", changed.to_str().unwrap()]);
        let listing = place.workshop.path("listing");
        fs::write(&listing, format!("100644 blob {blob}\trelease.toml\n")).unwrap();
        let mut command = git.command(here, &["mktree"]);
        command.stdin(fs::File::open(&listing).unwrap());
        let tree = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let commit = git.text(
            here,
            &[
                "commit-tree",
                "--no-gpg-sign",
                "-p",
                "releases",
                "-m",
                "x",
                tree.trim(),
            ],
        );
        git.text(here, &["branch", "--force", "releases", &commit]);
        refused(&["`release.toml` on the branch `releases`", word]);
        git.text(here, &["branch", "--force", "releases", "releases^"]);
    }

    // A remote that is missing; its password is not said.
    let path = place.workshop.repository().join("ipwhl.toml");
    git.text(
        here,
        &[
            "config",
            "remote.far.url",
            "http://somebody:secret-word@127.0.0.1:1/far.git",
        ],
    );
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"origin\"", "\"far\"")).unwrap();
    let ran = place.run(&["publish", "-v"]);
    ran.refused(3, &["git ls-remote failed", "the name of the remote `far`"]);
    assert!(!ran.error.contains("secret-word"), "{}", ran.error);
    fs::write(&path, text.replace("../git", "../home")).unwrap();
    place.run(&["publish"]).refused(
        3,
        &["is not in a usable git repository", "`git init` makes one"],
    );
}

/// Where the program keeps the key that it has made.
fn own_key(workshop: &Workshop) -> PathBuf {
    let found = crate::support::workshop::files(&workshop.path("home"));
    let name = found
        .iter()
        .find(|(_, bytes)| bytes.starts_with(b"-----BEGIN OPENSSH PRIVATE KEY"))
        .unwrap()
        .0;
    workshop.path("home").join(name)
}
