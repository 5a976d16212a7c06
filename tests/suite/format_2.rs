//! Format 2 of declarations and settings: its keys, their findings, and that format 1 stays as it
//! was.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use ipwhl::command::ExitStatus;
use ipwhl::foundation::diagnostic::Finding;
use ipwhl::set::check;
use ipwhl::set::declaration::{
    Declaration, FormatVersion, Layout, Parsed, canonical, formatted, parse, parse_in,
    write_declaration,
};
use ipwhl::set::graph::Graph;
use ipwhl::set::judgement;
use ipwhl::set::repository::Repository;
use ipwhl_packaging::ProjectName;
use ipwhl_unixfs::Profile;

use crate::support::bench::{Bench, pure as pure_wheel};
use crate::support::content_id;
use crate::support::in_process::BuiltRelease;
use crate::support::program::Program;
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};
use crate::support::workshop::Workshop;

/// A declaration of wheels with these tags; `keys` is at the top.
fn declaration(name: &str, tags: &[&str], keys: &str) -> String {
    let mut text = String::new();
    for default in ["extras", "dependencies"] {
        if !keys.contains(&format!("{default} =")) {
            text += &format!("{default} = []\n");
        }
    }
    text += &format!("{keys}\n");
    for tag in tags {
        let cid = content_id(&format!("{name}-{tag}"));
        text += &format!(
            "[[wheel]]\nsource = \"https://example.org/{name}-1.0-{tag}.whl\"\n\
             content-id = \"{cid}\"\n"
        );
    }
    text
}

fn built(declarations: &[(&str, String)]) -> BuiltRepository {
    let mut builder = RepositoryBuilder::new()
        .platforms(&["cp312"], &["manylinux_2_28_x86_64", "win_amd64"])
        .format_2();
    for (name, text) in declarations {
        builder = builder.file(&format!("declarations/{name}.toml"), text);
    }
    builder.build()
}

fn findings(declarations: &[(&str, String)]) -> Vec<Finding> {
    let built = built(declarations);
    let repository = Repository::load(built.path()).unwrap();
    judgement::finish(&repository, check::repository(&repository))
}

/// Code, project and message of each finding.
fn told(declarations: &[(&str, String)]) -> Vec<String> {
    let findings = findings(declarations).into_iter();
    findings
        .map(|finding| {
            let project = finding.subject.project;
            let project = project.map_or_else(String::new, |project| project.to_string());
            format!("{} {project}: {}", finding.code, finding.message)
        })
        .collect()
}

fn read(text: &str) -> Parsed {
    parse(&Arc::from("declarations/plum.toml"), text, Layout::Package)
}

fn codes(parsed: &Parsed) -> Vec<String> {
    let findings = parsed.findings.iter();
    findings
        .map(|finding| format!("{}: {}", finding.code, finding.message))
        .collect()
}

const LINUX: &str = "cp312-cp312-manylinux_2_17_x86_64";
const NOT_WINDOWS: &str = "only = \"sys_platform != 'win32'\"";

#[test]
fn every_key_of_a_declaration_is_read_and_written_again() {
    let keys = "uploaded = 2023-08-17T17:29:11.5Z\nonly = \"sys_platform != 'win32'\"\n";
    let one = declaration("plum", &[LINUX], "").replace("[[wheel]]\n", "")
        + keys
        + "publisher = \"https://example.org/plum\"\nreviewed = false\nautomatic = true\n";
    let several = declaration(
        "plum",
        &[LINUX, "cp312-cp312-win_amd64"],
        "publisher = \"x\"\nonly = \"os_name == 'posix'\"",
    ) + "only = \"os_name == 'nt'\"\nuploaded = 2023-08-17T17:29:11Z\n";
    for text in [&one, &several] {
        let parsed = read(text);
        let codes: BTreeSet<&str> = parsed
            .findings
            .iter()
            .map(|finding| finding.code.as_str())
            .collect();
        assert!(
            codes.is_subset(&BTreeSet::from(["unreviewed"])),
            "{codes:?}"
        );
        let declaration = Declaration {
            project: "plum".parse().unwrap(),
            file: Arc::from(""),
            automatic: parsed.automatic,
            automatic_span: None,
            provenance: parsed.provenance.clone(),
            wheels: parsed.wheels.clone(),
        };
        assert_eq!(declaration.format(), FormatVersion::V2);
        let written = write_declaration(&declaration);
        let again = read(&written);
        let publisher = |parsed: &Parsed| {
            let publisher = parsed.provenance.publisher.as_ref();
            publisher.map(|publisher| publisher.value.clone())
        };
        assert_eq!(publisher(&again), publisher(&parsed), "{written}");
        assert_eq!(
            again.provenance.unreviewed.is_some(),
            parsed.provenance.unreviewed.is_some()
        );
        assert_eq!(again.wheels.len(), parsed.wheels.len());
        for (one, other) in again.wheels.iter().zip(&parsed.wheels) {
            assert!(one.says_the_same(other), "{written}");
        }
        assert_eq!(canonical(&written).as_deref(), Some(written.as_str()));
        // A different value is a different declaration.
        for (key, other) in [
            ("17:29:11", "17:29:12"),
            ("posix", "java"),
            ("!= 'win32'", "!= 'x'"),
        ] {
            let changed = read(&text.replace(key, other));
            let is_same = changed
                .wheels
                .iter()
                .zip(&parsed.wheels)
                .all(|(one, other)| one.says_the_same(other));
            assert_eq!(is_same, !text.contains(key), "{key}");
        }
    }
    assert_eq!(
        read(&several).wheels[1]
            .only
            .as_ref()
            .unwrap()
            .value
            .to_string(),
        "os_name == \"nt\""
    );
}

