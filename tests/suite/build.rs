//! `ipwhl build`: the same root everywhere, what is signed, what is written and what is left alone.

mod following;
mod output;
mod signing;

use std::fs;
use std::path::Path;

use ipwhl::command::ExitStatus;
use ipwhl_unixfs::Profile;

use crate::support::program::Program;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Ran, Workshop, files, native, small, stored};

/// The roots of `support::workshop::small`, as `ipwhl build --root-only` prints them; Kubo gives
/// the same ones to the tree (`kubo_release`). Changing one is a break of the format: every release
/// out there would get another root.
const PINNED: [(Profile, &str); 3] = [
    (
        Profile::UnixfsV1_2025,
        "bafybeichg63uzcokanboq3ftw3drbxfqlesps2a3352y26325jp7dnq3eq",
    ),
    (
        Profile::UnixfsV0_2015,
        "QmUn56Yk16BZDY76GpzQEkU7e7kQAiYPDLqfC4m6xPMzSh",
    ),
    (
        Profile::KuboCidV1,
        "bafybeihshnyt76q7rvbu5ck6h7k6y7g4ra2ii2dg7d3l3c7s443ref73im",
    ),
];

#[test]
fn one_small_repository_has_the_pinned_root_in_each_profile() {
    for (profile, root) in PINNED {
        let workshop = Workshop::with(&small().profile(profile));
        assert_eq!(workshop.build(&["--root-only"]), root, "{profile}");
    }
}

/// `--profile` gives pages and folders the other parameters and leaves the declared CIDs alone.
#[test]
fn the_profile_may_be_named_on_the_command_line() {
    let workshop = Workshop::small();
    let own = workshop.build(&["--root-only"]);
    let other = workshop.build(&["--root-only", "--profile", "unixfs-v0-2015"]);
    assert_ne!(own, other);
    assert!(other.starts_with("Qm"), "{other}");
    assert_eq!(
        workshop.build(&["--root-only", "--profile", "unixfs-v1-2025"]),
        own
    );
}

