//! `ipwhl migrate`: a repository of the original becomes one of today's, and says the same.

mod ended;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ipwhl::command::ExitStatus;
use ipwhl::set::declaration::{DeclaredWheel, Layout, Unformatted, merged, parse};
use ipwhl::set::migration::{Leftovers, Migration, blocking_findings, conflicts, leftovers, twins};
use ipwhl::set::repository::Repository;
use proptest::prelude::*;

use crate::declarations::WORDS;
use crate::original::{SETTINGS, declarations, five_keys, generated, original};
use crate::support::program::Program;
use crate::support::repository_builder::BuiltRepository;
use crate::support::strategies::{cases, hold, mutated};

/// What a wheel's declaration says, its lists as the sets that they are.
fn meaning(wheel: &DeclaredWheel) -> String {
    let extras: BTreeSet<String> = wheel
        .extras
        .iter()
        .map(|one| one.value.to_string())
        .collect();
    let needs: BTreeSet<String> = wheel
        .dependencies
        .iter()
        .map(|one| one.value.to_string())
        .collect();
    let sources: Vec<String> = wheel
        .sources
        .iter()
        .map(|one| one.value.to_string())
        .collect();
    let python = wheel
        .requires_python
        .as_ref()
        .map(|one| one.value.to_string());
    format!(
        "{} {sources:?} {} {python:?} {extras:?} {needs:?}",
        wheel.file_name, wheel.content_id.value
    )
}

/// All that a repository says.
fn said(folder: &Path) -> (String, String, Vec<String>, BTreeMap<String, Vec<String>>) {
    let repository = Repository::load(folder).unwrap();
    let configuration = &repository.configuration;
    let projects = repository
        .declarations
        .iter()
        .map(|(project, declaration)| {
            let wheels = declaration.wheels.iter().map(meaning).collect();
            (project.to_string(), wheels)
        })
        .collect();
    let platforms = configuration.platforms.iter().map(ToString::to_string);
    (
        configuration.name.clone(),
        configuration.profile.to_string(),
        platforms.collect(),
        projects,
    )
}

/// What is found on each platform, without the places: what several wheels share is found once for
/// all.
fn found(folder: &Path) -> BTreeSet<String> {
    let run = Program::new(folder).run(&["check", "--message-format", "json"]);
    let mut found = BTreeSet::new();
    for finding in run.findings() {
        let words = [
            "code",
            "severity",
            "message",
            "project",
            "requirement",
            "extra",
        ]
        .map(|key| finding[key].to_string())
        .join(" ");
        let platforms = finding["platforms"].as_array().unwrap();
        found.extend(
            platforms
                .iter()
                .map(|platform| format!("{words} {platform}")),
        );
        found.insert(words);
    }
    found
}

/// The comments in all files below a folder.
fn comments(folder: &Path) -> BTreeSet<String> {
    let mut comments = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let text = fs::read_to_string(path).unwrap();
                let all = text.lines().filter_map(|line| line.split_once("# "));
                comments.extend(all.map(|(_, comment)| comment.trim().to_owned()));
            }
        }
    }
    comments
}

