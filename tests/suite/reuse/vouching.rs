//! Whose word is taken: a statement that trusted keys have signed, or that of whoever runs the
//! build.

use std::fs;

use ipwhl::release::signature::sign;
use ipwhl_unixfs::car::{Blocks, CarWriter, Tree};
use ipwhl_unixfs::{BlockSink, DirectoryDag, DirectoryEntry, LeafHasher, Profile};

use super::{forget, key, open, read, released, trusted};
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Ran, Workshop, pure, small, stored};

/// Writes this text as the statement in `first`, signed by the key of this seed.
fn state(workshop: &Workshop, text: &str, seed: u8) {
    let folder = workshop.repository().join("first");
    fs::write(folder.join("release.toml"), text).unwrap();
    let signature = sign(&key(seed), text.as_bytes()).unwrap();
    fs::write(folder.join("release.toml.sig"), signature).unwrap();
}

#[test]
fn nothing_is_believed_that_nobody_vouches_for() {
    let first = small().configuration(&trusted());
    let (workshop, root) = released(&first, &first, "nothing");
    let reuse = ["build", "--root-only", "--reuse", "first"];
    assert_eq!(workshop.run(&reuse).line(), root);
    let good = String::from_utf8(read(&workshop, "first/release.toml")).unwrap();
    let checks = format!("checks = {}\n", ipwhl_packaging::wheel::CHECKS_VERSION);
    assert!(good.contains(&checks), "{good}");
    let (before, created) = good.split_once("created = ").unwrap();
    let after = created.split_once('\n').unwrap().1;
    let times = "created = 2020-01-01T00:00:00Z\nexpires = 2020-02-01T00:00:00Z\n";
    let other = good.replace(
        &root,
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    );
    for (text, seed, words) in [
        (good.clone(), 2, "is not trusted"),
        (
            good.replace(&checks, &format!("{} #\n", checks.trim_end())),
            1,
            "",
        ),
        (good.replace(&checks, ""), 1, "does not record which checks"),
        (format!("{before}{times}{after}"), 1, "has expired"),
        (other, 1, "there is no statement of the root"),
        ("nonsense".to_owned(), 1, "is not a statement"),
    ] {
        state(&workshop, &text, seed);
        let ran = workshop.run(&reuse);
        if words.is_empty() {
            assert_eq!(ran.line(), root);
            continue;
        }
        ran.refused(1, &[words, "is not reused", "`--reuse-unsigned`"]);
        let ran = workshop.run(&[&reuse[..], &["--reuse-unsigned"]].concat());
        assert_eq!(ran.line(), root);
        ran.said("warning: no statement vouches for first/release.car: ");
        ran.said(words);
    }
    // A statement that is not as it was signed.
    state(&workshop, &good, 1);
    let changed = good
        .replace("sequence = 1", "sequence = 2")
        .replace("created", &format!("previous = \"{root}\"\ncreated"));
    fs::write(workshop.repository().join("first/release.toml"), changed).unwrap();
    workshop.run(&reuse).refused(1, &["is not reused"]);
    // None at all, and one that stands elsewhere.
    state(&workshop, &good, 1);
    for name in ["release.toml", "release.toml.sig"] {
        fs::rename(
            workshop.repository().join("first").join(name),
            workshop.path(name),
        )
        .unwrap();
    }
    workshop
        .run(&reuse)
        .refused(1, &["there is no statement of the root"]);
    let named = ["--reuse-statement", "../release.toml"];
    assert_eq!(workshop.run(&[&reuse[..], &named].concat()).line(), root);
    let previous = [
        "--car",
        "hollow",
        "--previous",
        "../release.toml",
        "--key",
        "../key-1",
    ];
    let line = [&["build", "--reuse", "first"], &previous[..]].concat();
    assert_eq!(workshop.run(&line).line(), root);
    // Who trusts nobody has to say so.
    small().write_to(&workshop.repository());
    forget(&workshop, "nothing");
    workshop
        .run(&[&reuse[..], &named].concat())
        .refused(1, &["names no `trusted` key"]);
}

