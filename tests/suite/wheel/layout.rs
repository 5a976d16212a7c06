//! Where members come to lie: wheels that pip and uv would install differently, or one of them not
//! at all, are refused, and odd ones that both install alike are not.

use ipwhl_packaging::CoreMetadata;

use super::{click, facts, problems};
use crate::support::wheel_builder::WheelBuilder;
use crate::support::wheel_builder::archive::{RawEntry, extra_field};

const DATA: &str = "click-8.1.7.data";
const NONE: [&str; 0] = [];

#[track_caller]
fn refused(member: &str, expected: &[&str]) {
    assert_eq!(problems(&click().member(member, b"x")), expected);
}

#[test]
fn another_data_folder_is_refused() {
    for folder in [
        "evil-1.0.data",
        "Click-8.1.7.data",
        "click-8.1.7.DATA",
        "click.data",
    ] {
        let expected =
            format!("archive: `{folder}` is not the data folder of this wheel, `{DATA}`");
        refused(&format!("{folder}/purelib/evil.py"), &[&expected]);
        refused(folder, &[&expected]);
    }
    // Two files of one folder are one defect.
    let two = click()
        .member("evil.data/purelib/evil.py", b"x")
        .member("evil.data/scripts/evil", b"x");
    assert_eq!(problems(&two).len(), 1);
    // Further down it is a folder like any other.
    assert_eq!(problems(&click().member("click/evil.data/x", b"x")), NONE);
}

#[test]
fn schemes_that_nobody_knows_and_files_beside_them_are_refused() {
    let none = "lies in none of the folders purelib, platlib, headers, scripts, data";
    for (member, subject) in [
        ("etc/x", "etc"),
        ("etc/", "etc"),
        ("Purelib/x.py", "Purelib"),
        ("x.py", "x.py"),
    ] {
        let bytes: &[u8] = if member.ends_with('/') { b"" } else { b"x" };
        assert_eq!(
            problems(&click().member(&format!("{DATA}/{member}"), bytes)),
            [format!("archive: `{DATA}/{subject}` {none}")]
        );
    }
    refused(
        &format!("{DATA}/purelib"),
        &[&format!(
            "archive: `{DATA}/purelib` is a file, and no folder of data"
        )],
    );
    refused(
        DATA,
        &[&format!("archive: `{DATA}` is a file, and no data folder")],
    );
}

#[test]
fn scripts_lie_in_no_folder_and_replace_no_interpreter() {
    let clause = "lies in a folder below the scripts, or is one";
    let below = format!("{DATA}/scripts/tools/x");
    refused(&below, &[&format!("archive: `{below}` {clause}")]);
    let folder = click().member(&format!("{DATA}/scripts/tools/"), b"");
    assert_eq!(
        problems(&folder),
        [format!("archive: `{DATA}/scripts/tools` {clause}")]
    );
    for name in [
        "scripts/python",
        "scripts/Python3.EXE",
        "scripts/pypy3",
        "data/bin/python3.13t",
        "data/Scripts/pythonw.exe",
    ] {
        let member = format!("{DATA}/{name}");
        refused(
            &member,
            &[&format!(
                "archive: `{member}` has the name of an interpreter"
            )],
        );
    }
    for name in [
        "scripts/python3-config",
        "scripts/python3.x",
        "data/python3",
    ] {
        let wheel = click().member(&format!("{DATA}/{name}"), b"x");
        assert_eq!(problems(&wheel), NONE, "{name}");
    }
}

