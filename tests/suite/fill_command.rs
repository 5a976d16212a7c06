//! `ipwhl fill`: full again, byte for byte, from wherever the blocks are; and what is said when
//! they are nowhere.

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;

use ipwhl::release::archive::ArchiveKind;
use ipwhl::release::archive::ReleaseArchive;
use ipwhl_unixfs::car::{Blocks, CarReader, CarWriter};
use ipwhl_unixfs::{BlockSink, Cid, Profile};

use crate::hollow_command::{lose_the_wheels, small_with_newer_library};
use crate::support::loopback_index::{Answer, LoopbackIndex};
use crate::support::workshop::{Workshop, files, small};

fn open(bytes: &[u8]) -> CarReader<Cursor<Vec<u8>>> {
    CarReader::open(Cursor::new(bytes.to_vec())).unwrap()
}

/// An archive of some blocks of another one, and of its root.
fn some_of(car: &[u8], wanted: impl Fn(usize, &Cid) -> bool) -> Vec<u8> {
    let reader = open(car);
    let mut writer = CarWriter::new(Vec::new(), reader.root()).unwrap();
    for (position, cid) in reader.cids().iter().enumerate() {
        if position == 0 || wanted(position, cid) {
            writer.put(cid, &reader.require(cid).unwrap()).unwrap();
        }
    }
    writer.finish().unwrap().0
}

/// A release of `small`, hollowed, its full archive taken away and given back; neither cache nor
/// wheels are left.
fn hollowed(profile: Profile) -> (Workshop, Vec<u8>) {
    let workshop = Workshop::with(&small().profile(profile));
    workshop.build(&["--unsigned"]);
    let full = workshop.read("release.car");
    workshop.run(&["hollow", "release"]).line();
    fs::remove_file(workshop.release("release.car")).unwrap();
    fs::rename(
        workshop.repository().join("wheels"),
        workshop.path("wheels"),
    )
    .unwrap();
    fs::remove_dir_all(workshop.path("cache")).unwrap();
    (workshop, full)
}

const HOLLOW: &str = "release/release.hollow.car";

fn is_filled(workshop: &Workshop, full: &[u8], arguments: &[&str]) {
    let arguments = [&["fill", HOLLOW], arguments].concat();
    let ran = workshop.run(&arguments);
    assert_eq!(ran.line(), open(full).root().to_string());
    assert!(workshop.read("release.car") == full, "the archives differ");
    // Nothing is kept twice.
    let blocks = workshop.path("cache/blocks");
    assert!(!blocks.exists() || files(&blocks).is_empty());
}

#[test]
fn a_hollow_archive_is_filled_from_a_folder_of_wheels() {
    for profile in Profile::ALL {
        let (workshop, full) = hollowed(profile);
        is_filled(&workshop, &full, &["--from", "../wheels"]);
        // Whatever the wheels are called, and however deep they lie.
        fs::remove_file(workshop.release("release.car")).unwrap();
        let deep = workshop.path("other/deep");
        fs::create_dir_all(&deep).unwrap();
        for (number, bytes) in files(&workshop.path("wheels")).values().enumerate() {
            fs::write(deep.join(format!("{number}.whl")), bytes).unwrap();
        }
        is_filled(&workshop, &full, &["--from", "../other"]);
    }
}

#[test]
fn a_hollow_archive_is_filled_from_the_sources() {
    for profile in Profile::ALL {
        let (workshop, full) = hollowed(profile);
        fs::rename(
            workshop.path("wheels"),
            workshop.repository().join("wheels"),
        )
        .unwrap();
        is_filled(&workshop, &full, &[]);
        // What the cache has is not asked for again.
        lose_the_wheels_of_the_repository(&workshop);
        fs::remove_file(workshop.release("release.car")).unwrap();
        is_filled(&workshop, &full, &["--offline"]);
    }
}

fn lose_the_wheels_of_the_repository(workshop: &Workshop) {
    fs::remove_dir_all(workshop.repository().join("wheels")).unwrap();
}

