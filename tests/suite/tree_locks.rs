//! The lock files in the tree of a release, and their verification.

use std::collections::BTreeMap;
use std::io::Cursor;

use ipwhl::release::tree::{TreeLocks, WithoutWhole};
use ipwhl::release::verify::{Contradiction, verify_archive};
use ipwhl_unixfs::car::CarReader;
use ipwhl_unixfs::{Profile, Sha256Digest};

use crate::support::in_process::{BuiltRelease, tree_of_files};
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Workshop, pure};

type Files = BTreeMap<String, Vec<u8>>;

/// `application` needs `library` on Windows, and with its extra `colour` another project.
fn set() -> RepositoryBuilder {
    let application = pure("application", "1.0")
        .requires("library>=2; sys_platform == 'win32'")
        .extra("colour")
        .requires("colour; extra == 'colour'");
    RepositoryBuilder::new()
        .project(Project::wanted(application).set("uploaded", "2023-08-17T17:29:11Z"))
        .project(Project::automatic(pure("library", "2.1.post1")))
        .project(Project::automatic(pure("colour", "0.3")))
        .format_2()
}

/// The same, with so many extras that one file would be too large.
fn large_set() -> RepositoryBuilder {
    let long = "x".repeat(560);
    let wheel = (0..990).fold(pure("wide", "1.0"), |wheel, number| {
        wheel.extra(&format!("{long}-{number:04}"))
    });
    let wheel = wheel.requires(&format!("library; extra == '{long}-0000'"));
    set().project(Project::automatic(wheel))
}

fn verify(files: &Files) -> Vec<Contradiction> {
    let archive = tree_of_files(files).build(Profile::UnixfsV1_2025).car();
    let reader = CarReader::open(Cursor::new(archive)).unwrap();
    verify_archive(&reader, &[]).unwrap().contradictions
}

fn locks(files: &Files) -> Vec<&str> {
    let names = files.keys().map(String::as_str);
    names.filter(|name| name.ends_with("pylock.toml")).collect()
}

/// What is changed in a lock, or is there without being one, is found.
fn assert_verified(files: &Files, lock: &str) {
    assert_eq!(verify(files), []);
    let folder = lock.strip_suffix("pylock.toml").unwrap();
    let folder = folder.trim_end_matches('/').to_owned();
    let mut other = files.clone();
    other.get_mut(lock).unwrap().push(b'\n');
    let found = verify(&other);
    let expected = Contradiction::OtherLock {
        folder: folder.clone(),
    };
    let words = format!("{lock} is not what the declarations say");
    assert_eq!(expected.to_string(), words);
    assert_eq!(found, [expected]);
    let mut without = files.clone();
    without.remove(lock);
    let found = verify(&without);
    let expected = Contradiction::MissingLock { folder };
    assert_eq!(expected.to_string(), format!("{lock} is missing"));
    assert_eq!(found, [expected]);
    let mut stray = files.clone();
    stray.insert("library/pylock.toml".to_owned(), b"x".to_vec());
    let unknown = Contradiction::UnknownFile {
        folder: "library".to_owned(),
        file: "pylock.toml".to_owned(),
    };
    assert_eq!(verify(&stray), [unknown]);
}

/// A release of format 2 has one lock of the whole set: that of `ipwhl lock`, and no other.
#[test]
fn a_release_has_a_lock_of_the_whole_set() {
    let files = BuiltRelease::of(&set()).files;
    assert_eq!(locks(&files), ["pylock.toml"]);
    assert_verified(&files, "pylock.toml");
    let workshop = Workshop::with(&set());
    let built = workshop.run(&["build", "--unsigned"]);
    assert_eq!(built.code, Some(0), "{}", built.error);
    assert!(built.error.contains("locks: 1 file, "), "{}", built.error);
    assert!(!built.error.contains("changed blocks"), "{}", built.error);
    let again = workshop.run(&["build", "--unsigned"]).error;
    assert!(again.contains(", 0 B of them in changed blocks"), "{again}");
    let lock = workshop.run(&["lock"]);
    assert_eq!(lock.code, Some(0), "{}", lock.error);
    let in_tree = String::from_utf8(files["pylock.toml"].clone()).unwrap();
    assert_eq!(lock.output.trim_end(), in_tree.trim_end());
    // A build knows digests that declarations need not have.
    let undeclared = set().change("library", |library| library.unset("sha256").unset("size"));
    let files = BuiltRelease::of(&undeclared).files;
    assert_eq!(
        String::from_utf8(files["pylock.toml"].clone()).unwrap(),
        in_tree
    );
    assert_eq!(verify(&files), []);
}

/// Before format 2 there is no lock, and a stray one is no part of the release.
#[test]
fn before_format_2_a_release_has_no_lock() {
    let first = set().change("application", |project| project.unset("uploaded"));
    let mut files = BuiltRelease::of(&first).files;
    assert_eq!(locks(&files), [""; 0]);
    assert_eq!(verify(&files), []);
    files.insert("pylock.toml".to_owned(), b"x".to_vec());
    let stray = Contradiction::ProjectIsFile {
        project: "pylock.toml".to_owned(),
    };
    assert!(verify(&files).contains(&stray));
}

/// Beyond a mebibyte, each wanted project has a lock of its own.
#[test]
fn a_large_set_has_a_lock_for_each_wanted_project() {
    let built = BuiltRelease::of(&large_set());
    let files = &built.files;
    assert_eq!(locks(files), ["application/pylock.toml"]);
    assert_verified(files, "application/pylock.toml");
    let text = String::from_utf8(files["application/pylock.toml"].clone()).unwrap();
    for part in [
        "extras = [\n    \"colour\",\n]",
        "path = \"../colour/colour-0.3-py3-none-any.whl\"",
        "marker = '\"colour\" in extras'",
        "marker = 'sys_platform == \"win32\"'",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains("wide"), "{text}");
    let found = TreeLocks::of(&built.repository, &|_| Some((1, Sha256Digest::of(b""))));
    let Some(WithoutWhole::TooLarge(bytes)) = found.without_whole else {
        panic!("{found:?}");
    };
    assert!(bytes > 1 << 20, "{bytes}");
    let workshop = Workshop::with(&large_set());
    let built = workshop.run(&["build", "--unsigned"]);
    assert_eq!(built.code, Some(0), "{}", built.error);
    let words = "the release has no lock of the whole set: it would have 1.";
    assert!(built.error.contains(words), "{}", built.error);
    assert!(
        built.error.contains("and may have 1.00 MiB"),
        "{}",
        built.error
    );
}
