//! pip and uv install from a bundle, wherever it is.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::released;
use crate::clients::{Pip, Uv};
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Workshop, pure};

const VERSION: &str = "import sys; print('%d.%d' % sys.version_info[:2])";
const MODULES: &str = "import importlib.util as u; \
                       print(*[n for n in ('application', 'library', 'colour', 'other') if u.find_spec(n)])";

/// A name that is none in an address, and hardly one for a shell.
const ODD: &str = "a 100% usb#stick ü";

/// A release that the machine of the test can install.
fn installable() -> Workshop {
    let python = Pip::new().python(VERSION);
    let tag = format!("cp{}", python.replace('.', ""));
    let application = pure("application", "1.0")
        .requires("library>=2")
        .extra("colour")
        .requires("colour; extra == 'colour'");
    let system = format!("manylinux_2_17_{}", std::env::consts::ARCH);
    let repository = RepositoryBuilder::new()
        .platforms(&[&tag], &[&system])
        .project(Project::wanted(application))
        .project(Project::automatic(pure("library", "1!2.1+local.1")))
        .project(Project::automatic(pure("colour", "0.3")))
        .project(Project::wanted(pure("other", "1.0")));
    released(&repository).0
}

/// Runs an installer that must succeed, in this folder, without a way to the network.
#[track_caller]
fn succeed(mut command: Command, folder: &Path) {
    let dead = "http://127.0.0.1:9/";
    command
        .current_dir(folder)
        .env("HTTP_PROXY", dead)
        .env("HTTPS_PROXY", dead);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
}

/// The arguments that install `application[colour]` from the bundle in this folder: as its own
/// `bundle.toml` says, and from elsewhere. uv ends paths at a `#`, so it
/// gets addresses.
fn ways(folder: &Path) -> Vec<Vec<String>> {
    let path = |name: &str| folder.join(name).display().to_string();
    let address = |name: &str| {
        url::Url::from_file_path(folder.join(name))
            .unwrap()
            .to_string()
    };
    let asked = "application[colour]";
    [
        vec!["--no-index", "-r", "pylock.toml"],
        vec!["--no-index", "-r", &path("pylock.toml")],
        vec!["--no-index", "--find-links", "find-links.html", asked],
        vec![
            "--no-index",
            "--find-links",
            &address("find-links.html"),
            asked,
        ],
        vec!["--index-url", "simple", asked],
        vec!["--index-url", &address("simple"), asked],
    ]
    .map(|way| way.into_iter().map(str::to_owned).collect())
    .into()
}

/// Installs from a bundle in every way, with both clients.
fn install(folder: &Path, is_whole_set: bool) {
    for way in ways(folder) {
        let way: Vec<&str> = way.iter().map(String::as_str).collect();
        let of_lock = is_whole_set && way.contains(&"-r");
        let pip = Pip::new();
        let extras = format!("{}[application--colour]", way[way.len() - 1]);
        let mut by_pip = way.clone();
        let mut by_uv = way.clone();
        // pip fails on a relative path of an index, and uv on a `#` in an absolute one.
        let simple = folder.join("simple").display().to_string();
        if way[1] == "simple" {
            by_pip[1] = &simple;
        }
        if of_lock {
            *by_pip.last_mut().unwrap() = &extras;
            by_uv.extend(["--extra", "application-colour"]);
        }
        succeed(pip.command(&[&["install"], &by_pip[..]].concat()), folder);
        assert_eq!(pip.python(MODULES), "application library colour", "{way:?}");
        pip.check();
        let uv = Uv::new();
        succeed(
            uv.command(&[&["pip", "install"], &by_uv[..]].concat()),
            folder,
        );
        assert_eq!(uv.python(MODULES), "application library colour", "{way:?}");
    }
}

