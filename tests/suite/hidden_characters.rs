//! Where hidden characters are let through: nowhere. [`Program`] holds this for every run of the
//! suite, `hidden` for each command over texts of strangers; here are the stream itself, its
//! colours, and the finding.

use std::fs;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::is_hidden;
use ipwhl::foundation::environment::Stream;
use serde_json::Value;

use crate::support::program::{Captured, Program};
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

/// What terminals obey, what turns lines around, what is not seen, and letters in tags and
/// selectors.
const HOSTILE: &str = "\u{9b}2J\u{85}\u{ad}\u{61c}\u{115f}\u{180e}\u{200b}\u{202e}\u{2028}\u{2066}\u{3164}\u{feff}\u{fe0f}\u{e0041}\u{e0100}";

/// The same and the characters that TOML has as escapes only.
fn escaped() -> String {
    let escape = |sign: char| format!("\\U{:08X}", u32::from(sign));
    format!("\u{1b}]0;x\u{7}\r{HOSTILE}")
        .chars()
        .map(escape)
        .collect()
}

/// A sound set, and beside it everything that a change may bring.
fn hostile() -> BuiltRepository {
    let escaped = escaped();
    let content_id = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
    let evil = |source: &str, rest: &str| {
        format!(
            "# {HOSTILE}\n{rest}source = \"{source}\" # {HOSTILE}\ncontent-id = \"{content_id}\"\n\
             extras = [] # {HOSTILE}\ndependencies = []\n"
        )
    };
    RepositoryBuilder::sound()
        .configuration(&format!(
            "\n[[waiver]]\ncode = \"missing-dependency\"\nproject = \"apple\"\n\
             reason = \"{escaped}\" # {HOSTILE}\nexpires = 2027-03-01\n"
        ))
        .file("declarations/lemon.toml", evil("https://example.org/lemon-1.0-py3-none-any.whl", ""))
        .file(
            "declarations/keys.toml",
            evil(
                &format!("https://example.org/{escaped}/keys-1.0-py3-none-any.whl"),
                &format!("\"{escaped}\" = 1\n\"k{HOSTILE}\" = 2\n"),
            ),
        )
        .file("declarations/pear.toml", evil(&format!("file:{escaped}/pear.whl"), ""))
        .file(
            "declarations/words.toml",
            format!(
                "source = \"https://example.org/words-1.0-py3-none-any.whl\"\ncontent-id = \"{escaped}\"\n\
                 extras = [\"{escaped}\"]\nrequires-python = \"{escaped}\"\n\
                 dependencies = [\"{escaped}\", \"plum; os_name > '{escaped}'\", \"x @ https://example.org/{escaped}\"]\n"
            ),
        )
        .file("declarations/broken.toml", format!("a = \"{HOSTILE}\n[{HOSTILE}\n"))
        .file(format!("declarations/{HOSTILE}.toml").as_str(), "")
        .file(format!("declarations/{HOSTILE}/x.toml").as_str(), "a = 1\n")
        .file(format!("declarations/stray{HOSTILE}").as_str(), "")
        .build()
}

/// With colours there are sequences of the program, and none of anybody else: not even a colour.
#[test]
fn colours_are_never_those_of_a_stranger() {
    let repository = hostile();
    let program = Program::new(repository.path());
    let name = "\u{1b}[31mred\u{1b}[2J";
    for line in [
        &["check", "--offline"][..],
        &["fmt", "--diff"],
        &["tree"],
        &["show", name],
        &["explain", name],
    ] {
        let run = program.run(&[&["--color", "always"], line].concat());
        let text = run.stdout + &run.stderr;
        assert!(
            !text.contains("\u{1b}[31mred") && !text.contains("\u{1b}]0;x"),
            "{line:?}: {text}"
        );
        let mut plain = String::new();
        for (index, part) in text.split("\u{1b}[").enumerate() {
            let (codes, rest) = if index == 0 {
                ("", part)
            } else {
                part.split_once('m').unwrap()
            };
            let is_colour = |byte: u8| byte.is_ascii_digit() || byte == b';';
            assert!(codes.bytes().all(is_colour), "{codes:?}");
            plain += rest;
        }
        let hidden = plain
            .chars()
            .find(|sign| is_hidden(*sign) && !"\n\t".contains(*sign));
        assert_eq!(hidden, None, "{line:?}: {plain}");
    }
}

