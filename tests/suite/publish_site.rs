//! A folder that a web server serves, from one release to the next: deltas, how many releases stay,
//! damage that is found and mended.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ipwhl_unixfs::Profile;

use crate::publish_kubo::{installable_with, settings, succeeded};
use crate::reuse::trusted;
use crate::site::{TARGET, build, curated, reader, release};
use crate::support::workshop::{Ran, Workshop, files};

/// The next release as a delta, in the folder `next`.
fn delta(workshop: &Workshop, library: &str) -> String {
    let previous = "release/release.toml";
    let next = [
        "--car",
        "delta",
        "--output",
        "../next",
        "--previous",
        previous,
    ];
    build(workshop, library, &next)
}

fn publish_next(workshop: &Workshop) -> Ran {
    workshop.run(&["publish", "--release", "../next"])
}

#[test]
fn a_delta_is_completed_from_the_folder() {
    let workshop = curated();
    let first = release(&workshop, "2.1.post1");
    let root = delta(&workshop, "2.2");
    let dry = succeeded(workshop.run(&["publish", "--release", "../next", "--dry-run"]));
    assert!(dry.output.contains("would link "), "{dry:?}");
    succeeded(publish_next(&workshop)).said("that existed already");
    let completed = files(&workshop.path("site"));
    let wheel = "large/large-1.0-py3-none-any.whl";
    let inode = |root: &str| {
        let path = workshop.path("site").join(root).join(wheel);
        fs::metadata(path).unwrap().ino()
    };
    assert_eq!(inode(&first), inode(&root));
    succeeded(publish_next(&workshop)).said("already has the whole release");
    assert_eq!(reader(&workshop, &["verify", "../site"]).line(), root);
    // It is what the full archive makes of the same folder.
    fs::remove_dir_all(workshop.path("site")).unwrap();
    succeeded(workshop.run(&["publish"]));
    let delta = workshop.path("next/release.delta.car");
    let previous = ["--from", "release/release.car", "--from", "sources"];
    workshop
        .run(&[&["fill", delta.to_str().unwrap()], &previous[..]].concat())
        .line();
    succeeded(publish_next(&workshop));
    let full = files(&workshop.path("site"));
    assert_eq!(
        full.keys().collect::<Vec<_>>(),
        completed.keys().collect::<Vec<_>>()
    );
    assert!(full == completed);
    // And the archive beside the statement is the one that `hollow` writes.
    workshop.run(&["hollow", "../next/release.car"]).line();
    let hollow = fs::read(workshop.path("next/release.hollow.car")).unwrap();
    assert!(full["statements/2/release.hollow.car"] == hollow);
}

/// Typed as it stands, the command that a refusal names makes the release one that is taken.
#[test]
fn a_delta_that_the_folder_cannot_complete_names_the_way_out() {
    let workshop = curated();
    let first = release(&workshop, "2.1.post1");
    let root = delta(&workshop, "2.2");
    let site = workshop.path("site");
    let before = files(&site);
    let large = site.join(&first).join("large/large-1.0-py3-none-any.whl");
    let wheel = fs::read(&large).unwrap();
    let refused = |words: &[&str]| -> Vec<String> {
        let ran = publish_next(&workshop);
        ran.refused(1, words);
        let command = ran.error.split("`ipwhl ").nth(1).unwrap();
        let words = command.split('`').next().unwrap().split(' ');
        words.map(ToOwned::to_owned).collect()
    };
    // Other bytes of the same number are noticed when they are read.
    let mut damaged = wheel.clone();
    damaged[2_000_000] ^= 1;
    fs::write(&large, &damaged).unwrap();
    refused(&["are damaged in this folder, and the delta leaves them out"]);
    fs::write(&large, &wheel).unwrap();
    let hollow = site.join("statements/1/release.hollow.car");
    let archive = fs::read(&hollow).unwrap();
    fs::remove_file(&hollow).unwrap();
    refused(&[
        "have no hollow archives",
        "an older version wrote them",
        "--from ARCHIVE`, where ARCHIVE is that of the previous release",
    ]);
    fs::write(&hollow, archive).unwrap();
    assert!(!site.join(&root).exists());
    let mut there = files(&site);
    there.retain(|path, _| !path.contains(".partial"));
    assert!(there == before);
    fs::remove_file(&large).unwrap();
    let command = refused(&[
        "it is missing 1 of the files that this delta leaves out",
        "`large/large-1.0-py3-none-any.whl` the first",
    ]);
    workshop.run(&command).line();
    succeeded(publish_next(&workshop));
    assert_eq!(reader(&workshop, &["verify", "../site"]).line(), root);
}

