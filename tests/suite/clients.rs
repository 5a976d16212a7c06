//! pip and uv install from `ipwhl serve`: a small release always, the real set where
//! `IPWHL_TEST_RELEASE` names its `release.car`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::http::{respond, whole};
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::serving::Serving;
use crate::support::workshop::{Workshop, installable, installable_from, pure};
use crate::support::{given_file, tool};

/// A command that knows nothing of the settings around the test: no index, no proxy, no
/// configuration.
pub fn clean(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", home)
        .env("PIP_CONFIG_FILE", "/dev/null")
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .current_dir(home);
    command
}

#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A fresh environment, and the pinned pip that installs into it.
pub struct Pip {
    pinned: PathBuf,
    home: TempDir,
}

impl Pip {
    pub fn new() -> Self {
        let pinned = tool("python3");
        let home = TempDir::new().unwrap();
        let without = ["-m", "venv", "--without-pip", "environment"];
        succeed(clean(&pinned, home.path()).args(without));
        Self { pinned, home }
    }

    fn environment(&self) -> PathBuf {
        let scripts = if cfg!(windows) { "Scripts" } else { "bin" };
        self.home.path().join("environment").join(scripts)
    }

    fn program(&self) -> PathBuf {
        self.environment().join("python")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = clean(&self.pinned, self.home.path());
        command
            .args(["-m", "pip", "--isolated", "--no-cache-dir", "--no-input"])
            .arg("--python")
            .arg(self.program())
            .args(arguments);
        command
    }

    fn try_install(&self, url: &str, names: &[&str]) -> Output {
        self.command(&["install", "--index-url", url])
            .args(names)
            .output()
            .unwrap()
    }

    /// Installs `application` from files before this time, if it can.
    pub fn install_older(&self, url: &str, limit: &str) -> Output {
        self.command(&["install", "--index-url", url])
            .args(["--uploaded-prior-to", limit, "application"])
            .output()
            .unwrap()
    }

    /// Installs from this index and nowhere else.
    #[track_caller]
    pub fn install(&self, url: &str, names: &[&str]) {
        succeed(self.command(&["install", "--index-url", url]).args(names));
    }

    /// What a line of Python prints.
    #[track_caller]
    pub fn python(&self, line: &str) -> String {
        succeed(clean(&self.program(), self.home.path()).args(["-c", line]))
    }

    #[track_caller]
    pub fn check(&self) {
        succeed(&mut self.command(&["check"]));
    }
}

/// A fresh environment of uv's.
pub struct Uv {
    program: PathBuf,
    home: TempDir,
}

impl Uv {
    pub fn new() -> Self {
        let (program, python) = (tool("uv"), tool("python3"));
        let home = TempDir::new().unwrap();
        let uv = Self { program, home };
        succeed(uv.command(&["venv", "environment", "--python"]).arg(python));
        uv
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = clean(&self.program, self.home.path());
        command
            .args(["--no-config", "--no-cache", "--no-python-downloads"])
            .args(arguments)
            .env("VIRTUAL_ENV", self.home.path().join("environment"));
        command
    }

    fn try_install(&self, url: &str, names: &[&str]) -> Output {
        self.command(&["pip", "install", "--index-url", url])
            .args(names)
            .output()
            .unwrap()
    }

    /// Installs `application` from files before this time, if it can.
    pub fn install_older(&self, url: &str, limit: &str) -> Output {
        self.command(&["pip", "install", "--index-url", url])
            .args(["--exclude-newer", limit, "application"])
            .output()
            .unwrap()
    }

