//! How findings look: narrow windows, awkward texts, awkward places.

use std::ops::Range;
use std::sync::Arc;

use ipwhl::foundation::diagnostic::{Code, Finding, SourceText, SourceTexts, Style, render};
use textwrap::core::display_width;

use crate::findings::{command, fixture, program};
use crate::support::program::Program;
use crate::support::repository_builder::RepositoryBuilder;

/// A text and a finding at a place in it.
struct Sample {
    texts: SourceTexts,
    file: Arc<str>,
    text: String,
}

fn text(text: impl Into<String>) -> Sample {
    let text = text.into();
    let file: Arc<str> = "declarations/plum.toml".into();
    Sample {
        texts: SourceTexts::from([(Arc::clone(&file), SourceText::new(text.clone()))]),
        file,
        text,
    }
}

impl Sample {
    fn find(&self, word: &str) -> Range<usize> {
        let start = self.text.find(word).unwrap();
        start..start + word.len()
    }

    fn finding(&self, span: Range<usize>) -> Finding {
        Finding::new(Code::InvalidValue, "`x` is no value").at(&self.file, span, "here")
    }

    fn at(&self, span: Range<usize>) -> String {
        self.wide(&self.finding(span), 60)
    }

    fn wide(&self, finding: &Finding, width: usize) -> String {
        let style = Style {
            colour: false,
            width,
            wraps: true,
        };
        render(finding, &self.texts, style).as_str().to_owned()
    }
}

/// Whatever a file is made of, what is pointed at stands above the marks.
#[test]
fn awkward_texts_are_still_right() {
    let plain = "key = \"value\"\n";
    let long = (0..60)
        .map(|index| format!("\"dependency-{index}>=1\""))
        .collect::<Vec<_>>()
        .join(", ");
    let mut all = String::new();
    for (name, content, word) in [
        ("plain", plain.to_owned(), "\"value\""),
        (
            "carriage returns",
            "a = x\r\nb = \"y\"\r\n".to_owned(),
            "\"y\"",
        ),
        ("tabs", "\ta\t= \tx\n".to_owned(), "x"),
        (
            "wide signs",
            "梅の実 = \"梅の\" # 🍎\n".to_owned(),
            "\"梅の\"",
        ),
        (
            "after wide signs",
            "a = [\"🍎🍎\", \"梅\", x]\n".to_owned(),
            "x",
        ),
        ("combining signs", "e\u{301}e\u{301} = x\n".to_owned(), "x"),
        (
            "joined signs",
            "a = \"👨\u{200d}👩\" # x\n".to_owned(),
            "# x",
        ),
        (
            "5,000 lines",
            format!("{}a = x\n", "# line\n".repeat(4_999)),
            "x",
        ),
        (
            "a long line",
            format!("dependencies = [{long}]\n"),
            "\"dependency-30>=1\"",
        ),
        (
            "a long line of wide signs",
            format!("a = \"{}\" # x\n", "梅".repeat(200)),
            "# x",
        ),
        (
            "several lines",
            "a = [\n    1,\n    2,\n]\nb = 2\n".to_owned(),
            "[\n    1,\n    2,\n]",
        ),
        (
            "many lines",
            format!("a = [\n{}]\n", "    1,\n".repeat(40)),
            &format!("[\n{}]", "    1,\n".repeat(40)),
        ),
    ] {
        let sample = text(content);
        all += &format!("== {name}\n{}\n", sample.at(sample.find(word)));
    }
    insta::assert_snapshot!("awkward_texts", all);
}

