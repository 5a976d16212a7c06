//! Folders that the program believes, or writes releases to, and what a change or a neighbour on
//! the machine puts there.

#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use ipwhl::command::ExitStatus;

use crate::harness::skip;
use crate::support::history::History;
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, RepositoryBuilder};
use crate::support::workshop::{Ran, Workshop, files};

fn program(repository: &BuiltRepository, cache: &Path) -> Program {
    let path = |name: &str| std::env::var_os(name).unwrap_or_default();
    Program::new(repository.path())
        .variable("PATH", path("PATH"))
        .variable("GIT_CONFIG_GLOBAL", "/dev/null")
        .variable("IPWHL_CACHE_DIR", cache)
}

#[track_caller]
fn refused(run: &Run, words: &str) {
    assert_eq!(run.status, ExitStatus::Usage, "{run:?}");
    for words in [
        "the cache is not used: ",
        words,
        "the facts about wheels in it are trusted",
        "IPWHL_CACHE_DIR",
    ] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
}

/// A change that brings facts about a wheel of its own would be green, whatever is in the wheel.
#[test]
fn facts_that_a_change_brings_along_are_not_believed() {
    let repository = RepositoryBuilder::sound().build();
    let cache = repository.join(".ipwhl-cache");
    let program = program(&repository, &cache);
    let check = ["check", "--wheels"];
    // An untracked folder of one's own is a cache like any other.
    History::begin(repository.path());
    program.run(&check).expect(ExitStatus::Clean);
    let facts = files(&cache)
        .into_keys()
        .filter(|name| name.starts_with("facts/"));
    assert!(facts.count() > 0);
    let history = History::begin(repository.path());
    history.run(&["add", "--force", ".ipwhl-cache"]);
    history.commit("facts");
    for command in [&check[..], &["build", "--unsigned"], &["cache", "size"]] {
        refused(&program.run(command), "git tracks `.ipwhl-cache/");
    }
    // By way of a link from elsewhere it is the same folder.
    let outside = tempfile::tempdir().unwrap();
    symlink(&cache, outside.path().join("cache")).unwrap();
    let program = self::program(&repository, &outside.path().join("cache"));
    refused(&program.run(&check), "git tracks `.ipwhl-cache/");
}

