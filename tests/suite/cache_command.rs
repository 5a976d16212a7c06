//! `ipwhl cache`: what the cache holds, and what is removed from it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ipwhl::command::ExitStatus;
use ipwhl_packaging::wheel::FACTS_VERSION;
use serde_json::Value;

use crate::support::bench::{Bench, pure};
use crate::support::program::Program;
use crate::support::repository_builder::RepositoryBuilder;
use crate::support::wheel_builder::{Compression, WheelBuilder};
use crate::support::workshop::{Workshop, files};

/// A wheel that takes some room.
fn large(name: &str, version: &str) -> WheelBuilder {
    let noise: Vec<u8> = (0..200_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0])
        .collect();
    pure(name, version)
        .compression(Compression::Stored)
        .member(&format!("{name}.bin"), noise)
}

/// A repository whose three wheels are in the cache, of about 200 kB each.
fn filled() -> Bench {
    let bench = Bench::new();
    for name in ["apple", "fig", "plum"] {
        bench.offer(name, &large(name, "1.0"));
        bench.add(&[name]).expect(ExitStatus::Clean);
    }
    bench
}

/// The projects whose wheels the cache has.
fn cached(program: &Program) -> BTreeSet<String> {
    let folder = program.cache_directory().join("wheels");
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let wheels = paths.filter(|path| path.extension().is_some_and(|end| end == "whl"));
    wheels.map(|path| project_of(&path)).collect()
}

fn project_of(wheel: &Path) -> String {
    let bytes = fs::read(wheel).unwrap();
    let names = ["apple", "fig", "plum", "lime"];
    let has = |name: &&&str| {
        let member = format!("{name}.bin");
        bytes
            .windows(member.len())
            .any(|window| window == member.as_bytes())
    };
    (*names.iter().find(has).unwrap()).to_owned()
}

/// Makes all that the cache knows of a project's wheel look as if it was last used so many days
/// ago.
fn age(program: &Program, project: &str, days: u64) {
    let then = SystemTime::now() - Duration::from_hours(24 * days);
    let folder = program.cache_directory().join("wheels");
    let wheel = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension().is_some_and(|end| end == "whl") && project_of(path) == project
        })
        .unwrap();
    let stem = wheel.file_stem().unwrap().to_owned();
    let facts = program
        .cache_directory()
        .join(format!("facts/{FACTS_VERSION}.json"))
        .join(&stem);
    for path in [wheel, facts.with_extension("json")] {
        File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(then)
            .unwrap();
    }
}

fn size(program: &Program) -> Value {
    let run = program
        .run(&["cache", "size", "--format", "json"])
        .expect(ExitStatus::Clean);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn the_size_is_that_of_the_files() {
    let bench = filled();
    let text = bench
        .program
        .run(&["cache", "size"])
        .expect(ExitStatus::Clean)
        .stdout;
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "wheels",
            "facts",
            "blocks",
            "by-sha256",
            "metadata",
            "advisories",
            "partial",
            "in"
        ]
    );
    let document = size(&bench.program);
    let directory = bench.program.cache_directory();
    let all = files(&directory);
    let of = |folder: &str| {
        let inside = all.iter().filter(|(name, _)| name.starts_with(folder));
        inside.map(|(_, bytes)| bytes.len() as u64).sum::<u64>()
    };
    for part in document["parts"].as_array().unwrap() {
        let name = part["name"].as_str().unwrap();
        assert_eq!(part["bytes"], of(&format!("{name}/")), "{name}");
    }
    assert!(of("wheels/") > 600_000, "{document}");
    assert_eq!(
        document["bytes"],
        of("wheels/") + of("facts/") + of("by-sha256/") + of("metadata/")
    );
    assert_eq!(document["directory"], directory.to_str().unwrap());
    assert_eq!(document["limit"], Value::Null);
    // One that is missing yet is empty.
    let empty = Program::new(bench.repository.path());
    assert_eq!(size(&empty)["bytes"], 0);
    assert!(!empty.cache_directory().exists());
}

