//! No message is longer than a screen because a token is long: names, requirements, addresses and
//! lines of 100,000 characters, in declarations, settings, METADATA and the answers of an index.

use std::fs;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::Code;

use crate::findings::{check, command, fixture};
use crate::support::bench::{Bench, pure};
use crate::support::loopback_index::Hosted;
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;

const LENGTH: usize = 100_000;
/// The length where many strings are made long, one after the other.
const SWEPT: usize = 10_000;
/// A screen, in lines and columns.
const SCREEN: (usize, usize) = (24, 120);

/// How many lines a terminal needs for a text.
fn rows(text: &str) -> usize {
    text.lines()
        .map(|line| line.chars().count().div_ceil(SCREEN.1).max(1))
        .sum()
}

/// The findings of a run are about a screen each: one with a waiver to paste has some lines more
/// anyway.
#[track_caller]
fn is_short(run: &Run, what: &str) {
    let found = ["error", "warning"]
        .iter()
        .map(|word| {
            let lines = run.stderr.lines();
            lines.filter(|line| line.starts_with(word)).count()
        })
        .sum::<usize>();
    let rows = rows(&run.stderr);
    assert!(
        rows <= (SCREEN.0 + 8) * found.max(1),
        "{what}: {rows} lines for {found}\n{}",
        run.stderr.chars().take(9_000).collect::<String>()
    );
}

/// The places of the ends of the strings in a TOML text, before the quote.
fn ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut open = None;
    for (place, sign) in text.char_indices() {
        match (open, sign) {
            (None, '"' | '\'') => open = Some(sign),
            (Some(quote), _) if quote == sign => {
                ends.push(place);
                open = None;
            }
            (_, '\n') => open = None,
            _ => {}
        }
    }
    ends
}

fn texts(repository: &BuiltRepository) -> Vec<String> {
    let mut files = vec!["ipwhl.toml".to_owned()];
    let folder = repository.join("declarations");
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        files.push(format!("declarations/{name}"));
    }
    files.sort();
    files
}

/// Every string of every fixture, made long, one after the other.
#[test]
fn a_long_string_anywhere_is_shown_shortly() {
    let mut looked_at = 0;
    for code in Code::ALL.iter().copied() {
        // An audit asks the index.
        if command(code)[0] == "audit" {
            continue;
        }
        let repository = fixture(code).unwrap().build();
        for file in texts(&repository) {
            let text = repository.read(&file);
            for (index, end) in ends(&text).into_iter().enumerate() {
                // The sound declarations around it are the same in most fixtures.
                if code != Code::MissingDependency && text.contains("file:wheels/") && index > 3 {
                    continue;
                }
                let tokens: &[&str] = if index == 0 {
                    &["a", "é", "a "]
                } else {
                    &["a"]
                };
                for token in tokens {
                    let long = token.repeat(SWEPT / token.chars().count());
                    let mut other = text.clone();
                    other.insert_str(end, &long);
                    repository.write(&file, &other);
                    let run = check(code, &repository, &["--offline"]);
                    is_short(&run, &format!("{code} {file} {index} {token:?}"));
                    looked_at += 1;
                }
            }
            repository.write(&file, &text);
        }
    }
    assert!(looked_at > 100, "only {looked_at}");
}

/// A line that is no TOML, a comment, and a key.
#[test]
fn a_long_line_is_shown_shortly() {
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path());
    let long = "a".repeat(LENGTH);
    for file in ["declarations/apple.toml", "ipwhl.toml"] {
        let text = repository.read(file);
        for line in [
            format!("{long}\n"),
            format!("{long} = 1\n"),
            format!("\"{long}\" = [\n"),
            format!("x = {long}\n"),
            format!("[{long}\n"),
            format!("[{long}]\nx = 1\n"),
            format!("size = {}\n", "1".repeat(LENGTH)),
        ] {
            repository.write(file, format!("{text}\n{line}"));
            let run = program.run(&["check"]).expect(ExitStatus::Findings);
            is_short(&run, &line[..20]);
        }
        repository.write(file, text);
    }
}

