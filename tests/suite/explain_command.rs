//! `ipwhl explain`, and that each explanation is true: its example raises the code that it
//! explains.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::{Code, Explanation, Stage, findings_page};
use serde_json::Value;

use crate::findings::{check, fixture};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::RepositoryBuilder;

fn explain(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut line = vec!["explain"];
    line.extend(arguments);
    Program::new(folder.path()).run(&line)
}

/// The files of an example: a line that is nothing but a path in backticks, and a block.
fn files(example: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let (mut name, mut block): (Option<String>, Option<String>) = (None, None);
    for line in example.lines() {
        match (&mut block, line) {
            (None, "```toml" | "```json") => block = Some(String::new()),
            (Some(text), "```") => {
                let file = name.take().expect("a block of no file");
                assert!(files.insert(file, text.clone()).is_none());
                block = None;
            }
            (Some(text), line) => *text += &format!("{line}\n"),
            (None, line) => {
                if let Some(path) = line
                    .strip_prefix('`')
                    .and_then(|rest| rest.strip_suffix("`:"))
                {
                    name = Some(path.to_owned());
                }
            }
        }
    }
    assert_eq!((name, block), (None, None), "{example}");
    files
}

/// What is told to break a rule breaks it. Where a wheel plays a part, the example is the
/// declaration of the fixture that tests/suite/findings.rs makes a wheel for.
#[test]
fn every_example_raises_its_code_and_nothing_else() {
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().copied() {
        let files = files(Explanation::of(code).example);
        assert!(!files.is_empty(), "{code}");
        let repository = if code.stage() == Stage::Wheel {
            let repository = fixture(code).unwrap().build();
            for (file, text) in &files {
                let declared = repository.read(file);
                assert_eq!(declared.trim_end(), text.trim_end(), "{code}: {file}");
            }
            repository
        } else {
            let mut builder = RepositoryBuilder::new();
            for (file, text) in &files {
                // A text that shows what is hidden has it as an escape.
                let text = &text.replace("\\u{202e}", "\u{202e}");
                builder = if text.contains("[repository]") {
                    builder.configuration_text(text)
                } else if file == "ipwhl.toml" {
                    builder.configuration(&format!("\n{text}"))
                } else {
                    builder.file(file, text)
                };
            }
            builder.build()
        };
        let run = check(code, &repository, &["--message-format", "json"]);
        if run.codes() != [code.as_str()] {
            wrong.push(format!("{code}: {:?}\n{}", run.codes(), run.stdout));
        }
        for finding in run.findings() {
            let place = &finding["places"][0]["file"];
            if !files.contains_key(place.as_str().unwrap()) {
                wrong.push(format!("{code}: it is at {place}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_explanation_has_all_its_parts() {
    for code in Code::ALL.iter().copied() {
        let explanation = Explanation::of(code);
        for part in [
            explanation.rule,
            explanation.why,
            explanation.example,
            explanation.way_out,
        ] {
            assert!(part.ends_with(['.', ':', '`']), "{code}: {part:?}");
            assert!(!part.contains("\n## "), "{code}: {part:?}");
        }
        // Prose reads well in any window, so its lines are those of the source.
        for line in code.explanation().lines() {
            let in_block = explanation.example.contains(line);
            assert!(in_block || line.chars().count() <= 100, "{code}: {line}");
        }
    }
    // And no file explains what is no code.
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/foundation/diagnostic/explain");
    assert_eq!(fs::read_dir(folder).unwrap().count(), Code::ALL.len());
}

#[test]
fn the_page_of_all_findings_is_made_from_the_same_texts() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/findings.md");
    if std::env::var_os("IPWHL_REGENERATE").is_some() {
        fs::write(&path, findings_page()).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == findings_page(),
        "docs/findings.md is not what the explanations say: `IPWHL_REGENERATE=1 cargo test \
         explain` writes it anew"
    );
    for code in Code::ALL {
        assert!(page.contains(&format!("\n## {code}\n")), "{code}");
    }
}

#[test]
fn every_code_is_explained() {
    for code in Code::ALL {
        let run = explain(&[code.as_str()]).expect(ExitStatus::Clean);
        assert!(
            run.stdout.starts_with(&format!("{code}\n\n")),
            "{}",
            run.stdout
        );
        for heading in ["\nWhy\n", "\nExample\n", "\nWay out\n"] {
            assert!(run.stdout.contains(heading), "{}", run.stdout);
        }
        assert!(!run.stdout.contains("```"), "{}", run.stdout);
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn an_explanation_reads_well() {
    insta::assert_snapshot!("explained", explain(&["unavailable-dependency"]).stdout);
    insta::assert_snapshot!("list", explain(&[]).stdout);
}

/// Nothing but what cannot be broken is wider than the window.
#[test]
fn an_explanation_fits_a_narrow_window() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new(folder.path()).variable("COLUMNS", "60");
    for arguments in [&["explain"][..], &["explain", "unavailable-dependency"]] {
        let run = program.run(arguments).expect(ExitStatus::Clean);
        for line in run.stdout.lines() {
            let is_block = line.starts_with("    ") && line.contains(" = ");
            assert!(is_block || line.chars().count() <= 60, "{line}");
        }
    }
}

#[test]
fn a_mistyped_code_is_answered_with_the_nearest_one() {
    for (word, help) in [
        (
            "mising-dependency",
            "help: did you mean `missing-dependency`?\n",
        ),
        ("SHA256_MISMATCH", "help: did you mean `sha256-mismatch`?\n"),
        ("###", "help: `ipwhl explain` lists the codes\n"),
    ] {
        let run = explain(&[word]).expect(ExitStatus::Usage);
        assert_eq!(run.stdout, "");
        assert_eq!(
            run.stderr,
            format!("error: `{word}` is not the code of a finding\n{help}")
        );
    }
}

#[test]
fn programs_read_explanations_as_json() {
    let run = explain(&["--format", "json"]).expect(ExitStatus::Clean);
    let codes: Vec<String> = run
        .stdout
        .lines()
        .map(|line| {
            let explanation: Value = serde_json::from_str(line).unwrap();
            for key in [
                "rule", "why", "example", "way_out", "summary", "severity", "stage",
            ] {
                assert!(explanation[key].is_string(), "{key}: {line}");
            }
            explanation["code"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(codes.len(), Code::ALL.len());
    for (code, named) in Code::ALL.iter().zip(&codes) {
        assert_eq!(code.as_str(), named);
    }
    let one = explain(&["--format", "json", "syntax"]).expect(ExitStatus::Clean);
    assert_eq!(one.stdout.lines().count(), 1);
}
