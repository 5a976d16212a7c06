//! Releases of the layout `ipwhl-1`: real Kubo and the original's own publisher as judges of their
//! roots.

use std::fs;
use std::path::Path;
use std::process::Command;

use ipwhl_unixfs::Profile;

use crate::clients::Pip;
use crate::kubo::Kubo;
use crate::original::SETTINGS;
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::serving::Serving;
use crate::support::tool;
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::{Workshop, files, pure};

/// The folder with nothing in it, which the original's guide for users has as an empty release.
const EMPTY: &str = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";

fn declared(wheel: &WheelBuilder, folder: &str) -> (String, String) {
    let sum = folder.chars().map(u32::from).sum::<u32>() & 0xff;
    let name = wheel.file_name();
    let path = format!(
        "pkgs/{sum:02x}/{folder}/{}.toml",
        name.strip_suffix(".whl").unwrap()
    );
    let text = Project::wanted(Wheel::from(wheel.clone()))
        .unset("sha256")
        .unset("size")
        .text(Profile::UnixfsV0_2015);
    (path, text)
}

/// A repository of the original's layout with these wheels, each in the folder of this name.
fn original(wheels: &[(&str, WheelBuilder)]) -> RepositoryBuilder {
    let mut repository = RepositoryBuilder::new()
        .configuration_text(SETTINGS)
        .file("SUPPORTED", "cp311 manylinux1_x86_64\n")
        .file("pkgs/.gitkeep", "");
    for (folder, wheel) in wheels {
        let (path, text) = declared(wheel, folder);
        repository = repository
            .file(&path, text)
            .file(&format!("wheels/{}", wheel.file_name()), wheel.build());
    }
    repository
}

fn small() -> RepositoryBuilder {
    original(&[
        (
            "Application",
            pure("application", "1.0").requires("library>=2"),
        ),
        ("library", pure("library", "2.1.post1")),
        (
            "Large",
            pure("large", "1.0").member("large.bin", crate::dag::Seeded::bytes("large", 900_000)),
        ),
    ])
}

fn added(kubo: &Kubo, tree: &Path) -> String {
    kubo.text(&[
        "add",
        "-r",
        "-Q",
        "--progress=false",
        tree.to_str().unwrap(),
    ])
}

#[test]
fn an_empty_repository_has_the_root_of_the_originals_guide() {
    let workshop = Workshop::with(&original(&[]));
    assert_eq!(workshop.build(&["--root-only"]), EMPTY);
    assert_eq!(workshop.build(&["--unsigned"]), EMPTY);
    assert_eq!(workshop.run(&["verify", "release"]).line(), EMPTY);
}

#[test]
fn kubo_gives_the_originals_tree_the_same_root() {
    let kubo = Kubo::new(Profile::UnixfsV0_2015);
    let workshop = Workshop::with(&small());
    let root = workshop.build(&["--tree", "tree"]);
    let tree = workshop.repository().join("tree");
    let names: Vec<String> = files(&tree).into_keys().collect();
    assert_eq!(
        names,
        [
            "application/application-1.0-py3-none-any.whl",
            "large/large-1.0-py3-none-any.whl",
            "library/library-2.1.post1-py3-none-any.whl",
        ]
    );
    assert_eq!(added(&kubo, &tree), root);
    assert_eq!(workshop.build(&["--root-only"]), root);
    let statement = [
        "verify",
        "release",
        "--statement",
        "release/release.toml",
        "--any-signer",
    ];
    assert_eq!(workshop.run(&statement).line(), root);
}

/// More than 5,600 short names, or fewer long ones, make the root a HAMT.
#[test]
fn kubo_gives_a_sharded_root_the_same_cid() {
    let kubo = Kubo::new(Profile::UnixfsV0_2015);
    let wheels: Vec<(String, WheelBuilder)> = (0..1150)
        .map(|number| format!("{}{number:04}", "n".repeat(200)))
        .map(|name| (name.clone(), WheelBuilder::new(&name, "1")))
        .collect();
    let wheels: Vec<(&str, WheelBuilder)> = wheels
        .iter()
        .map(|(name, wheel)| (name.as_str(), wheel.clone()))
        .collect();
    let workshop = Workshop::with(&original(&wheels));
    let root = workshop.build(&["--unsigned", "--tree", "tree"]);
    assert_eq!(added(&kubo, &workshop.repository().join("tree")), root);
    // Kubo leads paths through a HAMT, so the node is read as a whole.
    let node: serde_json::Value = serde_json::from_str(&kubo.text(&["dag", "get", &root])).unwrap();
    let first = node["Links"][0]["Name"].as_str().unwrap();
    assert!(first.starts_with("00"), "not sharded: {first}");
}

/// The original published by its own tool, into Kubo's mutable files.
#[test]
fn the_originals_publisher_comes_to_the_same_root() {
    let (kubo, python) = (Kubo::new(Profile::UnixfsV0_2015), tool("original"));
    let workshop = Workshop::with(&small());
    let root = workshop.build(&["--root-only"]);
    // Its sources are addresses, and `file:` ones are absolute there.
    let copy = workshop.path("copy");
    for (path, bytes) in files(&workshop.repository().join("pkgs")) {
        let text = String::from_utf8(bytes).unwrap();
        let wheels = format!("file://{}/wheels/", workshop.repository().display());
        let file = copy.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text.replace("file:wheels/", &wheels)).unwrap();
    }
    kubo.text(&["files", "mkdir", "/release"]);
    let program = kubo.command(&[]);
    let folder = Path::new(program.get_program()).parent().unwrap();
    let mut publish = Command::new(python);
    publish
        .args(["-m", "ipwhl.publish"])
        .args([copy.as_os_str(), "/release".as_ref()])
        .env("PATH", folder);
    for (name, value) in program.get_envs() {
        publish.env(name, value.unwrap_or_default());
    }
    let done = publish.output().unwrap();
    let words = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(
        words
            .trim_end()
            .ends_with(&format!("published to /ipfs/{root}")),
        "{words}"
    );
}

