//! A change of declarations that is interrupted, killed or without room: all files have their new
//! contents, or none; nothing is left that the next change does not remove.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::SmallDisk;
#[cfg(target_arch = "x86_64")]
use super::switch::strace;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex, message};
use crate::support::repository_builder::RepositoryBuilder;
use crate::support::workshop::{Ran, Workshop, files, pure};

/// A set with nothing declared, and an index with four projects of which each requires the next.
struct Orchard {
    index: LoopbackIndex,
    workshop: Workshop,
}

const PROJECTS: [&str; 4] = ["apple", "banana", "cherry", "date"];

impl Orchard {
    fn new() -> Self {
        let index = LoopbackIndex::start();
        for (number, name) in PROJECTS.iter().enumerate() {
            let mut wheel = pure(name, "1.0");
            // A long text for a declaration that needs some room.
            for other in 0..200 {
                wheel = wheel.requires(&format!("other-{other} ; os_name == 'java'"));
            }
            if let Some(next) = PROJECTS.get(number + 1) {
                wheel = wheel.requires(next);
            }
            let mut hosted = Hosted::new(name, &wheel.file_name(), &wheel.build());
            hosted.metadata = Some(wheel.metadata_bytes());
            index.host(hosted);
        }
        let workshop = Workshop::with(&RepositoryBuilder::new());
        fs::create_dir_all(workshop.repository().join("declarations")).unwrap();
        Self { index, workshop }
    }

    fn command(&self) -> Command {
        let mut command = self.workshop.command(&["add", "apple"]);
        command.env("IPWHL_INDEX_URL", self.index.index_url());
        command
    }

    fn start(&self) -> Child {
        let mut command = self.command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn declared(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.workshop.repository().join("declarations"))
    }

    /// That the next run writes all declarations, and leaves nothing else.
    fn assert_next_run_is_whole(&self, when: &str) {
        let ran = Ran::of(&self.command().output().unwrap());
        assert_eq!(ran.code, Some(0), "{when}: {}", ran.error);
        let names: Vec<String> = self.declared().into_keys().collect();
        let expected = PROJECTS.map(|name| format!("{name}.toml"));
        assert_eq!(names, expected, "{when}");
    }

    /// Sends a signal when the index has been asked for `path`, which it never answers.
    fn signal_at(&self, path: &str, signal: &str) {
        let child = self.start();
        let deadline = Instant::now() + Duration::from_mins(1);
        while !self.index.paths().iter().any(|one| one == path) {
            assert!(Instant::now() < deadline, "{path} is never asked for");
            std::thread::sleep(Duration::from_millis(1));
        }
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), None, "it ended by itself");
        assert!(self.declared().is_empty(), "{:?}", self.declared().keys());
    }
}

/// Ctrl-C or a kill, while the index is asked about projects, metadata or wheels.
#[test]
fn interrupted_while_it_searches_and_fetches() {
    for signal in ["-INT", "-KILL"] {
        for path in [
            "/simple/cherry/",
            "/files/cherry-1.0-py3-none-any.whl.metadata",
            "/files/cherry-1.0-py3-none-any.whl",
        ] {
            let orchard = Orchard::new();
            let head = message("200 OK", &[("Content-Length", "10000")], b"{");
            // A machine that stands still may give up an answer before the signal comes.
            orchard.index.queue(path, vec![Answer::Stall(head); 4]);
            orchard.signal_at(path, signal);
            orchard.index.forget_queued();
            orchard.assert_next_run_is_whole(path);
        }
    }
}

/// Killed at each rename: what has its name is whole, and needs nothing that is not there. On this
/// machine files of the cache get their names by `renameat`, and declarations by `rename`.
#[cfg(target_arch = "x86_64")]
#[test]
fn killed_at_each_rename() {
    for number in 1..=PROJECTS.len() + 1 {
        let orchard = Orchard::new();
        // Later runs have the wheels in the cache, and so only rename declarations.
        assert_eq!(Ran::of(&orchard.command().output().unwrap()).code, Some(0));
        let whole = orchard.declared();
        for name in whole.keys() {
            fs::remove_file(
                orchard
                    .workshop
                    .repository()
                    .join("declarations")
                    .join(name),
            )
            .unwrap();
        }
        let command = orchard.command();
        let status = Command::new(strace())
            .args(["-f", "-q", "-o", "/dev/null", "-e"])
            .arg(format!("inject=rename:signal=KILL:when={number}"))
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(orchard.workshop.repository())
            .env("HOME", orchard.workshop.path("home"))
            .env("IPWHL_CACHE_DIR", orchard.workshop.path("cache"))
            .env("IPWHL_INDEX_URL", orchard.index.index_url())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let there = orchard.declared();
        let is_killed = !status.success();
        assert_eq!(is_killed, number <= PROJECTS.len(), "rename {number}");
        let mut is_needed_there = true;
        for name in PROJECTS.iter().rev().map(|name| format!("{name}.toml")) {
            match there.get(&name) {
                Some(text) => {
                    assert_eq!(Some(text), whole.get(&name), "{number}: {name}");
                    assert!(
                        is_needed_there,
                        "{number}: {name} needs one that is not there"
                    );
                }
                None => is_needed_there = false,
            }
        }
        orchard.assert_next_run_is_whole(&format!("rename {number}"));
    }
}

/// Partial files of a killed run are hidden from git, and gone after the next one.
#[test]
fn partial_files_of_a_killed_run_are_ignored_and_removed() {
    let orchard = Orchard::new();
    let folder = orchard.workshop.repository().join("declarations");
    for name in [".zucchini.toml.partial", ".declarations.partial"] {
        fs::write(folder.join(name), "half").unwrap();
    }
    let check = orchard.workshop.run(&["check", "--offline"]);
    assert_eq!(check.code, Some(0), "{check:?}");
    orchard.assert_next_run_is_whole("with partial files");
    // A new repository names them.
    let workshop = Workshop::empty();
    let made = workshop.run(&["init", "repository"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(workshop.repository());
        command.output().unwrap()
    };
    git(&["init", "-q"]);
    for name in [".zucchini.toml.partial", ".declarations.partial"] {
        fs::write(
            workshop.repository().join("declarations").join(name),
            "half",
        )
        .unwrap();
    }
    let status = String::from_utf8(git(&["status", "--porcelain", "-uall"]).stdout).unwrap();
    assert!(status.contains("ipwhl.toml"), "{status}");
    assert!(!status.contains("partial"), "{status}");
}

/// No room for the third of four declarations, or no right to write at all.
#[test]
fn a_full_or_read_only_disk_under_the_declarations() {
    let orchard = Orchard::new();
    let folder = orchard.workshop.repository().join("declarations");
    let disk = SmallDisk::mount(&folder, 1);
    let ballast = folder.join(".ballast");
    // Room for two of them.
    fs::write(&ballast, vec![7; (1 << 20) - 20 * 1024]).unwrap();
    let ran = Ran::of(&orchard.command().output().unwrap());
    ran.refused(
        3,
        &[
            ".toml` cannot be changed: No space left on device",
            "help: no file was changed or removed; make room",
        ],
    );
    let left: Vec<String> = orchard.declared().into_keys().collect();
    assert_eq!(left, [".ballast"]);
    fs::remove_file(&ballast).unwrap();
    disk.remount("ro");
    let ran = Ran::of(&orchard.command().output().unwrap());
    ran.refused(
        3,
        &[
            "cannot be changed: Read-only file system",
            "help: no file was changed or removed; make the file system writable",
        ],
    );
    assert!(orchard.declared().is_empty());
    disk.remount("rw");
    orchard.assert_next_run_is_whole("with room and rights");
}
