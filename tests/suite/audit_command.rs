//! `ipwhl audit`: databases in folders, archives and at addresses; findings, waivers, rules.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use ipwhl::command::ExitStatus;
use serde_json::{Value, json};

use crate::support::bench::{Bench, pure};
use crate::support::declared_set::DeclaredSet;
use crate::support::http;
use crate::support::loopback_index::Answer;
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};

/// An advisory about all versions of a project before another one.
fn advisory(id: &str, project: &str, fixed: &str) -> Value {
    json!({
        "id": id,
        "modified": "2026-11-19T00:00:00Z",
        "summary": "it can be made to stop",
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": project},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
        }],
    })
}

/// A set of three projects with these settings in addition, and a database of these entries in the
/// folder `advisories`.
fn set(settings: &str, entries: &[Value]) -> BuiltRepository {
    let mut set = DeclaredSet::new()
        .wanted("apple 1.0", &["fig"])
        .automatic("fig 2.0", &[])
        .wanted("plum 3.1", &[])
        .configuration(settings);
    for entry in entries {
        let file = format!("advisories/{}.json", entry["id"].as_str().unwrap());
        set = set.file(&file, &entry.to_string());
    }
    let built = set.build();
    let path = built.path().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replacen("format = 1", "format = 2", 1)).unwrap();
    built
}

fn audit(repository: &BuiltRepository, arguments: &[&str]) -> Run {
    let program = Program::new(repository.path());
    let line = [&["audit", "--offline"], arguments].concat();
    program.run(&line)
}

const FOLDER: [&str; 2] = ["--database", "advisories"];
const CONFIGURED: &str = "\n[audit]\ndatabase = \"advisories\"\n";

fn json(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_vulnerability_is_named_with_all_that_is_known() {
    let mut severe = advisory("GHSA-1", "Plum", "3.2");
    severe["aliases"] = json!(["CVE-2026-7"]);
    severe["severity"] =
        json!([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]);
    let mut newer = advisory("PYSEC-2026-1", "plum", "3.3");
    newer["withdrawn"] = Value::Null;
    let mut withdrawn = advisory("PYSEC-2026-2", "apple", "9");
    withdrawn["withdrawn"] = json!("2026-11-19T00:00:00Z");
    let other = advisory("PYSEC-2026-3", "fig", "2.0");
    let repository = set("", &[severe, newer, withdrawn, other]);
    let run = audit(&repository, &FOLDER).expect(ExitStatus::Clean);
    insta::assert_snapshot!("text", run.stderr);
    assert_eq!(run.stdout, "");
    // Warnings can be denied.
    audit(
        &repository,
        &[&FOLDER[..], &["--deny", "warnings"]].concat(),
    )
    .expect(ExitStatus::Findings);
    // What programs read.
    let run = audit(
        &repository,
        &[&FOLDER[..], &["--message-format", "json"]].concat(),
    );
    let lines = json(&run);
    assert_eq!(lines[0]["type"], "database");
    assert_eq!(lines[0]["advisories"], 3);
    assert_eq!(lines[0]["withdrawn"], 1);
    assert_eq!(lines[0]["newest"], "2026-11-19T00:00:00Z");
    assert_eq!(
        lines[1]["advisory"],
        json!({
            "id": "GHSA-1",
            "aliases": ["CVE-2026-7"],
            "version": "3.1",
            "severity": {
                "rating": "critical", "score": "9.8",
                "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            },
            "fixed": ["3.2"],
        })
    );
    assert_eq!(lines[1]["project"], "plum");
    assert_eq!(lines[1]["places"][0]["file"], "declarations/plum.toml");
    // The command fixes both.
    assert_eq!(lines[1]["help"][0]["text"], "ipwhl update 'plum>=3.3'");
    assert_eq!(lines[2]["advisory"]["id"], "PYSEC-2026-1");
    assert_eq!(
        lines[3],
        json!({"type": "summary", "errors": 0, "warnings": 2})
    );
    for format in ["sarif", "github", "gitlab", "markdown"] {
        let run = audit(
            &repository,
            &[&FOLDER[..], &["--message-format", format]].concat(),
        );
        assert!(run.stdout.contains("GHSA-1"), "{format}: {}", run.stdout);
    }
}

#[test]
fn a_malicious_version_is_an_error() {
    let mut advisory = advisory("GHSA-1", "plum", "9");
    advisory["aliases"] = json!(["MAL-2026-5"]);
    advisory["affected"][0]["ranges"] = json!([]);
    advisory["affected"][0]["versions"] = json!(["3.1"]);
    let repository = set(CONFIGURED, &[advisory]);
    let run = audit(&repository, &[]).expect(ExitStatus::Findings);
    assert!(
        run.stderr
            .contains("error[malicious-version]: `plum` 3.1 is malicious"),
        "{}",
        run.stderr
    );
    // `check` says the same, and does not ask for it twice.
    let run = Program::new(repository.path()).run(&["check", "--message-format", "json"]);
    assert_eq!(
        run.expect(ExitStatus::Findings).codes(),
        ["malicious-version"]
    );
    let lowered = format!("{CONFIGURED}\n[severity]\nmalicious-version = \"warning\"\n");
    let repository = set(&lowered, &[self::advisory("MAL-1", "plum", "9")]);
    audit(&repository, &[]).expect(ExitStatus::Clean);
}

#[test]
fn rules_say_what_is_an_error() {
    let mut high = advisory("A-1", "plum", "9");
    high["database_specific"] = json!({"severity": "HIGH"});
    let unknown = advisory("A-2", "fig", "9");
    let entries = [high, unknown];
    let severities = |settings: &str| -> Vec<(String, String)> {
        let repository = set(&format!("{CONFIGURED}{settings}"), &entries);
        let run = audit(&repository, &["--message-format", "json"]);
        let findings = run.findings();
        let findings = findings.iter().map(|one| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&one["project"]), text(&one["severity"]))
        });
        findings.collect()
    };
    let both = |fig: &str, plum: &str| {
        vec![
            ("fig".to_owned(), fig.to_owned()),
            ("plum".to_owned(), plum.to_owned()),
        ]
    };
    assert_eq!(severities(""), both("warning", "warning"));
    assert_eq!(
        severities("error-from = \"high\"\n"),
        both("warning", "error")
    );
    assert_eq!(
        severities("error-from = \"none\"\n"),
        both("warning", "error")
    );
    assert_eq!(
        severities("error-from = \"critical\"\n"),
        both("warning", "warning")
    );
    let weighs = |word: &str| format!("[severity]\nvulnerable-version = \"{word}\"\n");
    assert_eq!(severities(&weighs("error")), both("error", "error"));
    assert_eq!(severities(&weighs("off")), []);
    let only = format!("error-from = \"high\"\n{}", weighs("off"));
    assert_eq!(severities(&only), [("plum".to_owned(), "error".to_owned())]);
}