/// What a wheel says, in METADATA, WHEEL and RECORD.
#[test]
fn what_a_wheel_says_at_length_is_shown_shortly() {
    let long = "a".repeat(LENGTH);
    let spaced = "a ".repeat(LENGTH / 2);
    let metadata =
        |line: &str| format!("Metadata-Version: 2.1\nName: damson\nVersion: 5.0.1\n{line}\n\n");
    for change in [
        metadata(&format!("Requires-Dist: {long}")),
        metadata(&format!("Requires-Dist: b[{spaced}")),
        metadata(&format!("Requires-Dist: b=={long}")),
        metadata(&format!("Requires-Python: >={long}")),
        metadata(&format!("Provides-Extra: {long}-")),
        metadata("").replace("damson", &long),
        metadata("").replace("5.0.1", &format!("5.0.1+{long}")),
        metadata("").replace("5.0.1", &long),
    ] {
        let repository = RepositoryBuilder::sound()
            .change("damson", |damson| {
                damson.rebuild(|wheel| wheel.metadata(change.as_str()))
            })
            .build();
        let program = Program::new(repository.path());
        let run = program.run(&["check", "--wheels", "--offline"]);
        is_short(&run, &change[..60]);
    }
    let tags: Vec<String> = (0..900)
        .map(|number| format!("Tag: py3-none-linux_{number}\n"))
        .collect();
    let tags = tags.concat();
    for wheel in [
        format!("Wheel-Version: {long}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        format!(
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-{}\n",
            &long[..60_000]
        ),
        format!("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n{tags}"),
    ] {
        let repository = RepositoryBuilder::sound()
            .change("damson", |damson| {
                damson.rebuild(|one| one.wheel_file(wheel.as_str()))
            })
            .build();
        let run = Program::new(repository.path()).run(&["check", "--wheels", "--offline"]);
        is_short(&run.expect(ExitStatus::Findings), &wheel[..40]);
    }
}

/// What an index says, and what is typed.
#[test]
fn what_an_index_says_at_length_is_shown_shortly() {
    let long = "a".repeat(LENGTH);
    let bench = Bench::of(&RepositoryBuilder::new().project(Project::wanted(
        WheelBuilder::new("apple", "1.0").requires("fig>=1"),
    )));
    bench.offer_as("fig", &pure("fig", "0.9"), |file| {
        file.yanked = Some(long.clone());
    });
    bench.offer_as("fig", &pure("fig", "1.0"), |file| {
        file.requires_python = Some(format!(">={long}"));
    });
    bench.index.host(Hosted::new(
        "fig",
        &format!("{long}-1.0-py3-none-any.whl"),
        b"",
    ));
    for arguments in [
        &["check"][..],
        &["add", "fig"],
        &["add", "fig", "-v"],
        &["list", "--outdated"],
    ] {
        is_short(&bench.program.run(arguments), &format!("{arguments:?}"));
    }
    for wish in [
        long.clone(),
        format!("{long}=={long}"),
        format!("fig[{long}]"),
        format!("fig=={long}"),
    ] {
        is_short(
            &bench.program.run(&["add", &wish]),
            &format!("add {}", &wish[..10]),
        );
    }
}

/// Programs are given names whole, and sentences as people are.
#[test]
fn programs_are_given_names_whole() {
    let requirement = format!("{}>=1", "b".repeat(10_000));
    let wheel = WheelBuilder::new("apple", "1.0").requires(&requirement);
    let repository = RepositoryBuilder::new()
        .project(Project::wanted(wheel))
        .build();
    let program = Program::new(repository.path());
    let run = program.run(&["check", "--offline", "--message-format", "json"]);
    assert_eq!(run.codes(), ["missing-dependency"]);
    let finding = &run.findings()[0];
    assert_eq!(finding["requirement"], requirement.as_str());
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("characters left out"), "{message}");
    assert!(message.len() < 1_500, "{message}");
    let pasted: Vec<&str> = finding["help"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|help| help["text"].as_str())
        .collect();
    assert!(pasted.iter().any(|text| text.contains(&requirement)));
    let text = program.run(&["check", "--offline"]).stderr;
    assert!(text.contains("the text is too long to show here"), "{text}");
}