#[test]
fn the_canonical_form_orders_and_spells_the_keys() {
    let text = "automatic = true\nreviewed = true\npublisher = 'x'\nonly = \"'win32' != sys.platform\"\n\
                uploaded = 2023-08-17 17:29:11.500000z\nsize = 3\nextras = []\n";
    let expected = "extras = []\nsize = 3\nuploaded = 2023-08-17T17:29:11.5Z\n\
                    only = 'sys_platform != \"win32\"'\npublisher = \"x\"\nautomatic = true\n";
    let file = Arc::from("declarations/plum.toml");
    let form = |text: &str| formatted(&file, text, Layout::Package).unwrap();
    assert_eq!(form(text), expected);
    assert_eq!(form(expected), expected);
    // A comment about the default keeps it, and no other value is lost.
    for kept in [
        "extras = []\nreviewed = true  # by two people\n",
        "extras = []\n# by two people\nreviewed = true\n",
        "extras = []\nreviewed = false\n",
        "extras = []\nreviewed = \"true\"\n",
    ] {
        assert_eq!(form(kept), kept);
    }
}

#[test]
fn a_wrong_value_is_a_finding() {
    for (key, expected) in [
        (
            "uploaded = \"2023-08-17T17:29:11Z\"",
            "`uploaded` must be a time in UTC since 1970, without quotes and with at most 6 decimals",
        ),
        (
            "uploaded = 2023-08-17",
            "`uploaded` must be a time in UTC since 1970, without quotes and with at most 6 decimals",
        ),
        (
            "uploaded = 2023-08-17T17:29:11+02:00",
            "`uploaded` must be a time in UTC since 1970, without quotes and with at most 6 decimals",
        ),
        (
            "uploaded = 2023-08-17T17:29:11",
            "`uploaded` must be a time in UTC since 1970, without quotes and with at most 6 decimals",
        ),
        (
            "uploaded = 2023-08-17T17:29:11.1234567Z",
            "`uploaded` must be a time in UTC since 1970, without quotes and with at most 6 decimals",
        ),
        ("only = 3", "`only` must be a string, not an integer"),
        (
            "only = \"extra == 'x'\"",
            "`only` names `extra`, but it is about platforms",
        ),
        (
            "only = \"extra != ''\"",
            "`only` names `extra`, but it is about platforms",
        ),
        (
            "publisher = \"\"",
            "`publisher` must be one line of visible text, and not empty",
        ),
        (
            "publisher = \"a\\nb\"",
            "`publisher` must be one line of visible text, and not empty",
        ),
        (
            "publisher = \"a\\u202eb\"",
            "`publisher` must be one line of visible text, and not empty",
        ),
        (
            "reviewed = \"no\"",
            "`reviewed` must be true or false, not a string",
        ),
    ] {
        let text = declaration("plum", &[LINUX], "").replace("[[wheel]]\n", "") + key;
        assert_eq!(
            codes(&read(&text)),
            [format!("invalid-value: {expected}")],
            "{key}"
        );
    }
    let text = declaration("plum", &[LINUX], "only = \"windows\"");
    let parsed = read(&text);
    assert_eq!(parsed.findings.len(), 1);
    assert!(
        parsed.findings[0]
            .message
            .starts_with("`only` is not a marker: ")
    );
    // Beside tables, a time belongs to no wheel.
    let text = declaration("plum", &[LINUX], "uploaded = 2023-08-17T17:29:11Z");
    assert_eq!(
        codes(&read(&text)),
        [
            "unknown-key: `uploaded` is at the top beside `[[wheel]]` tables, where it belongs to no wheel"
        ]
    );
    // A review is of the project as a whole.
    let text = declaration("plum", &[LINUX], "") + "reviewed = false\n";
    assert!(codes(&read(&text))[0].starts_with("unknown-key: `reviewed` is not a key of"));
}

