//! `ipwhl init`: what it writes works at once, and what is there already is left alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ipwhl::command::ExitStatus;
use ipwhl::set::repository::Repository;
use tempfile::TempDir;

use crate::support::bench::{native, pure};
use crate::support::history::History;
use crate::support::loopback_index::{Hosted, LoopbackIndex};
use crate::support::program::{Program, Run};
use crate::support::workshop::{Workshop, files};

/// An empty folder of this name, and the program in it.
fn start(name: &str) -> (TempDir, std::path::PathBuf, Program) {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join(name);
    fs::create_dir(&folder).unwrap();
    let program = Program::new(&folder);
    (around, folder, program)
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

fn said(run: &Run, words: &[&str]) {
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in {}", run.stderr);
    }
}

const REPOSITORY: [&str; 7] = [
    ".gitattributes",
    ".gitignore",
    "README.md",
    "declarations/.gitkeep",
    "ipwhl.toml",
    "schemas/declaration.schema.json",
    "schemas/ipwhl.schema.json",
];

#[test]
fn what_it_says() {
    let (_around, folder, program) = start("our-wheels");
    let run = program
        .run(&["init", "--ci", "github,forgejo", "--ci", "github"])
        .expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "");
    insta::assert_snapshot!("init", run.stderr);
    insta::assert_snapshot!(
        "init-configuration",
        fs::read_to_string(folder.join("ipwhl.toml")).unwrap()
    );
    insta::assert_snapshot!(
        "init-readme",
        fs::read_to_string(folder.join("README.md")).unwrap()
    );
}

/// The three forms of `--install`, each as the one line of the file.
#[test]
fn an_install_line_is_written() {
    let commit = "ABCDEF".repeat(6) + "0123";
    let hash = "Ab01".repeat(16);
    let (lower_commit, lower_hash) = (commit.to_lowercase(), hash.to_lowercase());
    let download = format!(
        "curl --fail --silent --show-error --location --output download https://example.org/ipwhl && \
         echo \"{lower_hash}  download\" | sha256sum --check && install -D \
         download \"$CARGO_INSTALL_ROOT/bin/ipwhl\""
    );
    let unpack = download.replace("ipwhl &&", "ipwhl-1.0.tar.gz &&").replace(
        "install -D download",
        "tar --extract --file download && install -D \"$(find . -type f -name ipwhl -perm -u+x)\"",
    );
    for (install, command) in [
        (
            " pipx install  'ours' ",
            "pipx install  ''ours''".to_owned(),
        ),
        (
            &format!("git+https://git.example.org/a/ipwhl.git@{commit}"),
            format!(
                "cargo install --locked --git https://git.example.org/a/ipwhl.git --rev {lower_commit} ipwhl"
            ),
        ),
        (
            &format!("git+ssh://git@git.example.org/ipwhl@{hash}"),
            format!(
                "cargo install --locked --git ssh://git@git.example.org/ipwhl --rev {lower_hash} ipwhl"
            ),
        ),
        (
            &format!("https://example.org/ipwhl#sha256={hash}"),
            download,
        ),
        (
            &format!("https://example.org/ipwhl-1.0.tar.gz#sha256={hash}"),
            unpack,
        ),
        (
            "curl https://example.org/#sha256=0 | sh",
            "curl https://example.org/#sha256=0 | sh".to_owned(),
        ),
    ] {
        let (_around, folder, program) = start("wheels");
        program
            .run(&["init", "--ci", "sourcehut", "--install", install])
            .expect(ExitStatus::Clean);
        let text = fs::read_to_string(folder.join(".builds/ipwhl-release.yml")).unwrap();
        let line = format!("\n  IPWHL_INSTALL: '{command}'\n");
        assert!(text.contains(&line), "no {line} in {text}");
    }
}

