//! Declarations: every form comes out as the same type, the canonical form, and texts of any kind.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use ipwhl::foundation::diagnostic::{Code, SourceText, SourceTexts, Style, json_lines, render};
use ipwhl::set::check;
use ipwhl::set::declaration::{
    Declaration, DeclaredWheel, Layout, Parsed, Source, canonical, parse, write_declaration,
};
use ipwhl::set::gather::WheelReport;
use ipwhl::set::judgement::judge;
use ipwhl::set::repository::Repository;
use ipwhl_packaging::{ExtraName, Requirement};
use proptest::sample::select;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::support::repository_builder::RepositoryBuilder;
use crate::support::strategies::{cases, hold, mutated};
use crate::support::words;

const CID_0: &str = "QmSnuWmxptJZdLJpKRarxBMS2Ju2oANVrgbr2xWbie9b2D";
const CID: &str = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

fn read(text: &str) -> Parsed {
    parse(&Arc::from("declarations/plum.toml"), text, Layout::Package)
}

/// What a wheel says, without where it says it.
fn meaning_of(wheel: &DeclaredWheel) -> String {
    let sources: Vec<String> = wheel
        .sources
        .iter()
        .map(|source| source.value.to_string())
        .collect();
    let extras: BTreeSet<String> = wheel
        .extras
        .iter()
        .map(|extra| extra.value.to_string())
        .collect();
    let dependencies: BTreeSet<String> = wheel
        .dependencies
        .iter()
        .map(|dependency| dependency.value.to_string())
        .collect();
    format!(
        "{} {sources:?} {} {:?} {extras:?} {dependencies:?} {:?} {:?}",
        wheel.file_name,
        wheel.content_id.value,
        wheel
            .requires_python
            .as_ref()
            .map(|one| one.value.to_string()),
        wheel.sha256.as_ref().map(|one| one.value.to_string()),
        wheel.size.as_ref().map(|one| one.value),
    )
}

/// What a declaration says as a whole, with the codes of what is wrong with it.
fn meaning(text: &str) -> (BTreeSet<String>, bool, Vec<String>) {
    let parsed = read(text);
    let mut codes: Vec<String> = parsed
        .findings
        .iter()
        .map(|finding| finding.code.to_string())
        .collect();
    codes.sort();
    let wheels = parsed.wheels.iter().map(meaning_of).collect();
    (wheels, parsed.automatic, codes)
}

#[test]
fn the_three_forms_are_one_type() {
    let sha256 = "92beae6f8d8b647d6f40279c6762f6506d336052c396d31a44261500c4ce4327";
    let source = "source = \"pkg:pypi/Plum@1.0?file_name=plum-1.0-py3-none-any.whl\"\n";
    let requires = "requires-python = \">=3.9\"\nextras = [\"Stone_Fruit\"]\ndependencies = \
                    [\"Damson >= 5\"]\n";
    let content_id = format!("content-id = \"{CID}\"\n");
    let digests = format!("sha256 = \"{sha256}\"\nsize = 860\n");
    let one = format!("{source}{content_id}{requires}{digests}");
    let several = format!("{requires}[[wheel]]\n{source}{content_id}{digests}");
    let own = format!(
        "requires-python = \">=2\"\nextras = []\ndependencies = \
         [\"other\"]\n[[wheel]]\n{source}{content_id}{requires}{digests}"
    );
    let inline = format!(
        "{requires}wheel = [{{ {} }}]\n",
        format!("{source}{content_id}{digests}")
            .trim_end()
            .replace('\n', ", ")
    );
    let expected = meaning(&one);
    assert_eq!(expected.0.len(), 1);
    assert!(expected.2.is_empty(), "{:?}", expected.2);
    for text in [&several, &own, &inline] {
        assert_eq!(meaning(text), expected, "{text}");
    }
    // The layout of the original has five keys, and the release's name in the file's.
    let file = Arc::from("pkgs/99/Plum/plum-1.0-py3-none-any.toml");
    let original = parse(
        &file,
        &format!("{source}content-id = \"{CID_0}\"\n{requires}"),
        Layout::Ipwhl1,
    );
    assert!(original.findings.is_empty(), "{:?}", original.findings);
    let [wheel] = original.wheels.as_slice() else {
        panic!()
    };
    assert_eq!(wheel.stem.as_deref(), Some("plum-1.0-py3-none-any"));
    let without_digests = meaning(&format!("{source}content-id = \"{CID_0}\"\n{requires}"));
    assert_eq!(BTreeSet::from([meaning_of(wheel)]), without_digests.0);
    let more = parse(&file, &one, Layout::Ipwhl1);
    let codes: Vec<&str> = more
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(codes, ["unknown-key", "unknown-key"]);
    assert!(more.wheels.is_empty());
}