/// Plants a mistake into each of several files, all over the set.
fn plant(folder: &Path) {
    let files = declarations(folder);
    let mut chosen = files.iter().step_by(files.len() / 20);
    for requirement in [
        "absent-project",
        "stone>=2.*",
        "absent-project[extra]>=2; python_version < '3.8'",
    ] {
        for file in chosen.by_ref().take(5) {
            let text = fs::read_to_string(file).unwrap();
            let with = text
                .replacen(
                    "dependencies = [\n",
                    &format!("dependencies = [\n\t\"{requirement}\",\n"),
                    1,
                )
                .replacen(
                    "dependencies = []",
                    &format!("dependencies = [\"{requirement}\"]"),
                    1,
                );
            fs::write(file, with).unwrap();
        }
    }
    for file in chosen.take(5) {
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn the_original_of_last_size_says_the_same_afterwards() {
    for with_mistakes in [false, true] {
        let tree = generated(&[]);
        let folder = tree.path();
        if with_mistakes {
            plant(folder);
        }
        let (before, findings, notes) = (said(folder), found(folder), comments(folder));
        assert_eq!(findings.is_empty(), !with_mistakes);
        assert!(notes.len() > 20, "{}", notes.len());
        let program = Program::new(folder);
        let run = program.run(&["migrate"]).expect(ExitStatus::Clean);
        assert!(run.stderr.contains("in `declarations`"), "{}", run.stderr);
        assert_eq!(said(folder), before);
        assert_eq!(found(folder), findings);
        assert_eq!(comments(folder), notes);
        // A folder that was empty before is nobody's declaration, and stays.
        let is_left = folder.join("pkgs").exists();
        assert!(!is_left || (with_mistakes && declarations(folder).is_empty()));
        assert!(!folder.join("SUPPORTED").exists());
        assert_eq!(
            fs::read_dir(folder.join("declarations")).unwrap().count(),
            before.3.len()
        );
        program.run(&["fmt", "--check"]).expect(ExitStatus::Clean);
        // Once more, and nothing happens, but that empty folders go.
        if is_left {
            program.run(&["migrate"]).expect(ExitStatus::Clean);
            assert!(!folder.join("pkgs").exists());
        }
        let settings = fs::read(folder.join("ipwhl.toml")).unwrap();
        let run = program.run(&["migrate"]).expect(ExitStatus::Clean);
        assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
        assert_eq!(fs::read(folder.join("ipwhl.toml")).unwrap(), settings);
        assert_eq!(said(folder), before);
    }
}

const CID: &str = "QmSnuWmxptJZdLJpKRarxBMS2Ju2oANVrgbr2xWbie9b2D";

/// Four wheels of a project, which differ in each way, with comments in each place.
fn yaks() -> Vec<(&'static str, String)> {
    let wheel = |tag: &str, rest: &str| {
        format!(
            "source = 'https://example.org/Yak-1.0-{tag}.whl'  # from {tag}\ncontent-id = '{CID}'\n{rest}"
        )
    };
    vec![
        (
            "pkgs/25/Yak/yak-1.0-cp37-cp37m-win_amd64.toml",
            format!(
                "# All rights reserved\n\n# the first one\n{}",
                wheel(
                    "cp37-cp37m-win_amd64",
                    "requires-python = '>=3.6'  # old\nextras = ['Horn']\n# what it \
                     needs\ndependencies = [ # list\n  'Zebu >= 2', # watch\n  'ant',\n]\n# the \
                     end of cp37\n"
                )
            ),
        ),
        (
            "pkgs/25/Yak/yak-1.0-cp38-cp38-win_amd64.toml",
            format!(
                "# All rights reserved\n\n{}",
                wheel(
                    "cp38-cp38-win_amd64",
                    "requires-python = '>=3.6'\nextras = ['horn']\n# what it needs\ndependencies = \
                     [\n  # six legs\n  'ant',\n  'zebu>=2', # watch\n]\n"
                )
            ),
        ),
        (
            "pkgs/25/Yak/yak-1.0-cp39-cp39-win_amd64.toml",
            format!(
                "# All rights reserved\n\n# own needs\n{}",
                wheel(
                    "cp39-cp39-win_amd64",
                    "requires-python = '>=3.9'\nextras = []\ndependencies = ['ant'] # fewer\n"
                )
            ),
        ),
    ]
}

fn with_settings(repository: &BuiltRepository, more: &str) {
    repository.write("ipwhl.toml", format!("# Ours\n{SETTINGS}{more}"));
    repository.write(
        "SUPPORTED",
        "cp39 win_amd64\ncp37 win_amd64\ncp38 win_amd64\n",
    );
}

#[test]
fn comments_stand_where_what_they_are_about_stands() {
    let repository = original(&yaks());
    with_settings(
        &repository,
        "# where\ndeclarations = \"pkgs\" # there\n\n[severity] # light\nmissing-dependency = \"off\"\n",
    );
    let before = said(repository.path());
    Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    assert_eq!(said(repository.path()), before);
    insta::assert_snapshot!(
        "migrated-declaration",
        repository.read("declarations/yak.toml")
    );
    insta::assert_snapshot!("migrated-settings", repository.read("ipwhl.toml"));
}

/// A wheel cannot take `requires-python` away, so none is shared where one has none; platforms that
/// are no product stand by themselves.
#[test]
fn what_cannot_be_shared_is_not() {
    let mut files = yaks();
    files[1].1 = files[1].1.replace("requires-python = '>=3.6'\n", "");
    let repository = original(&files);
    with_settings(&repository, "");
    repository.write("SUPPORTED", "cp39 win_amd64\ncp37 manylinux1_x86_64\n");
    let before = said(repository.path());
    Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    assert_eq!(said(repository.path()), before);
    let text = repository.read("declarations/yak.toml");
    assert_eq!(text.matches("requires-python").count(), 2, "{text}");
    let settings = repository.read("ipwhl.toml");
    assert!(
        settings.contains("also = [\"cp37-manylinux_2_24_x86_64\", \"cp39-win_amd64\"]"),
        "{settings}"
    );
}

/// Also where most wheels say the same.
#[test]
fn a_requires_python_that_one_wheel_has_not_is_stated_by_each_other() {
    let mut files = yaks();
    files[2].1 = files[2].1.replace("requires-python = '>=3.9'\n", "");
    let repository = original(&files);
    with_settings(&repository, "");
    let before = said(repository.path());
    Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    assert_eq!(said(repository.path()), before);
    let text = repository.read("declarations/yak.toml");
    assert_eq!(text.matches("requires-python").count(), 2, "{text}");
}

/// What is hidden is nobody's declaration, and stays; a stem with other tags than the source's
/// name, and a wheel in the repository's own folder, are told.
#[test]
fn what_a_person_should_know_is_told() {
    let text = five_keys("yak-1.0-py3-none-any.whl", &[]).replace("https://example.org/", "file:");
    let repository = original(&[
        ("pkgs/45/yak/yak-1.0-py2.py3-none-any.toml", text),
        ("pkgs/45/.notes", "ours\n".to_owned()),
    ]);
    let program = Program::new(repository.path());
    let run = program
        .run(&["migrate", "--output", "new"])
        .expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("from now on it has its own file name"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("copy these wheels too"),
        "{}",
        run.stderr
    );
    let run = program.run(&["migrate"]).expect(ExitStatus::Clean);
    assert!(
        !run.stderr.contains("copy these wheels too"),
        "{}",
        run.stderr
    );
    assert_eq!(repository.read("pkgs/45/.notes"), "ours\n");
    assert!(!repository.join("pkgs/45/yak").exists());
}

/// Platforms that the settings name are theirs, floors included, whatever `SUPPORTED` says beside
/// them.
#[test]
fn platforms_of_the_settings_stay_as_they_are_written() {
    let repository = original(&yaks());
    let platforms = "\n[platforms] # ours\npython = [\"cp39>=3.9.5\"]\nsystem = [\"win_amd64\"]\n";
    with_settings(&repository, platforms);
    Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    let settings = repository.read("ipwhl.toml");
    assert!(settings.ends_with(platforms), "{settings}");
}

/// The new files do not come among those of before.
#[test]
fn declarations_that_were_in_a_folder_of_the_new_name_come_beside_it() {
    let files: Vec<(String, String)> = yaks()
        .into_iter()
        .map(|(file, text)| (file.replace("pkgs/", "declarations/"), text))
        .collect();
    let files: Vec<(&str, String)> = files
        .iter()
        .map(|(file, text)| (file.as_str(), text.clone()))
        .collect();
    let repository = original(&files);
    with_settings(&repository, "declarations = \"declarations\"\n");
    let before = said(repository.path());
    Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    assert_eq!(said(repository.path()), before);
    assert!(repository.join("packages/yak.toml").exists());
    assert!(!repository.join("declarations").exists());
}

#[test]
fn several_versions_come_into_one_file_and_are_named() {
    let mut files = yaks();
    files[2].0 = "pkgs/25/Yak/yak-1.1-cp39-cp39-win_amd64.toml";
    files[2].1 = files[2].1.replace("Yak-1.0", "Yak-1.1");
    let repository = original(&files);
    with_settings(&repository, "");
    let (before, findings) = (said(repository.path()), found(repository.path()));
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("several-versions"))
    );
    let run = Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    assert!(
        run.stderr
            .starts_with("warning: `yak` has the versions 1.0, 1.1: "),
        "{}",
        run.stderr
    );
    assert_eq!(said(repository.path()), before);
    assert_eq!(found(repository.path()), findings);
}