#[test]
fn two_halves_are_a_whole() {
    for profile in Profile::ALL {
        let (workshop, full) = hollowed(profile);
        let even = some_of(&full, |position, _| position % 2 == 0);
        let odd = some_of(&full, |position, _| position % 2 == 1);
        fs::write(workshop.path("even.car"), &even).unwrap();
        fs::write(workshop.path("odd.car"), &odd).unwrap();
        let line = |from: &[&str]| {
            let words = ["fill", "../even.car", "--output", "../full.car"];
            workshop.run(&[&words[..], from].concat())
        };
        line(&["--from", "../odd.car"]).line();
        assert!(
            fs::read(workshop.path("full.car")).unwrap() == full,
            "{profile}"
        );
        fs::remove_file(workshop.path("full.car")).unwrap();
        // One after the other, into a hollow one: what the first had is not lost.
        let ran = workshop.run(&["fill", HOLLOW, "--from", "../even.car"]);
        ran.refused(
            3,
            &[
                "was not found",
                "nothing was written: ",
                "stay in the cache",
            ],
        );
        assert!(!workshop.release("release.car").exists());
        fs::remove_file(workshop.path("even.car")).unwrap();
        is_filled(&workshop, &full, &["--from", "../odd.car"]);
    }
}

#[test]
fn a_delta_and_the_release_before_it_are_the_full_archive() {
    for profile in Profile::ALL {
        let workshop = Workshop::with(&small().profile(profile));
        workshop.build(&["--output", "first"]);
        workshop.write_over(&small_with_newer_library(profile));
        let previous = ["--previous", "first/release.toml"];
        workshop.build(&[&["--output", "full"], &previous[..]].concat());
        workshop.build(&[&["--car", "delta"], &previous[..]].concat());
        lose_the_wheels(&workshop);
        let full = fs::read(workshop.repository().join("full/release.car")).unwrap();
        let line = [
            "fill",
            "release/release.delta.car",
            "--from",
            "first/release.car",
        ];
        workshop.run(&line).line();
        assert!(workshop.read("release.car") == full, "{profile}");
        // A hollow one of the release before is not enough, and with its wheels it is.
        fs::remove_file(workshop.release("release.car")).unwrap();
        workshop.run(&["hollow", "first"]).line();
        let line = [
            "fill",
            "release/release.delta.car",
            "--from",
            "first/release.hollow.car",
        ];
        workshop.run(&line).refused(
            3,
            &[
                "`large/large-1.0-py3-none-any.whl`: block ",
                "there is no place to look for it",
            ],
        );
        workshop.write_over(&small_with_newer_library(profile));
        workshop
            .run(&[&line[..], &["--from", "wheels"]].concat())
            .line();
        assert!(workshop.read("release.car") == full, "{profile}");
    }
}

#[test]
fn what_is_damaged_is_replaced_and_what_is_nowhere_is_listed() {
    let (workshop, full) = hollowed(Profile::UnixfsV1_2025);
    let wheel = workshop.path("wheels/large-1.0-py3-none-any.whl");
    let good = fs::read(&wheel).unwrap();
    let mut bad = good.clone();
    bad[1_500_000] ^= 1;
    fs::write(&wheel, &bad).unwrap();
    let ran = workshop.run(&["fill", HOLLOW, "--from", "../wheels"]);
    ran.refused(
        3,
        &[
            "error: `large/large-1.0-py3-none-any.whl`: block bafkrei",
            "wheels` does not have this wheel",
            "nothing was written: 3 blocks were not found",
        ],
    );
    assert!(!ran.error.contains("library"), "{}", ran.error);
    // A damaged archive gives what is left of it, and says so.
    let mut damaged = full.clone();
    let at = damaged
        .windows(64)
        .position(|part| *part == good[1_500_000..1_500_064])
        .unwrap();
    damaged[at] ^= 1;
    fs::write(workshop.path("damaged.car"), &damaged).unwrap();
    let ran = workshop.run(&["fill", HOLLOW, "--from", "../damaged.car"]);
    ran.refused(
        3,
        &[
            "damaged.car` is damaged: ",
            "nothing was written: 1 block was not found",
        ],
    );
    // The release of that archive can be mended: with what it lacks, it is its own place.
    fs::write(&wheel, &good).unwrap();
    let mended = workshop.run(&[
        "fill",
        "../damaged.car",
        "--output",
        "../mended.car",
        "--from",
        "../wheels",
    ]);
    mended.line();
    mended.said("warning: the archive that is filled is damaged");
    assert!(fs::read(workshop.path("mended.car")).unwrap() == full);
    is_filled(
        &workshop,
        &full,
        &[
            "--from",
            "../wheels/large-1.0-py3-none-any.whl",
            "--from",
            "../wheels",
        ],
    );
}

