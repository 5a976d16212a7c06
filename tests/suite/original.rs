//! The layout `ipwhl-1`: the repositories of the original, read by its own rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ipwhl::command::ExitStatus;
use ipwhl_unixfs::{Cid, Profile, Sha256Digest};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder};
use crate::support::tool;
use crate::support::wheel_builder::WheelBuilder;

pub const SETTINGS: &str = "[repository]\nformat = 1\nname = \"old\"\nlayout = \"ipwhl-1\"\n";

/// The tree of `ci/original-tree`.
pub fn generated(arguments: &[&str]) -> TempDir {
    let python = tool("python3");
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/original-tree");
    let done = Command::new(python)
        .arg(script)
        .args(arguments)
        .arg(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{words}");
    folder
}

/// Every declaration, sorted.
pub fn declarations(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.join("pkgs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// A repository of the original's layout with these files, for `cp39` on Windows.
pub fn original(files: &[(&str, String)]) -> BuiltRepository {
    let mut repository = RepositoryBuilder::new()
        .configuration_text(SETTINGS)
        .file("SUPPORTED", "cp39 win_amd64\n");
    for (path, text) in files {
        repository = repository.file(path, text);
    }
    repository.build()
}

/// A declaration of the five keys, of a wheel that nobody has.
pub fn five_keys(file_name: &str, dependencies: &[&str]) -> String {
    format!(
        "source = 'https://example.org/{file_name}'\n\
         content-id = '{}'\n\
         extras = []\ndependencies = {dependencies:?}\n",
        Cid::v0(Sha256Digest::of(file_name.as_bytes()))
    )
}

fn check(folder: &Path) -> Run {
    Program::new(folder).run(&["check", "--message-format", "json"])
}

/// The message of each finding, with its place's text and the ways out.
fn told(repository: &BuiltRepository, run: &Run) -> Vec<String> {
    let told = |finding: &Value| {
        let place = &finding["places"][0];
        let file = place["file"].as_str().unwrap();
        let text = place["span"].as_array().map_or_else(String::new, |span| {
            let [start, end] =
                [0, 1].map(|at| usize::try_from(span[at].as_u64().unwrap()).unwrap());
            repository.read(file)[start..end].to_owned()
        });
        let mut line = format!(
            "{} {file} <{text}> {}",
            finding["code"].as_str().unwrap(),
            finding["message"].as_str().unwrap()
        );
        for note in finding["notes"].as_array().unwrap() {
            line += &format!("\n    note: {}", note.as_str().unwrap());
        }
        for help in finding["help"].as_array().unwrap() {
            line += &format!("\n    help: {}", help["message"].as_str().unwrap());
        }
        line
    };
    run.findings().iter().map(told).collect()
}

/// The tree that the benchmark reads has the original's last size, and nothing is wrong with it.
#[test]
fn the_original_of_last_size_is_sound() {
    let tree = generated(&[]);
    assert_eq!(declarations(tree.path()).len(), 1188);
    let run = Program::new(tree.path())
        .run(&["check", "--deny", "warnings"])
        .expect(ExitStatus::Clean);
    assert_eq!(
        run.stderr,
        "checked 615 projects, 1188 wheels on 9 platforms: no findings\n"
    );
    // The same seed makes the same bytes, another one others.
    let texts = |folder: &TempDir| -> Vec<Vec<u8>> {
        let files = declarations(folder.path());
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    };
    let (again, other) = (generated(&[]), generated(&["--seed", "2"]));
    assert_eq!(texts(&tree), texts(&again));
    assert_ne!(texts(&tree), texts(&other));
    Program::new(other.path())
        .run(&["check", "--deny", "warnings"])
        .expect(ExitStatus::Clean);
}

#[test]
fn a_wrong_place_is_told_with_the_right_one() {
    // 0x5d is the low byte of the sum of the name's code points.
    let right = "pkgs/5d/Zope.Interface/zope_interface-5.0-py2.py3-none-any.toml";
    let text = five_keys("zope.interface-5.0-py3.py2-none-any.whl", &[]);
    check(original(&[(right, text.clone())]).path()).expect(ExitStatus::Clean);
    let (folder, stem) = right.rsplit_once('/').unwrap();
    let (declarations, project) = folder.rsplit_once('/').unwrap();
    let mut all = String::new();
    for wrong in [
        "pkgs/00/Zope.Interface/zope_interface-5.0-py2.py3-none-any.toml".to_owned(),
        format!("{declarations}/{project}/zope.interface-5.0-py2.py3-none-any.toml"),
        format!("{declarations}/{project}/Zope_Interface-5.0-py2.py3-none-any.toml"),
        format!("{declarations}/{project}/zope_interface-5.00-py2.py3-none-any.toml"),
        format!("{declarations}/{project}/zope_interface-5.1-py2.py3-none-any.toml"),
        format!("{declarations}/{project}/zope_interface-5.0-py3.py2-none-any.toml"),
        format!("{declarations}/{project}/zope_interface-5.0-1-py2.py3-none-any.toml"),
        format!("{declarations}/{project}/other-5.0-py2.py3-none-any.toml"),
        format!("{declarations}/{project}/py2.py3-none-any.toml"),
        format!("{declarations}/other/{stem}"),
        format!("pkgs/{project}/{stem}"),
        format!("pkgs/{stem}"),
        format!("{folder}/deeper/{stem}"),
    ] {
        let repository = original(&[(&wrong, text.clone())]);
        let run = check(repository.path()).expect(ExitStatus::Findings);
        // Which project it is, and which version, has to be beyond doubt.
        let says_the_same = wrong.starts_with("pkgs/00/")
            || ["/zope.", "/Zope_", "-5.00-", "-5.0-py3.py2-", "-5.0-1-"]
                .iter()
                .any(|part| wrong.contains(part));
        let code = if says_the_same {
            "noncanonical-place"
        } else {
            "misplaced-declaration"
        };
        assert_eq!(run.codes(), [code], "{wrong}");
        all += &told(&repository, &run).concat();
        all += "\n\n";
    }
    insta::assert_snapshot!("original-places", all);
    // Two spellings of one version are alike, and which one METADATA has is not known here.
    let longer = format!("{folder}/zope_interface-5.0.0-py2.py3-none-any.toml");
    check(original(&[(&longer, text)]).path()).expect(ExitStatus::Clean);
}

/// What is not read as a declaration is said so: it may be one whose name is misspelt.
#[test]
fn another_file_among_the_declarations_is_told() {
    let text = five_keys("yak-1.0-py3-none-any.whl", &[]);
    let sound = "pkgs/45/yak/yak-1.0-py3-none-any.toml";
    for (name, is_told) in [
        ("pkgs/45/yak/yak-1.0-cp39-cp39-win_amd64.tml", true),
        ("pkgs/45/yak/yak-1.0-cp39-cp39-win_amd64.TOML", true),
        ("pkgs/45/README", true),
        ("pkgs/notes.md", true),
        ("pkgs/.gitkeep", false),
        ("pkgs/45/yak/.yak.toml.swp", false),
        ("README.md", false),
    ] {
        let repository = original(&[(sound, text.clone()), (name, text.clone())]);
        let run = check(repository.path());
        let expected: &[String] = &[format!(
            "misplaced-declaration {name} <> `{name}` is not a declaration: its name does not end \
             with `.toml`\n    help: rename it to `NAME.toml`, or move it out of `pkgs`"
        )];
        let expected = if is_told { expected } else { &[] };
        assert_eq!(told(&repository, &run), expected);
        // It is not left behind, either.
        let migrate = Program::new(repository.path()).run(&["migrate"]);
        assert_eq!(
            migrate.status == ExitStatus::Findings,
            is_told,
            "{}",
            migrate.stderr
        );
        assert_eq!(repository.join(sound).exists(), is_told);
    }
    // Beside declarations of the layout `package` there may be notes.
    let repository = RepositoryBuilder::sound()
        .file("declarations/README.md", "# Ours\n")
        .build();
    check(repository.path()).expect(ExitStatus::Clean);
}

#[test]
fn mistakes_in_the_list_of_platforms_are_told_at_their_line() {
    let files = [(
        "pkgs/45/yak/yak-1.0-py3-none-any.toml",
        five_keys("yak-1.0-py3-none-any.whl", &[]),
    )];
    let mut all = String::new();
    for text in [
        "cp39 win_amd64\r\n\r\n  cp310\tmacosx_11_0_x86_64  \n",
        "cp39 win_amd64\ncp38 win_amd64\ncp39  win_amd64\n",
        "cp39 manylinux1_x86_64\ncp39 manylinux2014_x86_64\n",
        "cp39 win_amd64 now\n",
        "# cp39\n",
        "cp39 windows\n",
        "python3 win_amd64\n",
        "\n \n",
        "",
    ] {
        let repository = original(&files);
        repository.write("SUPPORTED", text);
        let run = check(repository.path());
        all += &format!("{text:?}\n{}\n\n", told(&repository, &run).join("\n"));
    }
    insta::assert_snapshot!("original-supported", all);
    let repository = original(&files);
    repository.write("SUPPORTED", b"cp39 win_amd64\n\xff\n");
    let run = check(repository.path()).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["syntax"]);
    repository.remove("SUPPORTED");
    let run = check(repository.path()).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), ["missing-key"]);
    #[cfg(unix)]
    {
        repository.write("elsewhere", "cp39 win_amd64\n");
        std::os::unix::fs::symlink("elsewhere", repository.join("SUPPORTED")).unwrap();
        let run = check(repository.path()).expect(ExitStatus::Findings);
        assert_eq!(run.codes(), ["invalid-value"]);
        assert!(run.stdout.contains("is a symbolic link"), "{}", run.stdout);
    }
}