/// The marks are as wide as what they mark, in columns of a terminal.
#[test]
fn marks_stand_below_what_they_mark() {
    for (content, word) in [
        ("梅の実 = \"梅の\" # 🍎\n", "\"梅の\""),
        ("a = [\"🍎🍎\", \"梅\", x]\n", "x"),
        ("e\u{301}e\u{301} = \"e\u{301}\"\n", "\"e\u{301}\""),
        ("a = 1\r\nb = \"y\"\r\n", "\"y\""),
    ] {
        let sample = text(content);
        let shown = sample.at(sample.find(word));
        let marks = shown.lines().find(|line| line.contains('^')).unwrap();
        let line = shown.lines().find(|line| line.contains(word)).unwrap();
        let columns = |text: &str| display_width(text);
        assert_eq!(
            columns(&line[..line.find(word).unwrap()]),
            columns(&marks[..marks.find('^').unwrap()]),
            "{shown}"
        );
        assert_eq!(columns(word), marks.matches('^').count(), "{shown}");
    }
}

#[test]
fn awkward_places_are_still_right() {
    let mut all = String::new();
    for (name, content, span) in [
        ("an empty file", "", 0..0),
        ("the end of a line that does not end", "a = 1", 5..5),
        ("the end of a file", "a = 1\n", 6..6),
        (
            "between the signs of a line's end",
            "a = 1\r\nb = 2\r\n",
            6..6,
        ),
        ("a line's end", "a = 1\nb = 2\n", 5..6),
        ("beyond the file", "a = 1\n", 90..95),
        ("within a sign", "a = \"梅\"\n", 6..7),
    ] {
        all += &format!("== {name}\n{}\n", text(content).at(span));
    }
    insta::assert_snapshot!("awkward_places", all);
}

/// What the terminal obeys is not written to it, whether it stands in a file or in a message.
#[test]
fn a_terminal_is_told_nothing_by_a_file() {
    let sample = text("a = \"\u{1b}[31m\u{202e}\u{7}\"\n");
    let finding = sample
        .finding(4..10)
        .note("its reason was: \u{1b}]0;title\u{7}\n::error::no")
        .paste("write \u{1b}[2J", "a = 1\n\tb\u{1b}[2J");
    let shown = sample.wide(&finding, 60);
    for sign in ['\u{1b}', '\u{7}', '\u{202e}'] {
        assert!(!shown.contains(sign), "{shown:?}");
    }
    assert!(
        !shown
            .lines()
            .any(|line| line.trim_start().starts_with("::")),
        "{shown}"
    );
    assert!(shown.contains("a = 1\n"), "{shown}");
}

/// Found by fuzzing: U+0080 to U+009F, which terminals obey as they do an escape, came through.
#[test]
fn hidden_signs_of_a_line_are_escaped_and_marks_stand_right() {
    let sample = text("a\u{9b}\u{8c} = \"\u{200b}\u{61c}\u{e0041}\u{1b}\" # x\n");
    let shown = sample.at(sample.find("# x"));
    let escaped = r#"a\u{9b}\u{8c} = "\u{200b}\u{61c}\u{e0041}\u{1b}" # x"#;
    let line = shown.lines().find(|line| line.ends_with(escaped));
    let line = line.unwrap_or_else(|| panic!("{shown}"));
    let marks = shown.lines().find(|line| line.contains('^')).unwrap();
    assert_eq!(line.find('#'), marks.find('^'), "{shown}");
}

#[test]
fn two_places_and_several_ways_out_in_a_narrow_window() {
    let sample =
        text("source = \"file:wheels/plum-1.0-py3-none-any.whl\"\ndependencies = [\"stone>=2\"]\n");
    let message = "`plum` requires `stone>=2; platform_system == \"Windows\"`, but the set has \
                   stone 1.4, which is older";
    let other: Arc<str> = "declarations/stone.toml".into();
    let mut texts = sample.texts.clone();
    texts.insert(
        Arc::clone(&other),
        SourceText::new("source = \"file:wheels/stone-1.4-py3-none-any.whl\"\n".to_owned()),
    );
    let finding = Finding::new(Code::UnsatisfiedDependency, message)
        .at(&sample.file, sample.find("\"stone>=2\""), "required here")
        .at(&other, 9..49, "version 1.4 here")
        .note("where: cp311–cp313 on manylinux_2_28_x86_64, macosx_12_0_arm64 and win_amd64")
        .help(
            "declare a version of `stone` that all who require it accept, or another one of `plum`",
        )
        .paste(
            "or answer for it with a waiver in `ipwhl.toml`, until a day",
            "[[waiver]]\ncode = \"unsatisfied-dependency\"\nproject = \"plum\"",
        );
    for (name, colour) in [("narrow", false), ("narrow_in_colours", true)] {
        let style = Style {
            colour,
            width: 60,
            wraps: true,
        };
        let shown = render(&finding, &texts, style).as_str().to_owned();
        if !colour {
            assert_sentences_fit(&shown, 60);
        }
        insta::assert_snapshot!(name, shown.replace('\u{1b}', "ESC"));
    }
}