/// What does not say which program it means is refused, and so is what is not one line of text.
#[test]
fn an_install_line_that_pins_nothing_is_refused() {
    let (_around, folder, program) = start("wheels");
    let short = "git+https://git.example.org/ipwhl@0123456";
    let cut = format!("https://example.org/ipwhl#sha256={}", "0".repeat(63));
    let md5 = format!("https://example.org/ipwhl#md5={}", "0".repeat(32));
    let zip = format!("https://example.org/ipwhl.zip#sha256={}", "0".repeat(64));
    let plain = format!("http://example.org/ipwhl#sha256={}", "0".repeat(64));
    let secret = format!(
        "git+https://me:secret@git.example.org/ipwhl@{}",
        "0".repeat(40)
    );
    let ssh = format!("git+git@git.example.org:ipwhl@{}", "0".repeat(40));
    for (install, words) in [
        ("", "`--install` is empty"),
        ("  ", "`--install` is empty"),
        ("true\nfalse", "\"true\\nfalse\" has a line break"),
        (
            "true\tfalse",
            "has a line break or another invisible character",
        ),
        (
            "true \u{2028}",
            "has a line break or another invisible character",
        ),
        (
            "git+https://git.example.org/ipwhl",
            "names no commit: a branch or a tag can move",
        ),
        ("git+ssh://git@git.example.org/ipwhl", "names no commit"),
        (
            "git+https://git.example.org/ipwhl@main",
            "`main` is not the full hash of a commit",
        ),
        (short, "`0123456` is not the full hash of a commit"),
        (&ssh, "is not a URL that begins with `https://`"),
        (
            "https://example.org/ipwhl",
            "has no SHA-256: the file can be replaced",
        ),
        (
            "https://example.org/ipwhl.git",
            "for a git repository, write `git+<URL>@<commit>`",
        ),
        (&cut, "is not `#sha256=` and 64 hexadecimal digits"),
        (&md5, "is not `#sha256=` and 64 hexadecimal digits"),
        (&secret, "the URL of `--install` has credentials"),
        (&zip, "`ipwhl.zip` is not a tar archive"),
        (&plain, "is not a URL that begins with `https://`"),
        (
            "git@git.example.org:ipwhl",
            "is not a URL that begins with `https://`",
        ),
        (
            &format!(
                "git+ssh://git:secret@git.example.org/ipwhl@{}",
                "0".repeat(40)
            ),
            "the URL of `--install` has credentials",
        ),
        (
            "https://example.org/a b",
            "`https://example.org/a b` is not a URL that begins with",
        ),
        (
            "cargo install --locked ipwhl",
            "which a stranger may register",
        ),
        ("pip install 'ipwhl==0.1'", "which a stranger may register"),
    ] {
        let run = program
            .run(&["init", "--ci", "gitlab", "--install", install])
            .expect(ExitStatus::Usage);
        said(&run, &[words, "help: "]);
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
        assert_eq!(names(&folder), [""; 0], "{install}");
    }
    // Without CI there is no file to write it into.
    let run = program
        .run(&["init", "--install", "true"])
        .expect(ExitStatus::Usage);
    said(&run, &["--ci <FORGE>"]);
}

/// The README tells users which versions of Python a project may allow.
#[test]
fn the_readme_says_which_pythons_are_supported() {
    for (python, expected) in [
        ("cp312", ">=3.12,<3.13"),
        ("cp313,cp311>=3.11.5,cp312", ">=3.11.5,<3.14"),
        ("cp311,cp314", ">=3.11,<3.15,!=3.12.*,!=3.13.*"),
        ("cp311,cp312>=3.12.2", ">=3.11,<3.13,!=3.12.0,!=3.12.1"),
        ("cp313t>=3.13.3,cp313", ">=3.13,<3.14"),
        ("cp314t>=3.14.1", ">=3.14.1,<3.15"),
        ("pp311,cp312", ">=3.11,<3.13"),
    ] {
        let (_around, folder, program) = start("wheels");
        program
            .run(&["init", "--python", python])
            .expect(ExitStatus::Clean);
        let text = fs::read_to_string(folder.join("README.md")).unwrap();
        let line = format!("\nrequires-python = \"{expected}\"\n");
        assert!(text.contains(&line), "no {line} in {text}");
    }
}