/// A wheel takes what stands above, key by key.
#[test]
fn a_wheel_overrides_what_is_shared() {
    let text = format!(
        r#"
requires-python = ">=3.9"
extras = ["a"]
dependencies = ["x"]

[[wheel]]
source = "file:plum-1.0-py3-none-win_amd64.whl"
content-id = "{CID}"
dependencies = []

[[wheel]]
source = "file:plum-1.0-py3-none-win32.whl"
content-id = "{CID}"
extras = []
requires-python = ">=3.10"
"#
    );
    let parsed = read(&text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let said: Vec<(usize, usize, String)> = parsed
        .wheels
        .iter()
        .map(|wheel| {
            let python = wheel.requires_python.as_ref().unwrap().value.to_string();
            (wheel.extras.len(), wheel.dependencies.len(), python)
        })
        .collect();
    assert_eq!(
        said,
        [(1, 0, ">=3.9".to_owned()), (0, 1, ">=3.10".to_owned())]
    );
    // A place points at the text that it comes from.
    let wheel = &parsed.wheels[0];
    assert_eq!(&text[wheel.extras_span.clone()], "[\"a\"]");
    assert_eq!(&text[wheel.dependencies_span.clone()], "[]");
}

/// The message, the text that it points at and the help of each finding.
fn told(text: &str) -> Vec<(String, String, String)> {
    read(text)
        .findings
        .iter()
        .map(|finding| {
            let span = finding.labels[0].span.clone();
            (
                finding.message.clone(),
                text[span].to_owned(),
                words(&finding.help),
            )
        })
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_mistake_is_told_at_its_place() {
    let least = "extras = []\ndependencies = []\n";
    let whole =
        format!("source = \"file:plum-1.0-py3-none-any.whl\"\ncontent-id = \"{CID}\"\n{least}");
    let with = |line: &str| format!("{whole}{line}\n");
    let source = |value: &str| format!("source = {value}\ncontent-id = \"{CID}\"\n{least}");
    let cases: Vec<(String, &str, &str, &str)> = vec![
        (
            with("Source = 1"),
            "`Source` is not a key of a declaration",
            "Source",
            "did you mean `source`?",
        ),
        (
            with("sha-256 = ''"),
            "`sha-256` is not a key of a declaration",
            "sha-256",
            "did you mean `sha256`?",
        ),
        (
            with("zzz = 1"),
            "`zzz` is not a key of a declaration",
            "zzz",
            "its keys are `automatic`, `content-id`, `dependencies`, `extras`, `only`, \
             `publisher`, `requires-python`, `reviewed`, `sha256`, `size`, `source`, `uploaded`, \
             `wheel`",
        ),
        (with("size = -1"), "`size` is below 0", "-1", ""),
        (with("size = 0"), "a wheel is not empty", "0", ""),
        (
            with("size = 99999999999999999999"),
            "`size` is too large",
            "99999999999999999999",
            "",
        ),
        (
            with("size = 1.5"),
            "`size` must be a whole number, not a float",
            "1.5",
            "",
        ),
        (
            with("automatic = 'yes'"),
            "`automatic` must be true or false, not a string",
            "'yes'",
            "",
        ),
        (
            with("sha256 = 'abc'"),
            "`abc` is not a SHA-256, which has 64 hexadecimal digits",
            "'abc'",
            "",
        ),
        (
            with("requires-python = ''"),
            "`requires-python` is empty",
            "''",
            "remove `requires-python` if the wheel has none",
        ),
        (source("[]"), "`source` is empty", "[]", ""),
        (
            source("1"),
            "`source` must be a list of strings, not an integer",
            "1",
            "",
        ),
        (
            source("[1]"),
            "`source` must be a list of strings, but this is an integer",
            "1",
            "",
        ),
        (
            source("\"ftp://example.org/plum-1.0-py3-none-any.whl\""),
            "`ftp://example.org/plum-1.0-py3-none-any.whl` is not a source: it must begin with \
             `pkg:pypi/`, `https://` or `file:`",
            "\"ftp://example.org/plum-1.0-py3-none-any.whl\"",
            "",
        ),
        (
            source("\"https://user:word@example.org/plum-1.0-py3-none-any.whl\""),
            "a declaration is public, so its addresses must not contain credentials",
            "\"https://user:word@example.org/plum-1.0-py3-none-any.whl\"",
            "",
        ),
        (
            source("\"file:../plum-1.0-py3-none-any.whl\""),
            "`file:../plum-1.0-py3-none-any.whl` is not a path inside the repository: write a \
             relative path with `/` and without `..`",
            "\"file:../plum-1.0-py3-none-any.whl\"",
            "",
        ),
        (
            source("\"pkg:pypi/plum?file_name=plum-1.0-py3-none-any.whl\""),
            "`pkg:pypi/plum?file_name=plum-1.0-py3-none-any.whl` has no version: write `name@version`",
            "\"pkg:pypi/plum?file_name=plum-1.0-py3-none-any.whl\"",
            "",
        ),
        (
            source("\"pkg:pypi/plum@1.0\""),
            "`pkg:pypi/plum@1.0` does not name a wheel: `?file_name=…` is missing",
            "\"pkg:pypi/plum@1.0\"",
            "",
        ),
        (
            source("\"pkg:pypi/apple@1.0?file_name=plum-1.0-py3-none-any.whl\""),
            "the package URL names `apple@1.0`, but its wheel is of `plum@1.0`",
            "\"pkg:pypi/apple@1.0?file_name=plum-1.0-py3-none-any.whl\"",
            "",
        ),
        (
            source("[\"file:a/plum-1.0-py3-none-any.whl\", \"file:a/plum-1.0-py3-none-any.whl\"]"),
            "the source `file:a/plum-1.0-py3-none-any.whl` is listed twice",
            "\"file:a/plum-1.0-py3-none-any.whl\"",
            "",
        ),
        (
            source("[\"file:plum-1.0-py3-none-any.whl\", \"file:plum-1.1-py3-none-any.whl\"]"),
            "the sources of one wheel have different file names: `plum-1.0-py3-none-any.whl` and \
             `plum-1.1-py3-none-any.whl`",
            "\"file:plum-1.1-py3-none-any.whl\"",
            "give each wheel a `[[wheel]]` table of its own",
        ),
        (
            whole.replace("extras = []", "extras = [\"a\", \"A\"]"),
            "the extra `a` is listed twice",
            "\"A\"",
            "remove one of them",
        ),
        (
            format!(
                "sha256 = ''\n{least}[[wheel]]\nsource \
                 = \"file:plum-1.0-py3-none-any.whl\"\ncontent-id = \"{CID}\"\n"
            ),
            "`sha256` is at the top beside `[[wheel]]` tables, where it belongs to no wheel",
            "sha256",
            "move `sha256` into the `[[wheel]]` table of its wheel",
        ),
        (
            format!("{least}wheel = []\n"),
            "`wheel` is missing, but a declaration needs it",
            "",
            "a declaration has at least one wheel",
        ),
        (
            format!("{least}wheel = 1\n"),
            "`wheel` must be an array of tables, not an integer",
            "1",
            "",
        ),
        (
            format!("{least}[[wheel]]\nsource = \"file:plum-1.0-py3-none-any.whl\"\n"),
            "`content-id` is missing, but a `[[wheel]]` table needs it",
            "[[wheel]]",
            "`ipwhl cid FILE` prints the CID of a wheel",
        ),
    ];
    for (text, message, pointed, help) in cases {
        let told = told(&text);
        let expected = (message.to_owned(), pointed.to_owned(), help.to_owned());
        assert_eq!(told, [expected], "{text}");
    }
}

#[test]
fn a_wheel_that_is_declared_twice_is_told_with_both_places() {
    let wheel =
        format!("[[wheel]]\nsource = \"file:plum-1.0-py3-none-any.whl\"\ncontent-id = \"{CID}\"\n");
    let text = format!("extras = []\ndependencies = []\n{wheel}{wheel}");
    let findings = read(&text).findings;
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(
        finding.message,
        "`plum-1.0-py3-none-any.whl` is declared twice"
    );
    let places: Vec<&str> = finding
        .labels
        .iter()
        .map(|label| label.text.as_str())
        .collect();
    assert_eq!(places, ["again here", "first here"]);
    assert!(finding.labels[0].span.start > finding.labels[1].span.start);
}

#[test]
fn sources_are_read_and_written_alike() {
    for (text, file_name, insecure) in [
        (
            "pkg:pypi/click@8.1.7?file_name=click-8.1.7-py3-none-any.whl",
            "click-8.1.7-py3-none-any.whl",
            false,
        ),
        (
            "pkg:pypi/torch@2.1.0%2Bcpu?file_name=torch-2.1.0%2Bcpu-cp312-cp312-win_amd64.whl",
            "torch-2.1.0+cpu-cp312-cp312-win_amd64.whl",
            false,
        ),
        (
            "https://example.org/a%20b/torch-2.1.0%2Bcpu-cp312-cp312-win_amd64.whl",
            "torch-2.1.0+cpu-cp312-cp312-win_amd64.whl",
            false,
        ),
        (
            "https://example.org/x-1-py3-none-any.whl#sha256=00",
            "x-1-py3-none-any.whl",
            false,
        ),
        (
            "http://example.org/x-1-py3-none-any.whl",
            "x-1-py3-none-any.whl",
            true,
        ),
        (
            "http://127.0.0.1:8080/x-1-py3-none-any.whl",
            "x-1-py3-none-any.whl",
            false,
        ),
        (
            "http://[::1]/x-1-py3-none-any.whl",
            "x-1-py3-none-any.whl",
            false,
        ),
        (
            "http://localhost/x-1-py3-none-any.whl",
            "x-1-py3-none-any.whl",
            false,
        ),
        (
            "http://localhost.example.org/x-1-py3-none-any.whl",
            "x-1-py3-none-any.whl",
            true,
        ),
        (
            "file:wheels/x-1-py3-none-any.whl",
            "x-1-py3-none-any.whl",
            false,
        ),
    ] {
        let source = Source::parse(text).unwrap();
        assert_eq!(source.file_name(), file_name);
        assert_eq!(source.is_insecure(), insecure, "{text}");
        assert_eq!(source.to_string(), text);
    }
    for text in [
        "",
        "plum",
        "pkg:npm/x@1?file_name=x",
        "pkg:pypi/x@?file_name=y",
        "pkg:pypi/@1?file_name=y",
        "pkg:pypi/x@1?file_name=y&file_name=z",
        "pkg:pypi/x@1?other=y",
        "https://",
        "file:",
        "file:/etc/passwd",
        "file:a//b",
        "file:a/./b",
        "file:c:\\x",
        "FILE:x",
        "http:/x",
    ] {
        assert!(Source::parse(text).is_err(), "{text}");
    }
}

/// Texts of every shape; the comments are numbered, so that one that is lost or doubled is seen.
pub(crate) fn shapes() -> Vec<String> {
    let source = "\"file:plum-1.0-py3-none-any.whl\"";
    let other = "\"file:plum-1.0-py3-none-win32.whl\"";
    let plain = format!(
        "source = {source}\ncontent-id = \"{CID}\"\nextras = []\ndependencies = [\"b>=1\", \"a\"]\n"
    );
    let commented = format!(
        "# 1 top\n# 2 top again\n\n# 3 of the key\nsize = 3 # 4 end of line\n\n   # 5 indented\n\n\
         content-id = \"{CID}\"   # 6\nsource = {source}#7\nextras = [ # 8 in the array\n  \"b\", \
         # 9 after b\n  # 10 before a\n  'a' # 11 after a\n  , # 12 after the comma\n  # 13 \
         last\n] # 14 after the array\n\
         dependencies = []\n# 15 trailing\n\n# 16 the end"
    );
    let tables = format!(
        "# 1\nextras = []\ndependencies = [] # 2\n# 3 before the second\n[[wheel]] # 4 at the \
         header\n# 5 of the source\nsource = {other} # 6\ncontent-id = \"{CID}\"\n\n# 7 before the \
         first\n\n# 8 too\n\n[[wheel]]\n# 9\ncontent-id = \"{CID}\"\nsource = [\n  # 10\n  \
         {source},\n  \"https://example.org/plum-1.0-py3-none-any.whl\", # 11\n]\n# 12 end\n"
    );
    let mut shapes = vec![
        String::new(),
        "\n\n".to_owned(),
        "# 1 nothing else".to_owned(),
        "# 1 nothing else\n\n# 2 twice\n".to_owned(),
        plain.clone(),
        format!("\u{feff}{plain}"),
        plain.trim_end().to_owned(),
        commented.clone(),
        tables.clone(),
        // Without anything above the tables.
        format!(
            "# 1 header\n\n# 2 of the wheel\n[[wheel]]\nsource = {source}\ncontent-id \
                 = \"{CID}\"\nextras = []\ndependencies = []\n"
        ),
        // Tables in a line of their own.
        format!(
            "extras = []\ndependencies = []\nwheel = [ # 1\n  {{ source = {other}, content-id \
                 = \"{CID}\" }}, # 2\n  # 3\n  {{ source = {source}, content-id = \"{CID}\", size \
                 = 7 }},\n]\n"
        ),
        // Keys that the format does not have, of every kind.
        format!(
            "zeta = 1 # 1\n# 2\nalpha = {{ b = 1, a = [1, 2] }} # 3\n{plain}\n# 4\n[table] # \
                 5\nx = 1 # 6\n# 7\n[table.inner]\ny = 2\n[[many]] # 8\nz = 3\n# 9\n"
        ),
        "# 1\n[table]\n# 2\nx = 1\n".to_owned(),
        "# 1\n\n[wheel]\nsource = 1 # 2\n".to_owned(),
        format!("a.b.c = 1 # 1\n# 2\na.b.d = 2\n{plain}"),
        format!("{plain}[[wheel]]\n# 1\n[wheel.sub]\nx = 1 # 2\n[[wheel]]\nsize = 1\n"),
        // Keys and strings in every spelling.
        format!(
            "\"source\" = '''file:plum-1.0-py3-none-any.whl'''\n'content-id' \
                 = \"\"\"{CID}\"\"\"\n\"extras\" = [\"\\u0041_b\", \"c.D\"]\ndependencies = \
                 ['Foo_Bar [X,y] >=1 , <2 ; python_version<\"3.9\"', \"\"\"foo\"\"\"]\nsha256 \
                 = \"92BEAE6F8D8B647D6F40279C6762F6506D336052C396D31A44261500C4CE4327\"\nsize = \
                 0x35C\n"
        ),
        // Values of the wrong type stay.
        "source = 1\ncontent-id = [1, \"x\", { a = 1 }] # 1\nextras = \"a\"\ndependencies = \
         [[\"b\", \"a\"], 2, \"a\"]\nsize = \"x\"\nautomatic = 2027-03-01\n"
            .to_owned(),
        // The same twice, with a comment on the second.
        format!(
            "source = {source}\ncontent-id = \"{CID}\"\nextras = [\"a\", \"A\"]\ndependencies \
                 = [\n \"a\", # 1\n \"a\", # 2\n # 3\n \"a\",\n]\n"
        ),
        format!(
            "source = [{source},\n # 1\n {source}, # 2\n]\ncontent-id = \"{CID}\"\nextras = \
                 []\ndependencies = []\n"
        ),
        // Comments that hold quotes, brackets and other scripts.
        format!(
            "# 1 \"a\" [b] = c\nsource = {source} # 2 梅の実 \u{1f34e}\ncontent-id \
                 = \"{CID}\"\n\t# 3\ttab\nextras = []\ndependencies = [\n\t\"a\",\t# 4\ttab\n]\n"
        ),
        "extras = [ # 1\n]\ndependencies = [\n # 2\n\n # 3\n]\n".to_owned(),
        "source = [ # 1\n # 2\n  ]\n".to_owned(),
    ];
    let with_carriage_returns: Vec<String> = shapes
        .iter()
        .map(|text| text.replace('\n', "\r\n"))
        .collect();
    shapes.extend(with_carriage_returns);
    shapes
}

/// The comments of a text, by their numbers.
fn comments(text: &str) -> Vec<String> {
    let mut comments: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once('#'))
        .map(|(_, comment)| comment.trim().to_owned())
        .collect();
    comments.sort();
    comments
}

/// The document with what the canonical form may change made alike: the order of keys, of `extras`
/// and `dependencies` and of the wheels, and how those are spelt.
fn document(text: &str) -> Value {
    fn spelt(key: &str, text: &str) -> String {
        match key {
            "extras" => text.parse::<ExtraName>().ok().map(|one| one.to_string()),
            "dependencies" => text.parse::<Requirement>().ok().map(|one| one.to_string()),
            "sha256" => Some(text.to_lowercase()),
            _ => None,
        }
        .unwrap_or_else(|| text.to_owned())
    }
    fn value(key: &str, from: &DeValue<'_>) -> Value {
        match from {
            DeValue::String(text) => Value::String(spelt(key, text)),
            DeValue::Array(array) => {
                let mut values: Vec<Value> =
                    array.iter().map(|one| value(key, one.get_ref())).collect();
                if matches!(key, "extras" | "dependencies" | "wheel") {
                    values.sort_by_key(ToString::to_string);
                }
                if matches!(key, "extras" | "dependencies") {
                    values.dedup();
                }
                Value::Array(values)
            }
            DeValue::Table(inner) => table(inner),
            other => Value::String(format!("{other:?}")),
        }
    }
    fn table(from: &DeTable<'_>) -> Value {
        from.iter()
            .map(|(key, inner)| {
                let key: &str = key.get_ref();
                (key.to_owned(), value(key, inner.get_ref()))
            })
            .collect::<serde_json::Map<String, Value>>()
            .into()
    }
    table(DeTable::parse(text).unwrap().get_ref())
}

#[test]
fn the_canonical_form_is_its_own_and_loses_nothing() {
    for text in shapes() {
        let once = canonical(&text).unwrap_or_else(|| panic!("{text}"));
        let twice = canonical(&once).unwrap_or_else(|| panic!("{once}"));
        assert_eq!(once, twice, "from {text}");
        assert_eq!(comments(&text), comments(&once), "{text}\n->\n{once}");
        assert_eq!(document(&text), document(&once), "{text}\n->\n{once}");
        assert!(!once.contains('\r'), "{once:?}");
        assert!(once.is_empty() || once.ends_with('\n'), "{once:?}");
        for line in once.lines() {
            assert_eq!(line, line.trim_end(), "{once}");
        }
    }
}

/// What is sound says the same afterwards; what is not is wrong in the same way.
#[test]
fn the_canonical_form_changes_no_meaning() {
    for text in shapes() {
        let once = canonical(&text).unwrap();
        // An extra that stands twice is a finding, and stands once afterwards.
        if !text.contains("[\"a\", \"A\"]") {
            assert_eq!(meaning(&text), meaning(&once), "{text}\n->\n{once}");
        }
    }
}

#[test]
fn the_canonical_form_reads_well() {
    for (name, number) in [
        ("commented", 7),
        ("tables", 8),
        ("unknown", 11),
        ("spellings", 16),
    ] {
        insta::assert_snapshot!(
            format!("canonical-{name}"),
            canonical(&shapes()[number]).unwrap()
        );
    }
}

#[test]
fn what_is_no_toml_has_no_canonical_form() {
    for text in ["source = ", "a = 1\na = 2\n", "[[wheel]", "= 1"] {
        assert_eq!(canonical(text), None, "{text}");
    }
}

/// What `ipwhl add` writes is canonical, says what it was made from, and needs no finding.
#[test]
fn what_is_written_is_canonical() {
    let repository = RepositoryBuilder::sound().build();
    let loaded = Repository::load(repository.path()).unwrap();
    let mut declarations: Vec<Declaration> = loaded.declarations.into_values().collect();
    // A wheel that differs from the others in each way.
    let banana = declarations[1].clone();
    for change in 0..4 {
        let mut changed = banana.clone();
        let other = &declarations[0].wheels[0];
        let wheel = &mut changed.wheels[1];
        match change {
            0 => wheel.requires_python = None,
            1 => wheel.extras.clone_from(&other.extras),
            2 => wheel.dependencies.clone_from(&other.dependencies),
            _ => wheel.sources.extend(other.sources.clone()),
        }
        declarations.push(changed);
    }
    for declaration in declarations {
        let text = write_declaration(&declaration);
        assert_eq!(canonical(&text).as_deref(), Some(text.as_str()));
        let written: BTreeSet<String> = declaration.wheels.iter().map(meaning_of).collect();
        let parsed = read(&text);
        if declaration
            .wheels
            .iter()
            .all(|wheel| wheel.sources.len() == 1)
        {
            assert!(parsed.findings.is_empty(), "{text}\n{:?}", parsed.findings);
            let read: BTreeSet<String> = parsed.wheels.iter().map(meaning_of).collect();
            assert_eq!(read, written, "{text}");
            assert_eq!(parsed.automatic, declaration.automatic);
        }
    }
}

/// What texts of TOML and of declarations are made of, and what should not be in them.
pub(crate) const WORDS: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "#",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\0",
    "\u{feff}",
    "梅",
    "\u{1f34e}",
    "e\u{301}",
    "\u{202e}",
    "\\u0041",
    "\\U0010FFFF",
    "\\x",
    "-1",
    "0x",
    "1e999",
    "99999999999999999999",
    "2027-02-30",
    "inf",
    "true",
    "[[wheel]]\n",
    "[wheel]\n",
    "wheel",
    "source",
    "content-id",
    "extras",
    "dependencies",
    "requires-python",
    "size",
    "sha256",
    "automatic",
    "code",
    "expires",
    "pkg:pypi/",
    "file:",
    "https://[",
    "http://",
    "%ff",
    "?file_name=",
    "@",
    ";",
    "extra == 'a'",
    "python_version >= '3'",
    ">=",
    "~=",
    "===",
    "cp312",
    "cp999999999999",
    "manylinux_2_99999999999",
    "-any.whl",
    "..",
    "/",
    "\\",
    "{ a = 1 }",
    "[[waiver]]\n",
];

