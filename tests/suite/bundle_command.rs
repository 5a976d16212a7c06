//! `ipwhl bundle`: a part of a release as a folder that needs no network.

mod clients;
mod hostile;
#[cfg(target_os = "linux")]
mod interrupted;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ipwhl::release::signature::SigningKey;

use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Ran, Workshop, files, pure, stored};

const VERIFY: [&str; 4] = ["verify", "../stick", "--allowed-signers", "../signers"];

/// The names of the wheels of `gadget-kit`, with every character that such a name may have.
const LINUX: &str = "Gadget_Kit-1!2.0+local.1-cp312-cp312-manylinux_2_28_x86_64.whl";
const WINDOWS: &str = "Gadget_Kit-1!2.0+local.1-cp312-cp312-win_amd64.whl";

fn gadget(system: &str) -> crate::support::wheel_builder::WheelBuilder {
    stored("Gadget.Kit", "1!2.0+local.1")
        .tag(&format!("cp312-cp312-{system}"))
        .member("gadget_kit.py", format!("system = {system:?}\n"))
}

/// `application` needs `library`, on Windows `winning`, and with its extra `colour` the project of
/// that name. `gadget-kit` has a wheel for each system.
fn set() -> RepositoryBuilder {
    let application = pure("application", "1.0")
        .requires("library>=2")
        .requires("winning; sys_platform == 'win32'")
        .extra("colour")
        .requires("colour; extra == 'colour'");
    let gadgets = Project::wanted(gadget("manylinux_2_28_x86_64")).wheel(gadget("win_amd64"));
    RepositoryBuilder::new()
        .platforms(&["cp312"], &["manylinux_2_28_x86_64", "win_amd64"])
        .format_2()
        .project(Project::wanted(application).set("uploaded", "2023-08-17T17:29:11Z"))
        .project(Project::automatic(pure("library", "2.1.post1")))
        .project(Project::automatic(pure("winning", "1.0")))
        .project(Project::automatic(pure("colour", "0.3")))
        .project(gadgets)
}

fn keep_keys(workshop: &Workshop) {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    fs::write(workshop.path("key"), key.to_openssh().unwrap()).unwrap();
    let line = key.public().allowed_signers_line("maintainer").unwrap();
    fs::write(workshop.path("signers"), line).unwrap();
}

/// A signed release of this repository, and a file with the key that is trusted.
fn released(repository: &RepositoryBuilder) -> (Workshop, String) {
    let workshop = Workshop::with(repository);
    keep_keys(&workshop);
    let root = workshop.build(&["--key", "../key", "--tree", "../tree"]);
    (workshop, root)
}