#[test]
fn another_folder_and_a_dry_run_leave_the_repository_alone() {
    let repository = original(&yaks());
    with_settings(&repository, "");
    let before = said(repository.path());
    let settings = repository.read("ipwhl.toml");
    let program = Program::new(repository.path());
    let run = program
        .run(&["migrate", "--dry-run"])
        .expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "declarations/yak.toml\nipwhl.toml\n");
    assert!(!repository.join("declarations").join("yak.toml").exists());
    program
        .run(&["migrate", "--output", "new"])
        .expect(ExitStatus::Clean);
    assert_eq!(said(&repository.join("new")), before);
    assert_eq!(said(repository.path()), before);
    assert_eq!(repository.read("ipwhl.toml"), settings);
    // The same again is harmless; something else is not written over.
    program
        .run(&["migrate", "--output", "new"])
        .expect(ExitStatus::Clean);
    repository.write("new/ipwhl.toml", "# mine\n");
    program
        .run(&["migrate", "--output", "new"])
        .expect(ExitStatus::Findings);
    assert_eq!(repository.read("new/ipwhl.toml"), "# mine\n");
}

#[test]
fn what_could_be_lost_stands_in_the_way() {
    let twin = five_keys("zebu-1.0-py3-none-any.whl", &["ant"]);
    for (file, text, word) in [
        (
            "pkgs/25/Yak/yak-1.0-py3-none-win32.toml",
            "source = ".to_owned(),
            "is not TOML",
        ),
        (
            "pkgs/25/Yak/yak-1.0-py3-none-win32.toml",
            "surplus = 1".to_owned(),
            "surplus",
        ),
        ("SUPPORTED", "cp39\n".to_owned(), "1 words"),
        ("ipwhl.toml", format!("{SETTINGS}surplus = 1\n"), "surplus"),
        (
            "declarations/yak.toml",
            "# another\n".to_owned(),
            "exists already",
        ),
        (
            "declarations/cow.toml",
            "# another\n".to_owned(),
            "exists already",
        ),
        (
            "pkgs/9b/Zebu/zebu-1.0-py3-none-any.toml",
            five_keys("zebu-1.0-py3-none-any.whl", &["bee"]),
            "with different values of `dependencies` in",
        ),
    ] {
        let mut files = yaks();
        files.push(("pkgs/bb/zebu/zebu-1.0-py3-none-any.toml", twin.clone()));
        let repository = original(&files);
        with_settings(&repository, "");
        repository.write(file, &text);
        let before = |name: &str| fs::read(repository.join(name)).ok();
        let names = [
            "ipwhl.toml",
            "SUPPORTED",
            "declarations/yak.toml",
            "declarations/zebu.toml",
        ];
        let all: Vec<_> = names.iter().map(|name| before(name)).collect();
        let run = Program::new(repository.path())
            .run(&["migrate"])
            .expect(ExitStatus::Findings);
        assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
        assert!(run.stderr.contains("nothing is written"), "{}", run.stderr);
        let now: Vec<_> = names.iter().map(|name| before(name)).collect();
        assert_eq!(now, all, "{file}");
    }
}