/// A set such as that of jupyterlab, with projects that are needed on one system and have wheels
/// for no other, is clean under the very line that `init` has written for CI.
#[test]
fn projects_of_one_system_are_clean_in_ci() {
    let (_around, folder, program) = start("wheels");
    let index = LoopbackIndex::start();
    for (project, wheel) in [
        (
            "notebook",
            pure("notebook", "1.0")
                .requires("terminal ; os_name == 'nt'")
                .requires("nap ; sys_platform == 'darwin'")
                .requires("expect ; sys_platform != 'win32'"),
        ),
        (
            "terminal",
            native("terminal", "1.0", "cp312-abi3-win_amd64"),
        ),
        ("nap", native("nap", "1.0", "py3-none-macosx_11_0_arm64")),
        ("expect", pure("expect", "1.0")),
    ] {
        index.host(Hosted::new(project, &wheel.file_name(), &wheel.build()));
    }
    let program = program.index(&index.index_url());
    program
        .run(&["init", "--ci", "github", "--install", "true"])
        .expect(ExitStatus::Clean);
    let history = History::begin(&folder);
    program.run(&["add", "notebook"]).expect(ExitStatus::Clean);
    history.commit("notebook");
    let workflow = fs::read_to_string(folder.join(".github/workflows/ipwhl-check.yml")).unwrap();
    let line = |start: &str| {
        let lines = workflow.lines().map(str::trim);
        let found = lines.filter_map(|line| line.strip_prefix("run: ipwhl "));
        let mut found = found.filter(|line| line.starts_with(start));
        found.next().unwrap().split(' ').collect::<Vec<&str>>()
    };
    program.run(&line("fmt")).expect(ExitStatus::Clean);
    let run = program.run(&line("check")).expect(ExitStatus::Clean);
    assert_eq!(run.stdout, "");
    said(
        &run,
        &["checked 4 projects, 4 wheels on 12 platforms: no findings"],
    );
    // Asked for by name, it is to be had everywhere.
    let path = folder.join("declarations/nap.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("automatic = true\n", "")).unwrap();
    history.commit("nap");
    let run = program.run(&line("check")).expect(ExitStatus::Findings);
    assert!(
        run.stdout.contains("title=uncovered-platform"),
        "{}",
        run.stdout
    );
}

/// Nothing has to be done before the first `check` and the first `build`.
#[test]
fn a_new_repository_works_at_once() {
    let workshop = Workshop::empty();
    fs::create_dir(workshop.repository()).unwrap();
    let run = workshop.run(&["init"]);
    assert_eq!(
        (run.code, run.output.as_str()),
        (Some(0), ""),
        "{}",
        run.error
    );
    assert_eq!(names(&workshop.repository()), REPOSITORY);
    let check = workshop.run(&["check", "--wheels", "--deny", "warnings"]);
    assert_eq!(
        (check.code, check.output.as_str()),
        (Some(0), ""),
        "{}",
        check.error
    );
    check.said("checked 0 projects, 0 wheels on 12 platforms, wheels included: no findings");
    // A person's own key is made by the first build; the tree is that of no project.
    let root = workshop.build(&[]);
    let verify = ["verify", "release", "--statement", "release/release.toml"];
    workshop
        .run(&verify)
        .refused(1, &["trusted = [\"ssh-ed25519 "]);
    let verify = workshop.run(&[&verify[..], &["--any-signer"]].concat());
    assert_eq!(verify.line(), root);
}

#[test]
fn a_folder_that_is_not_there_is_made() {
    let (_around, folder, program) = start("around");
    program
        .run(&[
            "init",
            "a/b",
            "--name",
            "Ours \"and\" yours",
            "--python",
            "cp312,cp313>=3.13.2",
            "--system",
            "win_amd64",
        ])
        .expect(ExitStatus::Clean);
    assert_eq!(names(&folder.join("a/b")), REPOSITORY);
    let repository = Repository::load(&folder.join("a/b")).unwrap();
    assert_eq!(repository.findings.len(), 0, "{:?}", repository.findings);
    assert_eq!(repository.configuration.name, "Ours \"and\" yours");
    let platforms: Vec<String> = repository
        .configuration
        .platforms
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(platforms, ["cp312-win_amd64", "cp313-win_amd64"]);
    let configuration = &repository.configuration;
    assert_eq!(configuration.platforms[1].floor(), 2);
}

/// The comments of `ipwhl.toml` are true: with every `#` before a table or a key taken away it is
/// still one that the program understands, whole.
#[test]
fn every_table_that_is_commented_out_is_right() {
    let (_around, folder, program) = start("wheels");
    program.run(&["init"]).expect(ExitStatus::Clean);
    let path = folder.join("ipwhl.toml");
    let text = fs::read_to_string(&path).unwrap();
    let mut count = 0;
    let lines: Vec<&str> = text
        .lines()
        .map(|line| {
            let is_toml = line.strip_prefix("# ").is_some_and(|rest| {
                rest.starts_with('[')
                    || rest
                        .split_once(" = ")
                        .is_some_and(|(key, _)| !key.contains(' '))
            });
            count += usize::from(is_toml);
            if is_toml { &line[2..] } else { line }
        })
        .collect();
    let text = lines.join("\n") + "\n";
    assert_eq!(count, 22, "{text}");
    fs::write(&path, &text).unwrap();
    let run = program.run(&["check", "--message-format", "json"]);
    // A waiver of nothing is one, and is said to be.
    assert_eq!(run.codes(), ["unused-waiver"], "{text}\n{}", run.stdout);
    let configuration = Repository::load(&folder).unwrap().configuration;
    assert_eq!(configuration.platforms.len(), 13);
    assert_eq!(configuration.trusted.len(), 1);
    assert!(configuration.index_url.is_some());
    assert_eq!(configuration.gateways.len(), 1);
    assert_eq!(configuration.publish.len(), 1);
    assert_eq!(configuration.severity.len(), 1);
}

#[test]
fn nothing_is_replaced() {
    let (_around, folder, program) = start("wheels");
    let before: BTreeMap<&str, &str> = [
        (".gitignore", "/release\n*.pem\n"),
        ("README.md", "mine\n"),
        ("declarations/click.toml", "# mine\n"),
    ]
    .into();
    fs::create_dir(folder.join("declarations")).unwrap();
    for (name, text) in &before {
        fs::write(folder.join(name), text).unwrap();
    }
    let run = program.run(&["init"]).expect(ExitStatus::Clean);
    said(
        &run,
        &[
            "kept README.md",
            "kept .gitignore",
            "add `.*.partial`, `/.ipwhl-cache`, `signing-key`, `id_ed25519`, `*.key` to it: a release is large",
        ],
    );
    for (name, text) in before {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), text);
    }
    // A second time it is one already.
    let there = files(&folder);
    let run = program.run(&["init"]).expect(ExitStatus::Usage);
    said(
        &run,
        &[
            "this is already a repository: `ipwhl.toml` exists",
            "`ipwhl init --ci FORGE` adds CI",
        ],
    );
    assert_eq!(files(&folder), there);
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_written() {
    let (_around, folder, program) = start("wheels");
    fs::create_dir_all(folder.join(".github/workflows")).unwrap();
    fs::write(folder.join(".gitlab-ci.yml"), "mine").unwrap();
    fs::write(folder.join(".github/workflows/ipwhl-release.yml"), "mine").unwrap();
    let there = files(&folder);
    let run = program
        .run(&["init", "--ci", "github", "--ci", "gitlab"])
        .expect(ExitStatus::Usage);
    said(
        &run,
        &[
            "`.github/workflows/ipwhl-release.yml`, `.gitlab-ci.yml` already exist and have \
             different content: nothing was written",
            "to change only how CI installs ipwhl, edit the line `IPWHL_INSTALL` in it",
        ],
    );
    assert_eq!(files(&folder), there);
    // A link that leads nowhere is there too.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", folder.join("ipwhl.toml")).unwrap();
        program.run(&["init"]).expect(ExitStatus::Usage);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
    }
}

