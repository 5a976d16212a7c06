//! Small repositories made to order: sound by default, broken in one chosen way on demand.
//!
//! What a declaration says (content-id, sha256, size, requires-python, extras, dependencies) is
//! computed from the wheel that it declares, so that a test states only what it wants otherwise:
//!
//! ```ignore
//! let repository = RepositoryBuilder::sound()
//!     .change("banana", |project| project.set("sha256", "\"00…\""))
//!     .build();
//! let run = Program::new(repository.path()).run(&["check", "--wheels"]);
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ipwhl_packaging::{CoreMetadata, WheelFileName};
use ipwhl_unixfs::{FileHasher, Profile};
use tempfile::TempDir;

use super::wheel_builder::WheelBuilder;

/// The interpreters of [`RepositoryBuilder::new`].
pub const PYTHONS: &[&str] = &["cp312", "cp313"];

/// The systems of [`RepositoryBuilder::new`].
pub const SYSTEMS: &[&str] = &["manylinux_2_28_x86_64", "win_amd64"];

/// A repository to be.
#[derive(Clone)]
pub struct RepositoryBuilder {
    configuration: String,
    profile: Profile,
    projects: BTreeMap<String, Project>,
    files: BTreeMap<String, Vec<u8>>,
}

/// A project to be declared.
#[derive(Clone)]
pub struct Project {
    wheels: Vec<Wheel>,
    automatic: bool,
    file: Option<String>,
}

/// A wheel to be declared, and what its declaration says otherwise than it should.
#[derive(Clone)]
pub struct Wheel {
    builder: WheelBuilder,
    changes: Vec<(String, Option<String>)>,
    /// Whether the bytes are put into the repository's folder.
    hosted: bool,
}

impl RepositoryBuilder {
    /// A repository without projects, for [`PYTHONS`] on [`SYSTEMS`].
    pub fn new() -> Self {
        Self {
            configuration: String::new(),
            profile: Profile::UnixfsV1_2025,
            projects: BTreeMap::new(),
            files: BTreeMap::new(),
        }
        .platforms(PYTHONS, SYSTEMS)
    }

    /// A repository of four projects without any finding:
    ///
    /// | project | |
    /// |---|---|
    /// | `apple` 1.0 | wanted, pure, needs `banana` and `cherry[pit]`; its extra `juice` needs `damson` |
    /// | `banana` 2.1 | automatic, native: a wheel for each Python on Linux, one abi3 wheel on Windows |
    /// | `cherry` 0.3 | automatic, pure, its extra `pit` needs `damson` |
    /// | `damson` 5.0.1 | automatic, pure, no Requires-Python |
    pub fn sound() -> Self {
        let apple = WheelBuilder::new("apple", "1.0")
            .requires_python(">=3.8")
            .requires("banana>=2")
            .requires("cherry[pit] ; python_version >= \"3.8\"")
            .requires("damson ; extra == \"juice\"")
            .extra("juice")
            .member("apple/__init__.py", "import banana\n");
        let banana = |tag: &str| {
            WheelBuilder::new("banana", "2.1")
                .requires_python(">=3.9")
                .tag(tag)
                .member("banana/_native.bin", format!("for {tag}\n").repeat(50))
        };
        let cherry = WheelBuilder::new("cherry", "0.3")
            .requires_python(">=3.7")
            .requires("damson>=5,<6 ; extra == 'pit'")
            .extra("pit")
            .member("cherry.py", "");
        let damson = WheelBuilder::new("damson", "5.0.1").member("damson.py", "COLOUR = 'blue'\n");
        Self::new()
            .project(Project::wanted(apple))
            .project(
                Project::automatic(banana(
                    "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
                ))
                .wheel(banana(
                    "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
                ))
                .wheel(banana("cp312-abi3-win_amd64")),
            )
            .project(Project::automatic(cherry))
            .project(Project::automatic(damson))
    }

    /// Writes an `ipwhl.toml` for these platforms, in place of the one so far.
    pub fn platforms(self, pythons: &[&str], systems: &[&str]) -> Self {
        self.configuration_text(&format!(
            "[repository]\nformat = 1\nname = \"example\"\n\n\
             [platforms]\npython = {pythons:?}\nsystem = {systems:?}\n"
        ))
    }

