//! Archives of a few blocks, every hash right, that come to files without end: refused before a
//! file is read.

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;

use ipwhl::command::ExitStatus;
use ipwhl::release::archive::ReleaseArchive;
use ipwhl::release::archive::{MAX_FILE_NODES, MAX_NODES};
use ipwhl::source::{LARGEST_PAGE, LARGEST_WHEEL};
use ipwhl_unixfs::car::{CarReader, FileReader, Tree as _};
use ipwhl_unixfs::{Cid, Codec, Link, Sha256Digest};

use crate::car::{archive, parent, raw};
use crate::support::program::Program;
use crate::support::repository_builder::RepositoryBuilder;
use crate::support::workshop::{Workshop, installable_from};

const WHEEL: &str = "apple-1.0-py3-none-any.whl";
const MEBIBYTE: u64 = 1 << 20;

/// Blocks in the order of an archive, and the link to the topmost; `size` is that of the file,
/// where it is one.
#[derive(Clone)]
struct Dag {
    blocks: Vec<(Cid, Vec<u8>)>,
    link: Link,
    size: u64,
}

fn leaf(bytes: &[u8]) -> Dag {
    let block = raw(bytes);
    let size = bytes.len() as u64;
    Dag {
        link: Link {
            cid: block.0,
            cumulative_size: size,
        },
        blocks: vec![block],
        size,
    }
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn field(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    varint(bytes.len() as u64, out);
    out.extend(bytes);
}

/// A file of so many times the same part (dag-pb, `UnixFS`).
fn repeated(part: &Dag, times: u64) -> Dag {
    let mut link = Vec::new();
    field(0x0a, &part.link.cid.to_bytes(), &mut link);
    link.extend([0x12, 0, 0x18]);
    varint(part.link.cumulative_size, &mut link);
    let size = part.size * times;
    let mut data = vec![0x08, 2, 0x18];
    varint(size, &mut data);
    let mut block = Vec::new();
    for _ in 0..times {
        field(0x12, &link, &mut block);
        data.push(0x20);
        varint(part.size, &mut data);
    }
    field(0x0a, &data, &mut block);
    let cid = Cid::v1(Codec::DagPb, Sha256Digest::of(&block));
    let cumulative_size = part.link.cumulative_size * times + block.len() as u64;
    Dag {
        blocks: [vec![(cid, block)], part.blocks.clone()].concat(),
        link: Link {
            cid,
            cumulative_size,
        },
        size,
    }
}

/// A folder of these entries.
fn folder(entries: &[(&str, &Dag)]) -> Dag {
    let links: Vec<(&str, Link)> = entries
        .iter()
        .map(|(name, dag)| (*name, dag.link))
        .collect();
    let top = parent(&links);
    let below = entries.iter().fold(0_u64, |sum, (_, dag)| {
        sum.saturating_add(dag.link.cumulative_size)
    });
    let link = Link {
        cid: top.0,
        cumulative_size: below.saturating_add(top.1.len() as u64),
    };
    let mut seen = HashSet::new();
    let all = entries.iter().flat_map(|(_, dag)| dag.blocks.clone());
    let blocks = std::iter::once(top).chain(all);
    Dag {
        blocks: blocks.filter(|(cid, _)| seen.insert(*cid)).collect(),
        link,
        size: 0,
    }
}

/// The archive of a release with this file.
fn release(name: &str, file: &Dag) -> (Vec<u8>, Cid) {
    let root = folder(&[("apple", &folder(&[(name, file)]))]);
    (archive(&root.link.cid, &root.blocks), file.link.cid)
}

fn verdict(car: Vec<u8>) -> String {
    let reader = CarReader::open(Cursor::new(car)).unwrap();
    match reader.survey() {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn mebibyte() -> Dag {
    leaf(&vec![7; 1 << 20])
}

/// Four levels of 1,024 links over 1 MiB: 1 EiB in 1.3 MB.
fn exbibyte() -> Dag {
    (0..4).fold(mebibyte(), |part, _| repeated(&part, 1024))
}

#[test]
fn a_wheel_of_an_exbibyte_ends_at_once_everywhere() {
    let (car, cid) = release(WHEEL, &exbibyte());
    assert!(car.len() < 1_400_000, "{}", car.len());
    let words = format!(
        "block {cid} is a file of 1152921504606846976 bytes; at most {LARGEST_WHEEL} are allowed"
    );
    let target = "\n[publish.site]\nkind = \"directory\"\npath = \"../site\"\n";
    let workshop = Workshop::with(&installable_from(None).configuration(target));
    fs::create_dir(workshop.repository().join("release")).unwrap();
    fs::write(workshop.release("release.car"), &car).unwrap();
    for arguments in [
        &["verify", "release"][..],
        &["publish", "--unsigned", "--dry-run"],
        &["publish", "--unsigned"],
    ] {
        workshop.run(arguments).refused(1, &[&words]);
    }
    assert!(!workshop.path("site").exists());
    // What reads a file of it, as `serve` and `diff` do, does not begin.
    let reader = CarReader::open(Cursor::new(car)).unwrap();
    assert_eq!(reader.found(&cid).unwrap_err().to_string(), words);
    assert_eq!(
        FileReader::open(&reader, &cid).unwrap_err().to_string(),
        words
    );
    // Nodes alone are few, and their number is what these go by.
    workshop.run(&["hollow", "release"]).line();
    workshop
        .run(&["verify", "release/release.hollow.car"])
        .refused(1, &[&words]);
}

#[test]
fn each_kind_of_file_has_its_limit() {
    let gibibyte = repeated(&mebibyte(), 1024);
    assert_eq!(verdict(release(WHEEL, &repeated(&gibibyte, 8)).0), "fine");
    let larger = repeated(&repeated(&mebibyte(), 911), 9);
    assert!(larger.size > LARGEST_WHEEL);
    let words = verdict(release(WHEEL, &larger).0);
    assert!(
        words.contains(&format!("at most {LARGEST_WHEEL} are ")),
        "{words}"
    );
    let page = repeated(&mebibyte(), LARGEST_PAGE / MEBIBYTE);
    assert_eq!(verdict(release("index.html", &page).0), "fine");
    let page = repeated(&mebibyte(), LARGEST_PAGE / MEBIBYTE + 1);
    for name in ["index.html", "apple-1.0-py3-none-any.whl.metadata"] {
        let words = verdict(release(name, &page).0);
        assert!(
            words.contains(&format!("at most {LARGEST_PAGE} are ")),
            "{words}"
        );
    }
    let declaration = "declaration.toml";
    assert_eq!(verdict(release(declaration, &mebibyte()).0), "fine");
    let words = verdict(release(declaration, &repeated(&mebibyte(), 2)).0);
    assert!(words.contains("at most 1048576 are "), "{words}");
}

#[test]
fn the_same_nodes_many_times_are_counted() {
    // A mebibyte, a byte at a time.
    let fine = repeated(&repeated(&leaf(b"x"), 1024), 60);
    assert_eq!(verdict(release(WHEEL, &fine).0), "fine");
    let (car, cid) = release(WHEEL, &repeated(&repeated(&leaf(b"x"), 1024), 1024));
    assert_eq!(
        verdict(car),
        format!("block {cid} leads to more than {MAX_FILE_NODES} nodes, counting repeated ones")
    );
    // Eight folders, each of which has the next one sixteen times.
    let names: Vec<String> = (0..16).map(|number| format!("{number:02}")).collect();
    let bomb = (0..8).fold(leaf(b"x"), |below, _| {
        let entries: Vec<(&str, &Dag)> = names.iter().map(|name| (name.as_str(), &below)).collect();
        folder(&entries)
    });
    assert!(bomb.blocks.len() < 10);
    let words = verdict(archive(&bomb.link.cid, &bomb.blocks));
    assert!(
        words.contains(&format!("leads to more than {MAX_NODES} nodes")),
        "{words}"
    );
}

#[test]
fn a_release_is_not_much_larger_than_its_archive() {
    let gibibyte = repeated(&mebibyte(), 1024);
    let release = |wheels: usize| {
        let names: Vec<String> = (0..wheels)
            .map(|number| format!("apple-1.{number:02}-py3-none-any.whl"))
            .collect();
        let entries: Vec<(&str, &Dag)> = names
            .iter()
            .map(|name| (name.as_str(), &gibibyte))
            .collect();
        let root = folder(&[("apple", &folder(&entries))]);
        verdict(archive(&root.link.cid, &root.blocks))
    };
    assert_eq!(release(8), "fine");
    let words = release(9);
    assert!(words.contains("more than 1024 times the "), "{words}");
}

/// Each of so many projects has the same page of 64 MiB and a wheel, whose one leaf the archive
/// perhaps lacks.
fn projects_of_one_page(projects: usize, lacks_the_leaf: bool) -> Vec<u8> {
    let page = repeated(&mebibyte(), LARGEST_PAGE / MEBIBYTE);
    let wheel = leaf(b"a wheel");
    let project = folder(&[(WHEEL, &wheel), ("index.html", &page)]);
    let names: Vec<String> = (0..projects)
        .map(|number| format!("p{number:03}"))
        .collect();
    let entries: Vec<(&str, &Dag)> = names.iter().map(|name| (name.as_str(), &project)).collect();
    let mut root = folder(&entries);
    if lacks_the_leaf {
        root.blocks.retain(|(cid, _)| *cid != wheel.link.cid);
    }
    archive(&root.link.cid, &root.blocks)
}

/// What verification reads of a hollow archive is bounded as what it reads of a full one.
#[test]
fn an_archive_that_lacks_a_block_has_the_same_limits() {
    for lacks_the_leaf in [false, true] {
        let fine = projects_of_one_page(100, lacks_the_leaf);
        assert_eq!(verdict(fine), "fine", "{lacks_the_leaf}");
        let words = verdict(projects_of_one_page(200, lacks_the_leaf));
        assert!(words.contains("more than 1024 times the "), "{words}");
    }
    // The leaves that a hollow archive lacks do not count: 16 GiB of wheels in a few kilobytes.
    let gibibyte = repeated(&mebibyte(), 1024);
    let names: Vec<String> = (0..16)
        .map(|number| format!("apple-1.{number:02}-py3-none-any.whl"))
        .collect();
    let wheels: Vec<(&str, &Dag)> = names
        .iter()
        .map(|name| (name.as_str(), &gibibyte))
        .collect();
    let mut root = folder(&[("apple", &folder(&wheels))]);
    root.blocks.pop();
    assert_eq!(verdict(archive(&root.link.cid, &root.blocks)), "fine");
}

/// A declaration may have a mebibyte, in a repository as in a release.
#[test]
fn a_repository_has_the_declarations_that_a_release_may_have() {
    let repository = RepositoryBuilder::sound().build();
    let program = Program::new(repository.path());
    let file = "declarations/damson.toml";
    let text = repository.read(file);
    let padded = |length: usize| format!("{text}#{}\n", "x".repeat(length - text.len() - 2));
    repository.write(file, padded(1 << 20));
    program.run(&["check"]).expect(ExitStatus::Clean);
    repository.write(file, padded((1 << 20) + 1));
    for arguments in [&["check"][..], &["build", "--unsigned"]] {
        let run = program.run(arguments).expect(ExitStatus::World);
        let words = "exceeds the limit of 1048576 bytes";
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    // The canonical form indents each of these lines, and comes to more than a release may have.
    let long = format!("extras = [\n{}]", "#\n".repeat(250_000));
    repository.write(file, text.replace("extras = []", &long));
    program
        .run(&["build", "--unsigned", "--output", "release"])
        .expect(ExitStatus::Clean);
    program
        .run(&["verify", "release"])
        .expect(ExitStatus::Clean);
}