/// A setting with a mistake does not pass for its default.
#[test]
fn a_setting_with_a_mistake_is_an_error() {
    let waiver = "[[waiver]]\ncode = \"vulnerable-version\"\nproject = \"plum\"\nreason = \"\"\n\
                  expires = 2027-02-27\n";
    for (settings, code) in [
        ("[audit]\nerror-from = \"hihg\"\n", "invalid-value"),
        ("[audit]\nmaximum-age = \"a week\"\n", "invalid-value"),
        ("[audit]\nerror-form = \"high\"\n", "unknown-key"),
        (waiver, "invalid-value"),
    ] {
        let repository = set(settings, &[advisory("GHSA-1", "plum", "9")]);
        let run = audit(&repository, &FOLDER).expect(ExitStatus::Findings);
        let said = format!("error[{code}]");
        assert!(run.stderr.contains(&said), "{settings}: {}", run.stderr);
    }
}

fn waiver(code: &str, advisory: &str, expires: &str) -> String {
    format!(
        "{CONFIGURED}\n[[waiver]]\ncode = \"{code}\"\nproject = \"plum\"\nadvisory = \"{advisory}\"\n\
         reason = \"its server is not used\"\nexpires = {expires}\n"
    )
}

/// A waiver has a reason and a day, and is for one vulnerability, by any of its names.
#[test]
fn a_waiver_accepts_one_vulnerability_until_a_day() {
    let mut first = advisory("GHSA-1", "plum", "9");
    first["aliases"] = json!(["CVE-1"]);
    let entries = [first, advisory("GHSA-2", "plum", "9")];
    let codes = |settings: &str, command: &[&str]| {
        let repository = set(settings, &entries);
        let program = Program::new(repository.path());
        program
            .run(&[command, &["--message-format", "json"]].concat())
            .codes()
    };
    let audit = ["audit", "--offline"];
    let code = "vulnerable-version";
    for name in ["GHSA-1", "CVE-1"] {
        assert_eq!(codes(&waiver(code, name, "2026-11-20"), &audit), [code]);
    }
    assert_eq!(
        codes(&waiver(code, "CVE-1", "2026-11-19"), &audit),
        [code, code, "expired-waiver"]
    );
    assert_eq!(
        codes(&waiver(code, "CVE-3", "2027-01-01"), &audit),
        [code, code, "unused-waiver"]
    );
    assert_eq!(
        codes(&waiver(code, "CVE-1", "2027-01-01"), &["check"]),
        [code]
    );
    assert_eq!(
        codes(&waiver(code, "CVE-3", "2027-01-01"), &["check"]),
        [code, code, "unused-waiver"]
    );
    // Who does not audit does not know whether it is used.
    let elsewhere = waiver(code, "CVE-3", "2027-01-01").replace("\"advisories\"", "\"elsewhere\"");
    assert_eq!(codes(&elsewhere, &["check"]), ["old-database"]);
    // Other waivers are no business of an audit.
    let other = "\n[[waiver]]\ncode = \"missing-dependency\"\nproject = \"plum\"\nreason = \"x\"\n\
                 expires = 2020-01-01\n";
    assert_eq!(codes(&format!("{CONFIGURED}{other}"), &audit), [code, code]);
    // What is proposed covers what was found.
    let repository = set(CONFIGURED, &entries);
    let program = Program::new(repository.path());
    let run = program.run(&["audit", "--offline", "--waivers", "not used"]);
    assert_eq!(
        run.stdout.matches("[[waiver]]").count(),
        2,
        "{}",
        run.stdout
    );
    let path = repository.path().join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text + &run.stdout).unwrap();
    program
        .run(&["audit", "--offline", "--deny", "warnings"])
        .expect(ExitStatus::Clean);
    program
        .run(&["check", "--deny", "warnings"])
        .expect(ExitStatus::Clean);
}