#[test]
fn ci_is_added_to_a_repository_that_is_there() {
    let (_around, folder, program) = start("Our Wheels");
    program
        .run(&["init", "--name", "x"])
        .expect(ExitStatus::Clean);
    let before = files(&folder);
    let run = program
        .run(&["init", "--ci", "sourcehut"])
        .expect(ExitStatus::Clean);
    said(
        &run,
        &[
            "wrote .builds/ipwhl-check.yml",
            "wrote .builds/ipwhl-release.yml",
            "SourceHut: the first lines",
        ],
    );
    assert!(!run.stderr.contains("README"), "{}", run.stderr);
    let mut after = files(&folder);
    let release = after.remove(".builds/ipwhl-release.yml").unwrap();
    let release = String::from_utf8(release).unwrap();
    assert!(
        release.contains("\n  repository: Our-Wheels\n"),
        "{release}"
    );
    assert!(release.contains("\n  - release/release.car\n"), "{release}");
    after.remove(".builds/ipwhl-check.yml").unwrap();
    assert_eq!(after, before);
    // The same again is done already; what only a new repository has cannot be asked for.
    let run = program
        .run(&["init", "--ci", "sourcehut"])
        .expect(ExitStatus::Clean);
    said(&run, &["there was nothing to write"]);
    let run = program
        .run(&["init", "--ci", "sourcehut", "--name", "y"])
        .expect(ExitStatus::Usage);
    said(&run, &["are for a new repository, and `ipwhl.toml` exists"]);
}