/// Wheels of one leaf and of several, whose leaves are blocks of the archive or files of a tree:
/// each profile has its own.
#[test]
fn every_profile_has_sites() {
    for profile in Profile::ALL {
        let workshop = curated();
        let of_profile = |library: &str, arguments: &[&str]| {
            let repository = installable_with(library)
                .configuration(&trusted())
                .profile(profile);
            workshop.write_over(&repository);
            settings(&workshop, TARGET);
            workshop.build(&[&["--key", "../key"], arguments].concat())
        };
        let first = of_profile("2.1.post1", &[]);
        succeeded(workshop.run(&["publish"]));
        assert_eq!(reader(&workshop, &["verify", "../site"]).line(), first);
        assert_eq!(reader(&workshop, &["fetch", "../site"]).line(), first);
        let archive = fs::read(workshop.path("reader/release/release.car")).unwrap();
        assert!(archive == workshop.read("release.car"), "{profile}");
        let previous = "release/release.toml";
        let next = [
            "--car",
            "delta",
            "--output",
            "../next",
            "--previous",
            previous,
        ];
        let root = of_profile("2.2", &next);
        succeeded(publish_next(&workshop));
        assert_eq!(reader(&workshop, &["verify", "../site"]).line(), root);
        let profile = profile.to_string();
        let tree = format!("../site/{root}");
        let cid = workshop.run(&["cid", "--profile", &profile, &tree]);
        assert_eq!(cid.line(), root);
    }
}

/// Releases that were not published are steps for readers all the same.
#[test]
fn statements_between_are_published_too() {
    let workshop = curated();
    release(&workshop, "2.1.post1");
    succeeded(reader(&workshop, &["fetch", "../site"]));
    build(&workshop, "2.2", &[]);
    let root = build(&workshop, "2.3", &[]);
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains("would write `statements/2`"), "{dry:?}");
    succeeded(workshop.run(&["publish"]));
    let between = files(&workshop.path("site/statements/2"));
    assert_eq!(
        between.into_keys().collect::<Vec<_>>(),
        ["release.toml", "release.toml.sig"]
    );
    let mut follow = workshop.command(&["fetch", "../site"]);
    follow.current_dir(workshop.path("reader"));
    assert_eq!(Ran::of(&follow.output().unwrap()).line(), root);
    succeeded(workshop.run(&["publish"])).said("already has the whole release");
}

/// What an older version of this program has left is made what this one leaves.
#[test]
fn a_folder_of_an_older_version_gets_what_it_lacks() {
    let workshop = curated();
    let root = release(&workshop, "2.1.post1");
    let site = workshop.path("site");
    let whole = files(&site);
    for path in [
        "statements/1/release.hollow.car",
        "statements/1/release.files",
        "release.toml",
        "release.toml.sig",
    ] {
        fs::remove_file(site.join(path)).unwrap();
    }
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(dry.output.contains("would write `statements/1`"), "{dry:?}");
    succeeded(workshop.run(&["publish"]));
    assert!(files(&site) == whole);
    assert_eq!(reader(&workshop, &["verify", "../site"]).line(), root);
}

/// The trees in a folder.
fn trees(site: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(site)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("bafy") || name.contains(".partial"))
        .collect();
    names.sort();
    names
}

fn sorted(names: &[&String]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| (*name).clone()).collect();
    names.sort();
    names
}