/// What was not used for longest goes first, and no more than has to.
#[test]
fn pruning_goes_by_the_last_use_down_to_the_limit() {
    let bench = filled();
    age(&bench.program, "apple", 3);
    age(&bench.program, "fig", 9);
    age(&bench.program, "plum", 6);
    let run = bench
        .program
        .run(&["cache", "prune", "--limit", "500kB"])
        .expect(ExitStatus::Clean);
    assert!(run.stderr.contains("removed "), "{}", run.stderr);
    assert_eq!(
        cached(&bench.program),
        ["apple", "plum"].map(ToOwned::to_owned).into()
    );
    // Building from it is a use, whether a wheel is hashed again or not.
    bench
        .program
        .run(&["build", "--unsigned", "--output", "out"])
        .expect(ExitStatus::Clean);
    age(&bench.program, "fig", 3);
    age(&bench.program, "apple", 5);
    age(&bench.program, "plum", 4);
    bench.add(&["apple"]).expect(ExitStatus::Clean);
    bench
        .program
        .run(&["cache", "prune", "--limit", "300kB"])
        .expect(ExitStatus::Clean);
    assert_eq!(
        cached(&bench.program),
        ["apple"].map(ToOwned::to_owned).into()
    );
    assert!(size(&bench.program)["bytes"].as_u64().unwrap() <= 300_000);
    // What is gone comes again.
    bench
        .program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    // Without a limit nothing goes but what is of no use, and the way to one is said.
    let before = size(&bench.program);
    let old = bench.program.cache_directory().join("facts/0.json");
    fs::create_dir(&old).unwrap();
    fs::write(old.join("bafkreia.json"), "of an older program").unwrap();
    let run = bench
        .program
        .run(&["cache", "prune"])
        .expect(ExitStatus::Clean);
    assert!(run.stderr.contains("IPWHL_CACHE_LIMIT"), "{}", run.stderr);
    assert!(!old.exists());
    assert_eq!(size(&bench.program), before);
}

/// A run that fetches keeps the cache to its limit, and never removes what it has used itself.
#[test]
fn a_run_that_fetches_keeps_the_cache_to_its_limit() {
    let mut bench = filled();
    bench.program = bench.program.variable("IPWHL_CACHE_LIMIT", "500 kB");
    for (name, days) in [("apple", 3), ("fig", 9), ("plum", 6)] {
        age(&bench.program, name, days);
    }
    // Nothing was fetched, so nothing is looked at.
    bench
        .program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    assert_eq!(cached(&bench.program).len(), 3);
    for (name, days) in [("apple", 3), ("fig", 9), ("plum", 6)] {
        age(&bench.program, name, days);
    }
    bench.offer("lime", &large("lime", "1.0"));
    let run = bench
        .program
        .run(&["add", "lime"])
        .expect(ExitStatus::Clean);
    assert!(run.stderr.contains("from the cache"), "{}", run.stderr);
    // `add` has looked at the facts of all wheels and not at their bytes.
    let left = cached(&bench.program);
    assert!(left.contains("lime") && !left.contains("fig"), "{left:?}");
    // A build needs them all at once, and keeps them all, though they are more than the limit.
    bench
        .program
        .run(&["build", "--unsigned", "--output", "out"])
        .expect(ExitStatus::Clean);
    assert_eq!(cached(&bench.program).len(), 4);
    // In the user's own settings it says the same.
    bench.program = bench.program.without("IPWHL_CACHE_LIMIT");
    let settings = bench
        .program
        .configuration_directory()
        .join("ipwhl/config.toml");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    for (text, status) in [
        ("[cache]\nlimit = \"1 KiB\"\n", ExitStatus::Clean),
        ("[cache]\nlimit = 1\n", ExitStatus::Usage),
    ] {
        fs::write(&settings, text).unwrap();
        bench.program.run(&["cache", "prune"]).expect(status);
    }
    assert_eq!(cached(&bench.program), BTreeSet::new());
}

#[test]
fn cleaning_takes_all_or_what_is_of_the_named_projects() {
    let bench = filled();
    let run = bench
        .program
        .run(&["cache", "clean", "Fig", "absent"])
        .expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("the cache has no wheel of `absent`")
            && run.stderr.contains("removed 3 files"),
        "{}",
        run.stderr
    );
    assert_eq!(
        cached(&bench.program),
        ["apple", "plum"].map(ToOwned::to_owned).into()
    );
    let run = bench.program.run(&["check"]).expect(ExitStatus::Clean);
    assert!(
        run.stderr.contains("(2 verified earlier)"),
        "{}",
        run.stderr
    );
    bench
        .program
        .run(&["cache", "clean"])
        .expect(ExitStatus::Clean);
    assert_eq!(size(&bench.program)["bytes"], 0);
    let left: Vec<String> = files(&bench.program.cache_directory())
        .into_keys()
        .collect();
    assert_eq!(left, [".lock", "CACHEDIR.TAG"]);
    // And again, where there is nothing.
    bench
        .program
        .run(&["cache", "clean"])
        .expect(ExitStatus::Clean);
    bench
        .program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    assert_eq!(cached(&bench.program).len(), 3);
}

/// A folder that somebody took for a cache by mistake keeps everything, and is not marked as one.
#[test]
fn what_is_not_a_cache_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "dear reader").unwrap();
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path()).variable("IPWHL_CACHE_DIR", folder.path());
    // It works there, but nothing says that it may be emptied.
    program
        .run(&["check", "--wheels"])
        .expect(ExitStatus::Clean);
    let before = files(folder.path());
    assert!(!before.contains_key("CACHEDIR.TAG"));
    for line in [
        &["cache", "clean"][..],
        &["cache", "prune", "--limit", "0"],
        &["cache", "clean", "apple"],
    ] {
        let run = program.run(line).expect(ExitStatus::Usage);
        assert!(
            run.stderr.contains("than a cache of ipwhl: `letter.txt`"),
            "{}",
            run.stderr
        );
        assert_eq!(files(folder.path()), before, "{line:?}");
    }
    // Neither is the cache of another program.
    let other = tempfile::tempdir().unwrap();
    fs::write(
        other.path().join("CACHEDIR.TAG"),
        "Signature: 8a477f597d28d172789f06886806bc55\n# of another program\n",
    )
    .unwrap();
    Program::new(repository.path())
        .variable("IPWHL_CACHE_DIR", other.path())
        .run(&["cache", "clean"])
        .expect(ExitStatus::Usage);
}

