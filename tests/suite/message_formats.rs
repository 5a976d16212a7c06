//! The formats of findings for programs: every code in every format, and what each format asks for.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::{
    Baseline, Code, Finding, JsonLine, JsonSummary, MessageFormat, Report, SourceText, SourceTexts,
    Style, render,
};
use serde_json::Value;

use crate::findings::{check, fixture, shown};
use crate::support::program::Program;
use crate::support::repository_builder::RepositoryBuilder;
use crate::support::{given_file, tool};

const MACHINE: [MessageFormat; 5] = [
    MessageFormat::Json,
    MessageFormat::Sarif,
    MessageFormat::Github,
    MessageFormat::Gitlab,
    MessageFormat::Markdown,
];

/// What `check` writes for every code, one after the other.
fn every_code(format: MessageFormat) -> Vec<(Code, String)> {
    let arguments = ["--message-format", format.as_str(), "--quiet"];
    let runs = Code::ALL.iter().map(|code| {
        let repository = fixture(*code).unwrap().build();
        let run = check(*code, &repository, &arguments);
        assert_eq!(
            run.stderr, "",
            "{code}: a format for programs is for programs"
        );
        (*code, shown(&run.stdout, &repository))
    });
    runs.collect()
}

fn joined(all: &[(Code, String)]) -> String {
    let parts: Vec<String> = all
        .iter()
        .map(|(code, text)| format!("== {code}\n{text}"))
        .collect();
    parts.concat()
}

#[test]
fn every_code_in_every_line_format() {
    for format in [
        MessageFormat::Json,
        MessageFormat::Github,
        MessageFormat::Gitlab,
        MessageFormat::Markdown,
    ] {
        insta::assert_snapshot!(
            format!("every_code_{}", format.as_str()),
            joined(&every_code(format))
        );
    }
}

/// Each log is a whole document, so the snapshot holds what differs: the results.
#[test]
fn every_code_as_a_sarif_result() {
    let mut results = Vec::new();
    for (code, text) in every_code(MessageFormat::Sarif) {
        let log: Value = serde_json::from_str(&text).unwrap();
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let found = run["results"].as_array().unwrap();
        assert_eq!((rules.len(), found.len()), (1, 1), "{code}");
        assert_eq!(rules[0]["id"], code.as_str());
        assert_eq!(rules[0]["help"]["markdown"], code.explanation());
        assert_eq!(found[0]["ruleId"], code.as_str());
        assert_eq!(found[0]["ruleIndex"], 0);
        results.push(serde_json::to_string_pretty(&found[0]).unwrap());
    }
    insta::assert_snapshot!("every_code_sarif", results.join("\n"));
}

/// One text, some findings in it, and a document of them.
struct Sample {
    texts: SourceTexts,
    file: Arc<str>,
    findings: Vec<Finding>,
}

impl Sample {
    fn new(file: &str, text: &str) -> Self {
        let file: Arc<str> = file.into();
        Self {
            texts: SourceTexts::from([(Arc::clone(&file), SourceText::new(text.to_owned()))]),
            file,
            findings: Vec::new(),
        }
    }

    /// A finding at the first place that reads so.
    fn at(mut self, code: Code, message: &str, word: &str) -> Self {
        let start = self.texts[&self.file].as_str().find(word).unwrap();
        let finding = Finding::new(code, message).at(&self.file, start..start + word.len(), "here");
        self.findings.push(finding);
        self
    }

    fn change(mut self, change: impl Fn(Finding) -> Finding) -> Self {
        let last = self.findings.pop().unwrap();
        self.findings.push(change(last));
        self
    }

    fn write(&self, format: MessageFormat) -> String {
        self.report("").write(format)
    }

    fn report<'a>(&'a self, folder: &'a str) -> Report<'a> {
        Report {
            findings: &self.findings,
            texts: &self.texts,
            folder,
            is_compared: self
                .findings
                .iter()
                .any(|finding| finding.baseline.is_some()),
        }
    }
}

fn unchanged(mut finding: Finding) -> Finding {
    finding.baseline = Some(Baseline::Unchanged);
    finding
}

fn new(mut finding: Finding) -> Finding {
    finding.baseline = Some(Baseline::New);
    finding
}