#[test]
fn releases_beyond_the_newest_go_and_their_statements_stay() {
    let workshop = curated();
    let site = workshop.path("site");
    let keeping = |library: &str, arguments: &[&str]| {
        let root = build(&workshop, library, arguments);
        settings(&workshop, "keep = 2");
        root
    };
    let publish = || succeeded(workshop.run(&["publish"]));
    let first = keeping("2.1.post1", &[]);
    publish();
    // Somebody else's.
    let other = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi".to_owned();
    fs::create_dir(site.join(&other)).unwrap();
    let second = keeping("2.2", &[]);
    publish();
    assert_eq!(trees(&site), sorted(&[&first, &second, &other]));
    // Renewed: one release, two statements.
    keeping("2.2", &["--renew"]);
    publish();
    assert_eq!(trees(&site), sorted(&[&first, &second, &other]));
    let inode = |path: &str| fs::metadata(site.join(path)).unwrap().ino();
    assert_eq!(
        inode("statements/2/release.hollow.car"),
        inode("statements/3/release.hollow.car")
    );
    let third = keeping("2.3", &[]);
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(
        dry.output
            .contains(&format!("would remove `{first}`, sequence 1")),
        "{dry:?}"
    );
    let wheel = "large/large-1.0-py3-none-any.whl";
    let bytes = fs::read(site.join(&first).join(wheel)).unwrap();
    let ran = publish();
    ran.said(&format!("removed `{first}`, sequence 1"));
    assert_eq!(trees(&site), sorted(&[&second, &third, &other]));
    // A file that it shared with the others is still theirs.
    assert!(fs::read(site.join(&third).join(wheel)).unwrap() == bytes);
    let names = |number: u64| -> Vec<String> {
        files(&site.join("statements").join(number.to_string()))
            .into_keys()
            .collect()
    };
    assert_eq!(names(1), ["release.toml", "release.toml.sig"]);
    assert_eq!(names(3).len(), 4);
    assert_eq!(reader(&workshop, &["verify", "../site"]).line(), third);
    publish().said("already has the whole release");
    // Rolled back to: it is the newest, whatever older statements name it too.
    assert_eq!(keeping("2.2", &[]), second);
    publish();
    assert_eq!(trees(&site), sorted(&[&second, &third, &other]));
    let fourth = keeping("2.4", &[]);
    publish();
    assert_eq!(trees(&site), sorted(&[&second, &fourth, &other]));
    assert_eq!(names(4), ["release.toml", "release.toml.sig"]);
    assert_eq!(names(2).len(), 4);
    // A run that was killed while it removed.
    fs::rename(site.join(&second), site.join(format!(".{second}.partial"))).unwrap();
    keeping("2.5", &[]);
    publish();
    assert!(trees(&site).iter().all(|name| !name.contains(".partial")));
    settings(&workshop, "keep = 0");
    assert_eq!(workshop.run(&["publish"]).code, Some(1));
}

/// A release that the folder never had is no release that stays in the place of one that it has.
#[test]
fn trees_that_are_there_are_counted() {
    let workshop = curated();
    let site = workshop.path("site");
    let keeping = |library: &str| {
        let root = build(&workshop, library, &[]);
        settings(&workshop, "keep = 2");
        root
    };
    let first = keeping("2.1.post1");
    succeeded(workshop.run(&["publish"]));
    keeping("2.2");
    let third = keeping("2.3");
    succeeded(workshop.run(&["publish"]));
    assert!(site.join("statements/2/release.toml").exists());
    assert_eq!(trees(&site), sorted(&[&first, &third]));
    succeeded(workshop.run(&["publish", "--check"]));
    let fourth = keeping("2.4");
    succeeded(workshop.run(&["publish"])).said(&format!("removed `{first}`, sequence 1"));
    assert_eq!(trees(&site), sorted(&[&third, &fourth]));
}

/// A statement that came as history has nothing beside it, though its root may have a tree by
/// another statement.
#[test]
fn a_statement_that_came_as_history_is_not_damaged() {
    let workshop = curated();
    let site = workshop.path("site");
    let check = || workshop.run(&["publish", "--check"]);
    let root = release(&workshop, "2.1.post1");
    // Renewed twice, and once while nobody looked.
    build(&workshop, "2.1.post1", &["--renew"]);
    build(&workshop, "2.1.post1", &["--renew"]);
    succeeded(workshop.run(&["publish"]));
    let hollow = |number: u64| site.join(format!("statements/{number}/release.hollow.car"));
    assert!(hollow(1).exists() && !hollow(2).exists() && hollow(3).exists());
    succeeded(check());
    // Left and rolled back to, without the release between.
    build(&workshop, "2.2", &[]);
    assert_eq!(build(&workshop, "2.1.post1", &[]), root);
    succeeded(workshop.run(&["publish"]));
    assert!(!hollow(4).exists() && hollow(5).exists());
    succeeded(check());
    // The newest statement needs its own, whatever the others have; and one of them all is needed.
    for numbers in [&[5][..], &[1, 3, 5]] {
        for number in numbers {
            fs::remove_file(hollow(*number)).unwrap();
            fs::remove_file(hollow(*number).with_file_name("release.files")).unwrap();
        }
        let ran = check();
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.said("statements/5/release.hollow.car of sequence 5");
        succeeded(workshop.run(&["publish"]));
        succeeded(check());
    }
}