#[test]
fn an_archive_of_another_release_is_not_replaced_by_chance() {
    let (workshop, full) = hollowed(Profile::UnixfsV1_2025);
    fs::write(workshop.release("release.car"), "something else").unwrap();
    let from = ["fill", HOLLOW, "--from", "../wheels"];
    workshop.run(&from).refused(
        2,
        &[
            "release.car` exists, and it is not an archive of ",
            "name the full archive, as in `--output release.car`",
        ],
    );
    assert_eq!(workshop.read("release.car"), b"something else");
    workshop
        .run(&[&from[..], &["--output", "release/release.car"]].concat())
        .line();
    assert!(workshop.read("release.car") == full);
    fs::write(workshop.path("x.car"), &full).unwrap();
    workshop
        .run(&["fill", "../x.car"])
        .refused(2, &["so the name of the full archive is unknown"]);
    workshop
        .run(&["fill", HOLLOW, "--from", "ftp://me:secret@example.org/"])
        .refused(2, &["neither a file nor an address"]);
    workshop
        .run(&["fill", HOLLOW, "--from", "nowhere"])
        .refused(3, &["nowhere` cannot be read"]);
}

/// What a gateway makes of an archive.
type Change = fn(&[u8]) -> Vec<u8>;

/// The paths at which a gateway has the blocks of an archive, and those that it has as a whole.
fn serve_blocks(gateway: &LoopbackIndex, full: &[u8]) {
    let reader = open(full);
    for cid in reader.cids() {
        let block = reader.require(&cid).unwrap();
        gateway.put(&format!("/ipfs/{cid}?format=raw"), &block);
    }
}

#[test]
fn a_gateway_gives_blocks_and_is_believed_nothing() {
    for profile in Profile::ALL {
        let (workshop, full) = hollowed(profile);
        let gateway = LoopbackIndex::start();
        serve_blocks(&gateway, &full);
        let url = gateway.url("");
        is_filled(&workshop, &full, &["--from", &url]);
        let asked: HashSet<String> = gateway.paths().into_iter().collect();
        let lacking = open(&workshop.read("release.hollow.car"))
            .survey()
            .unwrap()
            .lacking;
        for one in &lacking {
            assert!(asked.contains(&format!("/ipfs/{}?format=raw", one.cid)));
        }
        let raw = gateway
            .requests()
            .into_iter()
            .find(|one| one.path.ends_with("=raw"));
        assert_eq!(raw.unwrap().headers["accept"], "application/vnd.ipld.raw");

        // One that has one wrong byte somewhere: the block is not had there, and the next place has
        // it.
        fs::remove_file(workshop.release("release.car")).unwrap();
        let liar = LoopbackIndex::start();
        serve_blocks(&liar, &full);
        for one in &lacking {
            let mut block = open(&full).require(&one.cid).unwrap();
            block[0] ^= 1;
            liar.put(&format!("/ipfs/{}?format=raw", one.cid), &block);
        }
        let ran = workshop.run(&["fill", HOLLOW, "--jobs", "1", "--from", &liar.url("")]);
        ran.refused(
            3,
            &[
                "has other bytes: content-id ",
                "sent wrong bytes and is no longer used",
            ],
        );
        assert!(!workshop.release("release.car").exists());
        let of_wheels = liar.paths().into_iter().filter(|path| path.contains("raw"));
        assert_eq!(of_wheels.count(), 1, "one lie is enough");
        is_filled(&workshop, &full, &["--from", &liar.url(""), "--from", &url]);
    }
}

