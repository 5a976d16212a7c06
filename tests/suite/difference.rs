//! The difference of two states as a value: against a plain comparison of made-up ones, and risks
//! member by member.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use ipwhl::set::difference::{
    Declared, Kind, NameOwners, Owner, ProjectState, Risk, Snapshot, WheelState, command_conflicts,
    difference, estimate, member_changes, package_conflicts,
};
use ipwhl_packaging::wheel::{InstalledNames, MemberFacts, WheelMembers};
use ipwhl_unixfs::{Cid, Codec, Sha256Digest};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::support::strategies::{cases, hold};

/// A state: for each project none or some wheels, each of one of three contents and two
/// declarations.
fn state() -> impl Strategy<Value = Snapshot> {
    let wheel = option::weighted(2.0 / 3.0, (0..3_u8, 0..3_u8));
    let project = (
        0..2_u8,
        prop_oneof![1 => Just(false), 4 => Just(true)],
        [wheel.clone(), wheel.clone(), wheel],
    );
    let project = option::weighted(0.75, project);
    vec(project, 6).prop_map(|projects| {
        let mut snapshot = Snapshot::default();
        for (project, of_project) in (0..).zip(projects) {
            let Some((version, is_wanted, wheels)) = of_project else {
                continue;
            };
            let version = version + 1;
            let mut state = ProjectState {
                versions: BTreeSet::from([format!("{version}.0").parse().unwrap()]),
                wanted: Some(is_wanted),
                ..ProjectState::default()
            };
            let tags = [
                "cp312-cp312-win_amd64",
                "cp313-cp313-win_amd64",
                "py3-none-any",
            ];
            for (tag, wheel) in tags.into_iter().zip(wheels) {
                let Some((content, requirements)) = wheel else {
                    continue;
                };
                let name = format!("p{project}-{version}.0-{tag}.whl");
                let wheel = WheelState {
                    content_id: Cid::v1(Codec::Raw, Sha256Digest::of(&[project, content])),
                    sha256: None,
                    // Two of the contents have one size.
                    size: (content > 0).then_some(100 + u64::from(project)),
                    tags: Vec::from([tag.to_owned()]),
                    declared: Some(Declared {
                        requirements: (0..requirements).map(|one| format!("r{one}")).collect(),
                        ..Declared::default()
                    }),
                };
                state.wheels.insert(name, wheel);
            }
            let name = format!("p{project}").parse().unwrap();
            snapshot.projects.insert(name, state);
        }
        snapshot
    })
}