/// The bundle was moved to a read-only folder with an odd name.
#[test]
fn pip_and_uv_install_from_a_bundle() {
    let workshop = installable();
    let written = workshop.path("stick");
    super::bundle(&workshop, &["application[colour]"]);
    let moved = workshop.path(ODD);
    fs::rename(&written, &moved).unwrap();
    let verified = workshop.run(&[
        "verify",
        &format!("../{ODD}"),
        "--allowed-signers",
        "../signers",
    ]);
    verified.line();
    let _read_only = ReadOnly::make(&moved);
    install(&moved, false);
    // The release and its repository are not needed.
    fs::remove_dir_all(workshop.repository()).unwrap();
    let pip = Pip::new();
    let lock = moved.join("pylock.toml").display().to_string();
    succeed(pip.command(&["install", "--no-index", "-r", &lock]), &moved);
    assert_eq!(pip.python(MODULES), "application library colour");
}

/// The lock of the whole set has an extra for each project.
#[test]
fn pip_and_uv_install_from_a_bundle_of_the_whole_set() {
    let workshop = installable();
    super::bundle(&workshop, &[]);
    install(&workshop.path("stick"), true);
}

/// The commands that the program prints and those in `bundle.toml` are commands that work.
#[cfg(unix)]
#[test]
fn the_printed_commands_work() {
    let workshop = installable();
    for (asked, modules) in [
        (&["application[colour]"][..], "application library colour"),
        (&[], "application library"),
    ] {
        let arguments = [&["bundle", "--output", "../it's a stick"], asked].concat();
        let ran = workshop.run(&arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.error);
        let printed = ran
            .error
            .split('`')
            .filter(|part| part.contains("install --no-index"));
        let printed: Vec<&str> = printed.collect();
        assert_eq!(printed.len(), 2, "{}", ran.error);
        let stick = workshop.path("it's a stick");
        let description = fs::read_to_string(stick.join("bundle.toml")).unwrap();
        let inside = description
            .lines()
            .filter_map(|line| line.strip_prefix("#     "));
        let inside: Vec<String> = inside
            .map(|line| line.replace("NAME", "application"))
            .collect();
        assert_eq!(inside.len(), 4, "{description}");
        let uses = printed
            .into_iter()
            .map(|line| (line.to_owned(), workshop.repository()));
        for (line, folder) in uses.chain(inside.into_iter().map(|line| (line, stick.clone()))) {
            let (pip, uv) = (Pip::new(), Uv::new());
            let (mut client, rest) = match line.strip_prefix("uv ") {
                Some(rest) => (uv.command(&[]), rest),
                None => (pip.command(&[]), line.strip_prefix("pip ").unwrap()),
            };
            client.current_dir(&folder);
            let program = client.get_program().to_owned();
            let mut shell = Command::new("sh");
            shell
                .args(["-c", &format!("\"$0\" \"$@\" {rest}")])
                .arg(program)
                .args(client.get_args())
                .env_clear();
            let kept = client.get_envs();
            shell.envs(kept.filter_map(|(name, value)| Some((name, value?))));
            succeed(shell, &folder);
            let found = if line.starts_with("uv ") {
                uv.python(MODULES)
            } else {
                pip.python(MODULES)
            };
            assert_eq!(found, modules, "{line}");
        }
    }
}

/// A folder that nobody can write until this value goes. The superuser can write every folder, so
/// then it is the file system that cannot be written.
struct ReadOnly<'f> {
    folder: &'f Path,
    is_mounted: bool,
}

impl<'f> ReadOnly<'f> {
    fn make(folder: &'f Path) -> Self {
        let mount = |arguments: &[&str]| {
            let mut command = Command::new("mount");
            command.args(arguments).arg(folder);
            let output = command.output();
            output.is_ok_and(|output| output.status.success())
        };
        let place = folder.to_str().unwrap();
        let is_mounted = cfg!(target_os = "linux")
            && mount(&["--bind", place])
            && mount(&["-o", "remount,bind,ro"]);
        let made = Self { folder, is_mounted };
        made.set(true);
        made
    }

    fn set(&self, is_read_only: bool) {
        if self.is_mounted {
            return;
        }
        for entry in walk(self.folder) {
            let mut permissions = fs::metadata(&entry).unwrap().permissions();
            permissions.set_readonly(is_read_only);
            let _ = fs::set_permissions(&entry, permissions);
        }
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg(self.folder).status();
        }
        self.set(false);
    }
}

/// A folder and everything in it.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path);
        }
    }
    found
}
