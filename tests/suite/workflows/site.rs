//! A repository with CI on a forge that is played: its git history, the index of its wheels, the
//! programs that a machine of the forge has.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ipwhl::release::signature::verify;
use ipwhl::release::statement::Statement;
use ipwhl::set::declaration::canonical;
use ipwhl_packaging::WheelFileName;

use crate::support::history::History;
use crate::support::loopback_index::{Hosted, LoopbackIndex};
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::tool;
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::{Ending, Ran, Workshop, installable, pure};

/// What the repository is called, on the forge and on the disk.
pub const NAME: &str = "my-wheels";

/// Environment variables.
pub type Variables = BTreeMap<String, String>;

/// A repository on a forge.
pub struct Site {
    workshop: Workshop,
    index: LoopbackIndex,
    pub history: History,
    /// The text of the signing key.
    pub key: String,
}

/// A change that somebody proposes.
#[derive(Clone, Copy)]
pub enum Change {
    /// A project more, of which nothing is wrong.
    Clean,
    /// A project less, which another one needs.
    Breaking,
    /// Nothing but a file in another form.
    Unformatted,
}

impl Site {
    /// What `ipwhl init --ci` makes, with two projects in it, on the branch `main`.
    pub fn new(ci: &str) -> Self {
        // A copy of this program would be the same, and is large.
        let command = format!(
            "echo installed >>\"$FORGE_STATE/installed\" && mkdir -p \"$CARGO_INSTALL_ROOT/bin\" && ln -s '{}' \"$CARGO_INSTALL_ROOT/bin/ipwhl\"",
            env!("CARGO_BIN_EXE_ipwhl"),
        );
        Self::with(ci, Some(&command))
    }

    /// A site whose CI files have this `--install`, or an empty line.
    pub fn with(ci: &str, install: Option<&str>) -> Self {
        let tools = ["git", "curl", "jq", "python3", "ssh-keygen"].map(tool);
        let workshop = Workshop::empty();
        let folder = workshop.path(NAME);
        let mut arguments = vec!["init", "--ci", ci, NAME];
        arguments.extend(install.iter().flat_map(|install| ["--install", install]));
        let init = workshop.run(&arguments);
        assert_eq!(init.code, Some(0), "{}", init.error);
        for name in [
            "bin",
            "state",
            "state/releases",
            "state/drafts",
            "state/artifacts",
            "state/caches",
            "state/packages",
        ] {
            fs::create_dir(workshop.path(name)).unwrap();
        }
        let make_key = Command::new(&tools[4])
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f"])
            .arg(workshop.path("key"))
            .output()
            .unwrap();
        assert!(make_key.status.success(), "{make_key:?}");
        let key = fs::read_to_string(workshop.path("key")).unwrap();
        let public = fs::read_to_string(workshop.path("key.pub")).unwrap();
        let configuration = fs::read_to_string(folder.join("ipwhl.toml")).unwrap();
        let configuration = configuration.replacen(
            "# [signing]\n",
            &format!("[signing]\ntrusted = [\"{}\"]\n", public.trim()),
            1,
        );
        fs::write(folder.join("ipwhl.toml"), configuration).unwrap();
        let index = LoopbackIndex::start();
        declare(&index, &folder, installable());
        for path in tools {
            let path = on_path(&path);
            let name = path.file_name().unwrap().to_str().unwrap();
            // A virtual environment's interpreter goes by many names.
            let name = if name.starts_with("python") {
                "python3"
            } else {
                name
            };
            let text = format!("exec '{}' \"$@\"\n", path.display());
            program(&workshop.path("bin"), name, &text);
        }
        // What a workflow asks for only where it is missing, and must not get here.
        for name in ["apt-get", "node", "pip"] {
            program(
                &workshop.path("bin"),
                name,
                &format!("echo \"{name} $*\" >&2\nexit 9\n"),
            );
        }
        // Building this project takes minutes, so cargo is played: it notes its arguments, and
        // installs this program.
        let cargo = format!(
            "printf '%s\\n' \"$@\" >\"$FORGE_STATE/cargo\"\n\
             [ \"$1 $2 $3\" = 'install --locked --git' ] || exit 9\n\
             mkdir -p \"$CARGO_INSTALL_ROOT/bin\"\n\
             ln -s '{}' \"$CARGO_INSTALL_ROOT/bin/ipwhl\"\n",
            env!("CARGO_BIN_EXE_ipwhl"),
        );
        program(&workshop.path("bin"), "cargo", &cargo);
        fs::write(workshop.path("state/installed"), "").unwrap();
        fs::write(workshop.path("state/artifacts.json"), "[]").unwrap();
        let history = History::begin(&folder);
        let origin = workshop.path("origin.git");
        history.run(&[
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            &shown(&origin),
        ]);
        // A forge gives any commit that it has.
        history.run(&[
            "--git-dir",
            &shown(&origin),
            "config",
            "uploadpack.allowAnySHA1InWant",
            "true",
        ]);
        history.run(&[
            "remote",
            "add",
            "origin",
            &format!("file://{}", shown(&origin)),
        ]);
        history.run(&["push", "--quiet", "origin", "main"]);
        Self {
            workshop,
            index,
            history,
            key,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.workshop.path(name)
    }

    /// The text of a file of the repository.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(NAME).join(name)).unwrap()
    }