/// To the original's tools every manylinux line named the family up to glibc 2.24, and of that they
/// knew four tags; now each is known.
#[test]
fn a_manylinux_line_names_the_family_that_the_original_knew() {
    for (line, tag, fits) in [
        ("manylinux1_x86_64", "manylinux1_x86_64", true),
        (
            "manylinux1_x86_64",
            "manylinux_2_17_x86_64.manylinux2014_x86_64",
            true,
        ),
        ("manylinux1_x86_64", "manylinux_2_18_x86_64", true),
        ("manylinux1_x86_64", "manylinux_2_24_x86_64", true),
        ("manylinux1_x86_64", "manylinux_2_25_x86_64", false),
        ("manylinux1_x86_64", "manylinux_2_17_aarch64", false),
        ("manylinux_2_28_x86_64", "manylinux_2_28_x86_64", true),
        ("manylinux_2_12_i686", "manylinux_2_24_i686", true),
    ] {
        let stem: Vec<&str> = {
            let mut members: Vec<&str> = tag.split('.').collect();
            members.sort_unstable();
            members
        };
        let file = format!("pkgs/45/yak/yak-1.0-py3-none-{}.toml", stem.join("."));
        let text = five_keys(&format!("yak-1.0-py3-none-{tag}.whl"), &[]);
        let repository = original(&[(&file, text)]);
        repository.write("SUPPORTED", format!("cp39 {line}\n"));
        let codes = check(repository.path()).codes();
        let expected: &[&str] = if fits {
            &[]
        } else {
            &["uncovered-platform", "unused-wheel"]
        };
        assert_eq!(codes, expected, "{line} {tag}");
    }
}