    #[track_caller]
    fn install(&self, url: &str, names: &[&str]) {
        let output = self.try_install(url, names);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    #[track_caller]
    pub fn python(&self, line: &str) -> String {
        let scripts = if cfg!(windows) { "Scripts" } else { "bin" };
        let python = self
            .home
            .path()
            .join("environment")
            .join(scripts)
            .join("python");
        succeed(clean(&python, self.home.path()).args(["-c", line]))
    }

    #[track_caller]
    fn check(&self) {
        succeed(&mut self.command(&["pip", "check"]));
    }
}

/// A release of the wheels that every machine can install, and its server.
fn small_release() -> (Workshop, Serving) {
    let workshop = Workshop::with(&installable_from(None));
    workshop.build(&["--unsigned"]);
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    (workshop, serving)
}

const IMPORT: &str = "import application, library; print(application.version, library.version)";

#[test]
fn pip_installs_a_small_release() {
    let pip = Pip::new();
    let (_workshop, serving) = small_release();
    pip.install(&serving.url, &["application"]);
    assert_eq!(pip.python(IMPORT), "1.0 2.1.post1");
    pip.check();
}

#[test]
fn uv_installs_a_small_release() {
    let uv = Uv::new();
    let (_workshop, serving) = small_release();
    uv.install(&serving.url, &["application"]);
    assert_eq!(uv.python(IMPORT), "1.0 2.1.post1");
    uv.check();
}

/// uv looks for versions that fit each Python that a project allows, and so refuses the set in a
/// project that allows more than the set does. With the line of the README that `init` writes it
/// does not.
#[test]
fn uv_locks_with_the_pythons_of_the_readme() {
    let uv = Uv::new();
    let minor: u64 = uv
        .python("import sys; print(sys.version_info[1])")
        .parse()
        .unwrap();
    let workshop = Workshop::empty();
    let tags = format!("cp3{minor},cp3{}", minor + 2);
    let init = workshop.run(&["init", "--python", &tags, "repository"]);
    assert_eq!(init.code, Some(0), "{}", init.error);
    let folder = workshop.path("repository");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let supported = readme
        .lines()
        .find(|line| line.starts_with("requires-python = "))
        .unwrap();
    assert_eq!(
        supported,
        format!(
            "requires-python = \">=3.{minor},<3.{},!=3.{}.*\"",
            minor + 3,
            minor + 1
        )
    );
    let configuration = fs::read_to_string(folder.join("ipwhl.toml")).unwrap();
    let library = pure("library", "1.0").requires_python(&format!(">=3.{minor}"));
    workshop.write_over(
        &RepositoryBuilder::new()
            .configuration_text(&configuration)
            .project(Project::wanted(library)),
    );
    workshop.build(&["--unsigned"]);
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    let lock = |requires_python: &str| {
        let text = format!(
            "[project]\nname = \"ours\"\nversion = \"0\"\n{requires_python}\ndependencies = [\"library\"]\n"
        );
        fs::write(uv.home.path().join("pyproject.toml"), text).unwrap();
        let _ = fs::remove_file(uv.home.path().join("uv.lock"));
        uv.command(&["lock", "--python"])
            .arg(uv.home.path().join("environment"))
            .args(["--default-index", &serving.url])
            .output()
            .unwrap()
    };
    let output = lock(supported);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let output = lock("requires-python = \">=3.8\"");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && error.contains("requires-python"),
        "{error}"
    );
}

/// The hash that the page of a project gives to its only file.
fn hash_of(serving: &Serving, project: &str) -> String {
    let (_, page) = serving.get(&format!("{project}/"), "Accept: text/html\r\n");
    let page = String::from_utf8(page).unwrap();
    let (_, rest) = page.split_once("#sha256=").unwrap();
    rest[..64].to_owned()
}