#[test]
fn what_was_let_pass_then_is_looked_at_now() {
    let odd = |configuration: &str| {
        let odd = stored("odd", "1.0").member("odd.py", "").wheel_file(
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: cp39-none-any\n",
        );
        RepositoryBuilder::new()
            .configuration(&trusted())
            .configuration(configuration)
            .project(Project::wanted(odd))
            .project(Project::wanted(stored("even", "1.0").member("even.py", "")))
    };
    let waiver = "\n[[waiver]]\ncode = \"tag-mismatch\"\nproject = \"odd\"\nreason \
                  = \"seen\"\nexpires = 2999-01-01\n";
    for (settings, reused) in [
        (waiver, "reused 1 wheel from "),
        (
            "\n[severity]\ntag-mismatch = \"warning\"\n",
            "reused 0 wheels from ",
        ),
    ] {
        let first = odd(settings);
        let (workshop, root) = released(&first, &first, "");
        let reuse = ["build", "--root-only", "--reuse", "first"];
        let ran = workshop.run(&reuse);
        assert_eq!(ran.line(), root);
        ran.said(reused);
        let _ = fs::remove_dir_all(workshop.path("cache"));
        odd("").write_to(&workshop.repository());
        workshop.run(&reuse).refused(1, &["tag-mismatch"]);
    }
    // An option leaves nothing in the release, so nobody vouches for its wheels.
    let workshop = Workshop::with(&odd(""));
    fs::write(workshop.path("key-1"), key(1).to_openssh().unwrap()).unwrap();
    let line = ["--output", "first", "--key", "../key-1"];
    workshop.build(&[&line[..], &["--allow", "tag-mismatch"]].concat());
    let statement = String::from_utf8(read(&workshop, "first/release.toml")).unwrap();
    assert!(!statement.contains("checks"), "{statement}");
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    let reuse = ["build", "--root-only", "--reuse", "first"];
    workshop
        .run(&reuse)
        .refused(1, &["does not record which checks", "`--allow`"]);
}

/// What is done to a page.
type Change<'c> = &'c dyn Fn(String) -> String;

/// The page with another value for the first one after a key.
fn other(page: &str, key: &str, value: &str) -> String {
    let at = page.find(key).unwrap() + key.len();
    let start = at + page[at..].find(": ").unwrap() + 2;
    let end = start + page[start..].find([',', '\n']).unwrap();
    format!("{}{value}{}", &page[..start], &page[end..])
}

/// The archive of a release like this one, but that a page of a project says something else.
fn forged(archive: &[u8], project: &str, change: Change<'_>) -> Vec<u8> {
    let reader = open(archive);
    let profile = Profile::default();
    let mut top = reader.list(&reader.root()).unwrap().unwrap();
    let place = top.iter().position(|entry| entry.name == project).unwrap();
    let mut entries = reader.list(&top[place].link.cid).unwrap().unwrap();
    let name = "index.v1_json";
    let page = entries.iter().position(|entry| entry.name == name).unwrap();
    let before = reader.require(&entries[page].link.cid).unwrap();
    let after = change(String::from_utf8(before.clone()).unwrap());
    assert!(after.as_bytes() != before, "nothing was changed");
    let mut hasher = LeafHasher::new(profile);
    hasher.update(after.as_bytes());
    let file = hasher.finish();
    entries[page].link = file.link();
    let build = |entries: Vec<DirectoryEntry>| DirectoryDag::build(profile, entries).unwrap();
    let folder = build(entries);
    top[place].link = folder.link();
    let root = build(top);
    let mut writer = CarWriter::new(Vec::new(), root.link().cid).unwrap();
    root.emit(&mut writer, &mut |_, _| Ok(())).unwrap();
    folder.emit(&mut writer, &mut |_, _| Ok(())).unwrap();
    file.emit(&mut writer, &mut after.as_bytes()).unwrap();
    for cid in reader.cids() {
        writer.put(&cid, &reader.require(&cid).unwrap()).unwrap();
    }
    writer.finish().unwrap().0
}