#[test]
fn two_members_for_one_place_are_refused() {
    for (one, other, what) in [
        ("purelib/click/core.py", "click/core.py", "one file"),
        ("platlib/click/core.py", "click/core.py", "one file"),
        ("platlib/new.py", "{}/purelib/new.py", "one file"),
        ("data/bin/tool", "{}/scripts/tool", "one file"),
        (
            "data/lib/python3.11/dist-packages/click/core.py",
            "click/core.py",
            "one file",
        ),
        (
            "data/include/site/python3.11/click/c.h",
            "{}/headers/c.h",
            "one file",
        ),
        ("data/Include/click/c.h", "{}/headers/c.h", "one file"),
        (
            "data/lib/python3.12/site-packages/click/core.py",
            "click/core.py",
            "one file",
        ),
        (
            "data/Lib/site-packages/click/core.py",
            "click/core.py",
            "one file",
        ),
        (
            "purelib/click/core.py/deeper.py",
            "click/core.py",
            "a file and a folder of one name",
        ),
        (
            "purelib/click/core.py/",
            "click/core.py",
            "a file and a folder of one name",
        ),
    ] {
        let other = other.replace("{}", DATA);
        let one = format!("{DATA}/{one}");
        let bytes: &[u8] = if one.ends_with('/') { b"" } else { b"x" };
        let mut wheel = click().member(&one, bytes);
        if other.starts_with(DATA) {
            wheel = wheel.member(&other, b"y");
        }
        let found = problems(&wheel);
        assert_eq!(found.len(), 1, "{found:?}");
        for part in [&one, &other] {
            assert!(found[0].contains(&format!("`{part}`")), "{found:?}");
        }
        // On every system, so it is not said once more of some.
        assert_eq!(facts(&wheel.build()).name_conflicts, []);
        let end = format!("are {what} after installation");
        assert!(found[0].ends_with(&end), "{found:?}");
    }
}

#[test]
fn metadata_of_another_project_is_refused() {
    let clause = "is taken for the metadata of an installed project";
    for member in [
        "requests.egg-info",
        "requests.egg-info/PKG-INFO",
        "requests-9.EGG-INFO/PKG-INFO",
        "requests.egg-link",
        "requests-9-py3.12.egg/EGG-INFO/PKG-INFO",
        "requests-9.DIST-INFO/METADATA",
        "click-8.1.7.DIST-INFO/METADATA",
    ] {
        let top = member.split('/').next().unwrap();
        refused(member, &[&format!("archive: `{top}` {clause}")]);
    }
    for folder in [
        "purelib",
        "platlib",
        "data/lib/python3.12/site-packages",
        "data/Lib/site-packages",
    ] {
        for stem in ["requests-9", "click-8.1.7"] {
            let top = format!("{DATA}/{folder}/{stem}.dist-info");
            let expected = format!("archive: `{top}` {clause}");
            refused(&format!("{top}/METADATA"), &[&expected]);
        }
    }
    assert_eq!(
        problems(&click().member("requests-9.dist-info", b"x")),
        [
            "archive: has more than one metadata folder at its top: `click-8.1.7.dist-info` and `requests-9.dist-info`"
        ]
    );
    assert!(
        !problems(
            &click()
                .dist_info("deeper/click-8.1.7")
                .member("click-8.1.7.dist-info", b"x")
        )
        .is_empty()
    );
    refused(
        "click-8.1.7.dist-info/direct_url.json",
        &[
            "archive: `click-8.1.7.dist-info/direct_url.json` says where a project was installed from, which is for installers to say",
        ],
    );
    // Copies that a project carries are no installed projects.
    let wheel = click()
        .member("click/_vendor/requests-9.dist-info/METADATA", b"x")
        .member("click/_vendor/requests.egg-info/PKG-INFO", b"x");
    assert_eq!(problems(&wheel), NONE);
}

#[test]
fn names_that_no_file_system_or_not_every_installer_takes_are_refused() {
    for hidden in [
        '\u{200d}',  // joins two signs
        '\u{202e}',  // turns the text around
        '\u{e000}',  // for private use
        '\u{378}',   // not assigned
        '\u{e0041}', // a tag
    ] {
        let found = problems(&click().member(&format!("click/a{hidden}b.py"), b"x"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].ends_with("has a character in its name that is not shown"),
            "{found:?}"
        );
    }
    // pip takes the second half for a row of RECORD of its own, and removes that file.
    for separator in ['\u{2028}', '\u{2029}'] {
        let found = problems(&click().member(&format!("click/a{separator}victim/core.py"), b"x"));
        assert!(
            found[0].ends_with("has a control character in its name"),
            "{found:?}"
        );
    }
    let long = |bytes: usize| format!("click/{}.py", "é".repeat((bytes - 3) / 2));
    assert_eq!(problems(&click().member(&long(255), b"x")), NONE);
    let found = problems(&click().member(&long(257), b"x"));
    assert!(
        found[0].ends_with("has a component of 257 bytes in its path, more than the limit of 255"),
        "{found:?}"
    );
    let deep = |bytes: usize| format!("{}x.py", "deep/".repeat(bytes / 5));
    assert_eq!(problems(&click().member(&deep(1_020), b"x")), NONE);
    let found = problems(&click().member(&deep(1_025), b"x"));
    assert!(
        found[0].ends_with("has a path of 1029 bytes, more than the limit of 1024"),
        "{found:?}"
    );
}

