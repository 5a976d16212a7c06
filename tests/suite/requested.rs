//! The requirements of people's project files: each format, its mistakes, and pip's own parser as a
//! second opinion.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ipwhl::foundation::diagnostic::{Code, Finding};
use ipwhl::foundation::failure::FailureKind;
use ipwhl::set::requested::{
    IgnoredKind, LARGEST_PROJECT_FILE, Mistakes, Pinned, Place, RequestFile, RequestFileError,
    Selection, read_request_file,
};
use ipwhl_packaging::{Constraint, Requirement};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::packaging_library;
use crate::support::strategies::{hold, hold_all};
use crate::support::words;

/// The texts of files by path.
type Files<'a> = BTreeMap<&'a str, &'a [u8]>;

fn read_files(
    files: &Files<'_>,
    path: &str,
    selection: &Selection,
) -> Result<RequestFile, RequestFileError> {
    let read = |path: &Path, limit: u64| {
        let found = files.get(path.to_str().unwrap());
        let bytes = found.ok_or(io::Error::from(io::ErrorKind::NotFound))?;
        let limit = usize::try_from(limit).unwrap();
        Ok(bytes[..bytes.len().min(limit)].to_vec())
    };
    read_request_file(&read, Path::new(path), selection)
}

fn read_one(
    name: &str,
    text: &str,
    selection: &Selection,
) -> Result<RequestFile, RequestFileError> {
    read_files(&Files::from([(name, text.as_bytes())]), name, selection)
}

/// What is read of a file in `tests/requested`.
fn read_fixture(path: &str, selection: &Selection) -> RequestFile {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requested");
    let read = |path: &Path, _: u64| std::fs::read(folder.join(path));
    read_request_file(&read, Path::new(path), selection)
        .unwrap_or_else(|error| panic!("{path}: {error:?}"))
}

fn selection(extras: &[&str], groups: &[&str]) -> Selection {
    Selection {
        extras: extras.iter().map(|one| one.parse().unwrap()).collect(),
        groups: groups.iter().map(|one| one.parse().unwrap()).collect(),
        all: false,
    }
}

fn none() -> Selection {
    Selection::default()
}

fn all() -> Selection {
    Selection {
        all: true,
        ..Selection::default()
    }
}

fn texts(requirements: &[(Requirement, Place)]) -> Vec<String> {
    let texts = requirements.iter();
    texts
        .map(|(requirement, _)| requirement.to_string())
        .collect()
}

fn preferred(file: &RequestFile) -> Vec<String> {
    let versions = file.preferred.iter();
    versions
        .map(|(project, version)| format!("{project}=={version}"))
        .collect()
}

