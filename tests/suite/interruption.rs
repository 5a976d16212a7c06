//! A build that is killed, or meets a full disk: what is there is whole or absent, the next run
//! succeeds, and nothing is left that somebody would have to clean.

#[cfg(target_os = "linux")]
mod change;
mod switch;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipwhl::release::archive::ReleaseArchive;
use ipwhl::release::signature::SigningKey;
use ipwhl::release::statement::Statement;
use ipwhl_unixfs::car::CarReader;

use crate::dag::Seeded;
use crate::support::loopback_index::{Answer, LoopbackIndex, message};
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::workshop::{Ran, Workshop, files, release_files, stored};

const KEY: [&str; 2] = ["--key", "../key"];

/// Two releases to go back and forth between: the later one has a project more.
fn repository(later: bool, source: Option<&str>) -> RepositoryBuilder {
    let mut repository =
        RepositoryBuilder::new().configuration("\n[severity]\ninsecure-source = \"off\"\n");
    for number in 0..if later { 9 } else { 8 } {
        let project = format!("project-{number}");
        let wheel = stored(&project, "1").member("data.bin", Seeded::bytes(&project, 2_000_000));
        let name = wheel.file_name();
        repository = repository.project(Project::wanted(match source {
            None => wheel.into(),
            Some(source) => Wheel::elsewhere(wheel, &source.replace("{}", &name)),
        }));
    }
    repository
}

fn workshop(repository: &RepositoryBuilder) -> Workshop {
    let workshop = Workshop::with(repository);
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    fs::write(workshop.path("key"), key.to_openssh().unwrap()).unwrap();
    workshop
}

