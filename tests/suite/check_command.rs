//! `ipwhl check` through the command line: exit codes, formats, sources that fail.

use ipwhl::command::ExitStatus;
use serde_json::Value;

use crate::support::http;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::wheel_builder::WheelBuilder;

const CID: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

/// The set that other tests break in one way each has no finding by itself.
#[test]
fn the_sound_set_is_clean() {
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path());
    for arguments in [
        &["check"][..],
        &["check", "--wheels"],
        &["check", "--wheels", "--sources", "--deny", "warnings"],
    ] {
        let run = program.run(arguments).expect(ExitStatus::Clean);
        assert_eq!(run.stdout, "");
        assert!(run.stderr.ends_with(": no findings\n"), "{}", run.stderr);
    }
}

#[test]
fn the_last_line_counts_what_was_checked() {
    let repository = RepositoryBuilder::sound().build();
    let last = |arguments: &[&str]| {
        let run = Program::new(repository.path()).run(arguments);
        run.stderr.lines().last().unwrap().to_owned()
    };
    assert_eq!(
        last(&["check"]),
        "checked 4 projects, 6 wheels on 4 platforms: no findings"
    );
    repository.write("declarations/apple.toml", "nothing");
    assert_eq!(
        last(&["check"]),
        "checked 4 projects, 5 wheels on 4 platforms: 1 error"
    );
    let quiet = Program::new(repository.path()).run(&["check", "--quiet"]);
    assert!(!quiet.stderr.contains("checked"), "{}", quiet.stderr);
}

#[test]
fn a_folder_below_the_repository_is_in_it_and_another_is_named() {
    let repository = RepositoryBuilder::sound().build();
    let elsewhere = tempfile::tempdir().unwrap();
    Program::new(&repository.join("declarations"))
        .run(&["check"])
        .expect(ExitStatus::Clean);
    let path = repository.path().to_str().unwrap();
    Program::new(elsewhere.path())
        .run(&["check", "--repository", path])
        .expect(ExitStatus::Clean);
    let run = Program::new(elsewhere.path())
        .run(&["check"])
        .expect(ExitStatus::World);
    let place = elsewhere.path().display();
    assert_eq!(
        run.stderr,
        format!(
            "error: neither `{place}` nor a folder above it has an `ipwhl.toml`: change into a \
             repository, name one with `--repository`, or create one with `ipwhl init`\n"
        )
    );
}

#[test]
fn exit_codes_say_whose_turn_it_is() {
    let warned = RepositoryBuilder::sound()
        .change("damson", |damson| damson.set("extras", "[]"))
        .file(
            "declarations/elder.toml",
            format!(
                "source = \"https://example.org/elder-1.0-py3-none-any.whl\"\ncontent-id = \"{CID}\"\n\
                 extras = []\ndependencies = []\nautomatic = true\n"
            ),
        )
        .build();
    let program = Program::new(warned.path());
    program.run(&["check"]).expect(ExitStatus::Clean);
    let denied = program
        .run(&["check", "--deny", "warnings"])
        .expect(ExitStatus::Findings);
    assert!(
        denied.stderr.contains("warning[unneeded]"),
        "{}",
        denied.stderr
    );
    // What nobody can understand.
    let run = program.run(&["check", "--wheel"]).expect(ExitStatus::Usage);
    assert!(run.stderr.contains("'--wheels'"), "{}", run.stderr);
    program
        .run(&["check", "--sources", "--offline"])
        .expect(ExitStatus::Usage);
    // A failure of the world outweighs what is found.
    let refused = http::closed();
    warned.write(
        "declarations/elder.toml",
        format!(
            "source = \"{refused}/elder-1.0-py3-none-any.whl\"\ncontent-id = \"{CID}\"\n\
             extras = []\ndependencies = [\"absent\"]\n"
        ),
    );
    let run = program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::World);
    assert!(
        run.stderr.contains("error[missing-dependency]"),
        "{}",
        run.stderr
    );
}

fn fruit(name: &str) -> WheelBuilder {
    WheelBuilder::new(name, "1.0").member(&format!("{name}.py"), format!("NAME = '{name}'\n"))
}

