//! Core metadata: the dirt that is normal, and what the specification refuses.

use ipwhl_packaging::{CoreMetadata, specifiers_text};

fn parse(text: &str) -> Result<CoreMetadata, Vec<String>> {
    CoreMetadata::parse(text.as_bytes())
}

fn with(fields: &str) -> Result<CoreMetadata, Vec<String>> {
    parse(&format!(
        "Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n{fields}"
    ))
}

#[test]
fn fields_are_read() {
    let metadata = parse(
        "Metadata-Version: 2.4\nName: Foo.Bar\nVersion: 1.0rc1\nSummary: a: b\nRequires-Python: >=3.9, <4\n\
         License-File: LICENSE\nProvides-Extra: Some_Extra\nRequires-Dist: b[x]>=1; extra == \"some-extra\"\n\
         Requires-Dist: a\nRequires-Dist: foo-bar[other]; extra \
         == \"Some.Extra\"\n\nRequires-Dist: not one\n",
    )
    .unwrap();
    assert_eq!(metadata.metadata_version, "2.4");
    assert_eq!(metadata.name, "Foo.Bar");
    assert_eq!(metadata.project.as_str(), "foo-bar");
    assert_eq!(metadata.version.to_string(), "1.0rc1");
    assert_eq!(
        specifiers_text(&metadata.requires_python.unwrap()),
        ">=3.9,<4"
    );
    let extras: Vec<_> = metadata
        .provides_extra
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(extras, ["some-extra"]);
    let requirements: Vec<_> = metadata
        .requires_dist
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        requirements,
        [
            "b[x]>=1; extra == \"some-extra\"",
            "a",
            "foo-bar[other]; extra == \"some-extra\""
        ]
    );
}

#[test]
fn normal_dirt_is_accepted() {
    let text = "METADATA-version: 2.1\r\nname:foo\r\nVERSION:\t1.0 \r\nAuthor: Jörg\r\nUnknown: x\r\n\
        Summary: over\r\n   two lines\r\nRequires-Dist: bar   (>=1.0,) ;\textra == \
        'A_b'\r\nrequires-dist: bar (>=1.0)\r\n\
        Requires-Dist: bar (>=1.0)\r\nProvides-Extra: A.b\r\nProvides-Extra: \
        a-b\r\nRequires-Python: >=2.7,\r\n\r\ncafé \0\r\n";
    let metadata = CoreMetadata::parse(text.as_bytes()).unwrap();
    let requirements: Vec<_> = metadata
        .requires_dist
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        requirements,
        ["bar>=1.0; extra == \"a-b\"", "bar>=1.0", "bar>=1.0"]
    );
    assert_eq!(metadata.provides_extra.len(), 1);
    assert_eq!(specifiers_text(&metadata.requires_python.unwrap()), ">=2.7");

    for version in [
        "1.0", "1.1", "1.2", "1.3", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.9",
    ] {
        parse(&format!(
            "Metadata-Version: {version}\nName: foo\nVersion: 1"
        ))
        .unwrap();
    }
    // Of metadata 1.1, and never dependencies of distributions.
    assert!(
        with("Requires: sys (>1)\nRequires: x\n")
            .unwrap()
            .requires_dist
            .is_empty()
    );
    for empty in ["", " ", ",", " , ,"] {
        let line = format!("Requires-Python:{empty}\n");
        assert_eq!(with(&line).unwrap().requires_python, None, "{empty:?}");
    }
    assert_eq!(
        with("Requires-Dist: foo[all]\n")
            .unwrap()
            .requires_dist
            .len(),
        1
    );
    // Extras of before metadata 2.3 had no rule.
    let extras = with("Provides-Extra: a b\nProvides-Extra: c+\n")
        .unwrap()
        .provides_extra;
    assert_eq!(
        extras.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a-b", "c"]
    );
    // A line that is no field begins the description, as for Python's email parser.
    let metadata =
        with("License: MIT\nPermission is granted\nto all\n\nRequires-Dist: a\n").unwrap();
    assert!(metadata.requires_dist.is_empty());
}