    /// Replaces the whole of `ipwhl.toml`.
    pub fn configuration_text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.configuration);
        self
    }

    /// States format 2 in `ipwhl.toml`.
    pub fn format_2(mut self) -> Self {
        self.configuration = self.configuration.replacen("format = 1", "format = 2", 1);
        self
    }

    /// Adds text to the end of `ipwhl.toml`.
    pub fn configuration(mut self, text: &str) -> Self {
        self.configuration.push_str(text);
        self
    }

    /// Computes content-ids under this profile and names it in `ipwhl.toml`.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self.configuration = self.configuration.replacen(
            "[repository]\n",
            &format!("[repository]\nprofile = \"{profile}\"\n"),
            1,
        );
        self
    }

    /// Adds a project, in place of the one of its name.
    pub fn project(mut self, project: Project) -> Self {
        self.projects.insert(project.name(), project);
        self
    }

    /// Changes a project.
    pub fn change(mut self, name: &str, change: impl FnOnce(Project) -> Project) -> Self {
        let project = self.projects.remove(name).expect("a project of this name");
        self.project(change(project))
    }

    /// Adds a file to the repository's folder, after all others.
    pub fn file(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.to_owned(), bytes.as_ref().to_vec());
        self
    }

    /// Writes it to a new temporary folder.
    pub fn build(&self) -> BuiltRepository {
        let folder = tempfile::tempdir().unwrap();
        self.write_to(folder.path());
        BuiltRepository { folder }
    }

    /// Writes it to a folder.
    pub fn write_to(&self, folder: &Path) {
        write(&folder.join("ipwhl.toml"), self.configuration.as_bytes());
        fs::create_dir_all(folder.join("declarations")).unwrap();
        for (name, project) in &self.projects {
            let file = project
                .file
                .clone()
                .unwrap_or_else(|| format!("declarations/{name}.toml"));
            write(&folder.join(file), project.text(self.profile).as_bytes());
            for wheel in project.wheels.iter().filter(|wheel| wheel.hosted) {
                let path = folder.join("wheels").join(wheel.builder.file_name());
                write(&path, &wheel.builder.build());
            }
        }
        for (path, bytes) in &self.files {
            write(&folder.join(path), bytes);
        }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

impl Project {
    /// A project that somebody asked for, with its first wheel.
    pub fn wanted(wheel: impl Into<Wheel>) -> Self {
        Self {
            wheels: vec![wheel.into()],
            automatic: false,
            file: None,
        }
    }

    /// A project that is there only because another needs it, with its first wheel.
    pub fn automatic(wheel: impl Into<Wheel>) -> Self {
        Self {
            automatic: true,
            ..Self::wanted(wheel)
        }
    }

    /// Adds a wheel.
    pub fn wheel(mut self, wheel: impl Into<Wheel>) -> Self {
        self.wheels.push(wheel.into());
        self
    }

    /// Takes out the wheels whose file name has this part.
    pub fn without_wheel(mut self, part: &str) -> Self {
        let before = self.wheels.len();
        self.wheels
            .retain(|wheel| !wheel.builder.file_name().contains(part));
        assert!(self.wheels.len() < before, "no wheel has `{part}`");
        self
    }

    /// Declares it in another file than `declarations/<name>.toml`.
    pub fn in_file(mut self, file: &str) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// Gives a key of every wheel another value, as TOML.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.wheels = self
            .wheels
            .into_iter()
            .map(|wheel| wheel.set(key, value))
            .collect();
        self
    }

    /// Leaves a key of every wheel out.
    pub fn unset(mut self, key: &str) -> Self {
        self.wheels = self
            .wheels
            .into_iter()
            .map(|wheel| wheel.unset(key))
            .collect();
        self
    }

    /// Changes every wheel itself; the declaration follows.
    pub fn rebuild(mut self, change: impl Fn(WheelBuilder) -> WheelBuilder) -> Self {
        for wheel in &mut self.wheels {
            wheel.builder = change(wheel.builder.clone());
        }
        self
    }

    /// The normalised name.
    pub fn name(&self) -> String {
        let name: WheelFileName = self.wheels[0].builder.file_name().parse().unwrap();
        name.name().to_string()
    }

    /// The text of the declaration.
    pub fn text(&self, profile: Profile) -> String {
        let mut text = String::new();
        let keys = |text: &mut String, wheel: &Wheel| {
            for (key, value) in wheel.keys(profile) {
                writeln!(text, "{key} = {value}").unwrap();
            }
        };
        if let [wheel] = self.wheels.as_slice() {
            keys(&mut text, wheel);
            if self.automatic {
                text.push_str("automatic = true\n");
            }
        } else {
            if self.automatic {
                text.push_str("automatic = true\n");
            }
            for wheel in &self.wheels {
                text.push_str("\n[[wheel]]\n");
                keys(&mut text, wheel);
            }
        }
        text
    }
}