#[test]
fn in_format_1_a_newer_key_is_a_finding_with_the_way_out() {
    let top = NOT_WINDOWS.to_owned() + "\npublisher = \"x\"\nreviewed = true";
    let text = declaration("plum", &[LINUX], &top) + "uploaded = 2023-08-17T17:29:11Z\n";
    let file = Arc::from("declarations/plum.toml");
    let parsed = parse_in(&file, &text, Layout::Package, FormatVersion::V1);
    let told: Vec<&str> = parsed
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "`only` is a key of a declaration in format 2 only",
            "`publisher` is a key of a declaration in format 2 only",
            "`reviewed` is a key of a declaration in format 2 only",
            "`uploaded` is a key of a `[[wheel]]` table in format 2 only",
        ]
    );
    let workshop = Workshop::with(&RepositoryBuilder::new().file("declarations/plum.toml", &text));
    let ran = workshop.run(&["check"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let all = ran.output + &ran.error;
    assert!(all.contains("error[unknown-key]"), "{all}");
    assert!(
        all.contains("`ipwhl migrate --format 2` writes it"),
        "{all}"
    );
    // The layout of the original has no such keys in any format.
    let text = text.replace("[[wheel]]\n", "");
    let original = parse_in(&file, &text, Layout::Ipwhl1, FormatVersion::V1);
    assert!(
        original
            .findings
            .iter()
            .all(|one| !one.message.contains("format 2"))
    );
}

#[test]
fn a_project_that_is_not_offered_need_not_be_covered() {
    let plum = |keys: &str| ("plum", declaration("plum", &[LINUX], keys));
    assert_eq!(
        told(&[plum("")]),
        [
            "uncovered-platform plum: `plum` has no usable wheel for these platforms, and no \
          project needs it there"
        ]
    );
    assert_eq!(told(&[plum(NOT_WINDOWS)]), [""; 0]);
    // Its own requirements do not apply there, not even those of a wheel that would fit.
    let stone = ("stone", declaration("stone", &[LINUX], "automatic = true"));
    let keys = "dependencies = [\"stone\"]\n";
    let pure = |more: &str| {
        (
            "plum",
            declaration("plum", &["py3-none-any"], &(keys.to_owned() + more)),
        )
    };
    assert_eq!(told(&[pure(""), stone.clone()]).len(), 1);
    assert_eq!(told(&[pure(NOT_WINDOWS), stone]), [""; 0]);
}

#[test]
fn who_needs_what_is_not_offered_is_told_the_line() {
    let needs = |keys: &str| {
        let keys = format!("dependencies = [\"stone\"]\n{keys}");
        ("plum", declaration("plum", &["py3-none-any"], &keys))
    };
    for tag in [LINUX, "py3-none-any"] {
        let stone = declaration("stone", &[tag], NOT_WINDOWS);
        let set = [needs(""), ("stone", stone.clone())];
        assert_eq!(
            told(&set),
            [
                "unavailable-dependency plum: `plum` requires `stone`, which this set does not offer \
              on these platforms"
            ]
        );
        let [finding] = &*findings(&set) else {
            panic!()
        };
        let label = &finding.labels[1];
        assert_eq!(&*label.file, "declarations/stone.toml");
        assert!(stone[label.span.clone()].starts_with("\"sys_platform"));
        assert_eq!(finding.subject.platforms[0].to_string(), "cp312-win_amd64");
        assert_eq!(told(&[needs(NOT_WINDOWS), ("stone", stone)]), [""; 0]);
    }
}

/// One wheel of several may be for some platforms only.
#[test]
fn a_wheel_can_be_for_some_platforms_only() {
    let tags = [LINUX, "cp312-cp312-win_amd64"];
    let on_windows = declaration("plum", &tags, "") + NOT_WINDOWS + "\n";
    // No installer can use it there.
    assert_eq!(
        told(&[("plum", on_windows.clone())]),
        [
            "unused-wheel plum: `plum-1.0-cp312-cp312-win_amd64.whl` fits only platforms on which \
             its `only` does not offer it"
        ]
    );
    // A wheel's own word comes before that at the top.
    let both = declaration("plum", &tags, NOT_WINDOWS) + "only = \"sys_platform == 'win32'\"\n";
    let name: ProjectName = "plum".parse().unwrap();
    for (text, covered) in [
        (on_windows, 1),
        (both, 2),
        (declaration("plum", &tags, ""), 2),
    ] {
        let built = built(&[("plum", text)]);
        let repository = Repository::load(built.path()).unwrap();
        assert_eq!(Graph::new(&repository).covered(&name).len(), covered);
    }
    // Another wheel's word says nothing about a platform without any wheel.
    let text = declaration("plum", &["cp312-cp312-macosx_12_0_arm64", LINUX], "").replacen(
        "[[wheel]]\n",
        &format!("[[wheel]]\n{NOT_WINDOWS}\n"),
        1,
    );
    let codes: Vec<String> = told(&[("plum", text)]);
    assert!(
        codes
            .iter()
            .any(|one| one.starts_with("uncovered-platform")),
        "{codes:?}"
    );
}

#[test]
fn installers_do_not_read_it_so_wheels_stay_ambiguous() {
    let text = declaration("plum", &["py3-none-any", LINUX], "").replacen(
        "[[wheel]]\n",
        &format!("[[wheel]]\n{NOT_WINDOWS}\n"),
        1,
    ) + "only = \"sys_platform == 'linux'\"\n";
    let told = told(&[("plum", text)]);
    assert!(told[0].starts_with("ambiguous-wheels plum"), "{told:?}");
}

#[test]
fn what_a_platform_does_not_decide_is_a_finding() {
    let message =
        "invalid-value plum: `only` is neither true nor false on some supported platforms";
    for (marker, is_decided) in [
        ("platform_machine == 'x86_64' or os_name == 'nt'", true),
        (
            "python_version >= '3.12' and implementation_name == 'cpython'",
            true,
        ),
        ("python_full_version >= '3.12'", true),
        ("python_full_version >= '3.12.2'", false),
        ("platform_release >= '5'", false),
        ("sys_platform >= 'linux'", false),
        ("sys_platform == 'win32' and platform_release != '5'", false),
    ] {
        let text = declaration("plum", &["py3-none-any"], &format!("only = \"{marker}\""));
        let told = told(&[("plum", text)]);
        let is_told = told.iter().filter(|one| *one == message).count();
        assert_eq!(is_told, usize::from(!is_decided), "{marker}: {told:?}");
    }
}

/// Neither the number nor its absence in a text changes a release, only the use of a key does.
#[test]
fn a_release_is_of_the_oldest_format_that_has_its_keys() {
    let sound = RepositoryBuilder::sound();
    let root = |builder: &RepositoryBuilder| {
        let workshop = Workshop::with(builder);
        workshop.build(&[])
    };
    let before = root(&sound);
    assert_eq!(root(&sound.clone().format_2()), before);
    let newer = sound
        .clone()
        .format_2()
        .change("damson", |damson| damson.set("publisher", "\"x\""));
    assert_ne!(root(&newer), before);
}

#[test]
fn one_line_leads_to_format_2() {
    let settings = "# the set\n[repository]\nformat = 1  # of 2026\nname = \"example\"\n\n\
                    [platforms]\nalso = [\n  \"cp312-win_amd64\", # one\n]\n";
    let workshop = Workshop::with(&RepositoryBuilder::new().configuration_text(settings));
    let file = workshop.repository().join("ipwhl.toml");
    let ran = workshop.run(&["migrate", "--format", "2", "--dry-run"]);
    assert_eq!(
        (ran.code, ran.output.as_str()),
        (Some(0), "ipwhl.toml\n"),
        "{ran:?}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), settings);
    let ran = workshop.run(&["migrate", "--format", "2"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.said("changed `ipwhl.toml` from format 1 to format 2");
    let changed = settings.replace("format = 1", "format = 2");
    assert_eq!(fs::read_to_string(&file).unwrap(), changed);
    let ran = workshop.run(&["migrate", "--format", "2"]);
    ran.said("already has the format 2");
    workshop
        .run(&["migrate", "--format", "1"])
        .refused(2, &["newer formats only"]);
    workshop
        .run(&["migrate", "--format", "3"])
        .refused(2, &["the newest format is 2"]);
    for (wrong, code, words) in [
        (
            settings.replace("format = 1", "format = 7"),
            1,
            "known `format`",
        ),
        (
            settings.replace("format = 1", "format = \"1\""),
            1,
            "known `format`",
        ),
        (
            settings.replace("format = 1", "format = 1\nlayout = \"ipwhl-1\""),
            2,
            "one format only",
        ),
    ] {
        fs::write(&file, &wrong).unwrap();
        workshop
            .run(&["migrate", "--format", "2"])
            .refused(code, &[words]);
        assert_eq!(fs::read_to_string(&file).unwrap(), wrong);
    }
}

/// The pages of a set without times are those of format 1; those of others have one form.
#[test]
fn pages_state_the_times_of_uploads() {
    let sound = RepositoryBuilder::sound();
    let files = |builder: &RepositoryBuilder| BuiltRelease::of(builder).files;
    let before = files(&sound);
    let now = files(&sound.clone().format_2().change("damson", |damson| {
        damson.set("uploaded", "2023-08-17T17:29:11.5Z")
    }));
    let changed: Vec<&String> = now
        .iter()
        .filter(|(name, bytes)| before.get(*name) != Some(*bytes))
        .map(|(name, _)| name)
        .collect();
    let page = |name: &str| String::from_utf8(now[name].clone()).unwrap();
    let (html, json) = ("damson/index.html", "damson/index.v1_json");
    assert_eq!(
        changed,
        [
            "_ipwhl/release.json",
            "damson/declaration.toml",
            html,
            json,
            "pylock.toml"
        ]
    );
    let time = "2023-08-17T17:29:11.500000Z";
    assert!(page(html).contains(&format!(" data-upload-time=\"{time}\" data-core-metadata=")));
    let size = format!("\n      \"upload-time\": \"{time}\",\n      \"core-metadata\"");
    assert!(page(json).contains(&size), "{}", page(json));
    assert!(page("_ipwhl/release.json").starts_with("{\n  \"format\": 2,"));
    assert!(
        !before
            .values()
            .any(|bytes| bytes.windows(11).any(|part| part == b"upload-time"))
    );
}

const WEEK: &str = "\n[index]\ncooldown = \"7 days\"\n";

/// The sound set, with a week's cooldown, and its wheels uploaded at this time.
fn cooling(uploaded: &str) -> RepositoryBuilder {
    let projects = ["apple", "banana", "cherry", "damson"];
    let set = projects
        .into_iter()
        .fold(RepositoryBuilder::sound(), |set, name| {
            set.change(name, |project| project.set("uploaded", uploaded))
        });
    set.format_2().configuration(WEEK)
}

/// The age is that by the clock of the machine, or at the time of `--now`. A build does not ask.
#[test]
fn a_wheel_must_be_as_old_as_the_cooldown() {
    let repository = cooling("2026-11-13T12:00:00.5Z").build();
    let program = Program::new(repository.path());
    let ages = |arguments: &[&str]| {
        let all = [&["check", "--message-format", "json"], arguments].concat();
        let run = program.run(&all);
        (run.status, run.codes().len())
    };
    // There are six wheels, and the clock of the tests is half a second before their week is over.
    assert_eq!(ages(&[]), (ExitStatus::Findings, 6));
    assert_eq!(
        ages(&["--now", "2026-11-20T12:00:00.5Z"]),
        (ExitStatus::Clean, 0)
    );
    assert_eq!(ages(&["--allow", "cooldown"]).0, ExitStatus::Clean);
    program
        .run(&["check", "--now", "soon"])
        .expect(ExitStatus::Usage);
    program
        .run(&["build", "--root-only"])
        .expect(ExitStatus::Clean);
    // An unknown age is not old enough, and no waiver of an age is unused.
    let waiver = "\n[[waiver]]\ncode = \"cooldown\"\nproject = \"damson\"\n\
                  reason = \"a security fix\"\nexpires = 2027-01-01\n";
    let unknown =
        cooling("2026-11-01T00:00:00Z").change("damson", |damson| damson.unset("uploaded"));
    let repository = unknown.clone().build();
    let run = Program::new(repository.path())
        .run(&["check"])
        .expect(ExitStatus::Findings);
    assert!(
        run.stderr
            .contains("the age of `damson-5.0.1-py3-none-any.whl` is unknown")
    );
    let accepted = unknown.configuration(waiver).build();
    for arguments in [["check", "--offline"], ["build", "--root-only"]] {
        Program::new(accepted.path())
            .run(&arguments)
            .expect(ExitStatus::Clean);
    }
    let old = cooling("2026-11-01T00:00:00Z")
        .configuration(waiver)
        .build();
    Program::new(old.path())
        .run(&["check"])
        .expect(ExitStatus::Clean);
}

#[test]
fn a_cooldown_that_is_none_is_a_finding() {
    for (settings, words) in [
        (
            cooling("2026-11-01T00:00:00Z").configuration_text(
                "[repository]\nformat = 1\nname = \"x\"\n\
            [platforms]\nalso = [\"cp312-win_amd64\"]\n[index]\ncooldown = \"7 days\"\n",
            ),
            "`cooldown` is a key of `[index]` in format 2 only",
        ),
        (
            RepositoryBuilder::new()
                .format_2()
                .configuration("\n[index]\ncooldown = \"a week\"\n"),
            "`a week` is not a cooldown: it is not a whole number, above 0, of `hours`, `days` or `weeks`",
        ),
        (
            RepositoryBuilder::new()
                .format_2()
                .configuration("\n[index]\ncooldown = 7\n"),
            "`cooldown` must be a string, not an integer",
        ),
    ] {
        let repository = settings.build();
        let run = Program::new(repository.path()).run(&["check"]);
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
}

/// `add` takes the time from the index, in format 2 only, and keeps what people have declared.
#[test]
fn add_declares_the_time_and_keeps_the_choices() {
    let offer = |bench: &Bench, version: &str, uploaded: Option<&str>| {
        bench.offer_as("plum", &pure_wheel("plum", version), |file| {
            file.uploaded = uploaded.map(ToOwned::to_owned);
        });
    };
    let time = "2026-11-01T10:00:00.250000Z";
    let bench = Bench::new();
    offer(&bench, "1.0", Some(time));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    assert!(!bench.text("plum").contains("uploaded"));
    // In a set that is of format 2 from now on, declaring it again writes the time.
    let migrate = ["migrate", "--format", "2"];
    bench.program.run(&migrate).expect(ExitStatus::Clean);
    bench.add(&["plum==1.0"]).expect(ExitStatus::Clean);
    let line = "\nuploaded = 2026-11-01T10:00:00.25Z\n";
    assert!(bench.text("plum").contains(line), "{}", bench.text("plum"));
    let bench = Bench::of(&RepositoryBuilder::new().format_2().configuration(WEEK));
    offer(&bench, "1.0", Some(time));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    let text = bench.text("plum");
    assert!(
        text.contains("\nuploaded = 2026-11-01T10:00:00.25Z\n"),
        "{text}"
    );
    let choices = "only = 'sys_platform != \"win32\"'\npublisher = \"us\"\nreviewed = false\n";
    bench
        .repository
        .write("declarations/plum.toml", &(text + choices));
    offer(&bench, "1.1", None);
    // Its age is not known, so it is no candidate.
    let run = bench.add(&["plum==1.1"]).expect(ExitStatus::Findings);
    assert!(
        run.stderr
            .contains("1.1: it is younger than the cooldown of 7 days, or its age is unknown"),
        "{}",
        run.stderr
    );
    offer(&bench, "1.2", Some("2020-01-01T00:00:00Z"));
    bench.add(&["plum"]).expect(ExitStatus::Clean);
    let text = bench.text("plum");
    // The index says nothing about the publisher of this version.
    let choices = choices.replace("publisher = \"us\"\n", "");
    assert!(
        text.contains("plum-1.2-") && text.ends_with(&choices),
        "{text}"
    );
    assert!(
        text.contains("\nuploaded = 2020-01-01T00:00:00Z\n"),
        "{text}"
    );
}

/// A wheel that fits only platforms on which the set does not offer it is unused.
#[test]
fn a_wheel_that_is_offered_nowhere_is_unused() {
    let message = "unused-wheel plum: `plum-1.0-cp312-cp312-win_amd64.whl` fits only platforms on \
                   which its `only` does not offer it";
    let windows = "cp312-cp312-win_amd64";
    // By the word of the project, and by its own.
    let set = [("plum", declaration("plum", &[LINUX, windows], NOT_WINDOWS))];
    assert_eq!(told(&set), [message]);
    let [finding] = &*findings(&set) else {
        panic!()
    };
    let labels = &finding.labels;
    assert!(set[0].1[labels[1].span.clone()].starts_with("\"sys_platform"));
    assert_eq!(labels[1].text, "false on these platforms");
    let own = declaration("plum", &[LINUX, windows], "") + NOT_WINDOWS + "\n";
    assert_eq!(told(&[("plum", own)]), [message]);
    // Another wheel's `only` changes nothing for it, and one platform of several is enough.
    let other = declaration("plum", &[LINUX, windows], "").replacen(
        "[[wheel]]\n",
        &format!("[[wheel]]\n{NOT_WINDOWS}\n"),
        1,
    );
    assert_eq!(told(&[("plum", other)]), [""; 0]);
    let both = declaration("plum", &["py3-none-any"], NOT_WINDOWS);
    assert_eq!(told(&[("plum", both)]), [""; 0]);
    // Where no tag fits, `only` is not the reason.
    let mac = declaration(
        "plum",
        &[LINUX, "cp312-cp312-macosx_12_0_arm64"],
        NOT_WINDOWS,
    );
    let told = told(&[("plum", mac)]);
    assert_eq!(
        told,
        [
            "unused-wheel plum: `plum-1.0-cp312-cp312-macosx_12_0_arm64.whl` fits no supported platform"
        ]
    );
}

/// A withdrawn wheel stops a build, also by the statement alone, and whichever key gives its digest.
#[test]
fn a_withdrawn_wheel_is_not_built() {
    for (profile, unset) in [
        (Profile::UnixfsV1_2025, "size"),
        (Profile::UnixfsV1_2025, "sha256"),
        // The content-id says nothing of the SHA-256, so only the wheel does.
        (Profile::UnixfsV0_2015, "sha256"),
    ] {
        let set = RepositoryBuilder::sound().format_2().profile(profile);
        let set = set.change("damson", |damson| damson.unset(unset));
        let table = "\n[[withdrawn]]\n\
                     sha256 = \"92beae6f8d8b647d6f40279c6762f6506d336052c396d31a44261500c4ce4327\"\n\
                     reason = \"it sends data\"\ndate = 2026-11-20\n";
        let repository = set.configuration(table).build();
        let program = Program::new(repository.path());
        for line in [
            &["check", "--wheels"][..],
            &["build"],
            &["build", "--root-only"],
        ] {
            let run = program.run(line).expect(ExitStatus::Findings);
            for words in [
                "error[withdrawn]: `damson-5.0.1-py3-none-any.whl` is withdrawn",
                "withdrawn on 2026-11-20: it sends data",
            ] {
                assert_eq!(run.stderr.matches(words).count(), 1, "{}", run.stderr);
            }
        }
        // The facts of the wheel are known from now on.
        program.run(&["check"]).expect(ExitStatus::Findings);
        for hard in ["--allow", "severity"] {
            let run = match hard {
                "severity" => {
                    let settings = repository.read("ipwhl.toml");
                    let text = settings + "\n[severity]\nwithdrawn = \"warning\"\n";
                    repository.write("ipwhl.toml", text);
                    program.run(&["check"]).expect(ExitStatus::Findings)
                }
                _ => program
                    .run(&["check", "--allow", "withdrawn"])
                    .expect(ExitStatus::Usage),
            };
            assert!(
                run.stderr.contains("or that the set has withdrawn a wheel"),
                "{}",
                run.stderr
            );
        }
    }
}

/// Values of a hostile change: each is a finding at its line, and none is read as another one.
#[test]
fn hostile_values_are_findings() {
    let mut wrong = Vec::new();
    let digits = "1".repeat(40);
    let long = vec!["sys_platform != 'x'"; 5000].join(" and ");
    for (key, code, words) in [
        (
            format!("uploaded = {digits}"),
            "invalid-value",
            "in UTC since 1970",
        ),
        (format!("uploaded = {digits}-01-01T00:00:00Z"), "syntax", ""),
        (
            format!("uploaded = 2023-01-01T00:00:00.{digits}Z"),
            "invalid-value",
            "in UTC since 1970",
        ),
        (
            "uploaded = 1969-12-31T23:59:59Z".to_owned(),
            "invalid-value",
            "in UTC since 1970",
        ),
        (
            "uploaded = 0000-01-01T00:00:00Z".to_owned(),
            "invalid-value",
            "in UTC since 1970",
        ),
        (
            "uploaded = 9999-12-31T23:59:59.999999Z".to_owned(),
            "invalid-value",
            "in UTC since 1970",
        ),
        (
            "uploaded = 2023-06-30T23:59:60Z".to_owned(),
            "invalid-value",
            "in UTC since 1970",
        ),
        (
            "only = ''".to_owned(),
            "invalid-value",
            "`only` is not a marker",
        ),
        (
            "only = ' '".to_owned(),
            "invalid-value",
            "`only` is not a marker",
        ),
        (
            "only = \"extra == 'x'\"".to_owned(),
            "invalid-value",
            "`only` names `extra`",
        ),
        (format!("only = \"{long}\""), "too-large", ""),
        (
            "publisher = \"a\\u0007b\"".to_owned(),
            "invalid-value",
            "one line of visible text",
        ),
        (
            "publisher = \"a\\u0000\"".to_owned(),
            "invalid-value",
            "one line of visible text",
        ),
        (
            format!("publisher = \"{}\"", "x".repeat(100_000)),
            "too-large",
            "",
        ),
    ] {
        let text =
            declaration("plum", &["py3-none-any"], "").replace("[[wheel]]\n", "") + &key + "\n";
        let shown: String = key.chars().take(60).collect();
        let told = told(&[("plum", text)]);
        let first = told.first().cloned().unwrap_or_default();
        let is_right = first.starts_with(code) && first.contains(words);
        if !is_right || told.len() > 2 || told.iter().any(|one| one.len() > 1000) {
            wrong.push(format!("{shown}: {told:.1000?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Undecided on a platform that is supported, and decided.
    for (only, count) in [
        ("python_version == '3.12'", 0),
        ("python_full_version == '3.12.1'", 1),
    ] {
        let text = declaration("plum", &["py3-none-any"], &format!("only = \"{only}\""));
        assert_eq!(told(&[("plum", text)]).len(), count, "{only}");
    }
    // The latest time that is read is young, and is written and read again.
    let far = cooling("9999-12-30T21:59:59.999999Z").build();
    let run = Program::new(far.path()).run(&["check", "--message-format", "json"]);
    assert_eq!(run.codes(), ["cooldown"; 6]);
    Program::new(far.path())
        .run(&["build", "--root-only"])
        .expect(ExitStatus::Clean);
    for (table, words) in [
        (
            "sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
            "is the SHA-256 of an empty file, which no wheel is",
        ),
        ("sha256 = \"\"", "`` is not a SHA-256"),
        (
            "root = \"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku\"",
            "is not the CID of a release",
        ),
        ("root = \"\"", "`` is not the CID of a release"),
    ] {
        let table = format!("\n[[withdrawn]]\n{table}\nreason = \"x\"\ndate = 2026-11-20\n");
        let repository = RepositoryBuilder::sound()
            .format_2()
            .configuration(&table)
            .build();
        let run = Program::new(repository.path())
            .run(&["check"])
            .expect(ExitStatus::Findings);
        assert!(
            run.stderr.contains("error[invalid-value]"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}

/// No byte but the number changes, whatever else is in the file and the folder.
#[test]
fn format_2_loses_nothing() {
    let unix = "#:schema schemas/ipwhl.schema.json\n# ours\n\n[ repository ] # the set\n\
                name = 'example'\n  format=1# of 2026\n\n\n[platforms]\nalso = [\"cp312-win_amd64\",\t]\n\
                severity = {}\n[[waiver]] # one\ncode = \"cooldown\"\nproject = \"plum\"\n\
                reason = \"\"\"\nan urgent fix\"\"\"\nexpires = 2027-01-01 # a year\n# the end";
    let unix = unix.replace("severity = {}\n", "");
    let inline =
        "repository = {format = 1, name = \"x\"}\nplatforms.also = [\"cp312-win_amd64\"]\n";
    for text in [
        unix.clone(),
        unix.replace('\n', "\r\n"),
        format!("\u{feff}{unix}"),
        format!("\u{feff}{}", unix.replace('\n', "\r\n")),
        inline.to_owned(),
        inline.replace("format = 1", "format = 0x1"),
        inline.replace("format = 1", "format = +1"),
    ] {
        let declared = "# mine\r\nextras = []\r\n";
        let builder = RepositoryBuilder::new()
            .configuration_text(&text)
            .file("declarations/plum.toml", declared);
        let workshop = Workshop::with(&builder);
        let ran = workshop.run(&["migrate", "--format", "2"]);
        assert_eq!(ran.code, Some(0), "{text:?}: {ran:?}");
        let file = workshop.repository().join("ipwhl.toml");
        let mut expected = text.clone();
        for number in ["format=1", "format = 1", "format = 0x1", "format = +1"] {
            let newer = if number == "format=1" {
                "format=2"
            } else {
                "format = 2"
            };
            expected = expected.replace(number, newer);
        }
        assert_ne!(expected, text);
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
        let plum = workshop.repository().join("declarations/plum.toml");
        assert_eq!(fs::read_to_string(plum).unwrap(), declared);
        workshop
            .run(&["migrate", "--format", "2"])
            .said("already has the format 2");
    }
}