#[test]
fn a_broken_entry_is_skipped_with_a_warning() {
    let repository = set("", &[advisory("GHSA-1", "fig", "1.0")]);
    fs::write(repository.path().join("advisories/broken.json"), "{").unwrap();
    let run = audit(&repository, &FOLDER).expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("warning[broken-advisory]: the advisory `broken.json` is skipped: it is not an entry in JSON"),
        "{}",
        run.stderr
    );
    audit(
        &repository,
        &[&FOLDER[..], &["--deny", "warnings"]].concat(),
    )
    .expect(ExitStatus::Findings);
}

/// What a database says reaches no terminal raw: the harness looks at every run.
#[test]
fn texts_of_a_database_are_inert() {
    let mut evil = advisory("GHSA-1", "plum", "9");
    evil["summary"] = json!("\u{1b}[31mred\u{1b}]0;title\u{7}\u{202e}and\nmore\r\u{9b}");
    evil["severity"] = json!([{"type": "CVSS_V3", "score": "\u{1b}[2J"}]);
    evil["aliases"] = json!(["\u{1b}[31m", "CVE-1", "a\nb"]);
    let mut broken = advisory("GHSA-2", "plum", "\u{1b}[31m");
    broken["affected"][0]["ranges"][0]["events"][1]["fixed"] = json!("\u{1b}[31m1\n2");
    let repository = set("", &[evil, broken]);
    fs::write(repository.path().join("advisories/\u{1b}[31m.json"), "{").unwrap();
    for format in ["text", "json", "sarif", "github", "gitlab", "markdown"] {
        let run = audit(
            &repository,
            &[&FOLDER[..], &["--message-format", format]].concat(),
        );
        let all = run.stdout + &run.stderr;
        assert!(
            all.contains("GHSA-1") && all.contains("CVE-1"),
            "{format}: {all}"
        );
    }
}

#[test]
fn the_age_of_a_database_is_told() {
    let at = |now: &str, settings: &str| {
        let repository = set(
            &format!("{CONFIGURED}{settings}"),
            &[advisory("A-1", "kiwi", "1")],
        );
        audit(&repository, &["--now", now, "--message-format", "json"]).codes()
    };
    assert_eq!(at("2026-12-03T00:00:00Z", ""), [""; 0]);
    assert_eq!(at("2026-12-03T00:00:01Z", ""), ["old-database"]);
    assert_eq!(
        at("2026-11-20T00:00:01Z", "maximum-age = \"1 day\"\n"),
        ["old-database"]
    );
    assert_eq!(
        at("2027-11-01T00:00:00Z", "maximum-age = \"52 weeks\"\n"),
        [""; 0]
    );
    let repository = set("", &[]);
    fs::create_dir(repository.path().join("advisories")).unwrap();
    let run = audit(&repository, &FOLDER).expect(ExitStatus::World);
    assert!(
        run.stderr
            .contains("the advisory database `advisories` has no entries"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_database_that_is_not_there_is_a_failure() {
    let repository = set("", &[]);
    let run = audit(&repository, &[]).expect(ExitStatus::Usage);
    assert!(
        run.stderr.contains("no advisory database is named"),
        "{}",
        run.stderr
    );
    let run = audit(&repository, &FOLDER).expect(ExitStatus::World);
    assert!(
        run.stderr.contains("there is no advisory database at"),
        "{}",
        run.stderr
    );
    for place in ["", "ftp://example.org/all.zip"] {
        audit(&repository, &["--database", place]).expect(ExitStatus::Usage);
    }
    let run = audit(&repository, &["--database", "https://example.org/all.zip"]);
    run.expect(ExitStatus::World);
    // `check` does without, which is a finding.
    let repository = set(
        "\n[audit]\ndatabase = \"https://example.org/all.zip\"\n",
        &[],
    );
    let run = Program::new(repository.path())
        .run(&["check"])
        .expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains(
            "warning[old-database]: the set was not audited: the advisory database \
             `https://example.org/all.zip` is not in the cache"
        ),
        "{}",
        run.stderr
    );
    let run = Program::new(repository.path())
        .run(&["check", "--deny", "warnings", "--message-format", "json"])
        .expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["old-database"]);
    // What cannot be read is not called sound.
    let repository = set(CONFIGURED, &[advisory("A-1", "kiwi", "1")]);
    fs::write(repository.path().join("declarations/plum.toml"), "x = ").unwrap();
    let run = audit(&repository, &[]).expect(ExitStatus::Findings);
    assert!(
        run.stderr
            .contains("1 declaration cannot be read, and was not audited"),
        "{}",
        run.stderr
    );
}

/// The files of an archive.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn digest(run: &Run) -> Value {
    json(run)[0]["digest"].clone()
}