impl From<WheelBuilder> for Wheel {
    fn from(builder: WheelBuilder) -> Self {
        Self {
            builder,
            changes: Vec::new(),
            hosted: true,
        }
    }
}

impl Wheel {
    /// A wheel whose bytes come from somewhere else than the repository's folder.
    pub fn elsewhere(builder: WheelBuilder, source: &str) -> Self {
        Self {
            hosted: false,
            ..Self::from(builder)
        }
        .set("source", &format!("{source:?}"))
    }

    /// Gives a key another value, as TOML.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.changes.push((key.to_owned(), Some(value.to_owned())));
        self
    }

    /// Leaves a key out.
    pub fn unset(mut self, key: &str) -> Self {
        self.changes.push((key.to_owned(), None));
        self
    }

    /// The keys of the declaration, with their values as TOML.
    fn keys(&self, profile: Profile) -> Vec<(String, String)> {
        let bytes = self.builder.build();
        let mut hasher = FileHasher::new(profile);
        hasher.update(&bytes);
        let (dag, sha256) = hasher.finish();
        // A wheel with broken METADATA is declared as one that says nothing.
        let metadata = CoreMetadata::parse(&self.builder.metadata_bytes()).ok();
        let mut keys: Vec<(String, String)> = Vec::new();
        let mut put = |key: &str, value: String| keys.push((key.to_owned(), value));
        put(
            "source",
            format!("\"file:wheels/{}\"", self.builder.file_name()),
        );
        put("content-id", format!("\"{}\"", dag.cid()));
        if let Some(specifiers) = metadata
            .as_ref()
            .and_then(|data| data.requires_python.as_ref())
        {
            put("requires-python", format!("{:?}", specifiers.to_string()));
        }
        let list = |values: Vec<String>| {
            let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
            format!("[{}]", values.join(", "))
        };
        let extras = metadata.as_ref().map_or_else(Vec::new, |data| {
            data.provides_extra
                .iter()
                .map(ToString::to_string)
                .collect()
        });
        put("extras", list(extras));
        let dependencies = metadata.as_ref().map_or_else(Vec::new, |data| {
            data.requires_dist.iter().map(ToString::to_string).collect()
        });
        put("dependencies", list(dependencies));
        put("sha256", format!("\"{sha256}\""));
        put("size", bytes.len().to_string());
        for (key, value) in &self.changes {
            let position = keys.iter().position(|(known, _)| known == key);
            match (position, value) {
                (Some(position), Some(value)) => value.clone_into(&mut keys[position].1),
                (None, Some(value)) => keys.push((key.clone(), value.clone())),
                (Some(position), None) => {
                    keys.remove(position);
                }
                (None, None) => {}
            }
        }
        keys
    }
}

/// A repository in a folder of its own, which goes with this value.
pub struct BuiltRepository {
    folder: TempDir,
}

impl BuiltRepository {
    /// The repository's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where a file of it is.
    pub fn join(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.join(path)).unwrap()
    }

    /// Writes a file.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        write(&self.join(path), bytes.as_ref());
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.join(path)).unwrap();
    }
}
