//! What a change of one declaration costs a runner that has nothing: that wheel, and pages.

use std::collections::HashMap;
use std::fs;

use ipwhl_unixfs::Profile;
use ipwhl_unixfs::car::Blocks;

use super::{address, key, open, read, serving, trusted};
use crate::support::loopback_index::{Hosted, LoopbackIndex};
use crate::support::repository_builder::{Project, RepositoryBuilder, Wheel};
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::{Workshop, pure};

const PROJECTS: usize = 40;
/// The one that changes.
const CHANGED: usize = 7;

/// A wheel of a project; each tenth has several blocks.
fn wheel(number: usize, version: &str) -> WheelBuilder {
    let name = format!("project{number}");
    let size = if number % 10 == CHANGED {
        1_500_000
    } else {
        40_000
    };
    let bytes: Vec<u8> = (0..size / 4_u32)
        .map(|place| place.wrapping_mul(2_654_435_761).rotate_left(13))
        .flat_map(|word| (word ^ u32::try_from(number).unwrap()).to_le_bytes())
        .collect();
    pure(&name, version).member(&format!("{name}/data"), bytes)
}

/// The set with this version of the project that changes, all of it in an index.
fn set(profile: Profile, version: &str) -> RepositoryBuilder {
    let empty = RepositoryBuilder::new()
        .profile(profile)
        .configuration(&trusted());
    (0..PROJECTS).fold(empty, |repository, number| {
        let version = if number == CHANGED { version } else { "1.0" };
        let wheel = wheel(number, version);
        let name = wheel.file_name();
        let source = format!("pkg:pypi/project{number}@{version}?file_name={name}");
        repository.project(Project::wanted(Wheel::elsewhere(wheel, &source)))
    })
}

#[test]
fn a_change_of_one_declaration_transfers_that_wheel_and_pages() {
    let index = LoopbackIndex::start();
    let mut wheels = HashMap::new();
    let host = |wheel: WheelBuilder, project: &str| {
        let (name, bytes) = (wheel.file_name(), wheel.build());
        index.host(Hosted::new(project, &name, &bytes));
        (name, bytes.len())
    };
    for number in 0..PROJECTS {
        wheels.extend([host(wheel(number, "1.0"), &format!("project{number}"))]);
    }
    let (changed, changed_size) = host(wheel(CHANGED, "2.0"), &format!("project{CHANGED}"));
    let all: usize = wheels.values().sum();
    for profile in Profile::ALL {
        let workshop = Workshop::with(&set(profile, "1.0"));
        fs::write(workshop.path("key-1"), key(1).to_openssh().unwrap()).unwrap();
        let url = ["--index-url", &index.index_url()];
        let key = ["--key", "../key-1"];
        let build = |arguments: &[&str]| {
            let line = [&["build"], &url[..], arguments].concat();
            workshop.run(&line)
        };
        build(&[&["--output", "first"], &key[..]].concat()).line();
        let archive = read(&workshop, "first/release.car");
        workshop.write_over(&set(profile, "2.0"));
        let previous = ["--previous", "first/release.toml"];
        let mut expected = HashMap::new();
        for part in ["full", "delta", "hollow"] {
            let line = [&["--car", part, "--output", part], &key[..], &previous[..]];
            expected.insert(part, build(&line.concat()).line().to_owned());
        }
        let reader = open(&archive);
        let block_sizes: HashMap<String, usize> = reader
            .cids()
            .into_iter()
            .map(|cid| {
                let size = reader.require(&cid).unwrap().len();
                (format!("/ipfs/{cid}?format=raw"), size)
            })
            .collect();
        let leaves: Vec<String> = reader
            .cids()
            .into_iter()
            .filter(|cid| reader.require(cid).unwrap().len() > 30_000)
            .map(|cid| format!("/ipfs/{cid}?format=raw"))
            .collect();
        assert!(leaves.len() >= PROJECTS);
        let gateway = serving(&archive);
        let address = address(&gateway, &archive);
        for part in ["root", "delta", "hollow"] {
            fs::remove_dir_all(workshop.path("cache")).unwrap();
            index.forget();
            gateway.forget();
            let how: Vec<&str> = match part {
                "root" => vec!["--root-only", "--reuse-statement", "first/release.toml"],
                part => {
                    let line = ["--car", part, "--output", "again"];
                    [&line[..], &key, &previous].concat()
                }
            };
            let ran = build(&[&how[..], &["--reuse", &address]].concat());
            assert_eq!(ran.line(), expected["full"], "{profile}: {part}");
            if part != "root" {
                let name = format!("release.{part}.car");
                let again = read(&workshop, &format!("again/{name}"));
                let from_all = read(&workshop, &format!("{part}/{name}"));
                assert!(again == from_all, "{profile}: {part}");
            }
            // The index: the page of the project that changed, and its wheel.
            let asked = index.paths();
            let files: Vec<&String> = asked
                .iter()
                .filter(|path| path.contains("/files/"))
                .collect();
            assert_eq!(files.len(), 1, "{profile}: {part}: {files:?}");
            assert!(files[0].contains(&changed), "{files:?}");
            assert!(asked.len() <= 2, "{profile}: {part}: {asked:?}");
            // The gateway: of each project its folder, a page and METADATA, and no leaf of a wheel.
            let asked = gateway.paths();
            let transferred: usize = asked.iter().map(|path| block_sizes[path]).sum();
            assert!(!asked.iter().any(|path| leaves.contains(path)));
            let most = 3 * PROJECTS + 5;
            assert!(asked.len() <= most, "{profile}: {part}: {}", asked.len());
            let most = all / 100;
            assert!(transferred < most, "{profile}: {part}: {transferred}");
            assert!(transferred < changed_size / 10);
        }
    }
}
