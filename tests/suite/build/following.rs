//! What a build follows when nothing names it: the statement where it writes its own.

use std::collections::BTreeSet;
use std::fs;

use ipwhl::release::statement::Statement;

use super::signing::{add_a_project, statement, trusted, workshop};
use crate::support::workshop::{Workshop, files};

const KEY: [&str; 2] = ["--key", "../key-1"];

fn sequence(workshop: &Workshop) -> u64 {
    statement(workshop).sequence
}

fn build(workshop: &Workshop, more: &[&str]) -> Statement {
    workshop.build(&[&KEY[..], more].concat());
    statement(workshop)
}

#[test]
fn a_second_build_follows_the_first() {
    // The user's own key, and one that is trusted.
    for signing in [String::new(), trusted(&[1], 1)] {
        let workshop = workshop(&signing);
        let first = build(&workshop, &[]);
        assert_eq!((first.sequence, first.previous), (1, None));
        let kept = files(&workshop.repository().join("release"));
        assert_eq!(build(&workshop, &[]), first);
        assert_eq!(files(&workshop.repository().join("release")), kept);
        add_a_project(&workshop, "another");
        let second = build(&workshop, &[]);
        second.check_successor_of(&first).unwrap();
        let third = build(&workshop, &["--renew"]);
        third.check_successor_of(&second).unwrap();
        // What is named wins.
        for (name, bytes) in &kept {
            fs::write(workshop.path(name), bytes).unwrap();
        }
        let again = build(&workshop, &["--previous", "../release.toml"]);
        assert_eq!((again.sequence, again.previous), (2, Some(first.root)));
        // Another folder is another place.
        workshop.build(&[&KEY[..], &["--output", "elsewhere"]].concat());
        let text = fs::read_to_string(workshop.repository().join("elsewhere/release.toml"));
        assert_eq!(Statement::parse(&text.unwrap()).unwrap().sequence, 1);
    }
}

/// `[[withdrawn]]` reaches the next statement, and stays there when the settings forget it.
#[test]
fn a_build_names_what_is_withdrawn() {
    let workshop = workshop(&trusted(&[1], 1));
    let first = build(&workshop, &[]);
    let settings = workshop.repository().join("ipwhl.toml");
    let before = fs::read_to_string(&settings).unwrap();
    let table = format!(
        "\n[[withdrawn]]\nroot = \"{}\"\nreason = \"a stolen key\"\ndate = 2026-11-20\n",
        first.root
    );
    fs::write(&settings, before.clone() + &table).unwrap();
    let refused = workshop.run(&[&["build"][..], &KEY].concat());
    assert_eq!(refused.code, Some(1), "{refused:?}");
    refused.said("in format 2 only");
    let newer = before.replacen("format = 1", "format = 2", 1);
    fs::write(&settings, newer.clone() + &table).unwrap();
    let second = build(&workshop, &[]);
    assert_eq!((second.root, second.sequence), (first.root, 2));
    assert_eq!(second.withdrawn.len(), 1);
    second.check_successor_of(&first).unwrap();
    assert_eq!(build(&workshop, &[]), second);
    fs::write(&settings, newer).unwrap();
    let third = build(&workshop, &["--renew"]);
    assert_eq!(third.withdrawn, second.withdrawn);
    let twice = fs::read_to_string(&settings).unwrap() + &table + &table;
    fs::write(&settings, twice).unwrap();
    workshop.run(&["check"]).said("is withdrawn twice");
}