#[test]
fn a_link_in_the_repository_leads_to_no_cache() {
    let repository = RepositoryBuilder::sound().build();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), repository.join("link")).unwrap();
    for cache in ["link", "link/cache"] {
        let program = program(&repository, &repository.join(cache));
        refused(
            &program.run(&["check", "--wheels"]),
            "`link` is a symbolic link, which a change may have added",
        );
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_cache_that_others_can_write_is_not_believed() {
    let repository = RepositoryBuilder::sound().build();
    let outside = tempfile::tempdir().unwrap();
    let cache = outside.path().join("cache");
    let program = program(&repository, &cache);
    let check = ["check", "--wheels"];
    program.run(&check).expect(ExitStatus::Clean);
    // It is made for its owner alone.
    for folder in [cache.clone(), cache.join("facts"), cache.join("wheels")] {
        assert_eq!(
            fs::metadata(&folder).unwrap().mode() & 0o077,
            0,
            "{}",
            folder.display()
        );
    }
    let version = fs::read_dir(cache.join("facts")).unwrap().next().unwrap();
    let version = version.unwrap().path();
    for folder in [cache.clone(), cache.join("facts"), version] {
        for mode in [0o777, 0o1777, 0o702] {
            fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
            refused(&program.run(&check), "can be written by other users");
        }
        // A group of one's own is oneself.
        fs::set_permissions(&folder, Permissions::from_mode(0o775)).unwrap();
        program.run(&check).expect(ExitStatus::Clean);
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_cache_of_somebody_else_is_not_believed() {
    let repository = RepositoryBuilder::sound().build();
    let outside = tempfile::tempdir().unwrap();
    let cache = outside.path().join("cache");
    let program = program(&repository, &cache);
    program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    if chown(&cache, Some(12_345), None).is_err() {
        skip("a file cannot be given away: run as root");
    }
    refused(
        &program.run(&["check", "--wheels"]),
        "belongs to another user",
    );
    chown(&cache, Some(0), Some(12_345)).unwrap();
    fs::set_permissions(&cache, Permissions::from_mode(0o770)).unwrap();
    refused(
        &program.run(&["check", "--wheels"]),
        "can be written by other users",
    );
}

/// The statement in the output folder decides what a build follows.
#[test]
fn a_release_goes_to_no_folder_that_a_change_has_brought() {
    #[track_caller]
    fn refused(ran: &Ran, words: &str) {
        ran.refused(2, &["the output folder is not used: ", words, "--output"]);
    }
    let workshop = Workshop::small();
    workshop.build(&["--unsigned"]);
    let repository = workshop.repository();
    let history = History::begin(&repository);
    workshop.build(&["--unsigned", "--output", "elsewhere"]);
    let build = |arguments: &[&str]| {
        let mut command = workshop.command(&[&["build", "--unsigned"], arguments].concat());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Ran::of(&command.output().unwrap())
    };
    let ran = build(&[]);
    refused(&ran, "git tracks `release/");
    ran.refused(2, &["`git rm -r --cached release` removes it from git"]);
    history.run(&["rm", "--quiet", "-r", "--cached", "release"]);
    build(&[]).line();
    // A link, tracked or not.
    fs::remove_dir_all(repository.join("release")).unwrap();
    let outside = workshop.path("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, repository.join("release")).unwrap();
    refused(&build(&[]), "`release` is a symbolic link");
    refused(
        &build(&["--output", "release/inner"]),
        "`release` is a symbolic link",
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    fs::remove_file(repository.join("release")).unwrap();
    fs::create_dir(repository.join("release")).unwrap();
    fs::set_permissions(repository.join("release"), Permissions::from_mode(0o777)).unwrap();
    let ran = build(&[]);
    refused(&ran, "`release` can be written by other users");
    ran.refused(2, &["`chmod go-w release` removes that permission"]);
}

#[test]
fn git_passes_over_links_with_the_names_of_folders() {
    let folder = tempfile::tempdir().unwrap();
    Program::new(folder.path())
        .run(&["init"])
        .expect(ExitStatus::Clean);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(folder.path());
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .status()
            .unwrap()
    };
    assert!(git(&["init", "--quiet"]).success());
    for name in ["release", ".ipwhl-cache"] {
        symlink("/tmp", folder.path().join(name)).unwrap();
        assert!(git(&["check-ignore", "--quiet", name]).success(), "{name}");
    }
}

/// Whoever can write a folder knows the names of the partial files there.
#[test]
fn nothing_is_written_through_what_somebody_has_planted() {
    let workshop = Workshop::small();
    workshop.build(&["--unsigned"]);
    let victim = workshop.path("victim");
    let partial = workshop.release(".release.car.partial");
    let plant: [(&str, &dyn Fn()); 3] = [
        ("symbolic link", &|| symlink(&victim, &partial).unwrap()),
        ("hard link", &|| fs::hard_link(&victim, &partial).unwrap()),
        ("file that all may write", &|| {
            fs::write(&partial, "planted").unwrap();
            fs::set_permissions(&partial, Permissions::from_mode(0o666)).unwrap();
        }),
    ];
    for (what, plant) in plant {
        fs::write(&victim, "mine").unwrap();
        plant();
        workshop.build(&["--unsigned"]);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine", "{what}");
        let archive = fs::symlink_metadata(workshop.release("release.car")).unwrap();
        assert!(archive.is_file() && archive.nlink() == 1, "{what}");
        assert_eq!(archive.mode() & 0o022, 0, "{what}");
        assert!(fs::symlink_metadata(&partial).is_err(), "{what}");
    }
    // Where somebody else owns a file in the folder, they may own more.
    fs::write(&partial, "planted").unwrap();
    if chown(&partial, Some(12_345), None).is_ok() {
        let ran = workshop.run(&["build", "--unsigned"]);
        ran.refused(2, &[".release.car.partial` belongs to another user"]);
    }
    fs::remove_file(&partial).unwrap();
    // What is no file stands in the way, and is not waited for.
    assert!(
        Command::new("mkfifo")
            .arg(&partial)
            .status()
            .unwrap()
            .success()
    );
    workshop
        .run(&["build", "--unsigned"])
        .refused(3, &[".release.car.partial` is in the way"]);
}

#[test]
fn unfinished_downloads_are_the_users_alone() {
    let repository = RepositoryBuilder::sound().build();
    let outside = tempfile::tempdir().unwrap();
    let cache = outside.path().join("cache");
    program(&repository, &cache)
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    for name in files(&cache)
        .into_keys()
        .filter(|name| name.starts_with("wheels/"))
    {
        let mode = fs::metadata(cache.join(&name)).unwrap().mode();
        assert_eq!(mode & 0o022, 0, "{name}");
    }
    assert_eq!(
        fs::metadata(cache.join("partial")).unwrap().mode() & 0o077,
        0
    );
}

/// A set in a folder of a larger checkout, into which a change has committed the files of a bare
/// repository: git would take that for the one that is meant, and run what its `config` names.
#[test]
fn git_obeys_no_repository_that_a_change_has_committed() {
    let around = tempfile::tempdir().unwrap();
    let set = around.path().join("set");
    fs::create_dir(&set).unwrap();
    RepositoryBuilder::sound().write_to(&set);
    let proof = around.path().join("proof");
    let run_it = format!("touch {}", proof.display());
    for config in [
        format!("[core]\nbare = false\nworktree = .\nfsmonitor = \"{run_it}\"\n"),
        format!(
            "[core]\nrepositoryformatversion = 1\nbare = true\n[extensions]\npartialClone = \
             origin\n[remote \"origin\"]\npromisor = true\nurl = .\nuploadpack = \"{run_it}; \
             false\"\n"
        ),
    ] {
        for (file, text) in [
            ("HEAD", "ref: refs/heads/main\n".to_owned()),
            ("config", config),
            ("objects/info/keep", String::new()),
            ("refs/heads/main", format!("{}\n", "1".repeat(40))),
        ] {
            let path = set.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let history = History::begin(around.path());
        history.commit("a bare repository");
        let cache = set.join(".ipwhl-cache");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = |cache: &Path| {
            Program::new(&set)
                .variable("PATH", path.clone())
                .variable("GIT_CONFIG_GLOBAL", "/dev/null")
                .variable("IPWHL_CACHE_DIR", cache)
        };
        let outside = tempfile::tempdir().unwrap();
        for arguments in [
            &["check", "--since", "main"][..],
            &["diff", "git:main"],
            &["build", "--unsigned"],
            &["build", "--unsigned"],
        ] {
            program(&outside.path().join("cache")).run(arguments);
            assert!(!proof.exists(), "{arguments:?}");
        }
        // A cache there is not believed, since git does not say that it is untracked.
        fs::create_dir_all(&cache).unwrap();
        let run = program(&cache).run(&["check", "--wheels"]);
        assert_eq!(run.status, ExitStatus::Usage, "{run:?}");
        assert!(
            run.stderr
                .contains("git failed to list the files that it tracks"),
            "{run:?}"
        );
        assert!(!proof.exists());
        fs::remove_dir_all(&cache).unwrap();
        let _ = fs::remove_dir_all(set.join("release"));
    }
}

#[test]
fn what_git_tracks_is_known_wherever_the_folder_lies() {
    let around = tempfile::tempdir().unwrap();
    let set = around.path().join("set");
    fs::create_dir(&set).unwrap();
    RepositoryBuilder::sound().write_to(&set);
    let beside = around.path().join("beside");
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join("forged"), "").unwrap();
    History::begin(around.path());
    let program = |cache: &Path| {
        Program::new(&set)
            .variable("GIT_CONFIG_GLOBAL", "/dev/null")
            .variable("IPWHL_CACHE_DIR", cache)
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let run = program(&beside)
        .variable("PATH", path)
        .run(&["check", "--wheels"]);
    refused(&run, "git tracks `beside/forged`");
    // Without git nobody can tell, so what is there is not believed.
    let run = program(&beside)
        .variable("PATH", "/nowhere")
        .run(&["check", "--wheels"]);
    refused(&run, "git failed to list the files that it tracks there");
    // What is missing has been brought by nobody.
    program(&around.path().join("new"))
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
}

/// Where a group shares a checkout, each folder in it can be written by the group.
#[test]
fn a_build_in_a_shared_checkout_is_followed_by_another() {
    let workshop = Workshop::small();
    let repository = workshop.repository();
    if chown(&repository, None, Some(12_345)).is_err() {
        skip("a file cannot be given away: run as root");
    }
    fs::set_permissions(&repository, Permissions::from_mode(0o2775)).unwrap();
    for _ in 0..2 {
        let mut command = Command::new("sh");
        let program = workshop.command::<&str>(&[]);
        command
            .args(["-c", "umask 002; exec \"$0\" build --unsigned --offline"])
            .arg(program.get_program())
            .current_dir(&repository);
        let ran = Ran::of(&command.output().unwrap());
        ran.line();
    }
    // Whoever owns the checkout may own the release, too: a container works in it as root.
    for path in [repository.clone(), repository.join("release")] {
        chown(path, Some(12_345), None).unwrap();
    }
    workshop.build(&["--unsigned"]);
    chown(&repository, Some(0), None).unwrap();
    workshop
        .run(&["build", "--unsigned"])
        .refused(2, &["`release` belongs to another user"]);
    // Elsewhere it is held to the same.
    let open = workshop.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    workshop
        .run(&["build", "--unsigned", "--output", "../open"])
        .refused(2, &["can be written by other users", "chmod go-w"]);
}

/// Version managers put scripts of their own in the place of programs, and these read in the folder
/// that they are started in which program is meant.
#[test]
fn no_file_of_a_change_says_what_pip_and_git_are() {
    let workshop = Workshop::small();
    let repository = workshop.repository();
    let history = History::begin(&repository);
    fs::create_dir(repository.join("tools")).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let (bin, evidence) = (outside.path().join("bin"), outside.path().join("evidence"));
    fs::create_dir(&bin).unwrap();
    let script = |path: &Path, text: &str| {
        fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    };
    let paths = std::env::var_os("PATH").unwrap_or_default();
    for name in ["git", "pip", "python3"] {
        let planted = format!("touch '{}'\nexit 1", evidence.display());
        script(&repository.join("tools").join(name), &planted);
        // Without a pip no index is known, and none is asked.
        let mut places = std::env::split_paths(&paths).map(|folder| folder.join("git"));
        let real = places.find(|file| name == "git" && file.is_file());
        let real = real.map_or("false".to_owned(), |file| file.display().to_string());
        let shim = format!("[ ! -x tools/{name} ] || exec tools/{name}\nexec '{real}' \"$@\"");
        script(&bin.join(name), &shim);
    }
    history.run(&["add", "--all"]);
    history.commit("tools");
    let first = std::iter::once(bin).chain(std::env::split_paths(&paths));
    let first = std::env::join_paths(first).unwrap();
    for arguments in [&["check", "--since", "HEAD"][..], &["add", "nothing"]] {
        let mut command = workshop.command(arguments);
        let ran = Ran::of(&command.env("PATH", &first).output().unwrap());
        if arguments[0] == "check" {
            ran.said("no finding");
        }
        assert!(!evidence.exists(), "{arguments:?}");
    }
}

/// Git writes over a file that it ignores, where a change has one of that name.
#[test]
fn a_release_and_a_key_that_git_tracks_are_told() {
    let workshop = Workshop::small();
    let key = workshop.repository().join("signing-key");
    workshop.run(&["key", "new", "--key", "signing-key"]);
    workshop.build(&["--key", "signing-key"]);
    fs::write(
        workshop.repository().join(".gitignore"),
        "/release\n/signing-key*\n",
    )
    .unwrap();
    let history = History::begin(&workshop.repository());
    let run = |arguments: &[&str]| {
        let mut command = workshop.command(arguments);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Ran::of(&command.output().unwrap())
    };
    for name in ["release", "release/release.car"] {
        let ran = run(&["diff", name]);
        assert!(!ran.error.contains("warning"), "{}", ran.error);
    }
    let ran = run(&["build", "--key", "signing-key"]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    history.run(&["add", "--force", "release/release.car", "signing-key"]);
    history.commit("a change");
    for name in ["release", "release/release.car"] {
        run(&["diff", name]).said(
            "warning: git tracks `release/release.car`, so a change may have added or replaced it",
        );
    }
    let ran = run(&["build", "--output", "elsewhere", "--key", "signing-key"]);
    ran.refused(2, &["git tracks the key `signing-key`"]);
    assert!(key.is_file());
}