/// A folder and an archive of the same entries are the same database.
#[test]
fn an_archive_is_read_as_its_folder_is() {
    let repository = set(
        "",
        &[advisory("A-1", "plum", "9"), advisory("A-2", "fig", "9")],
    );
    let folder = repository.path().join("advisories");
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let (one, two) = (text("A-1.json"), text("A-2.json"));
    let whole = archive(&[
        ("A-1.json", &one),
        ("x/A-2.json", &two),
        ("README.md", "# x"),
        (".x/a.json", "{"),
    ]);
    fs::write(repository.path().join("all.zip"), whole).unwrap();
    let as_json = ["--message-format", "json"];
    let from_folder = audit(&repository, &[&FOLDER[..], &as_json].concat());
    let from_archive = audit(
        &repository,
        &[&["--database", "all.zip"][..], &as_json].concat(),
    );
    assert_eq!(from_folder.codes(), from_archive.codes());
    assert_eq!(from_archive.codes().len(), 2);
    assert_eq!(digest(&from_folder), digest(&from_archive));
    // As a forge packs the database of the Python Packaging Authority: other YAML is no entry.
    let forge = archive(&[
        ("db-main/triage/false_positives.yaml", "- x"),
        ("db-main/vulns/plum/A-1.json", &one),
        ("db-main/vulns/fig/A-2.json", &two),
    ]);
    fs::write(repository.path().join("all.zip"), forge).unwrap();
    let run = audit(
        &repository,
        &[&["--database", "all.zip"][..], &as_json].concat(),
    );
    assert_eq!((run.codes().len(), digest(&run)), (2, digest(&from_folder)));
    let other = repository.path().join("other");
    for (name, text) in [
        ("vulns/plum/A-1.json", &one),
        ("vulns/A-2.json", &two),
        ("triage/x.yaml", &"- x".to_owned()),
    ] {
        let path = other.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let run = audit(
        &repository,
        &[&["--database", "other"][..], &as_json].concat(),
    );
    assert_eq!((run.codes().len(), digest(&run)), (2, digest(&from_folder)));
}

#[test]
fn a_hostile_archive_is_refused() {
    let repository = set("", &[]);
    let path = repository.path().join("all.zip");
    let bomb = "0".repeat(50 << 20);
    for (bytes, reason) in [
        (vec![b' '; 100], "has no end record"),
        (archive(&[("../a.json", "{}")]), "has a `..` in its path"),
        (archive(&[("/a.json", "{}")]), "is an absolute path"),
        (
            archive(&[("a.json", "{}"), ("a.json/b.json", "{}")]),
            "is both a file and a folder",
        ),
    ] {
        fs::write(&path, bytes).unwrap();
        let run = audit(&repository, &["--database", "all.zip"]).expect(ExitStatus::World);
        assert!(run.stderr.contains(reason), "{reason}: {}", run.stderr);
    }
    // One entry that is too large, or damaged, is skipped.
    let good = advisory("A-1", "plum", "9").to_string();
    let mut damaged = archive(&[
        ("bomb.json", &bomb),
        ("A-1.json", &good),
        ("b.json", "{\"id\": \"B-1\"}"),
    ]);
    let place = damaged
        .windows(6)
        .position(|window| window == b"b.json")
        .unwrap();
    damaged[place + 7] ^= 0xff;
    fs::write(&path, damaged).unwrap();
    let run = audit(
        &repository,
        &["--database", "all.zip", "--message-format", "json"],
    );
    let mut codes = run.codes();
    codes.sort();
    assert_eq!(
        codes,
        ["broken-advisory", "broken-advisory", "vulnerable-version"]
    );
    assert!(
        run.stdout
            .contains("`bomb.json` is skipped: it is larger than 4194304 bytes"),
        "{}",
        run.stdout
    );
}

#[cfg(unix)]
#[test]
fn links_and_pipes_in_a_folder_are_not_followed() {
    let repository = set("", &[advisory("A-1", "kiwi", "9")]);
    let outside = tempfile::tempdir().unwrap();
    let text = advisory("A-2", "plum", "9").to_string();
    fs::write(outside.path().join("A-2.json"), &text).unwrap();
    let folder = repository.path().join("advisories");
    let link =
        |from: &Path, name: &str| std::os::unix::fs::symlink(from, folder.join(name)).unwrap();
    link(&outside.path().join("A-2.json"), "A-2.json");
    link(outside.path(), "more");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        folder.join("pipe.json"),
        rustix::fs::Mode::RUSR,
    )
    .unwrap();
    fs::write(folder.join("large.json"), " ".repeat((4 << 20) + 1)).unwrap();
    let run = audit(
        &repository,
        &[&FOLDER[..], &["--message-format", "json"]].concat(),
    );
    assert_eq!(run.codes(), ["broken-advisory"; 3]);
    for name in ["A-2.json", "more"] {
        let said = format!("`{name}` is skipped: it is a symbolic link, which is not followed");
        assert!(run.stdout.contains(&said), "{}", run.stdout);
    }
    // The folder itself may be one.
    let other = set("", &[]);
    std::os::unix::fs::symlink(outside.path(), other.path().join("advisories")).unwrap();
    let run = audit(
        &other,
        &[&FOLDER[..], &["--message-format", "json"]].concat(),
    );
    assert_eq!(run.codes(), ["vulnerable-version"]);
}