/// Every way in which the world fails, in one run: each is told by itself, with the declaration,
/// the place and the reason, and hides neither findings nor what was right.
#[test]
fn sources_that_fail_are_told_each_and_what_was_verified_stays() {
    let index = LoopbackIndex::start();
    let refused = http::closed();
    let mut builder = RepositoryBuilder::new();
    let names = [
        "broken", "cut", "gone", "lost", "refused", "sound", "unlisted", "unknown",
    ];
    for name in names {
        let wheel = fruit(name);
        let path = format!("/wheels/{}", wheel.file_name());
        let bytes = wheel.build();
        index.put(&path, &bytes);
        let package = format!("pkg:pypi/{name}@1.0?file_name={}", wheel.file_name());
        let source = match name {
            "broken" => {
                index.always(
                    &path,
                    Answer::whole("500 Internal Server Error", &[("Retry-After", "0")], b""),
                );
                index.url(&path)
            }
            "cut" => {
                index.always(&path, Answer::cut(&bytes, 100, &[]));
                index.url(&path)
            }
            "gone" => {
                index.always(&path, Answer::status("410 Gone"));
                index.url(&path)
            }
            "lost" => {
                index.always(&path, Answer::status("404 Not Found"));
                index.url(&path)
            }
            "refused" => format!("{refused}{path}"),
            // The index has the project, without this file.
            "unlisted" => {
                index.host(Hosted::new(name, "unlisted-2.0-py3-none-any.whl", b""));
                package
            }
            "unknown" => package,
            _ => index.url(&path),
        };
        builder = builder.project(Project::wanted(Wheel::elsewhere(wheel, &source)));
    }
    let repository = builder.build();
    let program = Program::new(repository.path()).index(&index.index_url());
    let run = program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::World);
    // The lines that come and go with the speed of the machine are another test's.
    let lines: Vec<String> = run
        .stderr
        .lines()
        .filter(|line| !line.contains("retrying in") && !line.starts_with("verified "))
        .map(|line| {
            line.replace(&index.url(""), "http://index.example.org")
                .replace(&refused, "http://refused.example.org")
        })
        // Why there is no connection is said by the system, each in its words.
        .map(|line| match line.split_once(": no connection: ") {
            Some((line, _)) => format!("{line}: no connection: [the system's words]"),
            None => line,
        })
        .collect();
    insta::assert_snapshot!("sources_that_fail", lines.join("\n"));

    // Without the failures of the world, the findings of the others decide.
    for name in ["broken", "cut", "refused"] {
        let text = Project::wanted(Wheel::elsewhere(
            fruit(name),
            &index.url(&format!("/again/{}", fruit(name).file_name())),
        ))
        .text(ipwhl_unixfs::Profile::UnixfsV1_2025);
        repository.write(&format!("declarations/{name}.toml"), text);
        index.put(
            &format!("/again/{}", fruit(name).file_name()),
            &fruit(name).build(),
        );
    }
    let before = index.paths().len();
    let run = program
        .run(&["check", "--wheels", "--message-format", "json"])
        .expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["missing-source"; 4]);
    let asked = index.paths().split_off(before);
    assert!(
        !asked.iter().any(|path| path.contains("sound")),
        "what was verified is not asked for again: {asked:?}"
    );
    assert!(
        asked.iter().any(|path| path.contains("/again/")),
        "{asked:?}"
    );
}

#[test]
fn offline_asks_nobody() {
    let index = LoopbackIndex::start();
    let wheel = fruit("plum");
    let path = format!("/wheels/{}", wheel.file_name());
    index.put(&path, &wheel.build());
    let repository = RepositoryBuilder::new()
        .project(Project::wanted(Wheel::elsewhere(wheel, &index.url(&path))))
        .build();
    let program = Program::new(repository.path());
    let run = program
        .run(&["check", "--wheels", "--offline"])
        .expect(ExitStatus::World);
    assert!(
        run.stderr.contains("declarations/plum.toml"),
        "{}",
        run.stderr
    );
    assert_eq!(index.connections(), 0);
    program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    assert_eq!(index.connections(), 1);
    program
        .run(&["check", "--wheels", "--offline"])
        .expect(ExitStatus::Clean);
}

