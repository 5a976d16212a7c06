//! Tags: wheel file names, which tags a platform accepts, which tags one installer could both
//! accept.

use std::collections::BTreeSet;
use std::str::FromStr;

use ipwhl_packaging::{
    InstallerClass, Platform, Tag, WheelFileName, common_installer, parse_specifiers,
};

use crate::packaging_library;

fn tag(text: &str) -> Tag {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn wheel_file_names() {
    let name: WheelFileName = "Zope.Interface-5.0a1-1build-cp36.cp37-ABI3-win32.win_amd64.whl"
        .parse()
        .unwrap();
    assert_eq!(name.name().as_str(), "zope-interface");
    assert_eq!(name.version().to_string(), "5.0a1");
    assert_eq!(name.build(), Some("1build"));
    assert_eq!(
        name.stem(),
        "Zope.Interface-5.0a1-1build-cp36.cp37-ABI3-win32.win_amd64"
    );
    let tags: Vec<_> = name.tags().iter().map(ToString::to_string).collect();
    assert_eq!(
        tags,
        [
            "cp36-abi3-win32",
            "cp36-abi3-win_amd64",
            "cp37-abi3-win32",
            "cp37-abi3-win_amd64"
        ]
    );
    assert_eq!(name.as_str(), format!("{}.whl", name.stem()));
    for (text, reason) in [
        ("foo-1.0-py3-none-any.zip", "it does not end with \".whl\""),
        ("foo-1.0-py3-none-any.WHL", "it does not end with \".whl\""),
        (
            "foo-1.0-py3-none.whl",
            "it has 4 parts between dashes instead of 5, or 6 with a build tag",
        ),
        (
            "click.whl",
            "it has 1 part between dashes instead of 5, or 6 with a build tag",
        ),
        (
            "foo-bar-1.0-1-py3-none-any.whl",
            "it has 7 parts between dashes instead of 5, or 6 with a build tag",
        ),
        ("foo-bar-1.0-py3-none-any.whl", "\"bar\" is not a version"),
        ("foo- 1.0-py3-none-any.whl", "\" 1.0\" is not a version"),
        (
            "foo__bar-1.0-py3-none-any.whl",
            "the name \"foo__bar\" has two underscores in a row",
        ),
        (
            "foo-1.0-build-py3-none-any.whl",
            "the build tag \"build\" is not a number, with letters, digits, `.` and `_` after it",
        ),
        (
            "foo-1.0-1/../-py3-none-any.whl",
            "the build tag \"1/../\" is not a number, with letters, digits, `.` and `_` after it",
        ),
        (
            "foo-1.0-py3-none-a/b.whl",
            "the tag \"py3-none-a/b\" contains the character '/'",
        ),
        (
            "foo-1.0-py3..py2-none-any.whl",
            "a component of the tag \"py3..py2-none-any\" is empty",
        ),
        (
            "foo-1.0-3-none-any.whl",
            "the Python tag \"3\" of \"3-none-any\" begins with a digit",
        ),
        ("-1.0-py3-none-any.whl", "the project name is empty"),
    ] {
        let error = WheelFileName::from_str(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{text:?} is not the file name of a wheel: {reason}")
        );
    }
}

#[test]
fn wheel_file_names_as_packaging_reads_them() {
    let table = [
        "foo-1.0-py3-none-any.whl",
        "foo_bar-1.0-py2.py3-none-any.whl",
        "Foo.Bar-1!2.0.post1+local.1-1-cp27-cp27mu-manylinux1_x86_64.manylinux2010_x86_64.whl",
        "foo-1.0-01abc-py3-none-any.whl",
        "foo-1.0rc1.dev2-cp36.cp37-abi3-win32.whl",
        "foo-1.0-py3-none-any",
        "foo-1.0-py3-none.whl",
        "foo-1.0-x-py3-none-any.whl",
        "foo-x-py3-none-any.whl",
        "foo__bar-1.0-py3-none-any.whl",
        "foo-1.0-py3--any.whl",
        "foo-1.0-PY3-None-ANY.whl",
        "foo bar-1.0-py3-none-any.whl",
        "foo-v1.00-py3-none-any.whl",
    ];
    let script = r"
utils = module('utils')
answers = []
for text in cases:
    try:
        name, version, build, tags = utils.parse_wheel_filename(text)
        answers.append([name, str(version), ''.join(map(str, build)), sorted(map(str, tags))])
    except utils.InvalidWheelFilename:
        answers.append(None)
";
    let answers = packaging_library::ask(script, &serde_json::json!(table));
    for (text, theirs) in table.iter().zip(answers.as_array().unwrap()) {
        let ours = WheelFileName::from_str(text).ok().map(|name| {
            let tags: Vec<_> = name.tags().iter().map(ToString::to_string).collect();
            // Its build tags are a number and a text, so zeros at the beginning are gone.
            let build = name
                .build()
                .unwrap_or("")
                .trim_start_matches('0')
                .to_owned();
            serde_json::json!([
                name.name().as_str(),
                name.version().to_string(),
                build,
                tags
            ])
        });
        assert_eq!(
            &ours.into_iter().collect::<serde_json::Value>(),
            &serde_json::Value::from(if theirs.is_null() {
                vec![]
            } else {
                vec![theirs.clone()]
            }),
            "{text}"
        );
    }
}

#[test]
fn platforms_read_and_show() {
    for text in [
        "cp312-manylinux_2_28_x86_64",
        "cp313t-manylinux_2_28_aarch64",
        "pp311-win_amd64",
        "cp39-musllinux_1_2_x86_64",
        "cp310-macosx_12_0_arm64",
        "cp310-macosx_10_15_x86_64",
        "cp310-win32",
        "cp310-win_arm64",
        "cp310-linux_riscv64",
        "cp310-manylinux2014_s390x",
    ] {
        let platform: Platform = text.parse().unwrap();
        assert_eq!(platform.to_string(), text);
        assert_eq!(platform.floor(), 0);
    }
    let floored = Platform::parse("cp311>=3.11.5", "win_amd64").unwrap();
    assert_eq!(floored.to_string(), "cp311-win_amd64");
    assert_eq!(
        (
            floored.floor(),
            floored.python_tag().as_str(),
            floored.system()
        ),
        (5, "cp311", "win_amd64")
    );
    assert_eq!(
        Platform::from_str("cp311>=3.11.5-win_amd64").unwrap(),
        floored
    );
    let mut sorted: Vec<Platform> = ["cp313t-win32", "cp39-win32", "pp39-win32", "cp313-win32"]
        .map(|text| text.parse().unwrap())
        .into();
    sorted.sort();
    let sorted: Vec<_> = sorted.iter().map(ToString::to_string).collect();
    assert_eq!(
        sorted,
        ["cp39-win32", "cp313-win32", "cp313t-win32", "pp39-win32"]
    );
    for (text, message) in [
        (
            "cp312",
            "\"cp312\" is not a platform: it has no `-` between its Python tag and its platform tag",
        ),
        (
            "py3-win32",
            "the Python tag \"py3\" names neither CPython, as `cp312` does, nor PyPy, as `pp311` does",
        ),
        (
            "cp-win32",
            "the Python tag \"cp\" has no version such as 312",
        ),
        ("cp3-win32", "the Python tag \"cp3\" has no minor version"),
        (
            "cp27-win32",
            "the Python tag \"cp27\" is of a version before 3.3 or after 3",
        ),
        (
            "cp312t-win32",
            "the Python tag \"cp312t\" is free-threaded, which only CPython from 3.13 on can be",
        ),
        (
            "cp312>=3.11.2-win32",
            "\"3.11.2\" is not a patch version of Python 3.12, such as 3.12.2",
        ),
        (
            "cp312-any",
            "the platform tag \"any\" stands for wheels, not for a system",
        ),
        (
            "cp312-macosx_12_0_universal2",
            "the platform tag \"macosx_12_0_universal2\" is not of a single machine; name arm64 or x86_64",
        ),
        (
            "cp312-macosx_10_9_arm64",
            "the platform tag \"macosx_10_9_arm64\" is older than the first macOS on arm64, which is 11.0",
        ),
        (
            "cp312-manylinux_2_28_mips",
            "the platform tag \"manylinux_2_28_mips\" is of mips, for which there is no manylinux",
        ),
        (
            "cp312-win_amd46",
            "the platform tag \"win_amd46\" is not of an existing Windows system: win32, \
             win_amd64, win_arm64",
        ),
        (
            "cp312-beos",
            "the platform tag \"beos\" is not of a supported system: manylinux_…, musllinux_…, \
             linux_…, macosx_… or win…",
        ),
    ] {
        assert_eq!(Platform::from_str(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn requires_python_must_hold_on_the_whole_interval() {
    for (platform, specifiers, expected) in [
        ("cp311-win32", ">=3.9", true),
        ("cp311-win32", ">=3.11", true),
        ("cp311-win32", ">=3.11.1", false),
        ("cp311>=3.11.5-win32", ">=3.11.1", true),
        ("cp311>=3.11.5-win32", ">=3.11.5", true),
        ("cp311>=3.11.5-win32", ">3.11.5", false),
        ("cp311>=3.11.5-win32", "!=3.11.4", true),
        ("cp311>=3.11.5-win32", "!=3.11.7", false),
        ("cp311-win32", "!=3.0.*,!=3.1.*,<4,>=2.7", true),
        ("cp311-win32", "<3.12", true),
        ("cp311-win32", "<3.11.99", false),
        ("cp311-win32", "==3.11.*", true),
        ("cp311-win32", "~=3.9", true),
        ("cp311-win32", "~=3.9.1", false),
    ] {
        let specifiers = parse_specifiers(specifiers).unwrap();
        let platform: Platform = platform.parse().unwrap();
        assert_eq!(
            platform.satisfies(&specifiers),
            expected,
            "{specifiers} on {platform}"
        );
    }
}

/// What is worth asking a platform about.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn universe() -> Vec<Tag> {
    let mut pythons: Vec<String> = [
        "py2",
        "py3",
        "py30",
        "py312",
        "py305",
        "cp3",
        "pp3",
        "graalpy312",
    ]
    .map(str::to_owned)
    .into();
    for minor in [2, 7, 9, 10, 11, 12, 13, 14] {
        pythons.extend(["py3", "cp3", "pp3"].map(|prefix| format!("{prefix}{minor}")));
    }
    pythons.extend(["py27", "cp27", "cp32", "cp31"].map(str::to_owned));
    pythons.sort();
    pythons.dedup();
    let abis = [
        "none",
        "abi3",
        "abi3t",
        "cp37m",
        "cp37",
        "cp39",
        "cp311",
        "cp312",
        "cp313",
        "cp313t",
        "cp313d",
        "cp314t",
        "cp27mu",
        "pypy311_pp73",
        "pypy39_pp73",
    ];
    let platforms = [
        "any",
        "win32",
        "win_amd64",
        "win_arm64",
        "linux_x86_64",
        "linux_aarch64",
        "linux_armv7l",
        "manylinux1_x86_64",
        "manylinux2010_x86_64",
        "manylinux2014_x86_64",
        "manylinux1_aarch64",
        "manylinux2014_aarch64",
        "manylinux_2_4_x86_64",
        "manylinux_2_5_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux_2_28_x86_64",
        "manylinux_2_29_x86_64",
        "manylinux_2_34_x86_64",
        "manylinux_2_12_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux_2_28_aarch64",
        "manylinux_2_5_i686",
        "manylinux_2_17_armv7l",
        "musllinux_1_0_x86_64",
        "musllinux_1_1_x86_64",
        "musllinux_1_2_x86_64",
        "musllinux_1_3_x86_64",
        "musllinux_1_2_aarch64",
        "musllinux_2_0_x86_64",
        "macosx_10_3_universal2",
        "macosx_10_3_x86_64",
        "macosx_10_4_universal2",
        "macosx_10_4_universal",
        "macosx_10_6_intel",
        "macosx_10_6_fat",
        "macosx_10_6_fat3",
        "macosx_10_6_fat64",
        "macosx_10_6_i386",
        "macosx_10_9_x86_64",
        "macosx_10_9_universal2",
        "macosx_10_9_universal",
        "macosx_10_9_arm64",
        "macosx_10_15_x86_64",
        "macosx_10_16_x86_64",
        "macosx_10_16_universal2",
        "macosx_10_17_universal2",
        "macosx_11_0_arm64",
        "macosx_11_0_x86_64",
        "macosx_11_0_universal2",
        "macosx_11_0_intel",
        "macosx_11_3_arm64",
        "macosx_12_0_arm64",
        "macosx_12_0_universal2",
        "macosx_12_3_arm64",
        "macosx_13_0_arm64",
        "macosx_13_0_x86_64",
    ];
    let mut tags = Vec::new();
    for python in &pythons {
        for abi in abis {
            for platform in platforms {
                tags.push(tag(&format!("{python}-{abi}-{platform}")));
            }
        }
    }
    tags
}

const PLATFORMS: [&str; 24] = [
    "cp311-manylinux_2_28_x86_64",
    "cp312-manylinux_2_17_aarch64",
    "cp313-manylinux_2_34_x86_64",
    "cp37-manylinux_2_12_x86_64",
    "cp39-manylinux_2_17_i686",
    "cp39-manylinux_2_17_armv7l",
    "cp312-musllinux_1_2_x86_64",
    "cp312-musllinux_1_1_aarch64",
    "cp311-linux_x86_64",
    "cp313t-manylinux_2_28_x86_64",
    "cp314t-macosx_12_0_arm64",
    "cp311-macosx_11_0_arm64",
    "cp312-macosx_12_0_arm64",
    "cp312-macosx_12_3_arm64",
    "cp312-macosx_13_0_x86_64",
    "cp39-macosx_10_9_x86_64",
    "cp39-macosx_10_15_x86_64",
    "cp311-win_amd64",
    "cp311-win32",
    "cp312-win_arm64",
    "pp311-manylinux_2_28_x86_64",
    "pp39-macosx_11_0_arm64",
    "pp311-win_amd64",
    "cp310-win_amd64",
];

/// What an installer on exactly such a system accepts.
const INSTALLER_SCRIPT: &str = r"
import re
tags = module('tags')
manylinux = module('_manylinux')
musllinux = module('_musllinux')
manylinux._have_compatible_abi = lambda executable, archs: True

def platforms(system):
    if system.startswith('macosx_'):
        _, major, minor, arch = system.split('_', 3)
        return list(tags.mac_platforms((int(major), int(minor)), arch))
    if system.startswith('win'):
        return [system]
    if system.startswith('linux_'):
        return [system]
    kind, major, minor, arch = system.split('_', 3)
    version = (int(major), int(minor))
    if kind == 'manylinux':
        manylinux._get_glibc_version = lambda: manylinux._GLibCVersion(*version)
        return ['linux_' + arch, *manylinux.platform_tags([arch])]
    musllinux._get_musl_version = lambda executable: musllinux._MuslVersion(*version)
    return ['linux_' + arch, *musllinux.platform_tags([arch])]

def accepted(platform):
    python, system = platform.split('-')
    kind, minor, threads = re.fullmatch('(cp|pp)3([0-9]+)(t?)', python).groups()
    version = (3, int(minor))
    systems = platforms(system)
    if kind == 'cp':
        abi = f'cp3{minor}{threads}' + ('m' if version < (3, 8) else '')
        yield from tags.cpython_tags(version, [abi], systems)
        yield from tags.compatible_tags(version, f'cp3{minor}', systems)
    else:
        yield from tags.generic_tags(f'pp3{minor}', [f'pypy3{minor}_pp73'], systems)
        yield from tags.compatible_tags(version, 'pp3', systems)

universe = cases['universe']
answers = []
for platform in cases['platforms']:
    known = {str(tag) for tag in accepted(platform)}
    answers.append([text for text in universe if text in known])
";

/// Every tag of the universe on every platform, without a difference.
#[test]
fn platforms_accept_what_packaging_accepts() {
    let universe = universe();
    let texts: Vec<_> = universe.iter().map(ToString::to_string).collect();
    let cases = serde_json::json!({"universe": texts, "platforms": PLATFORMS});
    let answers = packaging_library::ask(INSTALLER_SCRIPT, &cases);
    for (text, theirs) in PLATFORMS.iter().zip(answers.as_array().unwrap()) {
        let platform: Platform = text.parse().unwrap();
        let theirs: BTreeSet<_> = theirs
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t.as_str().unwrap().to_owned())
            .collect();
        let ours: BTreeSet<_> = universe
            .iter()
            .filter(|tag| platform.accepts(tag))
            .map(ToString::to_string)
            .collect();
        let differences: Vec<_> = ours.symmetric_difference(&theirs).collect();
        assert_eq!(differences, Vec::<&String>::new(), "{platform}");
        assert!(ours.len() > 10, "{platform} accepts only {ours:?}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn two_wheels_for_one_installer() {
    for (a, b, expected) in [
        // Upward-closed systems.
        (
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp312-cp312-manylinux_2_28_x86_64",
            Some("CPython 3.12 on Linux x86_64 with glibc 2.28"),
        ),
        (
            "cp312-cp312-manylinux2014_x86_64",
            "cp312-cp312-manylinux1_x86_64",
            Some("CPython 3.12 on Linux x86_64 with glibc 2.17"),
        ),
        (
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp312-cp312-manylinux_2_17_aarch64",
            None,
        ),
        (
            "cp312-cp312-macosx_10_9_x86_64",
            "cp312-cp312-macosx_12_0_x86_64",
            Some("CPython 3.12 on macOS 12.0 on x86_64"),
        ),
        (
            "cp312-cp312-macosx_10_9_universal2",
            "cp312-cp312-macosx_11_0_arm64",
            Some("CPython 3.12 on macOS 11.0 on arm64"),
        ),
        (
            "cp312-cp312-macosx_10_9_universal2",
            "cp312-cp312-macosx_10_9_x86_64",
            Some("CPython 3.12 on macOS 10.9 on x86_64"),
        ),
        (
            "cp312-cp312-macosx_10_9_x86_64",
            "cp312-cp312-macosx_11_0_arm64",
            None,
        ),
        (
            "cp312-cp312-macosx_10_6_intel",
            "cp312-cp312-macosx_10_9_x86_64",
            Some("CPython 3.12 on macOS 10.9 on x86_64"),
        ),
        (
            "cp312-cp312-macosx_10_6_fat",
            "cp312-cp312-macosx_10_9_x86_64",
            None,
        ),
        (
            "cp312-cp312-linux_x86_64",
            "cp312-cp312-manylinux_2_17_x86_64",
            Some("CPython 3.12 on Linux x86_64 with glibc 2.17"),
        ),
        (
            "cp312-cp312-linux_x86_64",
            "cp312-cp312-musllinux_1_2_x86_64",
            Some("CPython 3.12 on Linux x86_64 with musl 1.2"),
        ),
        (
            "cp312-cp312-musllinux_1_1_x86_64",
            "cp312-cp312-musllinux_1_2_x86_64",
            Some("CPython 3.12 on Linux x86_64 with musl 1.2"),
        ),
        (
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp312-cp312-musllinux_1_2_x86_64",
            None,
        ),
        (
            "cp312-cp312-musllinux_1_2_x86_64",
            "cp312-cp312-musllinux_2_0_x86_64",
            None,
        ),
        (
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp312-cp312-win_amd64",
            None,
        ),
        ("cp312-cp312-win32", "cp312-cp312-win_amd64", None),
        (
            "cp312-cp312-linux_armv7l",
            "cp312-cp312-linux_armv8l",
            Some("CPython 3.12 on Linux armv8l"),
        ),
        (
            "cp313-cp313-ios_13_0_arm64_iphoneos",
            "cp313-cp313-ios_15_4_arm64_iphoneos",
            Some("CPython 3.13 on a system that accepts `ios_15_4_arm64_iphoneos`"),
        ),
        (
            "cp313-cp313-ios_13_0_arm64_iphoneos",
            "cp313-cp313-ios_13_0_arm64_iphonesimulator",
            None,
        ),
        (
            "cp313-cp313-android_24_arm64_v8a",
            "cp313-cp313-android_21_arm64_v8a",
            Some("CPython 3.13 on a system that accepts `android_24_arm64_v8a`"),
        ),
        // Binary interfaces.
        (
            "cp38-abi3-win_amd64",
            "cp312-cp312-win_amd64",
            Some("CPython 3.12 on Windows (win_amd64)"),
        ),
        ("cp313-abi3-win_amd64", "cp312-cp312-win_amd64", None),
        (
            "cp37-abi3-win_amd64",
            "cp39-abi3-win_amd64",
            Some("CPython 3.9 on Windows (win_amd64)"),
        ),
        ("cp313-cp313-win_amd64", "cp313-cp313t-win_amd64", None),
        ("cp38-abi3-win_amd64", "cp313-cp313t-win_amd64", None),
        (
            "cp315-abi3t-win_amd64",
            "cp316-cp316t-win_amd64",
            Some("free-threaded CPython 3.16 on Windows (win_amd64)"),
        ),
        (
            "cp313-cp313-win_amd64",
            "cp313-cp313d-win_amd64",
            Some("debug build of CPython 3.13 on Windows (win_amd64)"),
        ),
        ("cp27-cp27mu-linux_x86_64", "cp27-cp27m-linux_x86_64", None),
        (
            "cp37-cp37m-win32",
            "cp37-abi3-win32",
            Some("CPython 3.7 on Windows (win32)"),
        ),
        // Interpreters.
        ("cp312-cp312-win_amd64", "cp313-cp313-win_amd64", None),
        (
            "pp310-pypy310_pp73-win_amd64",
            "cp310-cp310-win_amd64",
            None,
        ),
        ("pp310-pypy310_pp73-win_amd64", "cp310-abi3-win_amd64", None),
        (
            "pp310-pypy310_pp73-win_amd64",
            "py3-none-any",
            Some("PyPy 3.10 on Windows (win_amd64)"),
        ),
        (
            "pp3-none-any",
            "py3-none-any",
            Some("PyPy 3.13 on any system"),
        ),
        // Pure Python.
        (
            "py3-none-any",
            "cp312-cp312-win_amd64",
            Some("CPython 3.12 on Windows (win_amd64)"),
        ),
        (
            "py3-none-any",
            "cp313-cp313t-win_amd64",
            Some("free-threaded CPython 3.13 on Windows (win_amd64)"),
        ),
        (
            "py3-none-any",
            "py39-none-any",
            Some("CPython 3.9 on any system"),
        ),
        (
            "py37-none-any",
            "py310-none-any",
            Some("CPython 3.10 on any system"),
        ),
        ("py37-none-any", "cp36-cp36m-win32", None),
        ("py2-none-any", "py3-none-any", None),
        (
            "py2-none-any",
            "cp27-cp27m-win32",
            Some("CPython 2.7 on Windows (win32)"),
        ),
        ("cp37-none-any", "cp38-none-any", None),
        ("cp37-none-any", "cp38-cp38-win32", None),
        (
            "cp37-none-any",
            "py3-none-any",
            Some("CPython 3.7 on any system"),
        ),
        (
            "py3-none-win_amd64",
            "py3-none-any",
            Some("CPython 3.13 on Windows (win_amd64)"),
        ),
        ("py3-none-win_amd64", "py3-none-win32", None),
        ("py2-none-win_amd64", "cp312-cp312-win_amd64", None),
        // What nobody knows.
        (
            "foo-bar-baz",
            "foo-bar-baz",
            Some("an interpreter with tags in `foo` on a system that accepts `baz`"),
        ),
        (
            "graalpy312-graalpy240_312_native-win_amd64",
            "py3-none-any",
            Some("an interpreter with tags in `graalpy` on Windows (win_amd64)"),
        ),
        (
            "graalpy312-graalpy240_312_native-win_amd64",
            "cp312-cp312-win_amd64",
            None,
        ),
        (
            "py3-weird-win32",
            "py3-weird-win32",
            Some("an installer that accepts `py3-weird-win32`"),
        ),
    ] {
        let (a, b) = (tag(a), tag(b));
        assert_eq!(common_installer(&a, &b).as_deref(), expected, "{a} and {b}");
        assert_eq!(common_installer(&b, &a).as_deref(), expected, "{b} and {a}");
    }
}

/// No pair of tags that some platform accepts both is taken for disjoint.
#[test]
fn whatever_one_platform_accepts_has_a_common_installer() {
    let universe = universe();
    let mut pairs = 0;
    for text in PLATFORMS {
        let platform: Platform = text.parse().unwrap();
        let accepted: Vec<_> = universe
            .iter()
            .filter(|tag| platform.accepts(tag))
            .collect();
        // Every seventh with every third: some ten thousand pairs of each platform.
        for a in accepted.iter().step_by(7) {
            for b in accepted.iter().step_by(3) {
                pairs += 1;
                assert!(
                    common_installer(a, b).is_some(),
                    "{platform} accepts {a} and {b}"
                );
            }
        }
    }
    assert!(pairs > 10_000, "only {pairs} pairs");
}

/// The other direction: two tags that are taken for ambiguous, and that some installer accepts one
/// by one, are accepted together by one of many concrete platforms.
#[test]
fn a_common_installer_exists() {
    let mut hosts: Vec<Platform> = Vec::new();
    for minor in 3..17 {
        let mut pythons = vec![format!("cp3{minor}"), format!("pp3{minor}")];
        if minor >= 13 {
            pythons.push(format!("cp3{minor}t"));
        }
        for python in pythons {
            for system in [
                "manylinux_2_40_x86_64",
                "manylinux_2_40_aarch64",
                "musllinux_1_9_x86_64",
                "macosx_10_9_x86_64",
                "macosx_14_0_x86_64",
                "macosx_14_0_arm64",
                "win_amd64",
                "win32",
                "linux_x86_64",
            ] {
                hosts.push(Platform::parse(&python, system).unwrap());
            }
        }
    }
    let pythons = [
        "py3", "py37", "py312", "cp37", "cp39", "cp312", "cp313", "pp311", "pp39",
    ];
    let abis = [
        "none",
        "abi3",
        "abi3t",
        "cp37m",
        "cp39",
        "cp312",
        "cp313",
        "cp313t",
        "pypy311_pp73",
    ];
    let platforms = [
        "any",
        "manylinux1_x86_64",
        "manylinux_2_28_x86_64",
        "manylinux_2_17_aarch64",
        "linux_x86_64",
        "musllinux_1_1_x86_64",
        "macosx_10_9_x86_64",
        "macosx_10_9_intel",
        "macosx_10_9_universal2",
        "macosx_12_0_arm64",
        "macosx_12_0_universal2",
        "macosx_13_0_x86_64",
        "win32",
        "win_amd64",
    ];
    let mut known: Vec<(Tag, BTreeSet<usize>)> = Vec::new();
    for python in pythons {
        for abi in abis {
            for platform in platforms {
                let tag = tag(&format!("{python}-{abi}-{platform}"));
                let accepting: BTreeSet<_> = (0..hosts.len())
                    .filter(|host| hosts[*host].accepts(&tag))
                    .collect();
                if !accepting.is_empty() {
                    known.push((tag, accepting));
                }
            }
        }
    }
    let (mut ambiguous, mut disjoint) = (0, 0);
    for (a, accepting_a) in &known {
        for (b, accepting_b) in &known {
            let words = common_installer(a, b);
            let together = !accepting_a.is_disjoint(accepting_b);
            let may_meet = InstallerClass::new(a).may_meet(&InstallerClass::new(b));
            assert!(may_meet || words.is_none(), "{a} and {b}: {words:?}");
            assert_eq!(words.is_some(), together, "{a} and {b}: {words:?}");
            if together {
                ambiguous += 1;
            } else {
                disjoint += 1;
            }
        }
    }
    assert!(
        ambiguous > 5_000 && disjoint > 5_000,
        "{ambiguous} and {disjoint}"
    );
}