#[test]
fn what_the_specification_refuses() {
    for (fields, errors) in [
        (
            "Name: foo\n",
            &["Name is given 2 times, and may be given once"][..],
        ),
        (
            "summary: a\nSummary: b\n",
            &["Summary is given 2 times, and may be given once"],
        ),
        (
            "Requires-Python: >=2.7.*\n",
            &[
                "Requires-Python is invalid: \">=2.7.*\" is not a version specifier: operator >= \
                 cannot be used with a wildcard version specifier",
            ],
        ),
        (
            "Requires-Dist: foo bar\n",
            &[
                "Requires-Dist \"foo bar\" is invalid: expected a version specifier such as \
                 `>=1.0`, found \"bar\"",
            ],
        ),
        (
            "Requires-Dist: foo;\n python_version > '3'\nRequires-Python: >=3.8,\n <4\n",
            &[
                "Requires-Dist continues in line 5, which some installers do not read",
                "Requires-Python continues in line 7, which some installers do not read",
            ],
        ),
        (
            "Requires-Dist: a; sys_platform == \"=?utf-8?q?linux?=\"\nSummary: =?utf-8?q?caf=C3=A9?=\n",
            &["Requires-Dist has `=?`, which some installers read as the start of an encoded word"],
        ),
        (
            "Ä: x\nRequires-Dist: a\n",
            &[
                "line 4 is neither a field nor the continuation of one, and Requires-Dist comes after it",
            ],
        ),
        (
            "X Y: x\nRequires-Python: >=3.8\n",
            &[
                "line 4 is neither a field nor the continuation of one, and Requires-Python comes after it",
            ],
        ),
        (
            "Requires-Dist: -\nRequires-Dist: ok\nRequires-Dist: a; b\n",
            &[
                "Requires-Dist \"-\" is invalid: \"-\" is not a valid project name: only ASCII \
                 letters, digits, `.`, `-` and `_`, with a letter or digit first and last",
                "Requires-Dist \"a; b\" is invalid: expected a marker variable or a text in \
                 quotes, found `b`",
            ],
        ),
        (
            "Provides-Extra: ++\n",
            &["Provides-Extra \"++\" has no letter and no digit"],
        ),
        (
            "stray line\nRequires-Dist: a\n",
            &[
                "line 4 is neither a field nor the continuation of one, and Requires-Dist comes after it",
            ],
        ),
    ] {
        assert_eq!(with(fields).unwrap_err(), errors, "{fields}");
    }
    for (text, errors) in [
        (
            "",
            &[
                "the field Metadata-Version is missing",
                "the field Name is missing",
                "the field Version is missing",
            ][..],
        ),
        (
            "\nMetadata-Version: 2.1\nName: foo\nVersion: 1\n",
            &[
                "the field Metadata-Version is missing",
                "the field Name is missing",
                "the field Version is missing",
            ],
        ),
        (
            "Metadata-Version: 3.0\nName: foo\nVersion: 1\n",
            &["Metadata-Version \"3.0\" is neither a 1.x nor a 2.x version"],
        ),
        (
            "Metadata-Version: 2\nName: foo\nVersion: 1\n",
            &["Metadata-Version \"2\" is neither a 1.x nor a 2.x version"],
        ),
        (
            "Metadata-Version: 2.\nName: foo\nVersion: 1\n",
            &["Metadata-Version \"2.\" is neither a 1.x nor a 2.x version"],
        ),
        (
            "Metadata-Version: 2.1\nName: foo\nVersion: one\n",
            &["Version is invalid: \"one\" is not a version"],
        ),
        (
            "Metadata-Version: 2.1\nName:\nVersion: 1\n",
            &["the field Name is empty"],
        ),
        (
            "Metadata-Version: 2.1\nName : foo\nVersion: 1\n",
            &[
                "line 2 is neither a field nor the continuation of one, and Version comes after it",
                "the field Name is missing",
                "the field Version is missing",
            ],
        ),
        (
            "Metadata-Version: 2.1\nName: foo \nVersion: 1 \n",
            &["Name has a blank at its end"],
        ),
        (
            "Metadata-Version: 2.1\nName: foo\nVersion: 1\nRequires-Dist: a\u{a0}>=1\n",
            &["Requires-Dist has a blank that some installers do not read"],
        ),
        (
            "Metadata-Version: 2.3\nName: foo\nVersion: 1\nProvides-Extra: a b\n",
            &[
                "Provides-Extra is invalid: \"a b\" is not a valid extra name: only ASCII letters, \
                 digits, `.`, `-` and `_`, with a letter or digit first and last",
            ],
        ),
    ] {
        assert_eq!(parse(text).unwrap_err(), errors, "{text}");
    }
    let not_utf8 = b"Metadata-Version: 2.1\nName: foo\nVersion: 1\nRequires-Dist: caf\xe9\n";
    assert_eq!(
        CoreMetadata::parse(not_utf8).unwrap_err(),
        ["it is not UTF-8, so pip does not install it"]
    );
}
