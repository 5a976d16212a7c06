//! A bundle appears whole or not at all: on a full disk, and when its writer is killed.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Instant;

use super::{VERIFY, released};
use crate::dag::Seeded;
use crate::interruption::SmallDisk;
use crate::support::repository_builder::{Project, RepositoryBuilder};
use crate::support::workshop::{Workshop, files, stored};

const BUNDLE: [&str; 3] = ["bundle", "--output", "../disk/stick"];

/// Wheels of 16 MB.
fn large() -> RepositoryBuilder {
    let wheel = |number: usize| {
        let project = format!("project-{number}");
        stored(&project, "1").member("data.bin", Seeded::bytes(&project, 2_000_000))
    };
    let wheels = (0..8).map(|number| Project::wanted(wheel(number)));
    wheels.fold(RepositoryBuilder::new(), RepositoryBuilder::project)
}

fn left(workshop: &Workshop) -> Vec<String> {
    let entries = fs::read_dir(workshop.path("disk")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

fn verify(workshop: &Workshop) {
    let mut arguments = VERIFY;
    arguments[1] = "../disk/stick";
    workshop.run(&arguments).line();
}

#[test]
fn a_full_disk_leaves_no_bundle() {
    let (workshop, _) = released(&large());
    let disk = SmallDisk::mount(&workshop.path("disk"), 1);
    for megabytes in [1, 9] {
        disk.resize(megabytes);
        let ran = workshop.run(&BUNDLE);
        let words = [
            "cannot be written: No space left on device",
            "help: make room",
        ];
        ran.refused(3, &words);
        assert_eq!(left(&workshop), [""; 0]);
    }
    disk.resize(60);
    workshop.run(&BUNDLE).line();
    verify(&workshop);
    // An older bundle stays as it is.
    let before = files(&workshop.path("disk"));
    disk.resize(20);
    workshop
        .run(&BUNDLE)
        .refused(3, &["No space left on device"]);
    assert!(files(&workshop.path("disk")) == before);
    // A disk that cannot be written.
    disk.remount("ro");
    let ran = workshop.run(&BUNDLE);
    ran.refused(
        3,
        &[
            "Read-only file system",
            "help: make the file system writable",
        ],
    );
    disk.remount("rw");
}

#[test]
fn a_killed_writer_leaves_no_half_bundle() {
    let (workshop, _) = released(&large());
    fs::create_dir(workshop.path("disk")).unwrap();
    let begun = Instant::now();
    workshop.run(&BUNDLE).line();
    let whole = begun.elapsed();
    let mut killed = 0;
    let mut absent = 0;
    for moment in 0..12 {
        if moment % 2 == 0 {
            fs::remove_dir_all(workshop.path("disk/stick")).unwrap();
        }
        let mut command = workshop.command(&BUNDLE);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        sleep(whole * moment / 11);
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
        if workshop.path("disk/stick").exists() {
            verify(&workshop);
        } else {
            absent += 1;
        }
        workshop.run(&BUNDLE).line();
        assert_eq!(left(&workshop), ["stick"], "moment {moment}");
        verify(&workshop);
    }
    assert!(killed >= 4, "only {killed} were still running");
    assert!(absent >= 2, "only {absent} had written nothing yet");
}
