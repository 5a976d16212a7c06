//! Archives: what is written, what is read back, and what is refused.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use ipwhl::release::archive::ReleaseArchive;
use ipwhl_unixfs::car::{
    Blocks as _, CarError, CarReader, CarWriter, FileCursor, FileReader, Kind, MAX_BLOCK, Tree,
};
use ipwhl_unixfs::{
    BlockSink, Cid, Codec, DirectoryDag, DirectoryEntry, Link, Profile, Sha256Digest, name_hash,
};

use crate::dag::{Blocks, Seeded, file_dag};
use crate::kubo::{file, folder, sharded_folder, sharded_name, varied_tree};
use crate::support::strategies::{damaged, hold};

type Reader = CarReader<Cursor<Vec<u8>>>;

fn open(car: &[u8]) -> Result<Reader, CarError> {
    CarReader::open(Cursor::new(car.to_vec()))
}

fn refused(car: &[u8]) -> String {
    open(car).unwrap_err().to_string()
}

/// An archive of these blocks, whatever they are.
pub fn archive(root: &Cid, blocks: &[(Cid, Vec<u8>)]) -> Vec<u8> {
    let mut writer = CarWriter::new(Vec::new(), *root).unwrap();
    for (cid, block) in blocks {
        writer.put(cid, block).unwrap();
    }
    writer.finish().unwrap().0
}

fn verdict(root: &Cid, blocks: &[(Cid, Vec<u8>)]) -> String {
    match open(&archive(root, blocks)).unwrap().verify() {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.to_string(),
    }
}

pub fn raw(bytes: &[u8]) -> (Cid, Vec<u8>) {
    (Cid::v1(Codec::Raw, Sha256Digest::of(bytes)), bytes.to_vec())
}

#[test]
fn one_small_file_byte_for_byte() {
    let built = file("hello world");
    let car = built.build(Profile::UnixfsV1_2025).car();
    let cid = raw(b"hello world").0.to_bytes();
    let expected = [
        b"\x3a\xa2\x65roots\x81\xd8\x2a\x58\x25\x00",
        &cid[..],
        b"\x67version\x01\x2f",
        &cid[..],
        b"hello world",
    ]
    .concat();
    assert_eq!(car, expected);
}