#[test]
fn hollow_and_filled_again_it_is_the_same_archive() {
    let workshop = Workshop::with(&small());
    let root = workshop.build(&["--unsigned"]);
    let whole = workshop.read("release.car");
    workshop.run(&["hollow", "release"]).line();
    fs::remove_file(workshop.release("release.car")).unwrap();
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    // It carries no declarations: those of the repository around say where wheels are.
    let line = ["fill", "release/release.hollow.car"];
    assert_eq!(workshop.run(&line).line(), root);
    assert!(workshop.read("release.car") == whole);
}

/// A folder without a page is a list of links, which pip reads as it read the original's gateway.
#[test]
fn pip_installs_from_a_served_release() {
    let pip = Pip::new();
    let workshop = Workshop::with(&small());
    let root = workshop.build(&["--unsigned"]);
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    assert!(serving.url.contains(&root), "{}", serving.url);
    pip.install(&serving.url, &["application"]);
    pip.check();
}

/// Two spellings of one name with the same wheel are one file; with other bytes nothing is built.
#[test]
fn a_wheel_declared_under_two_spellings_stands_there_once() {
    let yak = WheelBuilder::new("yak-herd", "1.0");
    let once = Workshop::with(&original(&[("yak-herd", yak.clone())]));
    let twice = Workshop::with(&original(&[("yak-herd", yak.clone()), ("yak.herd", yak)]));
    twice
        .run(&["build", "--root-only"])
        .refused(1, &["ambiguous-wheels"]);
    let allowed = ["--root-only", "--allow", "ambiguous-wheels"];
    assert_eq!(twice.build(&allowed), once.build(&["--root-only"]));
}

/// What history wrote is let pass, and the release has the wheel.
#[test]
fn what_old_rules_took_can_be_allowed() {
    let stone = WheelBuilder::new("stone", "2.0");
    let dropbox = WheelBuilder::new("dropbox", "1.0").requires("stone>=2.*");
    let mut repository = original(&[("stone", stone), ("dropbox", dropbox.clone())]);
    let (path, text) = declared(&dropbox, "dropbox");
    let text = text
        .replace("dependencies = []", "dependencies = [\"stone>=2.*\"]")
        .replace("extras = []", "extras = [\"#testing\"]");
    repository = repository.file(&path, text);
    let workshop = Workshop::with(&repository);
    let codes = ["invalid-requirement", "invalid-extra"];
    workshop.run(&["build", "--root-only"]).refused(1, &codes);
    let texts = "invalid-requirement,invalid-extra";
    let line = ["build", "--root-only", "--allow", texts];
    workshop.run(&line).refused(1, &["legacy-metadata"]);
    let root = workshop.build(&[
        "--root-only",
        "--allow",
        texts,
        "--allow",
        "legacy-metadata",
    ]);
    // In the repository's own settings the same, and the same root.
    let settings = "\n[severity]\ninvalid-requirement = \"warning\"\ninvalid-extra \
                    = \"warning\"\nlegacy-metadata = \"warning\"\n";
    workshop.write(&repository.configuration(settings));
    assert_eq!(workshop.build(&["--root-only"]), root);
}

#[test]
fn an_option_lets_nothing_pass_that_is_about_bytes_and_changes_no_root() {
    let workshop = Workshop::small();
    let root = workshop.build(&["--root-only"]);
    for code in ["several-versions", "tag-mismatch"] {
        assert_eq!(workshop.build(&["--root-only", "--allow", code]), root);
    }
    let refused = [
        ("content-id-mismatch", "cannot be changed"),
        ("record-mismatch", "cannot be changed"),
        ("several-version", "did you mean `several-versions`?"),
        ("what", "`ipwhl explain` lists the codes"),
    ];
    for command in ["check", "build"] {
        for (code, words) in refused {
            workshop
                .run(&[command, "--allow", code])
                .refused(2, &[code, words]);
        }
    }
}

/// Behind a plain web server, too: verified file by file, and brought elsewhere.
#[cfg(unix)]
#[test]
fn a_release_of_the_original_layout_is_a_site() {
    let workshop = Workshop::with(&small());
    let target = "[publish.site]\nkind = \"directory\"\npath = \"../site\"\nlatest = \"\"\n";
    crate::publish_kubo::settings(&workshop, target);
    let root = workshop.build(&[]);
    crate::publish_kubo::succeeded(workshop.run(&["publish"]));
    let server = crate::site::serve(&workshop.path("site"));
    let url = server.url("/");
    let ran = workshop.run(&["verify", &url, "--any-signer"]);
    assert_eq!(ran.line(), root);
    let output = workshop.path("elsewhere");
    let fetch = ["fetch", &url, "--any-signer", "--output"];
    let ran = workshop.run(&[&fetch[..], &[output.to_str().unwrap()]].concat());
    assert_eq!(ran.line(), root);
    assert!(fs::read(output.join("release.car")).unwrap() == workshop.read("release.car"));
}
