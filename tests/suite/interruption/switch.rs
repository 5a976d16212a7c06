//! A build that is killed while its files take their names: no sequence is lost, and the next build
//! finishes it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipwhl::release::statement::Statement;

use super::{KEY, assert_whole_or_absent, workshop};
use crate::harness::skip;
use crate::support::http::{respond, whole};
use crate::support::repository_builder::{Project, Wheel};
use crate::support::tool;
use crate::support::workshop::{Ran, Workshop, installable_from, pure, release_files};

/// How long a test waits for something that comes at once.
const PATIENCE: Duration = Duration::from_mins(1);

/// Calls that give a file its name or take it away.
const CALLS: [&str; 5] = ["rename", "renameat", "renameat2", "unlink", "unlinkat"];

fn statement(workshop: &Workshop) -> Statement {
    Statement::parse(&String::from_utf8(workshop.read("release.toml")).unwrap()).unwrap()
}

/// A workshop with a first release, its declarations those of a second one; and the roots of both.
fn between_two() -> (Workshop, String, String) {
    let workshop = workshop(&installable_from(None));
    let old = workshop.build(&KEY);
    workshop.write_over(&installable_from(None).project(Project::wanted(pure("another", "1"))));
    let new = workshop.build(&["--root-only"]);
    (workshop, old, new)
}

const FILES: [&str; 3] = ["release.car", "release.toml.sig", "release.toml"];

/// Each state between two releases, made by hand: of the new files so many have their names.
#[test]
fn every_state_of_the_switch_is_finished_by_the_next_build() {
    let (workshop, old, new) = between_two();
    let target = "\n[publish.site]\nkind = \"directory\"\npath = \"../site\"\n";
    let configuration = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, format!("{text}{target}")).unwrap();
    let before = release_files(&workshop.repository().join("release"));
    let build = [&["build"], &KEY[..]].concat();
    workshop.run(&build).line();
    let after = release_files(&workshop.repository().join("release"));
    assert_eq!(statement(&workshop).sequence, 2);
    for switched in 0..3 {
        let when = format!("{switched} files have their names");
        fs::remove_dir_all(workshop.repository().join("release")).unwrap();
        fs::create_dir(workshop.repository().join("release")).unwrap();
        for (place, name) in FILES.iter().enumerate() {
            let partial = workshop.release(&format!(".{name}.partial"));
            if place < switched {
                fs::write(workshop.release(name), &after[*name]).unwrap();
                continue;
            }
            fs::write(partial, &after[*name]).unwrap();
            // The old statement has gone before the first new file came.
            if *name != "release.toml" {
                fs::write(workshop.release(name), &before[*name]).unwrap();
            }
        }
        assert_whole_or_absent(&workshop, &[&old, &new], &when);
        let words = "run `ipwhl build` to finish it";
        workshop
            .run(&["verify", "release", "--statement", "release/release.toml"])
            .refused(3, &[words]);
        workshop.run(&["publish"]).refused(1, &[words]);
        let ran = workshop.run(&build);
        assert_eq!(ran.line(), new, "{when}");
        ran.said("finished the interrupted build: release/release.toml, sequence 2");
        assert_eq!(
            release_files(&workshop.repository().join("release")),
            after,
            "{when}"
        );
    }
}

/// What lies there need not be what a build has left.
#[test]
fn what_is_not_whole_is_not_finished() {
    let (workshop, ..) = between_two();
    let before = release_files(&workshop.repository().join("release"));
    let build = [&["build"], &KEY[..]].concat();
    workshop.run(&build).line();
    let after = release_files(&workshop.repository().join("release"));
    let cut = |name: &str, length: usize| {
        fs::remove_dir_all(workshop.repository().join("release")).unwrap();
        fs::create_dir(workshop.repository().join("release")).unwrap();
        for place in FILES {
            let bytes = &after[place];
            let length = if place == name { length } else { bytes.len() };
            fs::write(
                workshop.release(&format!(".{place}.partial")),
                &bytes[..length],
            )
            .unwrap();
        }
        fs::write(workshop.release("release.car"), &before["release.car"]).unwrap();
        // Only a whole statement tells that there was an older one: it is written last.
        if name != "release.toml" {
            let lying = release_files(&workshop.repository().join("release"));
            let words = "`release/.release.toml.partial`, sequence 2, cannot be finished";
            workshop.run(&build).refused(
                1,
                &[
                    words,
                    "--previous STATEMENT",
                    "a build begins at sequence 1",
                ],
            );
            assert_eq!(release_files(&workshop.repository().join("release")), lying);
            fs::remove_file(workshop.release(".release.toml.partial")).unwrap();
        }
        let ran = workshop.run(&build);
        ran.line();
        assert!(!ran.error.contains("finished"), "{}", ran.error);
        assert_eq!(statement(&workshop).sequence, 1);
    };
    for name in FILES {
        cut(name, after[name].len() / 2);
    }
}