fn ignored(file: &RequestFile) -> Vec<String> {
    file.ignored.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn mistakes(result: Result<RequestFile, RequestFileError>) -> Mistakes {
    match result {
        Err(RequestFileError::Mistakes(mistakes)) => mistakes,
        other => panic!("no mistakes: {other:?}"),
    }
}

/// A finding as `file:line: code: message [help]`.
fn line(mistakes: &Mistakes, finding: &Finding) -> String {
    let label = &finding.labels[0];
    let line = mistakes.texts[&label.file].line(label.span.start);
    format!(
        "{}:{line}: {}: {} [{}]",
        label.file,
        finding.code,
        finding.message,
        words(&finding.help)
    )
}

#[track_caller]
fn only_mistake(result: Result<RequestFile, RequestFileError>) -> String {
    let mistakes = mistakes(result);
    assert_eq!(mistakes.findings.len(), 1, "{:?}", mistakes.findings);
    line(&mistakes, &mistakes.findings[0])
}

// ---- requirements.txt ----

#[test]
fn requirements_are_read_with_their_includes() {
    let file = read_fixture("requirements/requirements.txt", &none());
    assert_eq!(
        texts(&file.requested),
        [
            "cheese>=1",
            "milk",
            "wine[serve]~=4.0; sys_platform == \"linux\"",
            "bread==5.0",
        ]
    );
    // What a constraints file includes are constraints, too.
    assert_eq!(
        texts(&file.constraints),
        ["milk<2", "rennet==3.1", "cheese>=1", "milk"]
    );
    assert_eq!(preferred(&file), [""; 0]);
    let kinds: Vec<&IgnoredKind> = file.ignored.iter().map(|one| &one.kind).collect();
    assert_eq!(
        kinds,
        [
            &IgnoredKind::Option("--index-url".to_owned(), 1),
            &IgnoredKind::ConstraintExtras("rennet".parse().unwrap()),
            &IgnoredKind::Editable("./member".to_owned()),
            &IgnoredKind::Path("./wheels/knife-1.0-py3-none-any.whl".to_owned()),
            &IgnoredKind::Url(
                None,
                "https://example.org/files/fork-1.0-py3-none-any.whl".to_owned()
            ),
            &IgnoredKind::VersionControl(
                Some("oven".parse().unwrap()),
                "git+https://***********@example.org/oven.git@v1".to_owned()
            ),
        ]
    );
    // Digests are kept with the versions that they are about.
    let [pin] = file.pins.as_slice() else {
        panic!("{:?}", file.pins);
    };
    assert!(
        matches!(&pin.pinned, Pinned::Version(name, one) if name.as_str() == "bread" && one.to_string() == "==5.0"),
        "{pin:?}"
    );
    assert_eq!(pin.sha256.len(), 2);
    // Places point at the requirement, without the options of its line.
    let (_, place) = &file.requested[3];
    let text = &file.texts[&place.file];
    assert_eq!(&*place.file, "requirements/requirements.txt");
    assert_eq!(&text.as_str()[place.span.clone()], "bread==5.0");
    assert_eq!(text.line(place.span.start), 7);
    for one in ignored(&file) {
        assert!(!one.contains("secret") && one.contains("ignored"), "{one}");
    }
}

#[test]
fn encodings_of_requirements() {
    let read = |bytes: &[u8]| {
        let files = Files::from([("r.txt", bytes)]);
        read_files(&files, "r.txt", &none())
    };
    let wide = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    };
    for bytes in [
        b"foo>=1\n".to_vec(),
        "\u{feff}foo>=1".as_bytes().to_vec(),
        wide("\u{feff}foo>=1\r\n", u16::to_le_bytes),
        wide("\u{feff}foo>=1\r\n", u16::to_be_bytes),
        b"# -*- coding: latin-1 -*-\nfoo>=1 # \xe9".to_vec(),
        b"\nfoo>=1".to_vec(),
    ] {
        let file = read(&bytes).unwrap_or_else(|error| panic!("{bytes:?}: {error:?}"));
        assert_eq!(texts(&file.requested), ["foo>=1"], "{bytes:?}");
    }
    for (bytes, message) in [
        (
            &b"foo\nbar # \xe9"[..],
            "r.txt:1: syntax: the file cannot be decoded: it is not UTF-8: the first wrong byte is \
             in line 2 [save the file as UTF-8]",
        ),
        (
            b"# coding=koi8-r\nfoo",
            "r.txt:1: syntax: the file cannot be decoded: a comment names the encoding `koi8-r`, \
             which is not supported [save the file as UTF-8, and remove the comment]",
        ),
        (
            &[0xff, 0xfe, 0, 0],
            "r.txt:1: syntax: the file cannot be decoded: it is UTF-32 [save the file as UTF-8]",
        ),
        (
            &[0xff, 0xfe, 0],
            "r.txt:1: syntax: the file cannot be decoded: it is not UTF-16, although it begins \
             with a byte order mark of UTF-16 [save the file as UTF-8]",
        ),
    ] {
        assert_eq!(only_mistake(read(bytes)), message);
    }
}

#[test]
fn mistakes_of_requirements_have_places() {
    let form = "write a requirement as in `name[extra]>=1.2,<2; python_version < \"3.12\"`";
    for (text, message) in [
        (
            "foo\nbar \\\n  >= x\n",
            format!(
                "r.txt:3: invalid-requirement: `bar   >= x` is not a requirement: \">= x\" is not a \
                 version specifier: expected version to start with a number, but no leading ASCII \
                 digits were found [{form}]"
            ),
        ),
        (
            "foo==${VERSION}",
            "[write the value instead of the environment variable]".to_owned(),
        ),
        (
            "foo --hahs=sha256:1",
            "r.txt:1: invalid-value: `--hahs` is not an option of a requirements file [did you \
             mean `--hash`?]"
                .to_owned(),
        ),
        (
            "foo -r x.txt",
            "r.txt:1: invalid-value: `--requirement` is after a requirement, where pip ignores it \
             [write it in a line of its own]"
                .to_owned(),
        ),
        (
            "-c x.txt -e ./y",
            "r.txt:1: invalid-value: `--constraint` is beside an editable project, where pip ignores \
             it [write it in a line of its own]"
                .to_owned(),
        ),
        (
            "\n-r none.txt",
            "r.txt:2: invalid-value: `none.txt` cannot be read: entity not found [a path is \
             relative to the folder of the file that names it]"
                .to_owned(),
        ),
        (
            "-r https://example.org/r.txt",
            "r.txt:1: invalid-value: `--requirement` names a URL: included files are read from \
             the disk only [download the file, and name it by its path]"
                .to_owned(),
        ),
        (
            "-c ./../r.txt/../r.txt\n-r ./r.txt",
            "r.txt:2: invalid-value: `r.txt` includes itself: r.txt -> r.txt [remove one of these \
             lines]"
                .to_owned(),
        ),
    ] {
        let mistakes = mistakes(read_one("r.txt", text, &none()));
        let finding = mistakes.findings.last().unwrap();
        let line = line(&mistakes, finding);
        assert!(line.ends_with(&message), "{text}\n{line}\n{message}");
    }
}