#[test]
fn states_are_told_apart_as_a_plain_comparison_does() {
    let seen = [const { Cell::new(0_u32) }; 3];
    hold(2000, (state(), state()), |(old, new)| {
        let found = difference(&old, &new);
        // Projects.
        let names: BTreeSet<_> = old.projects.keys().chain(new.projects.keys()).collect();
        let differing: Vec<_> = names
            .iter()
            .filter(|name| old.projects.get(**name) != new.projects.get(**name))
            .copied()
            .collect();
        let told: Vec<_> = found.projects.iter().map(|one| one.name).collect();
        assert_eq!(told, differing);
        assert_eq!(found.unchanged, names.len() - differing.len());
        for project in &found.projects {
            let kind = match (project.old.is_some(), project.new.is_some()) {
                (true, true) => Kind::Changed,
                (true, false) => Kind::Removed,
                _ => Kind::Added,
            };
            assert_eq!(project.kind(), kind);
            // Every wheel of both is told once, or is the same in both.
            let all = |state: Option<&ProjectState>| -> BTreeMap<String, WheelState> {
                state.map(|state| state.wheels.clone()).unwrap_or_default()
            };
            let (before, after) = (all(project.old), all(project.new));
            let same = before
                .iter()
                .filter(|(name, wheel)| after.get(*name) == Some(*wheel));
            let same: BTreeSet<&String> = same.map(|(name, _)| name).collect();
            let told = |side: &dyn Fn(usize) -> Option<String>| -> Vec<String> {
                let mut names: Vec<String> = (0..project.wheels.len()).filter_map(side).collect();
                names.sort();
                names
            };
            let rest = |wheels: &BTreeMap<String, WheelState>| -> Vec<String> {
                let names = wheels.keys().filter(|name| !same.contains(name));
                names.cloned().collect()
            };
            assert_eq!(
                told(&|one| Some(project.wheels[one].old?.0.clone())),
                rest(&before)
            );
            assert_eq!(
                told(&|one| Some(project.wheels[one].new?.0.clone())),
                rest(&after)
            );
            assert_eq!(project.unchanged, same.len());
            for wheel in &project.wheels {
                let seen = &seen[match wheel.kind() {
                    Kind::Added => 0,
                    Kind::Changed => 1,
                    Kind::Removed => 2,
                }];
                seen.set(seen.get() + 1);
                // Those of one name belong together.
                if let (Some((old, _)), Some((new, _))) = (wheel.old, wheel.new) {
                    assert!(old == new || !(after.contains_key(old) || before.contains_key(new)));
                }
                if let (Some((_, old)), Some((_, new))) = (wheel.old, wheel.new) {
                    assert_eq!(wheel.has_other_bytes(), old.content_id != new.content_id);
                    let requirements = |wheel: &WheelState| {
                        wheel.declared.clone().unwrap_or_default().requirements
                    };
                    let mut undone = requirements(new);
                    for added in wheel.requirements().added {
                        assert!(undone.remove(&added));
                    }
                    undone.extend(wheel.requirements().removed);
                    assert_eq!(undone, requirements(old));
                }
            }
        }
        // What is to be moved.
        let contents = |state: &Snapshot| -> BTreeMap<Cid, Option<u64>> {
            let wheels = state.wheels();
            wheels
                .map(|(_, _, wheel)| (wheel.content_id, wheel.size))
                .collect()
        };
        let known = contents(&old);
        let moved: Vec<_> = contents(&new)
            .into_iter()
            .filter(|(cid, _)| !known.contains_key(cid))
            .collect();
        let transfer = estimate(&old, &new);
        assert_eq!(
            transfer.bytes,
            moved.iter().filter_map(|(_, size)| *size).sum::<u64>()
        );
        assert_eq!(
            transfer.unknown,
            moved.iter().filter(|(_, size)| size.is_none()).count()
        );
        assert!(!transfer.exact && difference(&new, &new).projects.is_empty());
    });
    let all = cases(2000);
    assert!(
        all < 1000 || seen.iter().all(|count| count.get() > all / 4),
        "{seen:?}"
    );
}

fn wheel(members: &[(&str, &str)]) -> WheelMembers {
    let facts = |(name, text): &(&str, &str)| MemberFacts {
        name: (*name).to_owned(),
        size: text.len() as u64,
        sha256: *Sha256Digest::of(text.as_bytes()).as_bytes(),
        is_native: text.starts_with("\u{7f}ELF"),
        is_bytecode: text.starts_with("\u{1}\r\r\n"),
    };
    let entry_points = members
        .iter()
        .find(|(name, _)| name.ends_with("/entry_points.txt"));
    WheelMembers {
        members: members.iter().map(facts).collect(),
        entry_points: entry_points.map(|(_, text)| (*text).to_owned()),
    }
}