/// Writes the bundle `stick`.
#[track_caller]
fn bundle(workshop: &Workshop, arguments: &[&str]) -> Ran {
    let ran = workshop.run(&[&["bundle", "--output", "../stick"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    ran
}

/// The paths in a folder.
fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

/// What `ipwhl lock` says, with the places of the wheels in a bundle.
fn lock(workshop: &Workshop, arguments: &[&str]) -> String {
    let ran = workshop.run(&[&["lock"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    ran.output.replace("path = \"", "path = \"simple/")
}

/// A bundle has exactly the closure of the named projects, with the bytes of the release.
#[test]
fn a_bundle_has_what_was_asked_for() {
    let (workshop, root) = released(&set());
    let ran = bundle(&workshop, &["Application[colour]"]);
    assert_eq!(ran.line(), root);
    ran.said("wrote ../stick: 4 projects, 4 wheels, 23 files, ");
    ran.said("`pip install --no-index -r ../stick/pylock.toml`");
    ran.said("`ipwhl verify ../stick --allowed-signers FILE`");
    let stick = files(&workshop.path("stick"));
    let mut expected: Vec<String> = [
        "bundle.toml",
        "find-links.html",
        "pylock.toml",
        "release.hollow.car",
        "release.toml",
        "release.toml.sig",
        "simple/index.html",
    ]
    .map(str::to_owned)
    .into();
    for (project, version) in [
        ("application", "1.0"),
        ("colour", "0.3"),
        ("library", "2.1.post1"),
        ("winning", "1.0"),
    ] {
        let wheel = format!("{project}-{version}-py3-none-any.whl");
        for file in ["declaration.toml", "index.html", &wheel] {
            expected.push(format!("simple/{project}/{file}"));
        }
        expected.push(format!("simple/{project}/{wheel}.metadata"));
    }
    expected.sort();
    assert_eq!(stick.keys().cloned().collect::<Vec<_>>(), expected);
    // Each file is that of the release, and pages have fewer lines.
    let tree = files(&workshop.path("tree"));
    for (path, bytes) in &stick {
        if let Some(path) = path.strip_prefix("simple/") {
            assert!(path == "index.html" || tree[path] == *bytes, "{path}");
        }
    }
    let text = |path: &str| String::from_utf8(stick[path].clone()).unwrap();
    let page = text("simple/index.html");
    assert_eq!(page.matches("<a href=").count(), 4, "{page}");
    let page = text("find-links.html");
    assert_eq!(page.matches("<a href=\"simple/").count(), 4, "{page}");
    let lock = lock(&workshop, &["application[colour]"]);
    assert_eq!(text("pylock.toml").trim_end(), lock.trim_end());
    assert_eq!(stick["release.toml"], workshop.read("release.toml"));
    workshop.run(&["hollow", "release"]).line();
    assert_eq!(
        stick["release.hollow.car"],
        workshop.read("release.hollow.car")
    );
    let ran = workshop.run(&VERIFY);
    assert_eq!(ran.line(), root);
    ran.said("stick: `application[colour]`: 4 projects, 4 wheels, 21 files, ");
    ran.said(&format!("all belong to the release {root}"));
    ran.said("example, sequence 1, is vouched for by maintainer");
}

/// Without names it is the whole set: every wheel, and the pages of the release as they are.
#[test]
fn without_names_it_is_the_whole_set() {
    let (workshop, root) = released(&set());
    let ran = bundle(&workshop, &[]);
    ran.said("5 projects, 6 wheels");
    ran.said("`pip install --no-index -r '../stick/pylock.toml[application]'`");
    let mut tree = files(&workshop.path("tree"));
    tree.retain(|path, _| !path.ends_with("_json") && !path.contains("_ipwhl"));
    tree.remove("pylock.toml");
    let stick = files(&workshop.path("stick"));
    let simple = stick.iter().filter_map(|(path, bytes)| {
        let path = path.strip_prefix("simple/")?;
        Some((path.to_owned(), bytes.clone()))
    });
    assert_eq!(simple.collect::<BTreeMap<_, _>>(), tree);
    let text = String::from_utf8(stick["pylock.toml"].clone()).unwrap();
    assert_eq!(text.trim_end(), lock(&workshop, &[]).trim_end());
    let ran = workshop.run(&VERIFY);
    assert_eq!(ran.line(), root);
    ran.said("the whole set: 5 projects, 6 wheels");
}

/// `--platform` leaves out the wheels of other platforms, whatever it is called.
#[test]
fn a_bundle_for_some_platforms() {
    let (workshop, root) = released(&set());
    let stick = workshop.path("stick");
    let wheels = |names: &[String]| -> Vec<String> {
        let wheels = names
            .iter()
            .filter(|name| name.rsplit('.').next() == Some("whl"));
        let wheels = wheels.filter_map(|name| name.rsplit('/').next());
        wheels.map(str::to_owned).collect()
    };
    let [application, library, winning] = ["application-1.0", "library-2.1.post1", "winning-1.0"]
        .map(|name| format!("{name}-py3-none-any.whl"));
    bundle(
        &workshop,
        &[
            "application",
            "gadget-kit",
            "--platform",
            "manylinux_2_28_x86_64",
        ],
    );
    let linux = [&application, LINUX, &library].map(str::to_owned);
    assert_eq!(wheels(&names(&stick)), linux);
    bundle(
        &workshop,
        &["application", "gadget-kit", "--platform", "win_amd64"],
    );
    let windows = [&application, WINDOWS, &library, &winning].map(str::to_owned);
    assert_eq!(wheels(&names(&stick)), windows);
    let first = files(&stick);
    let text = String::from_utf8(first["pylock.toml"].clone()).unwrap();
    assert!(text.contains(WINDOWS) && !text.contains(LINUX), "{text}");
    assert!(!text.contains("marker"), "{text}");
    assert_eq!(text.matches("path = ").count(), 4, "{text}");
    let page = String::from_utf8(first["simple/gadget-kit/index.html"].clone()).unwrap();
    assert_eq!(page.matches("<a href=").count(), 1, "{page}");
    let ran = workshop.run(&VERIFY);
    assert_eq!(ran.line(), root);
    ran.said("`application`, `gadget-kit` for `cp312-win_amd64`: 4 projects");
    bundle(
        &workshop,
        &["Gadget_Kit", "application", "--platform", "cp312-win_amd64"],
    );
    assert!(files(&stick) == first);
    // The whole set, too.
    bundle(&workshop, &["--platform", "win_amd64"]);
    assert_eq!(wheels(&names(&stick)).len(), 5);
    workshop.run(&VERIFY).line();
}

/// The same release gives the same bytes, on any machine.
#[test]
fn the_same_release_gives_the_same_bytes() {
    let (one, root) = released(&set());
    bundle(&one, &["application[colour]", "gadget-kit"]);
    let first = files(&one.path("stick"));
    bundle(&one, &["gadget-kit", "application[colour]"]);
    assert!(files(&one.path("stick")) == first);
    let (other, other_root) = released(&set());
    assert_eq!(root, other_root);
    for name in ["release.toml", "release.toml.sig"] {
        fs::copy(one.release(name), other.release(name)).unwrap();
    }
    bundle(&other, &["gadget-kit", "application[colour]"]);
    assert!(files(&other.path("stick")) == first);
    let place = one.path("").display().to_string();
    for (path, bytes) in &first {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(place.trim_end_matches('/')), "{path}");
    }
}

/// What a release does not have is named, with what was perhaps meant.
#[test]
fn what_the_release_does_not_have_is_named() {
    let (workshop, _) = released(&set());
    for (arguments, words) in [
        (&["aplication"][..], "did you mean `application`?"),
        (&["application[color]"], "did you mean `colour`?"),
        (&["zebra"], "`zebra` is not in the set"),
        (&["application==1.0"], "write `application`"),
        (
            &["application", "--platform", "win_amd65"],
            "did you mean `win_amd64`?",
        ),
        (
            &["winning", "--release", "../none"],
            "`../none` is neither an existing file nor a root CID",
        ),
        (&["--release", "release/release.toml"], "release.toml"),
        (&["--statement", "../none.toml"], "none.toml"),
        (
            &["--release", "../tree"],
            "`../tree` is a folder without an archive of a release",
        ),
    ] {
        let ran = workshop.run(&[&["bundle", "--output", "../stick"], arguments].concat());
        assert!(matches!(ran.code, Some(1..=3)), "{arguments:?}: {ran:?}");
        assert!(ran.error.contains(words), "{arguments:?}: {}", ran.error);
        assert!(ran.error.contains("help: "), "{arguments:?}: {}", ran.error);
        assert!(!workshop.path("stick").exists());
    }
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    let ran = workshop.run(&["bundle"]);
    ran.refused(2, &["there is no release in `release`", "--release"]);
    // A project without a wheel for the platform.
    let of_windows =
        Project::wanted(gadget("win_amd64")).set("only", "\"sys_platform == 'win32'\"");
    let (workshop, _) = released(&set().project(of_windows));
    let arguments = [
        "bundle",
        "gadget-kit",
        "--platform",
        "manylinux_2_28_x86_64",
    ];
    let ran = workshop.run(&arguments);
    ran.refused(
        2,
        &["the release does not have `gadget-kit` on these platforms"],
    );
}

/// Only an earlier bundle is replaced.
#[test]
fn only_a_bundle_is_replaced() {
    let (workshop, _) = released(&set());
    let stick = workshop.path("stick");
    let refused = |words: &str| {
        let ran = workshop.run(&["bundle", "--output", "../stick"]);
        ran.refused(
            2,
            &[words, "so it is not replaced", "or is an earlier bundle"],
        );
    };
    fs::write(&stick, "x").unwrap();
    refused("is a file");
    fs::remove_file(&stick).unwrap();
    fs::create_dir(&stick).unwrap();
    bundle(&workshop, &["colour"]);
    bundle(&workshop, &["library"]);
    assert!(!names(&stick).iter().any(|name| name.contains("colour")));
    fs::write(stick.join("letter.txt"), "x").unwrap();
    refused("is a bundle with another file, `letter.txt`");
    assert!(stick.join("letter.txt").exists());
    fs::remove_file(stick.join("letter.txt")).unwrap();
    fs::write(stick.join("bundle.toml"), "[other]\n").unwrap();
    refused("is a folder that is no bundle");
    let ran = workshop.run(&["bundle", "--output", "release"]);
    ran.refused(2, &["is a folder that is no bundle"]);
    let ran = workshop.run(&["bundle", "--output", "/dev/null"]);
    ran.refused(2, &["is a file"]);
    #[cfg(unix)]
    {
        let pipe = workshop.path("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let ran = workshop.run(&["bundle", "--output", "../pipe"]);
        ran.refused(2, &["is a file"]);
    }
}

/// Wheels that a hollow archive does not have come from the cache, else from their sources.
#[test]
fn wheels_of_a_hollow_release() {
    let (workshop, root) = released(&set());
    bundle(&workshop, &["application"]);
    let whole = files(&workshop.path("stick"));
    workshop.run(&["hollow", "release"]).line();
    fs::remove_file(workshop.release("release.car")).unwrap();
    fs::remove_dir_all(workshop.path("stick")).unwrap();
    let offline = ["application", "--offline"];
    assert_eq!(bundle(&workshop, &offline).line(), root);
    assert!(files(&workshop.path("stick")) == whole);
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    bundle(&workshop, &offline);
    assert!(files(&workshop.path("stick")) == whole);
    // A wheel that is nowhere.
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    fs::remove_dir_all(workshop.path("stick")).unwrap();
    let wheels = workshop.repository().join("wheels");
    fs::remove_file(wheels.join("library-2.1.post1-py3-none-any.whl")).unwrap();
    let ran = workshop.run(&[&["bundle", "--output", "../stick"], &offline[..]].concat());
    let words = "no bundle was written: the release does not have all wheels";
    ran.refused(3, &["library-2.1.post1-py3-none-any.whl", words]);
    assert!(!workshop.path("stick").exists());
}

/// A damaged wheel in the cache does not get into a bundle.
#[test]
fn a_damaged_wheel_of_the_cache_is_refused() {
    let (workshop, _) = released(&set());
    workshop.run(&["hollow", "release"]).line();
    fs::remove_file(workshop.release("release.car")).unwrap();
    for entry in fs::read_dir(workshop.path("cache/wheels")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "whl") {
            let mut bytes = fs::read(&path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
    }
    let arguments = ["bundle", "application", "--output", "../stick"];
    let ran = workshop.run(&arguments);
    ran.refused(3, &["is damaged or missing", "run the same command again"]);
    assert!(!workshop.path("stick").exists());
}

/// The statement is that of the release, or there is none, which the program says.
#[test]
fn the_statement_is_that_of_the_release() {
    let (workshop, _) = released(&set());
    let folder = workshop.repository().join("release");
    fs::rename(&folder, workshop.path("old")).unwrap();
    workshop.write_over(&set().project(Project::wanted(pure("newer", "1"))));
    workshop.build(&["--key", "../key"]);
    let other = ["bundle", "--statement", "../old/release.toml"];
    let ran = workshop.run(&other);
    ran.refused(1, &["release.toml` vouches for ", "and the release is "]);
    fs::remove_file(folder.join("release.toml")).unwrap();
    let ran = bundle(&workshop, &["application"]);
    ran.said("has no statement, so nothing will vouch for the bundle");
    let ran = workshop.run(&["verify", "../stick"]);
    ran.refused(
        1,
        &[
            "all belong to the release",
            "the bundle has no `release.toml`",
        ],
    );
    let ran = workshop.run(&VERIFY);
    ran.refused(1, &["the bundle has no `release.toml`"]);
    let expiring = [
        "--key",
        "../key",
        "--expires",
        "30d",
        "--previous",
        "../old/release.toml",
    ];
    workshop.build(&expiring);
    let ran = bundle(&workshop, &["application"]);
    ran.said("`ipwhl verify` accepts it until its statement expires: 2");
    workshop.run(&VERIFY).line();
}

/// Without a trusted key, `verify` fails, and still says what it has proved.
#[test]
fn what_vouches_for_a_bundle_is_said() {
    let (workshop, root) = released(&set());
    bundle(&workshop, &["application"]);
    fs::rename(workshop.repository(), workshop.path("elsewhere")).unwrap();
    let ran = workshop.run(&["verify", "stick"]);
    ran.refused(
        1,
        &[
            &format!("all belong to the release {root}"),
            "--allowed-signers FILE",
        ],
    );
    let ran = workshop.run(&["verify", "stick", "--any-signer"]);
    assert_eq!(ran.line(), root);
    ran.said("`--any-signer` accepts any key");
    let other = SigningKey::from_seed(&[2; 32]).unwrap();
    let line = other.public().allowed_signers_line("other").unwrap();
    fs::write(workshop.path("others"), line).unwrap();
    let ran = workshop.run(&["verify", "stick", "--allowed-signers", "others"]);
    ran.refused(1, &["has 0 of the 1 trusted signatures that it needs"]);
    let ran = workshop.run(&[
        "verify",
        "stick",
        "--trusted-statement",
        "elsewhere/release/release.toml",
    ]);
    assert_eq!(ran.line(), root);
}