/// A set with one finding of each kind, in awkward files, some of them older than the change.
fn awkward() -> Sample {
    let text =
        "# 梅\r\nextras = [\"jucie\"]\r\ndependencies = [\"plüm[a](https://example.org)\"]\r\n";
    Sample::new("declarations/a b#ü:100%.toml", text)
        .at(
            Code::ExtrasMismatch,
            "`plum` has no extra `jucie`",
            "\"jucie\"",
        )
        .change(new)
        .at(
            Code::InvalidRequirement,
            "`plüm[a](https://example.org)` is no requirement",
            "\"plüm",
        )
        .change(|finding| unchanged(finding).paste("write", "dependencies = [\n    \"plum\",\n]"))
        .at(Code::MissingKey, "`source` is missing", "")
        .change(|mut finding| {
            finding.labels[0].span = 0..0;
            let file = Arc::clone(&finding.labels[0].file);
            new(finding.at(&file, 7..13, "and this"))
        })
        .at(Code::Unneeded, "nowhere", "")
        .change(|mut finding| {
            finding.labels.clear();
            finding
        })
}

/// The official schema, which `ci/tool sarif-schema` brings, through the `jsonschema` of Python.
#[test]
fn sarif_is_valid_against_the_official_schema() {
    let schema = given_file(
        "IPWHL_TEST_SARIF_SCHEMA",
        "`ci/tool sarif-schema` prints one",
    );
    let python = tool("python3");
    let mut logs: Vec<Value> = every_code(MessageFormat::Sarif)
        .into_iter()
        .map(|(_, text)| serde_json::from_str(&text).unwrap())
        .collect();
    let empty = Sample::new("ipwhl.toml", "");
    for sample in [&awkward(), &empty] {
        logs.push(serde_json::from_str(&sample.write(MessageFormat::Sarif)).unwrap());
    }
    // One that is not valid, or nothing was validated.
    let mut broken = logs[0].clone();
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    logs.push(broken);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), serde_json::to_vec(&logs).unwrap()).unwrap();
    let script = "import json, sys, jsonschema
schema, logs = (json.load(open(name)) for name in sys.argv[1:])
validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
print(json.dumps([[error.message for error in validator.iter_errors(log)] for log in logs]))
";
    let output = Command::new(python)
        .args(["-c", script])
        .args([schema.as_path(), file.path()])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut errors: Vec<Vec<String>> = serde_json::from_slice(&output.stdout).unwrap();
    let of_broken = errors.pop().unwrap();
    assert_eq!(errors.len(), Code::ALL.len() + 2);
    assert!(errors.iter().all(Vec::is_empty), "{errors:#?}");
    assert!(!of_broken.is_empty());
}

#[test]
fn awkward_files_are_still_right() {
    let sample = awkward();
    let mut all = String::new();
    for format in MACHINE {
        let text = sample.report("set/of us").write(format);
        all += &format!("== {}\n{text}", format.as_str());
    }
    insta::assert_snapshot!("awkward", all);
}

/// A clean set is said so in a way that a reader of the format understands.
#[test]
fn a_clean_set_is_a_valid_document() {
    let repository = RepositoryBuilder::sound().build();
    let run = |format: &str| {
        Program::new(repository.path())
            .run(&["check", "--quiet", "--message-format", format])
            .expect(ExitStatus::Clean)
            .stdout
    };
    assert_eq!(
        run("json"),
        "{\"type\":\"summary\",\"errors\":0,\"warnings\":0}\n"
    );
    assert_eq!(run("gitlab"), "[]\n");
    assert_eq!(run("github"), "");
    assert_eq!(
        run("markdown"),
        "<!-- ipwhl findings -->\n### ipwhl: no findings\n"
    );
    let log: Value = serde_json::from_str(&run("sarif")).unwrap();
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}