/// The version needed is one number in two places, of which installers take the lower byte.
#[test]
fn a_version_of_zip_that_installers_do_not_read_is_refused() {
    type Change = fn(&mut RawEntry, u16);
    let places: [(Change, &str); 2] = [
        (
            |entry, version| entry.central.version_needed = version,
            "by the central directory",
        ),
        (
            |entry, version| entry.local.version_needed = version,
            "by its local header",
        ),
    ];
    for (set, place) in places {
        let wheel = |version| click().entry("click/core.py", move |entry| set(entry, version));
        for version in [0, 10, 45, 63, 0x0314] {
            assert_eq!(problems(&wheel(version)), NONE, "{version}");
        }
        for (version, text) in [(64, "6.4"), (255, "25.5")] {
            assert_eq!(
                problems(&wheel(version)),
                [format!(
                    "archive: `click/core.py` needs version {text} of ZIP, and installers read up to 6.3, {place}"
                )]
            );
        }
    }
}

#[test]
fn metadata_in_another_encoding_is_refused() {
    let head = "Metadata-Version: 2.1\nName: click\nVersion: 8.1.7\n";
    for rest in [&b"Author: caf\xe9\n\n"[..], &b"\ncaf\xe9\n"[..]] {
        let metadata = [head.as_bytes(), rest].concat();
        assert_eq!(
            CoreMetadata::parse(&metadata).unwrap_err(),
            ["it is not UTF-8, so pip does not install it"]
        );
    }
    let metadata = format!("{head}Author: café\n\ncafé\n");
    assert!(CoreMetadata::parse(metadata.as_bytes()).is_ok());
}

#[test]
fn keys_of_wheel_that_one_installer_does_not_know_are_refused() {
    let wheel = |text: &str| problems(&click().wheel_file(text));
    let good = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    for key in ["Wheel-Version", "Root-Is-Purelib"] {
        let lower = key.to_lowercase();
        assert_eq!(
            wheel(&good.replace(key, &lower)),
            [format!(
                "metadata: WHEEL has the key `{lower}`, which not every installer takes for {key}"
            )]
        );
    }
    assert_eq!(
        wheel(&good.replace("true", "True")),
        ["metadata: WHEEL has the Root-Is-Purelib `True`, which is neither `true` nor `false`"]
    );
    assert_eq!(wheel(&good.replace("true", "False")), NONE);
    let hidden = "Generator: x\rWheel-Version: 2.0";
    assert_eq!(
        wheel(&format!("{hidden}\n{good}")),
        [
            "metadata: WHEEL has a carriage return within a line: `Generator: x\\rWheel-Version: 2.0`"
        ]
    );
}

