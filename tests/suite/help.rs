//! Help texts: what they say, that what they name exists, and that a mistyped word is answered.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use ipwhl::command::{ExitStatus, definition};

use crate::support::program::{Program, Run};
use crate::support::repository_builder::RepositoryBuilder;

fn run(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    Program::new(folder.path()).run(arguments)
}

/// Every command, nested ones too, by the words that lead to it; the program itself first.
fn commands() -> Vec<(Vec<String>, Command)> {
    fn walk(command: &Command, above: &[String], all: &mut Vec<(Vec<String>, Command)>) {
        all.push((above.to_vec(), command.clone()));
        for below in command.get_subcommands() {
            let words = [above, &[below.get_name().to_owned()]].concat();
            walk(below, &words, all);
        }
    }
    let mut all = Vec::new();
    walk(&definition(), &[], &mut all);
    assert!(all.len() > 10, "{}", all.len());
    all
}

#[test]
fn help_texts() {
    for (words, _) in commands() {
        let name = [&["ipwhl".to_owned()], words.as_slice()].concat().join("-");
        let mut line: Vec<&str> = words.iter().map(String::as_str).collect();
        line.push("--help");
        let run = run(&line).expect(ExitStatus::Clean);
        assert_eq!(run.stderr, "", "{name}");
        for line in run.stdout.lines() {
            assert!(line.chars().count() <= 100, "{name}: {line}");
        }
        insta::assert_snapshot!(name, run.stdout);
    }
}

