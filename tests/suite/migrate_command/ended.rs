//! `ipwhl migrate` that was ended between its new settings and the last file that it takes away.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ipwhl::command::ExitStatus;

use super::{said, with_settings, yaks};
use crate::original::{generated, original};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::BuiltRepository;
use crate::support::workshop::{Ending, files};

/// The repository after a run, and its files of before.
fn migrated() -> (BuiltRepository, Vec<(&'static str, String)>) {
    let repository = original(&yaks());
    with_settings(&repository, "");
    Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    assert!(!repository.join("pkgs").exists());
    let mut before = yaks();
    before.push((
        "SUPPORTED",
        "cp39 win_amd64\ncp37 win_amd64\ncp38 win_amd64\n".to_owned(),
    ));
    (repository, before)
}

fn migrate(repository: &BuiltRepository, arguments: &[&str]) -> Run {
    Program::new(repository.path())
        .run(&[&["migrate"], arguments].concat())
        .expect(ExitStatus::Clean)
}

/// Each file that can be left, alone and together with the others.
#[test]
fn what_is_left_goes_when_the_new_layout_has_it() {
    let (repository, before) = migrated();
    let whole = files(repository.path());
    for left in 1..(1 << before.len()) {
        for (index, (file, text)) in before.iter().enumerate() {
            if left & (1 << index) != 0 {
                repository.write(file, text);
            }
        }
        let there = files(repository.path());
        let run = migrate(&repository, &["--dry-run"]);
        assert!(run.stderr.starts_with("would remove "), "{}", run.stderr);
        migrate(&repository, &["--output", "elsewhere"]);
        assert_eq!(files(repository.path()), there);
        let run = migrate(&repository, &[]);
        assert!(run.stderr.starts_with("removed "), "{}", run.stderr);
        assert_eq!(files(repository.path()), whole);
        assert!(!repository.join("pkgs").exists());
    }
    // Folders that have lost their files already.
    fs::create_dir_all(repository.join("pkgs/25/Yak")).unwrap();
    migrate(&repository, &[]);
    assert!(!repository.join("pkgs").exists());
    assert_eq!(
        migrate(&repository, &[]).stderr,
        "the repository already has the layout `package`: there is nothing to do\n"
    );
}

/// One thing that the new layout has not, and everything stays.
#[test]
fn what_is_nowhere_else_stays_with_all_the_rest() {
    let file = "pkgs/25/Yak/yak-1.0-cp39-cp39-win_amd64.toml";
    let cid = "QmSnuWmxptJZdLJpKRarxBMS2Ju2oANVrgbr2xWbie9b2D";
    let other = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o";
    for (place, from, to, word) in [
        (file, "# fewer", "# much fewer", "does not have all of"),
        (file, "['ant']", "['ant', 'bee']", "does not have all of"),
        (
            file,
            "['ant']",
            "['ant', 'bee>=2.*']",
            "does not have all of",
        ),
        (
            file,
            "extras = []",
            "extras = ['horn']",
            "does not have all of",
        ),
        (file, ">=3.9", ">=3.8", "does not have all of"),
        (file, cid, other, "does not have all of"),
        (
            file,
            "https://example.org/",
            "https://example.net/",
            "does not have all of",
        ),
        (file, "source = ", "source: ", "does not have all of"),
        (
            file,
            "source = ",
            "surplus = 1\nsource = ",
            "does not have all of",
        ),
        ("SUPPORTED", "cp38", "cp310", "other platforms"),
        ("SUPPORTED", "cp38 win_amd64\n", "cp38\n", "other platforms"),
        (
            "SUPPORTED",
            "cp38 win_amd64\n",
            "cp38 win_amd64\nwindows\n",
            "other platforms",
        ),
        (
            "declarations/yak.toml",
            "# fewer",
            "",
            "does not have all of",
        ),
        (
            "declarations/yak.toml",
            "zebu>=2",
            "zebu>=3",
            "does not have all of",
        ),
        (
            "declarations/yak.toml",
            "source = ",
            "source: ",
            "does not have all of",
        ),
    ] {
        let (repository, before) = migrated();
        for (name, text) in &before {
            repository.write(name, text);
        }
        let text = repository.read(place);
        assert!(text.contains(from), "{from}: {text}");
        repository.write(place, text.replace(from, to));
        let there = files(repository.path());
        let run = migrate(&repository, &[]);
        assert_eq!(files(repository.path()), there, "{place} {to}");
        assert!(run.stderr.contains(word), "{to}: {}", run.stderr);
        assert!(
            run.stderr.ends_with("`rm -r pkgs SUPPORTED`\n"),
            "{}",
            run.stderr
        );
    }
    for name in [
        "pkgs/25/Yak/notes.txt",
        "pkgs/.keep",
        "pkgs/25/Zebra/zebra-1.0-py3-none-any.toml",
    ] {
        let (repository, before) = migrated();
        for (file, text) in &before {
            repository.write(file, text);
        }
        repository.write(name, "");
        let there = files(repository.path());
        let run = migrate(&repository, &[]);
        assert_eq!(files(repository.path()), there, "{name}");
        assert!(run.stderr.contains(&format!("`{name}`")), "{}", run.stderr);
    }
}

/// A link in the place of the old folder leads to what is not ours.
#[test]
#[cfg(unix)]
fn nothing_is_removed_through_a_link() {
    let (repository, before) = migrated();
    for (name, text) in &before {
        repository.write(&name.replace("pkgs/", "outside/"), text);
    }
    std::os::unix::fs::symlink("outside", repository.join("pkgs")).unwrap();
    let there = files(&repository.join("outside"));
    let run = migrate(&repository, &[]);
    assert!(
        run.stderr.contains("`pkgs` is not a folder"),
        "{}",
        run.stderr
    );
    assert_eq!(files(&repository.join("outside")), there);
    assert!(repository.join("pkgs").is_symlink());
}

/// Whether a moment of a run has come, by what its folder holds.
type Seen<'s> = dyn Fn(&Path) -> bool + 's;

/// Waits for a moment of a run, or for its end.
fn until(run: &mut Ending, is_there: &dyn Fn() -> bool) -> bool {
    let limit = Instant::now() + Duration::from_mins(2);
    while !is_there() {
        if run.0.try_wait().unwrap().is_some() || Instant::now() > limit {
            return false;
        }
    }
    true
}

/// Whenever the real program is killed, the next run brings the same to an end.
#[test]
fn a_killed_run_is_brought_to_its_end_by_the_next_one() {
    let count = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    let whole = generated(&["--scale", "20"]);
    let prefixes = count(&whole.path().join("pkgs"));
    assert!(prefixes > 20, "{prefixes}");
    let before = said(whole.path());
    Program::new(whole.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    let whole = files(whole.path());
    let moments: [(&str, &Seen<'_>); 4] = [
        ("a declaration is written", &|folder| {
            count(&folder.join("declarations")) > 0
        }),
        ("half of the declarations are written", &|folder| {
            count(&folder.join("declarations")) > 60
        }),
        ("the settings are new", &|folder| {
            fs::read_to_string(folder.join("ipwhl.toml"))
                .is_ok_and(|text| text.contains("\"package\""))
        }),
        ("files of before are gone", &|folder| {
            count(&folder.join("pkgs")) < prefixes
        }),
    ];
    let mut killed = 0;
    for (moment, is_there) in moments {
        let tree = generated(&["--scale", "20"]);
        let folder = tree.path();
        let mut run = Ending(
            Command::new(env!("CARGO_BIN_EXE_ipwhl"))
                .args(["--quiet", "migrate"])
                .current_dir(folder)
                .env_clear()
                .spawn()
                .unwrap(),
        );
        if until(&mut run, &|| is_there(folder)) {
            killed += 1;
        }
        drop(run);
        assert_eq!(said(folder), before, "{moment}");
        Program::new(folder)
            .run(&["migrate"])
            .expect(ExitStatus::Clean);
        assert_eq!(files(folder), whole, "{moment}");
        assert!(!folder.join("pkgs").exists(), "{moment}");
    }
    // The first moments are long before the end, whatever the machine.
    assert!(killed >= 2, "{killed}");
}
