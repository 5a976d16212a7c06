//! `ipwhl lock`: lock files that pip and uv install from.

use std::fs;
use std::process::Output;

use ipwhl::command::ExitStatus;

use crate::clients::{Pip, Uv};
use crate::support::declared_set::DeclaredSet;
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::serving::Serving;
use crate::support::workshop::{Workshop, pure};

const MODULES: &str = "import importlib.util as u; \
                       print(*[n for n in ('application', 'library', 'colour', 'other') if u.find_spec(n)])";

/// A release for the machine of the test, and its server: `application` needs `library`, and with
/// its extra `colour` the project of that name. `other` stands alone.
fn release(python: &str) -> (Workshop, Serving) {
    let tag = format!("cp{}", python.replace('.', ""));
    let systems = [format!("manylinux_2_17_{}", std::env::consts::ARCH)];
    let systems: Vec<&str> = systems.iter().map(String::as_str).collect();
    let application = pure("application", "1.0")
        .requires("library>=2")
        .extra("colour")
        .requires("colour; extra == 'colour'");
    let repository = RepositoryBuilder::new()
        .platforms(&[&tag], &systems)
        .project(Project::wanted(application))
        .project(Project::automatic(pure("library", "2.1.post1")))
        .project(Project::automatic(pure("colour", "0.3")))
        .project(Project::wanted(pure("other", "1.0")));
    let workshop = Workshop::with(&repository);
    workshop.build(&["--unsigned"]);
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    (workshop, serving)
}

const VERSION: &str = "import sys; print('%d.%d' % sys.version_info[:2])";

/// Runs an installer that must succeed.
#[track_caller]
fn succeed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}

/// Each client takes exactly what an extra of the lock needs, and nothing that differs from it.
#[test]
fn pip_and_uv_install_extras_of_a_lock() {
    let (pip, uv) = (Pip::new(), Uv::new());
    let (workshop, serving) = release(&uv.python(VERSION));
    let lock = workshop.path("pylock.toml");
    let ran = workshop.run(&["lock", "--base", &serving.url, "--output", "../pylock.toml"]);
    assert_eq!(
        (ran.code, ran.output.as_str()),
        (Some(0), ""),
        "{}",
        ran.error
    );
    let text = fs::read_to_string(&lock).unwrap();
    let path = lock.to_str().unwrap();
    let by_pip = |extra: &str| {
        let file = format!("{path}[{extra}]");
        pip.command(&["install", "--no-index", "-r", &file])
            .output()
            .unwrap()
    };
    let by_uv = |extra: &str| {
        uv.command(&["pip", "install", "--no-index", "-r", path, "--extra", extra])
            .output()
            .unwrap()
    };
    // A changed digest is refused by both.
    let wrong: String = text
        .lines()
        .map(|line| match line.split_once("sha256 = \"") {
            Some((before, after)) => {
                format!("{before}sha256 = \"{}{}\n", "0".repeat(64), &after[64..])
            }
            None => format!("{line}\n"),
        })
        .collect();
    fs::write(&lock, wrong).unwrap();
    for output in [by_pip("application"), by_uv("application")] {
        assert!(!output.status.success(), "installed another digest");
    }
    fs::write(&lock, &text).unwrap();
    for (extra, modules) in [
        ("application", "application library"),
        ("application-colour", "application library colour"),
        ("other", "application library colour other"),
    ] {
        succeed(&by_pip(extra));
        assert_eq!(pip.python(MODULES), modules);
        succeed(&by_uv(extra));
        assert_eq!(uv.python(MODULES), modules);
    }
    // What is right is right a second time.
    let ran = workshop.run(&["lock", "--check", "../pylock.toml"]);
    assert_eq!(
        (ran.code, ran.output.as_str()),
        (Some(0), ""),
        "{}",
        ran.error
    );
}