/// A wheel that the statement withdraws is not built, though the settings have forgotten it. A
/// withdrawn release does not come back.
#[test]
fn what_is_withdrawn_does_not_come_back() {
    let workshop = workshop(&trusted(&[1], 1));
    let settings = workshop.repository().join("ipwhl.toml");
    let plain = fs::read_to_string(&settings).unwrap();
    let plain = plain.replacen("format = 1", "format = 2", 1);
    fs::write(&settings, &plain).unwrap();
    let first = build(&workshop, &[]);
    // The current release can be withdrawn, and its statement renewed.
    let of_root = format!(
        "\n[[withdrawn]]\nroot = \"{}\"\nreason = \"a stolen key\"\ndate = 2026-11-20\n",
        first.root
    );
    fs::write(&settings, plain.clone() + &of_root).unwrap();
    let ran = workshop.run(&[&["build"][..], &KEY].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.said("warning: this statement withdraws its own release: a stolen key");
    build(&workshop, &["--renew"]);
    let names = declarations(&workshop);
    add_a_project(&workshop, "another");
    let added = declarations(&workshop);
    let [another] = &*added.difference(&names).collect::<Vec<_>>() else {
        panic!("{added:?}")
    };
    let fourth = build(&workshop, &[]);
    assert_eq!(fourth.withdrawn.len(), 1);
    let text = fs::read_to_string(workshop.repository().join(another)).unwrap();
    fs::remove_file(workshop.repository().join(another)).unwrap();
    fs::write(&settings, &plain).unwrap();
    let refused = workshop.run(&[&["build"][..], &KEY].concat());
    refused.refused(
        1,
        &[
            "is withdrawn since 2026-11-20: a stolen key",
            "change the set",
        ],
    );
    assert_eq!(statement(&workshop), fourth);
    // Now the wheel of the other project: first the settings withdraw it, then the statement does.
    fs::write(workshop.repository().join(another), &text).unwrap();
    let (_, digest) = text.split_once("sha256 = \"").unwrap();
    let of_file = format!(
        "\n[[withdrawn]]\nsha256 = \"{}\"\nreason = \"it sends data\"\ndate = 2026-11-21\n",
        &digest[..64]
    );
    fs::write(&settings, plain.clone() + &of_file).unwrap();
    let refused = || {
        let ran = workshop.run(&[&["build"][..], &KEY].concat());
        ran.refused(
            1,
            &["error[withdrawn]", "withdrawn on 2026-11-21: it sends data"],
        );
    };
    refused();
    fs::remove_file(workshop.repository().join(another)).unwrap();
    add_a_project(&workshop, "third");
    let fifth = build(&workshop, &[]);
    assert_eq!(fifth.withdrawn.len(), 2);
    fs::write(&settings, &plain).unwrap();
    fs::write(workshop.repository().join(another), &text).unwrap();
    refused();
    assert_eq!(statement(&workshop), fifth);
}

/// The paths of all declarations.
fn declarations(workshop: &Workshop) -> BTreeSet<String> {
    let folder = workshop.repository().join("declarations");
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| {
            format!(
                "declarations/{}",
                file.unwrap().file_name().to_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn what_cannot_be_followed_is_not_passed_over() {
    let workshop = workshop(&trusted(&[1], 1));
    build(&workshop, &[]);
    let before = files(&workshop.repository().join("release"));
    let run = || workshop.run(&[&["build"], &KEY[..]].concat());
    let ways = [
        "`--previous STATEMENT`",
        "`--output DIR`",
        "a build begins at sequence 1",
    ];
    let refused = |word: &str| run().refused(1, &[&[word], &ways[..]].concat());
    let place = workshop.release("release.toml");
    let text = String::from_utf8(before["release.toml"].clone()).unwrap();
    fs::write(&place, "nonsense").unwrap();
    refused("release.toml` is not a statement");
    fs::write(&place, text.replace("sequence = 1", "sequence = 1 ")).unwrap();
    refused("has 0 of the 1 trusted signatures that it needs");
    fs::write(
        &place,
        text.replace("name = \"example\"", "name = \"other\""),
    )
    .unwrap();
    refused("is of \"other\", but this repository is \"example\"");
    // One that never ends.
    #[cfg(unix)]
    {
        fs::remove_file(&place).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &place).unwrap();
        run().refused(
            3,
            &["release.toml` cannot be read: it is not a regular file"],
        );
        fs::remove_file(&place).unwrap();
        fs::write(&place, &text).unwrap();
    }
    assert_eq!(workshop.read("release.car"), before["release.car"]);
    // Nor does a lost statement begin another line of sequences.
    fs::remove_file(&place).unwrap();
    run().refused(
        1,
        &[
            "`release/release.toml.sig` exists, but the statement that it signs is missing",
            "`--previous STATEMENT`",
            "if you move release/release.toml.sig away, a build begins at sequence 1",
        ],
    );
    fs::remove_file(workshop.release("release.toml.sig")).unwrap();
    run().line();
    assert_eq!(sequence(&workshop), 1);
}

#[test]
fn a_statement_that_lacks_signatures_waits_for_them() {
    let workshop = workshop(&trusted(&[1, 2], 2));
    build(&workshop, &[]);
    let run = || workshop.run(&[&["build"], &KEY[..]].concat());
    run().refused(
        1,
        &[
            "has 1 of the 2 trusted signatures that it needs",
            "`ipwhl sign release/release.toml --key KEY`",
        ],
    );
    let sign = ["sign", "release/release.toml", "--key", "../key-2"];
    assert_eq!(workshop.run(&sign).code, Some(0));
    add_a_project(&workshop, "another");
    assert_eq!(build(&workshop, &[]).sequence, 2);
}
