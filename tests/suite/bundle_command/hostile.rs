//! A bundle that is not what it was: `ipwhl verify` names each file, and waits for none.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ipwhl::publish::{BundleDescription, BundleError, BundlePlan};
use ipwhl_unixfs::car::CarReader;

use super::{LINUX, VERIFY, bundle, gadget, released, set};
use crate::reuse::trusted;
use crate::support::in_process::BuiltRelease;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Ran, Workshop, files, pure, stored};

/// A release and a bundle of it, and the bundle's files as they were.
struct Stick {
    workshop: Workshop,
    files: BTreeMap<String, Vec<u8>>,
}

impl Stick {
    fn new() -> Self {
        let (workshop, _) = released(&set());
        bundle(&workshop, &["application[colour]", "gadget-kit"]);
        let files = files(&workshop.path("stick"));
        Self { workshop, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.workshop.path("stick").join(name)
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.files[name].clone()).unwrap()
    }

    fn verify(&self) -> Ran {
        self.workshop.run(&VERIFY)
    }

    /// Writes the bundle as it was.
    fn restore(&self) {
        fs::remove_dir_all(self.path("")).unwrap();
        for (name, bytes) in &self.files {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// That a change is refused with these words, and that nothing else was wrong.
    #[track_caller]
    fn refuses(&self, change: impl FnOnce(), words: &[&str]) {
        change();
        self.verify().refused(1, words);
        self.restore();
        self.verify().line();
    }
}

/// A file of each kind, by its path.
const KINDS: &[&str] = &[
    "bundle.toml",
    "find-links.html",
    "pylock.toml",
    "release.hollow.car",
    "release.toml",
    "release.toml.sig",
    "simple/index.html",
    "simple/library/declaration.toml",
    "simple/library/index.html",
    "simple/library/library-2.1.post1-py3-none-any.whl",
    "simple/library/library-2.1.post1-py3-none-any.whl.metadata",
];

#[test]
fn one_changed_byte_in_any_file_is_found() {
    let stick = Stick::new();
    let kinds = stick.files.keys().map(|path| match path.rsplit_once('.') {
        Some((_, ending)) if path.starts_with("simple/") => ending,
        _ => path.as_str(),
    });
    let kinds: std::collections::BTreeSet<_> = kinds.collect();
    assert_eq!(kinds.len(), KINDS.len() - 1, "{kinds:?}");
    for name in KINDS {
        let whole = &stick.files[*name];
        let mut ways: Vec<Vec<u8>> = Vec::new();
        for position in (0..whole.len()).step_by(whole.len() / 6 + 1) {
            let mut changed = whole.clone();
            changed[position] ^= 0x10;
            ways.push(changed);
        }
        ways.push([&whole[..], b"\n"].concat());
        ways.push(whole[..whole.len() - 1].to_vec());
        ways.push(Vec::new());
        for (number, bytes) in ways.into_iter().enumerate() {
            fs::write(stick.path(name), bytes).unwrap();
            let ran = stick.verify();
            // White space at the end of a signature has no meaning.
            let is_signature = *name == "release.toml.sig" && ran.code == Some(0);
            assert!(
                is_signature && number >= 6 || ran.code == Some(1),
                "{name}: {ran:?}"
            );
            let said = ran.error.contains(name) || name.starts_with("release.");
            assert!(said, "{name}: {}", ran.error);
        }
        fs::write(stick.path(name), whole).unwrap();
        stick.verify().line();
    }
}

#[test]
fn a_missing_file_is_named() {
    let stick = Stick::new();
    for name in stick.files.keys() {
        fs::remove_file(stick.path(name)).unwrap();
        let ran = stick.verify();
        assert_ne!(ran.code, Some(0), "{name}");
        assert!(ran.error.contains(name), "{name}: {}", ran.error);
        fs::write(stick.path(name), &stick.files[name]).unwrap();
    }
    stick.verify().line();
}

/// Without the files that only bundles have, and with an archive that trusted keys have signed, a
/// bundle is not the folder of a release: nothing would compare what pip installs.
#[test]
fn a_bundle_does_not_become_a_release() {
    let stick = Stick::new();
    let built = stick.workshop.path("repository/release");
    for kept in ["simple", "pylock.toml"] {
        for name in ["bundle.toml", "find-links.html", "release.hollow.car"] {
            fs::remove_file(stick.path(name)).unwrap();
        }
        fs::copy(built.join("release.car"), stick.path("release.car")).unwrap();
        if kept == "simple" {
            fs::remove_file(stick.path("pylock.toml")).unwrap();
        } else {
            fs::rename(stick.path("simple"), stick.path("other")).unwrap();
        }
        for more in [&[][..], &["--statement", "../stick/release.toml"]] {
            let ran = stick.workshop.run(&[&VERIFY[..], more].concat());
            ran.refused(3, &["release.hollow.car", "damaged or altered"]);
        }
        stick.restore();
    }
    stick.verify().line();
}

/// Nor does it become a site, of which only the newest release is verified. A site's own link to
/// that release may have the name of a bundle's folder.
#[test]
fn a_bundle_does_not_become_a_site() {
    let target = "[publish.site]\nkind = \"directory\"\npath = \"../stick\"\nlatest = \"simple\"\n";
    let (workshop, root) = released(&set().configuration(&trusted()).configuration(target));
    assert_eq!(workshop.run(&["publish"]).code, Some(0));
    let simple = workshop.path("stick/simple");
    let other = workshop.path("stick/other");
    let lock = workshop.path("stick/pylock.toml");
    let refused = || workshop.run(&VERIFY).refused(3, &["release.hollow.car"]);
    assert!(workshop.run(&VERIFY).line().contains(&root));

    fs::write(&lock, "lock-version = \"1.0\"\n").unwrap();
    refused();
    fs::remove_file(&lock).unwrap();
    fs::remove_file(&simple).unwrap();
    fs::create_dir(&simple).unwrap();
    refused();
    fs::rename(&simple, &other).unwrap();
    std::os::unix::fs::symlink("other", &simple).unwrap();
    refused();
    fs::remove_file(&simple).unwrap();
    std::os::unix::fs::symlink(&root, &simple).unwrap();
    assert!(workshop.run(&VERIFY).line().contains(&root));
}

/// What pip would take from the folder is a part of the bundle, or the bundle is refused.
#[test]
fn a_foreign_file_is_refused() {
    let stick = Stick::new();
    let wheel = pure("library", "9").build();
    for name in [
        "simple/library/library-9-py3-none-any.whl",
        "simple/other/index.html",
        "simple/library/deep/er/x",
        "library-9-py3-none-any.whl",
        "release.car",
        "release.toml.x.sig",
        ".hidden",
        "statements/1/release.toml",
    ] {
        let put = || {
            let path = stick.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &wheel).unwrap();
        };
        let words = format!("`{name}` is not a part of the bundle");
        stick.refuses(put, &[&words, "do not install from this bundle"]);
    }
    let make = || fs::create_dir(stick.path("empty")).unwrap();
    stick.refuses(make, &["`empty` is not a part of the bundle"]);
    // Even a whole release beside it, or a site, does not make something else of a bundle.
    let add = || {
        fs::copy(
            stick.workshop.release("release.car"),
            stick.path("release.car"),
        )
        .unwrap();
        fs::write(stick.path("pylock.toml"), "x").unwrap();
    };
    stick.refuses(add, &["`pylock.toml` is not what the release says"]);
    // An added entry of a page.
    for (page, entry) in [
        ("simple/index.html", "<a href=\"evil/\">evil</a><br>\n"),
        (
            "simple/library/index.html",
            "<a href=\"https://example.org/library-9-py3-none-any.whl\">library-9-py3-none-any.whl</a>\n",
        ),
        (
            "find-links.html",
            "<a href=\"x/library-9-py3-none-any.whl\">library-9-py3-none-any.whl</a>\n",
        ),
    ] {
        let add = || {
            let text = stick
                .text(page)
                .replace("</body>", &format!("{entry}</body>"));
            fs::write(stick.path(page), text).unwrap();
        };
        stick.refuses(add, &[&format!("`{page}` is not what the release says")]);
    }
}

/// Many wrong files are counted.
#[test]
fn many_wrong_files_are_counted() {
    let stick = Stick::new();
    fs::remove_dir_all(stick.path("simple")).unwrap();
    let ran = stick.verify();
    ran.refused(1, &["more file", "failed, too (`-v` lists them)"]);
    let all = stick.workshop.run(&[&VERIFY[..], &["-v"]].concat());
    assert!(!all.error.contains("failed, too"), "{}", all.error);
    assert!(all.error.contains(LINUX), "{}", all.error);
}

/// A link, a folder and a pipe in the place of a file are refused, and nothing waits for them.
#[cfg(unix)]
#[test]
fn only_files_are_files() {
    use std::os::unix::fs::symlink;
    let stick = Stick::new();
    for name in KINDS {
        let path = stick.path(name);
        let aside = stick.workshop.path("aside");
        fs::write(&aside, &stick.files[*name]).unwrap();
        let make_link = |path: &Path| symlink(&aside, path).unwrap();
        let make_pipe = |path: &Path| {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        };
        let make_folder = |path: &Path| fs::create_dir(path).unwrap();
        for make in [&make_link as &dyn Fn(&Path), &make_pipe, &make_folder] {
            fs::remove_file(&path).unwrap();
            make(&path);
            let ran = stick.verify();
            assert!(matches!(ran.code, Some(1 | 3)), "{name}: {ran:?}");
            assert!(ran.error.contains(name), "{name}: {}", ran.error);
            assert_eq!(ran.output, "", "{name}");
            stick.restore();
        }
    }
    // A link in the place of a folder, even to the same files.
    for name in ["simple", "simple/library"] {
        let change = || {
            fs::rename(stick.path(name), stick.workshop.path("moved")).unwrap();
            symlink(stick.workshop.path("moved"), stick.path(name)).unwrap();
        };
        stick.refuses(change, &["is a symbolic link, which is not followed"]);
        fs::remove_dir_all(stick.workshop.path("moved")).unwrap();
    }
}

/// The statement, the hollow archive and the description of another release or another bundle.
#[test]
fn parts_of_another_bundle_are_refused() {
    let stick = Stick::new();
    let (other, _) = released(&set().project(Project::wanted(pure("newer", "1"))));
    bundle(&other, &["application[colour]", "gadget-kit"]);
    let others = files(&other.path("stick"));
    bundle(&stick.workshop, &["application"]);
    let fewer = files(&stick.path(""));
    stick.restore();
    let take = |from: &BTreeMap<String, Vec<u8>>, names: &[&str]| {
        for name in names {
            fs::write(stick.path(name), &from[*name]).unwrap();
        }
    };
    let statement = ["release.toml", "release.toml.sig"];
    let vouches = ["release.toml` vouches for ", "and the release is "];
    stick.refuses(|| take(&others, &statement), &vouches);
    // Even if another statement is named.
    take(&others, &statement);
    let named = ["--statement", "release/release.toml"];
    let ran = stick.workshop.run(&[&VERIFY[..], &named].concat());
    ran.refused(1, &vouches);
    stick.restore();
    let archive = || take(&others, &["release.hollow.car"]);
    stick.refuses(archive, &["`bundle.toml` is not what the release says"]);
    // All that is checked against it, but the statement.
    let all: Vec<&str> = others.keys().map(String::as_str).collect();
    let others_without: Vec<&str> = all
        .into_iter()
        .filter(|name| !statement.contains(name))
        .collect();
    stick.refuses(|| take(&others, &others_without), &vouches);
    let lock = || take(&fewer, &["pylock.toml"]);
    stick.refuses(lock, &["`pylock.toml` is not what the release says"]);
    // Fewer projects are claimed than there are, and more.
    let claim = || take(&fewer, &["bundle.toml"]);
    let words = format!("`simple/gadget-kit/{LINUX}` is not a part of the bundle");
    stick.refuses(
        claim,
        &[&words, "`pylock.toml` is not what the release says"],
    );
    let more = || {
        let text = stick
            .text("bundle.toml")
            .replace("projects = [\n", "projects = [\n    \"winning[x]\",\n");
        fs::write(stick.path("bundle.toml"), text).unwrap();
    };
    stick.refuses(
        more,
        &["`bundle.toml` does not fit the release: `winning` has no extra `x`"],
    );
    let whole = || {
        let text = stick.text("bundle.toml");
        let (head, _) = text.split_once("projects").unwrap();
        fs::write(stick.path("bundle.toml"), head).unwrap();
    };
    let words =
        ["bundle.toml", "pylock.toml"].map(|name| format!("`{name}` is not what the release says"));
    stick.refuses(whole, &[&words[0], &words[1]]);
    for text in [
        "",
        "[bundle]\n",
        "[bundle]\nformat = 2\n",
        "bundle = 1\n",
        "[[\n",
        "\u{0}",
    ] {
        let change = || fs::write(stick.path("bundle.toml"), text).unwrap();
        stick.refuses(change, &["`bundle.toml` cannot be read: "]);
    }
    let binary = || fs::write(stick.path("bundle.toml"), b"\xff\n").unwrap();
    stick.refuses(binary, &["`bundle.toml` cannot be read: "]);
    // A bundle of another part is right: what it is for is said.
    fs::remove_dir_all(stick.path("")).unwrap();
    for (name, bytes) in &fewer {
        fs::create_dir_all(stick.path(name).parent().unwrap()).unwrap();
        fs::write(stick.path(name), bytes).unwrap();
    }
    let ran = stick.verify();
    ran.line();
    ran.said("stick: `application`: 3 projects");
}

/// An archive that lost blocks, and one with all blocks, of the same release.
#[test]
fn the_archive_of_a_bundle_is_hollow() {
    let stick = Stick::new();
    let archive = stick.path("release.hollow.car");
    let whole = stick.workshop.read("release.car");
    // It says more than it must, and the same.
    fs::write(&archive, whole).unwrap();
    stick.verify().line();
    stick.restore();
    let cut = stick.files["release.hollow.car"].clone();
    let cut = cut[..cut.len() / 2].to_vec();
    stick.refuses(
        || fs::write(&archive, cut).unwrap(),
        &["release.hollow.car"],
    );
}

/// The plan of a bundle of this repository.
fn plan(repository: &RepositoryBuilder, projects: &[&str]) -> Result<BundlePlan, BundleError> {
    let built = BuiltRelease::of(repository);
    let archive = CarReader::open(std::io::Cursor::new(built.archive)).unwrap();
    let asked = BundleDescription {
        projects: projects.iter().map(|&project| project.to_owned()).collect(),
        platforms: Vec::new(),
    };
    BundlePlan::of(&archive, built.root, &asked, Path::new(""))
}

/// The disks of USB sticks do not tell upper from lower case, and have no longer names than others.
#[test]
fn names_that_a_stick_cannot_hold_are_refused() {
    let linux = gadget("manylinux_2_28_x86_64");
    let lower = stored("gadget.kit", "1!2.0+local.1").tag("cp312-cp312-manylinux_2_28_x86_64");
    let twice = RepositoryBuilder::new().project(Project::wanted(linux).wheel(lower));
    let error = plan(&twice, &[]).unwrap_err();
    assert!(matches!(error, BundleError::SameName(..)), "{error}");
    let words = "are one file on disks that ignore case, as USB sticks do";
    assert!(error.to_string().contains(words), "{error}");
    let name = |length: usize| "a".repeat(length - "-1-py3-none-any.whl.metadata".len());
    let fits = name(255);
    let long = RepositoryBuilder::new().project(Project::wanted(pure(&fits, "1")));
    assert!(plan(&long, &[]).is_ok());
    let longer = RepositoryBuilder::new().project(Project::wanted(pure(&name(256), "1")));
    let error = plan(&longer, &[]).unwrap_err();
    assert!(matches!(error, BundleError::LongName(_)), "{error}");
}