#[test]
fn a_gateway_gives_whole_dags_in_any_order() {
    let workshop = Workshop::small();
    workshop.build(&["--output", "first"]);
    let first = fs::read(workshop.repository().join("first/release.car")).unwrap();
    workshop.write_over(&small_with_newer_library(Profile::default()));
    let previous = ["--previous", "first/release.toml"];
    workshop.build(&[&["--output", "full"], &previous[..]].concat());
    workshop.build(&[&["--car", "delta"], &previous[..]].concat());
    let full = fs::read(workshop.repository().join("full/release.car")).unwrap();
    let delta = workshop.read("release.delta.car");
    assert_eq!(open(&delta).survey().unwrap().kind, ArchiveKind::Delta);
    lose_the_wheels(&workshop);
    let reader = open(&first);
    let whole: Vec<(Cid, Vec<u8>)> = reader
        .cids()
        .into_iter()
        .map(|cid| (cid, reader.require(&cid).unwrap()))
        .collect();
    let reversed: Vec<(Cid, Vec<u8>)> = whole.iter().rev().cloned().collect();
    // Everything, asked for or not, in both orders; what is not of the DAG that was asked for is
    // dropped.
    for blocks in [&whole, &reversed] {
        let gateway = LoopbackIndex::start();
        serve_blocks(&gateway, &first);
        for one in open(&delta).survey().unwrap().lacking {
            let mut writer = CarWriter::new(Vec::new(), one.cid).unwrap();
            writer
                .put(&one.cid, &reader.require(&one.cid).unwrap())
                .unwrap();
            for (cid, block) in blocks {
                writer.put(cid, block).unwrap();
            }
            let car = writer.finish().unwrap().0;
            gateway.put(&format!("/ipfs/{}?format=car&dag-scope=all", one.cid), &car);
        }
        let _ = fs::remove_dir_all(workshop.path("cache"));
        let line = [
            "fill",
            "release/release.delta.car",
            "--from",
            &gateway.url(""),
        ];
        workshop.run(&line).line();
        assert!(workshop.read("release.car") == full);
        fs::remove_file(workshop.release("release.car")).unwrap();
    }
    // Archives that are none, cut, of other blocks or with a wrong byte: then block by block.
    let changes: [(Change, &str); 4] = [
        (|_| b"nonsense".to_vec(), ""),
        (|car| car[..car.len() - 1].to_vec(), ""),
        (
            |car| {
                let mut car = car.to_vec();
                let last = car.len() - 1;
                car[last] ^= 1;
                car
            },
            "sent wrong bytes for block baf",
        ),
        (|_| Vec::new(), ""),
    ];
    for (change, warning) in changes {
        let gateway = LoopbackIndex::start();
        serve_blocks(&gateway, &first);
        for one in open(&delta).survey().unwrap().lacking {
            let mut writer = CarWriter::new(Vec::new(), one.cid).unwrap();
            writer
                .put(&one.cid, &reader.require(&one.cid).unwrap())
                .unwrap();
            let car = change(&writer.finish().unwrap().0);
            let path = format!("/ipfs/{}?format=car&dag-scope=all", one.cid);
            gateway.always(&path, Answer::whole("200 OK", &[], &car));
        }
        let _ = fs::remove_dir_all(workshop.path("cache"));
        let line = [
            "fill",
            "release/release.delta.car",
            "--jobs",
            "1",
            "--from",
            &gateway.url(""),
        ];
        let ran = workshop.run(&line);
        ran.line();
        ran.said(warning);
        assert_eq!(ran.error.contains("warning: "), !warning.is_empty());
        let archives = gateway.paths().into_iter();
        let archives = archives.filter(|path| path.contains("format=car"));
        assert_eq!(archives.count(), 2, "two that are none are enough");
        assert!(workshop.read("release.car") == full);
        fs::remove_file(workshop.release("release.car")).unwrap();
    }
}