/// A character that is hidden is a finding at its place, in comments and in the settings too; `fmt`
/// changes nothing of it.
#[test]
fn a_hidden_character_is_a_finding_where_it_stands() {
    let sound = RepositoryBuilder::sound().build();
    let text = fs::read_to_string(sound.join("declarations/damson.toml")).unwrap();
    let settings = fs::read_to_string(sound.join("ipwhl.toml")).unwrap();
    for sign in HOSTILE.chars().filter(|sign| is_hidden(*sign)) {
        sound.write("declarations/damson.toml", format!("# a{sign}b\n{text}"));
        sound.write("ipwhl.toml", &settings);
        let run = Program::new(sound.path()).run(&["check", "--message-format", "json"]);
        assert_eq!(run.codes(), ["hidden-character"], "{sign:?}");
        let place = &run.findings()[0]["places"][0];
        assert_eq!(
            (&place["line"], &place["column"]),
            (&Value::from(1), &Value::from(4))
        );
        sound.write("declarations/damson.toml", &text);
        sound.write("ipwhl.toml", format!("{settings}# {sign}\n"));
        let run = Program::new(sound.path()).run(&["check", "--message-format", "json"]);
        assert_eq!(run.codes(), ["hidden-character"], "{sign:?}");
    }
    // A byte order mark is none, nor is what a string has as an escape.
    sound.write("ipwhl.toml", &settings);
    sound.write(
        "declarations/damson.toml",
        format!("\u{feff}# e\u{301} 梅 🍎\n{text}"),
    );
    Program::new(sound.path())
        .run(&["check"])
        .expect(ExitStatus::Clean);
}

/// A stream is where nobody can forget it.
#[test]
fn a_stream_writes_nothing_hidden() {
    let written = Captured::default();
    let stream = Stream::new(written.clone(), true);
    stream
        .line(&format!("a{HOSTILE}\u{1b}[31mb\tc\nd\r"))
        .unwrap();
    let text = written.text();
    let hidden = text
        .chars()
        .find(|sign| is_hidden(*sign) && !"\n\t".contains(*sign));
    assert_eq!(hidden, None, "{text}");
    assert!(text.ends_with("\\u{1b}[31mb\tc\nd\\r\n"), "{text}");
}

/// Emoji and scripts with joiners are written with characters that are not seen by themselves; in
/// words of ASCII they hide.
#[test]
fn how_people_write_is_no_finding() {
    let check = |comment: &str| {
        let repository = RepositoryBuilder::sound().build();
        let text = repository.read("declarations/cherry.toml");
        repository.write("declarations/cherry.toml", format!("# {comment}\n{text}"));
        Program::new(repository.path()).run(&["check"]).status
    };
    for comment in [
        "\u{2764}\u{fe0f} it",
        "1\u{fe0f}\u{20e3}",
        "\u{1f469}\u{200d}\u{1f4bb}",
        "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
    ] {
        assert_eq!(check(comment), ExitStatus::Clean, "{comment}");
    }
    for comment in [
        "a\u{fe0f}b",
        "a\u{200d}b",
        "\u{2764}\u{fe0f}\u{fe0f}",
        "\u{2764}\u{200d} x",
        "\u{2764}\u{fe0e}",
        "\u{2764}\u{e0041}",
        "1\u{fe0f}2",
    ] {
        assert_eq!(check(comment), ExitStatus::Findings, "{comment:?}");
    }
}
