//! The real program, run in a folder of its own: a home, a cache, a repository of small wheels.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ipwhl::dag::{FileHasher, Profile};
use tempfile::TempDir;

use super::wheel_builder::{Compression, WheelBuilder};

/// A declaration and the wheels that it declares, from `file:` sources.
#[derive(Clone)]
pub struct Part {
    pub project: String,
    pub requires_python: Option<String>,
    pub dependencies: Vec<String>,
    pub wheels: Vec<WheelBuilder>,
    /// Where the bytes come from, with `{}` for the file's name.
    pub source: String,
}

impl Part {
    /// One pure wheel that needs `dependencies`, with a module that can be imported.
    pub fn pure(project: &str, version: &str, dependencies: &[&str]) -> Self {
        let module = format!("{}.py", project.replace('-', "_"));
        let text = format!("name = {project:?}\nversion = {version:?}\n");
        let wheel = stored(project, version).member(&module, text);
        Self::of(project, dependencies, vec![wheel])
    }

    /// These wheels; the headers of their METADATA are added here.
    pub fn of(project: &str, dependencies: &[&str], wheels: Vec<WheelBuilder>) -> Self {
        let wheels = wheels
            .into_iter()
            .map(|wheel| {
                dependencies
                    .iter()
                    .fold(wheel, |wheel, requirement| wheel.requires(requirement))
            })
            .collect();
        Self {
            project: project.to_owned(),
            requires_python: None,
            dependencies: dependencies.iter().map(|&one| one.to_owned()).collect(),
            wheels,
            source: "file:wheels/{}".to_owned(),
        }
    }

    pub fn requires_python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.to_owned());
        self.wheels = self
            .wheels
            .into_iter()
            .map(|wheel| wheel.requires_python(specifiers))
            .collect();
        self
    }

    pub fn source(mut self, source: &str) -> Self {
        source.clone_into(&mut self.source);
        self
    }

    /// The text of the declaration, its wheels in the order that `wheels` has.
    fn text(&self, profile: Profile, bytes: &[(String, Vec<u8>)]) -> String {
        let mut shared = String::new();
        if let Some(specifiers) = &self.requires_python {
            let _ = writeln!(shared, "requires-python = {specifiers:?}");
        }
        let _ = writeln!(shared, "extras = []");
        let _ = writeln!(shared, "dependencies = {:?}", self.dependencies);
        let wheels: Vec<String> = bytes
            .iter()
            .map(|(name, bytes)| {
                let mut hasher = FileHasher::new(profile);
                hasher.update(bytes);
                let (dag, sha256) = hasher.finish();
                format!(
                    "source = {:?}\ncontent-id = \"{}\"\nsha256 = \"{sha256}\"\nsize = {}\n",
                    self.source.replace("{}", name),
                    dag.cid(),
                    bytes.len()
                )
            })
            .collect();
        match wheels.as_slice() {
            [one] => format!("{one}{shared}"),
            _ => {
                let tables: Vec<String> = wheels
                    .iter()
                    .map(|wheel| format!("\n[[wheel]]\n{wheel}"))
                    .collect();
                format!("{shared}{}", tables.concat())
            }
        }
    }
}

/// A wheel without compression: its bytes must not change with the version of a compressor.
fn stored(project: &str, version: &str) -> WheelBuilder {
    WheelBuilder::new(project, version).compression(Compression::Stored)
}

/// The set that most tests build: pure wheels that need each other, native ones for both platforms,
/// one wheel of several chunks in every profile, a name that has to be escaped.
pub fn small_set() -> Vec<Part> {
    let native = |system: &str| {
        stored("Native.Thing", "2.0+local.1")
            .tag(&format!("cp312-cp312-{system}"))
            .member("native_thing/__init__.py", format!("system = {system:?}\n"))
    };
    let mut large = Part::pure("large", "1.0", &[]);
    large.wheels = vec![
        stored("large", "1.0")
            .member("large.py", b"size = 2500000\n")
            .member("large.bin", crate::dag::Seeded::bytes("large", 2_500_000)),
    ];
    vec![
        Part::pure("application", "1.0", &["library>=2", "native-thing"]).requires_python(">=3.8"),
        Part::pure("library", "2.1.post1", &[]),
        Part::of(
            "native-thing",
            &[],
            vec![native("manylinux_2_28_x86_64"), native("win_amd64")],
        ),
        large,
    ]
}

/// What pip and uv can install on every machine: pure wheels only.
pub fn pure_set() -> Vec<Part> {
    vec![
        Part::pure("application", "1.0", &["library>=2"]).requires_python(">=3.8"),
        Part::pure("library", "2.1.post1", &[]),
    ]
}

/// `ipwhl.toml` for both platforms of [`small_set`], with `more` at its end.
pub fn configuration(profile: Profile, more: &str) -> String {
    format!(
        "[repository]\nformat = 1\nname = \"small\"\nprofile = \"{profile}\"\n\n[platforms]\n\
         python = [\"cp312\"]\nsystem = [\"manylinux_2_28_x86_64\", \"win_amd64\"]\n\n{more}"
    )
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

    /// A repository of these parts.
    pub fn with(parts: &[Part], profile: Profile) -> Self {
        let workshop = Self::empty();
        workshop.write(parts, profile, "");
        workshop
    }

    /// The repository of [`small_set`].
    pub fn small() -> Self {
        Self::with(&small_set(), Profile::UnixfsV1_2025)
    }

    /// Writes or rewrites the repository, in the order that `parts` has.
    pub fn write(&self, parts: &[Part], profile: Profile, more: &str) {
        let repository = self.repository();
        fs::create_dir_all(repository.join("declarations")).unwrap();
        fs::create_dir_all(repository.join("wheels")).unwrap();
        fs::write(repository.join("ipwhl.toml"), configuration(profile, more)).unwrap();
        for part in parts {
            let bytes: Vec<(String, Vec<u8>)> = part
                .wheels
                .iter()
                .map(|wheel| (wheel.file_name(), wheel.build()))
                .collect();
            if part.source.starts_with("file:") {
                for (name, bytes) in &bytes {
                    fs::write(repository.join("wheels").join(name), bytes).unwrap();
                }
            }
            let declaration = format!("declarations/{}.toml", part.project);
            fs::write(repository.join(declaration), part.text(profile, &bytes)).unwrap();
        }
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

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every file below a folder, by its path from there, and its bytes.
pub fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    fn walk(
        folder: &Path,
        prefix: &str,
        found: &mut std::collections::BTreeMap<String, Vec<u8>>,
    ) {
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
    let mut found = std::collections::BTreeMap::new();
    walk(folder, "", &mut found);
    found
}