/// The index in the cache is used, is made anew after each change, and is not believed if damaged.
#[test]
fn the_index_is_that_of_the_files() {
    let repository = set(
        "",
        &[advisory("A-1", "plum", "9"), advisory("A-2", "kiwi", "9")],
    );
    // A file that has just been written may change again in the same moment.
    let recent = Program::new(repository.path());
    recent.run(&["audit", "--offline", "--database", "advisories"]);
    let indexes = |program: &Program| {
        let folder = program.cache_directory().join("advisories");
        let files = fs::read_dir(folder).into_iter().flatten();
        files.map(|file| file.unwrap().path()).collect::<Vec<_>>()
    };
    assert!(
        indexes(&recent).is_empty(),
        "the clock of the tests is behind that of the files"
    );
    let program = Program::new(repository.path()).now("2999-01-01T00:00:00Z");
    let codes = || {
        let line = [
            "audit",
            "--offline",
            "--database",
            "advisories",
            "--message-format",
            "json",
        ];
        let run = program.run(&line);
        let codes = run.codes();
        codes
            .into_iter()
            .filter(|code| code != "old-database")
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(), ["vulnerable-version"]);
    let [index] = indexes(&program).try_into().unwrap();
    let whole = fs::read(&index).unwrap();
    // It is what is read: one of another set of facts, with a checksum of its own, is believed.
    assert_eq!(codes(), ["vulnerable-version"]);
    assert_eq!(fs::read(&index).unwrap(), whole);
    // A damaged one is made anew.
    for broken in [&whole[..whole.len() / 2], b"", b"x\n"] {
        fs::write(&index, broken).unwrap();
        assert_eq!(codes(), ["vulnerable-version"]);
        assert_eq!(fs::read(&index).unwrap(), whole);
    }
    let mut other = whole.clone();
    let place = other
        .windows(4)
        .rposition(|window| window == b"plum" || window == b"A-1\"")
        .unwrap();
    other[place] ^= 1;
    fs::write(&index, &other).unwrap();
    assert_eq!(codes(), ["vulnerable-version"]);
    // Each change of the files is seen: another size, the same size, a new name, a file more or less.
    let file = repository.path().join("advisories/A-1.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("\"9\"", "\"3\"")).unwrap();
    assert_eq!(codes(), [""; 0]);
    fs::write(&file, &text).unwrap();
    assert_eq!(codes(), ["vulnerable-version"]);
    fs::write(
        repository.path().join("advisories/new.json"),
        advisory("A-3", "fig", "9").to_string(),
    )
    .unwrap();
    assert_eq!(codes(), ["vulnerable-version"; 2]);
    fs::remove_file(&file).unwrap();
    assert_eq!(codes(), ["vulnerable-version"]);
    // A set that has another project reads the same index.
    let declarations = repository.path().join("declarations");
    fs::write(
        repository.path().join("advisories/kiwi.json"),
        advisory("A-4", "kiwi", "9").to_string(),
    )
    .unwrap();
    assert_eq!(codes(), ["vulnerable-version"]);
    let fig = fs::read_to_string(declarations.join("fig.toml")).unwrap();
    fs::write(declarations.join("kiwi.toml"), fig.replace("fig", "kiwi")).unwrap();
    assert!(codes().len() >= 2);
}