#[test]
fn a_release_that_contradicts_itself_is_not_reused() {
    let repository = small();
    let (workshop, root) = released(&repository, &repository, "");
    let archive = read(&workshop, "first/release.car");
    let reuse = |workshop: &Workshop| -> Ran {
        let _ = fs::remove_dir_all(workshop.path("cache"));
        workshop.run(&[
            "build",
            "--root-only",
            "--reuse-unsigned",
            "--reuse",
            "forged.car",
        ])
    };
    let digest = format!("\"{}\"", "0".repeat(64));
    let cases: [(&str, Change<'_>, &str); 6] = [
        (
            "library",
            &|page| other(&page, "\"sha256\"", &digest),
            "has a SHA-256 of a wheel that differs from its CID",
        ),
        (
            "library",
            &|page| other(&page, "\"size\"", "7"),
            "has a size of a wheel that differs from its DAG",
        ),
        (
            "large",
            &|page| other(&page, "\"size\"", "2500000"),
            "has a size of a wheel that differs from its DAG",
        ),
        (
            "large",
            &|page| other(&page, "\"size\"", "9000000000000000000"),
            "has a wheel that exceeds the size limit",
        ),
        (
            "large",
            &|page| {
                let at = page.find("core-metadata").unwrap();
                format!(
                    "{}{}",
                    &page[..at],
                    other(&page[at..], "\"sha256\"", &digest)
                )
            },
            "has a SHA-256 of METADATA that differs",
        ),
        (
            "large",
            &|page| page.replace("\"large-1.0-py3", "\"large-1.1-py3"),
            "does not name a wheel of its folder",
        ),
    ];
    for (project, change, words) in cases {
        let bytes = forged(&archive, project, change);
        fs::write(workshop.repository().join("forged.car"), bytes).unwrap();
        reuse(&workshop).refused(1, &["cannot reuse", words]);
    }
    // What it says once is held against the declaration, and the wheel decides.
    let bytes = forged(&archive, "large", &|page| {
        other(&page, "\"sha256\"", &digest)
    });
    fs::write(workshop.repository().join("forged.car"), bytes).unwrap();
    let ran = reuse(&workshop);
    assert_eq!(ran.line(), root);
    // Where nothing is declared, whoever answers for the release answers for this.
    small()
        .change("large", |project| project.unset("sha256"))
        .write_to(&workshop.repository());
    let ran = reuse(&workshop);
    ran.said("warning: no statement vouches for forged.car: ");
    assert_ne!(ran.line(), root);
}

/// A release for Linux says nothing of names that are one place on Windows.
#[test]
fn names_are_looked_at_again_for_a_kind_of_system_that_the_release_was_not_for() {
    let set = |systems: &[&str]| {
        let wheel = pure("plum", "1.0")
            .member("A.py", b"1")
            .member("a.py", b"2");
        RepositoryBuilder::new()
            .platforms(&["cp312"], systems)
            .project(Project::wanted(wheel))
            .project(Project::wanted(pure("pear", "1.0")))
            .configuration(&trusted())
    };
    let linux = set(&["manylinux_2_28_x86_64"]);
    let (workshop, _) = released(&linux, &set(&["manylinux_2_35_x86_64"]), "1.0");
    let reuse = ["build", "--root-only", "--reuse", "first"];
    workshop.run(&reuse).said("reused 2 wheels from ");
    workshop.write_over(&set(&["manylinux_2_28_x86_64", "win_amd64"]));
    let ran = workshop.run(&reuse);
    ran.refused(1, &["`A.py` and `a.py` are one file on Windows"]);
    ran.said("verified 2 wheels");
}

/// The policy may have changed since the release: reused wheels are judged by the METADATA in it.
#[test]
fn licences_of_reused_wheels_are_judged() {
    let set = |policy: &str| {
        let stated = stored("even", "1.0").member("even.py", "");
        let stated = stated.header("License-Expression", "GPL-3.0-only");
        RepositoryBuilder::new()
            .format_2()
            .configuration(&trusted())
            .configuration(policy)
            .project(Project::wanted(stated))
    };
    let allowed = set("\n[licenses]\nallow = ['GPL-3.0-only']\n");
    let (workshop, root) = released(&set(""), &allowed, "nothing");
    let reuse = ["build", "--root-only", "--reuse", "first"];
    let ran = workshop.run(&reuse);
    assert_eq!(ran.line(), root);
    ran.said("reused 1 wheel from ");
    for (policy, code) in [
        ("allow = ['MIT']", "denied-license"),
        ("deny = ['GPL-3.0-only']", "denied-license"),
    ] {
        set(&format!("\n[licenses]\n{policy}\n")).write_to(&workshop.repository());
        forget(&workshop, "nothing");
        workshop.run(&reuse).refused(1, &[code, "`GPL-3.0-only`"]);
    }
    // Reused facts are enough to know that an entry is unused.
    let entry = "\n[licenses]\nunknown = 'allow'\n[[licenses.exception]]\nproject = 'even'\n\
                 allow = ['ISC']\nreason = 'seen'\n";
    set(entry).write_to(&workshop.repository());
    forget(&workshop, "nothing");
    workshop.run(&reuse).said("unused-license-entry");
}