/// All of them at once, each with the keys that differ.
#[test]
fn wheels_that_are_declared_twice_and_differently_are_all_named() {
    let mut files = yaks();
    let text =
        |name: &str, needs: &[&str]| five_keys(&format!("{name}-1.0-py3-none-any.whl"), needs);
    for (folder, name, needs) in [
        ("bb/zebu", "zebu", &["ant"][..]),
        ("9b/Zebu", "zebu", &["bee"]),
        ("11/emu", "emu", &[]),
        ("22/Emu", "emu", &["ant"]),
        ("33/EMU", "emu", &[]),
        ("44/owl", "owl", &[]),
        ("55/Owl", "owl", &[]),
    ] {
        let file = format!("pkgs/{folder}/{name}-1.0-py3-none-any.toml");
        let file: &'static str = Box::leak(file.into_boxed_str());
        files.push((file, text(name, needs)));
    }
    let repository = original(&files);
    with_settings(&repository, "");
    let before = said(repository.path());
    let run = Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Findings);
    assert_eq!(
        run.stderr,
        "error: `emu-1.0-py3-none-any.whl` is declared with different values of `dependencies` in \
         `pkgs/11/emu/emu-1.0-py3-none-any.toml`, `pkgs/22/Emu/emu-1.0-py3-none-any.toml`, \
         `pkgs/33/EMU/emu-1.0-py3-none-any.toml`\n\
         error: `zebu-1.0-py3-none-any.whl` is declared with different values of `dependencies` in \
         `pkgs/9b/Zebu/zebu-1.0-py3-none-any.toml`, `pkgs/bb/zebu/zebu-1.0-py3-none-any.toml`\n\
         error: 2 wheels are declared in several files that contradict each other, and nothing is written\n\
         help: keep one file for each wheel, then run `ipwhl migrate` again\n"
    );
    assert_eq!(said(repository.path()), before);
    assert!(!repository.join("declarations/emu.toml").exists());
}