#[test]
fn each_member_is_of_the_most_urgent_risk_that_it_has() {
    let old = wheel(&[
        ("foo/__init__.py", "1"),
        ("foo-1.0.dist-info/METADATA", "1"),
        ("foo-1.0.data/purelib/bar.py", ""),
    ]);
    for (path, text, risk) in [
        ("foo.pth", "", Risk::Startup),
        ("FOO.PTH", "", Risk::Startup),
        ("foo-1.1.data/purelib/x.pth", "", Risk::Startup),
        ("foo-1.1.data/platlib/sitecustomize.py", "", Risk::Startup),
        (
            "foo-1.1.data/data/lib/python3/site-packages/x.pth",
            "",
            Risk::Startup,
        ),
        ("foo.start", "", Risk::Startup),
        ("foo-1.1.data/platlib/foo.START", "", Risk::Startup),
        (
            "foo-1.1.data/data/Lib/site-packages/x.start",
            "",
            Risk::Startup,
        ),
        ("usercustomize/__init__.py", "", Risk::Startup),
        ("sitecustomize.pyc", "", Risk::Startup),
        ("foo/x.pyc", "", Risk::Bytecode),
        ("foo/__pycache__/X.CPYTHON-312.PYC", "", Risk::Bytecode),
        ("foo-1.1.data/data/x.pyo", "", Risk::Bytecode),
        ("foo-1.1.data/scripts/x.pyc", "", Risk::Bytecode),
        ("foo/data.bin", "\u{1}\r\r\n", Risk::Bytecode),
        (
            "sitecustomize.cpython-312-x86_64-linux-gnu.so",
            "\u{7f}ELF",
            Risk::Startup,
        ),
        ("foo/x.pth", "", Risk::Other),
        ("foo/x.start", "", Risk::Other),
        ("foo/sitecustomize.py", "", Risk::Other),
        ("foo/x.so", "", Risk::NativeCode),
        ("foo/libx.so.1.2", "", Risk::NativeCode),
        ("foo/X.PYD", "", Risk::NativeCode),
        ("foo/x.dylib", "", Risk::NativeCode),
        ("foo-1.1.data/scripts/x.exe", "", Risk::NativeCode),
        ("foo/data.txt", "\u{7f}ELF", Risk::NativeCode),
        ("foo-1.1.dist-info/entry_points.txt", "", Risk::EntryPoints),
        ("foo/entry_points.txt", "", Risk::Other),
        (
            "foo-1.1.data/purelib/bar-1.dist-info/entry_points.txt",
            "",
            Risk::EntryPoints,
        ),
        ("bar.egg-info/entry_points.txt", "", Risk::EntryPoints),
        ("foo-1.1.data/data/lib/python312.zip", "", Risk::Startup),
        ("foo-1.1.data/data/bin/foo", "", Risk::Script),
        ("foo-1.1.data/data/Scripts/foo.bat", "", Risk::Script),
        ("foo-1.1.data/scripts/foo", "", Risk::Script),
        ("foo-1.1.data/headers/foo.h", "", Risk::OutsidePackage),
        ("foo-1.1.data/data/etc/foo", "", Risk::OutsidePackage),
        (
            "foo-1.1.data/data/include/foo/x.h",
            "",
            Risk::OutsidePackage,
        ),
        // Where the environment is the interpreter's own, this is the standard library.
        (
            "foo-1.1.data/data/lib/python3.11/sitecustomize.py",
            "",
            Risk::Startup,
        ),
        ("foo-1.1.data/data/lib/python3.11/os.py", "", Risk::Startup),
        ("foo-1.1.data/data/Lib/os.py", "", Risk::Startup),
        ("foo-1.1.data/data/pyvenv.cfg", "", Risk::Startup),
        ("foo-1.1.data/data/pip.conf", "", Risk::Startup),
        ("foo-1.1.data/data/python311._pth", "", Risk::Startup),
        ("foo-1.1.data/scripts/python312._pth", "", Risk::Startup),
        ("other/__init__.py", "", Risk::OutsidePackage),
        ("foo-1.1.data/purelib/other.py", "", Risk::OutsidePackage),
        ("foo-1.1.data/purelib/bar.py", "2", Risk::Other),
        ("foo/new.py", "", Risk::Other),
        ("foo-1.1.dist-info/LICENSE", "", Risk::Other),
    ] {
        // What has the version in its name is where it was.
        let changes = member_changes(
            Some(&old),
            &wheel(&[(path, text), ("foo-1.1.dist-info/METADATA", "1")]),
        );
        let found = changes.members.iter().find(|one| one.path == path);
        assert_eq!(found.map(|one| one.risk), Some(risk), "{path}");
        assert_eq!(changes.unchanged, 1, "{path}");
    }
    // A wheel that is new has nothing that is outside of what was there.
    let changes = member_changes(
        None,
        &wheel(&[("a/__init__.py", ""), ("b/__init__.py", "")]),
    );
    assert!(
        changes
            .members
            .iter()
            .all(|one| one.risk == Risk::Other && one.kind == Kind::Added)
    );
}

