//! Markers: reading, canonical form, three-valued evaluation; against `packaging` and `pep508_rs`.

use std::str::FromStr;

use ipwhl_packaging::{ExtraName, Marker, MarkerEnvironment, Platform, Truth, Variable};

use crate::packaging_library;

fn marker(text: &str) -> Marker {
    Marker::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn on(platform: &str, text: &str) -> Truth {
    let platform: Platform = platform.parse().unwrap();
    marker(text).evaluate(&MarkerEnvironment::for_platform(&platform), None)
}

#[test]
fn canonical_form() {
    for (text, canonical) in [
        ("os_name=='nt'", r#"os_name == "nt""#),
        ("os.name == 'nt'", r#"os_name == "nt""#),
        (
            "python_implementation=='CPython'",
            r#"platform_python_implementation == "CPython""#,
        ),
        (
            "platform.python_implementation=='CPython'",
            r#"platform_python_implementation == "CPython""#,
        ),
        (
            "sys.platform=='x' or platform.machine=='y'",
            r#"sys_platform == "x" or platform_machine == "y""#,
        ),
        ("'3.8' <= python_version", r#"python_version >= "3.8""#),
        (
            "'3.8rc1' <= python_version",
            r#""3.8rc1" <= python_version"#,
        ),
        ("'linux' in sys_platform", r#""linux" in sys_platform"#),
        ("'linux'in sys_platform", r#""linux" in sys_platform"#),
        (
            "sys_platform  not\tin 'a b'",
            r#"sys_platform not in "a b""#,
        ),
        ("extra == 'Foo__Bar'", r#"extra == "foo-bar""#),
        ("'Foo.Bar' == extra", r#"extra == "foo-bar""#),
        ("(((os_name=='nt')))", r#"os_name == "nt""#),
        (
            "(os_name=='a' and (os_name=='b' and os_name=='c')) or (os_name=='d' or os_name=='e')",
            r#"os_name == "a" and os_name == "b" and os_name == "c" or os_name == "d" or os_name == "e""#,
        ),
        (
            "os_name=='a' and(os_name=='b' or os_name=='c')and os_name=='d'",
            r#"os_name == "a" and (os_name == "b" or os_name == "c") and os_name == "d""#,
        ),
        (
            r#"platform_version == 'a "b"'"#,
            r#"platform_version == 'a "b"'"#,
        ),
    ] {
        let parsed = marker(text);
        assert_eq!(parsed.to_string(), canonical);
        assert_eq!(
            marker(canonical),
            parsed,
            "{canonical} reads as something else"
        );
    }
}

#[test]
fn errors_name_the_place() {
    for (text, at, message) in [
        (
            "",
            "",
            "expected a marker variable or a text in quotes, found the end of the marker",
        ),
        (
            "os_name",
            "",
            "expected an operator such as `==`, `<` or `in`, found the end of the marker",
        ),
        (
            "os_nam == 'nt'",
            "os_nam",
            "expected a marker variable or a text in quotes, found `os_nam`",
        ),
        (
            "os_name = 'nt'",
            "=",
            "expected an operator such as `==`, `<` or `in`, found `=`",
        ),
        (
            "os_name == nt",
            "nt",
            "expected a marker variable or a text in quotes, found `nt`",
        ),
        (
            "os_name == 'nt",
            "'",
            "the quote in the marker is never closed",
        ),
        (
            "(os_name == 'nt'",
            "(",
            "the parenthesis in the marker is never closed",
        ),
        (
            "os_name == 'nt')",
            ")",
            "expected `and`, `or` or the end of the marker, found `)`",
        ),
        (
            "os_name == 'nt' order",
            "order",
            "expected `and`, `or` or the end of the marker, found `order`",
        ),
        (
            "os_name not 'nt'",
            "'",
            "expected `in` after `not`, found `\\'`",
        ),
        (
            "os_name == 'a\\'",
            "\\",
            "the character '\\\\' is not defined inside the quotes of a marker",
        ),
    ] {
        let error = Marker::from_str(text).unwrap_err();
        assert_eq!(error.message, message, "{text}");
        assert_eq!(&text[error.span.clone()], at, "{text}");
    }
    let deep = format!(
        "{}os_name == 'a'{}",
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    let error = Marker::from_str(&deep).unwrap_err();
    assert_eq!(
        error.message,
        "the marker has more than 64 nested parentheses"
    );
}

#[test]
fn a_platform_fixes_what_it_says() {
    for (platform, variables) in [
        (
            "cp311-manylinux_2_28_aarch64",
            "python_version == '3.11' and os_name == 'posix' and sys_platform == 'linux' \
             and platform_system == 'Linux' and platform_machine == 'aarch64' \
             and implementation_name == 'cpython' and platform_python_implementation == 'CPython'",
        ),
        (
            "cp312-macosx_12_0_arm64",
            "os_name == 'posix' and sys_platform == 'darwin' and platform_system == 'Darwin' \
             and platform_machine == 'arm64'",
        ),
        (
            "pp311-win_amd64",
            "os_name == 'nt' and sys_platform == 'win32' and platform_system == 'Windows' \
             and platform_machine == 'AMD64' and implementation_name == 'pypy' \
             and platform_python_implementation == 'PyPy'",
        ),
        (
            "cp313t-win_arm64",
            "platform_machine == 'ARM64' and python_version == '3.13'",
        ),
        (
            "cp313-musllinux_1_2_x86_64",
            "platform_machine == 'x86_64' and sys_platform == 'linux'",
        ),
    ] {
        assert_eq!(on(platform, variables), Truth::True, "{platform}");
    }
    for unknown in [
        "platform_release == '5'",
        "platform_release >= '5'",
        "'#1' in platform_version",
        "platform_version != 'x'",
    ] {
        assert_eq!(on("cp312-win_amd64", unknown), Truth::Unknown, "{unknown}");
    }
    assert_eq!(
        on("pp311-win_amd64", "implementation_version >= '7'"),
        Truth::Unknown
    );
    assert_eq!(
        on("cp312-win_amd64", "implementation_version >= '3.12'"),
        Truth::True
    );
    assert_eq!(
        on("cp312-win32", "platform_machine == 'x86'"),
        Truth::Unknown
    );
    assert_eq!(
        on("cp312-linux_i686", "platform_machine == 'i686'"),
        Truth::Unknown
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn patch_versions_are_an_interval() {
    use Truth::{False, True, Unknown};
    for (platform, text, expected) in [
        ("cp311-win_amd64", "python_full_version < '3.11'", False),
        ("cp311-win_amd64", "python_full_version < '3.11.3'", Unknown),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version < '3.11.3'",
            False,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version < '3.11.5'",
            False,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version <= '3.11.5'",
            Unknown,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version >= '3.11.5'",
            True,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version > '3.11.5'",
            Unknown,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version < '3.11.6rc1'",
            Unknown,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version >= '3.11.5rc1'",
            True,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version != '3.11.4'",
            True,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version != '3.11.9'",
            Unknown,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version == '3.11.*'",
            True,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version == '3.11.9.*'",
            Unknown,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version ~= '3.11.2'",
            True,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version ~= '3.11'",
            True,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version ~= '3.10.2'",
            False,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version === '3.11.7'",
            Unknown,
        ),
        (
            "cp311>=3.11.5-win_amd64",
            "python_full_version === '3.11'",
            False,
        ),
        ("cp311-win_amd64", "python_full_version > '3.11'", Unknown),
        ("cp311-win_amd64", "python_full_version < '4'", True),
        (
            "cp311-win_amd64",
            "'3.11.9' >= python_full_version",
            Unknown,
        ),
        ("cp311-win_amd64", "'3.12.0' >= python_full_version", True),
        (
            "cp311-win_amd64",
            "python_full_version in '2.7.1 3.10.4'",
            False,
        ),
        (
            "cp311-win_amd64",
            "python_full_version in '2.7.1 3.11.4'",
            Unknown,
        ),
        (
            "cp311-win_amd64",
            "python_full_version not in '2.7.1 3.10.4'",
            True,
        ),
        ("cp311-win_amd64", "'3.1' in python_full_version", True),
        ("cp311-win_amd64", "'rc' in python_full_version", False),
        ("cp311-win_amd64", "'9' in python_full_version", Unknown),
        (
            "cp311-win_amd64",
            "python_full_version == 'surprise'",
            False,
        ),
        ("cp311-win_amd64", "python_version in '3.9 3.10 3.11'", True),
        ("cp311-win_amd64", "python_version > '3.9'", True),
        ("cp310-win_amd64", "python_version > '3.9'", True),
    ] {
        assert_eq!(on(platform, text), expected, "{text} on {platform}");
    }
}

/// The interval's answer against each patch version on its own.
#[test]
fn an_interval_says_what_all_its_versions_say() {
    let mut decided = 0;
    for floor in [0, 1, 4, 5, 6, 40] {
        let platform = Platform::parse(&format!("cp311>=3.11.{floor}"), "win_amd64").unwrap();
        let interval = MarkerEnvironment::for_platform(&platform);
        for operator in ["==", "!=", "<", "<=", ">", ">=", "~=", "==="] {
            for literal in [
                "3",
                "3.11",
                "3.11.0",
                "3.11.4",
                "3.11.5",
                "3.11.5.0",
                "3.11.5.1",
                "3.11.39",
                "3.12",
                "3.12.5",
                "3.10.5",
                "3.11rc1",
                "3.11.5rc1",
                "3.11.5.post1",
                "3.11.5.dev1",
                "1!3.11.5",
                "3.*",
                "3.11.*",
                "3.11.5.*",
                "3.11.5.1.*",
                "3.11.5+x",
                "2",
                "4",
                "3.11.50",
                "0",
            ] {
                for text in [
                    format!("python_full_version {operator} '{literal}'"),
                    format!("'{literal}' {operator} python_full_version"),
                ] {
                    let marker = marker(&text);
                    let mut each = (floor..floor + 60).map(|patch| {
                        let known = MarkerEnvironment::unknown()
                            .with(Variable::PythonFullVersion, format!("3.11.{patch}"));
                        marker.evaluate(&known, None)
                    });
                    let first = each.next().unwrap();
                    let expected = if each.all(|truth| truth == first) {
                        decided += 1;
                        first
                    } else {
                        Truth::Unknown
                    };
                    assert_eq!(
                        marker.evaluate(&interval, None),
                        expected,
                        "{text} from {floor}"
                    );
                }
            }
        }
    }
    assert!(decided > 1_000, "only {decided} cases were decided");
}

#[test]
fn extras_are_compared_normalised() {
    let unknown = MarkerEnvironment::unknown();
    let extra = |name: &str| name.parse::<ExtraName>().unwrap();
    let of =
        |text: &str, name: Option<&str>| marker(text).evaluate(&unknown, name.map(extra).as_ref());
    assert_eq!(of("extra == 'Foo_Bar'", Some("foo.bar")), Truth::True);
    assert_eq!(of("'foo-bar' == extra", Some("FOO--BAR")), Truth::True);
    assert_eq!(of("extra == 'foo'", Some("bar")), Truth::False);
    assert_eq!(of("extra == 'foo'", None), Truth::False);
    assert_eq!(of("extra != 'foo'", None), Truth::True);
    // What "can apply" asks: every other variable unknown.
    assert_eq!(of("extra == 'foo' and os_name == 'nt'", None), Truth::False);
    assert_eq!(
        of("extra == 'foo' and os_name == 'nt'", Some("foo")),
        Truth::Unknown
    );
    assert_eq!(
        of("extra == 'foo' or os_name == 'nt'", Some("foo")),
        Truth::True
    );
    assert_eq!(of("python_version < '3'", None), Truth::Unknown);
}

#[test]
fn undefined_comparisons_are_unknown_and_listed() {
    let known = MarkerEnvironment::for_platform(&"cp312-win_amd64".parse().unwrap());
    for undefined in [
        r#"os_name < "x""#,
        r#"sys_platform >= "win""#,
        r#"platform_version > "10""#,
        r#"sys_platform ~= "win32""#,
        r#"sys_platform === "win32""#,
        r#"extra > "a""#,
        r#"python_version ~= "surprise""#,
        r#"python_version >= "3.*""#,
        r#"python_version < "three""#,
        r#"python_version ~= "3""#,
        r#""3.*" == python_version"#,
        r#""dog" ~= "fred""#,
        r#""a" == "a""#,
        "os_name == sys_platform",
        r#""test" in extras"#,
        r#"dependency_groups == "test""#,
        r#"platform_release >= "next""#,
    ] {
        let parsed = marker(undefined);
        assert_eq!(parsed.undefined_comparisons(), [undefined]);
        assert_eq!(parsed.evaluate(&known, None), Truth::Unknown, "{undefined}");
    }
    for defined in [
        "os_name == 'x'",
        "python_version == '3.*'",
        "python_version != '3.*'",
        "python_version in '3.1 3.2'",
        "'3.1' == python_version",
        "'x' not in platform_version",
        "platform_release >= '10.2'",
        "extra == 'a-b'",
        "python_version in '2.7 3.12'",
        "python_full_version not in '3.12.1 3.12.2'",
        "python_full_version <= '3.11.0a6'",
        "python_version > '3.11.post1'",
        "'3.8' <= python_version",
    ] {
        let parsed = marker(defined);
        assert_eq!(parsed.undefined_comparisons(), [""; 0], "{defined}");
        let disputed = parsed.disputed_comparisons(std::slice::from_ref(&known));
        assert_eq!(disputed, [""; 0], "{defined}");
    }
    // The specification and pip give these a meaning, and uv takes them for true.
    for disputed in [
        r#"python_version == "3.1*""#,
        r#"python_version != "three""#,
        r#"python_version == "3.9.*.1""#,
        r#"python_full_version == "foo""#,
        r#"implementation_version == "foo""#,
        r#"python_version === "foo""#,
        r#"python_version in "3.9 foo""#,
        r#"python_version in "3.9,3.10""#,
        r#"python_version not in "3.9|3.10""#,
        r#"python_version in """#,
        r#""3.9" in python_version"#,
        r#"extra in "x y""#,
        r#"extra not in "x y""#,
        r#""y" in extra"#,
        r#"extra != "-""#,
        r#"extra == "a b""#,
        r#"python_version === "3.11""#,
        r#"python_version == "1!3.11""#,
        r#"python_version != "3.11+local""#,
        r#"python_version != "3.11.7.*""#,
        r#"python_version not in "3.110""#,
        r#"python_version in "13.12""#,
        r#"python_full_version in "3.12.10""#,
        r#""3.12" ~= python_version"#,
        r#"python_version == "3.12rc1""#,
        r#"python_version >= "3.12.post1""#,
        r#"python_full_version > "3.12.0rc1""#,
    ] {
        let parsed = marker(disputed);
        let told = parsed.disputed_comparisons(std::slice::from_ref(&known));
        assert_eq!(told, [disputed]);
        assert_eq!(parsed.undefined_comparisons(), [""; 0]);
    }
    let mixed = marker("os_name == 'x' or (os_name > 'y' and python_version ~= 'z')");
    assert_eq!(
        mixed.undefined_comparisons(),
        [r#"os_name > "y""#, r#"python_version ~= "z""#]
    );
}

/// Fully known environments: what `packaging` and `pep508_rs` take.
const ENVIRONMENTS: [[(&str, &str); 11]; 3] = [
    [
        ("python_version", "3.11"),
        ("python_full_version", "3.11.5"),
        ("os_name", "posix"),
        ("sys_platform", "linux"),
        ("platform_release", "5.14.0"),
        ("platform_system", "Linux"),
        ("platform_version", "#1 SMP"),
        ("platform_machine", "x86_64"),
        ("platform_python_implementation", "CPython"),
        ("implementation_name", "cpython"),
        ("implementation_version", "3.11.5"),
    ],
    [
        ("python_version", "3.9"),
        ("python_full_version", "3.9.0"),
        ("os_name", "nt"),
        ("sys_platform", "win32"),
        ("platform_release", "10"),
        ("platform_system", "Windows"),
        ("platform_version", "10.0.19041"),
        ("platform_machine", "AMD64"),
        ("platform_python_implementation", "PyPy"),
        ("implementation_name", "pypy"),
        ("implementation_version", "7.3.16"),
    ],
    [
        ("python_version", "2.7"),
        ("python_full_version", "2.7.18"),
        ("os_name", "posix"),
        ("sys_platform", "darwin"),
        ("platform_release", "20.9.0"),
        ("platform_system", "Darwin"),
        ("platform_version", "Darwin Kernel Version 20.9.0"),
        ("platform_machine", "arm64"),
        ("platform_python_implementation", "CPython"),
        ("implementation_name", "cpython"),
        ("implementation_version", "2.7.18"),
    ],
];

fn environment(values: &[(&str, &str)]) -> MarkerEnvironment {
    values.iter().fold(
        MarkerEnvironment::unknown(),
        |environment, (name, value)| environment.with(Variable::from_name(name).unwrap(), *value),
    )
}

/// Each variable with each operator and a choice of literals in both orders, and some compounds.
fn comparison_table() -> Vec<String> {
    let mut table = Vec::new();
    let operators = [
        "==", "!=", "<", "<=", ">", ">=", "~=", "===", "in", "not in",
    ];
    let variables = ENVIRONMENTS[0].map(|(name, _)| name);
    let literals = [
        "3",
        "3.9",
        "3.11",
        "3.11.5",
        "3.10.0",
        "3.9.0",
        "2.7",
        "2.7.18",
        "3.12rc1",
        "3.11.5.post1",
        "3.9.*",
        "3.*",
        "10",
        "10.0",
        "5.14",
        "20.9.0",
        "7.3.16",
        "linux",
        "Linux",
        "win",
        "win32",
        "posix",
        "x86_64",
        "AMD64",
        "cpython",
        "PyPy",
        "SMP",
        "3.8 3.9 3.10",
        "linux darwin",
        "",
        "2.7, 3.11",
        "1.0+local",
        "v3.11",
        " 3.11",
        "3.11.0a1",
    ];
    for variable in variables {
        for operator in operators {
            for literal in literals {
                table.push(format!("{variable} {operator} '{literal}'"));
                table.push(format!("'{literal}' {operator} {variable}"));
            }
        }
    }
    for extra in ["Foo", "foo", "foo-bar", "FOO_.BAR", "foo bar", ""] {
        for operator in ["==", "!=", "in", "not in"] {
            table.push(format!("extra {operator} '{extra}'"));
            table.push(format!("'{extra}' {operator} extra"));
        }
    }
    for compound in [
        "os_name == 'nt' or os_name == 'posix' and python_version < '3'",
        "(os_name == 'nt' or os_name == 'posix') and python_version < '3'",
        "python_version >= '3.9' and extra == 'foo' or sys_platform == 'darwin'",
        "os_name == 'nt' and (extra == 'foo' or (extra == 'bar' and os_name == 'nt'))",
        "platform.machine == 'AMD64' or os.name == 'posix' and sys.platform != 'linux'",
        "python_implementation == 'PyPy' or platform.version == '#1 SMP'",
    ] {
        table.push(compound.to_owned());
    }
    table
}

const PACKAGING_SCRIPT: &str = r"
markers = module('markers')
answers = []
for text in cases['markers']:
    marker = markers.Marker(text)
    row = []
    for environment in cases['environments']:
        for extra in cases['extras']:
            try:
                row.append(marker.evaluate(dict(environment, extra=extra)))
            except markers.UndefinedComparison:
                row.append(None)
    answers.append(row)
";

/// The one kind of difference: what the specification leaves undefined is unknown here and on the
/// list of undefined comparisons, where `packaging` takes a side. It reads `<` and `>` on texts as
/// false, `<=` and `>=` as equality (which the specification allows as "legacy behavior", and says
/// that tools may fail), raises an error for `~=` and `===` on texts, and takes "3.*" on the left
/// side for a text.
///
/// No version is `===` to an empty text. packaging 26.3 said so; 26.4 reads no operand there and
/// raises its error of undefined comparisons. Neither may be true here.
#[test]
fn packaging_agrees() {
    let table = comparison_table();
    let extras = ["", "foo", "foo-bar"];
    let environments: Vec<serde_json::Value> = ENVIRONMENTS
        .iter()
        .map(|values| {
            values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), serde_json::Value::from(*value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
        .collect();
    let cases = serde_json::json!({
        "markers": table, "environments": environments, "extras": extras,
    });
    let answers = packaging_library::ask(PACKAGING_SCRIPT, &cases);
    let mut differences = Vec::new();
    let (mut compared, mut undefined) = (0, 0);
    for (text, row) in table.iter().zip(answers.as_array().unwrap()) {
        let marker = marker(text);
        let is_undefined = !marker.undefined_comparisons().is_empty();
        let mut row = row.as_array().unwrap().iter();
        for values in &ENVIRONMENTS {
            for extra in extras {
                let theirs = row.next().unwrap().as_bool();
                let extra = (!extra.is_empty()).then(|| extra.parse().unwrap());
                let ours = marker.evaluate(&environment(values), extra.as_ref());
                if is_undefined {
                    undefined += 1;
                    assert_eq!(ours, Truth::Unknown, "{text}");
                    continue;
                }
                if theirs.is_none() && text.ends_with("=== ''") {
                    assert_ne!(ours, Truth::True, "{text}");
                    continue;
                }
                compared += 1;
                // An error of theirs is about the two values: `~=10` needs two numbers.
                if theirs.map_or(Truth::Unknown, Truth::from) != ours {
                    differences.push(format!("{text}: ours {ours:?}, theirs {theirs:?}"));
                }
            }
        }
    }
    differences.dedup();
    assert_eq!(differences, Vec::<String>::new());
    assert!(
        compared > 20_000 && undefined > 10_000,
        "{compared} compared, {undefined} undefined"
    );
}

/// Why `pep508_rs` may say something else, though `packaging` says what we do.
fn pep508_rs_differs(text: &str) -> Option<&'static str> {
    let versions = [
        "python_version",
        "python_full_version",
        "implementation_version",
    ];
    let about_versions = versions.iter().any(|name| text.contains(name));
    if text.contains("platform_release") {
        Some("it takes platform_release for a text, and panics at `~=` on texts")
    } else if about_versions
        && ["rc", "post", "a1", "+"]
            .iter()
            .any(|part| text.contains(part))
    {
        Some("it leaves pre-releases, post-releases and local labels out of comparisons")
    } else if about_versions && text.contains(" in ") {
        Some("it takes the right side of `in` for a list of versions, not for a text")
    } else if text.contains("extra") && text.contains("''") {
        Some("with no extra it knows no value of `extra` at all")
    } else if text.contains("~=") {
        Some("it mirrors `~=`, and drops trailing zeros after it")
    } else {
        None
    }
}

/// `pep508_rs` on the same table. It drops comparisons that it cannot make, so only those that it
/// reads without a warning are compared.
#[test]
fn pep508_rs_agrees() {
    use pep508_rs::{MarkerEnvironmentBuilder, MarkerTree, MarkerWarningKind};

    let environments = ENVIRONMENTS.map(|values| {
        let value = |name: &str| values.iter().find(|(key, _)| *key == name).unwrap().1;
        let theirs = pep508_rs::MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: value("implementation_name"),
            implementation_version: value("implementation_version"),
            os_name: value("os_name"),
            platform_machine: value("platform_machine"),
            platform_python_implementation: value("platform_python_implementation"),
            platform_release: value("platform_release"),
            platform_system: value("platform_system"),
            platform_version: value("platform_version"),
            python_full_version: value("python_full_version"),
            python_version: value("python_version"),
            sys_platform: value("sys_platform"),
        })
        .unwrap();
        (environment(&values), theirs)
    });
    let mut differences = Vec::new();
    let mut compared = 0;
    for text in comparison_table() {
        let ours = marker(&text);
        if pep508_rs_differs(&text).is_some() || !ours.undefined_comparisons().is_empty() {
            continue;
        }
        let mut warned = false;
        let mut reporter = |_: MarkerWarningKind, _: String| warned = true;
        let Ok(theirs) = MarkerTree::parse_reporter(&text, &mut reporter) else {
            continue;
        };
        if warned {
            continue;
        }
        for (known, their_known) in &environments {
            for extra in ["", "foo", "foo-bar"] {
                let asked = (!extra.is_empty()).then(|| extra.parse().unwrap());
                let their_extras: Vec<_> = asked
                    .iter()
                    .map(|_: &ExtraName| pep508_rs::ExtraName::from_str(extra).unwrap())
                    .collect();
                let our_truth = ours.evaluate(known, asked.as_ref());
                let their_truth = theirs.evaluate(their_known, &their_extras);
                compared += 1;
                if our_truth != Truth::from(their_truth) {
                    differences.push(format!("{text}: ours {our_truth:?}, theirs {their_truth}"));
                }
            }
        }
    }
    differences.dedup();
    assert_eq!(differences, Vec::<String>::new());
    assert!(compared > 5_000, "only {compared} compared");
}
