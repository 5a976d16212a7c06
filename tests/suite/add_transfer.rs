//! The bytes that `ipwhl add` asks of an index: metadata until the versions are chosen, then the
//! chosen wheels, each once.

use std::collections::BTreeSet;

use ipwhl::command::ExitStatus;

use crate::support::bench::Bench;
use crate::support::loopback_index::Hosted;
use crate::support::wheel_builder::{Compression, WheelBuilder, noise};

/// The number of projects; the first needs all others.
const PROJECTS: usize = 40;
const VERSIONS: [&str; 3] = ["1.0", "2.0", "3.0"];
/// The size of the largest member of a wheel, in bytes.
const SIZE: usize = 200_000;
/// The bytes of METADATA that are asked for at once where only the wheels have it.
const TAIL: &str = "bytes=-65557";
/// One wheel for all platforms, or one for each system.
const TAGS: [&[&str]; 2] = [
    &["py3-none-any"],
    &["py3-none-manylinux_2_17_x86_64", "py3-none-win_amd64"],
];

fn name(number: usize) -> String {
    format!("lib{number:02}")
}

/// The requirements of a version: two further projects, and of some a version that is not the newest.
fn requirements(number: usize, version: &str) -> Vec<String> {
    let children = [2 * number + 1, 2 * number + 2].into_iter();
    let children = children.filter(|child| *child < PROJECTS).map(name);
    let is_limiting = number.is_multiple_of(5) && version == "3.0";
    let limit = is_limiting.then(|| format!("{}<3", name(number + 1)));
    children.chain(limit).collect()
}

/// An index of the projects, and of `clash`, which does not fit the fifth of them.
fn index(has_metadata: bool) -> Bench {
    let bench = Bench::new();
    let data = noise(SIZE);
    let offer = |project: &str, version: &str, tags: &[&str], requirements: &[String]| {
        for tag in tags {
            let wheel = WheelBuilder::new(project, version)
                .tag(tag)
                .compression(Compression::Stored)
                .member(&format!("{project}.bin"), &data);
            let requirements = requirements.iter();
            let wheel = requirements.fold(wheel, |wheel, one| wheel.requires(one));
            let mut hosted = Hosted::new(project, &wheel.file_name(), &wheel.build());
            hosted.metadata = has_metadata.then(|| wheel.metadata_bytes());
            bench.index.host(hosted);
        }
    };
    for number in 0..PROJECTS {
        for version in VERSIONS {
            let tags = TAGS[number % TAGS.len()];
            offer(&name(number), version, tags, &requirements(number, version));
        }
    }
    for version in VERSIONS {
        offer("clash", version, TAGS[0], &["lib04<1".to_owned()]);
    }
    bench
}

/// What the index sent, in order.
struct Sent {
    /// The bytes of pages and of files beside wheels.
    pages: usize,
    /// The bytes of pieces of wheels, and the names of these wheels.
    pieces: usize,
    from: Vec<String>,
    /// The bytes of whole wheels, and their names.
    wheels: usize,
    whole: Vec<String>,
}

/// What the index has sent. After the first whole wheel it was asked for nothing else.
fn sent(bench: &Bench) -> Sent {
    let mut sent = Sent {
        pages: 0,
        pieces: 0,
        from: Vec::new(),
        wheels: 0,
        whole: Vec::new(),
    };
    for (request, bytes) in bench.index.sent() {
        let file = request.path.strip_prefix("/files/");
        match file.filter(|file| file.strip_suffix(".whl").is_some()) {
            Some(file) if request.headers.contains_key("range") => {
                assert_eq!(request.header("range"), TAIL, "{file}");
                sent.pieces += bytes;
                sent.from.push(file.to_owned());
            }
            Some(file) => {
                sent.wheels += bytes;
                sent.whole.push(file.to_owned());
                continue;
            }
            None => {
                let path = &request.path;
                let is_known = path.starts_with("/simple/") || path.ends_with(".whl.metadata");
                assert!(is_known, "{path}");
                sent.pages += bytes;
            }
        }
        assert!(sent.whole.is_empty(), "{} after a wheel", request.path);
    }
    sent
}

/// The names of the declared wheels, sorted.
fn declared(bench: &Bench) -> Vec<String> {
    let files = bench.declared();
    let projects = files.iter().map(|file| file.trim_end_matches(".toml"));
    let mut wheels: Vec<String> = projects.flat_map(|name| bench.wheels(name)).collect();
    wheels.sort();
    wheels
}

#[test]
fn wheels_are_fetched_once_and_after_the_versions_are_chosen() {
    for has_metadata in [true, false] {
        let bench = index(has_metadata);
        bench.add(&["lib00"]).expect(ExitStatus::Clean);
        assert_eq!(bench.declared().len(), PROJECTS);
        let chosen = declared(&bench);
        assert_eq!(chosen.len(), PROJECTS + PROJECTS / 2);
        let is_older = |wheel: &&String| !wheel.contains("-3.0-");
        assert!(chosen.iter().filter(is_older).count() > 5, "{chosen:?}");

        let mut sent = sent(&bench);
        sent.whole.sort();
        assert_eq!(sent.whole, chosen);
        let size = chosen.len() * SIZE;
        assert!((size..size + size / 50).contains(&sent.wheels));
        // Pages and files beside wheels are small next to wheels.
        assert!(sent.pages < size / 50, "{} of {size}", sent.pages);
        let pieces: BTreeSet<&String> = sent.from.iter().collect();
        assert_eq!(pieces.len(), sent.from.len(), "a piece was asked for twice");
        if has_metadata {
            assert!(pieces.is_empty(), "{pieces:?}");
        } else {
            // Of each wheel the end; and of hardly any that is not chosen in the end.
            assert!(chosen.iter().all(|wheel| pieces.contains(wheel)));
            assert!(pieces.len() < 2 * chosen.len(), "{pieces:?}");
            assert!(sent.pieces < pieces.len() * SIZE / 2, "{}", sent.pieces);
        }
        bench.is_sound();
    }
}

#[test]
fn a_refused_addition_fetches_no_wheel() {
    for has_metadata in [true, false] {
        let bench = index(has_metadata);
        let run = bench.add(&["lib00", "clash"]).expect(ExitStatus::Findings);
        assert!(
            run.stderr.contains("`clash` requires `lib04<1`"),
            "{}",
            run.stderr
        );
        assert_eq!(bench.declared(), [""; 0]);
        let sent = sent(&bench);
        assert_eq!(sent.whole, [""; 0]);
        assert!(sent.pages > 0);
        assert_eq!(sent.from.is_empty(), has_metadata);
        // Less than what the newest version of each project would have been.
        let size = (PROJECTS + PROJECTS / 2) * SIZE;
        assert!(sent.pages < size / 50, "{} of {size}", sent.pages);
        assert!(sent.pieces < size / 2, "{} of {size}", sent.pieces);
    }
}
