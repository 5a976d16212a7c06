//! The real program, run in a folder of its own: a home, a cache, a repository of small wheels.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use tempfile::TempDir;

use super::repository_builder::{Project, RepositoryBuilder, Wheel};
use super::wheel_builder::{Compression, WheelBuilder};
use crate::dag::Seeded;

/// A wheel without compression: its bytes must not change with the version of a compressor.
pub fn stored(project: &str, version: &str) -> WheelBuilder {
    WheelBuilder::new(project, version).compression(Compression::Stored)
}

/// A pure wheel with a module that can be imported.
pub fn pure(project: &str, version: &str) -> WheelBuilder {
    let module = format!("{}.py", project.replace('-', "_"));
    let text = format!("name = {project:?}\nversion = {version:?}\n");
    stored(project, version).member(&module, text)
}

fn application() -> WheelBuilder {
    pure("application", "1.0").requires_python(">=3.8")
}

/// The wheels of `native-thing`, one for each system.
pub fn native() -> Vec<WheelBuilder> {
    ["manylinux_2_28_x86_64", "win_amd64"]
        .map(|system| {
            stored("Native.Thing", "2.0+local.1")
                .tag(&format!("cp312-cp312-{system}"))
                .member("native_thing/__init__.py", format!("system = {system:?}\n"))
        })
        .into()
}

/// The repository that most tests build, named `example`, for cp312 on two systems: pure wheels
/// that need each other, native ones with a name that has to be escaped, one wheel that has several
/// chunks in every profile.
pub fn small() -> RepositoryBuilder {
    let mut native = native().into_iter();
    let first = Project::automatic(native.next().unwrap());
    let large = stored("large", "1.0")
        .member("large.py", "size = 2500000\n")
        .member("large.bin", Seeded::bytes("large", 2_500_000));
    RepositoryBuilder::new()
        .platforms(&["cp312"], &["manylinux_2_28_x86_64", "win_amd64"])
        .project(Project::wanted(
            application()
                .requires("library>=2")
                .requires("native-thing"),
        ))
        .project(Project::automatic(pure("library", "2.1.post1")))
        .project(native.fold(first, Project::wheel))
        .project(Project::wanted(large))
}

/// What pip and uv can install on every machine: `application`, which needs `library`, both pure.
pub fn installable() -> [WheelBuilder; 2] {
    [
        application().requires("library>=2"),
        pure("library", "2.1.post1"),
    ]
}

/// The repository of [`installable`], each wheel from `file:`, or from `source` with its file name
/// for `{}`.
pub fn installable_from(source: Option<&str>) -> RepositoryBuilder {
    installable()
        .into_iter()
        .fold(RepositoryBuilder::new(), |repository, wheel| {
            let name = wheel.file_name();
            repository.project(Project::wanted(match source {
                None => wheel.into(),
                Some(source) => Wheel::elsewhere(wheel, &source.replace("{}", &name)),
            }))
        })
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub output: String,
    pub error: String,
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            output: String::from_utf8(output.stdout.clone()).unwrap(),
            error: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// The only line on standard output of a run without findings.
    #[track_caller]
    pub fn line(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}", self.error);
        let line = self.output.strip_suffix('\n').expect("a line");
        assert!(!line.contains('\n'), "{}", self.output);
        line
    }

    /// That the run failed so, and said each of these words.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.output, "", "{self:#?}");
        for word in words {
            assert!(self.error.contains(word), "no `{word}` in {}", self.error);
        }
    }

    #[track_caller]
    pub fn said(&self, word: &str) {
        assert!(self.error.contains(word), "no `{word}` in {}", self.error);
    }
}

/// A folder with a home, a cache and a repository, and the program run in it.
pub struct Workshop {
    folder: TempDir,
}

impl Workshop {
    /// Nothing but an empty folder.
    pub fn empty() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// This repository, written.
    pub fn with(repository: &RepositoryBuilder) -> Self {
        let workshop = Self::empty();
        workshop.write(repository);
        workshop
    }

    /// The repository of [`small`].
    pub fn small() -> Self {
        Self::with(&small())
    }

    /// Writes the repository anew.
    pub fn write(&self, repository: &RepositoryBuilder) {
        match fs::remove_dir_all(self.repository()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            _ => repository.write_to(&self.repository()),
        }
    }

    /// Writes another repository in the place of the first one, and leaves what builds have made.
    pub fn write_over(&self, repository: &RepositoryBuilder) {
        for folder in ["declarations", "wheels"] {
            let _ = fs::remove_dir_all(self.repository().join(folder));
        }
        repository.write_to(&self.repository());
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    /// A file of the release that a build without `--output` writes.
    pub fn release(&self, name: &str) -> PathBuf {
        self.repository().join("release").join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.release(name)).unwrap()
    }

    /// The program, its folder the repository, nothing in its environment but a home and a cache.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ipwhl"));
        let home = self.path("home");
        fs::create_dir_all(&home).unwrap();
        let folder = self.repository();
        let folder = if folder.is_dir() {
            folder
        } else {
            self.folder.path().to_owned()
        };
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", home)
            .env("IPWHL_CACHE_DIR", self.path("cache"))
            .stdin(Stdio::null());
        command
    }

    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// Builds, and gives back the root.
    #[track_caller]
    pub fn build(&self, arguments: &[&str]) -> String {
        let arguments = [&["build"], arguments].concat();
        self.run(&arguments).line().to_owned()
    }
}

/// Runs a program with this input, and waits for its end.
pub fn feed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends early does not read its input; what it says is judged by the caller.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// A process that is ended, by its own number, when this value goes.
pub struct Ending(pub Child);

impl Ending {
    /// Starts a server, and waits for the line of its standard output that says that it is ready:
    /// all lines up to that one.
    #[track_caller]
    pub fn start(command: &mut Command, is_ready: impl FnMut(&str) -> bool) -> (Self, Vec<String>) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        (Self(child), until(output, is_ready))
    }

    /// The same for one that speaks on standard error.
    #[track_caller]
    pub fn start_on_stderr(
        command: &mut Command,
        is_ready: impl FnMut(&str) -> bool,
    ) -> (Self, Vec<String>) {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let output = child.stderr.take().unwrap();
        (Self(child), until(output, is_ready))
    }
}

#[track_caller]
fn until(
    output: impl Read + Send + 'static,
    mut is_ready: impl FnMut(&str) -> bool,
) -> Vec<String> {
    let mut lines = BufReader::new(output).lines();
    let mut said = Vec::new();
    for line in lines.by_ref().map_while(Result::ok) {
        said.push(line);
        if is_ready(&said[said.len() - 1]) {
            // More of it must not block it.
            thread::spawn(move || lines.for_each(drop));
            return said;
        }
    }
    panic!("the server ended before it was ready: {said:#?}");
}

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every file below a folder, by its path from there, and its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), &format!("{name}/"), found);
            } else {
                found.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, "", &mut found);
    found
}

/// The files of a release, without the statements of earlier ones, which a build keeps below
/// `statements`.
pub fn release_files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = files(folder);
    found.retain(|name, _| !name.starts_with("statements/"));
    found
}