/// The words of a command line as a shell takes them; it ends where another program or a file
/// begins.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut is_quoted = false;
    for character in line.chars() {
        match (quote, character) {
            (None, '\'' | '"') => (quote, is_quoted) = (Some(character), true),
            (Some(open), _) if open == character => quote = None,
            (None, '|' | '>' | '<' | '#' | '&' | ';') => break,
            (None, ' ') => {
                if is_quoted || words.last().is_some_and(|word| !word.is_empty()) {
                    words.push(String::new());
                }
                is_quoted = false;
            }
            _ => words.last_mut().unwrap().push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Why a command line is none that the program understands. One that only leaves something out, or
/// asks for help, is understood as far as it goes.
fn misunderstanding(line: &str) -> Option<String> {
    let error = definition().try_get_matches_from(shell_words(line)).err()?;
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand => None,
        // A word that stands for a value, as `FORMAT` does, is none.
        ErrorKind::InvalidValue if stands_for_another(&error) => None,
        _ => Some(error.to_string()),
    }
}

fn stands_for_another(error: &clap::Error) -> bool {
    matches!(
        error.get(ContextKind::InvalidValue),
        Some(ContextValue::String(value)) if value.chars().all(|one| one.is_ascii_uppercase())
    )
}

#[test]
fn each_command_has_an_example_that_it_understands() {
    for (words, command) in commands() {
        let name = words.join(" ");
        let help = command.get_long_about().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let examples: Vec<&str> = help
            .lines()
            .filter_map(|line| line.strip_prefix("Example: "))
            .collect();
        let [example] = examples.as_slice() else {
            panic!("`ipwhl {name}` has not one example: {help}");
        };
        let line = shell_words(example);
        assert_eq!(line[0], "ipwhl", "{example}");
        assert_eq!(line[1..=words.len()], words, "{example}");
        // An example is whole: nothing that has to be there is left out.
        if let Err(error) = definition().try_get_matches_from(&line) {
            panic!("{example}: {error}");
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text of the project that tells people what to type: its path, and what it says.
fn texts() -> Vec<(String, String)> {
    fn walk(path: &Path, texts: &mut Vec<(String, String)>) {
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                walk(&entry.unwrap().path(), texts);
            }
            return;
        }
        let is_text = path.extension().is_some_and(|extension| {
            ["rs", "md", "toml", "json"]
                .iter()
                .any(|one| extension == *one)
        });
        if is_text && let Ok(text) = fs::read_to_string(path) {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            texts.push((name, text));
        }
    }
    let mut texts = Vec::new();
    for name in ["src", "docs", "schemas", "README.md", "ipwhl.toml"] {
        walk(&root().join(name), &mut texts);
    }
    texts.sort();
    for (name, text) in &texts {
        let is_merged = !text.lines().any(|line| line.starts_with("<<<<<<< "));
        assert!(is_merged, "{name}");
    }
    texts
}

/// A text of Rust as its reader sees it: comments without their slashes, strings without their
/// escapes.
fn as_read(path: &str, text: &str) -> String {
    if Path::new(path).extension().is_none_or(|one| one != "rs") {
        return text.to_owned();
    }
    let lines: Vec<&str> = text
        .lines()
        .map(|line| {
            let line = line.trim_start();
            line.trim_start_matches("//!")
                .trim_start_matches("///")
                .trim()
        })
        .collect();
    // A string goes on after a line that ends with a backslash.
    let joined = lines.join("\n").replace("\\\n", "");
    joined.replace("\\\"", "\"")
}

/// What stands between backticks, no further than a paragraph.
fn quoted(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for paragraph in text.split("\n\n") {
        // The fences of a block of code are not quotes.
        let paragraph = paragraph.replace("```", "");
        let parts: Vec<&str> = paragraph.split('`').collect();
        all.extend(
            parts
                .iter()
                .skip(1)
                .step_by(2)
                .map(|part| part.replace('\n', " ")),
        );
    }
    all
}

/// Every `ipwhl …` that a message, a comment or a page says to type, and every option that stands
/// by itself.
#[test]
fn what_texts_say_to_type_is_understood() {
    let options: BTreeSet<String> = commands()
        .iter()
        .flat_map(|(_, command)| {
            command
                .get_arguments()
                .map(|one| one.get_long())
                .collect::<Vec<_>>()
        })
        .flatten()
        .map(|option| format!("--{option}"))
        .chain(["--help", "--version"].map(ToOwned::to_owned))
        .collect();
    let (mut lines, mut single) = (0, 0);
    let mut wrong = Vec::new();
    for (path, text) in texts() {
        let text = as_read(&path, &text);
        let mut said = quoted(&text);
        // Blocks of a session at a terminal.
        said.extend(
            text.lines()
                .filter_map(|line| line.strip_prefix("$ "))
                .map(|line| line.replace("cargo run --release --", "ipwhl"))
                .filter(|line| line.starts_with("ipwhl ")),
        );
        for said in said {
            if said.starts_with("ipwhl ") {
                // Places that are filled in when the message is made, and the table's name for any
                // command.
                let line = said.replace("ipwhl COMMAND", "ipwhl check");
                lines += 1;
                if let Some(error) = misunderstanding(&line) {
                    wrong.push(format!("{path}: `{said}`: {error}"));
                }
            } else if said.starts_with("--") && !said.starts_with("---") && !said.contains('{') {
                single += 1;
                let option = said.split([' ', '=']).next().unwrap_or_default();
                // The lines of requirements files have pip's options.
                let is_of_pip = path.ends_with("src/set/requested/options.rs");
                if !is_of_pip && !options.contains(option) {
                    wrong.push(format!("{path}: `{said}` is no option"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(lines > 40 && single > 20, "{lines} {single}");
}

#[test]
fn a_mistyped_project_is_answered_with_the_nearest_one() {
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path());
    for command in ["why", "show", "remove", "tree", "list"] {
        let run = program.run(&[command, "aple"]).expect(ExitStatus::Usage);
        let help = "help: did you mean `apple`?\n";
        assert!(run.stderr.ends_with(help), "{command}: {}", run.stderr);
    }
}

#[test]
fn a_mistyped_word_is_answered_with_the_nearest_one() {
    for (line, answer) in [
        ("chekc", "check"),
        ("verfy x", "verify"),
        ("key shwo", "show"),
        ("check --wheel", "--wheels"),
        ("build --unsinged", "--unsigned"),
        ("check --message-format jsno", "json"),
        ("check --deny warning", "warnings"),
        ("add flask --prefer nativ", "native"),
        ("cid x --profile unixfs-v1-2052", "unixfs-v1-2025"),
        ("build --profile kubo-cid-v1", "kubo-cidv1"),
        ("check --colour never", "--color"),
        ("check --color nevr", "never"),
        ("completions bsh", "bash"),
        ("list --sort siez", "size"),
        ("explian", "explain"),
        ("tree --format mermad", "mermaid"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let run = run(&words).expect(ExitStatus::Usage);
        assert_eq!(run.stdout, "", "{line}");
        let tip = run.stderr.lines().find(|line| line.contains("tip:"));
        let tip = tip.unwrap_or_else(|| panic!("{line}: {}", run.stderr));
        assert!(tip.contains(&format!("'{answer}'")), "{line}: {tip}");
    }
}