/// The build that is killed: it signs, and writes the tree too.
fn start(workshop: &Workshop) -> Child {
    workshop
        .command(&[&["build", "--tree", "tree"], &KEY[..]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a folder `release` may hold at any moment, whatever happened before.
fn assert_whole_or_absent(workshop: &Workshop, roots: &[&str], when: &str) {
    let folder = workshop.repository().join("release");
    let mut archive = None;
    if let Ok(file) = fs::File::open(folder.join("release.car")) {
        let reader = CarReader::open(file).unwrap_or_else(|error| panic!("{when}: {error}"));
        reader
            .verify()
            .unwrap_or_else(|error| panic!("{when}: {error}"));
        let root = reader.root().to_string();
        assert!(roots.contains(&root.as_str()), "{when}: {root}");
        archive = Some(root);
    }
    let text = fs::read_to_string(folder.join("release.toml")).ok();
    if let Some(text) = &text {
        let statement = Statement::parse(text).unwrap_or_else(|error| panic!("{when}: {error}"));
        assert_eq!(
            Some(statement.root.to_string()),
            archive,
            "{when}: the statement is of another archive"
        );
    }
    // A statement comes last and goes first: where it is, its signature is, too.
    if let Some(text) = text {
        let signature = fs::read_to_string(folder.join("release.toml.sig"))
            .unwrap_or_else(|error| panic!("{when}: a statement without its signature: {error}"));
        ipwhl::release::signature::verify(&signature, text.as_bytes())
            .unwrap_or_else(|error| panic!("{when}: {error}"));
    }
    let tree = workshop.repository().join("tree");
    if tree.exists() {
        let ran = workshop.run(&["cid", "tree"]);
        assert!(
            roots.contains(&ran.line()),
            "{when}: a tree that is neither one nor the other"
        );
    }
}

/// That a further run succeeds by itself and leaves nothing but what it should.
fn assert_next_run_is_clean(workshop: &Workshop, root: &str, when: &str) {
    let ran = Ran::of(
        &workshop
            .command(&[&["build", "--tree", "tree"], &KEY[..]].concat())
            .output()
            .unwrap(),
    );
    assert_eq!(ran.code, Some(0), "{when}: {}", ran.error);
    assert_eq!(ran.line(), root, "{when}");
    let names: Vec<String> = release_files(&workshop.repository().join("release"))
        .into_keys()
        .collect();
    assert_eq!(
        names,
        ["release.car", "release.toml", "release.toml.sig"],
        "{when}"
    );
    assert_whole_or_absent(workshop, &[root], when);
    let mut beside: Vec<String> = fs::read_dir(workshop.repository())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    beside.sort();
    let mut expected = vec!["declarations", "ipwhl.toml", "release", "tree", "wheels"];
    expected.retain(|name| *name != "wheels" || beside.iter().any(|one| one == "wheels"));
    assert_eq!(beside, expected, "{when}");
    // A run that has nothing to put into the cache does not look there; an empty lock file of a
    // killed one may then be left for a later run, and no bytes.
    let unfinished: u64 = files_of(&workshop.path("cache/partial")).iter().sum();
    assert_eq!(unfinished, 0, "{when}");
    let cached = fs::read_dir(workshop.path("cache/wheels")).unwrap();
    for entry in cached {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            !name.starts_with('.') && !name.contains("tmp"),
            "{when}: {name}"
        );
    }
}

/// Kills a build as soon as `is_there` says so. Whether it was still running.
fn kill_when(mut child: Child, mut is_there: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if is_there() {
            child.kill().unwrap();
            return child.wait().unwrap().code().is_none();
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(Instant::now() < deadline, "the build hangs");
        sleep(Duration::from_micros(200));
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The later repository with its wheels on a server, which can be made to stall, and the roots of
/// both.
struct Hosted {
    index: LoopbackIndex,
    /// Paths and bytes.
    wheels: Vec<(String, Vec<u8>)>,
    first: RepositoryBuilder,
    second: RepositoryBuilder,
    old: String,
    new: String,
}

impl Hosted {
    fn start() -> Self {
        let index = LoopbackIndex::start();
        let source = index.url("/files/{}");
        let [first, second] = [false, true].map(|later| repository(later, Some(&source)));
        let local = Workshop::with(&repository(true, None));
        let mut wheels = Vec::new();
        for (name, bytes) in files(&local.repository().join("wheels")) {
            let path = format!("/files/{name}");
            index.put(&path, &bytes);
            wheels.push((path, bytes));
        }
        let reference = workshop(&first);
        let old = reference.build(&KEY);
        reference.write(&second);
        let new = reference.build(&KEY);
        index.forget();
        Self {
            index,
            wheels,
            first,
            second,
            old,
            new,
        }
    }

    /// The next request for this wheel gets a share of it, and then nothing.
    fn stall(&self, wheel: usize, share: usize) -> &str {
        let (path, bytes) = &self.wheels[wheel];
        let length = bytes.len().to_string();
        let headers = [("Content-Length", length.as_str())];
        let begun = &bytes[..bytes.len() * share / 100];
        self.index
            .queue(path, [Answer::Stall(message("200 OK", &headers, begun))]);
        path
    }
}

/// The first wheel not begun, one in the middle, the last one nearly whole.
#[test]
fn killed_at_three_places_of_fetching() {
    let hosted = Hosted::start();
    for (wheel, share) in [(0, 0), (4, 50), (8, 99)] {
        let when = format!("{share} % of wheel {wheel}");
        let workshop = workshop(&hosted.second);
        let path = hosted.stall(wheel, share);
        let expected = hosted.wheels[wheel].1.len() as u64 * share as u64 / 100;
        let was_running = kill_when(start(&workshop), || {
            let partial = files_of(&workshop.path("cache/partial"));
            let arrived = share == 0 || partial.iter().any(|size| *size >= expected / 2);
            // All others are there already.
            let others = kept(&workshop) == hosted.wheels.len() - 1;
            arrived && others && hosted.index.paths().iter().any(|one| one == path)
        });
        assert!(was_running, "{when}");
        assert_whole_or_absent(&workshop, &[], &when);
        assert_next_run_is_clean(&workshop, &hosted.new, &when);
        // What was verified before was not fetched again.
        for (other, _) in &hosted.wheels {
            let paths = hosted.index.paths();
            let asked = paths.iter().filter(|one| *one == other).count();
            assert_eq!(asked, 1 + usize::from(other == path), "{when}: {other}");
        }
        hosted.index.forget();
    }
}

/// A place of a build, and how it is told from outside.
type Place = (&'static str, fn(&Workshop) -> bool);

/// Of the wheels' bytes, which are nearly all of the archive.
const TOTAL: u64 = 9 * 2_000_000;

const PLACES: [Place; 8] = [
    ("the archive is begun", |workshop| {
        workshop.release(".release.car.partial").exists()
    }),
    ("a third of the archive", |workshop| {
        size(&workshop.release(".release.car.partial")) > TOTAL / 3
    }),
    ("nine tenths of the archive", |workshop| {
        size(&workshop.release(".release.car.partial")) > TOTAL * 9 / 10
    }),
    ("the tree is begun", |workshop| {
        workshop.repository().join(".tree.ipwhl-partial").exists()
    }),
    ("half of the tree", |workshop| {
        let folder = workshop.repository().join(".tree.ipwhl-partial");
        folder.join("project-4").exists()
    }),
    ("the old tree is aside, or the new one there", |workshop| {
        workshop.repository().join(".tree.ipwhl-old").exists()
            || workshop.repository().join("tree/project-8").exists()
    }),
    ("the statement is written beside its place", |workshop| {
        workshop.release(".release.toml.partial").exists()
    }),
    (
        "the old statement is gone, or the new one there",
        |workshop| {
            fs::read_to_string(workshop.release("release.toml"))
                .map_or(true, |text| !text.contains(&old_root(workshop)))
        },
    ),
];

/// Over an older release: each place is seen, and then the build is killed.
#[test]
fn killed_at_eight_places_of_writing() {
    let hosted = Hosted::start();
    for (when, is_there) in PLACES {
        // The later places last for moments only.
        let was_killed = (0..20).any(|_| {
            let workshop = workshop(&hosted.first);
            let old = workshop.build(&[&["--tree", "tree"], &KEY[..]].concat());
            assert_eq!(old, hosted.old);
            fs::write(workshop.path("old"), &old).unwrap();
            workshop.write_over(&hosted.second);
            let was_running = kill_when(start(&workshop), || is_there(&workshop));
            assert_whole_or_absent(&workshop, &[&old, &hosted.new], when);
            assert_next_run_is_clean(&workshop, &hosted.new, when);
            was_running
        });
        assert!(was_killed, "never killed when {when}");
    }
}

fn old_root(workshop: &Workshop) -> String {
    fs::read_to_string(workshop.path("old")).unwrap()
}

/// The sizes of all files below a folder that may change meanwhile.
fn files_of(folder: &Path) -> Vec<u64> {
    let mut sizes = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => sizes.extend(files_of(&entry.path())),
            Ok(metadata) => sizes.push(metadata.len()),
            Err(_) => {}
        }
    }
    sizes
}

/// How many wheels are in the cache.
fn kept(workshop: &Workshop) -> usize {
    fs::read_dir(workshop.path("cache/wheels"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "whl")
        })
        .count()
}

/// Places that cannot be told from outside: moments spread over the whole of a build.
#[test]
fn killed_at_moments_spread_over_a_build() {
    let (first, second) = (repository(false, None), repository(true, None));
    let workshop = workshop(&first);
    let tree = [&["--tree", "tree"], &KEY[..]].concat();
    let old = workshop.build(&tree);
    workshop.write_over(&second);
    let begun = Instant::now();
    let new = workshop.build(&tree);
    let whole = begun.elapsed();
    let mut killed = 0;
    for moment in 0..24 {
        // Back and forth, so that each build has something to replace.
        let (repository, root) = if moment % 2 == 0 {
            (&first, &old)
        } else {
            (&second, &new)
        };
        workshop.write_over(repository);
        // A cache that has to be filled again shifts the moments.
        if moment % 4 == 0 {
            fs::remove_dir_all(workshop.path("cache")).unwrap();
        }
        let mut child = start(&workshop);
        sleep(whole * moment / 22);
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
        let when = format!("moment {moment}");
        assert_whole_or_absent(&workshop, &[&old, &new], &when);
        assert_next_run_is_clean(&workshop, root, &when);
        // None is lost and none is made twice, wherever a build was cut.
        let statement = String::from_utf8(workshop.read("release.toml")).unwrap();
        let sequence = Statement::parse(&statement).unwrap().sequence;
        assert_eq!(sequence, 3 + u64::from(moment), "{when}");
    }
    assert!(
        killed >= 10,
        "only {killed} of the builds were still running"
    );
}

/// A small file system of its own, unmounted when this value goes.
#[cfg(target_os = "linux")]
pub struct SmallDisk {
    place: std::path::PathBuf,
}

#[cfg(target_os = "linux")]
impl SmallDisk {
    pub fn mount(place: &Path, megabytes: u32) -> Self {
        fs::create_dir_all(place).unwrap();
        let options = format!("size={megabytes}m,mode=0755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "ipwhl-suite"])
            .arg(place)
            .stderr(Stdio::piped())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Self {
                place: place.to_owned(),
            },
            _ => crate::harness::skip("`mount` of a small disk fails: run as root"),
        }
    }

    pub fn resize(&self, megabytes: u32) {
        self.remount(&format!("size={megabytes}m"));
    }

    /// Changes these options.
    pub fn remount(&self, options: &str) {
        let changed = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.place)
            .status();
        assert!(changed.unwrap().success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.place).status();
    }
}

/// The wheels have 16 MB, the disk has less.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_each_thing_that_a_build_writes() {
    let tree = [&["--tree", "tree/tree"], &KEY[..]].concat();
    for full in ["repository/release", "repository/tree", "cache"] {
        for megabytes in [1, 9] {
            let when = format!("{full} on a disk of {megabytes} MB");
            let workshop = workshop(&repository(false, None));
            let disk = SmallDisk::mount(&workshop.path(full), megabytes);
            let ran = workshop.run(&[&["build"], &tree[..]].concat());
            assert_eq!(ran.code, Some(3), "{when}: {}", ran.error);
            assert_eq!(ran.output, "", "{when}");
            ran.said(workshop.path(full).to_str().unwrap());
            ran.said("No space left on device");
            ran.said("help: ");
            assert!(!workshop.release("release.car").exists(), "{when}");
            assert!(!workshop.release("release.toml").exists(), "{when}");
            assert!(!workshop.repository().join("tree/tree").exists(), "{when}");
            // Nothing half-written takes the room that there is.
            let left = files_of(&workshop.repository().join("release"));
            assert!(left.is_empty(), "{when}: {left:?}");
            // With room, by itself.
            disk.resize(100);
            let root = workshop.build(&tree);
            let before = release_files(&workshop.repository().join("release"));
            assert_eq!(before.len(), 3, "{when}: {:?}", before.keys());
            assert_eq!(workshop.run(&["cid", "tree/tree"]).line(), root, "{when}");
        }
    }
}

/// What is there stays as it is when there is no room for the next one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_older_release_alone() {
    let workshop = workshop(&repository(false, None));
    let place = workshop.repository().join("release");
    let disk = SmallDisk::mount(&place, 40);
    let old = workshop.build(&KEY);
    let before = files(&place);
    workshop.write_over(&repository(true, None));
    disk.resize(20);
    let ran = workshop.run(&[&["build"], &KEY[..]].concat());
    ran.refused(
        3,
        &[
            "release.car` cannot be written: No space left on device",
            "help: make room",
        ],
    );
    assert_eq!(files(&place), before);
    assert_whole_or_absent(&workshop, &[&old], "after a full disk");
    disk.resize(100);
    let new = workshop.build(&KEY);
    assert_ne!(new, old);
    assert_whole_or_absent(&workshop, &[&new], "with room again");
}
