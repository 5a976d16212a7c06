//! Names, version specifiers and requirements: reading, canonical form, equality; against
//! `packaging`.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::str::FromStr;

use ipwhl_packaging::{
    Constraint, CoreMetadata, ExtraName, Marker, Platform, ProjectName, Requirement, Tag, Version,
    WheelFileName, common_installer, parse_specifiers, same_specifiers, specifiers_contain,
    specifiers_text,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::packaging_library;
use crate::support::strategies::{self, cases, hold, mutated};

fn requirement(text: &str) -> Requirement {
    Requirement::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn names_are_kept_normalised() {
    for (text, normalised) in [
        ("Django", "django"),
        ("zope.interface", "zope-interface"),
        ("a-_.B", "a-b"),
        ("0", "0"),
    ] {
        assert_eq!(text.parse::<ProjectName>().unwrap().as_str(), normalised);
        assert_eq!(text.parse::<ExtraName>().unwrap().as_str(), normalised);
    }
    for text in ["", "-a", "a-", "a b", "a/b", "é", "a\n", "_", "K\u{212a}"] {
        text.parse::<ProjectName>().unwrap_err();
    }
    let error = "a b".parse::<ProjectName>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"a b\" is not a valid project name: only ASCII letters, digits, `.`, `-` and `_`, with a \
         letter or digit first and last"
    );
    let json = serde_json::to_string(&"A.b".parse::<ProjectName>().unwrap()).unwrap();
    assert_eq!(json, "\"a-b\"");
    serde_json::from_str::<ExtraName>("\"a b\"").unwrap_err();
}

#[test]
fn canonical_form() {
    for (text, canonical) in [
        ("A.B", "a-b"),
        (" foo ", "foo"),
        ("foo>=1", "foo>=1"),
        ("foo (>=1.0)", "foo>=1.0"),
        ("foo(>= 1.0 , <2)", "foo>=1.0,<2"),
        ("foo ()", "foo"),
        ("foo >=1.0,", "foo>=1.0"),
        ("foo <2,>=1.0,!=1.5,>=1.0", "foo>=1.0,!=1.5,<2"),
        ("foo[b,A_a , b]>1", "foo[a-a,b]>1"),
        ("foo[]", "foo"),
        ("foo [ ] ; os_name=='nt'", "foo; os_name == \"nt\""),
        ("foo==1.0-1", "foo==1.0.post1"),
        ("foo==1.*;extra=='B_c'", "foo==1.*; extra == \"b-c\""),
        (
            "foo@https://example.org/a;b.whl",
            "foo @ https://example.org/a;b.whl",
        ),
        (
            "foo[x] @ https://example.org/a.whl#sha256=00 ; os_name=='nt'",
            "foo[x] @ https://example.org/a.whl#sha256=00 ; os_name == \"nt\"",
        ),
        // pep508_rs takes these for paths of archives.
        ("foo.zip", "foo-zip"),
        (
            "foo-1.0.tar.gz; os_name == 'nt'",
            "foo-1-0-tar-gz; os_name == \"nt\"",
        ),
    ] {
        let parsed = requirement(text);
        assert_eq!(parsed.to_string(), canonical);
        assert_eq!(requirement(canonical), parsed);
    }
}

#[test]
fn equality_is_that_of_the_normalised_form() {
    for (a, b, equal) in [
        ("foo>=1,<2", "Foo <2.0, >=1.0.0", true),
        ("foo==1.0", "foo==1.0.0", true),
        ("foo==0", "foo==0.0", true),
        ("foo==1.0a1", "foo==1a1", true),
        ("foo>=1,>=1", "foo>=1", true),
        ("foo~=1.0", "foo~=1.0.0", false),
        ("foo==1.*", "foo==1.0.*", false),
        ("foo!=1.*", "foo!=1.0.*", false),
        ("foo===1.0", "foo===1.0.0", false),
        ("foo==1", "foo==1.*", false),
        ("foo[a,b]", "foo[B,A]", true),
        ("foo[a]", "foo", false),
        ("foo; 'x'==os.name", "foo; os_name == \"x\"", true),
        ("foo; os_name=='x'", "foo", false),
        (
            "foo @ https://example.org/a",
            "foo@https://example.org/a",
            true,
        ),
        (
            "foo @ https://example.org/a",
            "foo @ https://example.org/A",
            false,
        ),
        ("foo @ https://example.org/a", "foo", false),
    ] {
        let (first, second) = (requirement(a), requirement(b));
        assert_eq!(first == second, equal, "{a} and {b}");
        assert_eq!(first.cmp(&second).is_eq(), equal, "{a} and {b}");
        assert_eq!(
            HashSet::from([first, second]).len(),
            if equal { 1 } else { 2 },
            "{a} and {b}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn errors_name_the_place() {
    for (text, at, message) in [
        (
            "",
            "",
            "expected the name of a project, found the end of the requirement",
        ),
        (" ;", ";", "expected the name of a project, found ';'"),
        (
            "foo- >=1",
            "foo-",
            "\"foo-\" is not a valid project name: only ASCII letters, digits, `.`, `-` and `_`, \
             with a letter or digit first and last",
        ),
        (
            "foo bar",
            "b",
            "expected a version specifier such as `>=1.0`, found \"bar\"",
        ),
        (
            "foo 1.0",
            "1",
            "expected a version specifier such as `>=1.0`, found \"1.0\"",
        ),
        (
            "foo[a b]",
            "b",
            "expected `,` or `]` after the name of an extra, found 'b'",
        ),
        ("foo[a,]", "]", "expected the name of an extra, found ']'"),
        (
            "foo[a",
            "",
            "expected `,` or `]` after the name of an extra, found the end of the requirement",
        ),
        (
            "foo>=1.0,,<2",
            "",
            "expected a version specifier beside the comma",
        ),
        ("foo,", "", "expected a version specifier beside the comma"),
        (
            "foo>=",
            ">=",
            "\">=\" is not a version specifier: unexpected end of version specifier, expected version",
        ),
        (
            "foo>=1.*",
            ">=1.*",
            "\">=1.*\" is not a version specifier: operator >= cannot be used with a wildcard \
             version specifier",
        ),
        (
            "foo>=1.0 <2",
            ">=1.0 <2",
            "\">=1.0 <2\" is not a version specifier: trailing `<2` is not allowed",
        ),
        (
            "foo~=1",
            "~=1",
            "\"~=1\" is not a version specifier: the ~= operator requires at least two segments in \
             the release version",
        ),
        (
            "foo=>1",
            "=>1",
            "\"=>1\" is not a version specifier: no such comparison operator \"=>\", must be one \
             of ~= == != <= >= < > ===",
        ),
        (
            "foo (>=1",
            "(",
            "the parenthesis around the version specifiers is never closed",
        ),
        (
            "foo (>=1) <2",
            "<",
            "expected a version specifier or `;`, found '<'",
        ),
        (
            "foo @",
            "",
            "expected a URL after `@`, found the end of the requirement",
        ),
        (
            "foo @ https://example.org/a; os_name=='nt'",
            ";",
            "the `;` before a marker needs a space between it and the URL",
        ),
        (
            "foo @ https://example.org/a b",
            "b",
            "expected a space and `;` before the marker, found 'b'",
        ),
        (
            "foo>=1; os_nam=='nt'",
            "os_nam",
            "expected a marker variable or a text in quotes, found `os_nam`",
        ),
        (
            "foo;",
            "",
            "expected a marker variable or a text in quotes, found the end of the marker",
        ),
        (
            "héllo",
            "é",
            "expected a version specifier such as `>=1.0`, found \"éllo\"",
        ),
    ] {
        let error = Requirement::from_str(text).unwrap_err();
        assert_eq!(error.message, message, "{text}");
        assert_eq!(&text[error.span.clone()], at, "{text}");
    }
    let error = parse_specifiers(">=3.8, >=2.*").unwrap_err();
    assert_eq!(error.span, 7..12);
}

#[test]
fn specifier_sets() {
    let specifiers = parse_specifiers(" ,>=3.8,, !=3.9.*, ").unwrap();
    assert_eq!(specifiers_text(&specifiers), ">=3.8,!=3.9.*");
    assert!(same_specifiers(
        &specifiers,
        &parse_specifiers("!=3.9.*,>=3.8.0").unwrap()
    ));
    assert!(!same_specifiers(
        &specifiers,
        &parse_specifiers(">=3.8").unwrap()
    ));
    assert!(parse_specifiers("").unwrap().is_empty());
}

/// Each operator with each version, without a difference.
#[test]
fn specifiers_contain_what_packaging_says() {
    let versions = [
        "0",
        "1",
        "1.0",
        "1.0.0",
        "1.0.1",
        "1.1",
        "1.0.dev1",
        "1.0a1",
        "1.0a1.dev2",
        "1.0rc1",
        "1.0.post1",
        "1.0.post1.dev1",
        "1.0+local",
        "1.0+k",
        "1.0+local.2",
        "1.0.1rc1",
        "1.0.1+x",
        "1!1.0",
        "1!0.5",
        "2",
        "2.0a1",
        "1.10",
        "1.9",
        "1.0.0.0.1",
        "1.0a1.post1",
    ];
    let mut specifiers = Vec::new();
    for operator in ["==", "!=", "<", "<=", ">", ">=", "~=", "==="] {
        for version in versions {
            for suffix in ["", ".*"] {
                let specifier = format!("{operator}{version}{suffix}");
                if parse_specifiers(&specifier).is_ok() {
                    specifiers.push(specifier);
                }
            }
        }
    }
    for text in [
        "1.0-1",
        "1.0.POST1",
        "v1.0",
        "01.0",
        "foobar",
        "1.0+LOCAL",
        ">1",
        "1.0+\u{212a}",
    ] {
        specifiers.push(format!("==={text}"));
    }
    assert!(
        specifiers.len() > 150,
        "only {} specifiers",
        specifiers.len()
    );
    let script = r"
Specifier = module('specifiers').Specifier
answers = [
    [Specifier(text).contains(version, prereleases=True) for version in cases['versions']]
    for text in cases['specifiers']
]
";
    let cases = serde_json::json!({"versions": versions, "specifiers": specifiers});
    let answers = packaging_library::ask(script, &cases);
    let mut differences = Vec::new();
    for (text, row) in specifiers.iter().zip(answers.as_array().unwrap()) {
        for (version, theirs) in versions.iter().zip(row.as_array().unwrap()) {
            let ours =
                specifiers_contain(&parse_specifiers(text).unwrap(), &version.parse().unwrap());
            if theirs.as_bool() != Some(ours) {
                differences.push(format!("{version} in {text}: ours {ours}, theirs {theirs}"));
            }
        }
    }
    assert_eq!(differences, Vec::<String>::new());
}

/// Requirements of every form, right and wrong.
pub(crate) const TABLE: &[&str] = &[
    "foo",
    "Foo.Bar",
    "foo-",
    "-foo",
    "foo_",
    "foo..bar",
    "",
    " ",
    "foo bar",
    "foo.zip",
    "a.tar.gz",
    "foo>=1",
    "foo >= 1 , < 2",
    "foo (>=1)",
    "foo(>=1,<2)",
    "foo (>=1",
    "foo >=1)",
    "foo ()",
    "foo ( )",
    "foo>=1,",
    "foo (>=1,)",
    "foo>=1,,<2",
    "foo,",
    "foo,>=1",
    "foo>=1 <2",
    "foo >",
    "foo =1",
    "foo 1",
    "foo==1.*",
    "foo!=1.*",
    "foo>=1.*",
    "foo~=1",
    "foo~=1.0",
    "foo==1.0+local",
    "foo>=1.0+local",
    "foo==1.0a1.*",
    "foo===1.0",
    "foo===1.0-1",
    "foo===V1.0",
    "foo===foobar",
    "foo===1.0.*",
    "foo===>1",
    "foo===/@:",
    "foo===a b",
    "foo===",
    "foo=== ;os_name=='nt'",
    "foo===a;os_name=='nt'",
    "foo===a ; os_name=='nt'",
    "foo (=== 1.0)",
    "foo===a)",
    "foo===1.0,<2",
    "foo>=1,===x",
    "foo==v1.0",
    "foo==1.0-1",
    "foo==1.0.POST1",
    "foo==1!2.0",
    "foo==1.0dev",
    "foo[a]",
    "foo[a,b]",
    "foo[a,]",
    "foo[,a]",
    "foo[]",
    "foo[ ]",
    "foo [a] >=1",
    "foo[a b]",
    "foo[a-]",
    "foo[a",
    "foo]a[",
    "foo@https://example.org/a",
    "foo @ https://example.org/a",
    "foo @ https://example.org/a ; os_name=='nt'",
    "foo @ https://example.org/a; os_name=='nt'",
    "foo @ https://example.org/a ;os_name=='nt'",
    "foo @ file:///a/b.whl",
    "foo @",
    "foo @ ",
    "foo[a]@x:y",
    "foo @ https://example.org/a b",
    "foo @ https://example.org/a ",
    "foo;os_name=='nt'",
    "foo ; os_name=='nt'",
    "foo>=1;os_name=='nt'",
    "foo (>=1) ; os_name=='nt'",
    "foo;",
    "foo; ",
    "foo; os_name",
    "foo; os_name=='nt",
    "foo; os_name==nt",
    "foo; (os_name=='nt'",
    "foo; os_name=='nt' and",
    "foo; nothing=='nt'",
    "foo; os_name=='nt' or or os_name=='x'",
    "foo; extra=='A' and (os_name=='nt' or os_name=='x')",
    "foo; python_version in '3.8 3.9'",
    "foo; os_name not  in 'x'",
    "foo; os_name notin 'x'",
    "foo; 'x'=='y'",
    "foo\t>=1\t;\tos_name=='nt'",
    "foo\n",
    "foo>=1\n",
    "1foo",
    "foo>=1;extra=='a'>",
];

const REQUIREMENT_SCRIPT: &str = r"
requirements = module('requirements')
canonicalize_name = module('utils').canonicalize_name
answers = []
for text in cases:
    try:
        read = requirements.Requirement(text)
    except requirements.InvalidRequirement:
        answers.append(None)
        continue
    answers.append({
        'name': canonicalize_name(read.name),
        'extras': sorted({canonicalize_name(extra) for extra in read.extras}),
        'specifiers': sorted(set(str(one) for one in read.specifier)),
        'url': read.url,
        'marker': None if read.marker is None else str(read.marker),
    })
";

/// What we refuse and `packaging` does not, each with its reason.
const STRICTER: &[(&str, &str)] = &[(
    "foo_",
    "the specification wants a letter or digit at the end of a name",
)];

#[test]
fn requirements_as_packaging_reads_them() {
    let answers = packaging_library::ask(REQUIREMENT_SCRIPT, &serde_json::json!(TABLE));
    let mut accepted = 0;
    for (text, theirs) in TABLE.iter().zip(answers.as_array().unwrap()) {
        let ours = Requirement::from_str(text);
        if let Some((_, reason)) = STRICTER.iter().find(|(stricter, _)| stricter == text) {
            assert!(ours.is_err() && !theirs.is_null(), "{text:?}: {reason}");
            continue;
        }
        let Ok(ours) = ours else {
            assert!(
                theirs.is_null(),
                "{text:?} is refused with {ours:?}, but is {theirs}"
            );
            continue;
        };
        assert!(!theirs.is_null(), "{text:?} is taken for {ours}");
        accepted += 1;
        assert_eq!(theirs["name"], ours.name.as_str(), "{text:?}");
        let extras: Vec<_> = ours.extras.iter().map(ExtraName::as_str).collect();
        assert_eq!(theirs["extras"], serde_json::json!(extras), "{text:?}");
        match &ours.constraint {
            Constraint::Url(url) => assert_eq!(theirs["url"], url.as_str(), "{text:?}"),
            Constraint::Specifiers(specifiers) => {
                let theirs: Vec<_> = theirs["specifiers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one.as_str().unwrap())
                    .collect();
                let theirs = parse_specifiers(&theirs.join(",")).unwrap();
                assert!(same_specifiers(specifiers, &theirs), "{text:?}");
            }
        }
        let theirs = theirs["marker"]
            .as_str()
            .map(|marker| Marker::from_str(marker).unwrap());
        assert_eq!(ours.marker, theirs, "{text:?}");
    }
    assert!(accepted > 40, "only {accepted} accepted");
}

/// What texts of Python packaging are made of, and what should not be in them.
const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    "@",
    "'",
    "\"",
    " ",
    "\t",
    "\n",
    "<",
    ">",
    "=",
    "!",
    "~",
    "===",
    ".*",
    "*",
    "+",
    "-",
    "_",
    ".",
    "0",
    "99999999999999999999999",
    "3.11",
    "and",
    " or ",
    " in ",
    "not in",
    "extra",
    "python_version",
    "os.name",
    "é",
    "\u{0}",
    "\u{212a}",
    "🐍",
    "\\",
    ":",
    "Requires-Dist: ",
    "Name",
    "\r\n",
    "cp",
    "py3",
    "manylinux_",
    "macosx_",
    "t",
    "v",
    "rc",
];

/// No input panics, spans are on the text, and what is read can be shown and read again.
#[test]
fn no_text_panics() {
    let (good, bad) = (Cell::new(0), Cell::new(0));
    let seeds = TABLE.iter().map(|text| (*text).to_owned()).collect();
    let texts = prop_oneof![9 => mutated(seeds, WORDS.to_vec()), 1 => strategies::requirement()];
    hold(200_000, texts, |text| match Requirement::from_str(&text) {
        Ok(read) => {
            good.set(good.get() + 1);
            let shown = read.to_string();
            assert_eq!(
                Requirement::from_str(&shown),
                Ok(read),
                "{text:?} as {shown:?}"
            );
        }
        Err(error) => {
            bad.set(bad.get() + 1);
            assert!(
                text.get(error.span.clone()).is_some(),
                "{text:?} at {:?}",
                error.span
            );
            assert_eq!(error.message.lines().count(), 1, "{:?}", error.message);
        }
    });
    let (good, bad, least) = (good.get(), bad.get(), cases(200_000) / 40);
    assert!(
        least < 100 || good > least && bad > least,
        "{good} good, {bad} bad"
    );
}

#[test]
fn no_other_text_panics_either() {
    let seeds = [
        "foo-1.0-1-cp312.cp313-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "cp312-cp312-macosx_11_0_arm64",
        "py2.py3-none-any",
        "cp311>=3.11.5-manylinux_2_28_x86_64",
        ">=3.8,!=3.9.*,<4",
        "Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nRequires-Dist: bar>=1; extra == 'x'\n\nbody",
    ];
    let fixed = Tag::from_str("cp312-cp312-win32").unwrap();
    let texts = mutated(seeds.map(str::to_owned).to_vec(), WORDS.to_vec());
    hold(120_000, texts, |text| {
        let _ = WheelFileName::from_str(&text);
        let _ = Version::from_str(&text);
        let _ = CoreMetadata::parse(text.as_bytes());
        if let Ok(specifiers) = parse_specifiers(&text) {
            assert_eq!(
                parse_specifiers(&specifiers_text(&specifiers))
                    .map(|again| same_specifiers(&again, &specifiers)),
                Ok(true),
                "{text:?}"
            );
        }
        let platform = Platform::from_str(&text);
        if let Ok(tags) = Tag::expand(&text) {
            for tag in &tags {
                assert!(common_installer(tag, tag).is_some(), "{tag}");
                let _ = common_installer(tag, &fixed);
                if let Ok(platform) = &platform {
                    let _ = platform.accepts(tag);
                }
            }
        }
    });
}

/// A requirement is the same in whatever order its extras and specifiers stand, and however often.
#[test]
fn order_and_repetition_say_nothing() {
    let clauses = vec(strategies::clause(), 1..=4);
    let extras = vec(select(vec!["a", "B", "c_D", "e-e"]), 1..=4);
    hold(
        20_000,
        (clauses, extras, any::<Index>()),
        |(clauses, extras, at)| {
            let text = |clauses: &[String], extras: &[&str]| {
                format!("foo[{}]{}", extras.join(","), clauses.join(","))
            };
            let Ok(one) = Requirement::from_str(&text(&clauses, &extras)) else {
                return;
            };
            let (mut turned, mut others) = (clauses.clone(), extras.clone());
            turned.rotate_left(at.index(clauses.len()));
            turned.push(clauses[0].clone());
            others.reverse();
            others.push(extras[0]);
            let other = Requirement::from_str(&text(&turned, &others)).unwrap();
            assert_eq!(one, other);
            assert_eq!(one.cmp(&other), Ordering::Equal);
            assert_eq!(one.to_string(), other.to_string());
        },
    );
}