#[test]
fn entry_points_are_compared_one_by_one_commands_first() {
    let of = |text: &str| wheel(&[("a-1.dist-info/entry_points.txt", text)]);
    let old =
        of("[console_scripts]\nsame = a:b\nchanged = a:b\ngone = a:b\n[plugins]\nchanged = a:b\n");
    let new = of(
        "; a comment = x\n# another = y\n[plugins]\nchanged=a:c\n[gui_scripts]\nwindow = a:w\n[ console_scripts ]\n  same = a:b\nchanged = evil:b [extra]\nno line\n",
    );
    let changes = member_changes(Some(&old), &new);
    // Where installers read it differently, that is said, and what one of them would make is there
    // all the same.
    assert_eq!(
        changes.unclear_entry_points,
        [
            "line 1 of entry_points.txt is a comment for some installers only: `; a comment = x`",
            "line 7 of entry_points.txt is a heading that installers read differently: `[ console_scripts ]`",
            "line 10 of entry_points.txt is neither a heading nor an entry point: `no line`",
        ]
    );
    assert_eq!(
        member_changes(Some(&new), &old).unclear_entry_points,
        [""; 0]
    );
    let changes = changes.entry_points;
    let told: Vec<String> = changes
        .iter()
        .map(|one| {
            let point = &one.entry_point;
            format!(
                "{:?} {} {} {:?} {:?}",
                one.kind,
                point.group,
                point.name,
                one.old.as_deref(),
                one.new.as_deref()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "Changed console_scripts changed Some(\"a:b\") Some(\"evil:b [extra]\")",
            "Removed console_scripts gone Some(\"a:b\") None",
            "Added gui_scripts window None Some(\"a:w\")",
            "Changed plugins changed Some(\"a:b\") Some(\"a:c\")",
        ]
    );
}

fn owner(project: &str, platform: Option<&str>) -> Owner {
    Owner {
        project: project.parse().unwrap(),
        platforms: platform.map(|platform| vec![platform.to_owned()]),
    }
}

#[test]
fn a_command_with_a_name_that_others_have_is_a_conflict() {
    let of = |text: &str| {
        let text = format!("[console_scripts]\n{text}");
        wheel(&[
            ("a-1.dist-info/entry_points.txt", &text),
            ("a-1.data/scripts/SSH.exe", "x"),
            ("a-1.data/data/bin/tool", "x"),
            ("a-1.data/scripts/deeper/git", "x"),
        ])
    };
    let new = of("python3.13 = a:b\nown = a:b\nShared.py = a:b\nelsewhere = a:b\n");
    let mut owners = NameOwners::default();
    let mut add = |project: &str, platform: Option<&str>, names: &[&str]| {
        let commands = names.iter().map(ToString::to_string).collect();
        let packages = Vec::new();
        owners.add(
            &owner(project, platform),
            &InstalledNames { commands, packages },
        );
    };
    add("a", Some("linux"), &["own", "shared"]);
    add("other", Some("linux"), &["shared", "tool"]);
    add("other", Some("windows"), &["elsewhere"]);
    add("third", None, &["SHARED.exe"]);
    let told = |old: Option<&WheelMembers>| -> Vec<String> {
        let linux = owner("a", Some("linux"));
        let old = old.map(|old| (old, &linux));
        let conflicts = command_conflicts(old, &new, &linux, &owners);
        let told = conflicts.iter().map(|one| {
            let projects: Vec<String> = one.projects.iter().map(ToString::to_string).collect();
            format!("{} {} {}", one.name, one.in_environment, projects.join("+"))
        });
        told.collect()
    };
    assert_eq!(
        told(None),
        [
            "SSH.exe true ",
            "Shared.py false other+third",
            "python3.13 true ",
            "tool false other"
        ]
    );
    // What was so before is not said again.
    assert_eq!(told(Some(&new)), [""; 0]);
    let old = of("python3.13 = a:c\nShared.py = a:b\n");
    assert_eq!(told(Some(&old)), ["python3.13 true "]);
}

#[test]
fn a_package_beside_a_module_of_its_name_is_imported_instead() {
    let old = wheel(&[("foo/__init__.py", "1"), ("foo/core.py", "1")]);
    let new = wheel(&[
        ("foo/__init__.py", "1"),
        ("foo/core.py", "1"),
        ("foo-1.1.data/purelib/foo/core/__init__.py", "1"),
        ("foo/native.py", "1"),
        ("foo/native/__init__.cpython-312-x86_64-linux-gnu.so", "1"),
        ("foo/other/__init__.py", "1"),
        ("foo/core/x.py", "1"),
    ]);
    let changes = member_changes(Some(&old), &new);
    let told = changes.of(Risk::ImportedInstead);
    let told: Vec<&str> = told.map(|change| change.path.as_str()).collect();
    assert_eq!(
        told,
        [
            "foo-1.1.data/purelib/foo/core/__init__.py",
            "foo/native/__init__.cpython-312-x86_64-linux-gnu.so",
        ]
    );
}

#[test]
fn a_package_where_others_have_theirs_is_a_conflict() {
    let new = wheel(&[
        ("own/__init__.py", "x"),
        ("Requests/api.py", "x"),
        ("a-1.data/platlib/certifi/cacert.pem", "x"),
        ("google/__init__.py", "x"),
        ("google/cloud/own.py", "x"),
        ("six/__init__.py", "x"),
        ("azure/core/own.py", "x"),
        ("elsewhere.py", "x"),
        ("a-1.data/data/lib/python3.12/site-packages/yaml/x.py", "x"),
        ("a-1.data/data/share/jupyter/x.py", "x"),
    ]);
    let mut owners = NameOwners::default();
    let mut add = |project: &str, platform: Option<&str>, names: &[&str]| {
        let packages = names.iter().map(ToString::to_string).collect();
        let commands = Vec::new();
        owners.add(
            &owner(project, platform),
            &InstalledNames { commands, packages },
        );
    };
    add("a", Some("linux"), &["own"]);
    add("requests", Some("linux"), &["requests"]);
    add("certifi", None, &["certifi"]);
    add(
        "google-cloud-storage",
        Some("linux"),
        &["google/cloud/storage"],
    );
    add("googler", Some("linux"), &["googler"]);
    add("six", Some("linux"), &["six"]);
    add(
        "azure-core",
        Some("linux"),
        &["azure/core/theirs", "azure/corelib"],
    );
    add("windows", Some("windows"), &["elsewhere"]);
    add("yaml", Some("linux"), &["yaml"]);
    add("jupyter", Some("linux"), &["share", "jupyter"]);
    let told = |old: Option<&WheelMembers>| -> Vec<String> {
        let linux = owner("a", Some("linux"));
        let old = old.map(|old| (old, &linux));
        let conflicts = package_conflicts(old, &new, &linux, &owners);
        let told = conflicts.iter().map(|one| {
            let projects: Vec<String> = one.projects.iter().map(ToString::to_string).collect();
            format!("{} {}", one.name, projects.join("+"))
        });
        told.collect()
    };
    assert_eq!(
        told(None),
        [
            "Requests/api requests",
            "certifi/cacert.pem certifi",
            "google google-cloud-storage",
            "six six",
            "yaml/x yaml",
        ]
    );
    // What was so before is not said again.
    assert_eq!(told(Some(&new)), [""; 0]);
    let old = wheel(&[("six/__init__.py", "y"), ("google/__init__.py", "y")]);
    assert_eq!(
        told(Some(&old)),
        [
            "Requests/api requests",
            "certifi/cacert.pem certifi",
            "yaml/x yaml"
        ]
    );
    // A wheel that is installed where it was not before, meets others there.
    let [linux, windows] = ["linux", "windows"].map(|platform| owner("a", Some(platform)));
    let conflicts = package_conflicts(Some((&new, &windows)), &new, &linux, &owners);
    let names: Vec<&str> = conflicts.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Requests/api", "google", "six", "yaml/x"]);
}

#[test]
fn a_package_that_environments_bring_along_is_told() {
    let members = wheel(&[
        ("_distutils_hack/__init__.py", "x"),
        ("pip/_internal/x.py", "x"),
        ("pipx/__init__.py", "x"),
        ("Setuptools/__init__.py", "x"),
    ]);
    let told = |project: &str| -> Vec<String> {
        let owner = owner(project, None);
        let conflicts = package_conflicts(None, &members, &owner, &NameOwners::default());
        let told = conflicts.into_iter().filter(|one| one.in_environment);
        told.map(|one| one.name).collect()
    };
    assert_eq!(
        told("evil"),
        ["Setuptools", "_distutils_hack", "pip/_internal/x"]
    );
    assert_eq!(told("setuptools"), ["pip/_internal/x"]);
    let changes = member_changes(None, &members);
    let startup: Vec<&str> = changes
        .of(Risk::Startup)
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(startup, ["_distutils_hack/__init__.py"]);
}