/// Nothing is followed out of the cache, and no file that it does not name is removed.
#[cfg(unix)]
#[test]
fn links_and_strange_files_in_a_cache_stay() {
    use std::os::unix::fs::symlink;
    let bench = filled();
    let cache = bench.program.cache_directory();
    let elsewhere = tempfile::tempdir().unwrap();
    let name = fs::read_dir(cache.join("wheels"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let kept: PathBuf = elsewhere.path().join(&name);
    fs::write(&kept, "mine").unwrap();
    fs::write(elsewhere.path().join("bafkreia.json"), "mine").unwrap();
    fs::rename(cache.join("by-sha256"), cache.join("moved")).unwrap();
    fs::remove_dir_all(cache.join("moved")).unwrap();
    symlink(elsewhere.path(), cache.join("by-sha256")).unwrap();
    symlink(elsewhere.path(), cache.join("facts/0.json")).unwrap();
    symlink(
        &kept,
        cache
            .join("wheels")
            .join(format!("x{}", name.to_str().unwrap())),
    )
    .unwrap();
    fs::write(cache.join("wheels/notes.txt"), "mine").unwrap();
    fs::write(cache.join("wheels/fig-1.0-py3-none-any.whl"), "mine").unwrap();
    bench
        .program
        .run(&["cache", "clean"])
        .expect(ExitStatus::Clean);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 2);
    let left: BTreeSet<String> = fs::read_dir(cache.join("wheels"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
    // A whole folder of wheels that lies elsewhere is left where it is.
    fs::remove_dir_all(cache.join("wheels")).unwrap();
    symlink(elsewhere.path(), cache.join("wheels")).unwrap();
    bench
        .program
        .run(&["cache", "prune", "--limit", "0"])
        .expect(ExitStatus::Clean);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
}

/// While another run may need the files, they stay: it is waited for.
#[test]
fn another_run_that_uses_the_cache_is_waited_for() {
    let bench = filled();
    let lock = File::open(bench.program.cache_directory().join(".lock")).unwrap();
    lock.lock_shared().unwrap();
    std::thread::scope(|scope| {
        let cleaning = scope.spawn(|| bench.program.run(&["cache", "clean"]));
        // However long it would have needed: it has not begun.
        std::thread::sleep(Duration::from_millis(300));
        assert!(!cleaning.is_finished());
        assert_eq!(cached(&bench.program).len(), 3);
        // Runs that only use the cache do not wait for each other.
        bench
            .program
            .run(&["check", "--wheels", "--offline"])
            .expect(ExitStatus::Clean);
        lock.unlock().unwrap();
        let run = cleaning.join().unwrap().expect(ExitStatus::Clean);
        assert!(
            run.stderr
                .starts_with("waiting for another run that uses the cache\n"),
            "{}",
            run.stderr
        );
    });
    assert_eq!(cached(&bench.program), BTreeSet::new());
    // A run that keeps the cache to its limit does not wait: the next one does it.
    let bench = Bench::new();
    bench.offer("fig", &large("fig", "1.0"));
    bench.offer("lime", &large("lime", "1.0"));
    bench.add(&["fig"]).expect(ExitStatus::Clean);
    let lock = File::open(bench.program.cache_directory().join(".lock")).unwrap();
    lock.lock_shared().unwrap();
    let program = bench.program.variable("IPWHL_CACHE_LIMIT", "1KiB");
    program.run(&["add", "lime"]).expect(ExitStatus::Clean);
    assert_eq!(cached(&program).len(), 2);
}

/// Whenever a removal is cut short, what is left is a cache like any other.
#[test]
fn a_removal_that_is_killed_leaves_a_cache() {
    let workshop = Workshop::small();
    let root = workshop.build(&["--root-only"]);
    for _ in 0..8 {
        workshop.run(&["check", "--wheels"]);
        let wheels = workshop.path("cache/wheels");
        let before = fs::read_dir(&wheels).unwrap().count();
        let mut child = workshop
            .command(&["cache", "prune", "--limit", "0"])
            .spawn()
            .unwrap();
        // As soon as something is gone, or all of it.
        while fs::read_dir(&wheels).is_ok_and(|entries| entries.count() == before)
            && child.try_wait().unwrap().is_none()
        {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(workshop.build(&["--root-only"]), root);
    }
}