#[test]
fn includes_are_relative_and_bounded() {
    let files = Files::from([
        ("a/r.txt", &b"-r ../b/s.txt\n-r ../b/s.txt"[..]),
        ("a/../b/s.txt", b"foo\n-c t.txt"),
        ("a/../b/t.txt", b"bar<2"),
    ]);
    let file = read_files(&files, "a/r.txt", &none()).unwrap();
    assert_eq!(texts(&file.requested), ["foo", "foo"]);
    assert_eq!(texts(&file.constraints), ["bar<2", "bar<2"]);

    let cycle = Files::from([
        ("a/r.txt", &b"-r ../a/s.txt"[..]),
        ("a/../a/s.txt", b"\n-c r.txt"),
    ]);
    assert_eq!(
        only_mistake(read_files(&cycle, "a/r.txt", &none())),
        "a/../a/s.txt:2: invalid-value: `a/../a/r.txt` includes itself: a/r.txt -> a/s.txt -> \
         a/r.txt [remove one of these lines]"
    );

    let names: Vec<String> = (0..40).map(|number| format!("{number}.txt")).collect();
    let chain: Vec<String> = (1..=40).map(|number| format!("-r {number}.txt")).collect();
    let files: Files<'_> = names
        .iter()
        .zip(&chain)
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let message = only_mistake(read_files(&files, "0.txt", &none()));
    assert!(message.starts_with("16.txt:1: too-large: "), "{message}");

    // Two lines each, so that there were 2^16 files.
    let twice: Vec<String> = chain.iter().map(|line| format!("{line}\n{line}")).collect();
    let files: Files<'_> = names
        .iter()
        .zip(&twice)
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let mistakes = mistakes(read_files(&files, "0.txt", &none()));
    let mut codes = mistakes.findings.iter().map(|finding| finding.code);
    assert!(codes.all(|code| code == Code::TooLarge));
}