/// Fingerprints outlive what a change does around a finding, and tell findings apart.
#[test]
fn fingerprints_are_stable_across_line_moves_and_unique() {
    let text = "extras = [\"jucie\", \"jucie\"]\nsize = 1\n";
    let of = |text: &str, message: &str| {
        let sample = Sample::new("declarations/plum.toml", text)
            .at(Code::ExtrasMismatch, message, "\"jucie\"")
            .at(Code::ExtrasMismatch, message, "\"jucie\"")
            .at(Code::SizeMismatch, message, "1")
            .at(Code::MissingKey, "`source` is missing", "")
            .at(Code::MissingKey, "`content-id` is missing", "");
        sample.report("").fingerprints()
    };
    let before = of(text, "no such extra");
    assert_eq!(
        before.iter().collect::<BTreeSet<_>>().len(),
        5,
        "{before:#?}"
    );
    assert_eq!(of(&format!("# a line\r\n\n{text}"), "other words"), before);
    let changed = of(&text.replace("size = 1", "size = 12"), "no such extra");
    assert_eq!((&changed[..2], &changed[3..]), (&before[..2], &before[3..]));
    // Where the repository lies plays no part.
    let of_fixture = || {
        let repository = fixture(Code::SizeMismatch).unwrap().build();
        let run = check(
            Code::SizeMismatch,
            &repository,
            &["--message-format", "gitlab"],
        );
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        report[0]["fingerprint"].as_str().unwrap().to_owned()
    };
    assert_eq!(of_fixture(), of_fixture());
}

/// What a forge does not take apart cannot be taken for a command of it.
#[test]
fn github_commands_are_escaped_and_keep_to_its_limits() {
    let mut sample = Sample::new("declarations/a,b:c%.toml", "x = 1\ny = 2\n");
    for index in 0..14 {
        sample = sample.at(
            Code::SizeMismatch,
            &format!("{index}: 100%\n::stop-commands::x ##[error]y"),
            "1",
        );
    }
    sample = sample
        .at(Code::Unneeded, "a warning", "y")
        .at(Code::MissingExtra, "older", "x = 1\ny")
        .change(unchanged);
    let text = sample.write(MessageFormat::Github);
    let lines: Vec<&str> = text.lines().collect();
    let of = |name: &str| {
        lines
            .iter()
            .filter(|line| line.starts_with(&format!("::{name} ")))
            .count()
    };
    assert_eq!(
        (of("error"), of("warning"), of("notice"), lines.len()),
        (10, 1, 1, 17)
    );
    assert_eq!(
        lines[0],
        "::error file=declarations/a%2Cb%3Ac%25.toml,line=1,endLine=1,col=5,endColumn=6,title=size-mismatch::\
         0: 100%25\\n::stop-commands::x ##[error]y"
    );
    assert_eq!(
        lines[9],
        "::error title=ipwhl::5 more are in the log of this step"
    );
    // Over several lines a column means nothing.
    assert_eq!(
        lines[11],
        "::notice file=declarations/a%2Cb%3Ac%25.toml,line=1,endLine=2,title=missing-extra::\
         older%0Anote: it existed before this change"
    );
    for line in &lines[12..] {
        assert!(
            line.starts_with("error[size-mismatch] declarations/a,b:c%.toml:1:5: "),
            "{line}"
        );
        assert!(!line.contains("##["), "{line}");
    }
    let long = Sample::new("a", "x").at(Code::Syntax, &"梅".repeat(100_000), "x");
    assert!(long.write(MessageFormat::Github).chars().count() < 5_000);
}

/// As many annotations as GitHub keeps are all shown; a code quality report names all lines of a
/// place.
#[test]
fn limits_and_places_are_whole() {
    let ten = (0..10).fold(Sample::new("a.toml", "x = [\n1,\n]\n"), |sample, index| {
        sample.at(Code::SizeMismatch, &format!("number {index}"), "[\n1,\n]")
    });
    let text = ten.write(MessageFormat::Github);
    assert_eq!(text.matches("::error file=").count(), 10, "{text}");
    assert_eq!(text.lines().count(), 10, "{text}");
    let report: Value = serde_json::from_str(&ten.write(MessageFormat::Gitlab)).unwrap();
    let lines = &report[0]["location"]["lines"];
    assert_eq!((&lines["begin"], &lines["end"]), (&1.into(), &3.into()));
}

/// A message of SARIF has links of its own, which nobody is to make there.
#[test]
fn sarif_makes_no_links_of_what_strangers_write() {
    let link = "[x](https://example.org)";
    let sample = Sample::new("a.toml", "key = 1\n")
        .at(Code::MissingExtra, link, "1")
        .change(|mut finding| {
            link.clone_into(&mut finding.labels[0].text);
            finding.note(link).paste(link, link)
        });
    let log: Value = serde_json::from_str(&sample.write(MessageFormat::Sarif)).unwrap();
    let result = &log["runs"][0]["results"][0];
    for (text, count) in [
        (&result["message"]["text"], 4),
        (&result["locations"][0]["message"]["text"], 1),
    ] {
        let text = text.as_str().unwrap();
        assert_eq!(text.matches("[x\\](").count(), count, "{text}");
        assert_eq!(text.matches("](").count(), count, "{text}");
    }
}