/// Every text is answered by findings that can be shown; the program never stops at one.
#[test]
fn no_text_of_a_declaration_is_too_much() {
    let file: Arc<str> = Arc::from("declarations/plum.toml");
    let [sound, broken, toml, shown] = [const { Cell::new(0) }; 4];
    let count = |cell: &Cell<u32>| cell.replace(cell.get() + 1);
    let layout = select(vec![Layout::Package, Layout::Ipwhl1]);
    let texts = mutated(shapes(), WORDS.to_vec());
    hold(20_000, (texts, layout), |(text, layout)| {
        let parsed = parse(&file, &text, layout);
        count(if parsed.findings.is_empty() {
            &sound
        } else {
            &broken
        });
        for finding in &parsed.findings {
            for label in &finding.labels {
                assert!(
                    text.get(label.span.clone()).is_some(),
                    "{label:?} in {text:?}"
                );
            }
        }
        if let Some(once) = canonical(&text) {
            count(&toml);
            assert_eq!(
                canonical(&once).as_deref(),
                Some(once.as_str()),
                "from {text:?}"
            );
        }
        if count(&shown) % 10 == 0 {
            let texts = SourceTexts::from([(Arc::clone(&file), SourceText::new(text))]);
            for finding in &parsed.findings {
                let style = Style {
                    colour: false,
                    width: 100,
                    wraps: true,
                };
                assert!(
                    render(finding, &texts, style)
                        .as_str()
                        .contains(finding.code.as_str())
                );
            }
            let lines = json_lines(&parsed.findings, &texts);
            assert_eq!(lines.lines().count(), parsed.findings.len() + 1);
        }
    });
    // The texts reach every depth.
    let (sound, broken, toml) = (sound.get(), broken.get(), toml.get());
    let all = cases(20_000);
    assert!(
        all < 10_000 || sound > all / 200 && broken > all / 4 && toml > all / 10,
        "{sound} {broken} {toml}"
    );
}