/// A lock of one closure, and requirements with hashes, install it without extras.
#[test]
fn pip_and_uv_install_one_closure() {
    for format in ["pylock", "requirements"] {
        let (pip, uv) = (Pip::new(), Uv::new());
        let (workshop, serving) = release(&uv.python(VERSION));
        let name = if format == "pylock" {
            "pylock.toml"
        } else {
            "requirements.txt"
        };
        let file = workshop.path(name);
        let ran = workshop.run(&[
            "lock",
            "application[colour]",
            "--format",
            format,
            "--base",
            &serving.url,
        ]);
        assert_eq!(ran.code, Some(0), "{}", ran.error);
        fs::write(&file, &ran.output).unwrap();
        let file = file.to_str().unwrap();
        let index = if format == "pylock" {
            vec!["--no-index"]
        } else {
            vec!["--require-hashes", "--index-url", &serving.url]
        };
        succeed(
            &pip.command(&["install", "-r", file])
                .args(&index)
                .output()
                .unwrap(),
        );
        succeed(
            &uv.command(&["pip", "install", "-r", file])
                .args(&index)
                .output()
                .unwrap(),
        );
        for modules in [pip.python(MODULES), uv.python(MODULES)] {
            assert_eq!(modules, "application library colour", "{format}");
        }
    }
}

/// What is asked for is in the set, and a comparison says what has changed.
#[test]
fn a_lock_is_compared_with_the_set() {
    let set = |lime: &str| {
        let mut text =
            DeclaredSet::new().wanted("apple 1.0 [pie]", &["fig", lime, "plum; extra == 'pie'"]);
        for name in ["fig 1.0", "lime 1.0", "plum 1.0"] {
            text = text.automatic(name, &[]);
        }
        let built = text.build();
        for name in ["apple", "fig", "lime", "plum"] {
            let path = format!("declarations/{name}.toml");
            let digest = format!("sha256 = \"{}\"\nsize = 1000", "0".repeat(64));
            built.write(&path, built.read(&path).replace("size = 1000", &digest));
        }
        built
    };
    let repository = set("lime; sys_platform == 'win32'");
    let program = Program::new(repository.path());
    for arguments in [
        &["lock", "--output", "all.toml"][..],
        &["lock", "apple[pie]", "-o", "one.toml"],
    ] {
        program.run(arguments).expect(ExitStatus::Clean);
    }
    let one = "marker = 'sys_platform == \"win32\"'\n";
    assert!(repository.read("one.toml").contains(one));
    let all = "(\"apple\" in extras or \"apple-pie\" in extras) and sys_platform == \"win32\"";
    assert!(repository.read("all.toml").contains(all));
    for file in ["all.toml", "one.toml"] {
        let run = program
            .run(&["lock", "--check", file])
            .expect(ExitStatus::Clean);
        assert_eq!(run.stdout, "", "{}", run.stderr);
    }
    // Then fig moves, lime is needed everywhere, and plum goes.
    let other = set("lime");
    repository.write(
        "declarations/apple.toml",
        other
            .read("declarations/apple.toml")
            .replace(", \"plum; extra == 'pie'\"", ""),
    );
    repository.write(
        "declarations/fig.toml",
        repository
            .read("declarations/fig.toml")
            .replace("1.0", "1.1"),
    );
    let run = program
        .run(&["lock", "--check", "one.toml"])
        .expect(ExitStatus::Findings);
    assert_eq!(
        run.stdout, "plum 1.0 is gone\nfig 1.0 -> 1.1\nlime: needed by others, or elsewhere\n",
        "{}",
        run.stderr
    );
    for (line, words) in [
        (&["lock", "aple"][..], "did you mean `apple`?"),
        (&["lock", "apple[pi]"], "did you mean `pie`?"),
        (&["lock", "--format", "uv"], "`--base`"),
        (
            &["lock", "--check", "ipwhl.toml"],
            "is not from `ipwhl lock`",
        ),
        (&["lock", "--check", "none.toml"], "none.toml"),
    ] {
        let run = program.run(line);
        assert_ne!(run.status, ExitStatus::Clean, "{line:?}");
        assert!(run.stderr.contains(words), "{line:?}: {}", run.stderr);
    }
    let text = repository
        .read("all.toml")
        .replace("repository = \"example\"", "repository = \"other\"");
    repository.write("all.toml", text);
    let run = program
        .run(&["lock", "--check", "all.toml"])
        .expect(ExitStatus::Findings);
    assert!(
        run.stderr.contains("of the repository `other`"),
        "{}",
        run.stderr
    );
}