/// Nothing that a stranger writes becomes markup, a mention, a reference, a link or a picture.
#[test]
fn markdown_holds_what_strangers_write() {
    let evil = "`a` @maintainer #1 GH-1 !2 [x](https://example.org) <img src=x> www.example.org \
                <!-- --> </details> **bold** :tada: $x$ \u{1b}[31m ` ``` ~~~ | https://example.org a\n# b";
    for message in [evil.to_owned(), evil.replacen('`', "", 1)] {
        let sample = Sample::new("declarations/`x`.toml", "key = 1\n")
            .at(Code::MissingExtra, &message, "1")
            .change(|finding| {
                finding
                    .note(message.as_str())
                    .paste(&message, format!("````\n```\n@maintainer {evil}"))
            });
        let text = sample.write(MessageFormat::Markdown);
        let outside = outside_of_code(&text);
        for word in [
            "@",
            "#1",
            "!2",
            "](",
            "<img",
            "www.",
            "</details",
            "**bold",
            ":tada",
            "$",
            "\u{1b}",
            "~~~",
            "://",
            "# b",
        ] {
            assert!(
                !outside.contains(word),
                "{word}\n--- outside of code:\n{outside}\n--- of\n{text}"
            );
        }
        assert!(outside.contains("**error**"), "{outside}");
    }
}

/// A page without its code spans and fenced blocks, read as a forge reads it: a fence ends at the
/// next one of the same length.
fn outside_of_code(page: &str) -> String {
    let mut text = String::new();
    let mut fence: Option<usize> = None;
    for line in page.lines() {
        let ticks = line
            .trim_start()
            .chars()
            .take_while(|sign| *sign == '`')
            .count();
        let rest = line.trim_start().trim_start_matches('`');
        match fence {
            Some(length) if ticks >= length && rest.is_empty() => fence = None,
            Some(_) => {}
            None if ticks >= 3 && !rest.contains('`') => fence = Some(ticks),
            None => text += &format!("{line}\n"),
        }
    }
    assert_eq!(fence, None, "a block stays open:\n{page}");
    let mut outside = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find('`') {
        outside += &rest[..start];
        let after = &rest[start..];
        let length = after.chars().take_while(|sign| *sign == '`').count();
        let after = &after[length..];
        let mut end = None;
        let mut at = 0;
        while let Some(found) = after[at..].find('`') {
            let run = after[at + found..]
                .chars()
                .take_while(|sign| *sign == '`')
                .count();
            if run == length {
                end = Some(at + found + run);
                break;
            }
            at += found + run;
        }
        match end {
            Some(end) => rest = &after[end..],
            None => {
                outside += &"`".repeat(length);
                rest = after;
            }
        }
    }
    outside + rest
}

#[test]
fn markdown_keeps_to_the_size_of_a_comment() {
    let mut sample = Sample::new("declarations/plum.toml", "key = 1\n");
    for index in 0..2_000 {
        sample = sample
            .at(
                Code::MissingExtra,
                &format!("finding {index} of `plum`"),
                "1",
            )
            .change(|finding| finding.paste("write", "text\n".repeat(10)))
            .change(if index < 5 { new } else { unchanged });
    }
    let text = sample.write(MessageFormat::Markdown);
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(text.len() > 60_000, "{}", text.len());
    assert!(
        text.contains("### ipwhl: 5 errors from this change\n"),
        "{text}"
    );
    let shown = text.matches("- [ ] ").count();
    let (_, end) = text.split_once("</details>\n\n").unwrap();
    assert_eq!(
        end,
        format!(
            "{} more do not fit here: `ipwhl check` shows all of them.\n",
            2_000 - shown
        )
    );
    let long = Sample::new("a", "x").at(Code::Syntax, &"梅 ".repeat(100_000), "x");
    assert!(long.write(MessageFormat::Markdown).len() < 20_000);
    // Nothing is shown after what was left out: whoever reads it knows where it ends.
    let gap = Sample::new("a", "x")
        .at(Code::Syntax, "the first", "x")
        .at(Code::Syntax, "the second", "x")
        .change(|finding| (0..120).fold(finding, |all, _| all.note("word ".repeat(150))))
        .at(Code::Syntax, "the third", "x")
        .write(MessageFormat::Markdown);
    assert!(
        gap.contains("the first") && !gap.contains("the third"),
        "{gap}"
    );
    assert!(gap.contains("\n2 more do not fit here"), "{gap}");
}