/// `strace`, where it may trace.
pub(super) fn strace() -> PathBuf {
    let strace = tool("strace");
    let works = Command::new(&strace)
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    if !works.is_ok_and(|status| status.success()) {
        skip("`strace` may trace nothing here");
    }
    strace
}

/// A build that meets this at a call of this name, the first being 1.
fn build_with(workshop: &Workshop, name: &str, number: u32, fault: &str) -> Output {
    let build = workshop.command(&[&["build"], &KEY[..]].concat());
    Command::new(strace())
        .args(["-f", "-q", "-o"])
        .arg(workshop.path("trace"))
        .arg("-e")
        .arg(format!("inject={name}:{fault}:when={number}"))
        .arg(build.get_program())
        .args(build.get_args())
        .current_dir(workshop.repository())
        .env("HOME", workshop.path("home"))
        .env("IPWHL_CACHE_DIR", workshop.path("cache"))
        .output()
        .unwrap()
}

/// The same by real kills, at each call in turn; `strace` sends them.
#[test]
fn killed_at_each_call_that_renames_or_removes() {
    assert_finished_after("signal=KILL", "killed by SIGKILL");
}

/// The same where the file system refuses a call, and the build ends by itself.
#[test]
fn failed_at_each_call_that_renames_or_removes() {
    assert_finished_after("error=EACCES", "(INJECTED)");
}

/// Builds with this fault, which leaves these words in a trace, at each call in turn until there is
/// none.
fn assert_finished_after(fault: &str, traced: &str) {
    let mut met = 0;
    for name in CALLS {
        for number in 1..40 {
            let when = format!("{fault} at {name} {number}");
            let (workshop, old, new) = between_two();
            build_with(&workshop, name, number, fault);
            let trace = fs::read_to_string(workshop.path("trace")).unwrap();
            assert_whole_or_absent(&workshop, &[&old, &new], &when);
            // Further errors do not lose what the first one has left.
            if !workshop.release("release.toml").exists() {
                for _ in 0..2 {
                    let output = build_with(&workshop, "rename,renameat,renameat2", 1, "error=EIO");
                    let error = String::from_utf8_lossy(&output.stderr);
                    assert_eq!(output.status.code(), Some(3), "{when}: {error}");
                    let help = "help: run the same command again: it finishes this build";
                    assert!(error.contains(help), "{when}: {error}");
                }
            }
            assert_second_is_built(&workshop, &old, &new, &when);
            if !trace.contains(traced) {
                break;
            }
            met += 1;
        }
    }
    assert!(met >= 4, "only {met} calls were met");
}

/// That the next build leaves a whole second release.
fn assert_second_is_built(workshop: &Workshop, old: &str, new: &str, when: &str) {
    workshop.build(&KEY);
    let made = statement(workshop);
    let previous = made.previous.unwrap().to_string();
    assert_eq!((made.sequence, previous.as_str()), (2, old), "{when}");
    assert_eq!(made.root.to_string(), new, "{when}");
    let mut names = FILES;
    names.sort_unstable();
    let there: Vec<String> = release_files(&workshop.repository().join("release"))
        .into_keys()
        .collect();
    assert_eq!(there, names, "{when}");
}

/// Two builds at once follow the same statement; only one of them signs the next sequence.
#[test]
fn of_two_builds_at_once_the_slower_one_is_refused() {
    let wheel = pure("fetched", "1");
    let name = wheel.file_name();
    let bytes = wheel.build();
    // A request says that it has come, and waits until it may be answered.
    let (arrived, requests) = channel();
    let (release, gate) = channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let url = respond(move |_| {
        let _ = arrived.send(());
        let _ = gate.lock().unwrap().recv_timeout(PATIENCE);
        whole("200 OK", &[], &bytes)
    });
    let source = format!("{url}/{name}");
    let repository = || {
        installable_from(None)
            .configuration("\n[severity]\ninsecure-source = \"off\"\n")
            .project(Project::wanted(Wheel::elsewhere(wheel.clone(), &source)))
    };
    let workshop = workshop(&repository());
    release.send(()).unwrap();
    workshop.build(&KEY);
    requests.recv_timeout(PATIENCE).unwrap();
    workshop.write_over(&repository().project(Project::wanted(pure("another", "1"))));
    let slow = workshop
        .command(&[&["build"], &KEY[..]].concat())
        .env("IPWHL_CACHE_DIR", workshop.path("empty-cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    requests.recv_timeout(PATIENCE).unwrap();
    workshop.build(&[&KEY[..], &["--expires", "1d"]].concat());
    assert_eq!(statement(&workshop).sequence, 2);
    let before = release_files(&workshop.repository().join("release"));
    release.send(()).unwrap();
    let ran = Ran::of(&slow.wait_with_output().unwrap());
    let words = "release/release.toml` since this build read it";
    ran.refused(3, &[words, "help: run the same command again"]);
    assert!(!ran.error.contains("signed release.toml"), "{}", ran.error);
    assert_eq!(
        release_files(&workshop.repository().join("release")),
        before
    );
    workshop.build(&[&KEY[..], &["--renew"]].concat());
    assert_eq!(statement(&workshop).sequence, 3);
}