/// The small repository as somebody else would have written it down: the same declarations with
/// the wheels in another order, and files that were made in another order.
fn write_in_another_order(profile: Profile, folder: &Path) {
    let mut native = native().into_iter().rev();
    let first = Project::automatic(native.next().unwrap());
    let other = Workshop::with(
        &small()
            .profile(profile)
            .project(native.fold(first, Project::wheel)),
    );
    for (name, bytes) in files(&other.repository()).into_iter().rev() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn two_machines_give_one_root_and_one_archive() {
    for profile in Profile::ALL {
        let one = Workshop::with(&small().profile(profile));
        let root = Ran::of(
            &one.command(&["build", "--jobs", "1"])
                .env("TZ", "America/Los_Angeles")
                .env("RAYON_NUM_THREADS", "1")
                .output()
                .unwrap(),
        );
        let other = Workshop::empty();
        // From elsewhere, with a folder that is deeper and has a space in its name.
        let moved = other.path("a folder/of/the other");
        write_in_another_order(profile, &moved);
        assert_ne!(
            fs::read(moved.join("declarations/native-thing.toml")).unwrap(),
            fs::read(one.repository().join("declarations/native-thing.toml")).unwrap()
        );
        let same = Ran::of(
            &other
                .command(&["build", "--jobs", "16", "--repository"])
                .arg(&moved)
                .env("TZ", "Asia/Kathmandu")
                .env("LANG", "tr_TR.UTF-8")
                .env("RAYON_NUM_THREADS", "7")
                .output()
                .unwrap(),
        );
        assert_eq!(root.line(), same.line(), "{profile}");
        assert!(
            one.read("release.car") == fs::read(moved.join("release/release.car")).unwrap(),
            "{profile}: the archives differ"
        );
    }
}

#[test]
fn the_clock_reaches_the_statement_and_not_the_archive() {
    let workshop = Workshop::small();
    let mut archives = Vec::new();
    let mut statements = Vec::new();
    for clock in ["2001-02-03T04:05:06.7Z", "2035-12-31T23:59:59Z"] {
        let run = Program::new(&workshop.repository())
            .now(clock)
            .run(&["build", "--expires", "1d"])
            .expect(ExitStatus::Clean);
        assert_eq!(run.stdout.trim_end(), PINNED[0].1);
        archives.push(workshop.read("release.car"));
        statements.push(String::from_utf8(workshop.read("release.toml")).unwrap());
        fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    }
    assert!(archives[0] == archives[1], "the archives differ");
    assert!(
        statements[0]
            .contains("\ncreated = 2001-02-03T04:05:06Z\nexpires = 2001-02-04T04:05:06Z\n")
    );
    assert!(
        statements[1]
            .contains("\ncreated = 2035-12-31T23:59:59Z\nexpires = 2036-01-01T23:59:59Z\n")
    );
}

#[test]
fn the_root_does_not_know_how_the_wheels_came() {
    let workshop = Workshop::small();
    let fetched = workshop.build(&["--root-only"]);
    let known = workshop.build(&["--root-only"]);
    let with_bytes = workshop.build(&["--unsigned"]);
    assert_eq!(fetched, PINNED[0].1);
    assert_eq!(known, PINNED[0].1);
    assert_eq!(with_bytes, PINNED[0].1);
    // Facts are enough to know the root, and a release needs the bytes.
    fs::remove_dir_all(workshop.path("cache/wheels")).unwrap();
    fs::remove_dir_all(workshop.repository().join("wheels")).unwrap();
    assert_eq!(workshop.build(&["--root-only"]), PINNED[0].1);
    workshop
        .run(&["build", "--unsigned"])
        .refused(1, &["missing-source"]);
}

#[test]
fn the_root_only_is_computed_and_nothing_written() {
    let workshop = Workshop::small();
    let before = files(&workshop.repository());
    // No key is needed, and none is made.
    let ran = Ran::of(
        &workshop
            .command(&["build", "--root-only"])
            .env("CI", "1")
            .output()
            .unwrap(),
    );
    assert_eq!(ran.line(), PINNED[0].1);
    assert_eq!(workshop.build(&["--root-only"]), PINNED[0].1);
    assert_eq!(files(&workshop.repository()), before);
    assert!(files(&workshop.path("home")).is_empty());
    // Neither is an output that was named.
    workshop.build(&["--root-only", "--output", "elsewhere"]);
    assert!(!workshop.repository().join("elsewhere").exists());
}

#[test]
fn a_finding_leaves_an_older_release_alone() {
    let workshop = Workshop::small();
    workshop.build(&[]);
    let before = files(&workshop.repository().join("release"));
    let declaration = workshop.repository().join("declarations/large.toml");
    let text = fs::read_to_string(&declaration).unwrap();
    // One that is seen at once, and one that is seen only in the wheel.
    for changed in [
        text.replace("extras = []", "extra = []"),
        text.replace("dependencies = []", "dependencies = [\"library\"]"),
    ] {
        fs::write(&declaration, changed).unwrap();
        let ran = workshop.run(&["build"]);
        ran.refused(1, &["declarations/large.toml", "nothing was built: "]);
        assert_eq!(files(&workshop.repository().join("release")), before);
    }
}

/// `VmHWM`, the largest resident set so far, in kilobytes.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"));
    let status = status.ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// 200 MB and 8 MB a job are what is allowed; 240 MB of wheels go through.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_wheels() {
    let workshop = Workshop::with(
        &(0..3).fold(RepositoryBuilder::new(), |repository, number| {
            let project = format!("large-{number}");
            let bytes = crate::dag::Seeded::bytes(&project, 80_000_000);
            repository.project(Project::wanted(
                stored(&project, "1").member("data.bin", bytes),
            ))
        }),
    );
    for jobs in [1, 3] {
        let mut child = workshop
            .command(&["build", "--unsigned", "--tree", "tree", "--jobs"])
            .arg(jobs.to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut peak = 0;
        let status = loop {
            peak = peak.max(peak_memory(child.id()).unwrap_or(0));
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        assert!(status.success());
        assert!(peak > 1000, "nothing was measured");
        let allowed = (200 + 8 * jobs) * 1000;
        assert!(peak <= allowed, "{peak} kB with {jobs} jobs");
        fs::remove_dir_all(workshop.path("cache")).unwrap();
    }
}