/// One declaration is kept, with the comments of all; the only wheel of a project, and one of
/// several.
#[test]
fn wheels_that_are_declared_twice_alike_become_one() {
    let mut files = yaks();
    let owl = five_keys("owl-1.0-py3-none-any.whl", &["ant", "bee"]);
    let twin = five_keys("owl-1.0-py3-none-any.whl", &["bee", "ant"]);
    files.push((
        "pkgs/44/owl/owl-1.0-py3-none-any.toml",
        format!("# first\n{owl}"),
    ));
    files.push((
        "pkgs/55/Owl/owl-1.0-py3-none-any.toml",
        format!("# first\n{twin}# second\n"),
    ));
    let yak = files[1].1.clone();
    files.push((
        "pkgs/66/yak/yak-1.0-cp38-cp38-win_amd64.toml",
        yak + "# third\n",
    ));
    let repository = original(&files);
    with_settings(&repository, "");
    let mut before = said(repository.path());
    for wheels in before.3.values_mut() {
        wheels.sort();
        wheels.dedup();
    }
    let notes = comments(repository.path());
    let run = Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::Clean);
    for words in [
        "note: `owl-1.0-py3-none-any.whl` has the same declaration in \
         `pkgs/44/owl/owl-1.0-py3-none-any.toml` and `pkgs/55/Owl/owl-1.0-py3-none-any.toml`; they \
         become one\n",
        "note: `Yak-1.0-cp38-cp38-win_amd64.whl` has the same declaration in ",
    ] {
        assert_eq!(run.stderr.matches(words).count(), 1, "{}", run.stderr);
    }
    let mut after = said(repository.path());
    after.3.values_mut().for_each(|wheels| wheels.sort());
    assert_eq!(after, before);
    assert_eq!(comments(repository.path()), notes);
    let text = repository.read("declarations/owl.toml");
    assert!(!text.contains("[[wheel]]"), "{text}");
    assert_eq!(text.matches("# first").count(), 1, "{text}");
    assert!(!repository.join("pkgs").exists());
    let check = Program::new(repository.path()).run(&["fmt", "--check"]);
    check.expect(ExitStatus::Clean);
}

/// A run that was ended early has written some of the files; the next one writes the rest.
#[test]
fn a_run_that_was_ended_is_taken_up() {
    let repository = original(&yaks());
    with_settings(&repository, "");
    let before = said(repository.path());
    let program = Program::new(repository.path());
    program
        .run(&["migrate", "--output", "new"])
        .expect(ExitStatus::Clean);
    repository.write(
        "declarations/yak.toml",
        repository.read("new/declarations/yak.toml"),
    );
    program.run(&["migrate"]).expect(ExitStatus::Clean);
    assert_eq!(said(repository.path()), before);
    assert!(!repository.join("pkgs").exists());
}

#[test]
fn a_repository_without_settings_is_given_a_name() {
    let tree = generated(&["--scale", "5", "--without-settings"]);
    let program = Program::new(tree.path());
    let run = program.run(&["migrate"]).expect(ExitStatus::Usage);
    assert!(run.stderr.contains("--name NAME"), "{}", run.stderr);
    program
        .run(&["migrate", "--name", "floating \"cheeses\""])
        .expect(ExitStatus::Clean);
    let run = program.run(&["check"]).expect(ExitStatus::Clean);
    assert!(run.stderr.contains("on 9 platforms"), "{}", run.stderr);
    assert_eq!(said(tree.path()).0, "floating \"cheeses\"");
    program
        .run(&["migrate", "--name", "other"])
        .expect(ExitStatus::Usage);
}