#[test]
fn folders_and_paths_are_found_across_shards() {
    for profile in Profile::ALL {
        let tree = varied_tree(profile);
        let built = tree.build(profile);
        let reader = open(&built.car()).unwrap();
        let summary = reader.verify().unwrap();
        assert_eq!(summary.blocks, reader.len() as u64);
        assert_eq!(summary.bytes, reader.byte_length());
        assert_eq!(reader.root(), built.link().cid);

        let names = |path: &str| {
            let found = reader.resolve(&reader.root(), path).unwrap().unwrap();
            let entries = reader.list(&found.cid).unwrap().unwrap();
            entries
                .into_iter()
                .map(|entry| entry.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("/").len(), 10);
        assert_eq!(names("nested/a/deep/"), ["Z", "a", "z"]);
        assert!(names("empty-folder").is_empty());
        let many = names("sharded");
        assert_eq!(many.len(), 1400);
        assert!(many.is_sorted());

        let size = |path: &str| {
            reader
                .resolve(&reader.root(), path)
                .unwrap()
                .map(|found| found.kind)
        };
        for (number, name) in many.iter().enumerate().step_by(97) {
            let text = format!("{}\n", number % 7);
            let found = reader
                .resolve(&reader.root(), &format!("/sharded/{name}"))
                .unwrap()
                .unwrap();
            assert_eq!(found.kind, Kind::File { size: 2 });
            let mut read = String::new();
            FileReader::open(&reader, &found.cid)
                .unwrap()
                .read_to_string(&mut read)
                .unwrap();
            assert_eq!(read, text);
        }
        assert_eq!(size("empty-file"), Some(Kind::File { size: 0 }));
        assert_eq!(size("sharded"), Some(Kind::Directory));
        for missing in [
            "nothing",
            "sharded/nothing",
            "sharded/entry-00000-é.tx",
            "empty-file/inside",
            "empty-folder/nothing",
            "..",
            "sharded/../B",
        ] {
            assert_eq!(
                reader.resolve(&reader.root(), missing).unwrap(),
                None,
                "{missing}"
            );
        }
        let file = reader
            .resolve(&reader.root(), "several")
            .unwrap()
            .unwrap()
            .cid;
        assert_eq!(reader.list(&file).unwrap(), None);
        assert_eq!(reader.entry(&file, "inside").unwrap(), None);
        assert!(FileReader::open(&reader, &reader.root()).is_err());
        assert!(reader.block(&raw(b"not there").0).unwrap().is_none());
        assert!(!reader.contains(&raw(b"not there").0));
    }
}

#[test]
fn ranges_of_files() {
    for profile in Profile::ALL {
        let chunk = profile.chunk_size() as u64;
        let bytes = Seeded::bytes("ranges", 3 * profile.chunk_size() + 11);
        let size = bytes.len() as u64;
        let reader = open(&file(&bytes).build(profile).car()).unwrap();
        let part = |start: u64, end: u64| {
            let end = usize::try_from(end.min(size)).unwrap();
            bytes
                .get(usize::try_from(start).unwrap()..end)
                .unwrap_or_default()
        };
        for (start, end) in [
            (0, size),
            (0, 0),
            (0, 1),
            (chunk - 1, chunk + 1),
            (chunk, 2 * chunk),
            (5, 3 * chunk + 2),
            (size - 1, size),
            (size, size),
            (size + 5, size + 9),
            (size - 3, u64::MAX),
        ] {
            let mut cursor = FileCursor::new(reader.root(), size, start..end);
            assert_eq!(cursor.left(), part(start, end).len() as u64);
            let mut read = Vec::new();
            while let Some(piece) = cursor.next_chunk(&reader).unwrap() {
                assert!(!piece.is_empty() && piece.len() <= profile.chunk_size());
                read.extend(piece);
            }
            assert_eq!(cursor.left(), 0);
            assert!(read == part(start, end), "{profile}, {start}..{end}");
        }

        let mut stream = FileReader::open(&reader, &reader.root()).unwrap();
        assert_eq!(stream.size(), size);
        for to in [
            SeekFrom::End(-4),
            SeekFrom::Start(chunk - 2),
            SeekFrom::Current(-1),
            SeekFrom::Current(2 * chunk.cast_signed()),
            SeekFrom::End(5),
            SeekFrom::Start(0),
        ] {
            let position = stream.seek(to).unwrap();
            let mut read = Vec::new();
            stream.by_ref().take(9).read_to_end(&mut read).unwrap();
            assert_eq!(read, part(position, position + 9), "{to:?}");
        }
        assert!(stream.seek(SeekFrom::Current(-100)).is_err());
        stream.rewind().unwrap();
        let mut read = Vec::new();
        stream.read_to_end(&mut read).unwrap();
        assert!(read == bytes);
    }
}

/// A gateway's threads read through one reader.
#[test]
fn threads_share_a_reader() {
    let profile = Profile::UnixfsV1_2025;
    let reader = std::sync::Arc::new(open(&sharded_folder(1400).build(profile).car()).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let reader = std::sync::Arc::clone(&reader);
            std::thread::spawn(move || {
                for number in (thread..1400).step_by(101) {
                    let path = sharded_name(number);
                    let found = reader.resolve(&reader.root(), &path).unwrap().unwrap();
                    let block = reader.require(&found.cid).unwrap();
                    assert_eq!(block, format!("{}\n", number % 7).as_bytes());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_changed_byte_is_found_wherever_it_is() {
    let profile = Profile::UnixfsV1_2025;
    let car = folder([("a", file("one")), ("b", folder([("c", file("two"))]))])
        .build(profile)
        .car();
    open(&car).unwrap().verify().unwrap();
    for place in 0..car.len() {
        for bit in 0..8 {
            let mut changed = car.clone();
            changed[place] ^= 1 << bit;
            if let Ok(reader) = open(&changed) {
                assert!(reader.verify().is_err(), "byte {place}, bit {bit}");
            }
        }
    }
    for length in 0..car.len() {
        if let Ok(reader) = open(&car[..length]) {
            assert!(reader.verify().is_err(), "{length} bytes");
        }
    }
}

/// Random damage to an archive of every kind of block: refused or read, never a panic.
#[test]
fn damaged_archives_are_survived() {
    let profile = Profile::UnixfsV0_2015;
    let car = folder([
        ("many", sharded_folder(1400)),
        ("file", file(vec![7; 600_000])),
    ])
    .build(profile)
    .car();
    hold(300, damaged(car.clone(), 1000), |damaged| {
        let Ok(reader) = open(&damaged) else { return };
        assert_eq!(reader.verify().is_ok(), damaged == car);
        for path in [format!("many/{}", sharded_name(17)), "file".to_owned()] {
            if let Ok(Some(found)) = reader.resolve(&reader.root(), &path) {
                let _ = reader.list(&found.cid);
                if let Ok(mut file) = FileReader::open(&reader, &found.cid) {
                    let _ = io::copy(&mut file, &mut io::sink());
                }
            }
        }
    });
}

#[test]
fn what_is_no_archive_is_refused() {
    let (cid, block) = raw(b"block");
    let car = archive(&cid, &[(cid, block)]);
    let header = &car[..59];
    assert_eq!(
        refused(b""),
        "the archive has no header; it is not a CAR file"
    );
    assert_eq!(
        refused(b"PK\x03\x04"),
        "the archive ends in the middle of the section at byte 0"
    );
    assert_eq!(
        refused(&[0; 64]),
        "the archive has no header; it is not a CAR file"
    );
    assert_eq!(
        refused(&[255; 64]),
        "the archive has no header; it is not a CAR file"
    );
    assert_eq!(
        refused(b"\x0a\xa1\x67version\x02"),
        "the archive is a CAR of version 2; only version 1 is read"
    );
    assert_eq!(
        refused(b"\x11\xa2\x65roots\x80\x67version\x01"),
        "the archive has no root"
    );
    let mut version = header.to_vec();
    version[58] = 3;
    assert_eq!(
        refused(&version),
        "the archive has a header that is not that of a version 1 CAR with one UnixFS root"
    );
    assert_eq!(
        refused(header),
        format!("the archive does not have block {cid}")
    );
    let with = |more: &[u8]| refused(&[&car[..], more].concat());
    let at = car.len();
    assert_eq!(
        with(&[0]),
        format!("the section at byte {at} is empty; padding is not accepted")
    );
    assert_eq!(
        with(&[5, 1]),
        format!("the archive ends in the middle of the section at byte {at}")
    );
    assert_eq!(
        with(&[0x80]),
        format!("the archive ends in the middle of the section at byte {at}")
    );
    assert_eq!(
        with(&[0x80, 0]),
        format!("the section at byte {at} has a length that is not in its shortest form")
    );
    assert_eq!(
        with(&[0xff; 12]),
        format!("the section at byte {at} has a length of more than 9 bytes")
    );
    assert_eq!(
        with(&[0xff, 0xff, 0xff, 0x7f]),
        format!("the section at byte {at} has 268435455 bytes, more than a block of {MAX_BLOCK}")
    );
    assert_eq!(
        with(&[2, 1, 0x55]),
        format!("the section at byte {at} is too short for a CID")
    );
    let mut other = car[59..].to_vec();
    other[2] = 0x71;
    assert_eq!(
        with(&other),
        format!(
            "the section at byte {at} is refused: a CID has codec 0x71; a UnixFS block is raw \
             (0x55) or dag-pb (0x70)"
        )
    );
    assert_eq!(
        with(&car[59..]),
        format!("the archive has block {cid} twice")
    );
}

#[test]
fn a_writer_refuses_what_no_reader_takes() {
    let (cid, block) = raw(&vec![0; MAX_BLOCK + 1]);
    let mut writer = CarWriter::new(Vec::new(), cid).unwrap();
    let error = writer.put(&cid, &block).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    // The root was never put.
    assert_eq!(
        writer.finish().unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );

    let (cid, block) = raw(&vec![0; MAX_BLOCK]);
    assert_eq!(
        open(&archive(&cid, &[(cid, block)]))
            .unwrap()
            .verify()
            .unwrap()
            .blocks,
        1
    );
}

/// A folder of these links, whatever is below them.
pub fn parent(entries: &[(&str, Link)]) -> (Cid, Vec<u8>) {
    let entries = entries.iter().map(|(name, link)| DirectoryEntry {
        name: (*name).to_owned(),
        link: *link,
    });
    let dag = DirectoryDag::build(Profile::UnixfsV1_2025, entries.collect()).unwrap();
    let mut blocks = Blocks::default();
    dag.emit(&mut blocks, &mut |_, _| Ok(())).unwrap();
    blocks.0.remove(0)
}

#[test]
fn a_whole_that_does_not_hold_together_is_refused() {
    let leaves = [raw(b"one"), raw(b"two"), raw(b"three")];
    let link = |place: usize, cumulative_size| Link {
        cid: leaves[place].0,
        cumulative_size,
    };
    let root = parent(&[("a", link(0, 3)), ("b", link(1, 3))]);
    let [one, two, three] = leaves.clone();
    let check = |blocks: &[&(Cid, Vec<u8>)]| {
        let blocks: Vec<_> = blocks.iter().map(|block| (*block).clone()).collect();
        verdict(&blocks[0].0.clone(), &blocks)
    };
    assert_eq!(check(&[&root, &one, &two]), "fine");
    assert_eq!(
        check(&[&root, &two, &one]),
        format!(
            "the archive has block {} out of order; blocks come depth first",
            one.0
        )
    );
    assert_eq!(
        check(&[&root, &one]),
        format!("the archive does not have block {}", two.0)
    );
    assert_eq!(
        check(&[&root, &one, &two, &three]),
        format!(
            "the archive has block {}, which is not reachable from its root",
            three.0
        )
    );
    let changed = (two.0, b"Two".to_vec());
    assert_eq!(
        check(&[&root, &one, &changed]),
        format!("the bytes of block {} do not match its CID", two.0)
    );
    let lying = parent(&[("a", link(0, 4))]);
    assert_eq!(
        check(&[&lying, &one]),
        format!(
            "block {} says that {} has 4 bytes in all, but it has 3",
            lying.0, one.0
        )
    );
}

/// A file's node that says other sizes than its leaves have: refused by `verify` and while reading.
#[test]
fn a_file_whose_parts_have_other_sizes_is_refused() {
    let profile = Profile::UnixfsV1_2025;
    let bytes = vec![1; profile.chunk_size() + 5];
    let mut blocks = Blocks::default();
    file_dag(profile, &bytes)
        .emit(&mut blocks, &mut &bytes[..])
        .unwrap();
    // The last byte is the second part's size, 5; the file's size is before them.
    let mut node = blocks.0[0].1.clone();
    let size = node.len() - 1;
    assert_eq!(node[size], 5);
    node[size] = 6;
    let total = node.len() - 9;
    let sum = (profile.chunk_size() + 5).to_le_bytes()[0];
    assert_eq!(node[total], sum | 0x80);
    node[total] += 1;
    let cid = Cid::v1(Codec::DagPb, Sha256Digest::of(&node));
    blocks.0[0] = (cid, node);
    let reader = open(&archive(&cid, &blocks.0)).unwrap();
    let leaf = blocks.0[2].0;
    assert_eq!(
        reader.verify().unwrap_err().to_string(),
        format!("block {cid} says that {leaf} is a file of 6 bytes, which it is not")
    );
    let mut read = Vec::new();
    let error = FileReader::open(&reader, &cid)
        .unwrap()
        .read_to_end(&mut read)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("block {leaf} holds 5 bytes of a file, though its parent says 6")
    );
}

/// Two large folders that differ in one entry have most shards in common.
#[test]
fn shards_of_two_folders() {
    let profile = Profile::KuboCidV1;
    let car = folder([("a", sharded_folder(1500)), ("b", sharded_folder(1501))])
        .build(profile)
        .car();
    let reader = open(&car).unwrap();
    reader.verify().unwrap();
    let b = reader.resolve(&reader.root(), "b").unwrap().unwrap().cid;
    assert_eq!(reader.list(&b).unwrap().unwrap().len(), 1501);
}

/// A HAMT entry in a slot that its name's hash does not lead to could be listed but not found.
#[test]
fn an_entry_in_another_slot_is_refused() {
    let (cid, block) = raw(b"leaf");
    assert_ne!(name_hash("a")[0], 0x0a);
    let slot = name_hash("a")[0];
    for (label, good) in [(0x0a, false), (slot, true)] {
        let mut link = vec![0x0a, 36];
        link.extend(cid.to_bytes());
        link.extend([0x12, 3]);
        link.extend(format!("{label:02X}a").bytes());
        link.extend([0x18, 4]);
        let mut bits = [0; 32];
        bits[31 - usize::from(label / 8)] = 1 << (label % 8);
        let first = bits.iter().position(|byte| *byte != 0).unwrap();
        let mut data = vec![8, 5, 18, u8::try_from(32 - first).unwrap()];
        data.extend(&bits[first..]);
        data.extend([40, 34, 48, 128, 2]);
        let mut node = vec![0x12, u8::try_from(link.len()).unwrap()];
        node.extend(link);
        node.extend([0x0a, u8::try_from(data.len()).unwrap()]);
        node.extend(data);
        let root = Cid::v1(Codec::DagPb, Sha256Digest::of(&node));
        let car = archive(&root, &[(root, node), (cid, block.clone())]);
        let reader = open(&car).unwrap();
        assert_eq!(reader.verify().is_ok(), good);
        assert_eq!(reader.list(&root).is_ok(), good);
        assert_eq!(reader.entry(&root, "a").unwrap().is_some(), good);
        if !good {
            assert_eq!(
                reader.verify().unwrap_err().to_string(),
                format!("block {root} has the entry `a` in a wrong slot")
            );
        }
    }
}