/// Messages, notes and ways out keep to the window, but for a word that alone is too long for it:
/// names and addresses are to be copied, and so is TOML to paste. Lines of files are cut where
/// nothing in them is pointed at.
fn assert_sentences_fit(text: &str, width: usize) {
    let mut sentences = 0;
    for line in text.lines() {
        let is_of_file = line.contains(" | ")
            || line.ends_with(" |")
            || line.contains("-> ")
            || line.contains("::: ");
        // What is to be pasted stands as it has to be written.
        let is_to_paste = line.starts_with("          ") && line.contains(" = ");
        let is_one_word = line
            .trim_start_matches(['=', ' '])
            .split_once(": ")
            .map_or(line, |(_, rest)| rest)
            .trim()
            .split(' ')
            .count()
            == 1;
        if !is_of_file && !is_to_paste && !is_one_word {
            sentences += 1;
            assert!(display_width(line) <= width, "{line}\n--- in\n{text}");
        }
    }
    assert!(sentences > 0, "{text}");
}

/// Every message of every code, in a window of 60 columns.
#[test]
fn every_message_fits_a_narrow_window() {
    let mut all = String::new();
    for code in Code::ALL.iter().copied() {
        let repository = fixture(code).unwrap().build();
        let arguments = [command(code), &["--quiet"]].concat();
        let (program, _index) = program(code, &repository);
        let run = program.terminal(60).run(&arguments);
        assert_sentences_fit(&run.stderr, 60);
        all += &run.stderr;
    }
    insta::assert_snapshot!("every_message_in_60_columns", all);
}

/// `COLUMNS` is meant; then the terminal is asked; what is piped is not broken, for those who
/// search it.
#[test]
fn the_width_is_the_windows() {
    let repository = fixture(Code::ContentIdMismatch).unwrap().build();
    let widest = |program: Program| {
        let run = program.run(&["check", "--wheels", "--quiet"]);
        run.stderr
            .lines()
            .filter(|line| line.contains("know why"))
            .map(display_width)
            .max()
            .unwrap()
    };
    let program = || Program::new(repository.path());
    let piped = widest(program());
    assert!(piped > 90, "{piped}");
    assert!(widest(program().terminal(60)) <= 60);
    let wide = widest(program().terminal(500));
    assert_eq!(wide, piped);
    assert!(widest(program().terminal(500).variable("COLUMNS", "60")) <= 60);
}

/// Once, whatever is found, and never where only findings are wanted.
#[test]
fn the_last_word_says_where_more_is_said() {
    let run = |builder: RepositoryBuilder, arguments: &[&str]| {
        let repository = builder.build();
        Program::new(repository.path()).run(arguments).stderr
    };
    let one = RepositoryBuilder::sound().change("apple", |apple| apple.set("siz", "1"));
    let two = one
        .clone()
        .change("damson", |damson| damson.set("extras", "1"));
    assert!(run(one.clone(), &["check"]).contains("\nfor details: `ipwhl explain unknown-key`\n"));
    assert!(run(two, &["check"]).contains("\nfor details: `ipwhl explain CODE`\n"));
    assert!(!run(one, &["check", "--quiet"]).contains("explain"));
    assert!(!run(RepositoryBuilder::sound(), &["check"]).contains("explain"));
}