/// One requirement that today's rules refuse is one finding, and all else is still looked at.
#[test]
fn a_refused_specifier_is_one_finding_and_no_end() {
    let tree = generated(&["--scale", "20"]);
    Program::new(tree.path())
        .run(&["check"])
        .expect(ExitStatus::Clean);
    // The project that most others require, by the files that name it first in a requirement.
    let mut refused = 0;
    for file in declarations(tree.path()) {
        let text = fs::read_to_string(&file).unwrap();
        if text.contains("dependencies = [\n") && !text.contains('#') {
            let broken = text.replacen(
                "dependencies = [\n",
                "dependencies = [\n\t'stone>=2.*',\n",
                1,
            );
            fs::write(&file, broken).unwrap();
            refused += 1;
            if refused == 40 {
                break;
            }
        }
    }
    let run = check(tree.path()).expect(ExitStatus::Findings);
    assert_eq!(run.codes(), vec!["invalid-requirement"; 40]);
    let finding = &run.findings()[0];
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .contains("`stone>=2.*` is not a requirement"),
        "{finding}"
    );
    // What else is wrong in the same file and elsewhere is told beside it.
    let repository = original(&[
        (
            "pkgs/ce/yak/yak-1.0-py3-none-any.toml",
            five_keys(
                "yak-1.0-py3-none-any.whl",
                &["stone>=2.*", "zebu>=2", "gnu"],
            ),
        ),
        (
            "pkgs/b4/zebu/zebu-1.0-py3-none-any.toml",
            five_keys("zebu-1.0-py3-none-any.whl", &["yak[horns]"]),
        ),
    ]);
    let mut codes = check(repository.path()).codes();
    codes.retain(|code| code != "noncanonical-place");
    assert_eq!(
        codes,
        [
            "invalid-requirement",
            "missing-dependency",
            "missing-extra",
            "unsatisfied-dependency"
        ]
    );
}