/// Wheels that are odd, and that every installer takes alike: [`super::installers`] holds both to
/// that.
pub fn odd_wheels() -> Vec<WheelBuilder> {
    let data = |path: &str| format!("{DATA}/{path}");
    vec![
        // Every scheme.
        click()
            .member(&data("purelib/click_pure.py"), b"x = 1\n")
            .member(&data("platlib/click_native/x.bin"), b"\x7fELF\0")
            .member(&data("headers/click.h"), b"#pragma once\n")
            .member(&data("headers/deeper/click.h"), b"#pragma once\n")
            .member(&data("scripts/click-tool"), b"#!python\nprint('x')\n")
            .member(&data("scripts/click.sh"), b"#!/bin/sh\necho x\n")
            .member(&data("scripts/click.bin"), b"\x7fELF\0")
            .member(&data("scripts/empty"), b"")
            .member(&data("data/share/click/x.txt"), b"x")
            .member(&data("data/etc/click.conf"), b"x")
            .member(&data("data/bin/click-data"), b"#!python\n"),
        // Folders with nothing in them, which pip does not make.
        click()
            .member("click/empty/", b"")
            .member(&data(""), b"")
            .member(&data("purelib/"), b"")
            .member(&data("scripts/"), b"")
            .directory_entries(),
        // Made on Windows: no script has the bit of programs.
        click()
            .member(&data("scripts/click-tool"), b"#!python\nprint('x')\n")
            .entry(&data("scripts/click-tool"), |entry| {
                entry.version_made_by = 20;
                entry.external_attributes = 0;
            }),
        // A program by its permissions, with no type of file: uv keeps the bit and pip does not.
        click().entry("click/core.py", |entry| {
            entry.external_attributes = 0o755 << 16;
        }),
        // A script that an entry point replaces: both leave it out.
        click()
            .member(
                "click-8.1.7.dist-info/entry_points.txt",
                b"[console_scripts]\nclick-tool = click.core:main\n\n[gui_scripts]\nclick-gui = click.core:gui\n",
            )
            .member(&data("scripts/click-tool"), b"#!python\nprint('x')\n")
            .member(&data("scripts/click-tool-script.py"), b"x"),
        click().wheel_file("Wheel-Version: 1.0\nRoot-Is-Purelib: FALSE\nTag: py3-none-any\n"),
        click().member(
            "click-8.1.7.dist-info/entry_points.txt",
            b"[console_scripts]\nclick-tool = click.core:main [x-y, z_1,t ]\n",
        ),
        click().metadata("Metadata-Version: 2.1\nName: click\nVersion: 8.1.7\nSummary: a\n b\n"),
        click().wheel_file("Wheel-Version: 0.1\r\nRoot-Is-Purelib: true\r\n"),
        click().wheel_file("Wheel-Version: 1.9\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        click().edit_record(|rows| rows.retain(|row| !row[0].ends_with("/RECORD"))),
        click()
            .member("click-8.1.7.dist-info/RECORD.jws", b"{}")
            .edit_record(|rows| rows.retain(|row| !row[0].contains("/RECORD.jws"))),
        click().member("click-8.1.7.dist-info/INSTALLER", b"nobody\n"),
        click()
            .archive(|archive| archive.comment = b"made by hand".to_vec())
            .entry("click/core.py", |entry| entry.comment = b"PK".to_vec()),
        click().entry("click/core.py", |entry| {
            entry.both(|header| header.version_needed = 63);
        }),
        // Two fields of times that are not the bytes that they say: the time is no fact.
        click()
            .entry("click/core.py", |entry| entry.local.extra = extra_field(0x5455, &[1]))
            .entry("click/py.typed", |entry| entry.central.extra = extra_field(0x5455, &[])),
        click().entry("click/core.py", |entry| {
            entry.both(|header| header.version_needed = 0x0314);
        }),
        click()
            .member(&format!("click/{}", "a".repeat(255)), b"x")
            .member(&format!("{}x.py", "deep/".repeat(200)), b"x")
            .member("click/with space.py", b"x")
            .member("click/-r.txt", b"x")
            .member("click/évé\u{301}.py", b"x")
            .member("click.pth", b"# nothing\n")
            .member("click/_vendor/x.egg-info/PKG-INFO", b"x")
            .member("click/x.data/purelib/x", b"x"),
        click().metadata("Metadata-Version: 2.1\r\nName: click\r\nVersion: 8.1.7\r\n\r\ncafé\r\n"),
        // Not wrong by itself: where they are one place, the set's platforms decide.
        click()
            .member("click/Core.py", b"x")
            .member("Click/__init__.py", b"x")
            .member("click/e\u{301}.py", b"x")
            .member("click/é.py", b"x")
            .member("click/aux.py", b"x")
            .member("click/dot.", b"x")
            .member("click/a:b?", b"x"),
    ]
}

#[test]
fn odd_wheels_that_installers_take_alike_are_accepted() {
    for (position, builder) in odd_wheels().iter().enumerate() {
        let facts = facts(&builder.build());
        assert_eq!(facts.problems, [], "wheel {position}");
    }
}

/// pip keeps the wrapper of the entry point there, and uv the file.
#[test]
fn a_file_in_the_place_of_a_command_is_refused() {
    let entry_points = "[console_scripts]\ntool = click:main\n";
    let wheel = click().member("click-8.1.7.dist-info/entry_points.txt", entry_points);
    for folder in ["bin", "Scripts"] {
        let path = format!("{DATA}/data/{folder}/tool");
        let found = problems(&wheel.clone().member(&path, b"x"));
        let words = "is also a command of entry_points.txt, and one of both is installed";
        assert_eq!(found, [format!("archive: `{path}` {words}")]);
    }
    // Below `scripts` both keep the command.
    let script = format!("{DATA}/scripts/tool");
    assert_eq!(
        problems(&wheel.clone().member(&script, b"#!python\n")),
        [""; 0]
    );
}

/// uv unpacks it after the packages, or not, by the order of files in a folder: commands that
/// nobody has seen.
#[test]
fn a_data_folder_among_the_packages_is_refused() {
    for folder in ["purelib", "platlib", "data/lib/python3.12/site-packages"] {
        for inner in [DATA, "other-1.data", "CLICK-8.1.7.DATA"] {
            let path = format!("{DATA}/{folder}/{inner}/scripts/git");
            let words = "lies in a data folder that is installed itself";
            assert_eq!(
                problems(&click().member(&path, b"#!python\n")),
                [format!("archive: `{path}` {words}")]
            );
        }
    }
}

/// Both, or uv alone, fail over the folder when they read or write the file.
#[test]
fn a_folder_in_the_place_of_a_file_of_the_metadata_is_refused() {
    let clause = "is a folder, and a file of that name is read or written there";
    for name in [
        "INSTALLER",
        "REQUESTED",
        "Direct_URL.json",
        "entry_points.txt",
        "uv_cache.json",
    ] {
        let folder = format!("click-8.1.7.dist-info/{name}");
        let expected = format!("archive: `{folder}` {clause}");
        assert_eq!(
            problems(&click().member(&format!("{folder}/"), b"")),
            [expected.as_str()]
        );
        refused(&format!("{folder}/x"), &[&expected]);
    }
    let wheel = click()
        .member("click-8.1.7.dist-info/licenses/INSTALLER/x", b"x")
        .member("click-8.1.7.dist-info/sboms/x", b"x");
    assert_eq!(problems(&wheel), NONE);
}

/// Both fail where the folder is there.
#[test]
fn a_file_in_the_place_of_a_folder_of_the_environment_is_refused() {
    let clause = "is a file in the place of a folder that environments have";
    for path in [
        "bin",
        "Scripts",
        "lib",
        "lib64",
        "include",
        "lib/python3.12",
        "Lib/site-packages",
        "lib/python3.12/site-packages",
    ] {
        let member = format!("{DATA}/data/{path}");
        refused(&member, &[&format!("archive: `{member}` {clause}")]);
    }
    let wheel = click().member(&format!("{DATA}/data/lib/pkgconfig/click.pc"), b"x");
    assert_eq!(problems(&wheel), NONE);
}

/// `pip install --target`, and uv's: of two files one is installed.
#[test]
fn data_and_a_package_that_are_one_file_with_target_are_refused() {
    for (path, other, what) in [
        ("click/core.py", "click/core.py", "one file"),
        (
            "click",
            "click/__init__.py",
            "a file and a folder of one name",
        ),
    ] {
        let member = format!("{DATA}/data/{path}");
        let clause = format!("are {what} where `pip install --target` puts it");
        let [found] = <[String; 1]>::try_from(problems(&click().member(&member, b"x"))).unwrap();
        assert!(found.contains(&member) && found.contains(other), "{found}");
        assert!(found.ends_with(&clause), "{found}");
    }
    let wheel = click().member(&format!("{DATA}/data/click/other.txt"), b"x");
    assert_eq!(problems(&wheel), NONE);
}