    /// Pushes a target to the main branch: a folder, which is given back.
    pub fn publish_to_a_folder(&self) -> PathBuf {
        let folder = self.path("published");
        self.configure(&format!(
            "[publish.site]\nkind = \"directory\"\npath = \"{}\"\n",
            shown(&folder)
        ));
        folder
    }

    /// Pushes more settings to the main branch.
    pub fn configure(&self, text: &str) {
        self.settings(&format!("{}\n{text}", self.read("ipwhl.toml")));
    }

    /// Pushes these settings to the main branch.
    pub fn settings(&self, text: &str) {
        fs::write(self.path(NAME).join("ipwhl.toml"), text).unwrap();
        self.history.commit("settings");
        self.history.run(&["push", "--quiet", "origin", "main"]);
    }

    /// A release that was made elsewhere, in this folder: its statement holds as long as `lifetime`
    /// says.
    pub fn made(&self, folder: &Path, lifetime: &str) {
        let repository = self.path(NAME);
        let ran = Command::new(env!("CARGO_BIN_EXE_ipwhl"))
            .args(["build", "--expires", lifetime, "--key"])
            .arg(self.path("key"))
            .arg("--output")
            .arg(folder)
            .current_dir(repository)
            .envs(self.machine("maker").1)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }

    /// Where git gets the repository from.
    pub fn origin(&self) -> String {
        format!("file://{}", shown(&self.path("origin.git")))
    }

    /// How often a machine had to install the program.
    pub fn installations(&self) -> usize {
        let log = fs::read_to_string(self.path("state/installed")).unwrap();
        log.lines().count()
    }

    /// Pushes a change as a branch that begins at the main one, and gives its commit. The main
    /// branch stays.
    pub fn propose(&self, branch: &str, change: Change) -> String {
        self.history
            .run(&["checkout", "--quiet", "-B", branch, "main"]);
        self.apply(change);
        let commit = self.history.commit("a change");
        self.history
            .run(&["push", "--quiet", "--force", "origin", branch]);
        self.history.run(&["checkout", "--quiet", "main"]);
        commit
    }

    /// Pushes a change to the main branch.
    pub fn land(&self, change: Change) -> String {
        self.apply(change);
        let commit = self.history.commit("a change");
        self.history.run(&["push", "--quiet", "origin", "main"]);
        commit
    }

    fn apply(&self, change: Change) {
        let folder = self.path(NAME);
        let library = folder.join("declarations/library.toml");
        match change {
            Change::Clean => declare(&self.index, &folder, [pure("another", "1.0")]),
            Change::Breaking => fs::remove_file(library).unwrap(),
            Change::Unformatted => {
                let text = fs::read_to_string(&library).unwrap();
                fs::write(library, text.replace("extras = []", "extras   =  []")).unwrap();
            }
        }
    }