#[test]
fn pip_downloads_what_the_hashes_of_the_pages_say() {
    let pip = Pip::new();
    let (_workshop, serving) = small_release();
    let download = |library: &str| {
        let application = hash_of(&serving, "application");
        let requirements = format!(
            "application==1.0 --hash=sha256:{application}\nlibrary==2.1.post1 --hash=sha256:{library}\n"
        );
        fs::write(pip.home.path().join("requirements.txt"), requirements).unwrap();
        pip.command(&[
            "download",
            "--require-hashes",
            "-r",
            "requirements.txt",
            "-d",
            "wheels",
        ])
        .args(["--index-url", &serving.url])
        .output()
        .unwrap()
    };
    let refused = download(&hash_of(&serving, "application"));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("DO NOT MATCH"));
    let output = download(&hash_of(&serving, "library"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for wheel in installable() {
        let path = pip.home.path().join("wheels").join(wheel.file_name());
        assert_eq!(fs::read(path).unwrap(), wheel.build());
    }
}

/// One byte of a wheel is another one: `verify` names the block, and no client installs it.
#[test]
fn a_changed_wheel_is_refused_by_everybody() {
    let (workshop, serving) = small_release();
    drop(serving);
    let mut car = workshop.read("release.car");
    let at = car
        .windows(9)
        .position(|part| part == b"name = \"l")
        .unwrap();
    car[at] ^= 1;
    fs::write(workshop.release("release.car"), car).unwrap();
    let [_, library] = installable();
    let cid = crate::dag::file_dag(ipwhl_unixfs::Profile::UnixfsV1_2025, &library.build()).cid();
    let verified = workshop.run(&["verify", "release/release.car"]);
    verified.refused(1, &[&cid.to_string()]);
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    let (pip, uv) = (Pip::new(), Uv::new());
    let output = pip.try_install(&serving.url, &["application"]);
    assert!(!output.status.success(), "pip installed a changed wheel");
    let output = uv.try_install(&serving.url, &["application"]);
    assert!(!output.status.success(), "uv installed a changed wheel");
    let is_installed = "import importlib.util as u; print(u.find_spec('library'))";
    assert_eq!(pip.python(is_installed), "None");
    assert_eq!(uv.python(is_installed), "None");
}

/// The wheel is another one and every block fits its CID, but not the page: the installers' own
/// check.
#[test]
fn a_wheel_that_the_page_does_not_mean_is_refused_by_pip() {
    let pip = Pip::new();
    let (workshop, serving) = small_release();
    drop(serving);
    let bytes = installable()[1].build();
    let mut other = bytes.clone();
    let at = bytes
        .windows(9)
        .position(|part| part == b"name = \"l")
        .unwrap();
    other[at] ^= 1;
    workshop.build(&["--unsigned", "--tree", "tree"]);
    let tree = workshop.repository().join("tree");
    fs::write(
        tree.join("library").join(installable()[1].file_name()),
        other,
    )
    .unwrap();
    let car = crate::verify_command::contradictions::tree_of(&tree)
        .build(ipwhl_unixfs::Profile::UnixfsV1_2025)
        .car();
    fs::write(workshop.release("release.car"), car).unwrap();
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    let output = pip.try_install(&serving.url, &["application"]);
    assert!(!output.status.success(), "pip installed a changed wheel");
    assert!(String::from_utf8_lossy(&output.stderr).contains("DO NOT MATCH"));
}

/// A release of [`installable`] from the year 2023, and its pages in a folder of a plain server,
/// which gives HTML to everybody.
pub fn release_of_2023() -> (Workshop, Serving, String) {
    let builder = ["application", "library"].into_iter().fold(
        installable_from(None).format_2(),
        |builder, name| {
            builder.change(name, |project| {
                project.set("uploaded", "2023-08-17T17:29:11.5Z")
            })
        },
    );
    let workshop = Workshop::with(&builder);
    workshop.build(&["--unsigned", "--tree", "tree"]);
    let serving = Serving::start(&workshop, &workshop.release("release.car"));
    let tree = workshop.repository().join("tree");
    let plain = respond(move |request| {
        let path = request.path.trim_start_matches('/');
        let (path, kind) = if path.is_empty() || path.ends_with('/') {
            (format!("{path}index.html"), "text/html")
        } else {
            (path.to_owned(), "application/octet-stream")
        };
        match fs::read(tree.join(path)) {
            Ok(bytes) => whole("200 OK", &[("Content-Type", kind)], &bytes),
            Err(_) => whole("404 Not Found", &[], b""),
        }
    });
    (workshop, serving, plain + "/")
}

/// uv reads times on pages of both formats, so its limit holds at each server.
#[test]
fn uv_leaves_out_what_is_newer_at_any_server() {
    let (_workshop, serving, plain) = release_of_2023();
    for url in [&serving.url, &plain] {
        let uv = Uv::new();
        let install = |limit: &str| uv.install_older(url, limit);
        let output = install("2023-08-17T17:29:11Z");
        assert!(
            !output.status.success(),
            "{url}: uv installed a newer wheel"
        );
        let output = install("2023-08-17T17:29:12Z");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{url}: {error}");
        assert_eq!(uv.python(IMPORT), "1.0 2.1.post1");
        // Without a time no file is known to be old enough.
        drop(uv);
    }
    let (_workshop, serving) = small_release();
    let uv = Uv::new();
    let output = uv
        .command(&["pip", "install", "--index-url", &serving.url])
        .args(["--exclude-newer", "2023-08-18T00:00:00Z", "application"])
        .output()
        .unwrap();
    assert!(
        !output.status.success(),
        "uv installed a wheel of unknown age"
    );
}

/// pip reads times on JSON pages only. At a plain server it says that they are missing.
#[test]
fn pip_leaves_out_what_is_newer_where_it_gets_json() {
    let (_workshop, serving, plain) = release_of_2023();
    let pip = Pip::new();
    let install = |url: &str, limit: &str| pip.install_older(url, limit);
    let output = install(&serving.url, "2023-08-17T17:29:11Z");
    assert!(!output.status.success(), "pip installed a newer wheel");
    let output = install(&plain, "2023-08-17T17:29:12Z");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && error.contains("does not provide upload-time metadata"),
        "{error}"
    );
    let output = install(&serving.url, "2023-08-17T17:29:12Z");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert_eq!(pip.python(IMPORT), "1.0 2.1.post1");
}

/// The real set's archive.
fn real_release() -> PathBuf {
    given_file(
        "IPWHL_TEST_RELEASE",
        "name the `release.car` that `ipwhl build` makes of the project's own set",
    )
}

/// What is installed of the real set, and a line that uses it.
const REAL: [(&str, &str); 3] = [
    (
        "flask",
        "import flask; print(flask.Flask('x').test_client().get('/').status_code)",
    ),
    (
        "fastapi",
        "import fastapi, pydantic_core; print(fastapi.FastAPI(title='x').openapi()['info']['title'])",
    ),
    (
        "cryptography",
        "from cryptography.fernet import Fernet as F; f = F(F.generate_key()); print(f.decrypt(f.encrypt(b'x')))",
    ),
];

const EXPECTED: [&str; 3] = ["404", "x", "b'x'"];

#[test]
fn pip_installs_the_real_set() {
    let release = real_release();
    let serving = Serving::start(&Workshop::empty(), &release);
    for ((name, line), expected) in REAL.into_iter().zip(EXPECTED) {
        let pip = Pip::new();
        pip.install(&serving.url, &[name]);
        assert_eq!(pip.python(line), expected);
        pip.check();
    }
}

#[test]
fn uv_installs_the_real_set() {
    let release = real_release();
    let serving = Serving::start(&Workshop::empty(), &release);
    for ((name, line), expected) in REAL.into_iter().zip(EXPECTED) {
        let uv = Uv::new();
        uv.install(&serving.url, &[name]);
        assert_eq!(uv.python(line), expected);
        uv.check();
    }
}
