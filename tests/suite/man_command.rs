//! `ipwhl man`: pages that groff takes without a word.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use clap::Command as Definition;
use ipwhl::command::{ExitStatus, definition};

use crate::support::program::Program;
use crate::support::tool;
use crate::support::workshop::{Ran, feed};

/// The files of the pages: one for each command, nested ones by their whole names.
fn names(definition: &Definition, above: &str) -> BTreeSet<String> {
    let name = format!("{above}{}", definition.get_name());
    let mut names = BTreeSet::from([format!("{name}.1")]);
    for below in definition.get_subcommands() {
        names.extend(self::names(below, &format!("{name}-")));
    }
    names
}

/// What a reader sees of a page.
fn read(groff: &std::path::Path, page: &str) -> String {
    let mut command = Command::new(groff);
    // `-ww` tells of all that is odd; `-P-c` keeps styles out of the text.
    command.args(["-man", "-Tutf8", "-ww", "-P-cbou", "-rLL=100n"]);
    let ran = Ran::of(&feed(&mut command, page.as_bytes()));
    assert_eq!((ran.code, ran.error.as_str()), (Some(0), ""), "{page}");
    ran.output
}

#[test]
fn every_command_has_a_page_that_groff_takes() {
    let folder = tempfile::tempdir().unwrap();
    let run = Program::new(folder.path())
        .run(&["man", "--output", "man/man1"])
        .expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "");
    let pages = folder.path().join("man/man1");
    let written: BTreeSet<String> = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted = names(&definition(), "");
    assert_eq!(written, wanted);
    assert!(written.contains("ipwhl-key-show.1"), "{written:?}");
    assert_eq!(
        run.stderr,
        format!("wrote {} pages to man/man1\n", wanted.len())
    );
    let groff = tool("groff");
    for name in &wanted {
        let page = fs::read_to_string(pages.join(name)).unwrap();
        let text = read(&groff, &page);
        let title = name.strip_suffix(".1").unwrap();
        assert!(text.starts_with(&format!("{title}(1)")), "{text}");
        for word in [
            "NAME",
            "SYNOPSIS",
            "OPTIONS",
            "--repository",
            "Example: ipwhl ",
        ] {
            assert!(text.contains(word), "{name}: {word}\n{text}");
        }
    }
}

#[test]
fn the_page_of_the_program_goes_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let run = Program::new(folder.path())
        .run(&["man"])
        .expect(ExitStatus::Clean);
    assert_eq!(run.stderr, "");
    let groff = tool("groff");
    let text = read(&groff, &run.stdout);
    for command in definition().get_subcommands() {
        let page = format!("ipwhl-{}(1)", command.get_name());
        assert!(text.contains(&page), "{page}\n{text}");
    }
}
