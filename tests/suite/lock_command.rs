//! `ipwhl lock`: lock files that pip and uv install from.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ipwhl::command::ExitStatus;
use serde_json::json;
use tempfile::TempDir;

use crate::clients::{Pip, Uv, clean};
use crate::packaging_library;
use crate::support::declared_set::DeclaredSet;
use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::serving::Serving;
use crate::support::tool;
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
    let application = Project::wanted(application).set("uploaded", "2023-08-17T17:29:11Z");
    let repository = RepositoryBuilder::new()
        .platforms(&[&tag], &systems)
        .format_2()
        .project(application)
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

/// A lock file with another digest for each wheel.
fn with_other_digests(text: &str) -> String {
    let line = |line: &str| match line.split_once("sha256 = \"") {
        Some((before, after)) => {
            format!("{before}sha256 = \"{}{}\n", "0".repeat(64), &after[64..])
        }
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
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
    fs::write(&lock, with_other_digests(&text)).unwrap();
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
        let mut line = vec!["lock", "application[colour]", "--format", format];
        if format == "pylock" {
            line.extend(["--base", &serving.url]);
        }
        let ran = workshop.run(&line);
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

/// pip takes extras of the lock that a release has, from a server and from a folder.
#[test]
fn pip_installs_from_the_lock_of_a_release() {
    let python = Uv::new().python(VERSION);
    let (workshop, serving) = release(&python);
    workshop.build(&["--unsigned", "--tree", "../tree"]);
    let tree = workshop.path("tree/pylock.toml");
    for lock in [
        format!("{}pylock.toml", serving.url),
        tree.display().to_string(),
    ] {
        let pip = Pip::new();
        let install = |extra: &str| {
            let file = format!("{lock}[{extra}]");
            pip.command(&["install", "--no-index", "-r", &file])
                .output()
                .unwrap()
        };
        succeed(&install("other"));
        assert_eq!(pip.python(MODULES), "other", "{lock}");
        succeed(&install("application--colour"));
        assert_eq!(pip.python(MODULES), "application library colour other");
    }
    // uv resolves paths of a lock in a folder only.
    let uv = Uv::new();
    let arguments = [
        "pip",
        "install",
        "--no-index",
        "--extra",
        "application",
        "-r",
    ];
    succeed(&uv.command(&arguments).arg(&tree).output().unwrap());
    assert_eq!(uv.python(MODULES), "application library");
    // A changed wheel is refused.
    let wheel = workshop.path("tree/other/other-1.0-py3-none-any.whl");
    let mut bytes = fs::read(&wheel).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&wheel, bytes).unwrap();
    let pip = Pip::new();
    let file = format!("{}[other]", tree.display());
    let output = pip
        .command(&["install", "--no-index", "-r", &file])
        .output();
    assert!(!output.unwrap().status.success(), "installed another wheel");
    assert_eq!(pip.python(MODULES), "");
}

/// A folder of a project with a lock of `application[colour]`, and an installer in it.
struct OtherInstaller {
    home: TempDir,
    python: String,
    /// The address of the release.
    url: String,
}

impl OtherInstaller {
    fn new(lock: &str, file: &str, text: &str, url: &str) -> Self {
        let home = TempDir::new().unwrap();
        fs::write(home.path().join(file), text).unwrap();
        fs::write(home.path().join("pylock.toml"), lock).unwrap();
        let settings = "[lock]\nformat = \"pylock\"\n";
        fs::write(home.path().join("pdm.toml"), settings).unwrap();
        let made = clean(&tool("python3"), home.path())
            .args(["-m", "venv", ".venv"])
            .output();
        succeed(&made.unwrap());
        let scripts = if cfg!(windows) { "Scripts" } else { "bin" };
        let python = home.path().join(".venv").join(scripts).join("python");
        let python = python.display().to_string();
        let url = url.to_owned();
        Self { home, python, url }
    }

    fn sync(&self, program: &Path, arguments: &[&str]) -> Output {
        let mut command = clean(program, self.home.path());
        command
            .args(arguments)
            .env("PDM_CHECK_UPDATE", "false")
            .env("PDM_PYPI_URL", "http://127.0.0.1:9/")
            // pipenv does not read the places of wheels, only their digests.
            .env("PIPENV_PYPI_MIRROR", &self.url)
            .env("PIPENV_VENV_IN_PROJECT", "1")
            .env("PIPENV_NOSPIN", "1");
        command.output().unwrap()
    }

    fn modules(&self) -> String {
        let output = Command::new(&self.python).args(["-c", MODULES]).output();
        let output = output.unwrap();
        succeed(&output);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// PDM and pipenv read the lock of one closure, and refuse what differs from it.
#[test]
fn pdm_and_pipenv_install_one_closure() {
    let (workshop, serving) = release(&Uv::new().python(VERSION));
    let ran = workshop.run(&["lock", "application[colour]", "--base", &serving.url]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let project = "[project]\nname = \"mine\"\nversion = \"0\"\nrequires-python = \">=3.8\"\n\
                   dependencies = [\"application[colour]\"]\n";
    let pipfile = "[packages]\napplication = {version = \"*\", extras = [\"colour\"]}\n\n\
                   [pipenv]\nuse_pylock = true\n";
    for (name, file, text, arguments) in [
        ("pdm", "pyproject.toml", project, &["sync", "--no-self"][..]),
        ("pipenv", "Pipfile", pipfile, &["sync"]),
    ] {
        let program = tool(name);
        let wrong = OtherInstaller::new(&with_other_digests(&ran.output), file, text, &serving.url);
        let output = wrong.sync(&program, arguments);
        assert!(!output.status.success(), "{name} installed another digest");
        assert_eq!(wrong.modules(), "", "{name}");
        let right = OtherInstaller::new(&ran.output, file, text, &serving.url);
        succeed(&right.sync(&program, arguments));
        assert_eq!(right.modules(), "application library colour", "{name}");
    }
}

/// A pipe gets the bytes. No file takes its place, as no other command puts one there.
#[cfg(unix)]
#[test]
fn a_pipe_is_written_and_not_replaced() {
    use std::os::unix::fs::FileTypeExt as _;
    let application = pure("application", "1.0");
    let workshop = Workshop::with(&RepositoryBuilder::new().project(Project::wanted(application)));
    let pipe = workshop.path("pylock.pipe.toml");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let is_pipe = || fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo();
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    let ran = workshop.run(&["lock", "application", "-o", "../pylock.pipe.toml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let text = reader.join().unwrap();
    let printed = workshop.run(&["lock", "application"]);
    assert_eq!(text.trim_end(), printed.output.trim_end());
    assert!(is_pipe());
    workshop.build(&["--unsigned"]);
    let ran = workshop.run(&["hollow", "release", "--output", "../pylock.pipe.toml"]);
    assert_eq!(ran.code, Some(3), "{}", ran.error);
    let words = "it is a device or a pipe, which is not replaced by a file";
    assert!(ran.error.contains(words), "{}", ran.error);
    assert!(is_pipe());
}

/// The Python library that installers use accepts the files, and takes from them what is asked for.
#[test]
fn the_library_of_installers_accepts_the_files() {
    let mut set = DeclaredSet::new()
        .wanted("apple 1.0 [pie]", &["fig", "plum; extra == 'pie'"])
        .wanted("lime 1.0", &[]);
    for name in ["fig 1.0", "plum 1.0"] {
        set = set.automatic(name, &[]);
    }
    let repository = set.build();
    repository.write(
        "ipwhl.toml",
        repository
            .read("ipwhl.toml")
            .replace("format = 1", "format = 2"),
    );
    for name in ["apple", "fig", "lime", "plum"] {
        let path = format!("declarations/{name}.toml");
        let digest = format!(
            "sha256 = \"{}\"\nsize = 1000\nuploaded = 2023-08-17T17:29:11Z",
            "0".repeat(64)
        );
        repository.write(
            &path,
            repository.read(&path).replace("size = 1000", &digest),
        );
    }
    let program = Program::new(repository.path());
    let locked = |names: &[&str]| program.run(&[&["lock"], names].concat()).stdout;
    let (each, named) = (locked(&[]), locked(&["apple[pie]"]));
    let base = locked(&["lime", "--base", "http://example.org/ipfs/root"]);
    let nothing = DeclaredSet::new().build();
    let nothing = Program::new(nothing.path()).run(&["lock"]).stdout;
    let cases = json!([
        [each, []],
        [each, ["apple"]],
        [each, ["apple--pie"]],
        [each, ["apple", "lime"]],
        [named, []],
        [base, []],
        [nothing, []],
    ]);
    let answers = packaging_library::ask(SELECT, &cases);
    let expected = json!([
        "",
        "apple fig",
        "apple fig plum",
        "apple fig lime",
        "apple fig plum",
        "lime",
        "",
    ]);
    assert_eq!(answers, expected);
}

/// A file without a project that is needed would look complete.
#[test]
fn no_lock_lacks_a_project() {
    let repository = DeclaredSet::new()
        .wanted("apple 1.0 [pie]", &["fig", "plum; extra == 'pie'"])
        .wanted("lime 1.0", &[])
        .automatic("fig 1.0", &[])
        .build();
    let program = Program::new(repository.path());
    let fails = |names: &[&str], words: &str| {
        let run = program.run(&[&["lock"], names].concat());
        assert_eq!(
            (run.status, run.stdout.as_str()),
            (ExitStatus::Findings, "")
        );
        assert!(run.stderr.contains(words), "{}", run.stderr);
    };
    let no_digests = ["--format", "constraints"];
    let unmet = "the set does not hold: `apple` requires `plum`, which is not in the set";
    for names in [&no_digests[..], &["apple[pie]"]] {
        fails(names, unmet);
    }
    let passes = |names: &[&str]| {
        let run = program.run(&[&["lock"], names, &["--format", "requirements"]].concat());
        assert!(
            !run.stderr.contains("the set does not hold"),
            "{}",
            run.stderr
        );
    };
    passes(&["lime"]);
    passes(&["apple"]);
    // What the curators accept is no obstacle.
    let settings = repository.read("ipwhl.toml");
    let waiver = "\n[[waiver]]\ncode = \"missing-dependency\"\nproject = \"apple\"\nreason = \"x\"\n\
                  expires = 2027-01-01\n";
    repository.write("ipwhl.toml", settings.clone() + waiver);
    passes(&["apple[pie]"]);
    repository.write("ipwhl.toml", settings);
    repository.write("declarations/fig.toml", "=");
    let unreadable = "the declaration of `fig` cannot be read";
    for names in [&[][..], &["apple"], &no_digests] {
        fails(names, unreadable);
    }
    passes(&["lime"]);
}

/// The projects that each lock file installs with some extras, on a platform of the set.
const SELECT: &str = "
import tomllib
markers, pylock, tags = map(module, ('markers', 'pylock', 'tags'))
environment = markers.default_environment() | {
    'implementation_name': 'cpython', 'os_name': 'posix', 'platform_machine': 'x86_64',
    'platform_python_implementation': 'CPython', 'platform_system': 'Linux',
    'python_full_version': '3.12.1', 'python_version': '3.12', 'sys_platform': 'linux',
}
answers = []
for text, extras in cases:
    lock = pylock.Pylock.from_dict(tomllib.loads(text))
    lock.validate()
    selected = lock.select(environment=environment, extras=extras,
                           tags=sorted(tags.parse_tag('py3-none-any')))
    answers.append(' '.join(sorted(package.name for package, _ in selected)))
";

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
    let words = "its name is neither `pylock.toml`";
    for arguments in [
        &["lock", "--output", "all.toml"][..],
        &["lock", "apple[pie]", "-o", "one.toml"],
    ] {
        let run = program.run(arguments).expect(ExitStatus::Clean);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    for name in ["pylock.toml", "pylock.one.toml"] {
        let run = program.run(&["lock", "-o", name]).expect(ExitStatus::Clean);
        assert!(!run.stderr.contains(words), "{}", run.stderr);
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
            &["lock", "--format", "constraints", "apple"],
            "leave `apple` out",
        ),
        (
            &["lock", "--base", "http://a:b@example.org/"],
            "no password",
        ),
        (
            &["lock", "--base", "http://example.org/?a=b"],
            "no address of a folder",
        ),
        (&["lock", "--base", "data:x"], "no address of a folder"),
        (
            &[
                "lock",
                "--format",
                "requirements",
                "--base",
                "http://example.org/",
            ],
            "`--format requirements` names no address of wheels, so it takes no `--base`",
        ),
        (
            &[
                "lock",
                "--format",
                "constraints",
                "--base",
                "http://example.org/",
            ],
            "`--format constraints` names no address of wheels, so it takes no `--base`",
        ),
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

/// Whatever someone adds to a lock file is a change, even where installers and this program could
/// read the file differently. The layout of the file is none.
#[test]
fn additions_to_a_lock_are_changes() {
    let repository = DeclaredSet::new().wanted("apple 1.0", &[]).build();
    let path = "declarations/apple.toml";
    let digest = format!("sha256 = \"{}\"\nsize = 1000", "0".repeat(64));
    repository.write(path, repository.read(path).replace("size = 1000", &digest));
    let program = Program::new(repository.path());
    program
        .run(&["lock", "-o", "pylock.toml"])
        .expect(ExitStatus::Clean);
    let text = repository.read("pylock.toml");
    let (head, package) = text.split_once("[[packages]]").unwrap();
    let hashes = format!("hashes = {{ sha256 = \"{}\" }}", "1".repeat(64));
    let wheel = format!("{{ url = \"http://example.org/apple-1.0-py3-none-any.whl\", {hashes} }}");
    for (changed, words) in [
        // Of two entries, an installer may take either.
        (
            format!(
                "{head}[[packages]]\nname = \"apple\"\nversion = \"1.0\"\nwheels = [{wheel}]\n\n\
                 [[packages]]{package}"
            ),
            "apple: more than one entry",
        ),
        // The name of a wheel may be left out.
        (
            text.replace("wheels = [", &format!("wheels = [\n    {wheel},")),
            "apple: other wheels",
        ),
        (
            text.replace("size = 1000", "size = 1001"),
            "apple: other wheels",
        ),
        (
            format!("{text}\n[packages.sdist]\nurl = \"http://example.org/a.tar.gz\"\n{hashes}\n"),
            "apple: another value of `sdist`",
        ),
        (
            format!("{text}\n[[packages]]\nname = \"a\\nb\\u001b\"\n"),
            "a\\nb\\u{1b}  is gone",
        ),
    ] {
        repository.write("pylock.changed.toml", &changed);
        let run = program
            .run(&["lock", "--check", "pylock.changed.toml"])
            .expect(ExitStatus::Findings);
        let has_line = run.stdout.lines().any(|line| line == words);
        assert!(has_line, "{words}: {}", run.stdout);
    }
    // Another program may write the same values in another way, and the wheels may be elsewhere.
    let (_, wheel) = package.split_once("wheels = [").unwrap();
    let fields = wheel.trim().trim_start_matches("{ ").split(" },\n").next();
    let fields = fields
        .unwrap()
        .replace(", ", "\n")
        .replace("size = 1000", "size = 1_000");
    let wheel = fields.replace("path = \"apple", "url = \"http://example.org/apple");
    let wheel = wheel.replace(" }", "}");
    let other = format!(
        "# Another program.\n{head}[[packages]]\nversion = '1.0'\nname = 'apple'\n\
         marker = '\"apple\" in extras'\n\n[[packages.wheels]]\n{wheel}\n"
    );
    repository.write("pylock.other.toml", other);
    program
        .run(&["lock", "--check", "pylock.other.toml"])
        .expect(ExitStatus::Clean);
}