#[test]
fn no_text_of_the_settings_is_too_much() {
    let sound = RepositoryBuilder::sound().build();
    let built = RepositoryBuilder::new()
        .configuration(
            "[severity]\nunneeded = \"off\"\n\n[[waiver]]\ncode \
             = \"unsatisfied-dependency\"\nproject = \"cherry\"\n\
             requirement = \"damson>=6 ; extra == 'pit'\"\nplatforms = \
             [\"win_amd64\", \"cp312\"]\nextra = \"pit\"\n\
             reason = \"seen\"\nexpires = 2026-11-20\n\n[signing]\ntrusted = [\"ssh-ed25519 AAAA \
             one\"]\nthreshold = 1\n\n\
             [index]\nurl = \"https://example.org/simple/\"\n\n[mirrors]\ngateways = \
             [\"https://example.org\"]\n",
        )
        .build();
    let text = built.read("ipwhl.toml");
    let today = "2026-11-20".parse().unwrap();
    let understood = Cell::new(0);
    // Most inputs are about the text alone, some about a whole set under these settings.
    let is_whole = proptest::bool::weighted(0.01);
    let texts = mutated(vec![text], WORDS.to_vec());
    hold(4_000, (texts, is_whole), |(text, is_whole)| {
        let folder = if is_whole { &sound } else { &built };
        folder.write("ipwhl.toml", text);
        let repository = Repository::load(folder.path()).unwrap();
        let mut findings = repository.findings.clone();
        findings.extend(check::set(&repository));
        let left = judge(&repository, findings, &WheelReport::default(), today, "");
        understood.set(understood.get() + u32::from(repository.findings.is_empty()));
        for label in left.iter().flat_map(|finding| &finding.labels) {
            let text = repository.texts[&label.file].as_str();
            assert!(
                text.get(label.span.clone()).is_some(),
                "{label:?} in {text:?}"
            );
        }
        assert_eq!(
            json_lines(&left, &repository.texts).lines().count(),
            left.len() + 1
        );
    });
    let (understood, all) = (understood.get(), cases(4_000));
    assert!(all < 2_000 || understood > all / 80, "{understood}");
}

/// After each mistake the rest is read anew, which of a large text is too much work.
#[test]
fn of_a_large_text_one_mistake_is_told() {
    for (lines, mistakes) in [(100, 20), (100_000, 1)] {
        let found = read(&"a = ?\n".repeat(lines)).findings;
        assert_eq!(found.len(), mistakes, "{lines}");
        assert!(found.iter().all(|one| one.code == Code::Syntax));
    }
}