#[test]
#[cfg(unix)]
fn a_link_does_not_decide_where_the_files_go() {
    let repository = original(&yaks());
    with_settings(&repository, "");
    fs::remove_dir(repository.join("declarations")).unwrap();
    fs::create_dir(repository.join("outside")).unwrap();
    std::os::unix::fs::symlink("outside", repository.join("declarations")).unwrap();
    Program::new(repository.path())
        .run(&["migrate"])
        .expect(ExitStatus::World);
    assert_eq!(fs::read_dir(repository.join("outside")).unwrap().count(), 0);
    assert!(repository.join("pkgs").exists());
}

/// Whatever the texts are: what declares wheels is put together without loss, and nothing panics.
#[test]
fn no_texts_are_put_together_into_something_else() {
    let words: Vec<&str> = WORDS
        .iter()
        .chain(&[
            "# note\n",
            " # end\n",
            "\n\n# apart\n\n",
            "\n# last",
            "['ant', # six\n]",
            "\r\n",
        ])
        .copied()
        .collect();
    let yaks = yaks();
    let (put_together, refused) = (Cell::new(0), Cell::new(0));
    let changed = (0..yaks.len()).prop_flat_map(|index| {
        let (_, text) = &yaks[index];
        let texts = mutated(vec![text.clone()], words.clone());
        (Just(index), texts)
    });
    hold(5_000, changed, |(changed, changed_text)| {
        let mut texts: Vec<(Arc<str>, String)> = yaks
            .iter()
            .map(|(file, text)| (Arc::from(*file), text.clone()))
            .collect();
        texts[changed].1 = changed_text;
        let is_sound = texts
            .iter()
            .all(|(file, text)| parse(file, text, Layout::Ipwhl1).wheels.len() == 1);
        let names: BTreeSet<String> = texts
            .iter()
            .flat_map(|(file, text)| parse(file, text, Layout::Ipwhl1).wheels)
            .map(|wheel| wheel.file_name.to_string())
            .collect();
        let given: Vec<(Arc<str>, &str)> = texts
            .iter()
            .map(|(file, text)| (Arc::clone(file), text.as_str()))
            .collect();
        match merged(&given) {
            Ok(_) => put_together.set(put_together.get() + 1),
            // The command has seen to it that each declares another wheel.
            Err(Unformatted::Unfaithful(what)) => {
                assert!(!is_sound || names.len() < 3, "{what}: {texts:?}");
            }
            Err(Unformatted::Syntax(_)) => refused.set(refused.get() + 1),
        }
    });
    let (put_together, refused, all) = (put_together.get(), refused.get(), cases(5_000));
    assert!(
        all < 2_500 || put_together > all / 17 && refused > all / 17,
        "{put_together} {refused}"
    );
}

/// The library plans without writing, and a plan is carried out in two steps.
#[test]
fn a_plan_says_what_would_be_written() {
    let text = five_keys("yak-1.0-py3-none-any.whl", &[]);
    let repository = original(&[("pkgs/45/yak/yak-1.0-py3-none-any.toml", text)]);
    let load = || Repository::load(repository.path()).unwrap();
    let before = load();
    assert_eq!(blocking_findings(&before), []);
    assert_eq!(conflicts(&twins(&before)), []);
    let plan = Migration::plan(&before, None).unwrap();
    plan.check_unoccupied().unwrap();
    let names: Vec<&String> = plan.declarations.keys().collect();
    assert_eq!(names, ["declarations/yak.toml"]);
    assert!(plan.in_place && plan.former.iter().all(|path| path.is_file()));
    assert_eq!(load().configuration.layout, Layout::Ipwhl1);

    plan.write().unwrap();
    let Leftovers::Removable(names, files) = leftovers(&load()) else {
        panic!("{:?}", leftovers(&load()));
    };
    assert_eq!((names, files.len()), (vec!["pkgs", "SUPPORTED"], 2));
    plan.remove_former(&before).unwrap();
    assert_eq!(leftovers(&load()), Leftovers::None);
    assert_eq!(load().configuration.layout, Layout::Package);
}