/// The solver says whether an update fits, and the command does what it says.
#[test]
fn the_command_of_the_help_ends_the_finding() {
    let bench = Bench::of(&RepositoryBuilder::new().format_2());
    bench.offer("plum", &pure("plum", "1.0"));
    bench.offer("fig", &pure("fig", "1.0"));
    bench.offer("apple", &pure("apple", "1.0").requires("fig<2"));
    bench.offer("kiwi", &pure("kiwi", "1.0"));
    bench.offer("pear", &pure("pear", "1.0").requires("kiwi<2"));
    bench
        .add(&["plum", "apple", "pear"])
        .expect(ExitStatus::Clean);
    // 1.3 has another vulnerability, so 1.2 is the newest sound version.
    for version in ["1.1", "1.2", "1.3"] {
        bench.offer("plum", &pure("plum", version));
    }
    bench.offer("fig", &pure("fig", "2.0"));
    bench.offer("apple", &pure("apple", "1.1").requires("fig>=2"));
    bench.offer("kiwi", &pure("kiwi", "2.0"));
    let folder = bench.repository.join("advisories");
    fs::create_dir(&folder).unwrap();
    let mut newest = advisory("A-9", "plum", "1.4");
    newest["affected"][0]["ranges"][0]["events"][0] = json!({"introduced": "1.3"});
    let entries = [
        advisory("A-1", "plum", "1.1"),
        advisory("A-2", "fig", "2.0"),
        advisory("A-3", "kiwi", "2.0"),
        newest,
    ];
    for entry in &entries {
        let name = format!("{}.json", entry["id"].as_str().unwrap());
        fs::write(folder.join(name), entry.to_string()).unwrap();
    }
    let line = [
        "audit",
        "--database",
        "advisories",
        "--message-format",
        "json",
    ];
    let audit = || bench.program.run(&line).expect(ExitStatus::Clean);
    let run = audit();
    let updates: Vec<Value> = run
        .findings()
        .iter()
        .map(|one| one["advisory"]["update"].clone())
        .collect();
    assert_eq!(
        updates[..2],
        [
            json!({"version": "2.0", "command": "ipwhl update --allow-update all 'fig==2.0'"}),
            json!({"reason": updates[1]["reason"]}),
        ]
    );
    assert!(
        updates[1]["reason"].as_str().unwrap().contains("kiwi"),
        "{updates:?}"
    );
    assert_eq!(
        updates[2],
        json!({"version": "1.2", "command": "ipwhl update 'plum==1.2'"})
    );
    let text = bench.program.run(&["audit", "--database", "advisories"]);
    assert!(
        text.stderr.contains("help: update to 1.2, which fits the set and has no known vulnerability: `ipwhl update 'plum==1.2'`"),
        "{}",
        text.stderr
    );
    assert!(
        text.stderr.contains("note: no update fits the set: "),
        "{}",
        text.stderr
    );
    // As it stands in the help, without the quotes of the shell.
    for update in [&updates[0], &updates[2]] {
        let command = update["command"].as_str().unwrap().replace('\'', "");
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        bench.program.run(&words).expect(ExitStatus::Clean);
    }
    let left: Vec<String> = audit()
        .findings()
        .iter()
        .map(|one| one["project"].to_string())
        .collect();
    assert_eq!(left, ["\"kiwi\""]);
    bench.program.run(&["check"]).expect(ExitStatus::Clean);
    // Without the network nothing is asked, and that is said.
    let run = bench
        .program
        .run(&["audit", "--offline", "--database", "advisories"]);
    assert!(
        run.stderr.contains("note: the index was not asked whether an update fits: `--offline` does not use the network"),
        "{}",
        run.stderr
    );
    // An index that does not answer is no reason to fail.
    let program = Program::new(bench.repository.path()).index(&http::closed());
    let run = program.run(&line).expect(ExitStatus::Clean);
    assert_eq!(run.codes(), ["vulnerable-version"]);
    assert!(
        run.stderr
            .contains("note: the index was not asked whether an update fits"),
        "{}",
        run.stderr
    );
}

/// An archive at an address is fetched, kept, asked for again by its tag, and used offline.
#[test]
fn a_database_at_an_address_is_kept() {
    let repository = set("", &[]);
    let text = advisory("A-1", "plum", "9").to_string();
    let bytes = archive(&[("A-1.json", &text)]);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let url = http::respond(move |request| {
        let tag = request.header("if-none-match").to_owned();
        log.lock().unwrap().push(tag.clone());
        match request.path.as_str() {
            "/all.zip" if tag == "\"one\"" => {
                http::whole("304 Not Modified", &[("ETag", "\"one\"")], b"")
            }
            "/all.zip" => http::whole("200 OK", &[("ETag", "\"one\"")], &bytes),
            _ => http::whole("404 Not Found", &[], b""),
        }
    });
    let place = format!("{url}/all.zip");
    let program = Program::new(repository.path());
    let run = |arguments: &[&str]| {
        let line = ["audit", "--database", &place, "--message-format", "json"];
        program.run(&[&line, arguments].concat())
    };
    let codes = |arguments: &[&str]| run(arguments).expect(ExitStatus::Clean).codes();
    run(&["--offline"]).expect(ExitStatus::World);
    assert_eq!(codes(&[]), ["vulnerable-version"]);
    assert_eq!(codes(&[]), ["vulnerable-version"]);
    assert_eq!(codes(&["--offline"]), ["vulnerable-version"]);
    assert_eq!(*asked.lock().unwrap(), ["", "\"one\""]);
    // `check` takes it from the cache.
    let path = repository.path().join("ipwhl.toml");
    let settings = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        format!("{settings}\n[audit]\ndatabase = \"{place}\"\n"),
    )
    .unwrap();
    assert_eq!(
        program.run(&["check", "--message-format", "json"]).codes(),
        ["vulnerable-version"]
    );
    assert_eq!(asked.lock().unwrap().len(), 2);
    // A copy with other bytes is not believed.
    let folder = program.cache_directory().join("advisories");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let copy = files
        .into_iter()
        .find(|path| path.extension().unwrap() == "zip")
        .unwrap();
    let whole = fs::read(&copy).unwrap();
    fs::write(&copy, &whole[1..]).unwrap();
    run(&["--offline"]).expect(ExitStatus::World);
    assert_eq!(codes(&[]), ["vulnerable-version"]);
    assert_eq!(asked.lock().unwrap().last().unwrap(), "");
    assert_eq!(fs::read(&copy).unwrap(), whole);
    let missing = program.run(&["audit", "--database", &format!("{url}/none.zip")]);
    missing.expect(ExitStatus::World);
    // The parts of the cache can be counted and removed.
    program.run(&["cache", "clean"]).expect(ExitStatus::Clean);
    assert!(!copy.exists());
}