/// `--sources` hears every source, though the cache and the first one would do.
#[test]
fn every_source_is_asked_afresh() {
    let index = LoopbackIndex::start();
    let wheel = fruit("plum");
    let name = wheel.file_name();
    let [good, dead, wrong] = ["good", "dead", "wrong"].map(|folder| format!("/{folder}/{name}"));
    index.put(&good, &wheel.build());
    let mut bytes = wheel.build();
    bytes[40] ^= 1;
    index.put(&wrong, &bytes);
    let sources = [&good, &dead, &wrong].map(|path| index.url(path));
    let repository = RepositoryBuilder::new()
        .project(Project::wanted(wheel).set("source", &format!("{sources:?}")))
        .build();
    let program = Program::new(repository.path());
    program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    assert_eq!(index.paths(), [good.as_str()]);
    let run = program
        .run(&["check", "--sources", "--message-format", "json"])
        .expect(ExitStatus::Findings);
    assert_eq!(
        run.codes(),
        ["missing-source", "content-id-mismatch"],
        "{}",
        run.stdout
    );
    // One of its places would do; but this was asked of each.
    assert!(!run.stderr.contains("verified 1 wheel"), "{}", run.stderr);
    let missing = &run.findings()[0];
    assert!(
        missing["message"].as_str().unwrap().contains(&dead),
        "{missing}"
    );
    // It points at the source that is dead, not at the first one.
    let start = usize::try_from(missing["places"][0]["span"][0].as_u64().unwrap()).unwrap();
    assert!(
        repository.read("declarations/plum.toml")[start + 1..].starts_with(&sources[1]),
        "{missing}"
    );
    assert_eq!(
        index.paths().iter().filter(|path| **path == good).count(),
        2
    );
}