    /// A machine that has never seen the repository: a folder of its own, and its variables.
    pub fn machine(&self, name: &str) -> (PathBuf, Variables) {
        let folder = self.path(&format!("machine-{name}"));
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            _ => fs::create_dir(&folder).unwrap(),
        }
        let (bin, home) = (self.path("bin"), folder.join("home"));
        let temporary = folder.join("tmp");
        for folder in [&home, &temporary] {
            fs::create_dir(folder).unwrap();
        }
        let variables = [
            ("PATH", format!("{}:/usr/bin:/bin", shown(&bin))),
            ("HOME", shown(&home)),
            ("TMPDIR", shown(&temporary)),
            ("CI", "true".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("IPWHL_INDEX_URL", self.index.index_url()),
            ("FORGE_STATE", shown(&self.path("state"))),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        (folder, variables.into())
    }

    /// The interface of a forge, played by `forge.py`: its address.
    pub fn forge(&self) -> (Ending, String) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/workflows/forge.py");
        let mut forge = Command::new(self.path("bin/python3"));
        forge.arg(file).arg(self.path("state"));
        let (server, mut lines) = Ending::start(&mut forge, |_| true);
        (server, lines.remove(0))
    }

    /// That a folder holds a release whose statement has this place in the sequence, and that
    /// ssh-keygen accepts its signature; the statement.
    #[track_caller]
    pub fn assert_release(&self, folder: &Path, sequence: u64) -> Statement {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["release.car", "release.toml", "release.toml.sig"]);
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let statement = Statement::parse(&read("release.toml")).unwrap();
        assert_eq!(statement.sequence, sequence);
        verify(&read("release.toml.sig"), read("release.toml").as_bytes()).unwrap();
        let public = fs::read_to_string(self.path("key.pub")).unwrap();
        fs::write(self.path("allowed_signers"), format!("ci {public}")).unwrap();
        let keygen = Command::new(self.path("bin/ssh-keygen"))
            .args(["-Y", "verify", "-n", "ipwhl-release", "-I", "ci", "-f"])
            .arg(self.path("allowed_signers"))
            .arg("-s")
            .arg(folder.join("release.toml.sig"))
            .stdin(fs::File::open(folder.join("release.toml")).unwrap())
            .output()
            .unwrap();
        assert!(keygen.status.success(), "{keygen:?}");
        let verified = self.workshop.run(&["verify", &shown(folder)]);
        assert_eq!(verified.line(), statement.root.to_string());
        statement
    }

    /// Changes what the bytes of a file of the forge's state say.
    pub fn keep(&self, name: &str, text: &str) {
        fs::write(self.path("state").join(name), text).unwrap();
    }
}

/// Runs a script as a step, and says how it ended.
pub fn shell(folder: &Path, shell: &[&str], script: &str, variables: &Variables) -> Ran {
    let file = folder.parent().unwrap().join("script.sh");
    fs::write(&file, script).unwrap();
    let output = Command::new("/bin/bash")
        .args(shell)
        .arg(file)
        .current_dir(folder)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran::of(&output)
}

/// A path as a workflow writes it.
pub fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Copies a file or a folder as it is, links as links.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .args([from, to])
        .output()
        .unwrap();
    assert!(copied.status.success(), "{copied:?}");
}

/// Writes the declarations of these wheels, in canonical form, and has the index offer them.
fn declare(index: &LoopbackIndex, folder: &Path, wheels: impl IntoIterator<Item = WheelBuilder>) {
    let configuration = fs::read_to_string(folder.join("ipwhl.toml")).unwrap();
    let mut repository = RepositoryBuilder::new().configuration_text(&configuration);
    let mut names = Vec::new();
    for wheel in wheels {
        let file = wheel.file_name();
        let parsed: WheelFileName = file.parse().unwrap();
        let project = parsed.name().to_string();
        index.host(Hosted::new(&project, &file, &wheel.build()));
        let source = format!("pkg:pypi/{project}@{}?file_name={file}", parsed.version());
        repository = repository.project(Project::wanted(Wheel::elsewhere(wheel, &source)));
        names.push(project);
    }
    repository.write_to(folder);
    for name in names {
        let path = folder.join(format!("declarations/{name}.toml"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, canonical(&text).unwrap()).unwrap();
    }
}

/// Where a program is that is called by its name alone: a machine that is played has another
/// `PATH`.
fn on_path(name: &Path) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.is_file()).unwrap()
}

fn program(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
    executable(&path);
}

/// Lets a file be run.
pub fn executable(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}