#[test]
fn files_and_lists_have_limits() {
    let large = vec![b'#'; usize::try_from(LARGEST_PROJECT_FILE).unwrap() + 1];
    let files = Files::from([("r.txt", &large[..]), ("s.txt", b"-r r.txt")]);
    match read_files(&files, "r.txt", &none()) {
        Err(RequestFileError::Failed(failure)) => {
            assert_eq!(
                failure.message,
                "`r.txt` is not read: it has more than 8388608 bytes"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(only_mistake(read_files(&files, "s.txt", &none())).contains("too-large"));

    let many = "foo\n".repeat(20_001);
    let message = only_mistake(read_one("r.txt", &many, &none()));
    assert!(message.starts_with("r.txt:20001: too-large: "), "{message}");
    let long = format!("foo{}", " ".repeat(20_000)) + ">=1";
    assert!(only_mistake(read_one("r.txt", &long, &none())).contains("too-large"));
    let paths = "./x\n".repeat(20_002);
    assert!(only_mistake(read_one("r.txt", &paths, &none())).contains("too-large"));
    let errors = "=\n".repeat(3_000);
    assert_eq!(
        mistakes(read_one("r.txt", &errors, &none())).findings.len(),
        1_001
    );
}

/// pip's parser and `packaging`: the same requirements from the same lines.
#[test]
fn requirements_are_read_as_pip_reads_them() {
    const SCRIPT: &str = "
import contextlib, os, tempfile
from pip._internal.req.req_file import RequirementsFileParser, get_line_parser
Requirement = module('requirements').Requirement
def requirement(text):
    try:
        return str(Requirement(text.strip().removesuffix(';')))
    except Exception:
        return None
class Several(Exception):
    pass
def line_parser():
    parse = get_line_parser(None)
    def parse_line(line):
        arguments, options = parse(line)
        if len((options.requirements or []) + (options.constraints or [])) > 1:
            raise Several
        return arguments, options
    return parse_line
def answer(text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'requirements.txt')
        with open(path, 'wb') as file:
            file.write(text.encode())
        with open(os.path.join(folder, 'more.txt'), 'w') as file:
            file.write('more')
        parser = RequirementsFileParser(None, line_parser())
        try:
            with open(os.devnull, 'w') as nothing, contextlib.redirect_stderr(nothing):
                lines = list(parser.parse(path, False))
        except Several:
            return 'several'
        except Exception:
            return None
    return [
        [requirement(line.requirement), line.constraint]
        for line in lines
        if line.requirement is not None and not line.is_editable
    ]
answers = [answer(text) for text in cases]
";
    const PIECES: &[&str] = &[
        "foo",
        "Bar[x,y]>=1,<2",
        "baz==1.0 ; python_version<'3.9'",
        "foo;",
        "# c",
        " # c",
        "\\",
        "\\\n",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\u{c}",
        "\u{2028}",
        " ",
        "\t",
        ">=2",
        "~=1",
        " --hash=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "--pre",
        "\n--index-url https://example.org/",
        "\n-i 'a b'",
        "\n-e ./x",
        "\n-r more.txt",
        "\n-cmore.txt",
        "\n--constr \"more.txt\"",
        "'",
        "\"",
        "-",
        "--",
        "=",
        "[a]",
        "#d",
        "\\ ",
        "\nqux @ https://example.org/x.whl ; os_name == 'nt'",
        "\n./a.whl",
        "\na.zip",
        "é",
    ];
    let strategy = vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat());
    hold_all(1_500, strategy, |cases| {
        let answers = packaging_library::ask(SCRIPT, &json!(cases));
        let answers = answers.as_array().unwrap();
        let pairs = cases.iter().zip(answers);
        pairs
            .filter_map(|(text, answer)| differs_from_pip(text, answer))
            .collect()
    });
}

/// How what is read of a text differs from pip's answer.
fn differs_from_pip(text: &str, answer: &Value) -> Option<String> {
    // Of several included files in one line pip reads the first only.
    if answer == "several" {
        return None;
    }
    let files = Files::from([("requirements.txt", text.as_bytes()), ("more.txt", b"more")]);
    let own = read_files(&files, "requirements.txt", &none());
    let own = match own {
        Err(_) if answer.is_null() => return None,
        Err(RequestFileError::Mistakes(mistakes)) => {
            let has_none =
                |value: &Value| value.as_array().unwrap().iter().any(|one| one[0].is_null());
            // Here pip only ignores a part of the line, or reads more than the format has. What is no
            // digest it refuses with the file that it belongs to.
            let is_stricter = |finding: &Finding| {
                finding.message.contains("belongs to no option")
                    || finding.message.contains("where pip ignores it")
                    || finding.message.contains("is no SHA-256")
            };
            let is_expected = has_none(answer) || mistakes.findings.iter().any(is_stricter);
            return (!is_expected).then(|| format!("{text:?}: {:?} {answer}", mistakes.findings));
        }
        Err(error) => return Some(format!("{text:?}: {error:?}")),
        Ok(own) => own,
    };
    let Some(lines) = answer.as_array() else {
        return Some(format!("{text:?}: pip refuses it, and here it is {own:?}"));
    };
    let mut expected = (Vec::new(), Vec::new());
    for one in lines {
        let Some(text) = one[0].as_str() else {
            continue;
        };
        let requirement: Requirement = text.parse().unwrap();
        if matches!(requirement.constraint, Constraint::Url(_)) {
            continue;
        }
        if one[1].as_bool().unwrap() {
            expected.1.push(requirement.to_string());
        } else {
            expected.0.push(requirement.to_string());
        }
    }
    let mut found = (texts(&own.requested), texts(&own.constraints));
    // pip takes names of archives for paths later.
    for list in [&mut expected.0, &mut expected.1, &mut found.0, &mut found.1] {
        list.retain(|text| !text.contains("a-zip"));
    }
    (found != expected).then(|| format!("{text:?}: {found:?}, and for pip {expected:?}"))
}

// ---- pyproject.toml ----

#[test]
fn a_pyproject_is_read_with_its_selection() {
    let path = "workspace/pyproject.toml";
    let file = read_fixture(path, &none());
    assert_eq!(texts(&file.requested), ["cheese>=1", "wine[serve]~=4.0"]);
    assert_eq!(texts(&file.constraints), ["milk<2"]);
    assert_eq!(
        ignored(&file),
        ["`picnic-basket` is ignored: it is a project of the same workspace, not of an index"]
    );
    let file = read_fixture(path, &selection(&["all"], &["dev"]));
    assert_eq!(
        texts(&file.requested)[2..],
        ["bread>=5; python_version < \"3.14\"", "linter", "tester>=7"]
    );
    let file = read_fixture(path, &all());
    assert_eq!(texts(&file.requested).len(), 6);
    let (_, place) = &file.requested[0];
    assert_eq!(
        &file.texts[&place.file].as_str()[place.span.clone()],
        "\"cheese>=1\""
    );
}

#[test]
fn extras_that_require_one_another_keep_their_markers() {
    let text = "[project]\nname = \"A.b\"\ndependencies = [\"x\", \"a_b[one]; os_name == 'nt'\"]\n\
        [project.optional-dependencies]\none = [\"y>1; python_version < '3.9'\", \"a-b[two]\"]\n\
        two = [\"z\", \"a-b[one]\"]\n";
    let read = |selection| {
        texts(
            &read_one("pyproject.toml", text, &selection)
                .unwrap()
                .requested,
        )
    };
    assert_eq!(
        read(none()),
        [
            "x",
            "y>1; os_name == \"nt\" and python_version < \"3.9\"",
            "z; os_name == \"nt\"",
        ]
    );
    let with = read(selection(&["two"], &[]));
    assert!(
        with.contains(&"y>1; python_version < \"3.9\"".to_owned()),
        "{with:?}"
    );
    assert!(with.contains(&"z".to_owned()), "{with:?}");
}

/// 2^12 ways lead from the first extra to the last.
#[test]
fn extras_that_require_one_another_are_bounded() {
    let extras = (0..12).map(|number| {
        let next = number + 1;
        format!(
            "e{number} = [\"a[e{next}]; os_name == 'x{number}'\", \"a[e{next}]; os_name == \
             'y{number}'\"]\n"
        )
    });
    let text = format!(
        "[project]\nname = \"a\"\n[project.optional-dependencies]\ne12 = [\"x\"]\n{}",
        extras.collect::<String>()
    );
    let message = only_mistake(read_one("pyproject.toml", &text, &selection(&["e0"], &[])));
    assert!(
        message.contains(": too-large: more than 1000 extras"),
        "{message}"
    );
}

#[test]
fn indexes_of_single_projects_are_named() {
    let text = "[project]\ndependencies = [\"foo\", \"bar\"]\n[tool.uv.sources]\n\
        foo = { index = \"x\" }\nbar = [{ git = \"https://example.org/bar\" }]\n";
    let file = read_one("pyproject.toml", text, &none()).unwrap();
    assert_eq!(texts(&file.requested), ["foo"]);
    let kinds: Vec<&IgnoredKind> = file.ignored.iter().map(|one| &one.kind).collect();
    let tree = IgnoredKind::VersionControl(
        Some("bar".parse().unwrap()),
        "git+https://example.org/bar".to_owned(),
    );
    assert_eq!(kinds, [&IgnoredKind::Index("foo".parse().unwrap()), &tree]);
}

#[test]
fn mistakes_of_a_pyproject_have_places() {
    let project = "[project]\nname = \"a\"\nversion = \"1\"\n";
    for (text, message) in [
        (
            "[project]\ndependencies = [\"foo>=\"]",
            "pyproject.toml:2: invalid-requirement: `foo>=` is not a requirement: ",
        ),
        (
            "[project]\ndependencies = 1",
            "pyproject.toml:2: invalid-value: `dependencies` must be",
        ),
        (
            "[project\n",
            "pyproject.toml:1: syntax: the file is not TOML: ",
        ),
        (
            "[dependency-groups]\na = [{ include-group = \"b\" }]\nb = [{include-group = \"A\"}]",
            "pyproject.toml:3: invalid-value: the group `a` includes itself: a -> b -> a [remove \
             one of these entries]",
        ),
        (
            "[dependency-groups]\na = [{ include-group = \"bb\" }]\nbbb = []",
            "pyproject.toml:2: invalid-value: there is no group `bb` [did you mean `bbb`?]",
        ),
        (
            "[dependency-groups]\na = [{ include = \"b\" }]",
            "pyproject.toml:2: invalid-value: this is neither a requirement nor a table with \
             `include-group` [write a string, or `{ include-group = \"NAME\" }`]",
        ),
        (
            "[dependency-groups]\na-b = []\nA_B = []",
            "pyproject.toml:2: invalid-value: `A_B` and `a-b` are names of the same group [join",
        ),
        (
            "[tool.poetry.dependencies]\nfoo = \"^1 || ^2\"",
            "pyproject.toml:2: invalid-requirement: `^1 || ^2` cannot be written as version",
        ),
    ] {
        let text = format!(
            "{}{text}",
            if text.starts_with("[dep") {
                project
            } else {
                ""
            }
        );
        let message = if text.starts_with(project) {
            message.replacen(":3:", ":6:", 1).replacen(":2:", ":5:", 1)
        } else {
            message.to_owned()
        };
        let line = mistakes(read_one("pyproject.toml", &text, &all()));
        let line = self::line(&line, &line.findings[0]);
        assert!(line.starts_with(&message), "{text}\n{line}\n{message}");
    }
    // A group that is not selected is not checked.
    let text = "[dependency-groups]\na = [\">\"]\nb = []";
    read_one("pyproject.toml", text, &selection(&[], &["b"])).unwrap();
    // What a backend computes is said.
    let text = "[project]\nname = \"a\"\ndynamic = [\"version\", \"dependencies\"]";
    let file = read_one("pyproject.toml", text, &none()).unwrap();
    assert_eq!(file.ignored[0].kind, IgnoredKind::Dynamic("dependencies"));
}

#[test]
fn a_selection_fits_the_file() {
    let text = "[project.optional-dependencies]\nspeed = []\n[dependency-groups]\ndev = []";
    for (name, text, selection, message, help) in [
        (
            "pyproject.toml",
            text,
            selection(&["sped"], &[]),
            "`pyproject.toml` has no extra `sped`",
            "did you mean `speed`?",
        ),
        (
            "pyproject.toml",
            text,
            selection(&[], &["x"]),
            "`pyproject.toml` has no dependency group `x`",
            "its dependency groups are `dev`",
        ),
        (
            "r.txt",
            "foo",
            selection(&["x"], &[]),
            "`r.txt` has no extra `x`",
            "it has no extras",
        ),
    ] {
        match read_one(name, text, &selection) {
            Err(RequestFileError::Failed(failure)) => {
                assert_eq!(failure.kind, FailureKind::Usage);
                assert_eq!(
                    (&*failure.message, failure.help.as_deref()),
                    (message, Some(help))
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

// ---- lock files ----

#[test]
fn a_lock_file_of_uv_prefers_versions() {
    let path = "workspace/uv.lock";
    let file = read_fixture(path, &none());
    // The member of the workspace requests `milk`.
    assert_eq!(
        texts(&file.requested),
        ["cheese>=1", "wine[serve]~=4.0", "milk"]
    );
    assert_eq!(texts(&file.constraints), ["milk<2"]);
    assert_eq!(
        preferred(&file),
        [
            "bread==5.0",
            "cheese==2.0",
            "colors==0.4",
            "glass==0.3",
            "linter==6.1",
            "milk==1.2",
            "rennet==3.1",
            "tester==7.2",
            "wine==4.0",
        ]
    );
    assert_eq!(
        ignored(&file),
        [
            "the locked version 1.5 of `cheese` is ignored: the file locks several versions, and the \
          newest is preferred"
        ]
    );
    let file = read_fixture(path, &selection(&["all", "cool"], &["dev"]));
    assert_eq!(
        texts(&file.requested),
        [
            "cheese>=1",
            "wine[serve]~=4.0",
            "bread>=5; python_full_version < \"3.14\"",
            "linter",
            "tester>=7",
            "milk",
            "rennet>3",
        ]
    );
    let file = read_fixture(path, &all());
    // `tester` is in two groups.
    assert_eq!(texts(&file.requested).len(), 8);
}

#[test]
fn a_lock_file_of_uv_for_a_script_and_other_sources() {
    let text = "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n[manifest]\n\
        requirements = [{ name = \"foo\", specifier = \">=1\" }]\n\
        overrides = [{ name = \"bar\", specifier = \"==2\" }]\n\
        [[package]]\nname = \"foo\"\nversion = \"1.5\"\nsource = { registry = \"x\" }\n\
        [[package]]\nname = \"bar\"\nversion = \"2\"\n\
        source = { git = \"https://u:p@example.org/bar?rev=1#2\" }\n\
        [[package]]\nname = \"baz\"\nversion = \"2\"\nsource = { directory = \"../baz\" }\n";
    let file = read_one("script.py.lock", text, &none()).unwrap();
    assert_eq!(texts(&file.requested), ["foo>=1"]);
    assert_eq!(preferred(&file), ["foo==1.5"]);
    assert_eq!(
        ignored(&file),
        [
            "the source tree `git+https://***@example.org/bar?rev=1#2` of `bar` is ignored: \
             projects come from an index; to request it from there, write `bar`",
            "the path `../baz` is ignored: projects come from an index; to request its \
             dependencies, use its `pyproject.toml`",
            "the override `bar==2` is ignored: the set checks the requirements that wheels declare",
        ]
    );
    let newer = text.replace("version = 1\n", "version = 2\n");
    assert_eq!(
        only_mistake(read_one("uv.lock", &newer, &none())),
        "uv.lock:1: invalid-value: version 2 of `uv.lock` is not supported [`uv export --format \
         pylock.toml -o pylock.toml` writes a file that can be read]"
    );
}

#[test]
fn a_lock_file_of_poetry_takes_roots_from_the_pyproject() {
    let file = read_fixture("poetry/poetry.lock", &selection(&["bakery"], &["test"]));
    let expected = [
        "bread>=5",
        "cheese>=1.5,<2",
        "cutlery<2; python_full_version < \"3.12\"",
        "cutlery>=2; python_full_version >= \"3.12\"",
        "wine[serve]>=4.0,<4.1; sys_platform == \"linux\"",
        "tester",
    ];
    assert_eq!(texts(&file.requested), expected);
    let locked = [
        "bread==5.0",
        "cheese==1.5",
        "milk==1.2",
        "tester==7.2",
        "wine==4.0",
    ];
    assert_eq!(preferred(&file), locked);
    let tree = "the source tree `git+https://***********@example.org/oven.git` of `oven` is \
                ignored: projects come from an index; to request it from there, write `oven`";
    assert_eq!(ignored(&file), [tree, tree]);

    let pinned = file.pins.iter().map(|pin| (&pin.pinned, pin.sha256.len()));
    let bread = Pinned::File("bread-5.0-py3-none-any.whl".to_owned());
    assert!(
        pinned.clone().any(|one| one == (&bread, 1)),
        "{:?}",
        file.pins
    );

    // Without it all packages of the selection are requested.
    let lock = include_str!("../requested/poetry/poetry.lock");
    let read = |selection| texts(&read_one("poetry.lock", lock, &selection).unwrap().requested);
    assert_eq!(read(none()), ["cheese", "milk", "wine"]);
    assert_eq!(
        read(selection(&["bakery"], &[])),
        ["bread", "cheese", "milk", "wine"]
    );
    assert_eq!(
        read(selection(&[], &["test"])),
        ["cheese", "milk", "tester", "wine"]
    );
    assert_eq!(read(all()), ["bread", "cheese", "milk", "tester", "wine"]);
}

#[test]
fn a_pylock_requests_all_its_packages() {
    let file = read_fixture("workspace/pylock.toml", &none());
    assert_eq!(
        texts(&file.requested),
        [
            "bread; python_full_version < \"3.14\"",
            "cheese; python_full_version < \"3.11\"",
            "cheese; python_full_version >= \"3.11\"",
            "colors; sys_platform == \"win32\"",
            "glass",
            "linter",
            "milk",
            "rennet; python_full_version >= \"3.11\" and sys_platform == \"linux\"",
            "tester",
            "wine",
        ]
    );
    assert_eq!(preferred(&file).len(), 9);
    assert_eq!(file.ignored.len(), 2, "{:?}", file.ignored);
    let file = read_fixture("workspace/pylock.pip.toml", &none());
    assert_eq!(
        texts(&file.requested),
        ["cheese", "glass", "milk", "rennet", "wine"]
    );
    assert_eq!(preferred(&file).len(), 5);
}

#[test]
fn a_pylock_has_extras_and_groups() {
    let text = "lock-version = \"1.0\"\nextras = [\"fast\"]\ndependency-groups = [\"dev\"]\n\
        default-groups = [\"main\"]\n\
        [[packages]]\nname = \"a\"\nversion = \"1\"\nmarker = \"'main' in dependency_groups\"\n\
        [[packages]]\nname = \"b\"\nversion = \"1\"\n\
        marker = \"os_name == 'nt' and 'fast' in extras\"\n\
        [[packages]]\nname = \"c\"\nversion = \"1\"\nmarker = \"'dev' in dependency_groups\"\n\
        [[packages]]\nname = \"d\"\narchive = {url = \"https://example.org/d.tar.gz\"}\n";
    let read = |selection| read_one("pylock.dev.toml", text, &selection).unwrap();
    assert_eq!(texts(&read(none()).requested), ["a"]);
    assert_eq!(preferred(&read(none())), ["a==1"]);
    assert_eq!(
        texts(&read(selection(&["fast"], &[])).requested),
        ["a", "b; os_name == \"nt\""]
    );
    assert_eq!(
        texts(&read(all()).requested),
        ["a", "b; os_name == \"nt\"", "c"]
    );
    assert!(matches!(read(none()).ignored[0].kind, IgnoredKind::Url(..)));

    let minor = text.replace("\"1.0\"", "\"1.7\"");
    let file = read_one("pylock.toml", &minor, &none()).unwrap();
    assert_eq!(
        file.ignored[0].kind,
        IgnoredKind::NewerFormat("1.7".to_owned())
    );
    let major = text.replace("\"1.0\"", "\"2.0\"");
    assert_eq!(
        only_mistake(read_one("pylock.toml", &major, &none())),
        "pylock.toml:1: invalid-value: version `2.0` of `pylock.toml` is not supported [write a \
         lock file of version 1.0]"
    );
}

// ---- which format ----

#[test]
fn the_format_is_found_by_name_or_by_content() {
    for (name, fixture, first) in [
        ("a.toml", "workspace/pyproject.toml", "cheese>=1"),
        ("a.lock", "workspace/uv.lock", "cheese>=1"),
        ("a", "workspace/pylock.pip.toml", "cheese"),
        ("b.lock", "poetry/poetry.lock", "cheese"),
        ("requirements", "requirements/base.txt", "cheese>=1"),
        ("requirements-dev.in", "requirements/base.txt", "cheese>=1"),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requested");
        let text = std::fs::read_to_string(folder.join(fixture)).unwrap();
        let file = read_one(name, &text, &none()).unwrap();
        assert_eq!(texts(&file.requested)[0], first, "{name}");
    }
    for (name, text) in [
        (
            "Cargo.lock",
            "version = 4\n[[package]]\nname = \"a\"\nversion = \"1\"",
        ),
        ("Pipfile", "[packages]\na = \"*\""),
        ("setup.py", "import setuptools"),
        ("picture.png", "\u{89}PNG"),
        ("environment.yml", "name: x\ndependencies:\n  - a"),
        ("empty", ""),
    ] {
        match read_one(name, text, &none()) {
            Err(RequestFileError::Failed(failure)) => {
                assert_eq!(
                    failure.message,
                    format!("`{name}` is no known project file")
                );
                assert!(failure.help.unwrap().contains("`pylock.toml`"), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

// ---- all formats ----

const FORMATS: [&str; 5] = [
    "requirements.txt",
    "pyproject.toml",
    "uv.lock",
    "poetry.lock",
    "pylock.toml",
];

/// Whatever the text: no panic, and all places lie in the texts.
#[track_caller]
fn check_any_text(text: &[u8], selection: &Selection) {
    for name in FORMATS {
        let files = Files::from([(name, text), ("pyproject.toml", text), ("r.txt", text)]);
        let (places, texts) = match read_files(&files, name, selection) {
            Ok(file) => {
                let requested = file.requested.iter().chain(&file.constraints);
                let places = requested.map(|(_, place)| place.clone());
                let ignored = file.ignored.iter().map(|one| one.place.clone());
                (places.chain(ignored).collect(), file.texts)
            }
            Err(RequestFileError::Mistakes(mistakes)) => {
                let labels = mistakes.findings.iter().flat_map(|one| &one.labels);
                let places: Vec<Place> = labels
                    .map(|label| Place::new(&label.file, label.span.clone()))
                    .collect();
                (places, mistakes.texts)
            }
            Err(RequestFileError::Failed(_)) => continue,
        };
        for place in places {
            let text = texts[&place.file].as_str();
            assert!(text.get(place.span.clone()).is_some(), "{place:?}");
        }
    }
}

#[test]
fn no_text_makes_a_reader_panic() {
    hold(2_000, any::<Vec<u8>>(), |bytes| {
        check_any_text(&bytes, &all());
    });
    hold(2_000, "\\PC{0,60}", |text| {
        check_any_text(text.as_bytes(), &none());
    });
}

/// Fixtures with lines taken out, repeated and exchanged, and with bytes changed.
#[test]
fn no_changed_file_makes_a_reader_panic() {
    let fixtures = [
        include_str!("../requested/requirements/requirements.txt"),
        include_str!("../requested/workspace/pyproject.toml"),
        include_str!("../requested/workspace/uv.lock"),
        include_str!("../requested/workspace/pylock.toml"),
        include_str!("../requested/poetry/pyproject.toml"),
        include_str!("../requested/poetry/poetry.lock"),
    ];
    let changes = vec(
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            0..4_u8,
        ),
        0..6,
    );
    hold(
        400,
        (select(fixtures.to_vec()), changes),
        |(text, changes)| {
            let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
            for (one, other, kind) in changes {
                let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                match kind {
                    0 => lines.swap(one, other),
                    1 => lines[one] = lines[other].clone(),
                    2 => lines[one] = lines[one].replace('"', "'"),
                    _ => {
                        let middle = lines[one].floor_char_boundary(lines[one].len() / 2);
                        lines[one].truncate(middle);
                    }
                }
            }
            check_any_text(lines.join("\n").as_bytes(), &all());
        },
    );
}