/// Where one of a project's files is not understood, nobody is told that its wheel is missing.
#[test]
fn a_file_that_is_not_understood_makes_no_further_findings() {
    let tree = generated(&["--scale", "20"]);
    let files = declarations(tree.path());
    let native = files
        .iter()
        .filter(|file| file.to_string_lossy().contains("win_amd64"));
    let mut broken = 0;
    for file in native {
        fs::write(file, "source = \n").unwrap();
        broken += 1;
    }
    assert!(broken > 20, "{broken}");
    let codes = check(tree.path()).expect(ExitStatus::Findings).codes();
    assert_eq!(codes, vec!["syntax"; broken]);
}

#[test]
fn a_repository_without_settings_is_told_what_it_is() {
    let tree = generated(&["--scale", "5", "--without-settings"]);
    let run = Program::new(&tree.path().join("pkgs"))
        .run(&["check"])
        .expect(ExitStatus::World);
    assert!(
        run.stderr.contains("like a repository of the original")
            && run.stderr.contains("ipwhl migrate --name"),
        "{}",
        run.stderr
    );
    fs::write(tree.path().join("ipwhl.toml"), SETTINGS).unwrap();
    Program::new(&tree.path().join("pkgs"))
        .run(&["check"])
        .expect(ExitStatus::Clean);
}

/// A CID of version 1 is another text than the original computes.
#[test]
fn content_ids_are_of_version_0() {
    let name = "yak-1.0-py3-none-any.whl";
    let text = five_keys(name, &[]).replace(
        &Cid::v0(Sha256Digest::of(name.as_bytes())).to_string(),
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    );
    let repository = original(&[("pkgs/45/yak/yak-1.0-py3-none-any.toml", text)]);
    let run = check(repository.path()).expect(ExitStatus::Findings);
    insta::assert_snapshot!("original-content-id", told(&repository, &run).join("\n"));
}

/// The stem has the tags of WHEEL, whatever the file name says; installers know the wheel by it.
#[test]
fn the_stem_is_compared_with_the_tags_of_the_wheel() {
    let wheel = WheelBuilder::new("apple", "1.0")
        .tag("py2.py3-none-any")
        .requires_python(">=3.6");
    let text = Project::wanted(wheel.clone())
        .unset("sha256")
        .unset("size")
        .text(Profile::UnixfsV0_2015);
    for (stem, codes) in [
        ("apple-1.0-py2.py3-none-any", &[][..]),
        ("apple-1.0-py3-none-any", &["tag-mismatch"]),
        ("apple-1.0-py2.py3-none-win_amd64", &["tag-mismatch"]),
    ] {
        let repository = original(&[(&format!("pkgs/12/apple/{stem}.toml"), text.clone())]);
        repository.write("wheels/apple-1.0-py2.py3-none-any.whl", wheel.build());
        let run =
            Program::new(repository.path()).run(&["check", "--wheels", "--message-format", "json"]);
        assert_eq!(run.codes(), codes, "{stem}");
        if !codes.is_empty() {
            assert!(
                told(&repository, &run)[0].contains("`apple-1.0-py2.py3-none-any.toml`"),
                "{:?}",
                told(&repository, &run)
            );
        }
    }
}