/// An answer that is no archive does not take the place of the database in the cache.
#[test]
fn a_page_does_not_replace_a_fetched_database() {
    let repository = set("", &[]);
    let text = advisory("A-1", "plum", "9").to_string();
    let bytes = archive(&[("A-1.json", &text)]);
    let answers = vec![b"<html>Please log in</html>".to_vec(), bytes];
    let answers = Arc::new(Mutex::new(answers));
    let url = http::respond(move |_| {
        let answer = answers.lock().unwrap().pop().unwrap_or_default();
        http::whole("200 OK", &[], &answer)
    });
    let place = format!("{url}/all.zip");
    let program = Program::new(repository.path());
    let audit = |arguments: &[&str]| {
        let line = ["audit", "--database", &place, "--message-format", "json"];
        program.run(&[&line, arguments].concat())
    };
    let codes = |arguments: &[&str]| audit(arguments).expect(ExitStatus::Clean).codes();
    assert_eq!(codes(&[]), ["vulnerable-version"]);
    audit(&[]).expect(ExitStatus::World);
    assert_eq!(codes(&["--offline"]), ["vulnerable-version"]);
}

/// What the index says today: yanks and statuses, with the severities and waivers of other codes.
#[test]
fn the_index_is_asked_if_that_is_asked_for() {
    for html_only in [false, true] {
        let bench = Bench::new();
        if html_only {
            bench.index.html_only();
        }
        for name in ["apple", "fig", "kiwi", "lime", "plum"] {
            bench.offer(name, &pure(name, "1.0"));
        }
        let all = ["apple", "fig", "kiwi", "lime", "plum"];
        bench.add(&all).expect(ExitStatus::Clean);
        let audit = |more: &[&str]| {
            let line = ["audit", "--index", "--message-format", "json"];
            bench.program.run(&[&line, more].concat())
        };
        let run = audit(&[]).expect(ExitStatus::Clean);
        assert_eq!(run.codes(), [""; 0]);
        assert!(!run.stdout.contains("\"database\""), "{}", run.stdout);
        bench
            .index
            .set_status("fig", "archived", "use\n\u{1b}[31mdate");
        bench.index.set_status("kiwi", "quarantined", "");
        bench.index.set_status("lime", "deprecated", "");
        bench.index.yank("plum", "");
        // The index has other bytes under the name of a declared wheel, and no file of a quarantined
        // project.
        bench.index.remove("apple");
        bench.offer("apple", &pure("apple", "1.0").requires("fig"));
        bench.index.remove("kiwi");
        bench.index.forget();
        let run = audit(&[]).expect(ExitStatus::Findings);
        let codes = [
            "yanked-wheel",
            "inactive-project",
            "quarantined-project",
            "inactive-project",
            "yanked-wheel",
        ];
        assert_eq!(run.codes(), codes);
        let findings = run.findings();
        let notes: Vec<&str> = findings
            .iter()
            .map(|finding| finding["notes"][0].as_str().unwrap())
            .collect();
        assert_eq!(
            notes,
            [
                "the page of the project has no file of this name, or one with another SHA-256",
                "the reason in the index: use\\n\\u{1b}[31mdate",
                "the index gives no reason",
                "the index gives no reason",
                "the index gives no reason",
            ]
        );
        assert_eq!(findings[4]["wheel"], "plum-1.0-py3-none-any.whl");
        assert_eq!(findings[4]["places"][0]["file"], "declarations/plum.toml");
        // One request for each project, and none without the flag.
        let mut paths = bench.index.paths();
        paths.sort();
        assert_eq!(paths, all.map(|name| format!("/simple/{name}/")));
        // A waiver that is needed, one that is not, and a severity.
        let waiver = |code: &str, project: &str| {
            format!(
                "\n[[waiver]]\ncode = \"{code}\"\nproject = \"{project}\"\nreason = \"known\"\n\
                 expires = 2027-01-01\n"
            )
        };
        let settings = bench.repository.read("ipwhl.toml");
        let rules = waiver("quarantined-project", "kiwi")
            + &waiver("yanked-wheel", "fig")
            + "\n[severity]\ninactive-project = \"off\"\n";
        bench
            .repository
            .write("ipwhl.toml", settings.clone() + &rules);
        let run = audit(&[]).expect(ExitStatus::Findings);
        let codes = ["yanked-wheel", "yanked-wheel", "unused-waiver"];
        assert_eq!(run.codes(), codes);
        // No other command asks, so no waiver is unused there.
        bench.index.forget();
        bench.program.run(&["check"]).expect(ExitStatus::Clean);
        assert_eq!(bench.index.paths(), [""; 0]);
        bench.repository.write("ipwhl.toml", settings);
        let offline = audit(&["--offline"]).expect(ExitStatus::Usage);
        assert!(offline.stderr.contains("--offline"), "{}", offline.stderr);
    }
}