/// Whoever reads a log or a comment reads no password of it.
#[test]
fn no_format_shows_a_credential() {
    let address = "https://me:secret@example.org/elder-1.0-py3-none-any.whl";
    let sample = || {
        Sample::new("a.toml", &format!("source = \"{address}\"\n"))
            .at(
                Code::InvalidValue,
                &format!("`{address}` has credentials"),
                address,
            )
            .change(|mut finding| {
                finding.subject.requirement = format!("elder @ {address}").parse().ok();
                assert!(finding.subject.requirement.is_some());
                finding
                    .note(format!("see {address}"))
                    .paste(format!("not {address}"), address)
            })
    };
    for format in MACHINE {
        let text = sample().write(format);
        assert!(!text.contains("secret"), "{text}");
    }
    // For people, too, who are shown the line of the file.
    let sample_of_text = sample();
    let finding = &sample_of_text.findings[0];
    let text = render(finding, &sample_of_text.texts, Style::default())
        .as_str()
        .to_owned();
    assert!(text.contains("example.org"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    // The other two ways in which a label's words come out.
    let sample = sample().change(|finding| {
        let file = Arc::clone(&finding.labels[0].file);
        finding.at(&file, 0..6, address)
    });
    for format in MACHINE {
        let text = sample.write(format);
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn the_summary_tells_what_was_there_before() {
    let sample = awkward();
    let summary = JsonSummary::new(&sample.findings, true);
    let line = serde_json::to_value(JsonLine::Summary(summary)).unwrap();
    assert_eq!(
        line,
        serde_json::json!({
            "type": "summary", "errors": 3, "warnings": 1, "new": 2, "unchanged": 1
        })
    );
    // Of a set that was compared with nothing there is neither.
    let line = serde_json::to_value(JsonSummary::new(&sample.findings, false)).unwrap();
    assert_eq!(line, serde_json::json!({ "errors": 3, "warnings": 1 }));
}

/// A forge knows files by their paths from the root of the checkout.
#[test]
fn paths_start_at_the_root_of_the_checkout() {
    let checkout = tempfile::tempdir().unwrap();
    std::fs::create_dir(checkout.path().join(".git")).unwrap();
    let folder = checkout.path().join("sets/fruit");
    RepositoryBuilder::sound()
        .change("apple", |apple| apple.set("siz", "1"))
        .write_to(&folder);
    let run = |format: &str| {
        Program::new(&folder)
            .run(&["check", "--quiet", "--message-format", format])
            .expect(ExitStatus::Findings)
            .stdout
    };
    for format in MessageFormat::ALL {
        let output = run(format.as_str());
        let path = match format {
            // On standard error.
            MessageFormat::Text => continue,
            // For programs that know the repository.
            MessageFormat::Json => "\"file\":\"declarations/apple.toml\"",
            _ => "sets/fruit/declarations/apple.toml",
        };
        assert!(output.contains(path), "{output}");
    }
}

/// A build writes one document too; the root then stands on standard error.
#[test]
fn a_build_writes_its_findings_in_the_format_that_was_asked_for() {
    let build = |repository: &RepositoryBuilder| {
        let repository = repository.build();
        Program::new(repository.path()).run(&["build", "--root-only", "--message-format", "gitlab"])
    };
    let sound = RepositoryBuilder::sound();
    let run = build(&sound).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "[]\n");
    assert!(
        run.stderr.contains("the root CID is bafybei"),
        "{}",
        run.stderr
    );
    for (key, value) in [("siz", "1"), ("size", "1")] {
        let run = build(&sound.clone().change("apple", |apple| apple.set(key, value)))
            .expect(ExitStatus::Findings);
        let report: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report.len(), 1, "{}", run.stdout);
    }
}

#[test]
fn an_unknown_format_is_answered_with_the_nearest_one() {
    let repository = RepositoryBuilder::sound().build();
    let run = Program::new(repository.path())
        .run(&["check", "--message-format", "sarf"])
        .expect(ExitStatus::Usage);
    assert!(run.stderr.contains("'sarif'"), "{}", run.stderr);
}
