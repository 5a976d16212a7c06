//! What a change cannot make the program read: anything beyond the repository's folder, or git's
//! own files.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Ran, Workshop, pure};

const WHEEL: &str = "cherry-0.3-py3-none-any.whl";

/// A repository whose one wheel lies at this path.
fn set(path: &str) -> Workshop {
    let workshop = Workshop::with(&RepositoryBuilder::new().project(
        Project::wanted(pure("cherry", "0.3")).set("source", &format!("\"file:{path}\"")),
    ));
    let _ = fs::remove_dir_all(workshop.repository().join("wheels"));
    workshop
}

/// Every command that would read the wheel refuses it, and says nothing of what is there.
#[track_caller]
fn refused(workshop: &Workshop, words: &str) -> Ran {
    let mut last = None;
    for arguments in [
        &["check", "--wheels"][..],
        &["check", "--wheels", "--message-format", "json"],
        &["build", "--unsigned"],
        &["build", "--root-only"],
    ] {
        let ran = workshop.run(arguments);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
        let all = format!("{}{}", ran.output, ran.error);
        assert!(all.contains(words), "{arguments:?}: {ran:?}");
        for told in ["content-id-mismatch", "other bytes", "bytes, and"] {
            assert!(!all.contains(told), "{arguments:?}: {told}: {ran:?}");
        }
        last = Some(ran);
    }
    assert!(!workshop.release("release.car").exists());
    last.unwrap()
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_wheel_is_where_its_source_says() {
    let workshop = set("wheels/deep/cherry-0.3-py3-none-any.whl");
    let place = workshop.repository().join("wheels/deep").join(WHEEL);
    put(&place, &pure("cherry", "0.3").build());
    workshop.build(&["--unsigned"]);
}

/// What a program's environment holds: the secrets of a CI job. Its CID and size would say what it
/// is.
#[test]
fn a_link_to_the_environment_of_the_program_is_not_read() {
    let workshop = set(&format!("wheels/{WHEEL}"));
    fs::create_dir(workshop.repository().join("wheels")).unwrap();
    symlink(
        "/proc/self/environ",
        workshop.repository().join("wheels").join(WHEEL),
    )
    .unwrap();
    let there = refused(&workshop, "is a symbolic link, which is not followed");
    // Whether there is anything at the other end cannot be told.
    fs::remove_file(workshop.repository().join("wheels").join(WHEEL)).unwrap();
    symlink(
        "/nowhere/at/all",
        workshop.repository().join("wheels").join(WHEEL),
    )
    .unwrap();
    let nowhere = refused(&workshop, "is a symbolic link, which is not followed");
    assert_eq!((there.output, there.error), (nowhere.output, nowhere.error));
}

/// Bytes that nobody has reviewed in this repository, though they are the declared ones.
#[test]
fn a_wheel_outside_of_the_repository_is_not_built() {
    let outside = pure("cherry", "0.3").build();
    let last = set(&format!("wheels/{WHEEL}"));
    put(&last.path("outside").join(WHEEL), &outside);
    fs::create_dir(last.repository().join("wheels")).unwrap();
    symlink(
        last.path("outside").join(WHEEL),
        last.repository().join("wheels").join(WHEEL),
    )
    .unwrap();
    refused(&last, "is a symbolic link, which is not followed");
    for path in [format!("wheels/{WHEEL}"), format!("a/wheels/b/{WHEEL}")] {
        let middle = set(&path);
        let folder = middle.repository().join(&path);
        let below: Vec<&str> = path.split("wheels/").collect();
        put(&middle.path("outside").join(below[1]), &outside);
        let link = middle.repository().join(below[0]).join("wheels");
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(middle.path("outside"), link).unwrap();
        assert!(folder.exists());
        refused(
            &middle,
            "`wheels` is a symbolic link, which is not followed",
        );
    }
    // Inside the repository links are none either: what a reviewer sees at the path is the link.
    let inside = set(&format!("wheels/{WHEEL}"));
    put(&inside.repository().join("elsewhere").join(WHEEL), &outside);
    symlink("elsewhere", inside.repository().join("wheels")).unwrap();
    refused(
        &inside,
        "`wheels` is a symbolic link, which is not followed",
    );
}

#[test]
fn a_pipe_is_not_waited_for() {
    let workshop = set(&format!("wheels/{WHEEL}"));
    let place = workshop.repository().join("wheels").join(WHEEL);
    fs::create_dir(place.parent().unwrap()).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&place)
            .status()
            .unwrap()
            .success()
    );
    refused(&workshop, "it is not a regular file");
}

#[test]
fn nothing_of_git_is_a_source() {
    for folder in [
        ".git",
        ".GIT",
        ".Git",
        "git~1",
        "GIT~1",
        ".git.",
        ".git ",
        ".git..",
        ".g\u{200c}it",
        "\u{feff}.git",
        "modules/.git",
    ] {
        let path = format!("{folder}/{WHEEL}");
        let workshop = set(&path);
        put(
            &workshop.repository().join(&path),
            &pure("cherry", "0.3").build(),
        );
        refused(
            &workshop,
            "leads into git's own folder, where no wheel belongs",
        );
    }
    for folder in [".github", "git", ".gitignored", "git~12"] {
        let path = format!("{folder}/{WHEEL}");
        let workshop = set(&path);
        put(
            &workshop.repository().join(&path),
            &pure("cherry", "0.3").build(),
        );
        workshop.build(&["--unsigned"]);
    }
}

/// A line of any file would be shown with the finding that it is no TOML.
#[test]
fn no_text_is_read_through_a_link() {
    let secret = "token = hunter2\n";
    let workshop = set(&format!("wheels/{WHEEL}"));
    put(&workshop.path("secret"), secret.as_bytes());
    let repository = workshop.repository();
    let attacks: [(&str, &dyn Fn()); 4] = [
        ("declaration", &|| {
            symlink(
                workshop.path("secret"),
                repository.join("declarations/damson.toml"),
            )
            .unwrap();
        }),
        ("folder of declarations", &|| {
            fs::remove_dir_all(repository.join("declarations")).unwrap();
            fs::create_dir_all(workshop.path("others")).unwrap();
            fs::copy(workshop.path("secret"), workshop.path("others/damson.toml")).unwrap();
            symlink(workshop.path("others"), repository.join("declarations")).unwrap();
        }),
        ("platforms of the original", &|| {
            let text = "[repository]\nformat = 1\nname = \"x\"\nlayout = \"ipwhl-1\"\n";
            fs::write(repository.join("ipwhl.toml"), text).unwrap();
            symlink(workshop.path("secret"), repository.join("SUPPORTED")).unwrap();
        }),
        ("settings", &|| {
            fs::remove_file(repository.join("ipwhl.toml")).unwrap();
            symlink(workshop.path("secret"), repository.join("ipwhl.toml")).unwrap();
        }),
    ];
    for (what, attack) in attacks {
        attack();
        for arguments in [
            &["check"][..],
            &["check", "--message-format", "sarif"],
            &["fmt", "--diff"],
            &["list"],
            &["build", "--unsigned"],
        ] {
            let ran = workshop.run(arguments);
            let all = format!("{}{}", ran.output, ran.error);
            assert!(!all.contains("hunter2"), "{what}, {arguments:?}: {ran:?}");
        }
    }
    assert_eq!(fs::read_to_string(workshop.path("secret")).unwrap(), secret);
}