#[test]
fn a_wrong_place_or_word_is_refused() {
    let (_around, folder, program) = start("wheels");
    for (arguments, words) in [
        (
            &["init", "--name", " "][..],
            "\" \" cannot name a repository",
        ),
        (&["init", "--python", "312"][..], "312"),
        (&["init", "--system", "linux"][..], "linux"),
        (
            &["init", "--ci", "hithub"][..],
            "a similar value exists: 'github'",
        ),
        (
            &["init", "a", "--repository", "b"][..],
            "the folder is named twice",
        ),
    ] {
        let run = program.run(arguments).expect(ExitStatus::Usage);
        said(&run, &[words]);
        assert_eq!(names(&folder), [""; 0], "{arguments:?}");
    }
    program.run(&["init"]).expect(ExitStatus::Clean);
    // Below a repository, a forgotten `cd` is likelier than a second one.
    let inside = Program::new(&folder.join("declarations"));
    let run = inside.run(&["init"]).expect(ExitStatus::Usage);
    said(
        &run,
        &["this folder is inside the repository", "`ipwhl init .`"],
    );
    fs::write(folder.join("file"), "").unwrap();
    let run = program.run(&["init", "file"]).expect(ExitStatus::Usage);
    said(&run, &["is a file, and a repository must be a folder"]);
}

/// Forges read their files at the top only, and git's own folder is not made by itself.
#[test]
fn git_is_looked_at_and_left_alone() {
    let (around, folder, program) = start("wheels");
    let run = program.run(&["init"]).expect(ExitStatus::Clean);
    said(&run, &["`ipwhl check --since` needs git"]);
    assert!(!folder.join(".git").exists());
    fs::create_dir(around.path().join(".git")).unwrap();
    let run = program
        .run(&["init", "--ci", "gitlab"])
        .expect(ExitStatus::Clean);
    said(
        &run,
        &["warning: a forge reads CI files only from the top folder of the git repository"],
    );
    fs::create_dir(folder.join(".git")).unwrap();
    let run = program
        .run(&["init", "--ci", "github", "--install", "true"])
        .expect(ExitStatus::Clean);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    // A folder below a checkout has a history already; its name is the folder's, however it is
    // written.
    fs::create_dir_all(around.path().join("b/c")).unwrap();
    let run = program
        .run(&["init", "../b/c/.."])
        .expect(ExitStatus::Clean);
    assert!(!run.stderr.contains("git init"), "{}", run.stderr);
    assert!(
        fs::read_to_string(around.path().join("b/ipwhl.toml"))
            .unwrap()
            .contains("name = \"b\"\n")
    );
}

/// A run that is cut short, here by a folder where a file is to be written, leaves whole files, and
/// no `ipwhl.toml` among them: the same command finishes it.
#[test]
fn a_run_that_was_cut_short_is_run_again() {
    let (_around, folder, program) = start("wheels");
    let partial = folder.join(".README.md.partial");
    fs::create_dir(&partial).unwrap();
    let run = program
        .run(&["init", "--ci", "gitlab"])
        .expect(ExitStatus::World);
    said(
        &run,
        &["README.md` cannot be written", "run the same command again"],
    );
    let written = [
        ".gitattributes",
        ".gitignore",
        ".gitlab-ci.yml",
        "declarations/.gitkeep",
    ];
    assert_eq!(names(&folder), written);
    fs::remove_dir(&partial).unwrap();
    // What a killed writer left is taken over.
    fs::write(partial, "hal").unwrap();
    program
        .run(&["init", "--ci", "gitlab"])
        .expect(ExitStatus::Clean);
    let mut expected: Vec<String> = REPOSITORY.map(ToOwned::to_owned).into();
    expected.push(".gitlab-ci.yml".to_owned());
    expected.sort();
    assert_eq!(names(&folder), expected);
}