#[test]
fn a_check_names_what_is_damaged_and_mends_it() {
    let workshop = curated();
    let first = release(&workshop, "2.1.post1");
    let second = release(&workshop, "2.2");
    let site = workshop.path("site");
    let whole = files(&site);
    let check = |more: &[&str]| workshop.run(&[&["publish", "--check"], more].concat());
    let clean = succeeded(check(&[]));
    let said = format!("{}{}", clean.output, clean.error);
    assert!(said.contains("all match their CIDs"), "{clean:?}");
    let damage = |path: &str| {
        let place = site.join(path);
        let mut bytes = fs::read(&place).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(place, bytes).unwrap();
    };
    // One file with two names is damaged in both trees.
    let large = "large/large-1.0-py3-none-any.whl";
    damage(&format!("{second}/{large}"));
    damage(&format!("{first}/library/index.html"));
    damage("statements/1/release.files");
    fs::remove_file(
        site.join(&second)
            .join("library/library-2.2-py3-none-any.whl"),
    )
    .unwrap();
    fs::remove_file(site.join("statements/2/release.hollow.car")).unwrap();
    fs::write(site.join("release.toml"), "x").unwrap();
    let damaged = files(&site);
    let ran = check(&[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for words in [
        format!("{first}/{large} of sequence 1, {first} is altered"),
        format!("{first}/library/index.html of sequence 1"),
        "statements/1/release.files of sequence 1".to_owned(),
        "statements/2/release.hollow.car of sequence 2".to_owned(),
        "release.toml of sequence 2".to_owned(),
        format!("the files of sequence 2, {second} were not read"),
    ] {
        ran.said(&words);
    }
    assert!(files(&site) == damaged);
    // The archive of the newest has what both need, but for a page of the first, which is in its
    // hollow archive.
    let ran = check(&["--repair"]);
    ran.said(&format!(
        "{second}/library/library-2.2-py3-none-any.whl of sequence 2, {second} is \
                       missing, and was repaired"
    ));
    ran.said(&format!(
        "{second}/{large} of sequence 2, {second} is altered, and was repaired"
    ));
    let mut mended = files(&site);
    mended.retain(|path, _| !path.contains(".partial"));
    for (path, bytes) in &whole {
        assert!(mended.get(path) == Some(bytes), "{path}");
    }
    assert_eq!(mended.len(), whole.len());
    succeeded(check(&[]));

    // A tree that somebody has taken away.
    fs::remove_dir_all(site.join(&second)).unwrap();
    check(&["--repair"]).said(&format!(
        "{second}/_ipwhl/release.json of sequence 2, {second} is missing, and was repaired"
    ));
    assert!(files(&site) == whole);

    // Where the archive is gone, a copy in another tree will do; and what is nowhere stays damaged.
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    damage(&format!("{first}/{large}"));
    damage(&format!(
        "{first}/library/library-2.1.post1-py3-none-any.whl"
    ));
    let ran = check(&["--repair"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    ran.said(&format!(
        "{first}/{large} of sequence 1, {first} is altered, and was repaired"
    ));
    let lost = format!(
        "{first}/library/library-2.1.post1-py3-none-any.whl of sequence 1, {first} is altered\n"
    );
    ran.said(&lost);
}

/// Back to a release whose tree was removed, twice: nothing of what is there is called damaged.
#[test]
fn a_check_after_going_back_finds_nothing() {
    let workshop = curated();
    for version in ["2.0", "2.1", "2.2", "2.1", "2.0"] {
        build(&workshop, version, &[]);
        settings(&workshop, "keep = 2");
        succeeded(workshop.run(&["publish"]));
    }
    let ran = succeeded(workshop.run(&["publish", "--check"]));
    assert!(ran.output.contains("all match their CIDs"), "{ran:?}");
    let ran = succeeded(workshop.run(&["publish", "--status"]));
    assert!(ran.output.contains("; 1 older release"), "{ran:?}");
}