/// An index that lacks a project is told, and one that fails ends the audit.
#[test]
fn an_index_without_an_answer_is_told() {
    let bench = Bench::new();
    for name in ["fig", "plum"] {
        bench.offer(name, &pure(name, "1.0"));
    }
    bench.add(&["fig", "plum"]).expect(ExitStatus::Clean);
    let path = "/simple/fig/";
    bench.index.always(path, Answer::status("404 Not Found"));
    let run = bench.program.run(&["audit", "--index"]);
    let run = run.expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("note: the index does not have fig\n"),
        "{}",
        run.stderr
    );
    bench.index.always(path, Answer::status("403 Forbidden"));
    let run = bench.program.run(&["audit", "--index"]);
    let run = run.expect(ExitStatus::World);
    assert!(run.stderr.contains("403 Forbidden"), "{}", run.stderr);
}

/// What mends a vulnerability comes first, after what it needs.
#[test]
fn repairs_are_the_first_small_changes() {
    let bench = Bench::of(&RepositoryBuilder::new().format_2());
    for name in ["apple", "cherry", "date", "fig", "kiwi"] {
        bench.offer(name, &pure(name, "1.0"));
    }
    bench.offer("plum", &pure("plum", "1.0").requires("lime"));
    bench.offer("lime", &pure("lime", "1.0"));
    let all = ["apple", "cherry", "date", "fig", "kiwi", "plum"];
    bench.add(&all).expect(ExitStatus::Clean);
    bench.offer("apple", &pure("apple", "1.1"));
    bench.offer("cherry", &pure("cherry", "1.1"));
    bench.offer("date", &pure("date", "1.1"));
    bench.offer("fig", &pure("fig", "1.1").requires("date>=1.1"));
    bench.offer("kiwi", &pure("kiwi", "1.1"));
    bench.offer("plum", &pure("plum", "1.1"));
    let settings = fs::read_to_string(bench.repository.join("ipwhl.toml")).unwrap();
    fs::write(bench.repository.join("ipwhl.toml"), settings + CONFIGURED).unwrap();
    let small = || bench.program.run(&["update", "--one-by-one"]);
    let usual = concat!(
        "  1. apple  1.0 -> 1.1 (minor)\n",
        "  2. cherry  1.0 -> 1.1 (minor)\n",
        "  3. date  1.0 -> 1.1 (minor)\n",
        "  4. fig  1.0 -> 1.1 (minor), after 3\n",
        "  5. kiwi  1.0 -> 1.1 (minor)\n",
        "  6. lime  1.0 (no longer needed)\n",
        "     plum  1.0 -> 1.1 (minor)\n",
    );
    let run = small().expect(ExitStatus::Clean);
    assert_eq!(run.stdout, usual);
    let words = "changes that mend vulnerabilities do not come first";
    assert!(run.stderr.contains(words), "{}", run.stderr);

    let entries = [
        advisory("A-1", "fig", "1.1"),
        // The new version has it, too.
        advisory("A-2", "kiwi", "2.0"),
        advisory("A-3", "lime", "2.0"),
        advisory("A-4", "plum", "1.1"),
    ];
    fs::create_dir(bench.repository.join("advisories")).unwrap();
    for entry in entries {
        let file = format!("advisories/{}.json", entry["id"].as_str().unwrap());
        fs::write(bench.repository.join(&file), entry.to_string()).unwrap();
    }
    let run = small().expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        concat!(
            "  1. date  1.0 -> 1.1 (minor)\n",
            "  2. fig  1.0 -> 1.1 (minor), after 1, mends A-1\n",
            "  3. lime  1.0 (no longer needed), mends A-3, A-4\n",
            "     plum  1.0 -> 1.1 (minor)\n",
            "  4. apple  1.0 -> 1.1 (minor)\n",
            "  5. cherry  1.0 -> 1.1 (minor)\n",
            "  6. kiwi  1.0 -> 1.1 (minor)\n",
        )
    );
    let line = ["update", "--one-by-one", "--json"];
    let run = bench.program.run(&line).expect(ExitStatus::Clean);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["changes"][1]["after"], json!([1]));
    assert_eq!(document["changes"][2]["mends"], json!(["A-3", "A-4"]));
    assert_eq!(document["changes"][5]["mends"], json!([]));
}
