//! One defect is one finding: each of many single defects, in texts and in wheels.

use ipwhl::command::ExitStatus;
use serde_json::Value;

use crate::support::installers::{INSTALLERS, install};
use crate::support::program::Program;
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;

fn findings(repository: &BuiltRepository, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["check", "--offline", "--message-format", "json"];
    arguments.extend(more);
    Program::new(repository.path()).run(&arguments).findings()
}

/// The code, message and first line of each.
fn told(found: &[Value]) -> Vec<String> {
    found
        .iter()
        .map(|finding| {
            format!(
                "{} {}: {}",
                finding["code"].as_str().unwrap(),
                finding["places"][0]["line"],
                finding["message"].as_str().unwrap()
            )
        })
        .collect()
}

/// A declaration of every form of value.
const TEXT: &str = "\
# A comment [with brackets]
requires-python = \">=3.8\"
extras = [\"a\", \"b\"]
dependencies = [
    \"foo[x]>=1\",
    \"bar; python_version < '3'\",
]
automatic = true

[[wheel]]
source = \"https://example.org/plum-1.0-py3-none-manylinux_2_17_x86_64.whl\"
content-id = \"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku\"
size = 12

[[wheel]]
source = [\"https://example.org/plum-1.0-py3-none-win_amd64.whl\"]
content-id = \"bafkreib3zqkfpohdwjr3p3zcqihnhzkbr4v5ihuvyh5obfe2ogrd7yl7ym\"
extras = []
";

/// The text without one sign of it, for each that TOML needs.
#[test]
fn one_sign_that_is_missing_is_one_error() {
    let repository = RepositoryBuilder::new().build();
    let mut count = 0;
    for (place, sign) in TEXT.char_indices() {
        if !"[]\"=,".contains(sign) || TEXT[..place].ends_with('#') || place < 30 {
            continue;
        }
        let mut text = TEXT.to_owned();
        text.remove(place);
        repository.write("declarations/plum.toml", &text);
        let found = findings(&repository, &[]);
        let syntax = found.iter().filter(|one| one["code"] == "syntax").count();
        if syntax == 0 {
            // What is inside a string, or a comma that may be left out.
            continue;
        }
        count += 1;
        assert_eq!(
            found.len(),
            1,
            "without {sign:?} at {place}: {:#?}\n{text}",
            told(&found)
        );
        let line = TEXT[..place].matches('\n').count() + 1;
        let mut said = found[0]["places"].as_array().unwrap().iter();
        assert!(
            said.any(|place| place["line"].as_u64().unwrap().abs_diff(line as u64) <= 1),
            "without {sign:?} in line {line}: {:#?}",
            told(&found)
        );
    }
    assert!(count > 40, "only {count}");
}

/// A list that is not closed is said to be not closed, where it begins.
#[test]
fn a_missing_bracket_is_said_to_be_missing() {
    let repository = RepositoryBuilder::new().build();
    for (without, line, message, end) in [
        (
            TEXT.replacen("]\nautomatic", "\nautomatic", 1),
            4,
            "the file is not TOML: the list is not closed, expected `]`",
            6,
        ),
        (
            TEXT.replacen("\"b\"]", "\"b\"", 1),
            3,
            "the file is not TOML: the list is not closed, expected `]`",
            3,
        ),
        (
            format!("{TEXT}dependencies = [\n    \"a\",\n"),
            19,
            "the file is not TOML: the list is not closed, expected `]`",
            20,
        ),
        (
            TEXT.replacen("size = 12", "size = { a = 1", 1),
            13,
            "the file is not TOML: the inline table is not closed, expected `}`",
            13,
        ),
    ] {
        repository.write("declarations/plum.toml", &without);
        let found = findings(&repository, &[]);
        assert_eq!(
            told(&found),
            [format!("syntax {line}: {message}")],
            "{without}"
        );
        assert_eq!(found[0]["places"][1]["line"], end, "{without}");
    }
}

/// Mistakes that do not follow from each other are told each, and a text that is no TOML at all is
/// not told at any length.
#[test]
fn two_mistakes_are_two_findings() {
    let repository = RepositoryBuilder::new().build();
    let text = TEXT
        .replacen("\"b\"]", "\"b\"", 1)
        .replacen("size = 12", "size =", 1);
    repository.write("declarations/plum.toml", &text);
    let lines: Vec<u64> = findings(&repository, &[])
        .iter()
        .map(|finding| finding["places"][0]["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [3, 13]);
    let text = TEXT.replacen("size = 12", "size = yes\nsize = 3\nautomatic = no", 1);
    repository.write("declarations/plum.toml", &text);
    assert_eq!(findings(&repository, &[]).len(), 3);
    repository.write("declarations/plum.toml", "a = [\n".repeat(5_000));
    assert!(findings(&repository, &[]).len() <= 20);
    repository.write("declarations/plum.toml", "[".repeat(50_000));
    assert_eq!(findings(&repository, &[]).len(), 1);
    repository.write("declarations/plum.toml", "x = \"\"\"\na = [\nb = 1\n");
    assert_eq!(findings(&repository, &[]).len(), 1);
}

/// A defect of a wheel.
type Defect<'a> = (&'a str, &'a str, fn(WheelBuilder) -> WheelBuilder);

/// A wheel with one defect is one finding, of this code.
#[test]
fn one_defect_of_a_wheel_is_one_finding() {
    let cases: &[Defect<'_>] = &[
        ("no METADATA", "invalid-metadata", |wheel| {
            wheel.without("METADATA")
        }),
        ("no WHEEL", "invalid-metadata", |wheel| {
            wheel.without("WHEEL")
        }),
        ("no RECORD", "record-mismatch", |wheel| {
            wheel.without("RECORD")
        }),
        ("WHEEL is no text", "invalid-metadata", |wheel| {
            wheel.wheel_file(b"\xff".to_vec())
        }),
        ("WHEEL is of a later format", "invalid-metadata", |wheel| {
            wheel.wheel_file("Wheel-Version: 2.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        }),
        ("a tag that is none", "invalid-metadata", |wheel| {
            wheel.wheel_file("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none\n")
        }),
        ("another tag", "tag-mismatch", |wheel| {
            wheel.wheel_file("Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: cp39-none-any\n")
        }),
        ("another name in METADATA", "name-mismatch", |wheel| {
            wheel.metadata("Metadata-Version: 2.1\nName: plum\nVersion: 5.0.1\n\n")
        }),
        ("another version in METADATA", "version-mismatch", |wheel| {
            wheel.metadata("Metadata-Version: 2.1\nName: damson\nVersion: 5.0.2\n\n")
        }),
        ("the file was renamed", "name-mismatch", |wheel| {
            wheel
                .metadata("Metadata-Version: 2.1\nName: plum\nVersion: 5.0.1\n\n")
                .dist_info("plum-5.0.1")
        }),
        (
            "the file has another version",
            "version-mismatch",
            |wheel| {
                wheel
                    .metadata("Metadata-Version: 2.1\nName: damson\nVersion: 5.0.2\n\n")
                    .dist_info("damson-5.0.2")
            },
        ),
        ("no name in METADATA", "invalid-metadata", |wheel| {
            wheel.metadata("Metadata-Version: 2.1\nVersion: 5.0.1\n\n")
        }),
        ("a member was changed", "record-mismatch", |wheel| {
            wheel.edit_record(|rows| {
                rows[0][1] = format!("sha256={}", "A".repeat(43));
                rows[0][2] = "1".to_owned();
            })
        }),
        ("a member without a row", "record-mismatch", |wheel| {
            wheel.edit_record(|rows| {
                rows.remove(0);
            })
        }),
        ("two names of a member", "invalid-archive", |wheel| {
            wheel.entry("damson.py", |entry| entry.local.name = b"plum.py".to_vec())
        }),
        ("a wrong checksum", "invalid-archive", |wheel| {
            wheel.entry("damson.py", |entry| {
                entry.local.crc ^= 1;
                entry.central.crc ^= 1;
            })
        }),
        ("a command that is code", "invalid-metadata", |wheel| {
            wheel.member(
                "damson-5.0.1.dist-info/entry_points.txt",
                "[console_scripts]\ndamson = os;system('id'):x\n",
            )
        }),
        (
            "bytecode that nothing is compared with",
            "invalid-archive",
            |wheel| {
                wheel.member(
                    "__pycache__/damson.cpython-312.pyc",
                    b"\xcb\x0d\r\n\x01\0\0\0",
                )
            },
        ),
        ("bytes after the end", "invalid-archive", |wheel| {
            wheel.archive(|archive| archive.suffix = b"hidden".to_vec())
        }),
        (
            "a comment that looks like a record",
            "invalid-archive",
            |wheel| wheel.archive(|archive| archive.comment = b"xxPK\x05\x06yy".to_vec()),
        ),
    ];
    for (what, code, change) in cases {
        let repository = RepositoryBuilder::sound()
            .change("damson", |damson| damson.rebuild(change))
            .build();
        let found = findings(&repository, &["--wheels"]);
        let codes: Vec<&str> = found
            .iter()
            .map(|one| one["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, [*code], "{what}: {:#?}", told(&found));
    }
}

/// Other bytes than the declared ones, whatever keys they contradict.
#[test]
fn other_bytes_are_one_finding() {
    for profile in ipwhl_unixfs::Profile::ALL {
        let repository = RepositoryBuilder::sound().profile(profile).build();
        let name = "wheels/damson-5.0.1-py3-none-any.whl";
        let mut bytes = std::fs::read(repository.join(name)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        repository.write(name, &bytes);
        let found = findings(&repository, &["--wheels"]);
        assert_eq!(found.len(), 1, "{:#?}", told(&found));
        assert_eq!(found[0]["code"], "content-id-mismatch");
        bytes.push(0);
        repository.write(name, &bytes);
        let found = findings(&repository, &["--wheels"]);
        assert_eq!(found.len(), 1, "{:#?}", told(&found));
    }
}

/// What the specifications allow is no defect: an archive comment, WHEEL of version 0.1, and no
/// Tag. pip and uv install such wheels.
#[test]
fn what_installers_agree_on_is_accepted() {
    type Change = fn(WheelBuilder) -> WheelBuilder;
    let cases: &[(&str, Change)] = &[
        ("a comment", |wheel| {
            wheel.archive(|archive| archive.comment = b"a comment, and PK in it".to_vec())
        }),
        ("version 0.1", |wheel| {
            wheel.wheel_file("Wheel-Version: 0.1\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        }),
        ("no tag", |wheel| {
            wheel.wheel_file("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        }),
    ];
    for (what, change) in cases {
        let repository = RepositoryBuilder::sound()
            .change("damson", |damson| damson.rebuild(change))
            .build();
        let run = Program::new(repository.path()).run(&["check", "--wheels", "--offline"]);
        assert_eq!(run.status, ExitStatus::Clean, "{what}: {}", run.stderr);
        let wheel = repository.join("wheels/damson-5.0.1-py3-none-any.whl");
        let target = tempfile::tempdir().unwrap();
        for tool in INSTALLERS {
            let output = install(tool, &wheel, &target.path().join(tool), &[]);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{what} by {tool}: {error}");
        }
    }
}