/// Positions count characters, from 1, whatever they are made of; spans count bytes.
#[test]
fn json_says_where_also_in_cjk_after_tabs_and_with_carriage_returns() {
    let text = format!(
        "# 梅の実: 説明 \u{1f34e}\r\n\
         source = \"https://example.org/plum-1.0-py3-none-any.whl\"\r\n\
         content-id = \"{CID}\" # 識別子\r\n\
         \textras = [\"梅の実\", \"-\"]\r\n\
         dependencies = [\r\n\
         \t\"梅 >= 1\",\r\n\
         ]\r\n"
    );
    let repository = RepositoryBuilder::new()
        .file("declarations/plum.toml", &text)
        .build();
    let run = Program::new(repository.path())
        .run(&["check", "--message-format", "json"])
        .expect(ExitStatus::Findings);
    let lines: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let (summary, findings) = lines.split_last().unwrap();
    assert_eq!(summary["type"], "summary");
    assert_eq!(
        (&summary["errors"], &summary["warnings"]),
        (&3.into(), &0.into())
    );
    let places: Vec<(u64, u64, u64, &str)> = findings
        .iter()
        .map(|finding| {
            let place = &finding["places"][0];
            assert_eq!(place["file"], "declarations/plum.toml");
            assert_eq!(place["line"], place["end_line"]);
            let [start, end] =
                [0, 1].map(|at| usize::try_from(place["span"][at].as_u64().unwrap()).unwrap());
            let number = |key: &str| place[key].as_u64().unwrap();
            (
                number("line"),
                number("column"),
                number("end_column"),
                &text[start..end],
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            (4, 12, 17, "\"梅の実\""),
            (4, 19, 22, "\"-\""),
            (6, 3, 4, "梅"),
        ]
    );
}

/// Programs read standard output, so nothing else stands there, and nothing at all where it is for
/// people.
#[test]
fn json_of_a_clean_set_is_its_totals() {
    let repository = RepositoryBuilder::sound().build();
    let run = Program::new(repository.path())
        .run(&["check", "--message-format", "json"])
        .expect(ExitStatus::Clean);
    assert_eq!(
        run.stdout,
        "{\"type\":\"summary\",\"errors\":0,\"warnings\":0}\n"
    );
}

/// One run says all there is to say, of all files and all stages.
#[test]
fn one_run_finds_everything() {
    let repository = RepositoryBuilder::sound()
        .configuration("\n[severty]\n")
        .change("cherry", |cherry| {
            cherry.set("requires-python", "\">=3.6\"").set("siz", "3")
        })
        .change("banana", |banana| banana.without_wheel("cp313"))
        .change("damson", |damson| damson.set("size", "1"))
        .file("declarations/elder.toml", "content-id = \"Qm\"\n")
        .file("declarations/fig.toml", "[[wheel]]\n[[wheel]\n")
        .build();
    let run = Program::new(repository.path())
        .run(&["check", "--wheels", "--message-format", "json"])
        .expect(ExitStatus::Findings);
    let mut codes: Vec<(String, String)> = run
        .findings()
        .iter()
        .map(|finding| {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (word(&finding["places"][0]["file"]), word(&finding["code"]))
        })
        .collect();
    codes.sort();
    let expected = [
        ("declarations/apple.toml", "unavailable-dependency"),
        ("declarations/cherry.toml", "unknown-key"),
        ("declarations/damson.toml", "size-mismatch"),
        ("declarations/elder.toml", "invalid-content-id"),
        ("declarations/elder.toml", "missing-key"),
        ("declarations/elder.toml", "missing-key"),
        ("declarations/elder.toml", "missing-key"),
        ("declarations/fig.toml", "syntax"),
        ("ipwhl.toml", "unknown-key"),
    ]
    .map(|(file, code)| (file.to_owned(), code.to_owned()));
    assert_eq!(codes, expected);
}

/// A waiver until a day to come.
fn waiver(code: &str, project: &str, more: &str) -> String {
    format!(
        "\n[[waiver]]\ncode = \"{code}\"\nproject = \"{project}\"\n{more}\nreason = \"seen\"\n\
         expires = 2027-01-01\n"
    )
}

/// A wheel whose WHEEL file names another interpreter than its file name.
fn mislabelled(name: &str) -> WheelBuilder {
    fruit(name).wheel_file(
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py2-none-any\n",
    )
}

/// What an earlier run has read is not forgotten: a check without options says what a build would.
#[test]
fn wheels_that_were_verified_earlier_are_compared_with_their_declarations() {
    let repository = RepositoryBuilder::new()
        .project(Project::wanted(mislabelled("plum")))
        .project(Project::wanted(fruit("fig")))
        .build();
    let program = Program::new(repository.path());
    let check = |arguments: &[&str]| {
        program.run(&[&["check", "--message-format", "json"], arguments].concat())
    };
    let blind = check(&[]).expect(ExitStatus::Clean);
    assert_eq!(
        blind.stderr,
        "checked 2 projects, 2 wheels on 4 platforms: no findings\n"
    );
    let whole = check(&["--wheels"]).expect(ExitStatus::Findings);
    assert_eq!(whole.codes(), ["tag-mismatch"]);
    let plain = check(&[]).expect(ExitStatus::Findings);
    assert_eq!(plain.stdout, whole.stdout);
    assert_eq!(
        plain.stderr,
        "checked 2 projects, 2 wheels (2 verified earlier) on 4 platforms: 1 error\n"
    );
    // The declaration is held against the facts of now, whatever it said when they were found.
    let text = repository.read("declarations/fig.toml");
    let size = text
        .lines()
        .find(|line| line.starts_with("size = "))
        .unwrap();
    repository.write("declarations/fig.toml", text.replace(size, "size = 1"));
    let codes = check(&[]).expect(ExitStatus::Findings).codes();
    assert_eq!(codes, ["size-mismatch", "tag-mismatch"]);
    assert_eq!(check(&["--wheels", "--offline"]).codes(), codes);
    // Somebody who has not read them knows less.
    Program::new(repository.path())
        .run(&["check"])
        .expect(ExitStatus::Clean);
}

/// A waiver of what only a wheel tells is unused where no wheel can be meant, or all were looked
/// at.
#[test]
fn a_waiver_that_no_wheel_can_need_is_found_as_a_build_finds_it() {
    let absent = waiver("tag-mismatch", "absent", "");
    let gone = waiver(
        "dependencies-mismatch",
        "damson",
        "wheel = \"damson-4.0-py3-none-any.whl\"",
    );
    for text in [&absent, &gone] {
        let repository = RepositoryBuilder::sound().configuration(text).build();
        let program = Program::new(repository.path());
        let json = ["--message-format", "json"];
        for line in [
            &["check"][..],
            &["check", "--wheels"],
            &["build", "--root-only"],
        ] {
            let run = program
                .run(&[line, &json].concat())
                .expect(ExitStatus::Findings);
            assert_eq!(run.codes(), ["unused-waiver"], "{line:?}");
        }
    }
    let repository = RepositoryBuilder::sound()
        .configuration(&waiver("tag-mismatch", "damson", ""))
        .build();
    let program = Program::new(repository.path());
    program.run(&["check"]).expect(ExitStatus::Clean);
    program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Findings);
    let run = program.run(&["check"]).expect(ExitStatus::Findings);
    assert!(run.stderr.contains("[unused-waiver]"), "{}", run.stderr);
}
